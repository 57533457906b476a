//! The matrix products of the convolution twins, on rows that lie where they lie or in panels: blocks of
//! columns small enough for the cache.
//!
//! Used by the dense and the pointwise convolution and the factorised reduction.

use super::parallel;
use super::scratch::{Lent, lend};
use super::transpose::interleave;
use super::vector::{LANES, fma, vectorised, wide};
use rayon::prelude::*;

/// Columns of a panel.
pub(in crate::kernels) const WIDTH: usize = 64;
/// Rows of a matrix that [`pack`] puts side by side.
pub(in crate::kernels) const ROWS: usize = 4;
/// Products summed in registers before they are added to memory. Limits rounding errors, which grow
/// with the length of a chain of additions, and keeps that part of the columns in the first-level cache.
const DEPTH: usize = 128;

/// Where the values of a matrix lie, or of some columns of it.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Places {
    /// That of the first row and column.
    pub first: usize,
    /// Distance between rows.
    pub row: usize,
    /// Distance between columns.
    pub column: usize,
}

/// Packs `count` matrices of `rows` for [`multiply`], one behind the other: groups of [`ROWS`] rows, column by column, rows beyond the
/// last as zeros. Columns come in `parts` of equally many, those of each part at `places(matrix, part)` of the values.
pub(in crate::kernels) fn pack(
    values: &[f32],
    [count, rows, parts, part]: [usize; 4],
    places: impl Fn(usize, usize) -> Places + Sync,
) -> Lent {
    let (blocks, depth) = (rows.div_ceil(ROWS), parts * part);
    let mut packed = lend(count * blocks * ROWS * depth);
    let fill = |(block, packed): (usize, &mut [f32])| {
        let (matrix, row) = (block / blocks, block % blocks * ROWS);
        for (at, packed) in packed.as_chunks_mut().0.chunks_mut(part.max(1)).enumerate() {
            let places = places(matrix, at);
            let places = Places { first: places.first + row * places.row, ..places };
            pack_rows(values, places, (rows - row).min(ROWS), packed);
        }
    };
    let size = (depth * ROWS).max(1);
    let least = parallel::least(2 * packed.len());
    packed.par_chunks_mut(size).enumerate().with_min_len(least).for_each(fill);
    packed
}

vectorised! {
    /// Packs some columns of up to [`ROWS`] rows.
    fn pack_rows(values: &[f32], places: Places, rows: usize, packed: &mut [[f32; ROWS]]) = pack_rows_body
}

#[inline(always)]
fn pack_rows_body<const FUSED: bool>(values: &[f32], places: Places, rows: usize, packed: &mut [[f32; ROWS]]) {
    let Places { first, row, column } = places;
    if rows == ROWS && column == 1 {
        return interleave(std::array::from_fn(|i| &values[first + i * row..]), packed);
    }
    for (k, packed) in packed.iter_mut().enumerate() {
        let values = &values[first + k * column..];
        if rows == ROWS && row == 1 {
            packed.copy_from_slice(&values[..ROWS]);
        } else {
            packed[rows..].fill(0.0);
            packed.iter_mut().zip(values.iter().step_by(row.max(1))).take(rows).for_each(|(to, value)| *to = *value);
        }
    }
}

/// A product of a packed matrix and rows that are any distance apart.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Product<'a> {
    /// The matrix, from [`pack`].
    pub a: &'a [f32],
    /// Its columns.
    pub depth: usize,
    /// The first of them that takes part; what those before it gave is in y already.
    pub first: usize,
    /// What is added to each row; empty: nothing.
    pub bias: &'a [f32],
    /// Whether y is added to.
    pub add: bool,
    /// Rows of y.
    pub rows: usize,
    /// Columns of x and y, a multiple of [`LANES`].
    pub columns: usize,
    /// Distance between the beginnings of two rows of x.
    pub x_pitch: usize,
    /// Distance between the beginnings of two rows of y.
    pub y_pitch: usize,
}

/// y (+)= a · x + bias for the columns of `a` from `first` on, as many as x has rows up to `depth`.
pub(in crate::kernels) fn product(p: Product<'_>, x: &[f32], y: &mut [f32]) {
    if wide() {
        product_wide(p, x, y);
    } else {
        product_narrow(p, x, y);
    }
}

