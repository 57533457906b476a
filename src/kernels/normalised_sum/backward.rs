//! Gradients of the candidates, in their place.

use super::blend::centre;
use super::forward::by_fours;
use super::params::Backward;
use super::{NONE, Term, cases, terms};
use crate::device::{Call, Class, Kernel};
use crate::kernels::cpu::contiguous::scale;
use crate::kernels::cpu::parallel;
use rayon::prelude::*;

/// z_t ← w_t/√(var + ε) · (dy − Σdy/m − x̂ · Σ(dy·x̂)/m), or w_t · dy where the term has no mean. The
/// terms' ranges don't overlap.
pub static BACKWARD: Kernel = Kernel {
    name: "normalised_sum_backward",
    source: wgsl!("include/fours", "normalised_sum_backward"),
    params: Backward::LAYOUT,
    inputs: &["table: u32", "saved", "weights", "sums", "dy"],
    outputs: &["z"],
    launch: |params, class| {
        let p: Backward = bytemuck::pod_read_unaligned(params);
        // Terms that share dy share its loads; a GPU needs workgroups more than that.
        let together = match class {
            Class::Hardware => 1,
            Class::Software => 4,
        };
        let count = u64::from(p.batch) * u64::from(p.pixels);
        by_fours(p.channels, p.terms.div_ceil(together), count, class).constant("TOGETHER", together)
    },
    flops: |params| {
        let p: Backward = bytemuck::pod_read_unaligned(params);
        5 * u64::from(p.terms) * u64::from(p.batch) * u64::from(p.channels) * u64::from(p.pixels)
    },
    twin: backward,
    reference,
    cases: || cases::samples().iter().filter_map(cases::Sample::backward).collect(),
    benches: || cases::benches().iter().filter_map(cases::Sample::backward).collect(),
};

/// Everything but z.
struct Operands<'a> {
    channels: usize,
    pixels: usize,
    /// 1/m.
    share: f32,
    saved: &'a [f32],
    weights: &'a [f32],
    sums: &'a [f32],
    dy: &'a [f32],
}

impl Operands<'_> {
    /// Replaces one plane of a term by its gradient.
    fn replace(&self, z: &mut [f32], term: &Term, n: usize, c: usize) {
        let dy = &self.dy[term.gradient(n, c, self.pixels)..][..self.pixels];
        let factor = term.factor(self.weights);
        if term.mean == NONE {
            return scale(z, dy, factor, false);
        }
        let (mean, inverse) = term.normal(self.saved, c);
        let sums = &self.sums[term.sums as usize..][..2 * self.channels];
        let (slope, gradient) = (inverse * sums[c] * self.share, sums[self.channels + c] * self.share);
        centre(z, dy, [mean, slope, gradient, factor * inverse]);
    }
}

fn backward(call: &mut Call<'_>) {
    let p: Backward = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let terms = terms(call.input_words(0), p.table, p.terms);
    let given = Operands {
        channels,
        pixels,
        share: (1.0 / (f64::from(p.batch) * f64::from(p.pixels))) as f32,
        saved: call.input(1),
        weights: call.input(2),
        sums: call.input(3),
        dy: call.input(4),
    };
    let z = call.output(0);
    if parallel::alone(2 * batch * channels * pixels * terms.len()) {
        for n in 0..batch {
            for c in 0..channels {
                for term in &terms {
                    given.replace(&mut z[term.plane(n, c, pixels)..][..pixels], term, n, c);
                }
            }
        }
        return;
    }
    // An image's part of each term, in the order of memory, so that threads can have them apart.
    let mut order: Vec<(usize, usize, usize)> = (0..batch)
        .flat_map(|n| terms.iter().enumerate().map(move |(t, term)| (term.plane(n, 0, pixels), n, t)))
        .collect();
    order.sort_unstable();
    let mut images: Vec<Vec<(usize, &mut [f32])>> = (0..batch).map(|_| Vec::with_capacity(terms.len())).collect();
    let (mut rest, mut at) = (z, 0);
    for (first, n, t) in order {
        let (part, after) = rest.split_at_mut(first - at).1.split_at_mut(channels * pixels);
        images[n].push((t, part));
        (rest, at) = (after, first + channels * pixels);
    }
    images.into_par_iter().enumerate().for_each(|(n, mut parts)| {
        for c in 0..channels {
            // dy stays in the first-level cache from term to term.
            for (t, z) in &mut parts {
                given.replace(&mut z[c * pixels..][..pixels], &terms[*t], n, c);
            }
        }
    });
}

fn reference(call: &mut Call<'_>) {
    let p: Backward = call.params();
    let [batch, channels, pixels] = [p.batch, p.channels, p.pixels].map(|n| n as usize);
    let elements = f64::from(p.batch) * f64::from(p.pixels);
    let terms = terms(call.input_words(0), p.table, p.terms);
    let (saved, weights, sums, dy) = (call.input(1), call.input(2), call.input(3), call.input(4));
    let z = call.output(0);
    for term in &terms {
        let weight = f64::from(term.factor(weights));
        for n in 0..batch {
            for c in 0..channels {
                let (mean, inverse) = term.normal(saved, c);
                for i in 0..pixels {
                    let g = f64::from(dy[term.gradient(n, c, pixels) + i]);
                    let z = &mut z[term.plane(n, c, pixels) + i];
                    if term.mean == NONE {
                        *z = (weight * g) as f32;
                        continue;
                    }
                    let sums = &sums[term.sums as usize..];
                    let normalised = (f64::from(*z) - f64::from(mean)) * f64::from(inverse);
                    let through = (f64::from(sums[channels + c]) + normalised * f64::from(sums[c])) / elements;
                    *z = (weight * f64::from(inverse) * (g - through)) as f32;
                }
            }
        }
    }
}
