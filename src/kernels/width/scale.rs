//! Products of [batch, channels, pixels] with one factor a channel.

use crate::device::{Call, Case, Kernel};
use crate::kernels::cpu::accurate_sums::products;
use crate::kernels::cpu::channel_sums::channel_sums;
use crate::kernels::cpu::contiguous::scale;
use crate::kernels::cpu::maps::each_plane;
use crate::kernels::cpu::store::put;
use crate::kernels::launch::{by_plane, by_sum};
use crate::params;

params! {
    /// Parameters of [`SCALE`].
    pub struct Scale {
        /// Offset of x, [batch, channels, pixels].
        pub x: u32,
        /// Offset of the factors, \[channels\].
        pub scale: u32,
        /// Offset of y.
        pub y: u32,
        /// Batch size.
        pub batch: u32,
        /// Channels.
        pub channels: u32,
        /// Height · width.
        pub pixels: u32,
        /// Whether y is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

params! {
    /// Parameters of [`DOT`].
    pub struct Dot {
        /// Offset of x, [batch, channels, pixels].
        pub x: u32,
        /// Offset of dy.
        pub dy: u32,
        /// Offset of the gradient of the factors, \[channels\].
        pub dscale: u32,
        /// Batch size.
        pub batch: u32,
        /// Channels.
        pub channels: u32,
        /// Height · width.
        pub pixels: u32,
        /// Whether dscale is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// y (+)= x · scale\[c\].
pub static SCALE: Kernel = Kernel {
    name: "channel_scale",
    source: wgsl!("include/planes", "channel_scale"),
    params: Scale::LAYOUT,
    inputs: &["x", "scale"],
    outputs: &["y"],
    launch: |params, class| {
        let p: Scale = bytemuck::pod_read_unaligned(params);
        by_plane(p.batch * p.channels, p.pixels, class)
    },
    flops: |params| {
        let p: Scale = bytemuck::pod_read_unaligned(params);
        u64::from(p.batch) * u64::from(p.channels) * u64::from(p.pixels)
    },
    twin: forward,
    reference: forward_reference,
    cases: || SHAPES.into_iter().flat_map(|shape| [0, 1].map(|add| scale_case(shape, add))).collect(),
    benches: || vec![scale_case([16, 16, 1024], 0)],
};

/// dscale\[c\] (+)= Σ x · dy over batch and pixels.
pub static DOT: Kernel = Kernel {
    name: "channel_dot",
    source: wgsl!("include/walk", "include/tree", "channel_dot"),
    params: Dot::LAYOUT,
    inputs: &["x", "dy"],
    outputs: &["dscale"],
    launch: |params, class| by_sum(bytemuck::pod_read_unaligned::<Dot>(params).channels, class),
    flops: |params| {
        let p: Dot = bytemuck::pod_read_unaligned(params);
        2 * u64::from(p.batch) * u64::from(p.channels) * u64::from(p.pixels)
    },
    twin: dot,
    reference: dot_reference,
    cases: || SHAPES.into_iter().flat_map(|shape| [0, 1].map(|add| dot_case(shape, add))).collect(),
    benches: || vec![dot_case([16, 16, 1024], 0)],
};

fn forward(call: &mut Call<'_>) {
    let p: Scale = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let count = batch * channels * pixels;
    let x = &call.input(0)[p.x as usize..][..count];
    let factors = &call.input(1)[p.scale as usize..][..channels];
    let y = &mut call.output(0)[p.y as usize..][..count];
    each_plane(y, pixels, |plane, first, y| {
        scale(y, &x[first..][..y.len()], factors[plane % channels], p.accumulate != 0);
    });
}

fn forward_reference(call: &mut Call<'_>) {
    let p: Scale = call.params();
    let (x, factors, y) = (call.input(0), call.input(1), call.output(0));
    for i in 0..(p.batch * p.channels * p.pixels) as usize {
        let c = i / p.pixels as usize % p.channels as usize;
        let value = f64::from(x[p.x as usize + i]) * f64::from(factors[p.scale as usize + c]);
        put(&mut y[p.y as usize + i], value, p.accumulate);
    }
}

fn dot(call: &mut Call<'_>) {
    let p: Dot = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let count = batch * channels * pixels;
    let x = &call.input(0)[p.x as usize..][..count];
    let dy = &call.input(1)[p.dy as usize..][..count];
    let sums = channel_sums([batch, channels, pixels], |part| {
        part.sums([x, dy], [channels, pixels], |x, dy, rows, width| products(x, 0.0, dy, rows, width))
    });
    let dscale = &mut call.output(0)[p.dscale as usize..][..channels];
    for (dscale, [product, _]) in dscale.iter_mut().zip(sums) {
        put(dscale, product, p.accumulate);
    }
}

fn dot_reference(call: &mut Call<'_>) {
    let p: Dot = call.params();
    let (x, dy, dscale) = (call.input(0), call.input(1), call.output(0));
    let mut sums = vec![0.0f64; p.channels as usize];
    for i in 0..(p.batch * p.channels * p.pixels) as usize {
        let c = i / p.pixels as usize % p.channels as usize;
        sums[c] += f64::from(x[p.x as usize + i]) * f64::from(dy[p.dy as usize + i]);
    }
    for (c, sum) in sums.into_iter().enumerate() {
        put(&mut dscale[p.dscale as usize + c], sum, p.accumulate);
    }
}

const SHAPES: [[usize; 3]; 5] = [[1, 1, 1], [5, 3, 1], [3, 2, 64], [2, 3, 49], [2, 2, 5011]];

fn scale_case([batch, channels, pixels]: [usize; 3], accumulate: u32) -> Case {
    let count = batch * channels * pixels;
    let [b, c, px] = [batch, channels, pixels].map(|n| n as u32);
    let params = Scale { x: 3, scale: 2, y: 1, batch: b, channels: c, pixels: px, accumulate };
    Case::new(format!("{batch}×{channels}×{pixels}, accumulate {accumulate}"), &params)
        .noise(count + 3, 1)
        .noise(channels + 2, 2)
        .result(count + 2)
        .within(1e-6)
}

fn dot_case([batch, channels, pixels]: [usize; 3], accumulate: u32) -> Case {
    let count = batch * channels * pixels;
    let [b, c, px] = [batch, channels, pixels].map(|n| n as u32);
    let params = Dot { x: 3, dy: 2, dscale: 1, batch: b, channels: c, pixels: px, accumulate };
    Case::new(format!("{batch}×{channels}×{pixels}, accumulate {accumulate}"), &params)
        .noise(count + 3, 1)
        .noise(count + 2, 2)
        .result(channels + 2)
        .within(2e-6)
}
