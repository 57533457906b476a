//! Convolution of [batch, inputs, height, width] with w [outputs, inputs / groups, rows, columns]:
//! `y[n, o, y, x] = bias[o] + Σ w[o, i, r, s] · x[n, i, y·stride + r·dilation − pad_top, x·stride + s·dilation − pad_left]`
//! over the inputs i of o's group, where x is 0 outside the image; and its gradients. Padding
//! may be negative (the image is shifted); how much there is below and on the right follows from the
//! size of y.

use crate::device::{Call, Class, Kernel, Launch};
use crate::kernels::cpu::gemm::{self, Places, ROWS, WIDTH};
use crate::kernels::cpu::parallel::{self, sum_pieces};
use crate::kernels::cpu::row_products::{self, Rows, Sums};
use crate::kernels::cpu::scratch::scratch;
use crate::kernels::cpu::store::store;
use crate::kernels::cpu::vector::LANES;
use columns::{Columns, gather_results};
use rayon::prelude::*;

mod blocks;
mod cases;
mod columns;
mod params;
mod reach;
mod reference;
mod window;

pub use params::Params;

pub use window::Window;

/// y (+)= w ∗ x + bias.
pub static FORWARD: Kernel = Kernel {
    name: "conv_forward",
    source: wgsl!("conv_forward"),
    params: Params::LAYOUT,
    inputs: &["x", "w", "bias"],
    outputs: &["y"],
    launch: |params, class| {
        let p = Params::of(params);
        blocks(&p, p.batch as usize * p.out_pixels(), p.group_outputs(), class)
    },
    flops: |params| Params::of(params).flops(),
    twin: forward,
    reference: reference::forward,
    cases: || cases::all(cases::forward),
    benches: || cases::benches(cases::forward),
};

/// dx (+)= the gradient of x.
pub static BACKWARD_INPUT: Kernel = Kernel {
    name: "conv_backward_input",
    source: wgsl!("conv_backward_input"),
    params: Params::LAYOUT,
    inputs: &["w", "dy"],
    outputs: &["dx"],
    launch: |params, class| {
        let p = Params::of(params);
        blocks(&p, p.batch as usize * p.pixels(), p.group_inputs(), class)
    },
    flops: |params| Params::of(params).flops(),
    twin: backward_input,
    reference: reference::backward_input,
    cases: || cases::all(cases::backward_input),
    benches: || cases::benches(cases::backward_input),
};

/// dw (+)= the gradient of w.
pub static BACKWARD_WEIGHT: Kernel = Kernel {
    name: "conv_backward_weight",
    source: wgsl!("conv_backward_weight"),
    params: Params::LAYOUT,
    inputs: &["x", "dy"],
    outputs: &["dw"],
    launch: |params, class| {
        let p = Params::of(params);
        let (workgroup, block) = if class == Class::Hardware { (128, 2) } else { (16, 4) };
        let blocks = p.group_outputs().div_ceil(block) * p.group_inputs().div_ceil(block);
        Launch { groups: (blocks * p.taps()) as u64 * u64::from(p.groups), ..Launch::default() }
            .constant("WORKGROUP", workgroup)
            .constant("BLOCK", block as u32)
    },
    flops: |params| Params::of(params).flops(),
    twin: backward_weight,
    reference: reference::backward_weight,
    cases: || cases::all(cases::backward_weight),
    benches: || cases::benches(cases::backward_weight),
};

/// Workgroups that each compute `CHANNELS` of a group's channels of `WORKGROUP · PIXELS` pixels.
fn blocks(p: &Params, columns: usize, channels: usize, class: Class) -> Launch {
    let (workgroup, pixels, block) = if class == Class::Hardware { (64, 2, 8) } else { (16, 4, 4) };
    let tiles = columns.div_ceil((workgroup * pixels) as usize);
    Launch { groups: (tiles * channels.div_ceil(block)) as u64 * u64::from(p.groups), ..Launch::default() }
        .with("WORKGROUP", workgroup)
        .with("ROWS", p.window.kernel_rows)
        .with("COLUMNS", p.window.kernel_columns)
        .constant("PIXELS", pixels)
        .constant("CHANNELS", block as u32)
}

/// Hundredths of the products from which on down [`reach`] is the faster: gradients gain more by it.
const FORWARD_REACH: u64 = 90;

