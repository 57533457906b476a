//! Diagrams as pictures made of dots, for programs that show no vectors.

use super::layout::{self, Point, Route, Sizes};
use super::palette::{INK, MUTED};
use super::{Diagram, DrawError, Edge, Kind};
use crate::export::picture::{ADVANCE, Color, HEIGHT, Picture};

/// Dots of a pixel of the layout.
const SCALE: f64 = 1.0;
/// Dots of a dot of a character.
const TYPE: usize = 1;
/// Around the whole, in pixels of the layout.
const MARGIN: f64 = 12.0;
/// Around words within a box and within an arrow's label, to the sides and above, in pixels of the layout.
const AROUND: [[f64; 2]; 2] = [[11.0, 10.0], [7.0, 5.0]];
/// Pieces that a curve is drawn in.
const PIECES: u32 = 24;
/// Half the width of an arrow head, in pixels of the layout.
const HEAD: f64 = 4.0;

/// A diagram as a picture: its title, boxes and arrows with their labels, without details of boxes. None where it would be larger than
/// anybody looks at.
///
/// # Errors
/// [`DrawError::NoSuchBox`] and [`DrawError::Cycle`].
pub fn draw(diagram: &Diagram) -> Result<Option<Picture>, DrawError> {
    let placement = layout::place(diagram, &sizes(diagram))?;
    let heading = if diagram.title.is_empty() { 0.0 } else { height() + MARGIN };
    let [width, height] = [placement.size[0].max(width(&diagram.title)), placement.size[1] + heading];
    let dots = |length: f64| ((length + 2.0 * MARGIN) * SCALE).ceil() as usize;
    let Some(picture) = Picture::new(dots(width), dots(height)) else { return Ok(None) };
    let left = MARGIN + (width - placement.size[0]) / 2.0;
    let mut drawing = Drawing { picture, origin: [left, MARGIN + heading] };
    drawing.words([placement.size[0] / 2.0, (HEIGHT * TYPE) as f64 / SCALE / 2.0 - heading], INK, &diagram.title);
    // Lines first, then what must stay readable.
    for (edge, route) in diagram.edges.iter().zip(&placement.edges) {
        drawing.arrow(route, edge);
    }
    for (edge, route) in diagram.edges.iter().zip(&placement.edges) {
        if let Some(rect) = route.label {
            drawing.block(rect, rect.height / 2.0, edge.kind, &edge.label);
        }
    }
    for (block, rect) in diagram.boxes.iter().zip(&placement.boxes) {
        drawing.block(*rect, 7.0, block.kind, &block.label);
    }
    Ok(Some(drawing.picture))
}

/// Height of words, in pixels of the layout.
fn height() -> f64 {
    (HEIGHT * TYPE) as f64 / SCALE
}

/// Width of words, in pixels of the layout.
fn width(text: &str) -> f64 {
    (shown(text).chars().count() * ADVANCE * TYPE) as f64 / SCALE
}

/// A label as it is drawn: `c_{k-1}`, which has a subscript elsewhere, in one line.
fn shown(text: &str) -> String {
    text.strip_suffix('}')
        .and_then(|text| text.split_once("_{"))
        .map_or(text.to_owned(), |(base, below)| format!("{base}_{below}"))
}

fn sizes(diagram: &Diagram) -> Sizes {
    let size = |text: &str, [beside, above]: [f64; 2]| [width(text) + 2.0 * beside, height() + 2.0 * above];
    Sizes {
        boxes: diagram.boxes.iter().map(|block| size(&block.label, AROUND[0])).collect(),
        labels: diagram
            .edges
            .iter()
            .map(|edge| (!edge.label.is_empty()).then(|| size(&edge.label, AROUND[1])))
            .collect(),
    }
}

struct Drawing {
    picture: Picture,
    /// Where the layout's own corner is, in its pixels.
    origin: Point,
}

impl Drawing {
    fn dots(&self, [x, y]: Point) -> Point {
        [(x + self.origin[0]) * SCALE, (y + self.origin[1]) * SCALE]
    }

    /// Words around a point.
    fn words(&mut self, middle: Point, ink: &str, text: &str) {
        let text = shown(text);
        let size = [text.chars().count() * ADVANCE * TYPE, HEIGHT * TYPE];
        let middle = self.dots(middle);
        // The last character's gap is none of the words'.
        let corner = [0, 1]
            .map(|axis| (middle[axis] - (size[axis] - TYPE.min(size[axis])) as f64 / 2.0).round().max(0.0) as usize);
        self.picture.text(corner, TYPE, rgb(ink), &text);
    }

