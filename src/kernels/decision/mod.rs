//! Decisions of a controller and the gradient of REINFORCE (Williams 1992), as ENAS shapes them (Pham et al. 2018):
//! scores become logits `l = reach·tanh(slope·score) + bias`, one of several options is drawn from `softmax(l)`; a skip
//! connection is taken or left by `softmax(−l, l)`.
//!
//! A choice is drawn by a uniform number, the first option whose cumulated probability exceeds it, or it is given. Each
//! row of a batch adds up three *totals* over its choices: −log p of what was chosen, the entropy, and, of skips, the
//! penalty `Σ σ(s)·log(σ(s)/target)` over s = −l and l. Only the first and the last have gradients: an entropy counts as a reward.

mod cases;
mod params;

pub use params::{Choose, ChooseBackward, Skips, SkipsBackward};

use crate::device::{Call, Kernel, Launch};
use crate::kernels::cpu::store::put;
use crate::kernels::launch::by_element;
use cases::*;

/// One of several options a row.
pub static CHOOSE: Kernel = Kernel {
    name: "choose_forward",
    source: wgsl!("include/logits", "choose_forward"),
    params: Choose::LAYOUT,
    inputs: &["scores", "bias", "picks: u32", "before"],
    outputs: &["weights", "answers: u32", "after"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<Choose>(params).rows.into(), 32),
    flops: |params| {
        let p: Choose = bytemuck::pod_read_unaligned(params);
        12 * u64::from(p.rows) * u64::from(p.options)
    },
    twin: choose,
    reference: choose,
    cases: choose_cases,
    benches: || vec![choose_case([10, 5], 1, 0, 1.0)],
};

/// The gradient of [`CHOOSE`]'s scores.
pub static CHOOSE_BACKWARD: Kernel = Kernel {
    name: "choose_backward",
    source: wgsl!("include/logits", "choose_backward"),
    params: ChooseBackward::LAYOUT,
    inputs: &["scores", "bias", "weights", "dafter"],
    outputs: &["dscores"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<ChooseBackward>(params).rows.into(), 32),
    flops: |params| {
        let p: ChooseBackward = bytemuck::pod_read_unaligned(params);
        15 * u64::from(p.rows) * u64::from(p.options)
    },
    twin: choose_backward,
    reference: choose_backward,
    cases: choose_backward_cases,
    benches: || vec![choose_backward_case([10, 5], 0)],
};

/// Yes or no to each of several layers a row.
pub static SKIPS: Kernel = Kernel {
    name: "skips_forward",
    source: wgsl!("include/logits", "skips_forward"),
    params: Skips::LAYOUT,
    inputs: &["scores", "picks: u32", "before"],
    outputs: &["weights", "answers: u32", "after"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<Skips>(params).rows.into(), 32),
    flops: |params| {
        let p: Skips = bytemuck::pod_read_unaligned(params);
        40 * u64::from(p.rows) * u64::from(p.layers)
    },
    twin: skips,
    reference: skips,
    cases: skips_cases,
    benches: || vec![skips_case([20, 11], 1, 1, 1.0)],
};

/// The gradient of [`SKIPS`]' scores.
pub static SKIPS_BACKWARD: Kernel = Kernel {
    name: "skips_backward",
    source: wgsl!("include/logits", "skips_backward"),
    params: SkipsBackward::LAYOUT,
    inputs: &["scores", "weights", "dafter"],
    outputs: &["dscores"],
    launch: |params, class| {
        let p: SkipsBackward = bytemuck::pod_read_unaligned(params);
        by_element(u64::from(p.rows) * u64::from(p.layers), class)
    },
    flops: |params| {
        let p: SkipsBackward = bytemuck::pod_read_unaligned(params);
        35 * u64::from(p.rows) * u64::from(p.layers)
    },
    twin: skips_backward,
    reference: skips_backward,
    cases: skips_backward_cases,
    benches: || vec![skips_backward_case([20, 11], 0)],
};

