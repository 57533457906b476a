//! The convolution result by result: the images of a batch stand side by side as columns, so that no windows are unfolded, and only
//! taps on the image are computed: of a window of 7×7 over an image of 4×4 two thirds lie beside it.

use super::Params;
use crate::kernels::cpu::gemm::{self, Places, Product, ROWS};
use crate::kernels::cpu::parallel::{self, least, products};
use crate::kernels::cpu::scratch::{Lent, lend, zeros};
use crate::kernels::cpu::vector::{LANES, vectorised};
use rayon::prelude::*;
use std::ops::Range;

/// Images from which on they fill vectors well enough.
const FEWEST_IMAGES: usize = LANES / 2;
/// Channels on either side from which on products outweigh what is copied.
const FEWEST_CHANNELS: u32 = 16;
/// Pieces of work that there are at least, where there are as many rows.
const PIECES: usize = 16;

/// One side of windows that move step by step. Taps are counted from the first that any result has on the image.
#[derive(Clone, Copy, Debug)]
struct Side {
    /// Places of the image.
    places: usize,
    /// Results.
    results: usize,
    /// Taps that lie on the image for some result.
    taps: usize,
    /// Results less the place that the first tap of the first one reads.
    shift: i64,
    /// Taps before them.
    before: usize,
}

impl Side {
    fn new(places: u32, results: u32, taps: u32, pad: i32) -> Self {
        let all = i64::from(taps);
        // Tap r of result y reads place y + r − pad.
        let first = (i64::from(pad) - (i64::from(results) - 1)).clamp(0, all);
        let end = (i64::from(places) + i64::from(pad)).clamp(first, all);
        Self {
            places: places as usize,
            results: results as usize,
            taps: (end - first) as usize,
            shift: i64::from(pad) - first,
            before: first as usize,
        }
    }

    /// The same windows as the gradient of the image moves them: turned round, over the results.
    fn turned(self) -> Self {
        let shift = self.taps as i64 - 1 - self.shift;
        Self { places: self.results, results: self.places, shift, ..self }
    }

    /// Those of `count` that read a place of `among` where one of the others, `at`, is held: and the first place.
    fn on(self, count: usize, among: usize, at: usize) -> (Range<usize>, usize) {
        let off = self.shift - at as i64;
        let first = off.clamp(0, count as i64);
        let end = (off + among as i64).clamp(first, count as i64);
        (first as usize..end as usize, (first - off).max(0) as usize)
    }

    /// The taps that a result has on the image, and the place of the first.
    fn taps_of(self, result: usize) -> (Range<usize>, usize) {
        self.on(self.taps, self.places, result)
    }

    /// The results that have a tap on the image, and the place of the first.
    fn results_of(self, tap: usize) -> (Range<usize>, usize) {
        self.on(self.results, self.places, tap)
    }

    /// Pairs of a result and a tap that it has on the image.
    fn pairs(self) -> usize {
        (0..self.results).map(|result| self.taps_of(result).0.len()).sum()
    }
}

/// Rows and columns of the windows.
fn sides(p: &Params) -> [Side; 2] {
    let w = &p.window;
    [
        Side::new(w.height, w.out_height, w.kernel_rows, w.pad_top),
        Side::new(w.width, w.out_width, w.kernel_columns, w.pad_left),
    ]
}

/// Products of an input and an output that this takes, where it can be taken.
pub(super) fn products_of(p: &Params) -> Option<u64> {
    let w = &p.window;
    let steps = [w.stride_rows, w.stride_columns, w.dilation_rows, w.dilation_columns, p.groups];
    if steps != [1; 5] || (p.batch as usize) < FEWEST_IMAGES || p.inputs.min(p.outputs) < FEWEST_CHANNELS {
        return None;
    }
    let pairs: usize = sides(p).map(Side::pairs).iter().product();
    Some((pairs * (p.batch as usize).next_multiple_of(LANES)) as u64)
}

/// y (+)= w ∗ x + bias.
pub(super) fn forward(p: &Params, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let [rows, columns] = sides(p);
    let (inputs, outputs) = (p.inputs as usize, p.outputs as usize);
    let taps: Vec<usize> = (0..rows.taps * columns.taps).map(taps(p, [rows, columns])).collect();
    let a = pack(w, [outputs, inputs], [inputs * p.taps(), p.taps()], &taps);
    convolve(p, [rows, columns], &a, [inputs, outputs], x, bias.unwrap_or(&[]), y);
}

/// dx (+)= the gradient of x.
pub(super) fn backward_input(p: &Params, w: &[f32], dy: &[f32], dx: &mut [f32]) {
    let [rows, columns] = sides(p);
    let (inputs, outputs) = (p.inputs as usize, p.outputs as usize);
    let taps: Vec<usize> = (0..rows.taps * columns.taps).rev().map(taps(p, [rows, columns])).collect();
    let a = pack(w, [inputs, outputs], [p.taps(), inputs * p.taps()], &taps);
    convolve(p, [rows.turned(), columns.turned()], &a, [outputs, inputs], dy, &[], dx);
}

