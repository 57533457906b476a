//! How twins use the cores: work is cut into pieces of fixed size, so that results do not depend on
//! the number of threads.

use super::rows;
use rayon::prelude::*;

/// Elements in one piece of elementwise work: small enough for the first-level cache.
pub(super) const PIECE: usize = 4096;

/// Elements of work (read, written, or multiplied once) below which the calling thread does it all: handing some to
/// another costs more than it gains. It decides who does the work, never what comes out.
const ALONE: usize = 4 * PIECE;

/// Whether the calling thread does so much work by itself.
pub(super) fn alone(work: usize) -> bool {
    work <= ALONE
}

/// The fewest pieces that a thread takes (for `with_min_len`): all of them where there is so little work.
pub(super) fn least(work: usize) -> usize {
    if alone(work) { usize::MAX } else { 1 }
}

/// As [`least`], for the sums of products of vectors held in registers.
pub(super) fn products(flops: u64) -> usize {
    least(usize::try_from(flops / 8).unwrap_or(usize::MAX))
}

/// Calls `f(first, piece)` for each piece of y, `first` being the piece's place in y.
pub(super) fn pieces<T: Send>(y: &mut [T], f: impl Fn(usize, &mut [T]) + Sync) {
    pieces_of(PIECE, y.len(), y, f);
}

/// As [`pieces`], with pieces of `size` elements. `work` is about how many elements all pieces together
/// read or write: it decides whether other threads are worth waking.
pub(super) fn pieces_of<T: Send>(size: usize, work: usize, y: &mut [T], f: impl Fn(usize, &mut [T]) + Sync) {
    if alone(work) || y.len() <= size {
        y.chunks_mut(size).enumerate().for_each(|(i, y)| f(i * size, y));
    } else {
        y.par_chunks_mut(size).enumerate().for_each(|(i, y)| f(i * size, y));
    }
}

/// y[i] = f(x[i]).
pub(super) fn each(x: &[f32], y: &mut [f32], f: impl Fn(f32) -> f32 + Sync) {
    pieces(y, |first, y| {
        for (y, &x) in y.iter_mut().zip(&x[first..]) {
            *y = f(x);
        }
    });
}

/// y[i] (+)= f(x[i]).
pub(super) fn each_accumulating(x: &[f32], y: &mut [f32], accumulate: bool, f: impl Fn(f32) -> f32 + Sync) {
    if !accumulate {
        return each(x, y, f);
    }
    pieces(y, |first, y| {
        for (y, &x) in y.iter_mut().zip(&x[first..]) {
            *y += f(x);
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

/// `to (+)= Σ` of what `add(unit, sum)` adds for each of `units`, `flops` altogether. Units are shared out to a number of
/// partial sums that depends on the sizes alone; those are added in order.
pub(super) fn sum_pieces(
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
    let mut partial = vec![0.0; pieces * length];
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

/// z[i] (+)= f(a[i], b[i]).
pub(super) fn each_backward(a: &[f32], b: &[f32], z: &mut [f32], accumulate: bool, f: impl Fn(f32, f32) -> f32 + Sync) {
    pieces(z, |first, z| {
        let values = z.iter_mut().zip(&a[first..]).zip(&b[first..]);
        if accumulate {
            values.for_each(|((z, &a), &b)| *z += f(a, b));
        } else {
            values.for_each(|((z, &a), &b)| *z = f(a, b));
        }
    });
}

/// Σ f(x[i]) in float64, in 16 interleaved sums that add up at the end: always in the same order, and
/// independent, so that they run in vector registers.
pub(super) fn sum(x: &[f32], f: impl Fn(f64) -> f64) -> f64 {
    let (runs, rest) = x.as_chunks::<16>();
    let mut sums = [0.0f64; 16];
    for run in runs {
        for (sum, &x) in sums.iter_mut().zip(run) {
            *sum += f(f64::from(x));
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&x| f(f64::from(x))).sum::<f64>()
}

/// Whether `f32::mul_add` is an instruction in code compiled for this machine's vector unit (as
/// `#[multiversion]` does): elsewhere it is a slow library call.
pub(super) fn fused() -> bool {
    #[cfg(target_arch = "x86_64")]
    let fused = std::arch::is_x86_feature_detected!("fma") && std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    let fused = cfg!(target_arch = "aarch64");
    fused
}
