//! Normalisation itself.

use super::{BENCHES, SHAPES};
use crate::device::{Call, Case, Kernel, noise};
use crate::kernels::cpu::contiguous::{bound, normalise};
use crate::kernels::cpu::maps::each_plane;
use crate::kernels::launch::by_channel;
use crate::params;

params! {
    /// Parameters of [`FORWARD`].
    pub struct Forward {
        /// Offset of x, [batch, channels, pixels].
        pub x: u32,
        /// Offset of [mean | 1/√(variance + ε)].
        pub saved: u32,
        /// Offset of the weights w, \[channels\].
        pub weight: u32,
        /// Offset of the biases b, \[channels\].
        pub bias: u32,
        /// Offset of y.
        pub y: u32,
        /// Batch size.
        pub batch: u32,
        /// Channels.
        pub channels: u32,
        /// Height · width.
        pub pixels: u32,
        /// Whether there are weights and biases (1); if not, anything may be bound for them.
        pub affine: u32,
        /// Whether results are held within bounds (1) or not (0): ReLU, ReLU6.
        pub bounded: u32,
        /// The lower bound.
        pub low: f32,
        /// The upper bound; ∞ for none.
        pub high: f32,
    }
}

/// y = (x − mean)/√(var + ε) · w + b, within bounds if there are any.
pub static FORWARD: Kernel = Kernel {
    name: "batch_norm_forward",
    source: wgsl!("include/within", "include/walk", "batch_norm_forward"),
    params: Forward::LAYOUT,
    inputs: &["x", "saved", "parameters"],
    outputs: &["y"],
    launch: |params, class| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        by_channel(p.channels, u64::from(p.batch) * u64::from(p.pixels), class)
    },
    flops: |params| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        3 * u64::from(p.batch) * u64::from(p.channels) * u64::from(p.pixels)
    },
    twin: forward,
    reference,
    cases: || {
        SHAPES.into_iter().flat_map(|shape| [[0, 0], [1, 0], [0, 1], [1, 1]].map(|kind| case(shape, kind))).collect()
    },
    benches: || BENCHES.map(|shape| case(shape, [0, 0])).to_vec(),
};

fn forward(call: &mut Call<'_>) {
    let p: Forward = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let count = batch * channels * pixels;
    let x = &call.input(0)[p.x as usize..][..count];
    let (mean, inverse) = call.input(1)[p.saved as usize..][..2 * channels].split_at(channels);
    let affine = (p.affine != 0).then(|| {
        let parameters = call.input(2);
        (&parameters[p.weight as usize..][..channels], &parameters[p.bias as usize..][..channels])
    });
    let y = &mut call.output(0)[p.y as usize..][..count];
    each_plane(y, pixels, |plane, first, y| {
        let c = plane % channels;
        let (weight, bias) = affine.map_or((1.0, 0.0), |(weight, bias)| (weight[c], bias[c]));
        normalise(y, &x[first..][..y.len()], mean[c], inverse[c] * weight, bias);
        if p.bounded != 0 {
            bound(y, [p.low, p.high]);
        }
    });
}

fn reference(call: &mut Call<'_>) {
    let p: Forward = call.params();
    let (channels, pixels) = (p.channels as usize, p.pixels as usize);
    let (x, saved, parameters) = (call.input(0), call.input(1), call.input(2));
    let y = call.output(0);
    for i in 0..p.batch as usize * channels * pixels {
        let c = i / pixels % channels;
        let (mean, inverse) = (saved[p.saved as usize + c], saved[p.saved as usize + channels + c]);
        let mut value = (f64::from(x[p.x as usize + i]) - f64::from(mean)) * f64::from(inverse);
        if p.affine != 0 {
            value = value * f64::from(parameters[p.weight as usize + c]) + f64::from(parameters[p.bias as usize + c]);
        }
        if p.bounded != 0 {
            value = value.clamp(p.low.into(), p.high.into());
        }
        y[p.y as usize + i] = value as f32;
    }
}

fn case([batch, channels, pixels]: [usize; 3], [affine, bounded]: [u32; 2]) -> Case {
    let count = batch * channels * pixels;
    let params = Forward {
        x: 3,
        saved: 1,
        weight: 2,
        bias: 4 + channels as u32,
        y: 5,
        batch: batch as u32,
        channels: channels as u32,
        pixels: pixels as u32,
        affine,
        bounded,
        low: 0.0,
        high: 0.5,
    };
    let saved: Vec<f32> = noise(2 * channels + 1, 2).iter().map(|v| v + 1.5).collect();
    let case = Case::new(format!("{batch}×{channels}×{pixels}, affine {affine}, bounded {bounded}"), &params)
        .noise(count + 3, 1)
        .input(&saved);
    let case = if affine != 0 { case.noise(2 * channels + 4, 3) } else { case.input(&saved) };
    case.result(count + 6).within(1e-6)
}
