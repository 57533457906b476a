//! Pointwise (1×1, stride 1) convolution of images [batch, inputs, pixels], a matrix product for each
//! image: `y[n, o, p] = Σᵢ w[o, i] x[n, i, p] + bias[o]`, `dx[n, i, p] = Σₒ w[o, i] dy[n, o, p]`,
//! `dw[o, i] = Σₙₚ dy[n, o, p] x[n, i, p]`.

use super::gemm::{self, ROWS, Rows, SHORT, WIDTH};
use super::parallel::{self, sum_pieces};
use super::vector::scratch;
use crate::device::{Call, Case, Class, Kernel, Launch};
use crate::params;
use rayon::prelude::*;

params! {
    /// Parameters of [`FORWARD`], [`BACKWARD_INPUT`] and [`BACKWARD_WEIGHT`].
    pub struct Params {
        /// Offset of x or dx.
        pub input: u32,
        /// Offset of w or dw, [outputs, inputs].
        pub weight: u32,
        /// Offset of the bias.
        pub bias: u32,
        /// Offset of y or dy.
        pub output: u32,
        /// Number of images.
        pub batch: u32,
        /// Channels of x.
        pub inputs: u32,
        /// Channels of y.
        pub outputs: u32,
        /// Height times width.
        pub pixels: u32,
        /// Whether there is a bias (1) or not (0).
        pub has_bias: u32,
        /// Whether results are added to (1) or overwrite (0) what is there.
        pub accumulate: u32,
    }
}

impl Params {
    fn of(params: &[u8]) -> Self {
        bytemuck::pod_read_unaligned(params)
    }

    fn multiply_adds(&self) -> u64 {
        [self.batch, self.inputs, self.outputs, self.pixels].iter().map(|&n| u64::from(n)).product()
    }

    fn columns(&self) -> u64 {
        u64::from(self.batch) * u64::from(self.pixels)
    }

    fn x(&self) -> std::ops::Range<usize> {
        parallel::range(self.input, self.columns() as usize * self.inputs as usize)
    }

    fn w(&self) -> std::ops::Range<usize> {
        parallel::range(self.weight, self.inputs as usize * self.outputs as usize)
    }

    fn y(&self) -> std::ops::Range<usize> {
        parallel::range(self.output, self.columns() as usize * self.outputs as usize)
    }
}

/// y (+)= w · x + bias.
pub static FORWARD: Kernel = Kernel {
    name: "pointwise_conv_forward",
    source: include_str!("../../shaders/pointwise_conv_forward.wgsl"),
    params: Params::LAYOUT,
    inputs: &["x", "w", "bias"],
    outputs: &["y"],
    launch: |params, class| {
        let p = Params::of(params);
        blocks(&p, p.outputs, class)
    },
    flops: |params| 2 * Params::of(params).multiply_adds(),
    twin: forward,
    reference: forward_reference,
    cases: || cases(forward_case),
    benches: || benches(forward_case),
};

/// dx (+)= wᵀ · dy.
pub static BACKWARD_INPUT: Kernel = Kernel {
    name: "pointwise_conv_backward_input",
    source: include_str!("../../shaders/pointwise_conv_backward_input.wgsl"),
    params: Params::LAYOUT,
    inputs: &["w", "dy"],
    outputs: &["dx"],
    launch: |params, class| {
        let p = Params::of(params);
        blocks(&p, p.inputs, class)
    },
    flops: |params| 2 * Params::of(params).multiply_adds(),
    twin: backward_input,
    reference: backward_input_reference,
    cases: || cases(backward_input_case),
    benches: || benches(backward_input_case),
};

/// dw (+)= dy · xᵀ.
pub static BACKWARD_WEIGHT: Kernel = Kernel {
    name: "pointwise_conv_backward_weight",
    source: include_str!("../../shaders/pointwise_conv_backward_weight.wgsl"),
    params: Params::LAYOUT,
    inputs: &["x", "dy"],
    outputs: &["dw"],
    launch: |params, class| {
        let p = Params::of(params);
        let (workgroup, block) = match class {
            Class::Hardware => (128, 2),
            Class::Software => (16, 4),
        };
        let groups = u64::from(p.outputs.div_ceil(block)) * u64::from(p.inputs.div_ceil(block));
        Launch { groups, ..Launch::default() }.constant("WORKGROUP", workgroup).constant("BLOCK", block)
    },
    flops: |params| 2 * Params::of(params).multiply_adds(),
    twin: backward_weight,
    reference: backward_weight_reference,
    cases: || cases(backward_weight_case),
    benches: || benches(backward_weight_case),
};

/// Workgroups that each compute `CHANNELS` channels of `WORKGROUP · PIXELS` pixels.
fn blocks(p: &Params, channels: u32, class: Class) -> Launch {
    let (workgroup, pixels, block) = match class {
        Class::Hardware => (64, 2, 8),
        Class::Software => (16, 4, 4),
    };
    let tiles = p.columns().div_ceil(u64::from(workgroup * pixels));
    Launch { groups: tiles * u64::from(channels.div_ceil(block)), ..Launch::default() }
        .with("WORKGROUP", workgroup)
        .constant("PIXELS", pixels)
        .constant("CHANNELS", block)
}

fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, w) = (&call.input(0)[p.x()], &call.input(1)[p.w()]);
    let bias = (p.has_bias != 0).then(|| &call.input(2)[parallel::range(p.bias, p.outputs as usize)]);
    let inputs = p.inputs as usize;
    let a = gemm::pack(p.outputs as usize, inputs, |o, i| w[o * inputs + i]);
    product(&p, &a, inputs, x, bias, &mut call.output(0)[p.y()]);
}

fn backward_input(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (w, dy) = (&call.input(0)[p.w()], &call.input(1)[p.y()]);
    let (inputs, outputs) = (p.inputs as usize, p.outputs as usize);
    let a = gemm::pack(inputs, outputs, |i, o| w[o * inputs + i]);
    product(&p, &a, outputs, dy, None, &mut call.output(0)[p.x()]);
}

/// y[n, r, p] (+)= Σₖ a[r, k] x[n, k, p] + bias[r]. Small images share a panel.
fn product(p: &Params, a: &[f32], depth: usize, x: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let pixels = p.pixels as usize;
    let rows = y.len() / (p.batch as usize * pixels).max(1);
    if y.is_empty() || depth == 0 {
        return;
    }
    let images = (WIDTH / pixels).max(1);
    // With few images the rows are shared out, too.
    let block = if images > 1 || p.batch >= 8 { rows } else { rows.div_ceil(8).next_multiple_of(ROWS).min(rows) };
    let pieces = parallel::blocks(y, images * rows * pixels, block * images * pixels);
    pieces.into_par_iter().for_each(|(group, start, y)| {
        let x = &x[group * images * depth * pixels..];
        let first = start / (images * pixels);
        let images = images.min(p.batch as usize - group * images);
        let block = y.len() / (images * pixels);
        let padded = block.next_multiple_of(ROWS);
        let a = &a[first * depth..][..padded * depth];
        let bias = |row: usize| bias.map_or(0.0, |bias| bias[first + row]);
        scratch([depth * WIDTH, padded * WIDTH], |[b, c]| {
            for column in (0..images * pixels).step_by(WIDTH) {
                gather(x, depth, pixels, column, images * pixels, b);
                gemm::multiply(a, depth, 0, b, c);
                for (row, c) in c.chunks_exact(WIDTH).take(block).enumerate() {
                    let bias = bias(row);
                    each_run(column, WIDTH, images * pixels, pixels, |at, image, pixel, length| {
                        let y = &mut y[(image * block + row) * pixels + pixel..][..length];
                        parallel::store(y, &c[at..at + length], bias, p.accumulate != 0);
                    });
                }
            }
        });
    });
}

/// Calls `f(column in the panel, image, pixel, length)` for the runs of a panel of `width` columns
/// from `first` that lie in one image, of `columns` in all.
#[inline]
fn each_run(first: usize, width: usize, columns: usize, pixels: usize, mut f: impl FnMut(usize, usize, usize, usize)) {
    let end = columns.min(first + width);
    let mut column = first;
    while column < end {
        let (image, pixel) = (column / pixels, column % pixels);
        let length = (pixels - pixel).min(end - column);
        f(column - first, image, pixel, length);
        column += length;
    }
}

/// Copies columns of images [_, channels, pixels] into a panel [channels, width], zeros behind them.
fn gather(x: &[f32], channels: usize, pixels: usize, first: usize, columns: usize, panel: &mut [f32]) {
    let width = panel.len() / channels;
    let filled = width.min(columns - first);
    for (channel, panel) in panel.chunks_exact_mut(width).enumerate() {
        each_run(first, width, columns, pixels, |at, image, pixel, length| {
            panel[at..at + length].copy_from_slice(&x[(image * channels + channel) * pixels + pixel..][..length]);
        });
        panel[filled..].fill(0.0);
    }
}

/// Columns that [`backward_weight`] sums in one chain for each lane.
const RUN: usize = 512;

fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, dy, dw) = (&call.input(0)[p.x()], &call.input(1)[p.y()], &mut call.output(0)[p.w()]);
    let (batch, inputs, outputs, pixels) = (p.batch as usize, p.inputs as usize, p.outputs as usize, p.pixels as usize);
    // Small images share a panel; large ones are read where they lie.
    let direct = pixels >= RUN / 2 && pixels.is_multiple_of(SHORT);
    let images = if direct { 1 } else { (RUN / pixels.max(1)).max(1) };
    sum_pieces(dw, p.accumulate != 0, batch.div_ceil(images), |group, dw| {
        let (x, dy) = (&x[group * images * inputs * pixels..], &dy[group * images * outputs * pixels..]);
        let columns = images.min(batch - group * images) * pixels;
        if direct {
            for first in (0..columns).step_by(RUN) {
                let a = Rows { values: &dy[first..], pitch: pixels, count: outputs };
                let b = Rows { values: &x[first..], pitch: pixels, count: inputs };
                gemm::correlate(a, b, RUN.min(columns - first), dw, inputs);
            }
            return;
        }
        let width = columns.min(RUN).next_multiple_of(SHORT);
        scratch([outputs * width, inputs * width], |[a, b]| {
            for first in (0..columns).step_by(width) {
                gather(dy, outputs, pixels, first, columns, a);
                gather(x, inputs, pixels, first, columns, b);
                let a = Rows { values: a, pitch: width, count: outputs };
                let b = Rows { values: b, pitch: width, count: inputs };
                gemm::correlate(a, b, width, dw, inputs);
            }
        });
    });
}

