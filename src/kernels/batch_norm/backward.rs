//! Gradients: two sums a channel, then the input's gradient element by element.

use super::{BENCHES, SHAPES};
use crate::device::{Call, Case, Kernel, noise};
use crate::kernels::cpu::accurate_sums::{products, products_within};
use crate::kernels::cpu::channel_sums::channel_sums;
use crate::kernels::cpu::contiguous::{centred, centred_within, scale};
use crate::kernels::cpu::maps::each_plane;
use crate::kernels::launch::{by_channel, by_sum};
use crate::params;

params! {
    /// Parameters of [`BACKWARD_SUMS`].
    pub struct Sums {
        /// Offset of x, [batch, channels, pixels].
        pub x: u32,
        /// Offset of [mean | 1/√(variance + ε)].
        pub saved: u32,
        /// Offset of the weights, \[channels\].
        pub weight: u32,
        /// Offset of the biases, \[channels\].
        pub bias: u32,
        /// Offset of dy.
        pub dy: u32,
        /// Offset of [Σ dy·x̂ | Σ dy].
        pub sums: u32,
        /// Batch size.
        pub batch: u32,
        /// Channels.
        pub channels: u32,
        /// Height · width.
        pub pixels: u32,
        /// Whether there are weights and biases (1); if not, anything may be bound for them.
        pub affine: u32,
        /// Whether results were held within bounds (1) or not (0): ReLU, ReLU6.
        pub bounded: u32,
        /// The lower bound.
        pub low: f32,
        /// The upper bound; ∞ for none.
        pub high: f32,
    }
}

params! {
    /// Parameters of [`BACKWARD_INPUT`].
    pub struct BackwardInput {
        /// Offset of x, [batch, channels, pixels].
        pub x: u32,
        /// Offset of [mean | 1/√(variance + ε)].
        pub saved: u32,
        /// Offset of the weights, \[channels\].
        pub weight: u32,
        /// Offset of the biases, \[channels\].
        pub bias: u32,
        /// Offset of dy.
        pub dy: u32,
        /// Offset of [Σ dy·x̂ | Σ dy].
        pub sums: u32,
        /// Offset of dx.
        pub dx: u32,
        /// Batch size.
        pub batch: u32,
        /// Channels.
        pub channels: u32,
        /// Height · width.
        pub pixels: u32,
        /// Whether there are weights and biases (1); if not, anything may be bound for them.
        pub affine: u32,
        /// Whether mean and variance are those of this batch (1) or constants (0; sums are ignored).
        pub training: u32,
        /// Whether dx is added to (1) or overwritten (0).
        pub accumulate: u32,
        /// Whether results were held within bounds (1) or not (0): ReLU, ReLU6.
        pub bounded: u32,
        /// The lower bound.
        pub low: f32,
        /// The upper bound; ∞ for none.
        pub high: f32,
    }
}

/// Σ dy·x̂ (the gradient of w) and Σ dy (the gradient of b) of each channel, dy where the result was within its bounds.
pub static BACKWARD_SUMS: Kernel = Kernel {
    name: "batch_norm_backward_sums",
    source: wgsl!("include/walk", "include/tree", "include/bounds", "batch_norm_backward_sums"),
    params: Sums::LAYOUT,
    inputs: &["x", "saved", "parameters", "dy"],
    outputs: &["sums"],
    launch: |params, class| by_sum(bytemuck::pod_read_unaligned::<Sums>(params).channels, class),
    flops: |params| {
        let p: Sums = bytemuck::pod_read_unaligned(params);
        4 * u64::from(p.batch) * u64::from(p.channels) * u64::from(p.pixels)
    },
    twin: sums,
    reference: sums_reference,
    cases: || {
        let kinds = [[0, 0], [0, 1], [1, 1]];
        SHAPES.into_iter().flat_map(|shape| kinds.map(|kind| sums_case(shape, kind))).collect()
    },
    benches: || BENCHES.map(|shape| sums_case(shape, [0, 0])).to_vec(),
};

/// dx (+)= w/√(var + ε) · (dy − Σdy/m − x̂ · Σ(dy·x̂)/m), or w/√(var + ε) · dy outside training.
pub static BACKWARD_INPUT: Kernel = Kernel {
    name: "batch_norm_backward_input",
    source: wgsl!("include/walk", "include/bounds", "batch_norm_backward_input"),
    params: BackwardInput::LAYOUT,
    inputs: &["x", "saved", "parameters", "dy", "sums"],
    outputs: &["dx"],
    launch: |params, class| {
        let p: BackwardInput = bytemuck::pod_read_unaligned(params);
        by_channel(p.channels, u64::from(p.batch) * u64::from(p.pixels), class)
    },
    flops: |params| {
        let p: BackwardInput = bytemuck::pod_read_unaligned(params);
        5 * u64::from(p.batch) * u64::from(p.channels) * u64::from(p.pixels)
    },
    twin: input,
    reference: input_reference,
    cases: || {
        let kinds = [[0, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 1], [0, 1, 1, 1]];
        SHAPES.into_iter().flat_map(|shape| kinds.map(|kind| input_case(shape, kind))).collect()
    },
    benches: || BENCHES.map(|shape| input_case(shape, [0, 1, 0, 0])).to_vec(),
};

