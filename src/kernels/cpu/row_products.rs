//! Products of rows with rows, c[i, j] = Σ a[i, t] · b[j, t]: gradients of weights, whose sums run over
//! the pixels. Sums stay in vectors, one for each lane, until [`finish`] adds these up.
//!
//! Used by the gradients of the weights of dense and pointwise convolutions and factorised reductions.

use super::vector::{LANES, fma, vectorised, wide};

/// Rows of a, and of b, in one block of sums.
const BLOCK: usize = 4;
/// Floats of a block of sums.
const SUMS: usize = BLOCK * BLOCK * LANES;

/// Rows of equal length at equal distances, in images at equal distances.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Rows<'a> {
    /// Memory, from the first row's first element.
    pub values: &'a [f32],
    /// Distance between the beginnings of two rows.
    pub pitch: usize,
    /// Distance between the first rows of two images.
    pub image: usize,
    /// Number of rows.
    pub count: usize,
}

/// Columns whose products may add up in one chain for each lane: longer chains lose accuracy.
const CHAIN: usize = 8192;

/// Floats of memory for the sums of so many rows of a and of b.
pub(in crate::kernels) fn memory(a: usize, b: usize) -> usize {
    a.div_ceil(BLOCK) * b.div_ceil(BLOCK) * SUMS
}

/// Sums that are on their way to c[i, j], of so many rows and columns, whose rows are `pitch` apart.
pub(in crate::kernels) struct Sums<'a> {
    sums: &'a mut [f32],
    size: [usize; 2],
    c: &'a mut [f32],
    pitch: usize,
    chain: usize,
}

impl<'a> Sums<'a> {
    /// Begins with nothing in `sums`, which has room for [`memory`].
    pub(in crate::kernels) fn new(sums: &'a mut [f32], size: [usize; 2], c: &'a mut [f32], pitch: usize) -> Self {
        let sums = &mut sums[..memory(size[0], size[1])];
        sums.fill(0.0);
        Self { sums, size, c, pitch, chain: 0 }
    }

    /// c[i, j] += Σ a[i, t] · b[j, t] over the first `length` columns (a multiple of [`LANES`], some thousand at
    /// most) of each of `images`, sooner or later.
    pub(in crate::kernels) fn add(&mut self, a: Rows<'_>, b: Rows<'_>, images: usize, length: usize) {
        if wide() {
            add_wide(a, b, images, length, self.sums);
        } else {
            add_narrow(a, b, images, length, self.sums);
        }
        self.chain += images * length;
        if self.chain >= CHAIN {
            finish(self.sums, self.size, self.c, self.pitch);
            self.sums.fill(0.0);
            self.chain = 0;
        }
    }

    /// Adds what is left.
    pub(in crate::kernels) fn finish(self) {
        finish(self.sums, self.size, self.c, self.pitch);
    }
}

vectorised! {
    fn add_wide(a: Rows<'_>, b: Rows<'_>, images: usize, length: usize, sums: &mut [f32]) = add_body_wide
}

vectorised! {
    fn add_narrow(a: Rows<'_>, b: Rows<'_>, images: usize, length: usize, sums: &mut [f32]) = add_body_narrow
}

#[inline(always)]
fn add_body_wide<const FUSED: bool>(a: Rows<'_>, b: Rows<'_>, images: usize, length: usize, sums: &mut [f32]) {
    add_body::<FUSED, LANES>(a, b, images, length, sums);
}

/// Sixteen sums of eight lanes fill the registers there; they use half of the memory for the sums.
#[inline(always)]
fn add_body_narrow<const FUSED: bool>(a: Rows<'_>, b: Rows<'_>, images: usize, length: usize, sums: &mut [f32]) {
    add_body::<FUSED, { LANES / 2 }>(a, b, images, length, sums);
}

#[inline(always)]
fn add_body<const FUSED: bool, const N: usize>(
    a: Rows<'_>,
    b: Rows<'_>,
    images: usize,
    length: usize,
    sums: &mut [f32],
) {
    let mut sums = sums.as_chunks_mut::<SUMS>().0.iter_mut();
    for i in (0..a.count).step_by(BLOCK) {
        for (j, sums) in (0..b.count).step_by(BLOCK).zip(&mut sums) {
            block::<FUSED, N>(a, i, b, j, images, length, sums);
        }
    }
}

/// One row of an image; rows beyond the last repeat it (nobody takes their sums).
#[inline(always)]
fn row<'a, const N: usize>(rows: Rows<'a>, image: usize, row: usize, length: usize) -> &'a [[f32; N]] {
    let start = image * rows.image + row.min(rows.count - 1) * rows.pitch;
    &rows.values[start..][..length].as_chunks::<N>().0[..length / N]
}

#[inline(always)]
fn multiply_add<const FUSED: bool, const N: usize>(a: &[f32; N], b: &[f32; N], sums: &mut [f32; N]) {
    for lane in 0..N {
        sums[lane] = fma::<FUSED>(a[lane], b[lane], sums[lane]);
    }
}

