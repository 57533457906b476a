//! What gradients need to know of whole channels: Σ dy·x̂ and Σ dy of each term.

use super::cases;
use super::params::{BackwardWeights, Sums};
use super::{NONE, terms};
use crate::device::{Call, Class, Kernel, Launch};
use crate::kernels::cpu::accurate_sums::{Rows, product, products};
use crate::kernels::cpu::channel_sums::{Part, channel_parts};
use crate::kernels::cpu::parallel;
use rayon::prelude::*;

/// Σ dy·x̂ and Σ dy of each term and channel, x̂ being the value itself where a term has no mean.
pub static SUMS: Kernel = Kernel {
    name: "normalised_sum_backward_sums",
    source: wgsl!("include/tree", "normalised_sum_backward_sums"),
    params: Sums::LAYOUT,
    inputs: &["table: u32", "z", "x", "saved", "dy"],
    outputs: &["sums"],
    launch: |params, class| {
        let p: Sums = bytemuck::pod_read_unaligned(params);
        // Terms that share dy share its loads; a GPU needs workgroups more than that.
        let (size, together) = match class {
            Class::Hardware => (256, 1),
            Class::Software => (8, 4),
        };
        let parts = p.inside.div_ceil(together) + (p.terms - p.inside).div_ceil(together);
        Launch { groups: u64::from(p.channels) * u64::from(parts), ..Launch::default() }
            .constant("WORKGROUP", size)
            .constant("LANES", size)
            .constant("TOGETHER", together)
    },
    flops: |params| {
        let p: Sums = bytemuck::pod_read_unaligned(params);
        4 * u64::from(p.terms) * u64::from(p.batch) * u64::from(p.channels) * u64::from(p.pixels)
    },
    twin: sums,
    reference: sums_reference,
    cases: || cases::samples().iter().map(cases::Sample::sums).collect(),
    benches: || cases::benches().iter().map(cases::Sample::sums).collect(),
};

/// dweights\[w_t\] += Σ_c Σ dy·x̂ for each term with a weight. A weight occurs at most once in a table.
pub static BACKWARD_WEIGHTS: Kernel = Kernel {
    name: "normalised_sum_backward_weights",
    source: wgsl!("normalised_sum_backward_weights"),
    params: BackwardWeights::LAYOUT,
    inputs: &["table: u32", "sums"],
    outputs: &["dweights"],
    launch: |params, class| {
        let size = match class {
            Class::Hardware => 64,
            Class::Software => 8,
        };
        Launch::linear(bytemuck::pod_read_unaligned::<BackwardWeights>(params).terms.into(), size)
    },
    flops: |params| {
        let p: BackwardWeights = bytemuck::pod_read_unaligned(params);
        u64::from(p.terms) * u64::from(p.channels)
    },
    twin: backward_weights,
    reference: backward_weights,
    cases: || cases::samples().iter().map(cases::Sample::backward_weights).collect(),
    benches: || cases::benches().iter().map(cases::Sample::backward_weights).collect(),
};

fn sums(call: &mut Call<'_>) {
    let p: Sums = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let terms = terms(call.input_words(0), p.table, p.terms);
    let (z, x, saved, dy) = (call.input(1), call.input(2), call.input(3), call.input(4));
    let sums = call.output(0);
    let parts = channel_parts([batch, channels, pixels]);
    // Terms that belong to the same mixture as the one before share its Σ dy.
    let shares = |t: usize| t > 0 && (terms[t - 1].dy, terms[t - 1].dy_image) == (terms[t].dy, terms[t].dy_image);
    // Σ dy·(x − mean) and Σ dy of each channel, for a term and some images: in the order of memory.
    let of = |(parts, t): (&[Part], usize)| -> Vec<[f64; 2]> {
        let (term, buffer) = (&terms[t], if t < p.inside as usize { z } else { x });
        let mut found = Vec::with_capacity(channels);
        for part in parts {
            let (mean, _) = term.normal(saved, part.channel);
            found.push(part.pieces().fold([0.0; 2], |[dot, sum], piece| {
                let (n, c) = (piece.row, piece.channel);
                let values = &buffer[term.plane(n, c, pixels) + piece.column..];
                let values = Rows { values, stride: term.image as usize };
                let gradient = &dy[term.gradient(n, c, pixels) + piece.column..];
                let gradient = Rows { values: gradient, stride: term.dy_image as usize };
                let (rows, width) = (piece.rows, piece.width);
                let [product, total] = match shares(t) {
                    true => [product(values, mean, gradient, rows, width), 0.0],
                    false => products(values, mean, gradient, rows, width),
                };
                [dot + product, sum + total]
            }));
        }
        found
    };
    let items: Vec<(&[Part], usize)> =
        parts.chunks(channels.max(1)).flat_map(|parts| (0..terms.len()).map(move |t| (parts, t))).collect();
    let least = parallel::least(2 * batch * channels * pixels * terms.len());
    let found: Vec<Vec<[f64; 2]>> = items.into_par_iter().with_min_len(least).map(of).collect();
    for c in 0..channels {
        let mut shared = 0.0;
        for (t, term) in terms.iter().enumerate() {
            let found = || found.iter().skip(t).step_by(terms.len()).map(|found| found[c]);
            if !shares(t) {
                shared = found().map(|[_, sum]| sum).sum();
            }
            let dot: f64 = found().map(|[dot, _]| dot).sum();
            let (_, inverse) = term.normal(saved, c);
            sums[term.sums as usize + c] = (dot * f64::from(inverse)) as f32;
            sums[term.sums as usize + channels + c] = shared as f32;
        }
    }
}

fn sums_reference(call: &mut Call<'_>) {
    let p: Sums = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let terms = terms(call.input_words(0), p.table, p.terms);
    let (z, x, saved, dy) = (call.input(1), call.input(2), call.input(3), call.input(4));
    let sums = call.output(0);
    for (t, term) in terms.iter().enumerate() {
        let values = if t < p.inside as usize { z } else { x };
        for c in 0..channels {
            let (mean, inverse) = term.normal(saved, c);
            let (mut product, mut sum) = (0.0f64, 0.0f64);
            for n in 0..batch {
                for i in 0..pixels {
                    let g = f64::from(dy[term.gradient(n, c, pixels) + i]);
                    product += g * (f64::from(values[term.plane(n, c, pixels) + i]) - f64::from(mean));
                    sum += g;
                }
            }
            sums[term.sums as usize + c] = (product * f64::from(inverse)) as f32;
            sums[term.sums as usize + channels + c] = sum as f32;
        }
    }
}

fn backward_weights(call: &mut Call<'_>) {
    let p: BackwardWeights = call.params();
    let terms = terms(call.input_words(0), p.table, p.terms);
    let (sums, dweights) = (call.input(1), call.output(0));
    for term in terms.iter().filter(|term| term.weight != NONE) {
        let sum: f64 = sums[term.sums as usize..][..p.channels as usize].iter().map(|&v| f64::from(v)).sum();
        let dweight = &mut dweights[(p.dweights + term.weight) as usize];
        *dweight = (f64::from(*dweight) + sum) as f32;
    }
}
