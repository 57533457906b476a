//! The kernels on the CPU: matrix products of panels, one for each value of the transform.

use super::strips::{Panels, Results, gather_inputs, scatter_results, strips};
use super::tiles::{Tiles, gradients, inputs as inputs_of};
use super::transform::{self, TAPS, VALUES};
use super::{FilterParams, Params};
use crate::device::Call;
use crate::kernels::cpu::gemm::{self, Product, ROWS, WIDTH};
use crate::kernels::cpu::parallel::{self, sum_pieces};
use crate::kernels::cpu::scratch::scratch;
use crate::kernels::cpu::vector::LANES;
use rayon::prelude::*;

/// Channels that are in work at a time: with all values of the transform they stay in the second-level cache.
const CHANNELS: usize = 32;

pub(super) fn filter(call: &mut Call<'_>) {
    let p: FilterParams = call.params();
    let (outputs, inputs, columns) = (p.outputs as usize, p.inputs as usize, p.columns());
    let w = &call.input(0)[p.w()];
    let u = &mut call.output(0)[p.u()];
    for o in 0..outputs {
        for i in 0..inputs {
            let w = &w[(o * inputs + i) * TAPS * TAPS..][..TAPS * TAPS];
            for s in 0..TAPS {
                let (to, taps) = match p.turned {
                    0 => ((o * inputs + i) * TAPS + s, [w[s], w[TAPS + s], w[2 * TAPS + s]]),
                    _ => ((i * outputs + o) * TAPS + s, [w[2 * TAPS + 2 - s], w[TAPS + 2 - s], w[2 - s]]),
                };
                let values = transform::filter(taps);
                values.into_iter().enumerate().for_each(|(v, value)| u[v * columns + to] = value);
            }
        }
    }
}

pub(super) fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, u) = (&call.input(0)[p.x()], &call.input(1)[p.u()]);
    let bias = if p.has_bias != 0 { &call.input(2)[parallel::range(p.bias, p.outputs as usize)] } else { &[] };
    let y = &mut call.output(0)[p.y()];
    let (rows, depth, inputs, pixels) = (p.outputs as usize, p.depth(), p.inputs as usize, p.pixels());
    if y.is_empty() || depth == 0 {
        return;
    }
    let a = gemm::pack(VALUES, rows, depth, |v, row, k| u[(v * rows + row) * depth + k]);
    let padded = rows.next_multiple_of(ROWS);
    let images = p.images(WIDTH);
    // With few images the outputs are shared out, too.
    let share = p.batch < 8 && images == 1;
    let block = if share { rows.div_ceil(4).next_multiple_of(2 * ROWS).min(rows) } else { rows };
    let pieces = parallel::blocks(y, images * rows * pixels, if share { block * pixels } else { usize::MAX });
    pieces.into_par_iter().with_min_len(parallel::products(p.flops())).for_each(|(unit, first, y)| {
        let here = images.min(p.batch as usize - unit * images);
        let x = &x[unit * images * inputs * pixels..];
        let (first, outputs) = (first / pixels, y.len() / (here * pixels));
        let height = outputs.next_multiple_of(ROWS);
        let (channels, columns) = (CHANNELS.min(inputs), here * p.columns());
        let (pitch, sums) = (channels * TAPS * WIDTH, height * WIDTH);
        scratch([VALUES * pitch, VALUES * sums], |[b, m]| {
            for column in (0..columns).step_by(WIDTH) {
                let strips = strips(&p, column, WIDTH, columns);
                for i in (0..inputs).step_by(channels) {
                    let count = channels.min(inputs - i);
                    gather_inputs(Panels { p: &p, strips: &strips, width: WIDTH, pitch }, x, i, count, b);
                    for v in 0..VALUES {
                        let a = &a[(v * padded + first) * depth..][..height * depth];
                        let (b, m) = (&b[v * pitch..][..count * TAPS * WIDTH], &mut m[v * sums..][..sums]);
                        gemm::multiply(a, depth, i * TAPS, b, m);
                    }
                }
                let results = Results { outputs, bias: bias.get(first..).unwrap_or(&[]) };
                scatter_results(Panels { p: &p, strips: &strips, width: WIDTH, pitch: sums }, m, results, y);
            }
        });
    });
}

/// Columns whose products are summed at a time.
const RUN: usize = 128;

pub(super) fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, dy, dw) = (&call.input(0)[p.x()], &call.input(1)[p.y()], &mut call.output(0)[p.dw()]);
    let (inputs, outputs) = (p.inputs as usize, p.outputs as usize);
    if dw.is_empty() {
        return;
    }
    let channels = inputs.next_multiple_of(LANES);
    let (row, of_output) = (p.width as usize, TAPS * channels);
    let all = p.batch as usize * Tiles::of_image(&p);
    let at_once = (RUN / row).clamp(1, all.max(1));
    // c[v, o, s, i] = Σ A dy · Bᵀ x over all columns.
    let mut c = vec![0.0; VALUES * outputs * of_output];
    sum_pieces(&mut c, false, all.div_ceil(at_once), p.flops(), |unit, c| {
        let first = unit * at_once;
        let tiles = Tiles { p: &p, first, count: at_once.min(all - first) };
        let depth = tiles.places();
        let (a_pitch, b_pitch) = (outputs.next_multiple_of(ROWS) * depth, (depth + 1) * channels);
        // One place more: what the last tap reads for the last place, whose gradient is zero.
        scratch([VALUES * a_pitch, VALUES * b_pitch + channels], |[a, b]| {
            b[VALUES * b_pitch..].fill(0.0);
            gradients(tiles, dy, a_pitch, a);
            inputs_of(tiles, x, channels, b_pitch, b);
            for v in 0..VALUES {
                let a = &a[v * a_pitch..][..a_pitch];
                let c = &mut c[v * outputs * of_output..][..outputs * of_output];
                for s in 0..TAPS {
                    let b = &b[v * b_pitch + s * channels..][..depth * channels];
                    let c = &mut c[s * channels..];
                    let (x_pitch, y_pitch) = (channels, of_output);
                    let (rows, columns) = (outputs, channels);
                    let product = Product { a, depth, first: 0, bias: &[], add: true, rows, columns, x_pitch, y_pitch };
                    gemm::product(product, b, c);
                }
            }
        });
    });
    let least = parallel::least(c.len());
    dw.par_chunks_mut(inputs * TAPS * TAPS).enumerate().with_min_len(least).for_each(|(o, dw)| {
        for s in 0..TAPS {
            let value = |v: usize| &c[((v * outputs + o) * TAPS + s) * channels..][..inputs];
            let values: [&[f32]; VALUES] = std::array::from_fn(value);
            for (i, dw) in dw.as_chunks_mut::<{ TAPS * TAPS }>().0.iter_mut().enumerate() {
                let taps = transform::taps(std::array::from_fn(|v| values[v][i]));
                for (r, tap) in taps.into_iter().enumerate() {
                    let to = &mut dw[r * TAPS + s];
                    *to = if p.accumulate != 0 { *to + tap } else { tap };
                }
            }
        }
    });
}
