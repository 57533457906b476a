//! Lines over epochs.

use super::canvas::{Sheet, color, drawable, failed, px, range, sheet, stroke, style, tick, write};
use crate::report::DrawError;
use crate::report::layout::spread;
use crate::report::palette::{INK, MUTED, SERIES, text_width};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// A named line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// Where it goes: x, e.g. the epoch, and y.
    pub points: Vec<(f64, f64)>,
    /// Its colour as `#rrggbb`; `None` takes the next of the palette.
    pub color: Option<String>,
}

impl Series {
    /// A line through one value for each epoch, from epoch 0.
    pub fn by_epoch(name: impl Into<String>, values: &[f64]) -> Self {
        let points = values.iter().enumerate().map(|(epoch, &value)| (epoch as f64, value)).collect();
        Self { name: name.into(), points, color: None }
    }

    pub(super) fn hex(&self, index: usize) -> &str {
        self.color.as_deref().unwrap_or(SERIES[index % SERIES.len()])
    }
}

/// One system of axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// Heading; says what y is and its unit.
    pub title: String,
    /// What x is.
    pub x_label: String,
    /// The lines.
    pub series: Vec<Series>,
    /// Lowest and highest y to show; `None` fits the data.
    pub y_range: Option<(f64, f64)>,
}

/// Where lines are named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Beside their ends.
    AtEnds,
    /// Once for all panels, above them, as the first panel's series say.
    Above,
}

/// Accuracy beside loss, by epoch. Either may be empty.
///
/// # Errors
/// [`DrawError::Plot`] if the drawing backend fails.
pub fn training_curves(title: &str, accuracy: &[Series], loss: &[Series]) -> Result<String, DrawError> {
    let panel = |title: &str, series: &[Series]| Panel {
        title: title.into(),
        x_label: "epoch".into(),
        series: series.to_vec(),
        y_range: None,
    };
    lines(title, &[panel("accuracy (%)", accuracy), panel("loss", loss)], 2)
}

/// Panels in rows of `columns`, each line named where it ends.
///
/// # Errors
/// [`DrawError::Plot`] if the drawing backend fails.
pub fn lines(title: &str, panels: &[Panel], columns: usize) -> Result<String, DrawError> {
    grid(title, panels, columns, [460.0, 300.0], Names::AtEnds)
}

/// Panels of a given size in pixels, in rows.
pub(super) fn grid(
    title: &str,
    panels: &[Panel],
    columns: usize,
    [width, height]: [f64; 2],
    names: Names,
) -> Result<String, DrawError> {
    let columns = columns.clamp(1, panels.len().max(1));
    let rows = panels.len().max(1).div_ceil(columns);
    let total = width * columns as f64;
    let (legend, legend_height) = match (names, panels.first()) {
        (Names::Above, Some(first)) => legend(&first.series, total),
        _ => (Vec::new(), 0.0),
    };
    let top = if title.is_empty() { 8.0 } else { 44.0 } + legend_height;
    sheet([total, top + height * rows as f64], title, |root| {
        for (index, [x, y]) in legend.iter().enumerate() {
            let series = &panels[0].series[index];
            let y = top - legend_height + y + 9.0;
            let swatch = vec![(px(*x), px(y)), (px(x + 18.0), px(y))];
            root.draw(&PathElement::new(swatch, stroke(series.hex(index), 3.0))).map_err(failed)?;
            write(root, &series.name, (px(x + 24.0), px(y)), (HPos::Left, VPos::Center), style(12.0, INK))?;
        }
        for (index, panel) in panels.iter().enumerate() {
            let corner = [width * (index % columns) as f64, top + height * (index / columns) as f64];
            draw(root, panel, corner, [width, height], names)?;
        }
        Ok(())
    })
}

/// Where each name of a legend goes, in rows no wider than `width`, and the height of all.
fn legend(series: &[Series], width: f64) -> (Vec<[f64; 2]>, f64) {
    let (mut x, mut y) = (20.0, 0.0);
    let places = series
        .iter()
        .map(|s| {
            let needs = 24.0 + text_width(&s.name) * 12.0 + 22.0;
            if x > 20.0 && x + needs > width {
                (x, y) = (20.0, y + 20.0);
            }
            let place = [x, y];
            x += needs;
            place
        })
        .collect();
    (places, if series.is_empty() { 0.0 } else { y + 26.0 })
}