/// c = a · b for panels: `b` holds the rows of b from `first` on, as many as there are up to `depth`; `c` has as
/// many rows as `a`. What the rows before `first` gave is in c already.
pub(in crate::kernels) fn multiply(a: &[f32], depth: usize, first: usize, b: &[f32], c: &mut [f32]) {
    let rows = c.len() / WIDTH;
    let add = first > 0;
    let p = Product { a, depth, first, bias: &[], add, rows, columns: WIDTH, x_pitch: WIDTH, y_pitch: WIDTH };
    product(p, b, c);
}

vectorised! {
    fn product_wide(p: Product<'_>, x: &[f32], y: &mut [f32]) = product_body_wide
}

vectorised! {
    fn product_narrow(p: Product<'_>, x: &[f32], y: &mut [f32]) = product_body_narrow
}

#[inline(always)]
fn product_body_wide<const FUSED: bool>(p: Product<'_>, x: &[f32], y: &mut [f32]) {
    product_body::<FUSED, true>(p, x, y);
}

#[inline(always)]
fn product_body_narrow<const FUSED: bool>(p: Product<'_>, x: &[f32], y: &mut [f32]) {
    product_body::<FUSED, false>(p, x, y);
}

#[inline(always)]
fn product_body<const FUSED: bool, const WIDE: bool>(p: Product<'_>, x: &[f32], y: &mut [f32]) {
    for (part, x) in x.chunks(DEPTH * p.x_pitch).enumerate() {
        let first = p.first + part * DEPTH;
        if first >= p.depth {
            break;
        }
        let (bias, add) = if part == 0 { (p.bias, p.add) } else { (&[][..], true) };
        // The columns in work stay in the first-level cache while the rows pass.
        let mut column = 0;
        while column < p.columns {
            let two = WIDE && column + 2 * LANES <= p.columns;
            let mut row = 0;
            while row < p.rows {
                let rows = p.rows - row;
                let a = &p.a[row * p.depth..];
                let y = Store { y: &mut y[row * p.y_pitch..], pitch: p.y_pitch, column, rows, add };
                let bias = bias.get(row..).unwrap_or(&[]);
                let four = |at: usize| &a[at * p.depth..][..ROWS * p.depth].as_chunks::<ROWS>().0[first..];
                let x = x.chunks(p.x_pitch);
                if WIDE && rows > ROWS {
                    if two {
                        eight_rows::<FUSED, 2>([four(0), four(ROWS)], x, bias, y);
                    } else {
                        eight_rows::<FUSED, 1>([four(0), four(ROWS)], x, bias, y);
                    }
                    row += 2 * ROWS;
                } else {
                    if two {
                        four_rows::<FUSED, 2>([four(0); 2], x, bias, y);
                    } else {
                        four_rows::<FUSED, 1>([four(0); 2], x, bias, y);
                    }
                    row += ROWS;
                }
            }
            column += if two { 2 * LANES } else { LANES };
        }
    }
}

/// Where a block of sums goes.
struct Store<'a> {
    y: &'a mut [f32],
    pitch: usize,
    column: usize,
    /// Rows that there are; those beyond are not stored.
    rows: usize,
    add: bool,
}

impl Store<'_> {
    #[inline(always)]
    fn put(&mut self, row: usize, vector: usize, sums: [f32; LANES]) {
        if row < self.rows {
            let to = &mut self.y[row * self.pitch + self.column + vector * LANES..][..LANES];
            if self.add {
                to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
            } else {
                to.copy_from_slice(&sums);
            }
        }
    }
}

#[inline(always)]
fn multiply_add<const FUSED: bool>(a: f32, x: &[f32; LANES], sums: &mut [f32; LANES]) {
    for lane in 0..LANES {
        sums[lane] = fma::<FUSED>(a, x[lane], sums[lane]);
    }
}

#[inline(always)]
fn vector(x: &[f32], at: usize) -> [f32; LANES] {
    let mut values = [0.0; LANES];
    values.copy_from_slice(&x[at..at + LANES]);
    values
}

