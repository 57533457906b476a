//! Several values of each of several things as dots on a line: with few values the dots say more than a bar does.

use super::bars::nice_steps;
use super::canvas::{color, drawable, failed, px, range, sheet, stroke, style, tick, write};
use crate::report::DrawError;
use crate::report::palette::{INK, MUTED, text_width};
use crate::report::statistics::mean;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// A line with its dots.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    /// What it stands for.
    pub name: String,
    /// Where its dots are.
    pub values: Vec<f64>,
    /// Whether it is what the others are held against: the span of its values is shaded behind all.
    pub yardstick: bool,
}

/// Lines on a common scale.
#[derive(Clone, Debug, PartialEq)]
pub struct StripPanel {
    /// Its heading.
    pub title: String,
    /// Its lines, from top to bottom.
    pub strips: Vec<Strip>,
}

const ROW: f64 = 24.0;
const PLOT: f64 = 460.0;
const HEADING: f64 = 30.0;
const AXIS: f64 = 30.0;

/// Panels one below the other, each with a scale of its own. A dot is a value, a stroke across the line their mean. `unit` says
/// what the values are, e.g. `test accuracy (%)`. Values that cannot be drawn are left out.
///
/// # Errors
/// [`DrawError::Plot`] if the drawing backend fails.
pub fn strips(title: &str, unit: &str, panels: &[StripPanel]) -> Result<String, DrawError> {
    let top = if title.is_empty() { 8.0 } else { 44.0 };
    let widths = panels.iter().flat_map(|panel| &panel.strips).map(|strip| text_width(&strip.name) * 13.0);
    let left = widths.fold(0.0, f64::max) + 28.0;
    let height = |panel: &StripPanel| HEADING + ROW * panel.strips.len().max(1) as f64 + AXIS;
    let total: f64 = panels.iter().map(height).sum();
    sheet([left + PLOT + 24.0, top + total + 28.0], title, |root| {
        let mut y = top;
        for panel in panels {
            draw(root, panel, left, y)?;
            y += height(panel);
        }
        let at = (px(left + PLOT / 2.0), px(y + 4.0));
        write(root, unit, at, (HPos::Center, VPos::Top), style(12.0, MUTED))
    })
}

fn draw(root: &super::canvas::Sheet, panel: &StripPanel, left: f64, top: f64) -> Result<(), DrawError> {
    let drawn = |strip: &Strip| strip.values.iter().copied().filter(|v| drawable(*v)).collect::<Vec<f64>>();
    let (low, high) = range(panel.strips.iter().flat_map(drawn), 0.06);
    let x = |value: f64| px(left + (value - low) / (high - low) * PLOT);
    let (first, last) = (top + HEADING, top + HEADING + ROW * panel.strips.len().max(1) as f64);
    write(root, &panel.title, (px(left), px(top + 8.0)), (HPos::Left, VPos::Top), style(13.0, INK))?;
    for strip in panel.strips.iter().filter(|strip| strip.yardstick) {
        let values = drawn(strip);
        let span = values.iter().fold(None, |span: Option<[f64; 2]>, &v| match span {
            None => Some([v, v]),
            Some([from, to]) => Some([from.min(v), to.max(v)]),
        });
        if let Some([from, to]) = span {
            let fill = color("#edf1f5").filled();
            root.draw(&Rectangle::new([(x(from), px(first)), (x(to), px(last))], fill)).map_err(failed)?;
        }
    }
    for step in nice_steps(low, high) {
        let line = stroke("#e4e7eb", 1.0);
        root.draw(&PathElement::new(vec![(x(step), px(first)), (x(step), px(last))], line)).map_err(failed)?;
        let at = (x(step), px(last + 5.0));
        write(root, &tick(step, high - low), at, (HPos::Center, VPos::Top), style(11.0, MUTED))?;
    }
    for (index, strip) in panel.strips.iter().enumerate() {
        let middle = first + ROW * (index as f64 + 0.5);
        write(root, &strip.name, (px(left - 10.0), px(middle)), (HPos::Right, VPos::Center), style(13.0, INK))?;
        let values = drawn(strip);
        if values.is_empty() {
            write(root, "no data", (px(left + 8.0), px(middle)), (HPos::Left, VPos::Center), style(11.0, MUTED))?;
        }
        let hex = if strip.yardstick { "#8796a5" } else { "#0072b2" };
        for &value in &values {
            let dot = Circle::new((x(value), px(middle)), px(3.5), color(hex).mix(0.75).filled());
            root.draw(&dot).map_err(failed)?;
        }
        if let Some(mean) = mean(&values) {
            let ends = vec![(x(mean), px(middle - 8.0)), (x(mean), px(middle + 8.0))];
            root.draw(&PathElement::new(ends, stroke(INK, 2.0))).map_err(failed)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_that_can_be_drawn_is_a_dot() {
        let strip =
            |name: &str, values: &[f64], yardstick| Strip { name: name.into(), values: values.to_vec(), yardstick };
        let strips_of = |values: &[f64]| vec![strip("a & b", values, false), strip("random", &[90.0, 91.0], true)];
        let panel = |values: &[f64]| StripPanel { title: "space".into(), strips: strips_of(values) };
        let svg = strips("suite", "accuracy", &[panel(&[92.0, f64::NAN, 93.0]), panel(&[])]).unwrap();
        roxmltree::Document::parse(&svg).unwrap();
        assert_eq!(svg.matches("<circle").count(), 2 + 2 + 2);
        assert!(svg.contains("no data") && svg.contains("a &amp; b"));
        roxmltree::Document::parse(&strips("", "", &[]).unwrap()).unwrap();
    }
}
