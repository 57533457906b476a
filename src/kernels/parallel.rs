//! How twins use the cores: work is cut into pieces of fixed size, so that results do not depend on
//! the number of threads.

use super::rows;
use rayon::prelude::*;

/// Elements in one piece of elementwise work: small enough for the first-level cache.
pub(super) const PIECE: usize = 4096;

/// y[i] = f(x[i]).
pub(super) fn each(x: &[f32], y: &mut [f32], f: impl Fn(f32) -> f32 + Sync) {
    y.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE)).for_each(|(y, x)| {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = f(x);
        }
    });
}

/// dx[i] (+)= f(y[i], dy[i]).
pub(super) fn each_backward(
    y: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    accumulate: bool,
    f: impl Fn(f32, f32) -> f32 + Sync,
) {
    dx.par_chunks_mut(PIECE).zip(y.par_chunks(PIECE)).zip(dy.par_chunks(PIECE)).for_each(|((dx, y), dy)| {
        let values = dx.iter_mut().zip(y).zip(dy);
        if accumulate {
            values.for_each(|((dx, &y), &dy)| *dx += f(y, dy));
        } else {
            values.for_each(|((dx, &y), &dy)| *dx = f(y, dy));
        }
    });
}

/// The elements of a buffer from `offset` on.
pub(super) fn range(offset: u32, count: usize) -> std::ops::Range<usize> {
    offset as usize..offset as usize + count
}

/// `to (+)= value`, for references.
pub(super) fn put(to: &mut f32, value: f64, accumulate: u32) {
    *to = if accumulate != 0 { (f64::from(*to) + value) as f32 } else { value as f32 };
}

/// `to[i] (+)= from[i] + bias`.
#[inline]
pub(super) fn store(to: &mut [f32], from: &[f32], bias: f32, accumulate: bool) {
    if accumulate {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to += from + bias);
    } else if bias == 0.0 {
        rows::copy(to, from);
    } else {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = from + bias);
    }
}

/// Cuts `values` into units of `unit` elements and these into blocks of `block`; the last of each may
/// be shorter. Gives the number of the unit, where in it the block begins, and the block.
pub(super) fn blocks(values: &mut [f32], unit: usize, block: usize) -> Vec<(usize, usize, &mut [f32])> {
    let units = values.chunks_mut(unit.max(1)).enumerate();
    units
        .flat_map(|(number, unit)| {
            unit.chunks_mut(block.max(1)).enumerate().map(move |(at, part)| (number, at * block, part))
        })
        .collect()
}

/// Most floats that [`sum_pieces`] allocates.
const PARTIAL_FLOATS: usize = 1 << 22;

/// `to (+)= Σ` of what `add(unit, sum)` adds for each of `units`. Units are shared out to a number of
/// partial sums that depends on the sizes alone; those are added in order.
pub(super) fn sum_pieces(to: &mut [f32], accumulate: bool, units: usize, add: impl Fn(usize, &mut [f32]) + Sync) {
    if to.is_empty() {
        return;
    }
    let length = to.len();
    let most = (PARTIAL_FLOATS / length).clamp(2, 32);
    let each = units.div_ceil(most).max(1);
    let pieces = units.div_ceil(each);
    let mut partial = vec![0.0; pieces * length];
    partial.par_chunks_mut(length).enumerate().for_each(|(piece, sum)| {
        (piece * each..units.min((piece + 1) * each)).for_each(|unit| add(unit, sum));
    });
    to.par_chunks_mut(PIECE).enumerate().for_each(|(at, to)| {
        if !accumulate {
            to.fill(0.0);
        }
        for partial in partial.chunks_exact(length) {
            to.iter_mut().zip(&partial[at * PIECE..]).for_each(|(to, &value)| *to += value);
        }
    });
}