fn sums(call: &mut Call<'_>) {
    let p: Sums = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let count = batch * channels * pixels;
    let x = &call.input(0)[p.x as usize..][..count];
    let (mean, inverse) = call.input(1)[p.saved as usize..][..2 * channels].split_at(channels);
    let affine = (p.affine != 0).then(|| call.input(2)).map(|all| affine(all, [p.weight, p.bias], channels));
    let dy = &call.input(3)[p.dy as usize..][..count];
    let totals = channel_sums([batch, channels, pixels], |part| {
        let c = part.channel;
        let Line { mean, factor, bias } =
            Line::of(mean[c], inverse[c], affine.map(|(weight, bias)| [weight[c], bias[c]]));
        part.sums([x, dy], [channels, pixels], |x, dy, rows, width| match p.bounded {
            0 => products(x, mean, dy, rows, width),
            _ => products_within(x, [mean, factor, bias], [p.low, p.high], dy, rows, width),
        })
    });
    let sums = &mut call.output(0)[p.sums as usize..][..2 * channels];
    for (c, [product, sum]) in totals.into_iter().enumerate() {
        sums[c] = (product * f64::from(inverse[c])) as f32;
        sums[channels + c] = sum as f32;
    }
}

fn sums_reference(call: &mut Call<'_>) {
    let p: Sums = call.params();
    let (channels, pixels) = (p.channels as usize, p.pixels as usize);
    let (x, saved, parameters, dy) = (call.input(0), &call.input(1)[p.saved as usize..], call.input(2), call.input(3));
    let sums = &mut call.output(0)[p.sums as usize..];
    let affine = (p.affine != 0).then(|| affine(parameters, [p.weight, p.bias], channels));
    for c in 0..channels {
        let (mut product, mut sum) = (0.0f64, 0.0f64);
        for n in 0..p.batch as usize {
            for pixel in 0..pixels {
                let i = (n * channels + c) * pixels + pixel;
                let normalised =
                    (f64::from(x[p.x as usize + i]) - f64::from(saved[c])) * f64::from(saved[channels + c]);
                let passes = p.bounded == 0 || within(normalised, affine, c, [p.low, p.high]);
                let g = if passes { f64::from(dy[p.dy as usize + i]) } else { 0.0 };
                product += g * normalised;
                sum += g;
            }
        }
        sums[c] = product as f32;
        sums[channels + c] = sum as f32;
    }
}

fn input(call: &mut Call<'_>) {
    let p: BackwardInput = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let (count, elements) = (batch * channels * pixels, (batch * pixels) as f32);
    let x = &call.input(0)[p.x as usize..][..count];
    let (mean, inverse) = call.input(1)[p.saved as usize..][..2 * channels].split_at(channels);
    let affine = (p.affine != 0).then(|| call.input(2)).map(|all| affine(all, [p.weight, p.bias], channels));
    let dy = &call.input(3)[p.dy as usize..][..count];
    let sums = (p.training != 0).then(|| call.input(4)[p.sums as usize..][..2 * channels].split_at(channels));
    let dx = &mut call.output(0)[p.dx as usize..][..count];
    each_plane(dx, pixels, |plane, first, dx| {
        let c = plane % channels;
        let line = Line::of(mean[c], inverse[c], affine.map(|(weight, bias)| [weight[c], bias[c]]));
        let (x, dy) = (&x[first..][..dx.len()], &dy[first..][..dx.len()]);
        let add = p.accumulate != 0;
        // Outside training neither mean nor slope come back.
        let (slope, shift) =
            sums.map_or((0.0, 0.0), |(products, sums)| (inverse[c] * products[c] / elements, sums[c] / elements));
        let constants = [line.mean, slope, shift, line.factor];
        match (p.bounded, sums) {
            (0, None) => scale(dx, dy, line.factor, add),
            (0, Some(_)) => centred(dx, x, dy, constants, add),
            _ => centred_within(dx, x, dy, constants, line.bias, [p.low, p.high], add),
        }
    });
}