/// How scores become logits.
#[derive(Clone, Copy)]
struct Shape {
    slope: f32,
    reach: f32,
}

impl Shape {
    /// tanh(slope · score) and the logit before the bias.
    fn squash(self, score: f32) -> (f64, f64) {
        let t = (f64::from(self.slope) * f64::from(score)).tanh();
        (t, f64::from(self.reach) * t)
    }

    /// What a gradient of the logit becomes.
    fn back(self, d: f64, t: f64) -> f64 {
        d * f64::from(self.reach) * f64::from(self.slope) * (1.0 - t * t)
    }
}

/// softmax of the logits, and their logarithms.
fn distribution(shape: Shape, scores: &[f32], bias: &[f32]) -> Vec<[f64; 2]> {
    let bias = bias.iter().copied().chain(std::iter::repeat(0.0));
    let logits: Vec<f64> = scores.iter().zip(bias).map(|(&s, b)| shape.squash(s).1 + f64::from(b)).collect();
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum = logits.iter().map(|l| (l - largest).exp()).sum::<f64>().ln() + largest;
    logits.iter().map(|l| [(l - sum).exp(), l - sum]).collect()
}

/// −log p of what was chosen, or all of the distribution's entropy.
fn entropy(of_choice: u32, surprise: f64, logarithms: impl Iterator<Item = f64>) -> f64 {
    if of_choice != 0 { surprise * (-surprise).exp() } else { logarithms.map(|l| -l * l.exp()).sum() }
}

fn add_totals(after: &mut [f32], before: &[f32], more: [f64; 3]) {
    for ((after, &before), more) in after.iter_mut().zip(before).zip(more) {
        *after = (f64::from(before) + more) as f32;
    }
}

// A controller's batch has some twenty rows: plain loops, on the calling thread.
fn choose(call: &mut Call<'_>) {
    let p: Choose = call.params();
    let (rows, options) = (p.rows as usize, p.options as usize);
    let scores = &call.input(0)[p.scores as usize..][..rows * options];
    let bias = if p.has_bias != 0 { &call.input(1)[p.bias as usize..][..options] } else { &[] };
    let picks = &call.input_words(2)[p.picks as usize..][..rows];
    let before = &call.input(3)[p.before as usize..][..3 * rows];
    let [weights, answers, after] = call.outputs();
    let weights = &mut weights.floats()[p.weights as usize..][..rows * options];
    let answers = &mut answers.words()[p.answers as usize..][..rows];
    let after = &mut after.floats()[p.after as usize..][..3 * rows];
    let shape = Shape { slope: p.slope, reach: p.reach };
    for row in 0..rows {
        let own = distribution(shape, &scores[row * options..][..options], bias);
        let taken = if p.drawn != 0 {
            let uniform = f64::from(f32::from_bits(picks[row]));
            let mut reached = 0.0;
            let exceeds = |[p, _]: &[f64; 2]| {
                reached += p;
                uniform < reached
            };
            own.iter().position(exceeds).unwrap_or(options - 1)
        } else {
            (picks[row] as usize).min(options - 1)
        };
        weights[row * options..][..options].iter_mut().enumerate().for_each(|(k, w)| *w = u8::from(k == taken).into());
        answers[row] = taken as u32;
        let surprise = -own[taken][1];
        let entropy = entropy(p.of_choice, surprise, own.iter().map(|[_, l]| *l));
        add_totals(&mut after[3 * row..], &before[3 * row..][..3], [surprise, entropy, 0.0]);
    }
}