/// A block of rows of one or two vectors. Its sums have names of their own: compilers keep arrays of that
/// size in memory.
macro_rules! rows {
    ($name:ident, $($row:literal of $block:literal $lane:literal: $s:ident $t:ident),*) => {
        #[inline(always)]
        fn $name<const FUSED: bool, const VECTORS: usize>(
            a: [&[[f32; ROWS]]; 2],
            x: std::slice::Chunks<'_, f32>,
            bias: &[f32],
            mut y: Store<'_>,
        ) {
            $(
                let mut $s = [bias.get($row).copied().unwrap_or(0.0); LANES];
                let mut $t = $s;
            )*
            for ((a0, a1), x) in a[0].iter().zip(a[1]).zip(x) {
                let a = [a0, a1];
                let x0 = vector(x, y.column);
                let x1 = if VECTORS == 2 { vector(x, y.column + LANES) } else { x0 };
                $(
                    multiply_add::<FUSED>(a[$block][$lane], &x0, &mut $s);
                    if VECTORS == 2 {
                        multiply_add::<FUSED>(a[$block][$lane], &x1, &mut $t);
                    }
                )*
            }
            $(
                y.put($row, 0, $s);
                if VECTORS == 2 {
                    y.put($row, 1, $t);
                }
            )*
        }
    };
}

rows!(four_rows, 0 of 0 0: s0 t0, 1 of 0 1: s1 t1, 2 of 0 2: s2 t2, 3 of 0 3: s3 t3);
rows!(eight_rows, 0 of 0 0: s0 t0, 1 of 0 1: s1 t1, 2 of 0 2: s2 t2, 3 of 0 3: s3 t3,
    4 of 1 0: s4 t4, 5 of 1 1: s5 t5, 6 of 1 2: s6 t6, 7 of 1 3: s7 t7);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::noise;

    #[test]
    fn both_widths_give_the_product() {
        for [rows, depth, columns] in [[1, 1, 16], [4, 3, 32], [5, 7, 48], [9, 130, 16], [16, 300, 80], [21, 2, 32]] {
            let (w, x, bias) = (noise(rows * depth, 1), noise(depth * (columns + 5), 2), noise(rows, 3));
            let a = pack(&w, [1, rows, 1, depth], |_, _| Places { first: 0, row: depth, column: 1 });
            for (add, bias) in [(false, &bias[..]), (true, &[])] {
                let (x_pitch, y_pitch) = (columns + 5, columns + 3);
                let p = Product { a: &a, depth, first: 0, bias, add, rows, columns, x_pitch, y_pitch };
                for product in [product_wide, product_narrow] {
                    let mut y = vec![2.0; rows * y_pitch];
                    product(p, &x, &mut y);
                    for (at, &y) in y.iter().enumerate() {
                        let (row, column) = (at / y_pitch, at % y_pitch);
                        let term = |k: usize| f64::from(w[row * depth + k]) * f64::from(x[k * x_pitch + column]);
                        let start = if add { 2.0 } else { f64::from(bias[row]) };
                        let expected = if column < columns { start + (0..depth).map(term).sum::<f64>() } else { 2.0 };
                        assert!((f64::from(y) - expected).abs() < 1e-4, "{rows}×{depth}×{columns}: {y}, {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn matrices_are_packed_from_wherever_they_lie() {
        let (count, rows, parts, part) = (2, 7, 3, 5);
        let values = noise(count * rows * parts * part, 4);
        let size = rows * parts * part;
        // Each of the three directions, the others behind it.
        for [row, column, next] in [[parts * part, 1, part], [1, rows * parts, rows], [part, 1, rows * part]] {
            let places = |matrix: usize, at: usize| Places { first: matrix * size + at * next, row, column };
            let packed = pack(&values, [count, rows, parts, part], places);
            assert_eq!(packed.len(), count * 8 * parts * part);
            for (at, value) in packed.iter().enumerate() {
                let (block, k, lane) = (at / (parts * part * ROWS), at / ROWS % (parts * part), at % ROWS);
                let (matrix, line) = (block / 2, block % 2 * ROWS + lane);
                let from = matrix * size + line * row + k / part * next + k % part * column;
                assert_eq!(*value, if line < rows { values[from] } else { 0.0 });
            }
        }
    }
}
