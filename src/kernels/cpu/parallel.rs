//! How twins use the cores: work is cut into pieces of fixed size, so that results do not depend on
//! the number of threads.
//!
//! Used by nearly all twins; [`sum_pieces`] by the gradients of the weights of convolutions.

use super::scratch::zeros;
use rayon::prelude::*;

/// Elements in one piece of elementwise work: small enough for the first-level cache.
pub(in crate::kernels) const PIECE: usize = 4096;

/// Elements in one piece of work over planes: enough to be worth a thread's while.
pub(in crate::kernels) const LONG_PIECE: usize = 16_384;

/// Elements of work (read, written, or multiplied once) below which the calling thread does it all: handing some to
/// another costs more than it gains. It decides who does the work, never what comes out.
const ALONE: usize = 4 * PIECE;

/// Whether the calling thread does so much work by itself.
pub(in crate::kernels) fn alone(work: usize) -> bool {
    work <= ALONE
}

/// The fewest pieces that a thread takes (for `with_min_len`): all of them where there is so little work.
pub(in crate::kernels) fn least(work: usize) -> usize {
    if alone(work) { usize::MAX } else { 1 }
}

/// As [`least`], for the sums of products of vectors held in registers.
pub(in crate::kernels) fn products(flops: u64) -> usize {
    least(usize::try_from(flops / 8).unwrap_or(usize::MAX))
}

/// Calls `f(first, piece)` for each piece of y, `first` being the piece's place in y.
pub(in crate::kernels) fn pieces<T: Send>(y: &mut [T], f: impl Fn(usize, &mut [T]) + Sync) {
    pieces_of(PIECE, y.len(), y, f);
}

/// As [`pieces`], with pieces of `size` elements. `work` is about how many elements all pieces together
/// read or write: it decides whether other threads are worth waking.
pub(in crate::kernels) fn pieces_of<T: Send>(
    size: usize,
    work: usize,
    y: &mut [T],
    f: impl Fn(usize, &mut [T]) + Sync,
) {
    if alone(work) || y.len() <= size {
        y.chunks_mut(size).enumerate().for_each(|(i, y)| f(i * size, y));
    } else {
        y.par_chunks_mut(size).enumerate().for_each(|(i, y)| f(i * size, y));
    }
}

/// The elements of a buffer from `offset` on.
pub(in crate::kernels) fn range(offset: u32, count: usize) -> std::ops::Range<usize> {
    offset as usize..offset as usize + count
}

/// Cuts `values` into units of `unit` elements and these into blocks of `block`; the last of each may
/// be shorter. Gives the number of the unit, where in it the block begins, and the block.
pub(in crate::kernels) fn blocks(values: &mut [f32], unit: usize, block: usize) -> Vec<(usize, usize, &mut [f32])> {
    let units = values.chunks_mut(unit.max(1)).enumerate();
    units
        .flat_map(|(number, unit)| {
            unit.chunks_mut(block.max(1)).enumerate().map(move |(at, part)| (number, at * block, part))
        })
        .collect()
}

/// Most floats that [`sum_pieces`] allocates.
const PARTIAL_FLOATS: usize = 1 << 22;

/// `to (+)= Σ` of what `add(unit, sum)` adds for each of `units`, `flops` altogether. Units are shared out to a number of
/// partial sums that depends on the sizes alone; those are added in order.
pub(in crate::kernels) fn sum_pieces(
    to: &mut [f32],
    accumulate: bool,
    units: usize,
    flops: u64,
    add: impl Fn(usize, &mut [f32]) + Sync,
) {
    if to.is_empty() {
        return;
    }
    let length = to.len();
    let most = (PARTIAL_FLOATS / length).clamp(2, 32);
    let each = units.div_ceil(most).max(1);
    let pieces = units.div_ceil(each);
    let mut partial = zeros(pieces * length);
    partial.par_chunks_mut(length).enumerate().with_min_len(products(flops)).for_each(|(piece, sum)| {
        (piece * each..units.min((piece + 1) * each)).for_each(|unit| add(unit, sum));
    });
    to.par_chunks_mut(PIECE).enumerate().with_min_len(least(partial.len())).for_each(|(at, to)| {
        if !accumulate {
            to.fill(0.0);
        }
        for partial in partial.chunks_exact(length) {
            to.iter_mut().zip(&partial[at * PIECE..]).for_each(|(to, &value)| *to += value);
        }
    });
}
