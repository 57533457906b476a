//! Diagrams as standalone SVG.
//!
//! No scripts, style sheets, markers or filters: the file looks the same in browsers, in rsvg and
//! inlined in a page beside others. Text is text, in the reader's own fonts.

use super::layout::{self, Placement, Rect, Route, Sizes};
use super::palette::{FONT, INK, MUTED, PAPER, escape, text_width};
use super::{Block, Diagram, Direction, DrawError};
use std::fmt::Write;

const LABEL: f64 = 14.0;
const DETAIL: f64 = 11.0;
const EDGE_LABEL: f64 = 12.0;
const TITLE: f64 = 17.0;
const MARGIN: f64 = 24.0;
/// Subscripts, as a share of the type size.
const SUBSCRIPT: f64 = 0.72;

/// How several diagrams share one picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrangement {
    /// From left to right.
    SideBySide,
    /// From top to bottom.
    #[default]
    Stacked,
}

/// One diagram as an SVG document.
///
/// ```
/// use cellwright::report::{run, svg};
/// use cellwright::space::darts::Genotype;
///
/// let cells = Genotype::read("DARTS_V2")?.cells();
/// let drawing = svg::draw(&run::cell(&cells[0])?)?;
/// assert!(drawing.starts_with("<svg") && drawing.contains("Normal cell"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DrawError::NoSuchBox`] and [`DrawError::Cycle`].
pub fn draw(diagram: &Diagram) -> Result<String, DrawError> {
    arrange("", std::slice::from_ref(diagram), Arrangement::Stacked)
}