fn input_reference(call: &mut Call<'_>) {
    let p: BackwardInput = call.params();
    let (channels, pixels) = (p.channels as usize, p.pixels as usize);
    let elements = f64::from(p.batch) * f64::from(p.pixels);
    let (x, saved, parameters) = (call.input(0), &call.input(1)[p.saved as usize..], call.input(2));
    let (dy, sums) = (call.input(3), &call.input(4)[p.sums as usize..]);
    let affine = (p.affine != 0).then(|| affine(parameters, [p.weight, p.bias], channels));
    let dx = call.output(0);
    for i in 0..p.batch as usize * channels * pixels {
        let c = i / pixels % channels;
        let inverse = f64::from(saved[channels + c]);
        let normalised = (f64::from(x[p.x as usize + i]) - f64::from(saved[c])) * inverse;
        let passes = p.bounded == 0 || within(normalised, affine, c, [p.low, p.high]);
        let mut value = if passes { f64::from(dy[p.dy as usize + i]) } else { 0.0 };
        if p.training != 0 {
            value -= (f64::from(sums[channels + c]) + normalised * f64::from(sums[c])) / elements;
        }
        if let Some((weight, _)) = affine {
            value *= f64::from(weight[c]);
        }
        crate::kernels::cpu::store::put(&mut dx[p.dx as usize + i], value * inverse, p.accumulate);
    }
}

/// Weights and biases.
fn affine(parameters: &[f32], [weight, bias]: [u32; 2], channels: usize) -> (&[f32], &[f32]) {
    (&parameters[weight as usize..][..channels], &parameters[bias as usize..][..channels])
}

/// Whether a normalised value lies between the bounds once it is scaled and shifted.
fn within(normalised: f64, affine: Option<(&[f32], &[f32])>, c: usize, [low, high]: [f32; 2]) -> bool {
    let value = affine.map_or(normalised, |(w, b)| normalised * f64::from(w[c]) + f64::from(b[c]));
    value > f64::from(low) && value < f64::from(high)
}

/// What a channel's values become.
struct Line {
    mean: f32,
    factor: f32,
    bias: f32,
}

impl Line {
    fn of(mean: f32, inverse: f32, affine: Option<[f32; 2]>) -> Self {
        let [weight, bias] = affine.unwrap_or([1.0, 0.0]);
        Self { mean, factor: inverse * weight, bias }
    }
}

/// [mean | 1/σ], away from zero.
fn saved(channels: usize, offset: usize) -> Vec<f32> {
    noise(2 * channels + offset, 2).iter().map(|v| v + 1.5).collect()
}

/// Bounds that few values lie beside.
const BOUNDS: [f32; 2] = [0.0, 0.5];

fn sums_case([batch, channels, pixels]: [usize; 3], [affine, bounded]: [u32; 2]) -> Case {
    let count = batch * channels * pixels;
    let [b, c, px] = [batch, channels, pixels].map(|n| n as u32);
    let [low, high] = BOUNDS;
    let params = Sums {
        x: 3,
        saved: 1,
        weight: 2,
        bias: 3 + c,
        dy: 2,
        sums: 5,
        batch: b,
        channels: c,
        pixels: px,
        affine,
        bounded,
        low,
        high,
    };
    Case::new(format!("{batch}×{channels}×{pixels}, affine {affine}, bounded {bounded}"), &params)
        .noise(count + 3, 1)
        .input(&saved(channels, 1))
        .noise(2 * channels + 4, 4)
        .noise(count + 4, 3)
        .result(2 * channels + 6)
        .within(2e-6)
}

fn input_case([batch, channels, pixels]: [usize; 3], [affine, training, accumulate, bounded]: [u32; 4]) -> Case {
    let count = batch * channels * pixels;
    let params = BackwardInput {
        x: 3,
        saved: 1,
        weight: 2,
        bias: 3 + channels as u32,
        dy: 4,
        sums: 3,
        dx: 1,
        batch: batch as u32,
        channels: channels as u32,
        pixels: pixels as u32,
        affine,
        training,
        accumulate,
        bounded,
        low: BOUNDS[0],
        high: BOUNDS[1],
    };
    let label = format!(
        "{batch}×{channels}×{pixels}, affine {affine}, training {training}, accumulate {accumulate}, bounded {bounded}"
    );
    let sums: Vec<f32> = noise(2 * channels + 3, 5).iter().map(|v| v * (batch * pixels) as f32).collect();
    let case = Case::new(label, &params).noise(count + 3, 1).input(&saved(channels, 1));
    let case = if affine != 0 { case.noise(2 * channels + 3, 4) } else { case.input(&saved(channels, 1)) };
    case.noise(count + 4, 3).input(&sums).result(count + 2).within(1e-6)
}
