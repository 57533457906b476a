//! Pictures made of dots, for programs that show no vectors: lines, boxes, filled shapes and words on white, and PNG.
//!
//! Edges are smoothed by how much of a dot a shape covers. The same shapes give the same bytes.

mod glyphs;
#[cfg(feature = "images")]
mod png;
#[cfg(not(feature = "images"))]
#[path = "without_png.rs"]
mod png;

use glyphs::{COLUMNS, ROWS, glyph};
use std::ops::Range;

/// The longest side, in dots.
const LONGEST: usize = 8192;
/// The most dots.
const MOST: usize = 1 << 24;

/// Dots from one character to the next.
pub const ADVANCE: usize = COLUMNS + 1;
/// Dots of a character from top to bottom.
pub const HEIGHT: usize = ROWS;

/// A colour: red, green, blue.
pub type Color = [u8; 3];
/// A place: dots from the left and from the top.
pub type Point = [f64; 2];

/// A picture in the making.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    width: usize,
    height: usize,
    /// Row by row, three bytes a dot.
    dots: Vec<u8>,
}

impl Picture {
    /// A white picture of so many dots; none if it has none, or more than anybody looks at.
    pub fn new(width: usize, height: usize) -> Option<Self> {
        let is_sound = width.min(height) > 0 && width.max(height) <= LONGEST && width * height <= MOST;
        is_sound.then(|| Self { width, height, dots: vec![255; width * height * 3] })
    }

    /// Width and height, in dots.
    pub fn size(&self) -> [usize; 2] {
        [self.width, self.height]
    }

    /// As a PNG file; none where the program was built without pictures.
    pub fn png(&self) -> Option<Vec<u8>> {
        png::encode(&self.dots, self.width, self.height)
    }

    /// Fills a box of whole dots: left, top, width, height.
    pub fn fill(&mut self, [left, top, width, height]: [usize; 4], color: Color) {
        for y in top..(top + height).min(self.height) {
            (left..(left + width).min(self.width)).for_each(|x| self.mix(x, y, color, 1.0));
        }
    }

    /// A box with round corners and a line around it: left, top, width, height.
    pub fn frame(&mut self, rect: [f64; 4], radius: f64, [fill, line]: [Color; 2], stroke: f64) {
        let [left, top, width, height] = rect;
        let (half, middle) = ([width / 2.0, height / 2.0], [left + width / 2.0, top + height / 2.0]);
        let radius = radius.min(half[0]).min(half[1]);
        let bounds = [left - stroke, top - stroke, left + width + stroke, top + height + stroke];
        self.shade(bounds, |at| {
            // How far outside of it a dot is.
            let past = [0, 1].map(|axis| (at[axis] - middle[axis]).abs() - half[axis] + radius);
            let corner = if past[0].min(past[1]) > 0.0 { past[0].hypot(past[1]) } else { past[0].max(past[1]) };
            let distance = corner - radius;
            let inside = covered(distance);
            let edge = covered(distance.abs() - stroke / 2.0);
            [(fill, inside), (line, edge)]
        });
    }

    /// A line of the given width through points, drawn where `is_drawn` says so of the length so far.
    pub fn line(&mut self, points: &[Point], width: f64, color: Color, is_drawn: impl Fn(f64) -> bool) {
        let [left, top] = [0, 1].map(|axis| points.iter().map(|point| point[axis]).fold(f64::MAX, f64::min) - width);
        let [right, bottom] =
            [0, 1].map(|axis| points.iter().map(|point| point[axis]).fold(f64::MIN, f64::max) + width);
        let [columns, rows] = self.within([left, top, right, bottom]);
        // Where pieces meet no dot is darkened twice: the one that covers most of it counts.
        let mut shares = vec![0.0_f64; columns.len() * rows.len()];
        let mut so_far = 0.0;
        for pair in points.windows(2) {
            let piece @ [from, to] = &[pair[0], pair[1]];
            let length = (to[0] - from[0]).hypot(to[1] - from[1]);
            if is_drawn(so_far + length / 2.0) {
                let [left, top] = [0, 1].map(|axis| from[axis].min(to[axis]) - width);
                let [right, bottom] = [0, 1].map(|axis| from[axis].max(to[axis]) + width);
                let [across, down] = self.within([left, top, right, bottom]);
                for y in down {
                    for x in across.clone() {
                        let share = covered(distance([x as f64 + 0.5, y as f64 + 0.5], piece) - width / 2.0);
                        let known = &mut shares[(y - rows.start) * columns.len() + x - columns.start];
                        *known = known.max(share);
                    }
                }
            }
            so_far += length;
        }
        for (y, row) in rows.zip(shares.chunks(columns.len().max(1))) {
            for (x, share) in columns.clone().zip(row).filter(|(_, share)| **share > 0.0) {
                self.mix(x, y, color, *share);
            }
        }
    }

