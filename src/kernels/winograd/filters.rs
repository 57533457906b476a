//! Filters, and their gradients, between the forms of the two directions: six values down the columns for each of three taps along the
//! rows, as the kernels exchange them, and the 36 panels of both; of larger windows the panels of each block of taps.

use super::panels::PANELS;
use super::params::{FilterParams, Params};
use super::transform::{self, TAPS, VALUES, Vector, column, every};
use crate::kernels::cpu::parallel;
use crate::kernels::cpu::scratch::{Lent, lend, zeros};
use crate::kernels::cpu::transpose::transposed;
use crate::kernels::cpu::vector::{LANES, vectorised};
use rayon::prelude::*;

/// Rows of filters that are transformed in one piece of work.
const PIECE: usize = 8;

/// u = G w, of filters or of filters turned round.
pub(super) fn transform_filters(p: &FilterParams, w: &[f32], u: &mut [f32]) {
    let (outputs, inputs) = (p.outputs as usize, p.inputs as usize);
    // Rows and columns of the matrix of filters that is written, and the distance of neighbours where it is read.
    let (rows, row, width, next) = match p.turned != 0 {
        false => (inputs, TAPS * TAPS, outputs, inputs * TAPS * TAPS),
        true => (outputs, inputs * TAPS * TAPS, inputs, TAPS * TAPS),
    };
    if u.is_empty() {
        return;
    }
    // Some rows of all matrices u[v, s] each.
    let mut pieces: Vec<Vec<&mut [f32]>> = Vec::new();
    pieces.resize_with(rows.div_ceil(PIECE), || Vec::with_capacity(VALUES * TAPS));
    for matrix in u.chunks_exact_mut(rows * width) {
        pieces.iter_mut().zip(matrix.chunks_mut(PIECE * width)).for_each(|(piece, rows)| piece.push(rows));
    }
    let least = parallel::least(4 * w.len());
    pieces.into_par_iter().enumerate().with_min_len(least).for_each(|(piece, mut u)| {
        transform_rows(&w[piece * PIECE * row..], [row, next], width, p.turned != 0, &mut u);
    });
}

vectorised! {
    /// Some rows: u[v, s][row, column], of filters whose rows and columns are so far apart.
    fn transform_rows(w: &[f32], apart: [usize; 2], width: usize, turned: bool, u: &mut [&mut [f32]]) = transform_rows_body
}