/// The sums have names of their own: compilers keep arrays of that size in memory.
macro_rules! block {
    ([$($i:literal $a:ident [$($s:ident $with:ident $at:literal)*])*] [$($j:literal $b:ident)*]) => {
        #[inline(always)]
        fn block<const FUSED: bool, const N: usize>(
            a: Rows<'_>,
            i: usize,
            b: Rows<'_>,
            j: usize,
            images: usize,
            length: usize,
            sums: &mut [f32; SUMS],
        ) {
            let sums = sums.as_chunks_mut::<LANES>().0;
            $($(
                let mut $s = [0.0; N];
                $s.copy_from_slice(&sums[$at][..N]);
            )*)*
            for image in 0..images {
                $(let $a = row::<N>(a, image, i + $i, length);)*
                $(let $b = row::<N>(b, image, j + $j, length);)*
                for t in 0..length / N {
                    $(let $b = $b[t];)*
                    $(
                        let $a = $a[t];
                        $(multiply_add::<FUSED, N>(&$a, &$with, &mut $s);)*
                    )*
                }
            }
            $($(sums[$at][..N].copy_from_slice(&$s);)*)*
        }
    };
}

block!(
    [
        0 a0 [s0 b0 0 s1 b1 1 s2 b2 2 s3 b3 3]
        1 a1 [s4 b0 4 s5 b1 5 s6 b2 6 s7 b3 7]
        2 a2 [s8 b0 8 s9 b1 9 s10 b2 10 s11 b3 11]
        3 a3 [s12 b0 12 s13 b1 13 s14 b2 14 s15 b3 15]
    ]
    [0 b0 1 b1 2 b2 3 b3]
);

/// Adds the sums to c[i, j], which has `pitch` columns, for so many rows of a and of b.
fn finish(sums: &[f32], [rows, columns]: [usize; 2], c: &mut [f32], pitch: usize) {
    let across = columns.div_ceil(BLOCK);
    // Sums of four neighbours, twice: compilers do that with shuffles, without a chain of additions.
    let (mut quarters, mut totals) = ([0.0f32; 16 * SUMS / 4], [0.0f32; 16 * SUMS / LANES]);
    for (part, sums) in sums.chunks(16 * SUMS).enumerate() {
        let (quarters, totals) = (&mut quarters[..sums.len() / 4], &mut totals[..sums.len() / LANES]);
        fours(sums, quarters);
        fours(quarters, totals);
        for (block, totals) in totals.as_chunks::<{ BLOCK * BLOCK }>().0.iter().enumerate() {
            let block = part * 16 + block;
            let (i, j) = (block / across * BLOCK, block % across * BLOCK);
            let width = BLOCK.min(columns - j);
            for (row, totals) in totals.as_chunks::<BLOCK>().0.iter().enumerate().take(rows - i) {
                let c = &mut c[(i + row) * pitch + j..][..width];
                c.iter_mut().zip(totals).for_each(|(c, total)| *c += total);
            }
        }
    }
}

vectorised! {
    fn fours(from: &[f32], to: &mut [f32]) = fours_body
}

#[inline(always)]
fn fours_body<const FUSED: bool>(from: &[f32], to: &mut [f32]) {
    for (four, to) in from.as_chunks::<4>().0.iter().zip(to) {
        *to = (four[0] + four[2]) + (four[1] + four[3]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::noise;

    #[test]
    fn both_widths_give_the_sums_of_products() {
        for [rows, columns, images, length] in [[1, 1, 1, 16], [5, 3, 3, 48], [4, 8, 1, 32], [7, 21, 2, 16]] {
            let (pitch, gap) = (length + 3, 5);
            let [a, b] = [rows, columns].map(|count| (count * pitch + gap, noise(images * (count * pitch + gap), 7)));
            fn of((image, values): &(usize, Vec<f32>), pitch: usize, count: usize) -> Rows<'_> {
                Rows { values, pitch, image: *image, count }
            }
            let (a, b) = (of(&a, pitch, rows), of(&b, pitch, columns));
            for add in [add_wide, add_narrow] {
                let mut sums = vec![0.0; memory(rows, columns)];
                add(a, b, images, length, &mut sums);
                let mut c = vec![1.0; rows * columns];
                finish(&sums, [rows, columns], &mut c, columns);
                for (at, &c) in c.iter().enumerate() {
                    let product = |n: usize, t: usize| {
                        let [a, b] = [(a, at / columns), (b, at % columns)]
                            .map(|(r, row)| f64::from(r.values[n * r.image + row * r.pitch + t]));
                        a * b
                    };
                    let sum: f64 =
                        (0..images).flat_map(|n| (0..length).map(move |t| (n, t))).map(|(n, t)| product(n, t)).sum();
                    assert!((f64::from(c) - 1.0 - sum).abs() < 1e-5, "{rows}×{columns}, {images} images of {length}");
                }
            }
        }
    }
}
