//! Counts by row and column as a field of shades.

use super::canvas::{color, failed, px, sheet, style, write};
use crate::report::DrawError;
use crate::report::palette::{INK, MUTED, PAPER, text_width};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// Most rows in which counts are written.
const WRITTEN: usize = 24;
/// Most rows that are named.
const NAMED: usize = 60;

/// A square matrix of counts: each field is shaded by its share of its row; counts are written while there is room. `axes` name rows
/// and columns.
///
/// # Errors
/// [`DrawError::Plot`] if the drawing backend fails.
pub fn matrix(title: &str, axes: [&str; 2], names: &[String], counts: &[Vec<u64>]) -> Result<String, DrawError> {
    let number = names.len().max(1);
    let field = if number <= WRITTEN { 40.0 } else { (960.0 / number as f64).max(2.0) };
    let short: Vec<String> = names.iter().map(|name| shortened(name)).collect();
    let widest = short.iter().map(|name| text_width(name) * 12.0).fold(0.0, f64::max);
    let margin = if number <= NAMED { widest + 34.0 } else { 34.0 };
    let (left, top) = (margin, margin + if title.is_empty() { 0.0 } else { 36.0 });
    let side = field * number as f64;
    sheet([left + side + 16.0, top + side + 16.0], title, |root| {
        let (middle, edge) = (px(left + side / 2.0), px(top - margin + 14.0));
        write(root, axes[1], (middle, edge), (HPos::Center, VPos::Center), style(12.0, MUTED))?;
        let turned = style(12.0, MUTED).transform(FontTransform::Rotate270);
        write(root, axes[0], (px(12.0), px(top + side / 2.0)), (HPos::Center, VPos::Center), turned)?;
        for (row, of_row) in counts.iter().enumerate().take(number) {
            let all = of_row.iter().sum::<u64>().max(1) as f64;
            for (column, &count) in of_row.iter().enumerate().take(number) {
                let [x, y] = [left + field * column as f64, top + field * row as f64];
                let share = count as f64 / all;
                let shade = shade(share, row == column);
                let corners = [(px(x), px(y)), (px(x + field), px(y + field))];
                root.draw(&Rectangle::new(corners, color(&shade).filled())).map_err(failed)?;
                if number <= WRITTEN && count > 0 {
                    let ink = if share > 0.55 { PAPER } else { INK };
                    let at = (px(x + field / 2.0), px(y + field / 2.0));
                    write(root, &count.to_string(), at, (HPos::Center, VPos::Center), style(11.0, ink))?;
                }
            }
        }
        for (at, name) in short.iter().enumerate().filter(|_| number <= NAMED) {
            let place = field * (at as f64 + 0.5);
            let (row, column) = ((px(left - 6.0), px(top + place)), (px(left + place), px(top - 6.0)));
            write(root, name, row, (HPos::Right, VPos::Center), style(12.0, INK))?;
            let up = style(12.0, INK).transform(FontTransform::Rotate270);
            write(root, name, column, (HPos::Left, VPos::Center), up)?;
        }
        Ok(())
    })
}

/// A name in at most 18 characters.
fn shortened(name: &str) -> String {
    match name.chars().count() {
        0..=18 => name.to_owned(),
        _ => name.chars().take(17).chain(['…']).collect(),
    }
}

/// Blue on the diagonal, orange beside it, the darker the greater the share.
fn shade(share: f64, right: bool) -> String {
    let full = if right { [0.0, 114.0, 178.0] } else { [213.0, 94.0, 0.0] };
    // A few of many should still be seen.
    let depth = share.clamp(0.0, 1.0).sqrt();
    let [r, g, b] = full.map(|tone| (255.0 - depth * (255.0 - tone)).round() as u8);
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_and_names_escaped() {
        let names = ["cat".to_owned(), "<dog> & a very long name".to_owned()];
        let svg = matrix("confusion", ["class", "taken for"], &names, &[vec![7, 3], vec![0, 5]]).unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts: Vec<String> = document
            .descendants()
            .filter(|node| node.has_tag_name("text"))
            .filter_map(|n| Some(n.text()?.trim().to_owned()))
            .collect();
        for wanted in ["7", "3", "5", "cat", "<dog> & a very lo…", "taken for"] {
            assert!(texts.iter().any(|text| text == wanted), "{wanted}: {texts:?}");
        }
        assert!(!texts.iter().any(|text| text == "0"));
        let many: Vec<String> = (0..300).map(|class| class.to_string()).collect();
        assert!(matrix("", ["class", "taken for"], &many, &vec![vec![1; 300]; 300]).is_ok());
    }

    #[test]
    fn nothing_is_white_and_all_is_full() {
        assert_eq!((shade(0.0, false).as_str(), shade(1.0, true).as_str()), ("#ffffff", "#0072b2"));
    }
}
