//! Weights of options as a picture: a row for each decision, a column for each option, the darker the heavier.

use crate::export::picture::{ADVANCE, Color, HEIGHT, Picture};
use crate::graph::Rows;

/// Side of a weight's square, in dots.
const SIDE: usize = 16;
/// Between words and squares.
const GAP: usize = 4;
/// The longest name that is written, in characters.
const LONGEST: usize = 32;
/// The colours of no weight and of all: light and dark of one hue, told apart without colour too.
const COLORS: [[f64; 3]; 2] = [[247.0, 251.0, 255.0], [8.0, 48.0, 107.0]];
const INK: Color = [31, 41, 51];

/// The picture of rows of weights from 0 to 1, with names of rows and columns where they are known; none of nothing.
pub(super) fn heat_map(rows: &[Vec<f64>], names: Option<&Rows>) -> Option<Picture> {
    let columns = rows.iter().map(Vec::len).max()?;
    let names = names.filter(|names| names.rows.len() == rows.len() && names.columns.len() == columns);
    let beside: Vec<String> =
        names.map_or_else(Vec::new, |names| names.rows.iter().map(|row| short(&row.decides.short())).collect());
    let above: Vec<String> =
        names.map_or_else(Vec::new, |names| names.columns.iter().map(|column| short(column)).collect());
    let room = |names: &[String]| names.iter().map(|name| name.chars().count() * ADVANCE + GAP).max().unwrap_or(0);
    let (left, top) = (room(&beside), room(&above));
    // Without a square there is nothing to be seen.
    let squares = (columns > 0).then_some([columns * SIDE, rows.len() * SIDE])?;
    let mut picture = Picture::new(left + squares[0], top + squares[1])?;
    let middle = (SIDE - HEIGHT) / 2;
    for (at, name) in beside.iter().enumerate() {
        let room = left - GAP - name.chars().count() * ADVANCE;
        picture.text([room, top + at * SIDE + middle], 1, INK, name);
    }
    for (at, name) in above.iter().enumerate() {
        picture.text_upwards([left + at * SIDE + middle, top - GAP], 1, INK, name);
    }
    for (y, row) in rows.iter().enumerate() {
        for (x, weight) in row.iter().enumerate() {
            // A line between squares.
            let square = [left + x * SIDE + 1, top + y * SIDE + 1, SIDE - 1, SIDE - 1];
            picture.fill(square, color(*weight));
        }
    }
    Some(picture)
}

fn short(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn color(weight: f64) -> Color {
    let weight = weight.clamp(0.0, 1.0);
    [0, 1, 2].map(|channel| (COLORS[0][channel] * (1.0 - weight) + COLORS[1][channel] * weight).round() as u8)
}

#[cfg(all(test, feature = "images"))]
mod tests {
    use super::*;
    use crate::graph::{Decides, Row};

    fn decoded(picture: &Picture) -> image::RgbImage {
        image::load_from_memory(&picture.png().unwrap()).unwrap().to_rgb8()
    }

    #[test]
    fn the_heavier_the_darker() {
        let decoded = decoded(&heat_map(&[vec![0.0, 1.0], vec![0.5, 0.5]], None).unwrap());
        assert_eq!(decoded.dimensions(), (32, 32));
        let at = |x: u32, y: u32| decoded.get_pixel(x * 16 + 8, y * 16 + 8).0;
        assert_eq!((at(0, 0), at(1, 0)), ([247, 251, 255], [8, 48, 107]));
        assert_eq!(at(0, 1), at(1, 1));
        assert!(at(0, 1)[0] < 247 && at(0, 1)[0] > 8);
        assert!(heat_map(&[], None).is_none() && heat_map(&[vec![], vec![]], None).is_none());
    }

    #[test]
    fn names_stand_beside_and_above() {
        let row = |to| Row { decides: Decides::Edge { from: 0, to, inputs: 2 }, options: Vec::new() };
        let columns = ["none", "x".repeat(500).as_str()].map(str::to_owned).to_vec();
        let names = Rows { table: "alphas".into(), columns, rows: vec![row(2), row(13)] };
        let weights = [vec![0.0, 1.0], vec![0.5, 0.5]];
        let picture = heat_map(&weights, Some(&names)).unwrap();
        let (left, top) = (4 * ADVANCE + GAP, (LONGEST + 1) * ADVANCE + GAP);
        assert_eq!(picture.size(), [left + 32, top + 32]);
        let decoded = decoded(&picture);
        let ink = |x: std::ops::Range<usize>, y: std::ops::Range<usize>| {
            y.flat_map(|y| x.clone().map(move |x| (x, y)))
                .filter(|&(x, y)| decoded.get_pixel(x as u32, y as u32).0 == INK)
                .count()
        };
        assert!(ink(0..left, top..top + 16) > 10 && ink(left..left + 16, 0..top) > 10);
        assert!(ink(left + 16..left + 32, 0..top) > ink(left..left + 16, 0..top));
        assert_eq!(decoded.get_pixel(left as u32 + 24, top as u32 + 8).0, [8, 48, 107]);
        // Names of another table say nothing of this one.
        assert_eq!(heat_map(&weights[..1], Some(&names)).unwrap().size(), [32, 16]);
    }
}
