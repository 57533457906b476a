//! Statistics: of a batch, and their running averages.

use super::{BENCHES, SHAPES};
use crate::device::{Call, Case, Kernel, Launch, Output, noise};
use crate::kernels::cpu::accurate_sums::moments;
use crate::kernels::cpu::channel_sums::channel_sums;
use crate::kernels::launch::by_sum;
use crate::params;

params! {
    /// Parameters of [`STATISTICS`].
    pub struct Statistics {
        /// Offset of x, [batch, channels, pixels].
        pub x: u32,
        /// Offset of [mean | 1/√(biased variance + ε)].
        pub saved: u32,
        /// Offset of the means in `moments`.
        pub mean: u32,
        /// Offset of the unbiased variances there.
        pub variance: u32,
        /// Batch size.
        pub batch: u32,
        /// Channels.
        pub channels: u32,
        /// Height · width.
        pub pixels: u32,
        /// ε, added to the variance.
        pub epsilon: f32,
    }
}

params! {
    /// Parameters of [`FOLD`].
    pub struct Fold {
        /// Offset of the running means.
        pub mean: u32,
        /// Offset of the running variances.
        pub variance: u32,
        /// Offset of [mean | 1/√(variance + ε)].
        pub saved: u32,
        /// Channels.
        pub channels: u32,
        /// ε, added to the variance.
        pub epsilon: f32,
    }
}

params! {
    /// Parameters of [`UPDATE`].
    pub struct Update {
        /// Offset of the new moments.
        pub moments: u32,
        /// Offset of the running statistics.
        pub running: u32,
        /// Offset of the scalars that must all be finite, or nothing is written.
        pub scalars: u32,
        /// Number of statistics.
        pub count: u32,
        /// Number of scalars.
        pub guards: u32,
        /// Share of the new moments.
        pub momentum: f32,
    }
}

/// Mean and variance of each channel over batch and pixels.
pub static STATISTICS: Kernel = Kernel {
    name: "batch_norm_statistics",
    source: wgsl!("include/walk", "batch_norm_statistics"),
    params: Statistics::LAYOUT,
    inputs: &["x"],
    outputs: &["saved", "moments"],
    launch: |params, class| by_sum(bytemuck::pod_read_unaligned::<Statistics>(params).channels, class),
    flops: |params| {
        let p: Statistics = bytemuck::pod_read_unaligned(params);
        4 * u64::from(p.batch) * u64::from(p.channels) * u64::from(p.pixels)
    },
    twin: statistics,
    reference: statistics_reference,
    cases: || {
        let offset = SHAPES.into_iter().map(|shape| case(shape, 0.0));
        // A mean of a hundred deviations costs a naive variance all its digits.
        offset.chain([case([4, 3, 400], 100.0), case([2, 2, 3000], -50.0), constant_case()]).collect()
    },
    benches: || BENCHES.map(|shape| case(shape, 0.0)).to_vec(),
};

/// Running statistics to the form that [`super::FORWARD`] takes.
pub static FOLD: Kernel = Kernel {
    name: "batch_norm_fold",
    source: wgsl!("batch_norm_fold"),
    params: Fold::LAYOUT,
    inputs: &["running"],
    outputs: &["saved"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<Fold>(params).channels.into(), 64),
    flops: |params| 3 * u64::from(bytemuck::pod_read_unaligned::<Fold>(params).channels),
    twin: fold,
    reference: fold,
    cases: || [1, 3, 64, 130].map(fold_case).to_vec(),
    benches: || vec![fold_case(256)],
};

/// running = (1 − momentum) · running + momentum · moments, unless a guard is not finite.
pub static UPDATE: Kernel = Kernel {
    name: "batch_norm_update",
    source: wgsl!("batch_norm_update"),
    params: Update::LAYOUT,
    inputs: &["moments", "scalars: u32"],
    outputs: &["running"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<Update>(params).count.into(), 64),
    flops: |params| 3 * u64::from(bytemuck::pod_read_unaligned::<Update>(params).count),
    twin: update,
    reference: update,
    cases: || {
        let bad = |value| update_case(70, &[9.0, 1.0, value], 2).exactly();
        let fine = [update_case(1, &[0.0], 0), update_case(64, &[f32::NAN], 0), update_case(201, &[f32::NAN, 1.0], 1)];
        fine.into_iter().chain([bad(f32::NAN), bad(f32::INFINITY), bad(f32::NEG_INFINITY)]).collect()
    },
    benches: || vec![update_case(8192, &[1.0, 1.0], 1)],
};