fn choose_backward(call: &mut Call<'_>) {
    let p: ChooseBackward = call.params();
    let (rows, options) = (p.rows as usize, p.options as usize);
    let scores = &call.input(0)[p.scores as usize..][..rows * options];
    let bias = if p.has_bias != 0 { &call.input(1)[p.bias as usize..][..options] } else { &[] };
    let weights = &call.input(2)[p.weights as usize..][..rows * options];
    let dafter = &call.input(3)[p.dafter as usize..][..3 * rows];
    let dscores = &mut call.output(0)[p.dscores as usize..][..rows * options];
    let shape = Shape { slope: p.slope, reach: p.reach };
    for (row, dscores) in dscores.chunks_exact_mut(options).enumerate() {
        let scores = &scores[row * options..][..options];
        for (k, [probability, _]) in distribution(shape, scores, bias).into_iter().enumerate() {
            let d = f64::from(dafter[3 * row]) * (probability - f64::from(weights[row * options + k]));
            put(&mut dscores[k], shape.back(d, shape.squash(scores[k]).0), p.accumulate);
        }
    }
}

/// log(1 + eˣ).
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn skips(call: &mut Call<'_>) {
    let p: Skips = call.params();
    let (rows, layers) = (p.rows as usize, p.layers as usize);
    let scores = &call.input(0)[p.scores as usize..][..rows * layers];
    let picks = &call.input_words(1)[p.picks as usize..][..layers * rows];
    let before = &call.input(2)[p.before as usize..][..3 * rows];
    let [weights, answers, after] = call.outputs();
    let weights = &mut weights.floats()[p.weights as usize..][..rows * layers];
    let answers = &mut answers.words()[p.answers as usize..][..layers * rows];
    let after = &mut after.floats()[p.after as usize..][..3 * rows];
    let shape = Shape { slope: p.slope, reach: p.reach };
    let excess = |l: f64, target: f32| (-softplus(-l)).exp() * (-softplus(-l) - f64::from(target).ln());
    for row in 0..rows {
        let (mut more, mut chosen) = ([0.0; 3], 0);
        for layer in 0..layers {
            let l = shape.squash(scores[row * layers + layer]).1;
            let [no, yes] = [softplus(2.0 * l), softplus(-2.0 * l)];
            let pick = picks[layer * rows + row];
            let drawn = || u32::from(f64::from(f32::from_bits(pick)) >= (-no).exp());
            let taken = if p.drawn != 0 { drawn() } else { pick.min(1) };
            let surprise = if taken == 1 { yes } else { no };
            more[0] += surprise;
            more[1] += entropy(p.of_choice, surprise, [-no, -yes].into_iter());
            more[2] += excess(-l, p.target_no) + excess(l, p.target_yes);
            answers[layer * rows + row] = taken;
            chosen += taken;
        }
        for layer in 0..layers {
            weights[row * layers + layer] = answers[layer * rows + row] as f32 / (1 + chosen) as f32;
        }
        add_totals(&mut after[3 * row..], &before[3 * row..][..3], more);
    }
}

fn skips_backward(call: &mut Call<'_>) {
    let p: SkipsBackward = call.params();
    let (rows, layers) = (p.rows as usize, p.layers as usize);
    let scores = &call.input(0)[p.scores as usize..][..rows * layers];
    let weights = &call.input(1)[p.weights as usize..][..rows * layers];
    let dafter = &call.input(2)[p.dafter as usize..][..3 * rows];
    let dscores = &mut call.output(0)[p.dscores as usize..][..rows * layers];
    let shape = Shape { slope: p.slope, reach: p.reach };
    let slope = |l: f64, target: f32| {
        let sigmoid = (-softplus(-l)).exp();
        sigmoid * (1.0 - sigmoid) * (sigmoid.ln() - f64::from(target).ln() + 1.0)
    };
    for (i, d) in dscores.iter_mut().enumerate() {
        let (t, l) = shape.squash(scores[i]);
        let yes = f64::from(u8::from(weights[i] > 0.0));
        let [of_choice, of_penalty] = [0, 2].map(|total| f64::from(dafter[i / layers * 3 + total]));
        let logit = of_choice * 2.0 * ((-softplus(-2.0 * l)).exp() - yes)
            + of_penalty * (slope(l, p.target_yes) - slope(-l, p.target_no));
        put(d, shape.back(logit, t), p.accumulate);
    }
}