#[inline(always)]
fn transform_rows_body<const FUSED: bool>(
    w: &[f32],
    [row, next]: [usize; 2],
    width: usize,
    turned: bool,
    u: &mut [&mut [f32]],
) {
    for at in 0..u[0].len() / width {
        for first in (0..width).step_by(LANES) {
            let here = LANES.min(width - first);
            let mut filters = [[0.0; LANES]; LANES];
            for (lane, filter) in filters.iter_mut().enumerate().take(here) {
                let w = &w[at * row + (first + lane) * next..];
                match w.first_chunk() {
                    // A filter and what lies behind it.
                    Some(all) => *filter = *all,
                    None => filter[..TAPS * TAPS].copy_from_slice(&w[..TAPS * TAPS]),
                }
            }
            let filters = transposed(&filters);
            for s in 0..TAPS {
                let mut taps = [Vector::ZERO; TAPS];
                for (r, tap) in taps.iter_mut().enumerate() {
                    let k = r * TAPS + s;
                    *tap = Vector(filters[if turned { TAPS * TAPS - 1 - k } else { k }]);
                }
                for (v, value) in transform::filter(taps).into_iter().enumerate() {
                    value.put(&mut u[v * TAPS + s][at * width + first..][..here]);
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

/// Of windows of `taps`×`taps`: G w Gᵀ of each block of 3×3 taps, zeros behind the last. `w` is [outputs, inputs, taps, taps], or
/// turned round [inputs, outputs, taps, taps]. Gives panels of [input, output] for each block, rows of `room` values, a multiple
/// of [`LANES`].
pub(super) fn panels_of(p: &Params, taps: usize, w: &[f32], turned: bool, room: usize) -> Lent {
    let (depth, outputs, blocks) = (p.inputs as usize, p.outputs as usize, taps.div_ceil(TAPS));
    let size = taps * taps;
    // Rows of outputs, tap by tap: vectors of them are read again and again.
    let mut rows = zeros(depth * size * room);
    let [from_input, from_output] = if turned { [outputs * size, size] } else { [size, depth * size] };
    rows.par_chunks_mut(size * room).enumerate().with_min_len(parallel::least(w.len())).for_each(|(input, rows)| {
        for output in 0..outputs {
            let w = &w[input * from_input + output * from_output..][..size];
            for (k, &tap) in w.iter().enumerate() {
                rows[if turned { size - 1 - k } else { k } * room + output] = tap;
            }
        }
    });
    let mut panels = lend(blocks * blocks * PANELS * depth * room);
    let least = parallel::least(panels.len());
    panels.par_chunks_mut(VALUES * depth * room).enumerate().with_min_len(least).for_each(|(unit, to)| {
        let (block, v) = (unit / VALUES, unit % VALUES);
        row_of_panels(&rows, taps, [block / blocks, block % blocks], v, [depth, room], to);
    });
    panels
}

vectorised! {
    /// Of one block, the panels of value v of the columns: to[e, input, room].
    fn row_of_panels(rows: &[f32], taps: usize, block: [usize; 2], v: usize, size: [usize; 2], to: &mut [f32])
        = row_of_panels_body
}

#[inline(always)]
fn row_of_panels_body<const FUSED: bool>(
    rows: &[f32],
    taps: usize,
    block: [usize; 2],
    v: usize,
    [depth, room]: [usize; 2],
    to: &mut [f32],
) {
    let [down, right] = block.map(|block| block * TAPS);
    for input in 0..depth {
        for output in (0..room).step_by(LANES) {
            let mut row = [Vector::ZERO; TAPS];
            for (s, value) in row.iter_mut().enumerate().take(taps - right) {
                let mut column = [Vector::ZERO; TAPS];
                for (r, tap) in column.iter_mut().enumerate().take(taps - down) {
                    let k = (down + r) * taps + right + s;
                    *tap = Vector::of(&rows[(input * taps * taps + k) * room + output..][..LANES]);
                }
                *value = transform::filter(column)[v];
            }
            for (e, value) in transform::filter(row).into_iter().enumerate() {
                value.put(&mut to[(e * depth + input) * room + output..][..LANES]);
            }
        }
    }
}

vectorised! {
    /// Adds to (or, without `accumulate`, sets) a block of the taps of dw[input, taps, taps] of one output: Gᵀ c G of panels `pitch`
    /// apart, from `at` on.
    fn gradient_of_block(
        c: &[f32],
        at: usize,
        pitch: usize,
        taps: usize,
        block: [usize; 2],
        accumulate: bool,
        dw: &mut [f32],
    ) = gradient_of_block_body
}

#[inline(always)]
fn gradient_of_block_body<const FUSED: bool>(
    c: &[f32],
    at: usize,
    pitch: usize,
    taps: usize,
    block: [usize; 2],
    accumulate: bool,
    dw: &mut [f32],
) {
    let [down, right] = block.map(|block| block * TAPS);
    for (some, dw) in dw.chunks_mut(LANES * taps * taps).enumerate() {
        let c = &c[at + some * LANES..];
        let mut rows = [[Vector::ZERO; TAPS]; VALUES];
        for (v, row) in rows.iter_mut().enumerate() {
            *row = transform::taps(every(&c[v * VALUES * pitch..], pitch));
        }
        for s in 0..TAPS.min(taps - right) {
            for (r, values) in transform::taps(column(&rows, s)).into_iter().enumerate().take(taps - down) {
                let k = (down + r) * taps + right + s;
                for (dw, value) in dw.chunks_exact_mut(taps * taps).zip(values.0) {
                    dw[k] = if accumulate { dw[k] + value } else { value };
                }
            }
        }
    }
}
