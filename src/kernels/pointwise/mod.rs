//! Pointwise (1×1, stride 1) convolution of images [batch, groups, inputs, pixels], a matrix product for
//! each image n and group g: `y[n, g, o, p] = Σᵢ w[g, o, i] x[n, g, i, p] + bias[g, o]` within bounds,
//! `dx[n, g, i, p] = Σₒ w[g, o, i] dy[n, g, o, p]`, `dw[g, o, i] = Σₙₚ dy[n, g, o, p] x[n, g, i, p]`.

use crate::device::{Call, Class, Kernel, Launch};
use crate::kernels::cpu::contiguous::bound;
use crate::kernels::cpu::gemm::{self, Places, Product, ROWS, WIDTH};
use crate::kernels::cpu::parallel;
use crate::kernels::cpu::pixel_panel::Panel;
use crate::kernels::cpu::scratch::scratch;
use crate::kernels::cpu::store::store;
use crate::kernels::cpu::vector::{LANES, NEAR, touch};
use rayon::prelude::*;

mod cases;
mod packed;
mod params;
mod reference;
mod weight;

pub use params::Params;

/// y (+)= w · x + bias, within bounds if there are any.
pub static FORWARD: Kernel = Kernel {
    name: "pointwise_conv_forward",
    source: wgsl!("include/within", "include/pixels", "pointwise_conv_forward"),
    params: Params::LAYOUT,
    inputs: &["x", "w", "bias"],
    outputs: &["y"],
    launch: |params, class| {
        let p = Params::of(params);
        blocks(&p, p.outputs, class)
    },
    flops: |params| 2 * Params::of(params).multiply_adds(),
    twin: forward,
    reference: reference::forward,
    cases: || cases::all(cases::forward),
    benches: || cases::benches(cases::forward),
};

/// dx (+)= wᵀ · dy.
pub static BACKWARD_INPUT: Kernel = Kernel {
    name: "pointwise_conv_backward_input",
    source: wgsl!("include/pixels", "pointwise_conv_backward_input"),
    params: Params::LAYOUT,
    inputs: &["w", "dy"],
    outputs: &["dx"],
    launch: |params, class| {
        let p = Params::of(params);
        blocks(&p, p.inputs, class)
    },
    flops: |params| 2 * Params::of(params).multiply_adds(),
    twin: backward_input,
    reference: reference::backward_input,
    cases: || cases::all(cases::backward_input),
    benches: || cases::benches(cases::backward_input),
};

/// dw (+)= dy · xᵀ.
pub static BACKWARD_WEIGHT: Kernel = Kernel {
    name: "pointwise_conv_backward_weight",
    source: wgsl!("pointwise_conv_backward_weight"),
    params: Params::LAYOUT,
    inputs: &["x", "dy"],
    outputs: &["dw"],
    launch: |params, class| {
        let p = Params::of(params);
        // Each loaded value meets a whole block; graphics cards need more workgroups than that leaves.
        let (workgroup, block) = match class {
            Class::Hardware => (128, 2),
            Class::Software if p.inputs.max(p.outputs) > 4 => (8, 8),
            Class::Software => (8, 4),
        };
        let blocks = u64::from(p.outputs.div_ceil(block)) * u64::from(p.inputs.div_ceil(block));
        Launch { groups: blocks * u64::from(p.groups), ..Launch::default() }
            .constant("WORKGROUP", workgroup)
            .constant("BLOCK", block)
    },
    flops: |params| 2 * Params::of(params).multiply_adds(),
    twin: weight::backward,
    reference: reference::backward_weight,
    cases: || cases::all(cases::backward_weight),
    benches: || cases::benches(cases::backward_weight),
};

/// Workgroups that each compute `CHANNELS` of a group's channels of `4 · WORKGROUP` pixels, or of twice as many.
fn blocks(p: &Params, channels: u32, class: Class) -> Launch {
    // On a software driver a load of a weight costs as much as many products: use it often.
    let (workgroup, wide) = match class {
        Class::Hardware => (64, false),
        Class::Software => (16, channels > 8),
    };
    let run = workgroup * if wide { 8 } else { 4 };
    let tiles = p.columns().div_ceil(u64::from(run)) * u64::from(p.groups);
    // Many channels share each load of a pixel, unless that leaves a graphics card without work.
    let block = match class {
        Class::Hardware if channels > 4 && tiles * u64::from(channels) >= 1 << 12 => 8,
        Class::Software if channels > 8 => 16,
        Class::Software if channels > 4 => 8,
        _ => 4,
    };
    Launch { groups: tiles * u64::from(channels.div_ceil(block)), ..Launch::default() }
        .with("WORKGROUP", workgroup)
        .with("ACCUMULATE", p.accumulate)
        .constant("CHANNELS", block)
        .constant("WIDE", wide.into())
}

fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, w) = (&call.input(0)[p.x()], &call.input(1)[p.w()]);
    let bias = (p.has_bias != 0).then(|| &call.input(2)[p.bias()]);
    let (inputs, outputs) = (p.inputs as usize, p.outputs as usize);
    let a = gemm::pack(w, [p.groups as usize, outputs, 1, inputs], |group, _| Places {
        first: group * outputs * inputs,
        row: inputs,
        column: 1,
    });
    product(&p, &a, inputs, x, bias, &mut call.output(0)[p.y()]);
}

fn backward_input(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (w, dy) = (&call.input(0)[p.w()], &call.input(1)[p.y()]);
    let (inputs, outputs) = (p.inputs as usize, p.outputs as usize);
    let a = gemm::pack(w, [p.groups as usize, inputs, 1, outputs], |group, _| Places {
        first: group * outputs * inputs,
        row: 1,
        column: inputs,
    });
    product(&p, &a, outputs, dy, None, &mut call.output(0)[p.x()]);
}

/// y[n, g, r, p] (+)= Σₖ a[g, r, k] x[n, g, k, p] + bias[g, r].
fn product(p: &Params, a: &[f32], depth: usize, x: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let (pixels, groups) = (p.pixels as usize, p.groups as usize);
    if y.is_empty() || depth == 0 {
        return;
    }
    let rows = y.len() / (p.batch as usize * groups * pixels);
    let whole = Whole { rows, depth, a, bias: bias.unwrap_or(&[]), add: p.accumulate != 0 };
    // Whole vectors are read and written where they lie; other images share panels.
    if !pixels.is_multiple_of(LANES) {
        return in_panels(p, whole, x, y);
    }
    // With few units the rows are shared out, too.
    let share = y.len() / (rows * pixels) < 8;
    let block = if share { rows.div_ceil(8).next_multiple_of(ROWS).min(rows) } else { rows };
    let pieces = parallel::blocks(y, rows * pixels, block * pixels);
    pieces.into_par_iter().with_min_len(p.least()).for_each(|(unit, start, y)| {
        let x = &x[unit * depth * pixels..][..depth * pixels];
        if pixels > NEAR {
            touch(x);
            // Longer rows are foreseen as they are written.
            if pixels <= 8 * NEAR {
                touch(y);
            }
        }
        gemm::product(whole.of(unit % groups, start / pixels, y.len() / pixels, [pixels; 3]), x, y);
        hold(p, y);
    });
}

/// The weights of all groups, packed, and what else their products share.
#[derive(Clone, Copy)]
struct Whole<'a> {
    rows: usize,
    depth: usize,
    a: &'a [f32],
    bias: &'a [f32],
    add: bool,
}

impl<'a> Whole<'a> {
    /// The product for some rows, from a multiple of [`ROWS`] on, of a group.
    fn of(self, group: usize, first: usize, rows: usize, [columns, x_pitch, y_pitch]: [usize; 3]) -> Product<'a> {
        let a = &self.a[(group * self.rows.next_multiple_of(ROWS) + first) * self.depth..];
        let bias = self.bias.get(group * self.rows + first..).unwrap_or(&[]);
        let bias = &bias[..rows.min(bias.len())];
        Product { a, depth: self.depth, first: 0, bias, add: self.add, rows, columns, x_pitch, y_pitch }
    }
}

/// [`product`] for images whose pixels don't fill whole vectors: several side by side in a panel.
fn in_panels(p: &Params, whole: Whole<'_>, x: &[f32], y: &mut [f32]) {
    let (pixels, groups, rows, depth) = (p.pixels as usize, p.groups as usize, whole.rows, whole.depth);
    let images = (WIDTH / pixels).clamp(1, p.batch as usize);
    y.par_chunks_mut(images * groups * rows * pixels).enumerate().with_min_len(p.least()).for_each(|(unit, y)| {
        let columns = y.len() / (groups * rows);
        let x = &x[unit * images * groups * depth * pixels..];
        scratch([depth * WIDTH, rows * WIDTH], |[b, c]| {
            for group in 0..groups {
                let product = Product { add: false, ..whole.of(group, 0, rows, [WIDTH; 3]) };
                for first in (0..columns).step_by(WIDTH) {
                    let panel = Panel { first, width: WIDTH, columns, pixels };
                    panel.gather(&x[group * depth * pixels..], depth, groups * depth, b);
                    gemm::product(product, b, c);
                    for (row, c) in c.chunks_exact(WIDTH).enumerate() {
                        panel.each_run(|at, image, pixel, length| {
                            let y = &mut y[((image * groups + group) * rows + row) * pixels + pixel..][..length];
                            store(y, &c[at..at + length], 0.0, p.accumulate != 0);
                        });
                    }
                }
            }
        });
        hold(p, y);
    });
}

/// Results within bounds, if there are any; those of [`BACKWARD_INPUT`] have none.
fn hold(p: &Params, y: &mut [f32]) {
    if p.bounded != 0 {
        bound(y, [p.low, p.high]);
    }
}
