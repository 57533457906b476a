//! Hot loops over contiguous runs (multiples, sums, inner products, normalisation), compiled for several instruction
//! sets and chosen at run time.
//!
//! Used by batch norm, weighted and normalised sums, width scales, global pooling, reductions and losses.
//!
//! None of them fuses a multiplication with an addition, so every processor gives the same bits.

use multiversion::multiversion;

/// Independent partial sums: enough to hide the latency of additions in vectors of eight.
const LANES: usize = 16;

/// y = factor · x, or y += factor · x.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(in crate::kernels) fn scale(y: &mut [f32], x: &[f32], factor: f32, add: bool) {
    let values = y.iter_mut().zip(x);
    if add {
        values.for_each(|(y, &x)| *y += factor * x);
    } else {
        values.for_each(|(y, &x)| *y = factor * x);
    }
}

/// y = (x − shift) · factor + bias.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(in crate::kernels) fn normalise(y: &mut [f32], x: &[f32], shift: f32, factor: f32, bias: f32) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - shift) * factor + bias);
}

/// y between two bounds; a NaN stays one.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(in crate::kernels) fn bound(y: &mut [f32], [low, high]: [f32; 2]) {
    for y in y {
        let above = if *y < low { low } else { *y };
        *y = if above > high { high } else { above };
    }
}

/// Σ f(x[i]) in float64, in 16 interleaved sums that add up at the end: always in the same order, and
/// independent, so that they run in vector registers.
pub(in crate::kernels) fn sum_of(x: &[f32], f: impl Fn(f64) -> f64) -> f64 {
    let (runs, rest) = x.as_chunks::<16>();
    let mut sums = [0.0f64; 16];
    for run in runs {
        for (sum, &x) in sums.iter_mut().zip(run) {
            *sum += f(f64::from(x));
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&x| f(f64::from(x))).sum::<f64>()
}

/// Σ x over a short run.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(in crate::kernels) fn sum(x: &[f32]) -> f64 {
    let mut sums = [0.0f64; LANES];
    let (blocks, rest) = x.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            sums[lane] += f64::from(block[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&v| f64::from(v)).sum::<f64>()
}

/// Σ x · y.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(in crate::kernels) fn dot(x: &[f32], y: &[f32]) -> f64 {
    let mut sums = [0.0f64; LANES];
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in x.iter().zip(y) {
        for lane in 0..LANES {
            sums[lane] += f64::from(x[lane]) * f64::from(y[lane]);
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
    sums.iter().sum::<f64>() + rest
}

/// dx (+)= (dy − mean − (x − shift) · slope) · factor.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(in crate::kernels) fn centred(dx: &mut [f32], x: &[f32], dy: &[f32], constants: [f32; 4], add: bool) {
    centred_of(dx, x, dy, constants, |_, dy| dy, add);
}

/// As [`centred`], of dy where (x − shift) · factor + bias lies between two bounds and of 0 elsewhere.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(in crate::kernels) fn centred_within(
    dx: &mut [f32],
    x: &[f32],
    dy: &[f32],
    constants: [f32; 4],
    bias: f32,
    [low, high]: [f32; 2],
    add: bool,
) {
    let factor = constants[3];
    let passed = |deviation: f32, dy: f32| {
        let value = deviation * factor + bias;
        if (value > low) & (value < high) { dy } else { 0.0 }
    };
    centred_of(dx, x, dy, constants, passed, add);
}

/// Of what `passed` leaves of dy, given x − shift.
#[inline(always)]
fn centred_of(
    dx: &mut [f32],
    x: &[f32],
    dy: &[f32],
    [shift, slope, mean, factor]: [f32; 4],
    passed: impl Fn(f32, f32) -> f32,
    add: bool,
) {
    let value = |x: f32, dy: f32| {
        let deviation = x - shift;
        (passed(deviation, dy) - mean - deviation * slope) * factor
    };
    let values = dx.iter_mut().zip(x).zip(dy);
    if add {
        values.for_each(|((dx, &x), &dy)| *dx += value(x, dy));
    } else {
        values.for_each(|((dx, &x), &dy)| *dx = value(x, dy));
    }
}
