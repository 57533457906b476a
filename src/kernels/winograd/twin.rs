//! The kernels on the CPU, F(4×4, 3×3): matrix products of panels, one for each of 36 places.
//!
//! A larger window is one of several blocks of 3×3 taps, each at its place beside the others: their products are added up before they
//! are transformed back.

use super::panels::{PANELS, gradients, input_columns, input_tiles, pack, pitch, quarter, results};
use super::tiles::{Tiles, lay_inputs, lay_outputs, put_outputs};
use super::transform::TAPS;
use super::{FilterParams, Params, filters};
use crate::device::Call;
use crate::kernels::cpu::gemm::{self, Product, ROWS};
use crate::kernels::cpu::parallel::{self, sum_pieces};
use crate::kernels::cpu::scratch::{lend, scratch};
use crate::kernels::cpu::vector::LANES;
use rayon::prelude::*;

/// Rows of tiles that are in work at a time: few enough that all values of the transforms stay in the second-level cache.
fn at_once(p: &Params, taps: usize) -> usize {
    let channels = p.inputs.max(p.outputs).max(1) as usize;
    let tiles = (2048 / channels).clamp(16, 64);
    (tiles / Tiles { p, taps, first: 0, rows: 1 }.count().max(1)).max(1)
}

/// Of windows of so many taps along either axis.
fn flops(p: &Params, taps: usize) -> u64 {
    p.flops() * (taps * taps) as u64 / (TAPS * TAPS) as u64
}

pub(super) fn filter(call: &mut Call<'_>) {
    let p: FilterParams = call.params();
    let w = &call.input(0)[p.w()];
    filters::transform_filters(&p, w, &mut call.output(0)[p.u()]);
}

/// y (+)= w ∗ x + bias for windows of `taps`×`taps`, an odd number, that keep the size; turned round, the gradient of x of such a
/// convolution. `w` is [outputs, inputs, taps, taps], or turned round [inputs, outputs, taps, taps].
pub(in crate::kernels) fn of_windows(
    p: &Params,
    taps: usize,
    x: &[f32],
    w: &[f32],
    turned: bool,
    bias: &[f32],
    y: &mut [f32],
) {
    let filters = filters::panels_of(p, taps, w, turned, (p.outputs as usize).next_multiple_of(LANES));
    convolve(p, taps, x, &filters, bias, y);
}

pub(super) fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, u) = (&call.input(0)[p.x()], &call.input(1)[p.u()]);
    let bias = if p.has_bias != 0 { &call.input(2)[parallel::range(p.bias, p.outputs as usize)] } else { &[] };
    let y = &mut call.output(0)[p.y()];
    if !y.is_empty() && p.inputs > 0 {
        let filters = filters::both_ways(&p, u, (p.outputs as usize).next_multiple_of(LANES));
        convolve(&p, TAPS, x, &filters, bias, y);
    }
}

/// As [`of_windows`], of the panels of `w`.
fn convolve(p: &Params, taps: usize, x: &[f32], filters: &[f32], bias: &[f32], y: &mut [f32]) {
    let (outputs, inputs, pixels) = (p.outputs as usize, p.inputs as usize, p.pixels());
    let width = outputs.next_multiple_of(LANES);
    let down = Tiles::down(p);
    let at_once = at_once(p, taps);
    // Images that fill the panels together, where one does not: some tiles at least, but not so many that threads find no work.
    let few = 8_usize.div_ceil(Tiles { p, taps, first: 0, rows: down }.count());
    let images = (at_once / down).min(few.max(p.batch as usize / 8)).clamp(1, p.batch as usize);
    // With few images the outputs are shared out, too.
    let share = p.batch < 8 && images == 1;
    let block = if share { outputs.div_ceil(4).next_multiple_of(LANES).min(outputs) } else { outputs };
    let pieces = parallel::blocks(y, images * outputs * pixels, if share { block * pixels } else { usize::MAX });
    pieces.into_par_iter().with_min_len(parallel::products(flops(p, taps))).for_each(|(unit, first, y)| {
        let here = images.min(p.batch as usize - unit * images);
        let x = &x[unit * images * inputs * pixels..];
        let (first, outputs) = (first / pixels, y.len() / (here * pixels));
        let (depth, room) = (inputs.next_multiple_of(LANES), outputs.next_multiple_of(LANES));
        let mut shifts = vec![0.0; room];
        shifts.iter_mut().zip(bias.iter().skip(first).take(outputs)).for_each(|(to, bias)| *to = *bias);
        let most = Tiles { p, taps, first: 0, rows: at_once };
        let places = quarter(most.count()) * ROWS;
        let (b, m) = (pitch(places * depth), pitch(places * room));
        let lengths = [most.of_inputs(depth), PANELS * b, places * depth, PANELS * m, most.of_outputs(room)];
        scratch(lengths, |[laid, panels, packed, sums, to]| {
            for first_row in (0..here * down).step_by(at_once) {
                let tiles = Tiles { first: first_row, rows: at_once.min(here * down - first_row), ..most };
                let rows = quarter(tiles.count()) * ROWS;
                let packed = &mut packed[..rows * depth];
                for block in 0..tiles.blocks().pow(2) {
                    let (block_down, block_right) = (block / tiles.blocks(), block % tiles.blocks());
                    if block_right == 0 {
                        lay_inputs(tiles, block_down, x, depth, laid);
                        input_columns(tiles, depth, laid);
                    }
                    input_tiles(tiles, block_right, laid, depth, b, panels);
                    for panel in 0..PANELS {
                        pack(&panels[panel * b..][..rows * depth], packed);
                        let (a, columns, x_pitch, y_pitch) = (&*packed, room, width, room);
                        let add = block > 0;
                        let product = Product { a, depth, first: 0, bias: &[], add, rows, columns, x_pitch, y_pitch };
                        let filters = &filters[(block * PANELS + panel) * inputs * width..][..inputs * width];
                        gemm::product(product, &filters[first..], &mut sums[panel * m..][..m]);
                    }
                }
                results(tiles, sums, m, &shifts, to);
                put_outputs(tiles, to, outputs, room, y);
            }
        });
    });
}