fn statistics(call: &mut Call<'_>) {
    let p: Statistics = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let x = &call.input(0)[p.x as usize..][..batch * channels * pixels];
    // Each piece is summed about its own mean, in float32. Together, about an element of the channel: at
    // most √m deviations off, which float64 bears.
    let shift = |channel: usize| x.get(channel * pixels).map_or(0.0, |&v| f64::from(v));
    let sums = channel_sums([batch, channels, pixels], |part| {
        part.pieces().fold([0.0; 2], |[sum, squares], piece| {
            let (mean, [rest, inner]) = moments(piece.of(x, channels, pixels), piece.rows, piece.width);
            let count = (piece.rows * piece.width) as f64;
            let off = f64::from(mean) - shift(piece.channel);
            [sum + rest + count * off, squares + inner + off * (2.0 * rest + count * off)]
        })
    });
    let count = (batch * pixels) as f64;
    finish(call, &p, |channel| {
        let [sum, squares] = sums[channel];
        (shift(channel) + sum / count, squares - sum * sum / count)
    });
}

fn statistics_reference(call: &mut Call<'_>) {
    let p: Statistics = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let x = &call.input(0)[p.x as usize..];
    finish(call, &p, |channel| {
        let values =
            || (0..batch).flat_map(|n| &x[(n * channels + channel) * pixels..][..pixels]).map(|&v| f64::from(v));
        let mean = values().sum::<f64>() / (batch * pixels) as f64;
        (mean, values().map(|v| (v - mean) * (v - mean)).sum())
    });
}

/// Writes both outputs from each channel's mean and sum of squared deviations.
fn finish(call: &mut Call<'_>, p: &Statistics, of: impl Fn(usize) -> (f64, f64)) {
    let (count, channels) = (f64::from(p.batch) * f64::from(p.pixels), p.channels as usize);
    let [saved, moments] = call.outputs().map(Output::floats);
    let saved = &mut saved[p.saved as usize..][..2 * channels];
    for channel in 0..channels {
        let (mean, squares) = of(channel);
        // Rounding may leave a tiny negative sum; a NaN stays one.
        let squares = if squares < 0.0 { 0.0 } else { squares };
        saved[channel] = mean as f32;
        saved[channels + channel] = (1.0 / (squares / count + f64::from(p.epsilon)).sqrt()) as f32;
        moments[p.mean as usize + channel] = mean as f32;
        moments[p.variance as usize + channel] = (squares / (count - 1.0).max(1.0)) as f32;
    }
}

fn fold(call: &mut Call<'_>) {
    let p: Fold = call.params();
    let channels = p.channels as usize;
    let [mean, variance] = [p.mean, p.variance].map(|at| &call.input(0)[at as usize..][..channels]);
    let saved = &mut call.output(0)[p.saved as usize..][..2 * channels];
    for channel in 0..channels {
        saved[channel] = mean[channel];
        saved[channels + channel] = (1.0 / (f64::from(variance[channel]) + f64::from(p.epsilon)).sqrt()) as f32;
    }
}

fn update(call: &mut Call<'_>) {
    let p: Update = call.params();
    let guards = &call.input_words(1)[p.scalars as usize..][..p.guards as usize];
    if guards.iter().any(|bits| bits & 0x7f80_0000 == 0x7f80_0000) {
        return;
    }
    let moments = &call.input(0)[p.moments as usize..][..p.count as usize];
    let running = &mut call.output(0)[p.running as usize..][..p.count as usize];
    for (running, moment) in running.iter_mut().zip(moments) {
        *running = (1.0 - p.momentum) * *running + p.momentum * moment;
    }
}

fn case([batch, channels, pixels]: [usize; 3], mean: f32) -> Case {
    let [b, c, px] = [batch, channels, pixels].map(|n| n as u32);
    let params =
        Statistics { x: 3, saved: 2, mean: 1, variance: 3 + c, batch: b, channels: c, pixels: px, epsilon: 1e-5 };
    let x: Vec<f32> = noise(batch * channels * pixels + 4, 1).iter().map(|v| v + mean).collect();
    Case::new(format!("{batch}×{channels}×{pixels}, mean {mean}"), &params)
        .input(&x)
        .result(2 * channels + 3)
        .result(2 * channels + 4)
        .within(1e-6)
}

fn constant_case() -> Case {
    let params = Statistics { batch: 3, channels: 2, pixels: 25, variance: 2, epsilon: 1e-5, ..Default::default() };
    let constant = Case::new("constant channels", &params).input(&[0.3; 150]);
    constant.result(4).result(4).within(1e-6)
}

fn fold_case(channels: usize) -> Case {
    let n = channels as u32;
    let params = Fold { mean: 2, variance: n + 3, saved: 3, channels: n, epsilon: 1e-5 };
    let running: Vec<f32> = noise(2 * channels + 3, 1).iter().map(|v| v * v).collect();
    Case::new(format!("{channels} channels"), &params).input(&running).result(2 * channels + 4).within(1e-6)
}

fn update_case(count: usize, scalars: &[f32], guards: u32) -> Case {
    let params = Update {
        moments: 1,
        running: 2,
        scalars: 1.min(scalars.len() as u32 - 1),
        count: count as u32,
        guards,
        momentum: 0.1,
    };
    Case::new(format!("{count} elements, {guards} of {scalars:?}"), &params)
        .noise(count + 1, 1)
        .input(scalars)
        .result(count + 4)
        .within(1e-6)
}
