//! Accurate sums at the speed of memory: float32 vectors over chains of at most [`CHAIN`] additions, which
//! are then added up in float64. Rounding stays far below that of the values themselves, and the order is
//! fixed, so the bits do not depend on threads. Nothing fuses a multiplication with an addition either,
//! so that they do not depend on the processor.
//!
//! Used by batch norm and normalised sums, here and through [`super::channel_sums`].

use multiversion::multiversion;

/// Sums that are kept side by side. They lie in memory: so many are more than registers hold, but few
/// enough that compilers make a loop over vectors of additions to them, whatever the instruction set.
const LANES: usize = 128;

/// Most values that are added to one lane.
const CHAIN: usize = 128;

/// Most values that are taken at a time: two such runs lie in the first-level cache.
const RUN: usize = 2048;

/// How many rows of `width` values may be summed at once, and how many values of a longer row.
pub(in crate::kernels) fn most(width: usize) -> (usize, usize) {
    ((RUN / width.max(1)).clamp(1, CHAIN), RUN)
}

/// Rows of values at equal distances.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Rows<'a> {
    /// Memory, from the first row's first value.
    pub(in crate::kernels) values: &'a [f32],
    /// Distance between the beginnings of two rows.
    pub(in crate::kernels) stride: usize,
}

impl<'a> Rows<'a> {
    #[inline(always)]
    fn row(&self, row: usize, width: usize) -> Row<'a> {
        let (lanes, rest) = self.values[row * self.stride..][..width].as_chunks::<LANES>();
        let (wide, single) = lanes.as_chunks::<4>();
        Row { wide, single, rest }
    }
}

/// A row: four runs of lanes that are added up before they go to memory, single ones, the rest.
struct Row<'a> {
    wide: &'a [[[f32; LANES]; 4]],
    single: &'a [[f32; LANES]],
    rest: &'a [f32],
}

/// The sum of all lanes.
fn folded(sums: &[f32; LANES]) -> f64 {
    let mut total = [0.0f64; 8];
    for sums in sums.as_chunks::<16>().0 {
        for (i, total) in total.iter_mut().enumerate() {
            *total += f64::from(sums[i] + sums[i + 8]);
        }
    }
    total.iter().sum()
}

/// Σ x over `rows` rows of `width` values: at most [`most`].
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(in crate::kernels) fn total(x: Rows<'_>, rows: usize, width: usize) -> f64 {
    let mut sums = [0.0f32; LANES];
    for row in 0..rows {
        let x = x.row(row, width);
        for [a, b, c, d] in x.wide {
            for i in 0..LANES {
                sums[i] += (a[i] + b[i]) + (c[i] + d[i]);
            }
        }
        for x in x.single {
            for i in 0..LANES {
                sums[i] += x[i];
            }
        }
        sums.iter_mut().zip(x.rest).for_each(|(sum, x)| *sum += x);
    }
    folded(&sums)
}

/// Σ (x − mean) · dy over `rows` rows of `width` values: at most [`most`].
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(in crate::kernels) fn product(x: Rows<'_>, mean: f32, dy: Rows<'_>, rows: usize, width: usize) -> f64 {
    let mut sums = [0.0f32; LANES];
    for row in 0..rows {
        let (x, dy) = (x.row(row, width), dy.row(row, width));
        for (x, dy) in x.wide.iter().zip(dy.wide) {
            for i in 0..LANES {
                let two = (x[0][i] - mean) * dy[0][i] + (x[1][i] - mean) * dy[1][i];
                sums[i] += two + ((x[2][i] - mean) * dy[2][i] + (x[3][i] - mean) * dy[3][i]);
            }
        }
        for (x, dy) in x.single.iter().zip(dy.single) {
            for i in 0..LANES {
                sums[i] += (x[i] - mean) * dy[i];
            }
        }
        sums.iter_mut().zip(x.rest).zip(dy.rest).for_each(|((sum, x), dy)| *sum += (x - mean) * dy);
    }
    folded(&sums)
}

/// Σ (x − mean) · dy and Σ dy over `rows` rows of `width` values: at most [`most`].
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(in crate::kernels) fn products(x: Rows<'_>, mean: f32, dy: Rows<'_>, rows: usize, width: usize) -> [f64; 2] {
    products_of(x, mean, dy, |_, dy| dy, rows, width)
}

/// As [`products`], of dy where (x − mean) · factor + bias lies between two bounds and of 0 elsewhere.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
pub(in crate::kernels) fn products_within(
    x: Rows<'_>,
    [mean, factor, bias]: [f32; 3],
    [low, high]: [f32; 2],
    dy: Rows<'_>,
    rows: usize,
    width: usize,
) -> [f64; 2] {
    let passed = |deviation: f32, dy: f32| {
        let value = deviation * factor + bias;
        if (value > low) & (value < high) { dy } else { 0.0 }
    };
    products_of(x, mean, dy, passed, rows, width)
}