/// dw (+)= the gradient of w.
pub(super) fn backward_weight(p: &Params, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let [rows, columns] = sides(p);
    let (batch, inputs, outputs) = (p.batch as usize, p.inputs as usize, p.outputs as usize);
    let (pixels, depth) = (p.pixels(), p.out_pixels() * batch);
    let places = |_, at: usize| Places { first: at, row: p.out_pixels(), column: outputs * p.out_pixels() };
    let a = gemm::pack(dy, [1, outputs, p.out_pixels(), batch], places);
    let width = inputs.next_multiple_of(LANES);
    // [pixel, image, input].
    let mut side = zeros(pixels * batch * width);
    side.par_chunks_mut(batch * width).enumerate().with_min_len(least(x.len())).for_each(|(pixel, side)| {
        for (image, side) in side.chunks_exact_mut(width).enumerate() {
            let x = x[image * inputs * pixels..][..inputs * pixels].iter().skip(pixel).step_by(pixels);
            side.iter_mut().zip(x).for_each(|(side, x)| *side = *x);
        }
    });
    // [tap, output, input].
    let mut sums = zeros(rows.taps * columns.taps * outputs * width);
    let pieces = parallel::blocks(&mut sums, outputs * width, block(outputs, rows.taps * columns.taps) * width);
    pieces.into_par_iter().with_min_len(products(p.flops())).for_each(|(tap, start, sums)| {
        let (on_rows, place_row) = rows.results_of(tap / columns.taps);
        let (on_columns, place_column) = columns.results_of(tap % columns.taps);
        for (index, row) in on_rows.enumerate() {
            let place = (place_row + index) * columns.places + place_column;
            let first = (row * columns.results + on_columns.start) * batch;
            let side = &side[place * batch * width..][..on_columns.len() * batch * width];
            let (a, rows) = (&a[start / width * depth..], sums.len() / width);
            let [columns, x_pitch, y_pitch] = [width; 3];
            gemm::product(
                Product { a, depth, first, bias: &[], add: index > 0, rows, columns, x_pitch, y_pitch },
                side,
                sums,
            );
        }
    });
    let place = taps(p, [rows, columns]);
    dw.par_chunks_mut(inputs * p.taps()).enumerate().with_min_len(least(sums.len())).for_each(|(output, dw)| {
        if p.accumulate == 0 {
            dw.fill(0.0);
        }
        for (at, sums) in sums.chunks_exact(outputs * width).enumerate() {
            let to = dw.iter_mut().skip(place(at)).step_by(p.taps());
            to.zip(&sums[output * width..]).for_each(|(dw, sum)| *dw += sum);
        }
    });
}

/// Packs the filters as the left side of a product of [rows, (tap, column)], for the taps at these places. Filters of
/// neighbouring rows and columns lie so far apart. (Tap by tap, as [`gemm::pack`] would take them, each line of the cache would be
/// read for one value.)
fn pack(w: &[f32], [rows, columns]: [usize; 2], apart: [usize; 2], taps: &[usize]) -> Lent {
    let mut packed = lend(rows.next_multiple_of(ROWS) * columns * taps.len());
    let (size, least) = ((ROWS * columns * taps.len()).max(1), least(2 * packed.len()));
    let fill = |(block, packed): (usize, &mut [f32])| {
        let row = block * ROWS;
        pack_rows(&w[row * apart[0]..], (rows - row).min(ROWS), apart, taps, packed.as_chunks_mut().0);
    };
    packed.par_chunks_mut(size).enumerate().with_min_len(least).for_each(fill);
    packed
}

vectorised! {
    /// Up to [`ROWS`] rows of [`pack`]: packed[tap, column].
    fn pack_rows(w: &[f32], rows: usize, apart: [usize; 2], taps: &[usize], packed: &mut [[f32; ROWS]]) = pack_rows_body
}

#[inline(always)]
fn pack_rows_body<const FUSED: bool>(
    w: &[f32],
    rows: usize,
    apart: [usize; 2],
    taps: &[usize],
    packed: &mut [[f32; ROWS]],
) {
    let columns = packed.len() / taps.len().max(1);
    // As many columns at a time as fill a line of the cache.
    for column in (0..columns).step_by(ROWS) {
        let here = ROWS.min(columns - column);
        let filters = &w[column * apart[1]..];
        for (at, &tap) in taps.iter().enumerate() {
            for (c, packed) in packed[at * columns + column..][..here].iter_mut().enumerate() {
                let mut values = [0.0; ROWS];
                for (row, value) in values.iter_mut().enumerate().take(rows) {
                    *value = filters[row * apart[0] + c * apart[1] + tap];
                }
                *packed = values;
            }
        }
    }
}

/// Of taps that lie on images, the places among all.
fn taps(p: &Params, [rows, columns]: [Side; 2]) -> impl Fn(usize) -> usize + Sync {
    let all = p.window.kernel_columns as usize;
    move |tap| (rows.before + tap / columns.taps) * all + columns.before + tap % columns.taps
}

