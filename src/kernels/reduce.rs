//! Sums, means, L2 norms and maxima of all elements (in two steps), and sums over all but channels.
//!
//! [`PARTIAL`] gives one result for each run of [`CHUNK`] elements, [`FINAL`] one of all of those. The
//! order of additions is fixed, and sums are added up from short ones, so that float32 suffices.

use crate::device::{Call, Case, Kernel};
use crate::kernels::cpu::contiguous::sum_of;
use crate::kernels::cpu::parallel::pieces_of;
use crate::kernels::launch::by_workgroup;
use crate::params;

/// Sum.
pub const SUM: u32 = 0;
/// Mean: the sum divided by `Final::total`.
pub const MEAN: u32 = 1;
/// L2 norm: the root of the sum of squares.
pub const NORM: u32 = 2;
/// Maximum; a NaN if there is one.
pub const MAX: u32 = 3;

/// Elements that make one partial result.
pub const CHUNK: u32 = 16_384;

params! {
    /// Parameters of [`PARTIAL`].
    pub struct Partial {
        /// Offset of x.
        pub x: u32,
        /// Offset of y, ⌈count/[`CHUNK`]⌉ elements.
        pub y: u32,
        /// Number of elements of x.
        pub count: u32,
        /// [`SUM`], [`MEAN`], [`NORM`] or [`MAX`].
        pub operation: u32,
    }
}

