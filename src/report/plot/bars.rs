//! Numbers side by side as bars.

use super::canvas::{color, drawable, failed, px, range, sheet, stroke, style, tick, write};
use crate::report::DrawError;
use crate::report::palette::{INK, MUTED, text_width};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// A bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it stands for.
    pub name: String,
    /// How long it is.
    pub value: f64,
    /// Standard deviation, drawn as a whisker to both sides.
    pub deviation: Option<f64>,
    /// Whether it is the one to look at.
    pub emphasis: bool,
}

/// Horizontal bars from 0, from top to bottom in the given order, each with its name and its value,
/// written with so many decimals. `unit` says what the values are, e.g. `test accuracy (%)`.
///
/// A value that cannot be drawn is written, without a bar.
///
/// # Errors
/// [`DrawError::Plot`] if the drawing backend fails.
pub fn bars(title: &str, unit: &str, bars: &[Bar], decimals: usize) -> Result<String, DrawError> {
    let (row, top) = (34.0, if title.is_empty() { 12.0 } else { 48.0 });
    let decimals = decimals.min(12);
    let said: Vec<String> = bars
        .iter()
        .map(|bar| match bar.deviation {
            Some(deviation) => format!("{:.decimals$} ± {deviation:.decimals$}", bar.value),
            None => format!("{:.decimals$}", bar.value),
        })
        .collect();
    let widest = |texts: &mut dyn Iterator<Item = &str>| texts.map(|t| text_width(t) * 13.0).fold(0.0, f64::max);
    let names = widest(&mut bars.iter().map(|b| b.name.as_str())) + 28.0;
    let values = widest(&mut said.iter().map(String::as_str)) + 22.0;
    let plot = 380.0;
    let height = row * bars.len().max(1) as f64;
    let reach = |bar: &Bar| {
        let deviation = bar.deviation.filter(|d| drawable(*d)).unwrap_or(0.0).abs();
        [bar.value - deviation, bar.value + deviation]
    };
    let (low, high) = range(bars.iter().filter(|b| drawable(b.value)).flat_map(reach).chain([0.0]), 0.0);
    let (low, high) = (low.min(0.0), high.max(0.0));
    let x = |value: f64| px(names + (value - low) / (high - low) * plot);
    sheet([names + plot + values, top + height + 48.0], title, |root| {
        let bottom = px(top + height);
        for step in nice_steps(low, high) {
            let line = stroke(if step == 0.0 { "#9aa5b1" } else { "#e4e7eb" }, 1.0);
            root.draw(&PathElement::new(vec![(x(step), px(top)), (x(step), bottom)], line)).map_err(failed)?;
            let at = (x(step), bottom + px(5.0));
            write(root, &tick(step, high - low), at, (HPos::Center, VPos::Top), style(11.0, MUTED))?;
        }
        write(root, unit, (px(names + plot / 2.0), bottom + px(24.0)), (HPos::Center, VPos::Top), style(12.0, MUTED))?;
        if bars.is_empty() {
            let middle = (px(names + plot / 2.0), px(top + height / 2.0));
            write(root, "no data", middle, (HPos::Center, VPos::Center), style(12.0, MUTED))?;
        }
        for (index, (bar, said)) in bars.iter().zip(&said).enumerate() {
            let middle = top + row * (index as f64 + 0.5);
            write(root, &bar.name, (px(names - 10.0), px(middle)), (HPos::Right, VPos::Center), style(13.0, INK))?;
            let mut end = x(0.0);
            if drawable(bar.value) {
                let (from, to) = (x(bar.value.min(0.0)), x(bar.value.max(0.0)));
                let corners = [(from, px(middle - 10.0)), (to, px(middle + 10.0))];
                let fill = color(if bar.emphasis { "#0072b2" } else { "#a9b8c6" }).filled();
                root.draw(&Rectangle::new(corners, fill)).map_err(failed)?;
                end = to;
                if bar.deviation.is_some_and(drawable) {
                    let [from, to] = reach(bar).map(x);
                    let whisker = |points: Vec<(i32, i32)>| {
                        root.draw(&PathElement::new(points, stroke(INK, 1.4))).map_err(failed)
                    };
                    whisker(vec![(from, px(middle)), (to, px(middle))])?;
                    for at in [from, to] {
                        whisker(vec![(at, px(middle - 4.0)), (at, px(middle + 4.0))])?;
                    }
                    end = end.max(to);
                }
            }
            write(root, said, (end.saturating_add(px(8.0)), px(middle)), (HPos::Left, VPos::Center), style(13.0, INK))?;
        }
        Ok(())
    })
}

/// Multiples of 1, 2 or 5 times a power of ten, about five between the two bounds.
pub(super) fn nice_steps(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough * 0.999).unwrap_or(rough);
    let first = (low / step).ceil();
    (0..12).map(|i| (first + f64::from(i)) * step).take_while(|s| *s <= high + step * 1e-9).map(|s| s + 0.0).collect()
}