fn forward_reference(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, w) = (&call.input(0)[p.x()], &call.input(1)[p.w()]);
    let (bias, y) = (call.input(2), &mut call.output(0)[p.y()]);
    let (inputs, outputs, pixels) = (p.inputs as usize, p.outputs as usize, p.pixels as usize);
    for (at, y) in y.iter_mut().enumerate() {
        let (n, o, pixel) = (at / pixels / outputs, at / pixels % outputs, at % pixels);
        let mut sum = if p.has_bias != 0 { f64::from(bias[p.bias as usize + o]) } else { 0.0 };
        for i in 0..inputs {
            sum += f64::from(w[o * inputs + i]) * f64::from(x[(n * inputs + i) * pixels + pixel]);
        }
        parallel::put(y, sum, p.accumulate);
    }
}

fn backward_input_reference(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (w, dy, dx) = (&call.input(0)[p.w()], &call.input(1)[p.y()], &mut call.output(0)[p.x()]);
    let (inputs, outputs, pixels) = (p.inputs as usize, p.outputs as usize, p.pixels as usize);
    for (at, dx) in dx.iter_mut().enumerate() {
        let (n, i, pixel) = (at / pixels / inputs, at / pixels % inputs, at % pixels);
        let product = |o| f64::from(w[o * inputs + i]) * f64::from(dy[(n * outputs + o) * pixels + pixel]);
        parallel::put(dx, (0..outputs).map(product).sum(), p.accumulate);
    }
}

fn backward_weight_reference(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, dy, dw) = (&call.input(0)[p.x()], &call.input(1)[p.y()], &mut call.output(0)[p.w()]);
    let (inputs, outputs, pixels) = (p.inputs as usize, p.outputs as usize, p.pixels as usize);
    for (at, dw) in dw.iter_mut().enumerate() {
        let (o, i) = (at / inputs, at % inputs);
        let mut sum = 0.0;
        for n in 0..p.batch as usize {
            for pixel in 0..pixels {
                sum +=
                    f64::from(dy[(n * outputs + o) * pixels + pixel]) * f64::from(x[(n * inputs + i) * pixels + pixel]);
            }
        }
        parallel::put(dw, sum, p.accumulate);
    }
}

/// Batch, inputs, outputs, pixels.
type Shape = [u32; 4];

fn cases(case: fn(Shape, bool, u32) -> Case) -> Vec<Case> {
    let shapes: [Shape; 8] = [
        [1, 1, 1, 1],
        [2, 3, 5, 7],
        [3, 16, 16, 64],
        [2, 17, 9, 81],
        [5, 6, 10, 9],
        [1, 33, 13, 300],
        [9, 4, 7, 33],
        [1, 140, 20, 17],
    ];
    let mut cases = Vec::new();
    for (at, shape) in shapes.into_iter().enumerate() {
        cases.push(case(shape, at % 2 == 0, 0));
        cases.push(case(shape, at % 2 == 1, 1));
    }
    cases
}

fn benches(case: fn(Shape, bool, u32) -> Case) -> Vec<Case> {
    [[16, 16, 16, 1024], [16, 32, 32, 256], [16, 64, 64, 64]].map(|shape| case(shape, false, 0)).into()
}

fn params([batch, inputs, outputs, pixels]: Shape, bias: bool, accumulate: u32) -> (Params, String, [usize; 3]) {
    let p = Params {
        input: 3,
        weight: 2,
        bias: 5,
        output: 1,
        batch,
        inputs,
        outputs,
        pixels,
        has_bias: bias.into(),
        accumulate,
    };
    let label = format!("{batch} images of {pixels} pixels, {inputs} to {outputs} channels, accumulate {accumulate}");
    // What lies behind the last element must stay as it is.
    (p, label, [p.x().end + 2, p.w().end + 3, p.y().end + 1])
}

fn forward_case(shape: Shape, bias: bool, accumulate: u32) -> Case {
    let (p, label, [x, w, y]) = params(shape, bias, accumulate);
    Case::new(format!("{label}, bias {bias}"), &p).noise(x, 1).noise(w, 2).noise(p.outputs as usize + 5, 3).result(y)
}

fn backward_input_case(shape: Shape, bias: bool, accumulate: u32) -> Case {
    let (p, label, [x, w, y]) = params(shape, bias, accumulate);
    Case::new(label, &p).noise(w, 2).noise(y, 3).result(x)
}

fn backward_weight_case(shape: Shape, bias: bool, accumulate: u32) -> Case {
    let (p, label, [x, w, y]) = params(shape, bias, accumulate);
    Case::new(label, &p).noise(x, 1).noise(y, 3).result(w)
}