/// How a convolution is computed.
enum Way {
    /// As products of unfolded windows.
    Windows,
    /// By [`reach`].
    Reach,
    /// By [`blocks`].
    Blocks,
}

impl Way {
    /// The one that takes least; `hundredths` of the products as they are defined [`reach`] may take.
    fn of(p: &Params, hundredths: u64) -> Self {
        let all = (p.batch as usize * p.out_pixels() * p.taps()) as u64;
        let reach = reach::products_of(p).filter(|products| 100 * products <= hundredths * all);
        match reach {
            _ if blocks::suits(p, reach.unwrap_or(all)) => Self::Blocks,
            Some(_) => Self::Reach,
            None => Self::Windows,
        }
    }
}

/// Rows of unfolded windows that are in work at a time: as much as stays in the second-level cache.
const DEPTH: usize = 512;

fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, w) = (&call.input(0)[p.x()], &call.input(1)[p.w()]);
    let bias = (p.has_bias != 0).then(|| &call.input(2)[parallel::range(p.bias, p.outputs as usize)]);
    let y = &mut call.output(0)[p.y()];
    let (pixels, depth, rows) = (p.out_pixels(), p.depth(), p.group_outputs());
    if y.is_empty() || depth == 0 {
        return;
    }
    match Way::of(&p, FORWARD_REACH) {
        Way::Reach => return reach::forward(&p, x, w, bias, y),
        Way::Blocks => return blocks::forward(&p, x, w, bias.unwrap_or(&[]), y),
        Way::Windows => {}
    }
    // w · windows, where the columns of the latter are those of y. Small images share a panel.
    let padded = rows.next_multiple_of(ROWS);
    let groups = p.groups as usize;
    let places = |group: usize, _| Places { first: group * rows * depth, row: depth, column: 1 };
    let a = gemm::pack(w, [groups, rows, 1, depth], places);
    let images = p.images(WIDTH);
    let unit = images * p.outputs as usize * pixels;
    // With few images the outputs are shared out, too.
    let share = p.batch < 8 && images == 1;
    let block = if share { rows.div_ceil(8).next_multiple_of(ROWS).min(rows) } else { rows };
    let pieces = if share {
        let mut pieces = Vec::new();
        for (at, y) in y.chunks_mut(rows * pixels).enumerate() {
            let (image, group) = (at / p.groups as usize, at % p.groups as usize);
            pieces.extend(y.chunks_mut(block * pixels).enumerate().map(|(b, y)| (image, group, b * block, y)));
        }
        pieces
    } else {
        y.chunks_mut(unit).enumerate().map(|(at, y)| (at, 0, 0, y)).collect()
    };
    pieces.into_par_iter().with_min_len(parallel::products(p.flops())).for_each(|(unit, first_group, first, y)| {
        let here = images.min(p.batch as usize - unit * images);
        let (groups, block, outputs) =
            if share { (1, y.len() / pixels, y.len() / pixels) } else { (p.groups as usize, rows, p.outputs as usize) };
        let x = &x[unit * images * p.inputs as usize * p.pixels()..];
        let (columns, height) = (here * pixels, block.next_multiple_of(ROWS));
        scratch([DEPTH.min(depth) * WIDTH, height * WIDTH], |[b, c]| {
            for column in (0..columns).step_by(WIDTH) {
                let window = Columns::new(&p, column, WIDTH, columns);
                for group in 0..groups {
                    let weights = (first_group + group) * padded + first;
                    for k in (0..depth).step_by(DEPTH) {
                        let b = &mut b[..DEPTH.min(depth - k) * WIDTH];
                        window.gather(x, (first_group + group) * p.group_inputs(), k, b);
                        gemm::multiply(&a[weights * depth..][..height * depth], depth, k, b, c);
                    }
                    for (row, c) in c.chunks_exact(WIDTH).take(block).enumerate() {
                        let output = group * rows + row;
                        let bias = bias.map_or(0.0, |bias| bias[first_group * rows + first + output]);
                        window.each_image(|at, image, pixel, length| {
                            let y = &mut y[(image * outputs + output) * pixels + pixel..][..length];
                            store(y, &c[at..at + length], bias, p.accumulate != 0);
                        });
                    }
                }
            }
        });
    });
}