/// Several diagrams, e.g. the normal and the reduction cell, as one SVG document with a heading,
/// which may be empty.
///
/// # Errors
/// [`DrawError::NoSuchBox`] and [`DrawError::Cycle`].
pub fn arrange(title: &str, diagrams: &[Diagram], arrangement: Arrangement) -> Result<String, DrawError> {
    let placed: Vec<(&Diagram, Placement)> =
        diagrams.iter().map(|d| Ok((d, layout::place(d, &sizes(d))?))).collect::<Result<_, _>>()?;
    let heading = |text: &str| if text.is_empty() { 0.0 } else { TITLE + 17.0 };
    let extents: Vec<[f64; 2]> = placed
        .iter()
        .map(|(d, p)| [p.size[0].max(text_width(&d.title) * TITLE), p.size[1] + heading(&d.title)])
        .collect();
    let between = 2.0 * MARGIN;
    let sum =
        |axis: usize| extents.iter().map(|e| e[axis]).sum::<f64>() + between * extents.len().saturating_sub(1) as f64;
    let most = |axis: usize| extents.iter().map(|e| e[axis]).fold(0.0, f64::max);
    let [mut width, mut height] = match arrangement {
        Arrangement::SideBySide => [sum(0), most(1)],
        Arrangement::Stacked => [most(0), sum(1)],
    };
    width = (width.max(text_width(title) * (TITLE + 2.0)) + 2.0 * MARGIN).ceil();
    height = (height + heading(title) + 2.0 * MARGIN).ceil();

    let mut svg = open(width, height, &spoken(title, diagrams));
    let mut y = MARGIN;
    if !title.is_empty() {
        write_text(&mut svg, &Text { size: TITLE + 2.0, bold: true, ..Text::new(width / 2.0, y + TITLE - 3.0, title) });
        y += heading(title);
    }
    let mut x = MARGIN;
    for ((diagram, placement), extent) in placed.iter().zip(&extents) {
        let (left, top) = match arrangement {
            Arrangement::SideBySide => (x + (extent[0] - placement.size[0]) / 2.0, y),
            Arrangement::Stacked => ((width - placement.size[0]) / 2.0, y),
        };
        if !diagram.title.is_empty() {
            let middle = left + placement.size[0] / 2.0;
            let heading = Text::new(middle, top + TITLE - 3.0, &diagram.title);
            write_text(&mut svg, &Text { size: TITLE - 1.0, bold: true, ..heading });
        }
        put(
            &mut svg,
            format_args!("<g transform=\"translate({} {})\">\n", number(left), number(top + heading(&diagram.title))),
        );
        write_diagram(&mut svg, diagram, placement);
        svg.push_str("</g>\n");
        match arrangement {
            Arrangement::SideBySide => x += extent[0] + between,
            Arrangement::Stacked => y += extent[1] + between,
        }
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// How large boxes and labels of a diagram are when drawn by this module.
pub fn sizes(diagram: &Diagram) -> Sizes {
    let block = |block: &Block| {
        let (base, below) = subscript(&block.label);
        // Bold type is wider.
        let label = (text_width(base) + text_width(below) * SUBSCRIPT) * LABEL * 1.08;
        let widest = block.details.iter().map(|d| text_width(d) * DETAIL).fold(label, f64::max);
        let height = LABEL + 18.0 + block.details.len() as f64 * (DETAIL + 4.0);
        let least = if diagram.direction == Direction::Down { 96.0 } else { 36.0 };
        [(widest + 22.0).max(least).round(), height]
    };
    let label =
        |text: &str| (!text.is_empty()).then(|| [(text_width(text) * EDGE_LABEL + 14.0).round(), EDGE_LABEL + 9.0]);
    Sizes {
        boxes: diagram.boxes.iter().map(block).collect(),
        labels: diagram.edges.iter().map(|e| label(&e.label)).collect(),
    }
}

fn write_diagram(svg: &mut String, diagram: &Diagram, placement: &Placement) {
    // Lines first, then what must stay readable.
    for (edge, route) in diagram.edges.iter().zip(&placement.edges) {
        write_route(svg, route, edge);
    }
    for (edge, route) in diagram.edges.iter().zip(&placement.edges) {
        if let Some(rect) = route.label {
            let tone = edge.kind.tone();
            write_rect(svg, rect, rect.height / 2.0, [tone.fill, tone.line], 1.0);
            let [x, y] = rect.center();
            let text = Text::new(x, y + EDGE_LABEL * 0.35, &edge.label);
            write_text(svg, &Text { size: EDGE_LABEL, color: tone.text, ..text });
        }
    }
    for (block, &rect) in diagram.boxes.iter().zip(&placement.boxes) {
        let tone = block.kind.tone();
        write_rect(svg, rect, 7.0, [tone.fill, tone.line], 1.4);
        let lines = block.details.len() as f64 * (DETAIL + 4.0);
        let [x, middle] = rect.center();
        let y = middle - lines / 2.0 + LABEL * 0.35;
        write_text(svg, &Text { bold: true, color: tone.text, ..Text::new(x, y, &block.label) });
        for (line, detail) in block.details.iter().enumerate() {
            let y = y + (line + 1) as f64 * (DETAIL + 4.0);
            write_text(svg, &Text { size: DETAIL, color: MUTED, ..Text::new(x, y, detail) });
        }
    }
}

fn write_route(svg: &mut String, route: &Route, edge: &super::Edge) {
    let kind = edge.kind;
    let color = kind.tone().line;
    let mut path = format!("M{} {}", number(route.start[0]), number(route.start[1]));
    for curve in &route.curves {
        let _ = write!(path, "C");
        for (index, [x, y]) in curve.iter().enumerate() {
            let _ = write!(path, "{}{} {}", if index > 0 { " " } else { "" }, number(*x), number(*y));
        }
    }
    let dashes = kind.dashes().map_or(String::new(), |[on, off]| format!(" stroke-dasharray=\"{on} {off}\""));
    let stroke = match edge.stroke() {
        Some([width, opacity]) => {
            format!("stroke-width=\"{}\" stroke-opacity=\"{}\"", number(width), number(opacity))
        }
        None => "stroke-width=\"1.7\"".to_owned(),
    };
    put(svg, format_args!("<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" {stroke}{dashes}/>\n"));
    // The head points from where the line ends to the tip; drawn out, because markers take neither
    // the line's colour everywhere nor an identifier of their own in a page of several pictures.
    let base = route.curves.last().map_or(route.start, |curve| curve[2]);
    let length = (route.tip[0] - base[0]).hypot(route.tip[1] - base[1]).max(1e-9);
    let (dx, dy) = ((route.tip[0] - base[0]) / length * 4.0, (route.tip[1] - base[1]) / length * 4.0);
    let corner = |x: f64, y: f64| format!("{} {}", number(x), number(y));
    put(
        svg,
        format_args!(
            "<path d=\"M{}L{}L{}Z\" fill=\"{color}\"/>\n",
            corner(route.tip[0], route.tip[1]),
            corner(base[0] - dy, base[1] + dx),
            corner(base[0] + dy, base[1] - dx),
        ),
    );
}

fn write_rect(svg: &mut String, rect: Rect, radius: f64, [fill, line]: [&str; 2], stroke: f64) {
    put(
        svg,
        format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"{fill}\" stroke=\"{line}\" stroke-width=\"{stroke}\"/>\n",
            number(rect.x),
            number(rect.y),
            number(rect.width),
            number(rect.height),
            number(radius)
        ),
    );
}

struct Text<'a> {
    x: f64,
    baseline: f64,
    size: f64,
    bold: bool,
    color: &'a str,
    text: &'a str,
}

impl<'a> Text<'a> {
    fn new(x: f64, baseline: f64, text: &'a str) -> Self {
        Self { x, baseline, size: LABEL, bold: false, color: INK, text }
    }
}

fn write_text(svg: &mut String, text: &Text) {
    let weight = if text.bold { " font-weight=\"600\"" } else { "" };
    let (base, below) = subscript(text.text);
    let mut content = escape(base);
    if !below.is_empty() {
        let small = number(text.size * SUBSCRIPT);
        let down = number(text.size * 0.26);
        // A true minus reads better than a hyphen at this size.
        let below = escape(&below.replace('-', "−"));
        let _ = write!(content, "<tspan dy=\"{down}\" font-size=\"{small}\">{below}</tspan>");
    }
    put(
        svg,
        format_args!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"{}\"{weight} fill=\"{}\">{content}</text>\n",
            number(text.x),
            number(text.baseline),
            number(text.size),
            text.color
        ),
    );
}

/// Splits `c_{k-1}` into `c` and `k-1`; other texts have no subscript.
fn subscript(text: &str) -> (&str, &str) {
    text.strip_suffix('}').and_then(|head| head.split_once("_{")).unwrap_or((text, ""))
}

/// The document's beginning: size, background and what a screen reader says.
fn open(width: f64, height: f64, spoken: &str) -> String {
    let (w, h, spoken) = (number(width), number(height), escape(spoken));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" font-family=\"{FONT}\">\n<title>{spoken}</title>\n<rect class=\"paper\" width=\"{w}\" height=\"{h}\" fill=\"{PAPER}\"/>\n"
    )
}

fn spoken(title: &str, diagrams: &[Diagram]) -> String {
    let all = std::iter::once(title).chain(diagrams.iter().map(|d| d.title.as_str()));
    let said: Vec<&str> = all.filter(|t| !t.is_empty()).collect();
    if said.is_empty() { "diagram".into() } else { said.join(": ") }
}

/// A coordinate with at most two decimals: enough for the eye, and short.
fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    // Adding zero turns −0 into 0.
    format!("{}", rounded + 0.0)
}

fn put(svg: &mut String, text: std::fmt::Arguments) {
    // Writing to a String cannot fail.
    let _ = svg.write_fmt(text);
}
