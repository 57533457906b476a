//! Small blocks of values whose rows and columns change places, or that come to lie beside one another.
//!
//! Used by convolutions whose sums run over channels, while images hold plane behind plane.

use super::vector::LANES;

/// Four rows as one: the first values of all, then the second ones. Compilers know this pattern, and make a few exchanges of whole
/// vectors of it.
#[inline(always)]
pub(in crate::kernels) fn interleave(rows: [&[f32]; 4], to: &mut [[f32; 4]]) {
    let count = to.len();
    let [a, b, c, d] = rows;
    let (a, b, c, d) = (&a[..count], &b[..count], &c[..count], &d[..count]);
    for (k, to) in to.iter_mut().enumerate() {
        *to = [a[k], b[k], c[k], d[k]];
    }
}

/// The block with rows and columns exchanged: rows four apart are interleaved, and what that gives once more.
#[inline(always)]
pub(in crate::kernels) fn transposed(rows: &[[f32; LANES]; LANES]) -> [[f32; LANES]; LANES] {
    let mut half = [[[0.0; 4]; LANES]; 4];
    for (i, half) in half.iter_mut().enumerate() {
        interleave([&rows[i], &rows[4 + i], &rows[8 + i], &rows[12 + i]], half);
    }
    let mut all = [[[0.0; 4]; 4]; LANES];
    let [a, b, c, d] = &half;
    interleave([a.as_flattened(), b.as_flattened(), c.as_flattened(), d.as_flattened()], all.as_flattened_mut());
    bytemuck::cast(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        let rows: [[f32; LANES]; LANES] = std::array::from_fn(|i| std::array::from_fn(|j| (i * LANES + j) as f32));
        for (i, row) in transposed(&rows).iter().enumerate() {
            for (j, value) in row.iter().enumerate() {
                assert_eq!(*value, (j * LANES + i) as f32);
            }
        }
    }
}
