//! The mixture itself.

use super::blend::{Source, blend};
use super::cases::{self, Sample};
use super::params::Forward;
use super::terms;
use crate::device::{Call, Class, Kernel, Launch};
use crate::kernels::cpu::parallel::{self, LONG_PIECE};
use crate::kernels::cpu::store::put;
use rayon::prelude::*;

/// y (+)= Σ_t w_t · x̂_t.
pub static FORWARD: Kernel = Kernel {
    name: "normalised_sum_forward",
    source: wgsl!("include/fours", "normalised_sum_forward"),
    params: Forward::LAYOUT,
    inputs: &["table: u32", "z", "x", "saved", "weights"],
    outputs: &["y"],
    launch: |params, class| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        by_fours(p.channels, 1, u64::from(p.batch) * u64::from(p.pixels), class)
    },
    flops: |params| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        3 * u64::from(p.terms) * u64::from(p.batch) * u64::from(p.channels) * u64::from(p.pixels)
    },
    twin: forward,
    reference,
    cases: || {
        let kinds = |sample: Sample| [0, 1].map(|accumulate| sample.forward(accumulate));
        cases::samples().into_iter().flat_map(kinds).collect()
    },
    benches: || cases::benches().iter().map(|sample| sample.forward(0)).collect(),
};

/// Workgroups that each take a run of a channel's `count` elements, for one of the channel's `parts`. The
/// shader includes `include/fours.wgsl`.
pub(super) fn by_fours(channels: u32, parts: u32, count: u64, class: Class) -> Launch {
    let (size, blocks) = match class {
        Class::Hardware => (64, 1),
        // On a software driver everything that is loaded costs as much as an element: use it often. (More than two
        // blocks gain nothing and take longer to compile.)
        Class::Software => (8, 2),
    };
    let groups = u64::from(channels) * u64::from(parts) * count.div_ceil(u64::from(size * 4 * blocks));
    Launch { groups, ..Launch::default() }.constant("WORKGROUP", size).constant("BLOCKS", blocks)
}

fn forward(call: &mut Call<'_>) {
    let p: Forward = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let terms = terms(call.input_words(0), p.table, p.terms);
    let (z, x, saved, weights) = (call.input(1), call.input(2), call.input(3), call.input(4));
    let y = &mut call.output(0)[p.y as usize..][..batch * channels * pixels];
    // Whole planes: what belongs to a channel is looked up once.
    let planes = (LONG_PIECE / pixels.max(1)).max(1);
    let piece = |(piece, y): (usize, &mut [f32])| {
        let mut sources = Vec::with_capacity(terms.len());
        for (at, y) in y.chunks_mut(pixels).enumerate() {
            let plane = piece * planes + at;
            let (n, c) = (plane / channels, plane % channels);
            sources.clear();
            sources.extend(terms.iter().enumerate().map(|(t, term)| {
                let values = if t < p.inside as usize { z } else { x };
                let (mean, inverse) = term.normal(saved, c);
                let values = &values[term.plane(n, c, pixels)..][..pixels];
                Source { values, mean, factor: inverse * term.factor(weights) }
            }));
            blend(y, &sources, p.accumulate != 0);
        }
    };
    let least = parallel::least(y.len() * terms.len());
    y.par_chunks_mut((planes * pixels).max(1)).enumerate().with_min_len(least).for_each(piece);
}

fn reference(call: &mut Call<'_>) {
    let p: Forward = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let terms = terms(call.input_words(0), p.table, p.terms);
    let (z, x, saved, weights) = (call.input(1), call.input(2), call.input(3), call.input(4));
    let y = call.output(0);
    for n in 0..batch {
        for c in 0..channels {
            for i in 0..pixels {
                let mut sum = 0.0;
                for (t, term) in terms.iter().enumerate() {
                    let values = if t < p.inside as usize { z } else { x };
                    let (mean, inverse) = term.normal(saved, c);
                    let value = f64::from(values[term.plane(n, c, pixels) + i]) - f64::from(mean);
                    sum += value * f64::from(inverse) * f64::from(term.factor(weights));
                }
                put(&mut y[p.y as usize + (n * channels + c) * pixels + i], sum, p.accumulate);
            }
        }
    }
}