fn backward_input(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (w, dy, dx) = (&call.input(0)[p.w()], &call.input(1)[p.y()], &mut call.output(0)[p.x()]);
    let (pixels, rows, depth) = (p.out_pixels(), p.depth(), p.group_outputs());
    if dx.is_empty() {
        return;
    }
    match Way::of(&p, 100) {
        Way::Reach => return reach::backward_input(&p, w, dy, dx),
        Way::Blocks => return blocks::backward_input(&p, w, dy, dx),
        Way::Windows => {}
    }
    // wᵀ · dy, whose rows are those of the unfolded windows, is added where the windows were read.
    let padded = rows.next_multiple_of(ROWS);
    let places = |group: usize, _| Places { first: group * rows * depth, row: 1, column: rows };
    let a = gemm::pack(w, [p.groups as usize, rows, 1, depth], places);
    let images = p.images(WIDTH);
    let unit = images * p.inputs as usize * p.pixels();
    dx.par_chunks_mut(unit).enumerate().with_min_len(parallel::products(p.flops())).for_each(|(unit, dx)| {
        if p.accumulate == 0 {
            dx.fill(0.0);
        }
        let here = images.min(p.batch as usize - unit * images);
        let dy = &dy[unit * images * p.outputs as usize * pixels..];
        scratch([depth * WIDTH, DEPTH.min(padded) * WIDTH], |[b, c]| {
            for column in (0..here * pixels).step_by(WIDTH) {
                let window = Columns::new(&p, column, WIDTH, here * pixels);
                for group in 0..p.groups as usize {
                    gather_results(&window, dy, group * depth, b);
                    for row in (0..rows).step_by(DEPTH) {
                        let c = &mut c[..DEPTH.min(padded - row) * WIDTH];
                        let a = &a[(group * padded + row) * depth..][..c.len() / WIDTH * depth];
                        gemm::multiply(a, depth, 0, b, c);
                        window.scatter(&c[..DEPTH.min(rows - row) * WIDTH], group * p.group_inputs(), row, dx);
                    }
                }
            }
        });
    });
}

/// Columns that [`backward_weight`] sums in one chain for each lane.
const RUN: usize = 512;
/// Rows of unfolded windows of that length that are in work at a time.
const RUN_ROWS: usize = 128;

fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, dy, dw) = (&call.input(0)[p.x()], &call.input(1)[p.y()], &mut call.output(0)[p.w()]);
    let (batch, pixels, depth, outputs) = (p.batch as usize, p.out_pixels(), p.depth(), p.group_outputs());
    match Way::of(&p, 100) {
        Way::Reach => return reach::backward_weight(&p, x, dy, dw),
        Way::Blocks => return blocks::backward_weight(&p, x, dy, dw),
        Way::Windows => {}
    }
    let images = p.images(RUN);
    sum_pieces(dw, p.accumulate != 0, batch.div_ceil(images), p.flops(), |unit, dw| {
        let x = &x[unit * images * p.inputs as usize * p.pixels()..];
        let dy = &dy[unit * images * p.outputs as usize * pixels..];
        let columns = images.min(batch - unit * images) * pixels;
        let width = columns.min(RUN).next_multiple_of(LANES);
        let memory = row_products::memory(outputs, RUN_ROWS.min(depth));
        scratch([outputs * width, RUN_ROWS.min(depth) * width, memory], |[a, b, sums]| {
            for column in (0..columns).step_by(width) {
                let window = Columns::new(&p, column, width, columns);
                for group in 0..p.groups as usize {
                    gather_results(&window, dy, group * outputs, a);
                    for k in (0..depth).step_by(RUN_ROWS) {
                        let b = &mut b[..RUN_ROWS.min(depth - k) * width];
                        window.gather(x, group * p.group_inputs(), k, b);
                        let a = Rows { values: a, pitch: width, image: 0, count: outputs };
                        let b = Rows { values: b, pitch: width, image: 0, count: b.len() / width };
                        let dw = &mut dw[group * outputs * depth + k..];
                        let mut sums = Sums::new(sums, [outputs, b.count], dw, depth);
                        sums.add(a, b, 1, width);
                        sums.finish();
                    }
                }
            }
        });
    });
}