    /// A filled triangle.
    pub fn triangle(&mut self, corners: [Point; 3], color: Color) {
        let side = |a: Point, b: Point, at: Point| (b[0] - a[0]) * (at[1] - a[1]) - (b[1] - a[1]) * (at[0] - a[0]);
        let turn = side(corners[0], corners[1], corners[2]).signum();
        let [left, top] = [0, 1].map(|axis| corners.iter().map(|corner| corner[axis]).fold(f64::MAX, f64::min) - 1.0);
        let [right, bottom] =
            [0, 1].map(|axis| corners.iter().map(|corner| corner[axis]).fold(f64::MIN, f64::max) + 1.0);
        self.shade([left, top, right, bottom], |at| {
            let outside = (0..3).map(|corner| {
                let (a, b) = (corners[corner], corners[(corner + 1) % 3]);
                -turn * side(a, b, at) / (b[0] - a[0]).hypot(b[1] - a[1]).max(1e-9)
            });
            [(color, covered(outside.fold(f64::MIN, f64::max)))]
        });
    }

    /// Words whose upper left corner is at `left` and `top`, each dot of a character `scale` dots wide. What has no glyph is a box.
    pub fn text(&mut self, [left, top]: [usize; 2], scale: usize, color: Color, text: &str) {
        self.write(text, |column, row| [left + column * scale, top + row * scale], scale, color);
    }

    /// The same, read from below upwards: `left` and `bottom` are the corner where it begins.
    pub fn text_upwards(&mut self, [left, bottom]: [usize; 2], scale: usize, color: Color, text: &str) {
        self.write(text, |column, row| [left + row * scale, bottom.wrapping_sub((column + 1) * scale)], scale, color);
    }

    fn write(&mut self, text: &str, place: impl Fn(usize, usize) -> [usize; 2], scale: usize, color: Color) {
        for (at, character) in text.chars().enumerate() {
            for (column, dots) in glyph(character).into_iter().enumerate() {
                for row in (0..ROWS).filter(|row| dots >> row & 1 == 1) {
                    let [x, y] = place(at * ADVANCE + column, row);
                    // What is beyond the edge is not seen.
                    if x < self.width && y < self.height {
                        self.fill([x, y, scale, scale], color);
                    }
                }
            }
        }
    }

    /// The columns and rows of dots within bounds: left, top, right, bottom.
    fn within(&self, [left, top, right, bottom]: [f64; 4]) -> [Range<usize>; 2] {
        let range = |from: f64, to: f64, most: usize| {
            let [from, to] = [from.floor(), to.ceil()].map(|at| at.clamp(0.0, most as f64) as usize);
            from..to.max(from)
        };
        [range(left, right, self.width), range(top, bottom, self.height)]
    }

    /// Lays colours over the dots within bounds (left, top, right, bottom), each as far as `of` says of the middle of a dot.
    fn shade<const LAYERS: usize>(&mut self, bounds: [f64; 4], of: impl Fn(Point) -> [(Color, f64); LAYERS]) {
        let [columns, rows] = self.within(bounds);
        for y in rows {
            for x in columns.clone() {
                for (color, share) in of([x as f64 + 0.5, y as f64 + 0.5]) {
                    self.mix(x, y, color, share);
                }
            }
        }
    }

    fn mix(&mut self, x: usize, y: usize, color: Color, share: f64) {
        let at = (y * self.width + x) * 3;
        if share >= 1.0 {
            return self.dots[at..at + 3].copy_from_slice(&color);
        }
        if share <= 0.0 {
            return;
        }
        for (dot, new) in self.dots[at..at + 3].iter_mut().zip(color) {
            *dot = (f64::from(*dot) * (1.0 - share) + f64::from(new) * share).round() as u8;
        }
    }
}

