//! Columns of four pixels, cut into panels: neighbours are transformed together, as vectors.

use super::Params;
use super::transform::{self, ROWS, TAPS, VALUES, Vector};
use crate::kernels::cpu::vector::{LANES, vectorised};

/// Neighbouring columns of one tile of rows of one image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strip {
    /// First column in the panel.
    pub at: usize,
    pub image: usize,
    /// The first of the tile's rows.
    pub y: usize,
    pub x: usize,
    pub length: usize,
}

/// Those of the columns from `first` on of a panel of `width`; there are `columns` in all.
pub(super) fn strips(p: &Params, first: usize, width: usize, columns: usize) -> Vec<Strip> {
    let (end, row) = (columns.min(first + width), p.width as usize);
    let mut strips = Vec::with_capacity((end - first) / row + 2);
    let mut column = first;
    while column < end {
        let (image, place) = (column / p.columns(), column % p.columns());
        let (tile, x) = (place / row, place % row);
        let length = (row - x).min(end - column);
        strips.push(Strip { at: column - first, image, y: tile * ROWS, x, length });
        column += length;
    }
    strips
}

/// What a panel is made of, and where it lies.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a> {
    pub p: &'a Params,
    pub strips: &'a [Strip],
    /// Columns of a panel.
    pub width: usize,
    /// Distance between the panels of two values of the transform.
    pub pitch: usize,
}

impl Panels<'_> {
    /// Columns that there are.
    #[inline(always)]
    fn filled(&self) -> usize {
        self.strips.last().map_or(0, |strip| strip.at + strip.length)
    }

    /// The part of a row of an image that some columns and their neighbours lie in, if there is such a row.
    #[inline(always)]
    fn row<'x>(&self, plane: &'x [f32], y: i64, columns: std::ops::Range<usize>) -> &'x [f32] {
        match (0..i64::from(self.p.height)).contains(&y) {
            true => &plane[y as usize * self.p.width as usize..][columns],
            false => &[],
        }
    }
}

vectorised! {
    /// Fills the panels with Bᵀ x of `count` channels from `first` on, three rows of each: of the columns to the left, of the columns
    /// themselves, of those to the right.
    fn gather_inputs(panels: Panels<'_>, x: &[f32], first: usize, count: usize, to: &mut [f32]) = gather_inputs_body
}

#[inline(always)]
fn gather_inputs_body<const FUSED: bool>(panels: Panels<'_>, x: &[f32], first: usize, count: usize, to: &mut [f32]) {
    let Panels { p, strips, width, pitch } = panels;
    let (row, pixels, filled) = (p.width as usize, p.pixels(), panels.filled());
    for channel in 0..count {
        if filled < width {
            for at in (0..VALUES).flat_map(|v| (0..TAPS).map(move |s| v * pitch + (channel * TAPS + s) * width)) {
                to[at + filled..at + width].fill(0.0);
            }
        }
        for strip in strips {
            let plane = &x[(strip.image * p.inputs as usize + first + channel) * pixels..][..pixels];
            // Of a column beside the strip, too, on either side where there is one.
            let (begin, end) = (strip.x.saturating_sub(1), row.min(strip.x + strip.length + 1));
            let rows: [&[f32]; VALUES] =
                std::array::from_fn(|d| panels.row(plane, (strip.y + d) as i64 - 1, begin..end));
            for from in (0..end - begin).step_by(LANES) {
                let values = transform::input(rows.map(|row| Vector::of(row.get(from..).unwrap_or(&[]))));
                let here = LANES.min(end - begin - from);
                for (v, values) in values.into_iter().enumerate() {
                    // The column x + s − 1 of the image is that of x in the row of tap s.
                    for s in 0..TAPS {
                        let column = (begin + from + 1) as i64 - s as i64 - strip.x as i64;
                        let cut = (-column).max(0) as usize;
                        let last = (strip.length as i64 - column).clamp(0, here as i64) as usize;
                        if cut < last {
                            let at = v * pitch + (channel * TAPS + s) * width + strip.at;
                            let to = &mut to[at + (column + cut as i64) as usize..][..last - cut];
                            if cut == 0 {
                                values.put(to);
                            } else {
                                to.copy_from_slice(&values.0[cut..last]);
                            }
                        }
                    }
                }
            }
            // Beside the image there are zeros.
            for v in 0..VALUES {
                if strip.x == 0 {
                    to[v * pitch + channel * TAPS * width + strip.at] = 0.0;
                }
                if strip.x + strip.length == row {
                    to[v * pitch + (channel * TAPS + 2) * width + strip.at + strip.length - 1] = 0.0;
                }
            }
        }
    }
}

/// Where results go, and what is added to them.
#[derive(Clone, Copy)]
pub(super) struct Results<'a> {
    /// Outputs that y has of each image.
    pub outputs: usize,
    /// One for each of them, or none.
    pub bias: &'a [f32],
}

vectorised! {
    /// y (+)= Aᵀ m + bias for the first outputs of the panels.
    fn scatter_results(panels: Panels<'_>, m: &[f32], results: Results<'_>, y: &mut [f32]) = scatter_results_body
}

#[inline(always)]
fn scatter_results_body<const FUSED: bool>(panels: Panels<'_>, m: &[f32], results: Results<'_>, y: &mut [f32]) {
    let Panels { p, strips, width, pitch } = panels;
    let (row, pixels) = (p.width as usize, p.pixels());
    for output in 0..results.outputs {
        let bias = Vector([results.bias.get(output).copied().unwrap_or(0.0); LANES]);
        for strip in strips {
            let plane = &mut y[(strip.image * results.outputs + output) * pixels..][..pixels];
            for from in (0..strip.length).step_by(LANES) {
                let here = LANES.min(strip.length - from);
                let values =
                    std::array::from_fn(|v| Vector::of(&m[v * pitch + output * width + strip.at + from..][..here]));
                for (a, values) in transform::output(values).into_iter().enumerate() {
                    if strip.y + a < p.height as usize {
                        let to = &mut plane[(strip.y + a) * row + strip.x + from..][..here];
                        let values = values + bias;
                        if p.accumulate != 0 { (Vector::of(to) + values).put(to) } else { values.put(to) }
                    }
                }
            }
        }
    }
}
