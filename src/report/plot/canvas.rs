//! What all plots share: the sheet, type, tick marks.

use crate::export::markup::printable;
use crate::report::DrawError;
use crate::report::palette::{FONT, INK, PAPER, escape};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The backend rounds to whole units: we draw on a sheet so much larger and let the viewer scale it.
const SCALE: f64 = 10.0;

pub(super) type Sheet<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Pixels as the backend's units.
pub(super) fn px(pixels: f64) -> i32 {
    (pixels * SCALE).round() as i32
}

pub(super) fn color(hex: &str) -> RGBColor {
    let part = |at: usize| hex.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0);
    RGBColor(part(1), part(3), part(5))
}

/// A text style; `size` in pixels.
pub(super) fn style(size: f64, hex: &str) -> TextStyle<'static> {
    // The backend divides sizes by 1.24.
    let font = (FONT, size * SCALE * 1.24).into_font();
    TextStyle { color: color(hex).to_backend_color(), ..TextStyle::from(font) }
}

/// A line; `width` in pixels.
pub(super) fn stroke(hex: &str, width: f64) -> ShapeStyle {
    ShapeStyle { color: color(hex).to_rgba(), filled: false, stroke_width: px(width).unsigned_abs() }
}

pub(super) fn failed(error: impl std::fmt::Display) -> DrawError {
    DrawError::Plot { reason: error.to_string() }
}

/// Writes `text` at a point in the backend's units.
pub(super) fn write(
    sheet: &Sheet,
    text: &str,
    at: (i32, i32),
    (h, v): (HPos, VPos),
    text_style: TextStyle,
) -> Result<(), DrawError> {
    let text: String = text.chars().map(printable).collect();
    sheet.draw(&Text::new(text, at, text_style.pos(Pos::new(h, v)))).map_err(failed)
}

/// A sheet of so many pixels with a heading, and on it whatever `draw` draws; the space above is for the heading.
pub(super) fn sheet(
    [width, height]: [f64; 2],
    title: &str,
    draw: impl FnOnce(&Sheet) -> Result<(), DrawError>,
) -> Result<String, DrawError> {
    let mut body = String::new();
    let size = (px(width).unsigned_abs(), px(height).unsigned_abs());
    {
        let root = SVGBackend::with_string(&mut body, size).into_drawing_area();
        root.fill(&color(PAPER)).map_err(failed)?;
        if !title.is_empty() {
            let mut bold = style(17.0, INK);
            bold.font = bold.font.style(FontStyle::Bold);
            write(&root, title, (px(width / 2.0), px(14.0)), (HPos::Center, VPos::Top), bold)?;
        }
        draw(&root)?;
        root.present().map_err(failed)?;
    }
    // The backend's first tag says the size in its own units.
    let Some((_, rest)) = body.split_once('>') else {
        return Err(failed("the drawing is empty"));
    };
    let name = escape(if title.is_empty() { "plot" } else { title });
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" role=\"img\" stroke-linejoin=\"round\" stroke-linecap=\"round\">\n<title>{name}</title>{rest}",
        size.0, size.1
    ))
}

/// Whether a value can be drawn.
pub(super) fn drawable(value: f64) -> bool {
    value.is_finite() && value.abs() <= 1e30
}

/// The span of the values that can be drawn, with some air around it; 0 to 1 where there are none.
pub(super) fn range(values: impl Iterator<Item = f64>, air: f64) -> (f64, f64) {
    let bounds = values.filter(|&v| drawable(v)).fold(None, |bounds, v| match bounds {
        None => Some((v, v)),
        Some((low, high)) => Some((f64::min(low, v), f64::max(high, v))),
    });
    let Some((low, high)) = bounds else { return (0.0, 1.0) };
    // A span too small against the values themselves has no tick marks in between.
    let least = (low.abs().max(high.abs()) * 1e-6).max(1e-9);
    if high - low < least {
        let half = if low == 0.0 { 0.5 } else { low.abs() * 0.05 }.max(least);
        return (low - half, high + half);
    }
    (low - (high - low) * air, high + (high - low) * air)
}

/// A tick's label with as many decimals as the span needs.
pub(super) fn tick(value: f64, span: f64) -> String {
    if value != 0.0 && !(1e-4..1e6).contains(&value.abs().max(span)) {
        return format!("{value:.1e}");
    }
    let decimals = (1.0 - span.log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.decimals$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if short == "-0" { "0".into() } else { short.replace('-', "−") }
}
