//! Diagrams as a page draws them: places and path data, without colours. Those are the style sheet's, which knows light and dark.

use super::document::{Arrow, Drawing, Number, Placed};
use crate::report::layout::{self, Rect, Route};
use crate::report::{Diagram, DrawError, Kind, svg};
use std::fmt::Write;

/// A diagram, placed.
pub(super) fn drawing(diagram: &Diagram) -> Result<Drawing, DrawError> {
    let placement = layout::place(diagram, &svg::sizes(diagram))?;
    let boxes = diagram.boxes.iter().zip(&placement.boxes);
    let arrows = diagram.edges.iter().zip(&placement.edges).map(|(edge, route)| {
        let label = route.label.map(|rect| placed(edge.kind, rect, &edge.label));
        Arrow { tone: tone(edge.kind), line: line(route), head: head(route), label }
    });
    Ok(Drawing {
        title: diagram.title.clone(),
        size: placement.size.map(|length| rounded(length.ceil())),
        boxes: boxes.map(|(block, rect)| placed(block.kind, *rect, &block.label)).collect(),
        arrows: arrows.collect(),
    })
}

fn placed(kind: Kind, rect: Rect, text: &str) -> Placed {
    // `c_{k-1}` has a subscript.
    let (base, below) =
        text.strip_suffix('}').and_then(|text| text.split_once("_{")).map_or((text, ""), |(base, below)| (base, below));
    let at = [rect.x, rect.y, rect.width, rect.height].map(rounded);
    Placed { tone: tone(kind), at, text: [base.to_owned(), below.replace('-', "−")] }
}

/// The class of the style sheet for a kind.
pub(super) fn tone(kind: Kind) -> &'static str {
    match kind {
        Kind::Input | Kind::Output | Kind::State | Kind::Flow | Kind::Elementwise => "plain",
        Kind::Convolution => "convolution",
        Kind::Separable | Kind::Group => "separable",
        Kind::Dilated => "dilated",
        Kind::Pooling | Kind::Reduction => "pooling",
        Kind::Skip => "skip",
        Kind::None => "none",
        Kind::Linear => "linear",
        Kind::Choice => "choice",
    }
}

fn line(route: &Route) -> String {
    let mut path = format!("M{}", point(route.start));
    for curve in &route.curves {
        // Writing to a String cannot fail.
        let _ = write!(path, "C{} {} {}", point(curve[0]), point(curve[1]), point(curve[2]));
    }
    path
}

/// From where the line ends to the tip.
fn head(route: &Route) -> String {
    let base = route.curves.last().map_or(route.start, |curve| curve[2]);
    let length = (route.tip[0] - base[0]).hypot(route.tip[1] - base[1]).max(1e-9);
    let (dx, dy) = ((route.tip[0] - base[0]) / length * 4.0, (route.tip[1] - base[1]) / length * 4.0);
    format!("M{}L{}L{}Z", point(route.tip), point([base[0] - dy, base[1] + dx]), point([base[0] + dy, base[1] - dx]))
}

fn point([x, y]: [f64; 2]) -> String {
    format!("{} {}", rounded(x).0, rounded(y).0)
}

/// To a tenth of a pixel.
fn rounded(value: f64) -> Number {
    // Adding zero turns −0 into 0.
    Number((value * 10.0).round() / 10.0 + 0.0)
}