fn draw(
    root: &Sheet,
    panel: &Panel,
    [left, top]: [f64; 2],
    [width, height]: [f64; 2],
    names: Names,
) -> Result<(), DrawError> {
    let small = width < 300.0;
    let type_size = if small { 10.0 } else { 12.0 };
    let points = || panel.series.iter().flat_map(|s| &s.points).filter(|p| drawable(p.0) && drawable(p.1));
    let (x0, x1) = range(points().map(|p| p.0), 0.0);
    let fitted = range(points().map(|p| p.1), 0.06);
    let (y0, y1) = panel.y_range.filter(|r| drawable(r.0) && drawable(r.1) && r.0 < r.1).unwrap_or(fitted);
    let widest = panel.series.iter().map(|s| text_width(&s.name) * 12.0).fold(0.0, f64::max);
    let right = match names {
        Names::AtEnds => (widest + 34.0).clamp(16.0, width * 0.4),
        Names::Above => 14.0,
    };
    write(
        root,
        &panel.title,
        (px(left + if small { 40.0 } else { 16.0 }), px(top + 8.0)),
        (HPos::Left, VPos::Top),
        style(type_size + 1.0, INK),
    )?;
    let below = if panel.x_label.is_empty() { 6.0 } else { type_size + 10.0 };
    let (w, h) = root.dim_in_pixel();
    let area = root.margin(px(top), h as i32 - px(top + height), px(left), w as i32 - px(left + width));
    let mut chart = ChartBuilder::on(&area)
        .margin_top(px(type_size + 20.0))
        .margin_right(px(right))
        .margin_left(px(4.0))
        .margin_bottom(px(below))
        .x_label_area_size(px(20.0))
        .y_label_area_size(px(if small { 34.0 } else { 48.0 }))
        .build_cartesian_2d(x0..x1, y0..y1)
        .map_err(failed)?;
    let ticks = ((x1 - x0).ceil() as usize + 1).clamp(2, if small { 4 } else { 8 });
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(stroke("#e4e7eb", 1.0))
        .axis_style(stroke("#9aa5b1", 1.0))
        .set_all_tick_mark_size(px(4.0))
        .x_labels(ticks)
        .y_labels(if small { 4 } else { 6 })
        .label_style(style(type_size - 1.0, MUTED))
        .x_label_formatter(&|x| tick(*x, x1 - x0))
        .y_label_formatter(&|y| tick(*y, y1 - y0))
        .draw()
        .map_err(failed)?;
    let (xs, ys) = chart.plotting_area().get_pixel_range();
    if !panel.x_label.is_empty() {
        let at = ((xs.start + xs.end) / 2, px(top + height - below + 2.0));
        write(root, &panel.x_label, at, (HPos::Center, VPos::Top), style(type_size, MUTED))?;
    }
    if points().next().is_none() {
        let middle = ((xs.start + xs.end) / 2, (ys.start + ys.end) / 2);
        return write(root, "no data", middle, (HPos::Center, VPos::Center), style(type_size, MUTED));
    }
    for (index, series) in panel.series.iter().enumerate() {
        let line = stroke(series.hex(index), if small { 1.4 } else { 2.0 });
        for run in series.points.split(|p| !drawable(p.0) || !drawable(p.1)) {
            match run {
                [] => {}
                [only] => {
                    let dot = Circle::new(*only, px(3.0), color(series.hex(index)).filled());
                    chart.draw_series(std::iter::once(dot)).map_err(failed)?;
                }
                run => {
                    chart.draw_series(std::iter::once(PathElement::new(run.to_vec(), line))).map_err(failed)?;
                }
            }
        }
    }
    if names == Names::Above {
        return Ok(());
    }
    // Names beside the ends of lines, moved apart where they would lie on one another.
    let mut ends: Vec<(usize, (i32, i32))> = panel
        .series
        .iter()
        .enumerate()
        .filter_map(|(index, series)| {
            let last = series.points.iter().rev().find(|p| drawable(p.0) && drawable(p.1))?;
            Some((index, chart.backend_coord(last)))
        })
        .collect();
    ends.sort_by_key(|&(index, (_, y))| (y, index));
    let wanted: Vec<(f64, f64)> = ends.iter().map(|&(_, (_, y))| (f64::from(y), 1.0)).collect();
    let offsets: Vec<f64> = (0..ends.len()).map(|i| f64::from(px(15.0)) * i as f64).collect();
    for (&(index, (x, y)), place) in ends.iter().zip(spread(&wanted, &offsets)) {
        let series = &panel.series[index];
        let place = place.round() as i32;
        // A line that ends early must not look as if it went on.
        let paleness = if x + px(3.0) < xs.end { 0.3 } else { 0.9 };
        let line = stroke(series.hex(index), 1.0);
        let leader = vec![(x + px(3.0), y), (xs.end + px(10.0), place)];
        let pale = ShapeStyle { color: line.color.mix(paleness), ..line };
        root.draw(&PathElement::new(leader, pale)).map_err(failed)?;
        let swatch = vec![(xs.end + px(10.0), place), (xs.end + px(18.0), place)];
        root.draw(&PathElement::new(swatch, stroke(series.hex(index), 3.0))).map_err(failed)?;
        let at = (xs.end + px(23.0), place);
        write(root, &series.name, at, (HPos::Left, VPos::Center), style(12.0, INK))?;
    }
    Ok(())
}