/// Partial sums of the gradient of the filters, at most.
const PARTS: usize = 16;

pub(super) fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, dy, dw) = (&call.input(0)[p.x()], &call.input(1)[p.y()], &mut call.output(0)[p.dw()]);
    weight_gradient(&p, TAPS, x, dy, dw);
}

/// dw (+)= the gradient of w, [outputs, inputs, taps, taps], for windows as [`of_windows`] has them.
pub(in crate::kernels) fn weight_gradient(p: &Params, taps: usize, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let (inputs, outputs) = (p.inputs as usize, p.outputs as usize);
    if dw.is_empty() {
        return;
    }
    let (room, height) = (inputs.next_multiple_of(LANES), outputs.next_multiple_of(LANES));
    let all = p.batch as usize * Tiles::down(p);
    let at_once = at_once(p, taps);
    let each = all.div_ceil(PARTS).next_multiple_of(at_once).max(1);
    let most = Tiles { p, taps, first: 0, rows: at_once };
    let size = PANELS * outputs * room;
    // c[block, panel, o, i] = Σ A dy Aᵀ · Bᵀ x B over all tiles.
    let mut c = lend(most.blocks().pow(2) * size);
    sum_pieces(&mut c, false, all.div_ceil(each), flops(p, taps), |unit, c| {
        let (a, b) = (pitch(most.count() * height), pitch(most.count() * room));
        let laid = most.of_inputs(room).max(most.of_outputs(height));
        scratch([laid, PANELS * a, PANELS * b], |[laid, left, right]| {
            for first in (unit * each..all.min((unit + 1) * each)).step_by(at_once) {
                let tiles = Tiles { first, rows: at_once.min(all.min((unit + 1) * each) - first), ..most };
                lay_outputs(tiles, dy, height, laid);
                gradients(tiles, laid, height, a, left);
                let depth = tiles.count();
                for (block, c) in c.chunks_exact_mut(size).enumerate() {
                    let (block_down, block_right) = (block / tiles.blocks(), block % tiles.blocks());
                    if block_right == 0 {
                        lay_inputs(tiles, block_down, x, room, laid);
                        input_columns(tiles, room, laid);
                    }
                    input_tiles(tiles, block_right, laid, room, b, right);
                    for (panel, c) in c.chunks_exact_mut(outputs * room).enumerate() {
                        let (rows, columns, x_pitch, y_pitch) = (outputs, room, room, room);
                        let a = &left[panel * a..][..a];
                        let product =
                            Product { a, depth, first: 0, bias: &[], add: true, rows, columns, x_pitch, y_pitch };
                        gemm::product(product, &right[panel * b..][..depth * room], c);
                    }
                }
            }
        });
    });
    let least = parallel::least(c.len());
    dw.par_chunks_mut(inputs * taps * taps).enumerate().with_min_len(least).for_each(|(o, dw)| {
        for (block, c) in c.chunks_exact(size).enumerate() {
            let block = [block / most.blocks(), block % most.blocks()];
            filters::gradient_of_block(c, o * room, outputs * room, taps, block, p.accumulate != 0, dw);
        }
    });
}