/// Of what `passed` leaves of dy, given x − mean.
#[inline(always)]
fn products_of(
    x: Rows<'_>,
    mean: f32,
    dy: Rows<'_>,
    passed: impl Fn(f32, f32) -> f32,
    rows: usize,
    width: usize,
) -> [f64; 2] {
    let mut sums = [0.0f32; LANES];
    let mut totals = [0.0f32; LANES];
    for row in 0..rows {
        let (x, dy) = (x.row(row, width), dy.row(row, width));
        for (x, dy) in x.wide.iter().zip(dy.wide) {
            for i in 0..LANES {
                let (a, b, c, d) = (x[0][i] - mean, x[1][i] - mean, x[2][i] - mean, x[3][i] - mean);
                let (e, f) = (passed(a, dy[0][i]), passed(b, dy[1][i]));
                let (g, h) = (passed(c, dy[2][i]), passed(d, dy[3][i]));
                sums[i] += (a * e + b * f) + (c * g + d * h);
                totals[i] += (e + f) + (g + h);
            }
        }
        for (x, dy) in x.single.iter().zip(dy.single) {
            for i in 0..LANES {
                let d = x[i] - mean;
                let dy = passed(d, dy[i]);
                sums[i] += d * dy;
                totals[i] += dy;
            }
        }
        for (((sum, total), x), dy) in sums.iter_mut().zip(&mut totals).zip(x.rest).zip(dy.rest) {
            let d = x - mean;
            let dy = passed(d, *dy);
            *sum += d * dy;
            *total += dy;
        }
    }
    [folded(&sums), folded(&totals)]
}

/// Σ (x − mean) and Σ (x − mean)² over `rows` rows of `width` values: at most [`most`].
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn deviations(x: Rows<'_>, mean: f32, rows: usize, width: usize) -> [f64; 2] {
    let mut sums = [0.0f32; LANES];
    let mut squares = [0.0f32; LANES];
    for row in 0..rows {
        let x = x.row(row, width);
        for x in x.wide {
            for i in 0..LANES {
                let (a, b, c, d) = (x[0][i] - mean, x[1][i] - mean, x[2][i] - mean, x[3][i] - mean);
                sums[i] += (a + b) + (c + d);
                squares[i] += (a * a + b * b) + (c * c + d * d);
            }
        }
        for x in x.single {
            for i in 0..LANES {
                let d = x[i] - mean;
                sums[i] += d;
                squares[i] += d * d;
            }
        }
        for ((sum, square), x) in sums.iter_mut().zip(&mut squares).zip(x.rest) {
            let d = x - mean;
            *sum += d;
            *square += d * d;
        }
    }
    [folded(&sums), folded(&squares)]
}

/// The mean but for rounding, and Σ (x − mean) and Σ (x − mean)², over `rows` rows of `width` values: at
/// most [`most`], so that what is read twice comes from the first-level cache.
pub(in crate::kernels) fn moments(x: Rows<'_>, rows: usize, width: usize) -> (f32, [f64; 2]) {
    let mean = (total(x, rows, width) / (rows * width) as f64) as f32;
    (mean, deviations(x, mean, rows, width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::noise;

    #[test]
    fn chains_lose_nothing_that_float32_holds() {
        for (rows, width) in [(1, 1), (1, 2048), (128, 16), (62, 33), (128, 5), (2, 1024)] {
            assert!(rows <= most(width).0 && width <= most(width).1);
            let (stride, shift) = (width + 3, 0.25f32);
            let (x, dy) = (noise(rows * stride, 1), noise(rows * stride, 2));
            let values = |of: &[f32]| -> Vec<f64> {
                (0..rows)
                    .flat_map(|r| of[r * stride..][..width].iter().map(|&v| f64::from(v)).collect::<Vec<_>>())
                    .collect()
            };
            let (xs, gs) = (values(&x), values(&dy));
            let (x, dy) = (Rows { values: &x, stride }, Rows { values: &dy, stride });
            let dot = |f: &dyn Fn(f64, f64) -> f64| xs.iter().zip(&gs).map(|(&x, &g)| f(x, g)).sum::<f64>();
            let close = |got: f64, expected: f64| {
                let allowed = 1e-6 * (xs.len() as f64).sqrt() + 1e-7 * expected.abs();
                assert!((got - expected).abs() < allowed, "{rows}×{width}: {got} instead of {expected}");
            };
            close(product(x, shift, dy, rows, width), dot(&|x, g| (x - 0.25) * g));
            close(product(dy, 0.0, dy, rows, width), dot(&|_, g| g * g));
            let [products, sum] = products(x, shift, dy, rows, width);
            close(products, dot(&|x, g| (x - 0.25) * g));
            close(sum, gs.iter().sum());
            // 2 (x − 1/4) + 1/4 lies between 0 and 3/2 where x lies between 1/8 and 7/8.
            let [products, sum] = products_within(x, [shift, 2.0, 0.25], [0.0, 1.5], dy, rows, width);
            let passes = |x: f64| x > 0.125 && x < 0.875;
            close(products, dot(&|x, g| if passes(x) { (x - 0.25) * g } else { 0.0 }));
            close(sum, dot(&|x, g| if passes(x) { g } else { 0.0 }));
            close(total(dy, rows, width), gs.iter().sum());
            let (mean, [rest, squares]) = moments(x, rows, width);
            let deviation = |v: &f64| v - f64::from(mean);
            close(rest, xs.iter().map(deviation).sum());
            close(squares, xs.iter().map(|v| deviation(v).powi(2)).sum());
        }
    }
}
