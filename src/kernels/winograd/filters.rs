//! Filters, and their gradients, between the forms of the two directions: six values down the columns for each of three taps along the
//! rows, as the kernels exchange them, and the 36 panels of both.

use super::panels::PANELS;
use super::params::{FilterParams, Params};
use super::transform::{self, TAPS, VALUES, Vector, column, every};
use crate::kernels::cpu::parallel;
use crate::kernels::cpu::scratch::{Lent, lend};
use crate::kernels::cpu::vector::{LANES, vectorised};
use rayon::prelude::*;

vectorised! {
    /// u = G w, of filters or of filters turned round.
    fn transform_filters(p: &FilterParams, w: &[f32], u: &mut [f32]) = transform_filters_body
}

#[inline(always)]
fn transform_filters_body<const FUSED: bool>(p: &FilterParams, w: &[f32], u: &mut [f32]) {
    let (outputs, inputs, columns) = (p.outputs as usize, p.inputs as usize, p.columns());
    let turned = p.turned != 0;
    // Rows and columns of the matrix of filters that is written, and the distance of neighbours where it is read.
    let (rows, row, width, next) = match turned {
        false => (inputs, TAPS * TAPS, outputs, inputs * TAPS * TAPS),
        true => (outputs, inputs * TAPS * TAPS, inputs, TAPS * TAPS),
    };
    for at in 0..rows {
        for first in (0..width).step_by(LANES) {
            let here = LANES.min(width - first);
            let mut taps = [Vector::ZERO; TAPS * TAPS];
            for lane in 0..here {
                let w = &w[at * row + (first + lane) * next..][..TAPS * TAPS];
                for (k, taps) in taps.iter_mut().enumerate() {
                    taps.0[lane] = w[k];
                }
            }
            if turned {
                taps.reverse();
            }
            for s in 0..TAPS {
                let values = transform::filter([taps[s], taps[TAPS + s], taps[2 * TAPS + s]]);
                for (v, value) in values.into_iter().enumerate() {
                    value.put(&mut u[v * columns + (s * rows + at) * width + first..][..here]);
                }
            }
        }
    }
}

/// u Gᵀ: panels of [input, output], rows of `room` values, a multiple of [`LANES`].
pub(super) fn both_ways(p: &Params, u: &[f32], room: usize) -> Lent {
    let (outputs, depth) = (p.outputs as usize, p.inputs as usize);
    let mut panels = lend(PANELS * depth * room);
    let least = parallel::least(panels.len());
    let six = panels.par_chunks_mut(VALUES * depth * room).zip(u.par_chunks(TAPS * depth * outputs));
    six.with_min_len(least).for_each(|(to, u)| along_rows(u, [depth, outputs, room], to));
    panels
}

vectorised! {
    /// From u[s, input, output], to[e, input, room].
    fn along_rows(u: &[f32], size: [usize; 3], to: &mut [f32]) = along_rows_body
}

#[inline(always)]
fn along_rows_body<const FUSED: bool>(u: &[f32], [depth, outputs, room]: [usize; 3], to: &mut [f32]) {
    for input in 0..depth {
        for output in (0..outputs).step_by(LANES) {
            let here = LANES.min(outputs - output);
            let mut taps = [Vector::ZERO; TAPS];
            for (s, taps) in taps.iter_mut().enumerate() {
                *taps = Vector::of(&u[(s * depth + input) * outputs + output..][..here]);
            }
            for (e, value) in transform::filter(taps).into_iter().enumerate() {
                value.put(&mut to[(e * depth + input) * room + output..][..LANES]);
            }
        }
    }
}

vectorised! {
    /// Adds to (or, without `accumulate`, sets) dw[input, 3, 3] of one output: Gᵀ c G of panels `pitch` apart, from `at` on.
    fn weight_gradient(c: &[f32], at: usize, pitch: usize, accumulate: bool, dw: &mut [f32]) = weight_gradient_body
}

#[inline(always)]
fn weight_gradient_body<const FUSED: bool>(c: &[f32], at: usize, pitch: usize, accumulate: bool, dw: &mut [f32]) {
    for (block, dw) in dw.chunks_mut(LANES * TAPS * TAPS).enumerate() {
        let c = &c[at + block * LANES..];
        let mut rows = [[Vector::ZERO; TAPS]; VALUES];
        for (v, row) in rows.iter_mut().enumerate() {
            *row = transform::taps(every(&c[v * VALUES * pitch..], pitch));
        }
        for s in 0..TAPS {
            for (r, values) in transform::taps(column(&rows, s)).into_iter().enumerate() {
                for (dw, value) in dw.as_chunks_mut::<{ TAPS * TAPS }>().0.iter_mut().zip(values.0) {
                    let dw = &mut dw[r * TAPS + s];
                    *dw = if accumulate { *dw + value } else { value };
                }
            }
        }
    }
}
