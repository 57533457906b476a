//! Factorised reduction of images [batch, inputs, height, width]: a ReLU, then two pointwise convolutions
//! of stride 2, the second of which (h = 1) reads the image shifted by one row and one column. Both have
//! their outputs in blocks that take turns: with h = (o / block) mod 2,
//! `y[n, o, i, j] = Σ_c w[o, c] max(x[n, c, 2i + h, 2j + h], 0)`, where x is 0 outside the image, for
//! ⌈height/2⌉ × ⌈width/2⌉ pixels; and its gradients.

use crate::device::{Call, Class, Kernel, Launch};
use crate::kernels::cpu::gemm::{self, Places, ROWS, WIDTH};
use crate::kernels::cpu::parallel::{self, sum_pieces};
use crate::kernels::cpu::pixel_panel::Panel;
use crate::kernels::cpu::row_products::{self, Rows, Sums};
use crate::kernels::cpu::scratch::scratch;
use crate::kernels::cpu::store::store;
use crate::kernels::cpu::vector::LANES;
use half::Half;
use rayon::prelude::*;

mod cases;
mod half;
mod params;
mod reference;

pub use params::Params;

/// y (+)= w · max(x, 0).
pub static FORWARD: Kernel = Kernel {
    name: "factorized_reduce_forward",
    source: wgsl!("factorized_reduce_forward"),
    params: Params::LAYOUT,
    inputs: &["x", "w"],
    outputs: &["y"],
    launch: |params, class| {
        let p = Params::of(params);
        blocks(&p, p.outputs / 2, class)
    },
    flops: |params| Params::of(params).flops(),
    twin: forward,
    reference: reference::forward,
    cases: || cases::all(cases::forward),
    benches: || cases::benches(cases::forward),
};

/// dx (+)= \[x > 0\] · wᵀ · dy.
pub static BACKWARD_INPUT: Kernel = Kernel {
    name: "factorized_reduce_backward_input",
    source: wgsl!("factorized_reduce_backward_input"),
    params: Params::LAYOUT,
    inputs: &["x", "w", "dy"],
    outputs: &["dx"],
    launch: |params, class| {
        let p = Params::of(params);
        blocks(&p, p.inputs, class)
    },
    flops: |params| Params::of(params).flops(),
    twin: backward_input,
    reference: reference::backward_input,
    cases: || cases::all(cases::backward_input),
    benches: || cases::benches(cases::backward_input),
};

/// dw (+)= dy · max(x, 0)ᵀ.
pub static BACKWARD_WEIGHT: Kernel = Kernel {
    name: "factorized_reduce_backward_weight",
    source: wgsl!("factorized_reduce_backward_weight"),
    params: Params::LAYOUT,
    inputs: &["x", "dy"],
    outputs: &["dw"],
    launch: |params, class| {
        let p = Params::of(params);
        let blocks = u64::from((p.outputs / 2).div_ceil(4)) * u64::from(p.inputs.div_ceil(4));
        let workgroup = if class == Class::Hardware { 64 } else { 8 };
        Launch { groups: 2 * blocks, ..Launch::default() }.constant("WORKGROUP", workgroup)
    },
    flops: |params| Params::of(params).flops(),
    twin: backward_weight,
    reference: reference::backward_weight,
    cases: || cases::all(cases::backward_weight),
    benches: || cases::benches(cases::backward_weight),
};

/// Workgroups that each compute eight of `channels` channels of one half, for four pixels an invocation.
fn blocks(p: &Params, channels: u32, class: Class) -> Launch {
    let workgroup = if class == Class::Hardware { 64 } else { 8 };
    let tiles = (p.batch as usize * p.out_pixels()).div_ceil(4 * workgroup as usize);
    Launch { groups: 2 * tiles as u64 * u64::from(channels.div_ceil(8)), ..Launch::default() }
        .with("WORKGROUP", workgroup)
}

fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, w, y) = (&call.input(0)[p.x()], &call.input(1)[p.w()], &mut call.output(0)[p.y()]);
    let (inputs, outputs, pixels) = (p.inputs as usize, p.outputs as usize, p.out_pixels());
    let rows = outputs / 2;
    if y.is_empty() || inputs == 0 {
        return;
    }
    let images = p.images(WIDTH);
    let halves = Half::both(&p);
    let places = |_, _| Places { first: 0, row: inputs, column: 1 };
    let a = halves.map(|half| gemm::pack(&half.filters(w), [1, rows, 1, inputs], places));
    let least = parallel::products(p.flops());
    y.par_chunks_mut(images * outputs * pixels).enumerate().with_min_len(least).for_each(|(unit, y)| {
        let x = &x[unit * images * inputs * p.pixels()..];
        let columns = y.len() / outputs;
        scratch([inputs * WIDTH, rows.next_multiple_of(ROWS) * WIDTH], |[b, c]| {
            for first in (0..columns).step_by(WIDTH) {
                let panel = Panel { first, width: WIDTH, columns, pixels };
                for (half, a) in halves.iter().zip(&a) {
                    half.gather(panel, x, b);
                    gemm::multiply(a, inputs, 0, b, c);
                    for (row, c) in c.chunks_exact(WIDTH).take(rows).enumerate() {
                        panel.each_run(|at, image, pixel, length| {
                            let y = &mut y[(image * outputs + half.output(row)) * pixels + pixel..][..length];
                            store(y, &c[at..at + length], 0.0, p.accumulate != 0);
                        });
                    }
                }
            }
        });
    });
}

fn backward_input(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, w) = (&call.input(0)[p.x()], &call.input(1)[p.w()]);
    let (dy, dx) = (&call.input(2)[p.y()], &mut call.output(0)[p.dx()]);
    let (inputs, outputs, pixels) = (p.inputs as usize, p.outputs as usize, p.out_pixels());
    let depth = outputs / 2;
    if dx.is_empty() {
        return;
    }
    let images = p.images(WIDTH);
    let halves = Half::both(&p);
    let places = |_, _| Places { first: 0, row: 1, column: inputs };
    let a = halves.map(|half| gemm::pack(&half.filters(w), [1, inputs, 1, depth], places));
    let unit = images * inputs * p.pixels();
    let units = dx.par_chunks_mut(unit).zip(x.par_chunks(unit)).enumerate();
    units.with_min_len(parallel::products(p.flops())).for_each(|(unit, (dx, x))| {
        let dy = &dy[unit * images * outputs * pixels..];
        let columns = x.len() / p.pixels() / inputs * pixels;
        if p.accumulate == 0 {
            dx.fill(0.0);
        }
        scratch([depth * WIDTH, inputs.next_multiple_of(ROWS) * WIDTH], |[b, c]| {
            for first in (0..columns).step_by(WIDTH) {
                let panel = Panel { first, width: WIDTH, columns, pixels };
                for (half, a) in halves.iter().zip(&a) {
                    half.gather_results(panel, dy, b);
                    gemm::multiply(a, depth, 0, b, c);
                    half.scatter(panel, c, x, dx);
                }
            }
        });
    });
}

/// Columns that [`backward_weight`] sums in one chain for each lane.
const RUN: usize = 512;

fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, dy, dw) = (&call.input(0)[p.x()], &call.input(1)[p.y()], &mut call.output(0)[p.w()]);
    let (batch, pixels, block) = (p.batch as usize, p.out_pixels(), p.block as usize);
    let (inputs, outputs) = (p.inputs as usize, p.outputs as usize);
    let images = p.images(RUN);
    sum_pieces(dw, p.accumulate != 0, batch.div_ceil(images), p.flops(), |unit, dw| {
        let x = &x[unit * images * inputs * p.pixels()..];
        let dy = &dy[unit * images * outputs * pixels..];
        let columns = images.min(batch - unit * images) * pixels;
        let width = columns.min(RUN).next_multiple_of(LANES);
        scratch([outputs / 2 * width, inputs * width, row_products::memory(block, inputs)], |[a, b, sums]| {
            for first in (0..columns).step_by(width) {
                let panel = Panel { first, width, columns, pixels };
                for half in Half::both(&p) {
                    half.gather_results(panel, dy, a);
                    half.gather(panel, x, b);
                    let b = Rows { values: b, pitch: width, image: 0, count: inputs };
                    for row in (0..outputs / 2).step_by(block) {
                        let a = Rows { values: &a[row * width..], pitch: width, image: 0, count: block };
                        let dw = &mut dw[half.output(row) * inputs..];
                        let mut sums = Sums::new(sums, [block, inputs], dw, inputs);
                        sums.add(a, b, 1, width);
                        sums.finish();
                    }
                }
            }
        });
    });
}
