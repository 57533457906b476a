//! How twins use the cores: work is cut into pieces of fixed size, so that results do not depend on
//! the number of threads.

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
