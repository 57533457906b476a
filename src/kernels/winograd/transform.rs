//! The matrices of F(4, 3) with the points 0, 1, −1, 2, −2 and ∞ (Lavin & Gray 2016, section 4.3), as sums.

use crate::kernels::cpu::vector::LANES;
use std::ops::{Add, Mul, Sub};

/// Rows of y that come of one transform.
pub(super) const ROWS: usize = 4;
/// Taps of a filter along it.
pub(super) const TAPS: usize = 3;
/// Values of a transform.
pub const VALUES: usize = ROWS + TAPS - 1;

/// What the transforms reckon with: numbers, or vectors of them.
pub(super) trait Number: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<f32, Output = Self> {}

impl Number for f32 {}

/// Some neighbouring numbers.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub(super) struct Vector(pub [f32; LANES]);

impl Vector {
    pub const ZERO: Self = Self([0.0; LANES]);

    /// The first of some values, as many as there is room for; what is missing is 0.
    #[inline(always)]
    pub fn of(values: &[f32]) -> Self {
        let mut vector = [0.0; LANES];
        match values.first_chunk() {
            Some(all) => vector = *all,
            None => vector[..values.len()].copy_from_slice(values),
        }
        Self(vector)
    }

    #[inline(always)]
    pub fn put(self, to: &mut [f32]) {
        match to.first_chunk_mut() {
            Some(all) => *all = self.0,
            None => to.copy_from_slice(&self.0[..to.len()]),
        }
    }
}

impl Add for Vector {
    type Output = Self;

    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a += b);
        self
    }
}

impl Sub for Vector {
    type Output = Self;

    #[inline(always)]
    fn sub(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a -= b);
        self
    }
}

impl Mul<f32> for Vector {
    type Output = Self;

    #[inline(always)]
    fn mul(mut self, by: f32) -> Self {
        self.0.iter_mut().for_each(|a| *a *= by);
        self
    }
}

impl Number for Vector {}

/// Vectors `pitch` apart. (Plain loops: what `array::map` and `from_fn` call is not always compiled into its caller, and then for
/// other vector units.)
#[inline(always)]
pub(super) fn every<const N: usize>(from: &[f32], pitch: usize) -> [Vector; N] {
    let mut vectors = [Vector::ZERO; N];
    for (at, vector) in vectors.iter_mut().enumerate() {
        *vector = Vector::of(&from[at * pitch..][..LANES]);
    }
    vectors
}

/// Of each row the value of a column.
#[inline(always)]
pub(super) fn column<const N: usize, const M: usize>(rows: &[[Vector; M]; N], column: usize) -> [Vector; N] {
    let mut vectors = [Vector::ZERO; N];
    for (vector, row) in vectors.iter_mut().zip(rows) {
        *vector = row[column];
    }
    vectors
}

/// Bᵀ x.
#[inline(always)]
pub(super) fn input<T: Number>(x: [T; VALUES]) -> [T; VALUES] {
    let (even, odd) = (x[4] - x[2] * 4.0, x[3] - x[1] * 4.0);
    let (even_twice, odd_twice) = (x[4] - x[2], (x[3] - x[1]) * 2.0);
    [
        x[0] * 4.0 - x[2] * 5.0 + x[4],
        even + odd,
        even - odd,
        even_twice + odd_twice,
        even_twice - odd_twice,
        x[1] * 4.0 - x[3] * 5.0 + x[5],
    ]
}

/// Aᵀ m.
#[inline(always)]
pub(super) fn output<T: Number>(m: [T; VALUES]) -> [T; ROWS] {
    let (sum, difference) = (m[1] + m[2], m[1] - m[2]);
    let (sum_twice, difference_twice) = (m[3] + m[4], m[3] - m[4]);
    [
        m[0] + sum + sum_twice,
        difference + difference_twice * 2.0,
        sum + sum_twice * 4.0,
        difference + difference_twice * 8.0 + m[5],
    ]
}

/// A dy.
#[inline(always)]
pub(super) fn gradient<T: Number>(dy: [T; ROWS]) -> [T; VALUES] {
    let (even, odd) = (dy[0] + dy[2], dy[1] + dy[3]);
    let (even_twice, odd_twice) = (dy[0] + dy[2] * 4.0, dy[1] * 2.0 + dy[3] * 8.0);
    [dy[0], even + odd, even - odd, even_twice + odd_twice, even_twice - odd_twice, dy[3]]
}

/// G w.
#[inline(always)]
pub(super) fn filter<T: Number>(w: [T; TAPS]) -> [T; VALUES] {
    let (ends, ends_four) = ((w[0] + w[2]) * (-1.0 / 6.0), (w[0] + w[2] * 4.0) * (1.0 / 24.0));
    let (middle, middle_twice) = (w[1] * (1.0 / 6.0), w[1] * (1.0 / 12.0));
    [w[0] * 0.25, ends - middle, ends + middle, ends_four + middle_twice, ends_four - middle_twice, w[2]]
}

/// Gᵀ m.
#[inline(always)]
pub(super) fn taps<T: Number>(m: [T; VALUES]) -> [T; TAPS] {
    let (sum, difference) = ((m[1] + m[2]) * (1.0 / 6.0), (m[2] - m[1]) * (1.0 / 6.0));
    let (sum_twice, difference_twice) = (m[3] + m[4], m[3] - m[4]);
    [
        m[0] * 0.25 - sum + sum_twice * (1.0 / 24.0),
        difference + difference_twice * (1.0 / 12.0),
        sum_twice * (1.0 / 6.0) - sum + m[5],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::noise;

    #[test]
    fn six_products_give_four_sums_of_three_and_their_gradients() {
        let (x, w, dy) = (noise(VALUES, 1), noise(TAPS, 2), noise(ROWS, 3));
        let u = filter([w[0], w[1], w[2]]);
        let v = input(std::array::from_fn(|d| x[d]));
        let y = output(std::array::from_fn(|at| u[at] * v[at]));
        for (a, y) in y.into_iter().enumerate() {
            let sum: f32 = (0..TAPS).map(|r| w[r] * x[a + r]).sum();
            assert!((y - sum).abs() < 1e-5, "{y} {sum}");
        }
        let g = gradient(std::array::from_fn(|a| dy[a]));
        for (r, dw) in taps(std::array::from_fn(|at| g[at] * v[at])).into_iter().enumerate() {
            let sum: f32 = (0..ROWS).map(|a| dy[a] * x[a + r]).sum();
            assert!((dw - sum).abs() < 1e-5, "{dw} {sum}");
        }
    }
}
