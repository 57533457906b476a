//! The gradient of many weights from few pixels: a matrix product whose matrices are packed before. Products of rows with rows
//! would read and write their sums, a vector for each weight, more often than they add to them.

use super::Params;
use crate::kernels::cpu::gemm::{self, Product, ROWS};
use crate::kernels::cpu::parallel;
use crate::kernels::cpu::scratch::scratch;
use crate::kernels::cpu::vector::LANES;
use rayon::prelude::*;

/// Pixels of all images up to which matrices are packed: with more, packing takes as long as it saves.
const MOST: usize = 1024;
/// Weights from which on they are: those of fewer stay in the cache while pixels pass.
const FEWEST: u32 = 8192;
/// Columns of the result that one product computes: two vectors.
const PANEL: usize = 2 * LANES;
/// Rows of the result that a piece of work computes.
const BLOCK: usize = 8 * ROWS;

/// Pixels whose rows a piece of work packs at a time.
const RUN: usize = 512;
/// Pixels that are packed as columns at a time: so few that their rows stay in the first-level cache.
const NEAR: usize = 64;

/// Whether the weights' gradient is faster so.
pub(super) fn suits(p: &Params) -> bool {
    p.batch as usize * p.pixels as usize <= MOST && p.inputs * p.outputs >= FEWEST
}

/// Images of one operand, [batch, groups, channels, pixels].
#[derive(Clone, Copy)]
struct Images<'a> {
    values: &'a [f32],
    groups: usize,
    channels: usize,
    pixels: usize,
}

impl<'a> Images<'a> {
    /// A channel of a group of an image.
    fn plane(&self, image: usize, group: usize, channel: usize) -> &'a [f32] {
        &self.values[((image * self.groups + group) * self.channels + channel) * self.pixels..][..self.pixels]
    }
}

/// dw (+)= dy · xᵀ.
pub(super) fn backward_weight(p: &Params, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let [groups, pixels, columns] = [p.groups, p.pixels, p.batch * p.pixels].map(|n| n as usize);
    let of = |values, channels: u32| Images { values, groups, channels: channels as usize, pixels };
    let (inputs, outputs) = (of(x, p.inputs), of(dy, p.outputs));
    // To transpose takes longer than to pack rows: the smaller matrix is transposed.
    let turned = inputs.channels > outputs.channels;
    let (tall, wide) = if turned { (inputs, outputs) } else { (outputs, inputs) };
    let pitch = wide.channels.next_multiple_of(PANEL);
    scratch([groups * pitch * columns, groups * tall.channels * pitch], |[packed, product]| {
        pack_panels(p, wide, packed);
        multiply(p, tall, (packed, wide.channels), product);
        let store = |(row, dw): (usize, &mut [f32])| {
            let (group, output) = (row / outputs.channels, row % outputs.channels);
            let product = &product[group * tall.channels * pitch..];
            let put = |(dw, &value): (&mut f32, &f32)| *dw = if p.accumulate == 0 { value } else { *dw + value };
            if turned {
                dw.iter_mut().zip(product[output..].iter().step_by(pitch)).for_each(put);
            } else {
                dw.iter_mut().zip(&product[output * pitch..]).for_each(put);
            }
        };
        dw.par_chunks_mut(inputs.channels).enumerate().with_min_len(p.least()).for_each(store);
    });
}

/// The products of the rows of `images` with all panels. A piece of work packs its own rows, of as many images at a time as its
/// thread's cache holds.
fn multiply(p: &Params, images: Images<'_>, (panels, width): (&[f32], usize), y: &mut [f32]) {
    let batch = p.batch as usize;
    let (pitch, columns) = (width.next_multiple_of(PANEL), batch * images.pixels);
    let together = (RUN / images.pixels.max(1)).clamp(1, batch.max(1));
    let pieces = parallel::blocks(y, images.channels * pitch, BLOCK * pitch);
    pieces.into_par_iter().with_min_len(p.least()).for_each(|(group, start, y)| {
        let (first, rows) = (start / pitch, y.len() / pitch);
        scratch([rows.next_multiple_of(ROWS) * together * images.pixels], |[a]| {
            for image in (0..batch).step_by(together) {
                let count = together.min(batch - image);
                let depth = count * images.pixels;
                let a = &mut a[..rows.next_multiple_of(ROWS) * depth];
                for (block, a) in a.chunks_exact_mut(ROWS * depth).enumerate() {
                    pack_rows(images, image, group, first + block * ROWS, a);
                }
                for (at, panel) in (0..width).step_by(PANEL).enumerate() {
                    let b = &panels[((group * pitch / PANEL + at) * columns + image * images.pixels) * PANEL..];
                    let part = Product {
                        a,
                        depth,
                        first: 0,
                        bias: &[],
                        add: image > 0,
                        rows,
                        columns: PANEL.min((width - panel).next_multiple_of(LANES)),
                        x_pitch: PANEL,
                        y_pitch: pitch,
                    };
                    gemm::product(part, &b[..depth * PANEL], &mut y[panel..]);
                }
            }
        });
    });
}

/// Packs four channels of some images as [`gemm::pack`] packs rows: side by side, pixel after pixel.
fn pack_rows(images: Images<'_>, first: usize, group: usize, channel: usize, packed: &mut [f32]) {
    for (image, packed) in packed.chunks_exact_mut(ROWS * images.pixels).enumerate() {
        // What comes of rows beyond the last is not stored: any will do.
        let [a, b, c, d] =
            std::array::from_fn(|row| images.plane(first + image, group, (channel + row).min(images.channels - 1)));
        let four = packed.as_chunks_mut::<ROWS>().0.iter_mut().zip(a).zip(b).zip(c).zip(d);
        four.for_each(|((((four, &a), &b), &c), &d)| *four = [a, b, c, d]);
    }
}

/// Packs the channels of all groups as columns: panels of [`PANEL`], the pixels of all images as rows. What comes of columns
/// beyond the last is not stored.
fn pack_panels(p: &Params, images: Images<'_>, packed: &mut [f32]) {
    let (panels, batch) = (images.channels.div_ceil(PANEL), p.batch as usize);
    packed.par_chunks_mut(PANEL * images.pixels).enumerate().with_min_len(p.least()).for_each(|(unit, packed)| {
        let (panel, image) = (unit / batch, unit % batch);
        let (group, first) = (panel / panels, panel % panels * PANEL);
        for (run, packed) in packed.chunks_mut(NEAR * PANEL).enumerate() {
            for channel in first..images.channels.min(first + PANEL) {
                let plane = &images.plane(image, group, channel)[run * NEAR..];
                packed[channel - first..].iter_mut().step_by(PANEL).zip(plane).for_each(|(to, &from)| *to = from);
            }
        }
    });
}
