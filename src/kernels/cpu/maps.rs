//! Maps over elements and over planes, on all cores: y[i] = f(x[i]).
//!
//! Used by the activations, the elementwise kernels, batch norm, width scales and global pooling.

use super::parallel::{self, LONG_PIECE, pieces};
use rayon::prelude::*;
use std::ops::Range;

/// y[i] = f(x[i]).
pub(in crate::kernels) fn each(x: &[f32], y: &mut [f32], f: impl Fn(f32) -> f32 + Sync) {
    pieces(y, |first, y| {
        for (y, &x) in y.iter_mut().zip(&x[first..]) {
            *y = f(x);
        }
    });
}

/// y[i] (+)= f(x[i]).
pub(in crate::kernels) fn each_accumulating(x: &[f32], y: &mut [f32], accumulate: bool, f: impl Fn(f32) -> f32 + Sync) {
    if !accumulate {
        return each(x, y, f);
    }
    pieces(y, |first, y| {
        for (y, &x) in y.iter_mut().zip(&x[first..]) {
            *y += f(x);
        }
    });
}

/// z[i] (+)= f(a[i], b[i]).
pub(in crate::kernels) fn each_backward(
    a: &[f32],
    b: &[f32],
    z: &mut [f32],
    accumulate: bool,
    f: impl Fn(f32, f32) -> f32 + Sync,
) {
    pieces(z, |first, z| {
        let values = z.iter_mut().zip(&a[first..]).zip(&b[first..]);
        if accumulate {
            values.for_each(|((z, &a), &b)| *z += f(a, b));
        } else {
            values.for_each(|((z, &a), &b)| *z = f(a, b));
        }
    });
}

/// The parts of planes of `pixels` elements that make up elements `first..first + len`: each plane's
/// number and its range, counted from `first`.
fn segments(first: usize, len: usize, pixels: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        (at < len).then(|| {
            let plane = (first + at) / pixels;
            let range = at..len.min((plane + 1) * pixels - first);
            at = range.end;
            (plane, range)
        })
    })
}

/// Calls `f(plane, first, part)` for parts of planes that together are `y`; `first` is where in `y`
/// the part begins.
pub(in crate::kernels) fn each_plane(y: &mut [f32], pixels: usize, f: impl Fn(usize, usize, &mut [f32]) + Sync) {
    let least = parallel::least(y.len());
    y.par_chunks_mut(LONG_PIECE).enumerate().with_min_len(least).for_each(|(piece, y)| {
        let first = piece * LONG_PIECE;
        for (plane, range) in segments(first, y.len(), pixels) {
            f(plane, first + range.start, &mut y[range]);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plane_parts_meet_at_the_borders_of_planes() {
        for (planes, pixels) in [(3, 10_000), (40_000, 1), (5, 7), (1, 50_000)] {
            let mut y = vec![-1.0; planes * pixels];
            each_plane(&mut y, pixels, |plane, first, part| {
                assert!(first / pixels == plane && (first + part.len() - 1) / pixels == plane);
                part.fill(plane as f32);
            });
            assert!(y.iter().enumerate().all(|(i, &v)| v == (i / pixels) as f32));
        }
    }
}