/// Rows of a piece of work, where there are so many units of `rows`.
fn block(rows: usize, units: usize) -> usize {
    rows.div_ceil(PIECES.div_ceil(units.max(1))).next_multiple_of(2 * ROWS).min(rows.next_multiple_of(ROWS))
}

/// y (+)= a ∗ x + bias, for the packed matrix a of [to, (tap, from)].
fn convolve(
    p: &Params,
    [rows, columns]: [Side; 2],
    a: &[f32],
    [from, to]: [usize; 2],
    x: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    let (width, depth) = ((p.batch as usize).next_multiple_of(LANES), rows.taps * columns.taps * from);
    let (pixels, results) = (rows.places * columns.places, rows.results * columns.results);
    // [pixel, channel, image].
    let mut side = zeros(pixels * from * width);
    side.par_chunks_mut(from * width).enumerate().with_min_len(least(x.len())).for_each(|(pixel, side)| {
        for (channel, side) in side.chunks_exact_mut(width).enumerate() {
            let x = x.iter().skip(channel * pixels + pixel).step_by(from * pixels);
            side.iter_mut().zip(x).for_each(|(side, x)| *side = *x);
        }
    });
    let mut sums = zeros(results * to * width);
    let pieces = parallel::blocks(&mut sums, to * width, block(to, results) * width);
    pieces.into_par_iter().with_min_len(products(p.flops())).for_each(|(result, start, sums)| {
        let (on_rows, place_row) = rows.taps_of(result / columns.results);
        let (on_columns, place_column) = columns.taps_of(result % columns.results);
        let (row, count) = (start / width, sums.len() / width);
        let bias = bias.get(row..).unwrap_or(&[]);
        if on_rows.is_empty() || on_columns.is_empty() {
            sums.chunks_exact_mut(width).zip(bias).for_each(|(sums, bias)| sums.fill(*bias));
            return;
        }
        for (index, tap) in on_rows.enumerate() {
            let place = (place_row + index) * columns.places + place_column;
            let first = (tap * columns.taps + on_columns.start) * from;
            let side = &side[place * from * width..][..on_columns.len() * from * width];
            let bias = if index == 0 { bias } else { &[] };
            let (a, [columns, x_pitch, y_pitch]) = (&a[row * depth..], [width; 3]);
            gemm::product(
                Product { a, depth, first, bias, add: index > 0, rows: count, columns, x_pitch, y_pitch },
                side,
                sums,
            );
        }
    });
    y.par_chunks_mut(to * results).enumerate().with_min_len(least(sums.len())).for_each(|(image, y)| {
        if p.accumulate == 0 {
            y.fill(0.0);
        }
        for (result, sums) in sums.chunks_exact(to * width).enumerate() {
            let sums = sums.iter().skip(image).step_by(width);
            y.iter_mut().skip(result).step_by(results).zip(sums).for_each(|(y, sum)| *y += sum);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::conv::Window;

    #[test]
    fn taps_beside_the_image_are_left_out() {
        // 7 taps over 4 places: results 0 to 3 have the taps from 3, 2, 1, 0 on, four each.
        let side = Side::new(4, 4, 7, 3);
        assert_eq!([0, 1, 3].map(|at| side.taps_of(at)), [(3..7, 0), (2..6, 0), (0..4, 0)]);
        assert_eq!([0, 3, 5].map(|tap| side.results_of(tap)), [(3..4, 0), (0..4, 0), (0..2, 2)]);
        assert_eq!(side.pairs(), 16);
        // Of 7 over 2 places only three are ever on the image.
        let side = Side::new(2, 2, 7, 3);
        assert_eq!((side.taps, side.before, side.pairs()), (3, 2, 4));
        assert_eq!([0, 1].map(|at| side.turned().taps_of(at)), [(1..3, 0), (0..2, 0)]);
        // An image that no window reaches.
        assert_eq!(Side::new(2, 1, 3, 9).pairs(), 0);
    }

    #[test]
    fn small_images_and_large_windows_suit() {
        let p = |size: u32, kernel: u32, batch| Params {
            batch,
            inputs: 16,
            outputs: 16,
            groups: 1,
            window: Window::square([size; 2], kernel, 1, 1, kernel as i32 / 2),
            ..Params::default()
        };
        // In hundredths of the products as they are defined.
        let takes = |size, kernel, batch| {
            let p = p(size, kernel, batch);
            products_of(&p).map(|products| 100 * products / (batch as usize * p.out_pixels() * p.taps()) as u64)
        };
        assert_eq!([takes(2, 3, 16), takes(4, 7, 16), takes(8, 7, 64)], [Some(44), Some(32), Some(61)]);
        assert_eq!(takes(32, 5, 16), Some(92));
        // Nine images leave seven columns empty, seven are too few.
        assert_eq!([takes(16, 3, 9), takes(2, 7, 9), takes(4, 7, 7)], [Some(163), Some(14), None]);
    }
}
