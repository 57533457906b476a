//! The matrix products of the convolution twins, on panels: blocks of columns small enough for the
//! cache, packed so that the inner loops are contiguous and have no remainders.

use super::vector::{LANES, fma, vectorised};
use rayon::prelude::*;

/// Columns of a panel.
pub(super) const WIDTH: usize = 64;
/// Rows of the result that share each load of a panel's row.
pub(super) const ROWS: usize = 4;
/// Products summed in registers before they are added to memory. Limits rounding errors, which grow
/// with the length of a chain of additions, and keeps that part of the panel in the first-level cache.
const DEPTH: usize = 128;
/// Columns in one vector of [`correlate`]: 16 accumulators of this size fit the registers.
pub(super) const SHORT: usize = 8;

/// Packs the matrix `at(row, k)` for [`multiply`]: groups of [`ROWS`] rows, column by column, rows
/// beyond the last as zeros.
pub(super) fn pack(rows: usize, depth: usize, at: impl Fn(usize, usize) -> f32 + Sync) -> Vec<f32> {
    let mut packed = vec![0.0; rows.next_multiple_of(ROWS) * depth];
    packed.par_chunks_mut((depth * ROWS).max(1)).enumerate().for_each(|(block, packed)| {
        for (k, packed) in packed.chunks_exact_mut(ROWS).enumerate() {
            for (row, packed) in (block * ROWS..rows).zip(packed) {
                *packed = at(row, k);
            }
        }
    });
    packed
}

vectorised! {
    /// c = a · b for `a` from [`pack`] with `depth` columns and as many rows as `c` has (a multiple of
    /// [`ROWS`]). The panel `b` holds the rows of b from `first` on, as many as there are up to `depth`;
    /// what those before it gave is in `c` already.
    fn multiply(a: &[f32], depth: usize, first: usize, b: &[f32], c: &mut [f32]) = multiply_body
}

#[inline(always)]
fn multiply_body<const FUSED: bool>(a: &[f32], depth: usize, first: usize, b: &[f32], c: &mut [f32]) {
    let c = c.as_chunks_mut::<WIDTH>().0.as_chunks_mut::<ROWS>().0;
    for (part, b) in b.as_chunks::<WIDTH>().0.chunks(DEPTH).enumerate() {
        let first = first + part * DEPTH;
        for (a, c) in a.chunks_exact(depth * ROWS).zip(c.iter_mut()) {
            let a = &a.as_chunks::<ROWS>().0[first..];
            for strip in 0..WIDTH / LANES {
                let mut sums = [[0.0f32; LANES]; ROWS];
                for (a, b) in a.iter().zip(b) {
                    let b = &b.as_chunks::<LANES>().0[strip];
                    for row in 0..ROWS {
                        for lane in 0..LANES {
                            sums[row][lane] = fma::<FUSED>(a[row], b[lane], sums[row][lane]);
                        }
                    }
                }
                for (c, sums) in c.iter_mut().zip(sums) {
                    let c = &mut c.as_chunks_mut::<LANES>().0[strip];
                    for (c, sum) in c.iter_mut().zip(sums) {
                        *c = if first == 0 { sum } else { *c + sum };
                    }
                }
            }
        }
    }
}

/// Rows of equal length at equal distances.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// Memory, from the first row's first element.
    pub values: &'a [f32],
    /// Distance between the beginnings of two rows.
    pub pitch: usize,
    /// Number of rows.
    pub count: usize,
}

vectorised! {
    /// c[i, j] += Σ a[i, t] · b[j, t] over the first `length` columns (a multiple of [`SHORT`], at most
    /// some hundred for accuracy); `c` has `pitch` columns.
    fn correlate(a: Rows<'_>, b: Rows<'_>, length: usize, c: &mut [f32], pitch: usize) = correlate_body
}

#[inline(always)]
fn correlate_body<const FUSED: bool>(a: Rows<'_>, b: Rows<'_>, length: usize, c: &mut [f32], pitch: usize) {
    let length = length / SHORT;
    // Rows beyond the last repeat it; their sums are not stored.
    #[inline(always)]
    fn four<'a>(rows: Rows<'a>, first: usize, length: usize) -> [&'a [[f32; SHORT]]; 4] {
        std::array::from_fn(|row| {
            let start = (first + row).min(rows.count - 1) * rows.pitch;
            &rows.values[start..].as_chunks::<SHORT>().0[..length]
        })
    }
    for i in (0..a.count).step_by(4) {
        let [a0, a1, a2, a3] = four(a, i, length);
        for j in (0..b.count).step_by(4) {
            let [b0, b1, b2, b3] = four(b, j, length);
            let mut sums = [[[0.0f32; SHORT]; 4]; 4];
            for t in 0..length {
                let (a, b) = ([a0[t], a1[t], a2[t], a3[t]], [b0[t], b1[t], b2[t], b3[t]]);
                for row in 0..4 {
                    for column in 0..4 {
                        for lane in 0..SHORT {
                            sums[row][column][lane] =
                                fma::<FUSED>(a[row][lane], b[column][lane], sums[row][column][lane]);
                        }
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate().take(a.count - i) {
                for (column, s) in sums.iter().enumerate().take(b.count - j) {
                    let sum = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
                    c[(i + row) * pitch + j + column] += sum;
                }
            }
        }
    }
}