    fn block(&mut self, rect: layout::Rect, radius: f64, kind: Kind, label: &str) {
        let ([left, top], tone) = (self.dots([rect.x, rect.y]), kind.tone());
        let sides = [left, top, rect.width * SCALE, rect.height * SCALE];
        self.picture.frame(sides, radius * SCALE, [rgb(tone.fill), rgb(tone.line)], SCALE * 1.2);
        self.words(rect.center(), if kind == Kind::Flow { MUTED } else { tone.text }, label);
    }

    fn arrow(&mut self, route: &Route, edge: &Edge) {
        let color = rgb(edge.kind.tone().line);
        let stroke = edge.stroke().map_or(1.7, |[width, _]| width);
        let mut points = vec![self.dots(route.start)];
        let mut from = route.start;
        for &[first, second, to] in &route.curves {
            points.extend(
                (1..=PIECES)
                    .map(|piece| self.dots(bezier([from, first, second, to], f64::from(piece) / f64::from(PIECES)))),
            );
            from = to;
        }
        let dashes = edge.kind.dashes().map(|[on, off]| [on * SCALE, (on + off) * SCALE]);
        self.picture.line(&points, stroke * SCALE, color, |so_far| dashes.is_none_or(|[on, both]| so_far % both < on));
        let length = (route.tip[0] - from[0]).hypot(route.tip[1] - from[1]).max(1e-9);
        let [dx, dy] = [0, 1].map(|axis| (route.tip[axis] - from[axis]) / length * HEAD);
        let corners = [route.tip, [from[0] - dy, from[1] + dx], [from[0] + dy, from[1] - dx]];
        self.picture.triangle(corners.map(|corner| self.dots(corner)), color);
    }
}

/// A point of a cubic Bézier curve.
fn bezier(points: [Point; 4], at: f64) -> Point {
    let rest = 1.0 - at;
    let shares = [rest * rest * rest, 3.0 * rest * rest * at, 3.0 * rest * at * at, at * at * at];
    [0, 1].map(|axis| points.iter().zip(shares).map(|(point, share)| point[axis] * share).sum())
}

/// A colour of the palette.
fn rgb(color: &str) -> Color {
    let part = |at: usize| color.get(at..at + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or_default();
    [1, 3, 5].map(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::run::cell;
    use crate::report::{Block, Direction};
    use crate::space::darts::Genotype;

    fn picture(name: &str, at: usize) -> Picture {
        draw(&cell(&Genotype::read(name).unwrap().cells()[at]).unwrap()).unwrap().unwrap()
    }

    #[test]
    fn cells_that_differ_are_drawn_so_and_equal_ones_alike() {
        let normal = picture("DARTS_V2", 0);
        assert_eq!(normal, picture("DARTS_V2", 0));
        assert!(normal != picture("DARTS_V1", 0) && normal != picture("DARTS_V2", 1));
        let [width, height] = normal.size();
        assert!((300..2000).contains(&width) && (100..1000).contains(&height), "{width} × {height}");
    }

    #[test]
    fn words_fit_into_their_boxes_and_nothing_harms() {
        let label = "a name of which nobody thought, longer than any";
        let mut diagram = Diagram { direction: Direction::Down, ..Diagram::default() };
        let [a, b] = [label, "c_{k-1}"].map(|label| diagram.add(Block::new(label, Kind::State)));
        diagram.join(a, b, "α\u{1b}[2J", Kind::Skip);
        diagram.join(a, b, "", Kind::None);
        let sizes = sizes(&diagram);
        assert!(sizes.boxes[0][0] > (label.len() * ADVANCE * TYPE) as f64 / SCALE);
        assert_eq!(shown("c_{k-1}"), "c_k-1");
        assert!(draw(&diagram).unwrap().is_some());
        assert!(draw(&Diagram::default()).unwrap().is_some());
        let huge = Diagram { title: "x".repeat(100_000), ..Diagram::default() };
        assert_eq!(draw(&huge).unwrap(), None);
        assert_eq!(rgb("#0072b2"), [0, 0x72, 0xb2]);
    }
}