/// How much of a dot is covered by what ends so far from its middle, in quarters: few colours make a short file.
fn covered(distance: f64) -> f64 {
    (4.0 * (0.5 - distance)).round().clamp(0.0, 4.0) / 4.0
}

/// How far a point is from a piece of a line.
fn distance(at: Point, [from, to]: &[Point; 2]) -> f64 {
    let way = [to[0] - from[0], to[1] - from[1]];
    let length = way[0] * way[0] + way[1] * way[1];
    let along = ((at[0] - from[0]) * way[0] + (at[1] - from[1]) * way[1]) / length.max(1e-12);
    let along = along.clamp(0.0, 1.0);
    (at[0] - from[0] - along * way[0]).hypot(at[1] - from[1] - along * way[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Color = [0; 3];

    /// The dots as characters: a space is white.
    fn seen(picture: &Picture) -> Vec<String> {
        let row = |row: &[u8]| row.chunks(3).map(|dot| if dot[0] < 128 { '#' } else { ' ' }).collect();
        picture.dots.chunks(3 * picture.width).map(row).collect()
    }

    #[test]
    fn shapes_cover_what_they_should() {
        let mut picture = Picture::new(9, 7).unwrap();
        picture.frame([1.0, 1.0, 7.0, 5.0], 0.0, [[255; 3], BLACK], 1.0);
        picture.line(&[[2.5, 3.5], [6.5, 3.5]], 1.0, BLACK, |_| true);
        let rows = seen(&picture);
        assert_eq!(rows[3].chars().filter(|c| *c == '#').count() as f64, 5.0, "{rows:#?}");
        // Half of each dot on either side of the border.
        assert_eq!((picture.dots[(9 + 4) * 3], picture.dots[4 * 3]), (128, 128));
        let mut picture = Picture::new(8, 8).unwrap();
        picture.triangle([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]], BLACK);
        let dots: usize = seen(&picture).iter().map(|row| row.matches('#').count()).sum();
        assert!((28..=36).contains(&dots), "{dots}");
        let mut other = Picture::new(8, 8).unwrap();
        other.triangle([[0.0, 0.0], [0.0, 8.0], [8.0, 0.0]], BLACK);
        assert_eq!(picture, other, "whichever way round");
        // Dashes.
        let mut picture = Picture::new(12, 1).unwrap();
        let points: Vec<Point> = (0..=12).map(|x| [f64::from(x), 0.5]).collect();
        picture.line(&points, 1.0, BLACK, |so_far| so_far % 6.0 < 3.0);
        assert_eq!(seen(&picture), ["###   ###   "]);
    }

    #[test]
    fn words_are_read_in_both_directions() {
        let mut picture = Picture::new(12, 8).unwrap();
        picture.text([0, 0], 1, BLACK, "L1");
        assert_eq!(
            seen(&picture)[..7],
            [
                "#       #   ",
                "#      ##   ",
                "#       #   ",
                "#       #   ",
                "#       #   ",
                "#       #   ",
                "#####  ###  "
            ]
        );
        let mut upwards = Picture::new(8, 12).unwrap();
        upwards.text_upwards([0, 12], 1, BLACK, "L1");
        let turned: Vec<String> =
            (0..12).map(|y| seen(&picture).iter().map(|row| row.as_bytes()[11 - y] as char).collect()).collect();
        assert_eq!(seen(&upwards), turned);
        // Twice as large, and beyond the edge.
        let mut large = Picture::new(6, 4).unwrap();
        large.text([0, 0], 2, BLACK, "LLL");
        assert_eq!(seen(&large), ["##    "; 4]);
    }

    #[test]
    fn no_picture_is_too_large() {
        for (width, height) in [(0, 1), (1, 0), (LONGEST + 1, 1), (LONGEST, LONGEST), (usize::MAX, usize::MAX)] {
            assert!(Picture::new(width, height).is_none());
        }
        // Shapes that are no numbers, or reach beyond it, harm nothing.
        let mut picture = Picture::new(4, 4).unwrap();
        picture.line(&[[f64::NAN, 1.0], [1e300, f64::INFINITY]], 1.0, BLACK, |_| true);
        picture.line(&[], 1.0, BLACK, |_| true);
        picture.triangle([[-1e9, -1e9]; 3], BLACK);
        picture.frame([-5.0, -5.0, 100.0, 100.0], 3.0, [BLACK; 2], 1.0);
        assert_eq!(seen(&picture), ["####"; 4]);
    }
}
