//! Weighted sums of several planes, and the gradient of a normalised plane in its place.

use multiversion::multiversion;

/// A run of values that goes into a sum as `(value − mean) · factor`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) values: &'a [f32],
    pub(super) mean: f32,
    pub(super) factor: f32,
}

/// Values summed in registers.
const WIDE: usize = 64;
/// Values summed in registers behind the last wide block.
const NARROW: usize = 8;

#[inline(always)]
fn block<const N: usize>(y: &mut [f32; N], at: usize, sources: &[Source<'_>], add: bool) {
    let mut sum = [0.0f32; N];
    for source in sources {
        if let Some(values) = source.values[at..].first_chunk::<N>() {
            for i in 0..N {
                sum[i] += (values[i] - source.mean) * source.factor;
            }
        }
    }
    if add {
        for i in 0..N {
            y[i] += sum[i];
        }
    } else {
        *y = sum;
    }
}

/// y (+)= Σ (values − mean) · factor. Each source has as many values as y, or more.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(super) fn blend(y: &mut [f32], sources: &[Source<'_>], add: bool) {
    let (wide, rest) = y.as_chunks_mut::<WIDE>();
    let first = wide.len() * WIDE;
    for (i, y) in wide.iter_mut().enumerate() {
        block(y, i * WIDE, sources, add);
    }
    let (narrow, rest) = rest.as_chunks_mut::<NARROW>();
    let last = first + narrow.len() * NARROW;
    for (i, y) in narrow.iter_mut().enumerate() {
        block(y, first + i * NARROW, sources, add);
    }
    for (i, y) in rest.as_chunks_mut::<1>().0.iter_mut().enumerate() {
        block(y, last + i, sources, add);
    }
}

/// z = (dy − gradient − (z − mean) · slope) · factor.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(super) fn centre(z: &mut [f32], dy: &[f32], [mean, slope, gradient, factor]: [f32; 4]) {
    z.iter_mut().zip(dy).for_each(|(z, &dy)| *z = (dy - gradient - (*z - mean) * slope) * factor);
}