params! {
    /// Parameters of [`FINAL`].
    pub struct Final {
        /// Offset of x, the partial results.
        pub x: u32,
        /// Offset of y, one element.
        pub y: u32,
        /// Number of partial results, at least 1.
        pub count: u32,
        /// [`SUM`], [`MEAN`], [`NORM`] or [`MAX`].
        pub operation: u32,
        /// What [`MEAN`] divides by: the number of elements that were reduced.
        pub total: u32,
        /// Whether y is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

params! {
    /// Parameters of [`CHANNEL_SUM`].
    pub struct ChannelSum {
        /// Offset of x, [batch, channels, pixels].
        pub x: u32,
        /// Offset of y, \[channels\].
        pub y: u32,
        /// Images.
        pub batch: u32,
        /// Channels.
        pub channels: u32,
        /// Pixels of a channel, at least 1.
        pub pixels: u32,
        /// Whether y is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// y\[j\] = the sum, the sum of squares or the maximum of x[j·CHUNK .. (j+1)·CHUNK].
pub static PARTIAL: Kernel = Kernel {
    name: "reduce_partial",
    source: wgsl!("include/combine", "reduce_partial"),
    params: Partial::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: |params, class| {
        let p: Partial = bytemuck::pod_read_unaligned(params);
        by_workgroup(p.count.div_ceil(CHUNK).into(), class).with("OPERATION", p.operation).constant("CHUNK", CHUNK)
    },
    flops: |params| {
        let p: Partial = bytemuck::pod_read_unaligned(params);
        u64::from(p.count) * if p.operation == NORM { 2 } else { 1 }
    },
    twin: partial,
    reference: partial,
    cases: || {
        let sizes = [1, 7, 1000, CHUNK, CHUNK + 1, 3 * CHUNK - 5];
        let of = |count| [SUM, MEAN, NORM, MAX].map(|operation| partial_case(count, operation));
        sizes.into_iter().flat_map(of).chain([strange_case(f32::NAN), strange_case(f32::INFINITY)]).collect()
    },
    benches: || vec![partial_case(16 * 16 * 32 * 32, NORM)],
};

/// y (+)= the sum, mean, norm or maximum, of partial results.
pub static FINAL: Kernel = Kernel {
    name: "reduce_final",
    source: wgsl!("include/combine", "reduce_final"),
    params: Final::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: |params, class| {
        by_workgroup(1, class).with("OPERATION", bytemuck::pod_read_unaligned::<Final>(params).operation)
    },
    flops: |params| bytemuck::pod_read_unaligned::<Final>(params).count.into(),
    twin: last,
    reference: last,
    cases: || {
        let of = |count| {
            let each = move |operation| [0, 1].map(|accumulate| final_case(count, operation, accumulate));
            [SUM, MEAN, NORM, MAX].into_iter().flat_map(each)
        };
        [1, 5, 64, 300].into_iter().flat_map(of).collect()
    },
    benches: || vec![final_case(256, SUM, 0)],
};

/// y\[c\] (+)= Σ over images n and pixels p of x[n, c, p].
pub static CHANNEL_SUM: Kernel = Kernel {
    name: "channel_sum",
    source: wgsl!("include/combine", "channel_sum"),
    params: ChannelSum::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: |params, class| by_workgroup(bytemuck::pod_read_unaligned::<ChannelSum>(params).channels.into(), class),
    flops: |params| {
        let p: ChannelSum = bytemuck::pod_read_unaligned(params);
        [p.batch, p.channels, p.pixels].map(u64::from).iter().product()
    },
    twin: channel_sum,
    reference: channel_sum,
    cases: || {
        let shapes = [(1, 1, 1), (9, 4, 1), (3, 5, 7), (2, 3, 64), (5, 2, 100), (1, 3, 2000), (130, 2, 9)];
        let both = |(batch, channels, pixels)| [0, 1].map(|a| channel_case(batch, channels, pixels, a));
        shapes.into_iter().flat_map(both).collect()
    },
    benches: || vec![channel_case(16, 16, 1024, 0)],
};

fn maximum(x: &[f32]) -> f32 {
    x.iter().fold(f32::NEG_INFINITY, |a, &b| if a.is_nan() || a > b { a } else { b })
}

fn partial(call: &mut Call<'_>) {
    let p: Partial = call.params();
    let x = &call.input(0)[p.x as usize..][..p.count as usize];
    let y = &mut call.output(0)[p.y as usize..][..p.count.div_ceil(CHUNK) as usize];
    pieces_of(1, x.len(), y, |chunk, y| {
        let first = chunk * CHUNK as usize;
        let x = &x[first..(first + CHUNK as usize).min(x.len())];
        y[0] = match p.operation {
            MAX => maximum(x),
            NORM => sum_of(x, |v| v * v) as f32,
            _ => sum_of(x, |v| v) as f32,
        };
    });
}

fn last(call: &mut Call<'_>) {
    let p: Final = call.params();
    let x = &call.input(0)[p.x as usize..][..p.count as usize];
    let y = &mut call.output(0)[p.y as usize];
    let value = match p.operation {
        MAX => maximum(x),
        MEAN => (sum_of(x, |v| v) / f64::from(p.total)) as f32,
        NORM => sum_of(x, |v| v).sqrt() as f32,
        _ => sum_of(x, |v| v) as f32,
    };
    *y = if p.accumulate != 0 { *y + value } else { value };
}

fn channel_sum(call: &mut Call<'_>) {
    let p: ChannelSum = call.params();
    let (channels, pixels) = (p.channels as usize, p.pixels as usize);
    let x = &call.input(0)[p.x as usize..][..p.batch as usize * channels * pixels];
    let y = &mut call.output(0)[p.y as usize..][..channels];
    pieces_of(1, x.len(), y, |c, y| {
        let images = (0..p.batch as usize).map(|n| (n * channels + c) * pixels);
        let value = images.map(|at| sum_of(&x[at..][..pixels], |v| v)).sum::<f64>() as f32;
        y[0] = if p.accumulate != 0 { y[0] + value } else { value };
    });
}

fn partial_case(count: u32, operation: u32) -> Case {
    let params = Partial { x: 3, y: 2, count, operation };
    let case = Case::new(format!("operation {operation}, {count} elements"), &params);
    case.noise(count as usize + 5, 1).result(count.div_ceil(CHUNK) as usize + 4)
}

/// A maximum over elements of which one is strange.
fn strange_case(strange: f32) -> Case {
    let params = Partial { x: 0, y: 1, count: 1000, operation: MAX };
    let mut x = crate::device::noise(1000, 1);
    x[777] = strange;
    Case::new(format!("maximum with {strange}"), &params).input(&x).result(3).exactly()
}

fn final_case(count: u32, operation: u32, accumulate: u32) -> Case {
    let params = Final { x: 3, y: 2, count, operation, total: 7 * count, accumulate };
    // Of one sign, as sums of squares are.
    let x: Vec<f32> = crate::device::noise(count as usize + 4, 1).iter().map(|v| v + 1.0).collect();
    let label = format!("operation {operation}, {count} partial results, accumulate {accumulate}");
    Case::new(label, &params).input(&x).result(4)
}

fn channel_case(batch: u32, channels: u32, pixels: u32, accumulate: u32) -> Case {
    let params = ChannelSum { x: 3, y: 2, batch, channels, pixels, accumulate };
    let case = Case::new(format!("{batch}×{channels}×{pixels}, accumulate {accumulate}"), &params);
    case.noise((batch * channels * pixels) as usize + 4, 1).result(channels as usize + 3)
}
