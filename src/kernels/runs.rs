//! Hot loops over contiguous runs, compiled for several instruction sets and chosen at run time.
//!
//! None of them fuses a multiplication with an addition, so every processor gives the same bits.

use super::planes::Part;
use multiversion::multiversion;

/// Independent partial sums: enough to hide the latency of additions in vectors of eight.
const LANES: usize = 16;

/// y = factor · x, or y += factor · x.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(super) fn scale(y: &mut [f32], x: &[f32], factor: f32, add: bool) {
    let values = y.iter_mut().zip(x);
    if add {
        values.for_each(|(y, &x)| *y += factor * x);
    } else {
        values.for_each(|(y, &x)| *y = factor * x);
    }
}

/// y = (x − shift) · factor + bias.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(super) fn normalise(y: &mut [f32], x: &[f32], shift: f32, factor: f32, bias: f32) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - shift) * factor + bias);
}

/// Σ x over a short run.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(super) fn sum(x: &[f32]) -> f64 {
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
pub(super) fn dot(x: &[f32], y: &[f32]) -> f64 {
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

/// Σ (x − shift) and Σ (x − shift)² of a part.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(super) fn moments(x: &[f32], part: Part, shift: f64) -> [f64; 2] {
    let mut sums = [0.0f64; LANES];
    let mut squares = [0.0f64; LANES];
    for row in 0..part.rows {
        let run = &x[part.first + row * part.stride..][..part.width];
        let (blocks, rest) = run.as_chunks::<LANES>();
        for block in blocks {
            for lane in 0..LANES {
                let d = f64::from(block[lane]) - shift;
                sums[lane] += d;
                squares[lane] += d * d;
            }
        }
        for (lane, &v) in rest.iter().enumerate() {
            let d = f64::from(v) - shift;
            sums[lane] += d;
            squares[lane] += d * d;
        }
    }
    [sums.iter().sum(), squares.iter().sum()]
}

/// Σ (x − shift) · dy and Σ dy of a part.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(super) fn products(x: &[f32], dy: &[f32], part: Part, shift: f64) -> [f64; 2] {
    let mut products = [0.0f64; LANES];
    let mut sums = [0.0f64; LANES];
    for row in 0..part.rows {
        let first = part.first + row * part.stride;
        let (x, x_rest) = x[first..][..part.width].as_chunks::<LANES>();
        let (dy, dy_rest) = dy[first..][..part.width].as_chunks::<LANES>();
        for (x, dy) in x.iter().zip(dy) {
            for lane in 0..LANES {
                let g = f64::from(dy[lane]);
                products[lane] += (f64::from(x[lane]) - shift) * g;
                sums[lane] += g;
            }
        }
        for (lane, (&x, &g)) in x_rest.iter().zip(dy_rest).enumerate() {
            products[lane] += (f64::from(x) - shift) * f64::from(g);
            sums[lane] += f64::from(g);
        }
    }
    [products.iter().sum(), sums.iter().sum()]
}

/// dx (+)= (dy − mean − (x − shift) · slope) · factor.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(super) fn centred(dx: &mut [f32], x: &[f32], dy: &[f32], [shift, slope, mean, factor]: [f32; 4], add: bool) {
    let values = dx.iter_mut().zip(x).zip(dy);
    if add {
        values.for_each(|((dx, &x), &dy)| *dx += (dy - mean - (x - shift) * slope) * factor);
    } else {
        values.for_each(|((dx, &x), &dy)| *dx = (dy - mean - (x - shift) * slope) * factor);
    }
}
