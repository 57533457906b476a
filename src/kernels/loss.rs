//! Cross entropy of softmax(logits) with label smoothing, accuracy, and which classes are answered.
//!
//! With targets t_k = (1 − s)·[k = label] + s/classes: losses\[n\] = −Σ_k t_k log p_k, and
//! dlogits = (p − t)·dloss/batch, the gradient of the batch's mean loss. A label that is no class makes
//! its loss a NaN, which the guards of the optimisers see.

use crate::device::{Call, Case, Kernel, Output};
use crate::kernels::cpu::contiguous::sum_of;
use crate::kernels::cpu::parallel::{self, pieces_of};
use crate::kernels::launch::{by_element, by_workgroup};
use crate::params;
use rayon::prelude::*;

params! {
    /// Parameters of [`FORWARD`].
    pub struct Forward {
        /// Offset of the logits, [batch, classes].
        pub logits: u32,
        /// Offset of the labels, \[batch\] words.
        pub labels: u32,
        /// Offset of the losses, \[batch\].
        pub losses: u32,
        /// Offset of the probabilities, [batch, classes].
        pub probabilities: u32,
        /// Rows.
        pub batch: u32,
        /// Classes, at least 1.
        pub classes: u32,
        /// Share s of the target that is spread over all classes.
        pub smoothing: f32,
    }
}

params! {
    /// Parameters of [`BACKWARD`].
    pub struct Backward {
        /// Offset of the probabilities, [batch, classes].
        pub probabilities: u32,
        /// Offset of the labels, \[batch\] words.
        pub labels: u32,
        /// Offset of the gradient of the mean loss, one element.
        pub dloss: u32,
        /// Offset of dlogits, [batch, classes].
        pub dlogits: u32,
        /// Rows.
        pub batch: u32,
        /// Classes, at least 1.
        pub classes: u32,
        /// Share s of the target that is spread over all classes.
        pub smoothing: f32,
        /// Whether dlogits is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

params! {
    /// Parameters of [`ACCURACY`].
    pub struct Accuracy {
        /// Offset of the logits, [batch, classes].
        pub logits: u32,
        /// Offset of the labels, \[batch\] words.
        pub labels: u32,
        /// Offset of the count, one element.
        pub correct: u32,
        /// Rows.
        pub batch: u32,
        /// Classes, at least 1.
        pub classes: u32,
        /// Whether the count is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

params! {
    /// Parameters of [`ANSWERS`].
    pub struct Answers {
        /// Offset of the logits, [batch, classes].
        pub logits: u32,
        /// Offset of the places, \[batch\] words, no two alike.
        pub places: u32,
        /// Offset of the answers, a word each.
        pub answers: u32,
        /// Rows.
        pub batch: u32,
        /// Classes, at least 1.
        pub classes: u32,
    }
}

/// Each row's loss, and softmax(logits).
pub static FORWARD: Kernel = Kernel {
    name: "cross_entropy_forward",
    source: wgsl!("include/combine", "cross_entropy_forward"),
    params: Forward::LAYOUT,
    inputs: &["logits", "labels: u32"],
    outputs: &["losses", "probabilities"],
    launch: |params, class| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        by_workgroup(p.batch.into(), class)
    },
    flops: |params| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        5 * u64::from(p.batch) * u64::from(p.classes)
    },
    twin: forward,
    reference,
    cases: || {
        let smooth = |(batch, classes)| [0.0, 0.1].map(|s| forward_case(batch, classes, s, 1.0));
        let mut cases: Vec<Case> = SHAPES.into_iter().flat_map(smooth).collect();
        // Far beyond what exp could take.
        cases.push(forward_case(9, 10, 0.1, 5e4));
        cases.push(wrong_label_case());
        cases
    },
    benches: || vec![forward_case(64, 10, 0.1, 1.0), forward_case(64, 1000, 0.1, 1.0)],
};

/// dlogits (+)= (probabilities − targets)·dloss/batch.
pub static BACKWARD: Kernel = Kernel {
    name: "cross_entropy_backward",
    source: wgsl!("cross_entropy_backward"),
    params: Backward::LAYOUT,
    inputs: &["probabilities", "labels: u32", "dloss"],
    outputs: &["dlogits"],
    launch: |params, class| {
        let p: Backward = bytemuck::pod_read_unaligned(params);
        by_element(u64::from(p.batch) * u64::from(p.classes), class)
    },
    flops: |params| {
        let p: Backward = bytemuck::pod_read_unaligned(params);
        2 * u64::from(p.batch) * u64::from(p.classes)
    },
    twin: backward,
    reference: backward,
    cases: || {
        let each = |(batch, classes)| [(0.0, 0), (0.1, 1)].map(|(s, a)| backward_case(batch, classes, s, a));
        SHAPES.into_iter().flat_map(each).collect()
    },
    benches: || vec![backward_case(64, 10, 0.1, 0), backward_case(64, 1000, 0.1, 0)],
};

/// correct (+)= the number of rows whose largest logit (the first of equals) is the label.
pub static ACCURACY: Kernel = Kernel {
    name: "accuracy",
    source: wgsl!("include/combine", "accuracy"),
    params: Accuracy::LAYOUT,
    inputs: &["logits", "labels: u32"],
    outputs: &["correct"],
    launch: |_, class| by_workgroup(1, class),
    flops: |params| {
        let p: Accuracy = bytemuck::pod_read_unaligned(params);
        u64::from(p.batch) * u64::from(p.classes)
    },
    twin: accuracy,
    reference: accuracy,
    cases: || SHAPES.into_iter().flat_map(|(n, k)| [0, 1].map(|a| accuracy_case(n, k, a))).collect(),
    benches: || vec![accuracy_case(64, 10, 1)],
};

/// answers\[places\[n\]\] = the class of row n's largest logit (the first of equals).
pub static ANSWERS: Kernel = Kernel {
    name: "answers",
    source: wgsl!("answers"),
    params: Answers::LAYOUT,
    inputs: &["logits", "places: u32"],
    outputs: &["answers: u32"],
    launch: |params, class| {
        let p: Answers = bytemuck::pod_read_unaligned(params);
        by_element(p.batch.into(), class)
    },
    flops: |params| {
        let p: Answers = bytemuck::pod_read_unaligned(params);
        u64::from(p.batch) * u64::from(p.classes)
    },
    twin: answers,
    reference: answers,
    cases: || SHAPES.into_iter().map(|(n, k)| answers_case(n, k)).collect(),
    benches: || vec![answers_case(64, 10), answers_case(64, 1000)],
};

fn forward(call: &mut Call<'_>) {
    let p: Forward = call.params();
    let (batch, classes) = (p.batch as usize, p.classes as usize);
    let logits = &call.input(0)[p.logits as usize..][..batch * classes];
    let labels = &call.input_words(1)[p.labels as usize..][..batch];
    let [losses, probabilities] = call.outputs().map(Output::floats);
    let losses = &mut losses[p.losses as usize..][..batch];
    let probabilities = &mut probabilities[p.probabilities as usize..][..batch * classes];
    let rows = losses.par_iter_mut().zip(probabilities.par_chunks_mut(classes));
    // Rows of few classes are handed out together.
    let rows = rows.zip(logits.par_chunks(classes)).zip(labels).with_min_len(parallel::least(16 * batch * classes));
    rows.for_each(|(((loss, probabilities), z), &label)| {
        *loss = row(z, label, f64::from(p.smoothing), probabilities);
    });
}

/// Writes softmax(z) and gives the loss.
fn row(z: &[f32], label: u32, smoothing: f64, probabilities: &mut [f32]) -> f32 {
    let top = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for (q, &z) in probabilities.iter_mut().zip(z) {
        *q = (z - top).exp();
    }
    let total = sum_of(probabilities, |q| q);
    let factor = (1.0 / total) as f32;
    probabilities.iter_mut().for_each(|q| *q *= factor);
    let Some(&own) = z.get(label as usize) else { return f32::from_bits(label | f32::NAN.to_bits()) };
    let mut loss = total.ln() - (1.0 - smoothing) * f64::from(own - top);
    // A logit of −∞ is fine as long as no target falls on it.
    if smoothing != 0.0 {
        let top = f64::from(top);
        loss -= smoothing * sum_of(z, |v| v - top) / z.len() as f64;
    }
    loss as f32
}

/// The formulas as they stand, in float64.
fn reference(call: &mut Call<'_>) {
    let p: Forward = call.params();
    let classes = p.classes as usize;
    let logits = &call.input(0)[p.logits as usize..][..p.batch as usize * classes];
    let labels = &call.input_words(1)[p.labels as usize..];
    let [losses, probabilities] = call.outputs().map(Output::floats);
    let losses = &mut losses[p.losses as usize..];
    let probabilities = &mut probabilities[p.probabilities as usize..];
    let smoothing = f64::from(p.smoothing);
    for (n, z) in logits.chunks_exact(classes).enumerate() {
        let z: Vec<f64> = z.iter().map(|&v| f64::from(v)).collect();
        let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_total = top + z.iter().map(|v| (v - top).exp()).sum::<f64>().ln();
        let label = labels[n];
        let mut loss = 0.0;
        for (k, z) in z.iter().enumerate() {
            probabilities[n * classes + k] = (z - log_total).exp() as f32;
            let own = if k == label as usize { 1.0 - smoothing } else { 0.0 };
            let target = own + smoothing / classes as f64;
            loss -= if target == 0.0 { 0.0 } else { target * (z - log_total) };
        }
        losses[n] = if label < p.classes { loss as f32 } else { f32::from_bits(label | f32::NAN.to_bits()) };
    }
}

fn backward(call: &mut Call<'_>) {
    let p: Backward = call.params();
    let (batch, classes) = (p.batch as usize, p.classes as usize);
    let probabilities = &call.input(0)[p.probabilities as usize..][..batch * classes];
    let labels = &call.input_words(1)[p.labels as usize..][..batch];
    let scale = call.input(2)[p.dloss as usize] / p.batch as f32;
    let dlogits = &mut call.output(0)[p.dlogits as usize..][..batch * classes];
    let spread = p.smoothing / p.classes as f32;
    pieces_of(classes, batch * classes, dlogits, |first, dlogits| {
        let label = labels[first / classes] as usize;
        for (k, (d, q)) in dlogits.iter_mut().zip(&probabilities[first..]).enumerate() {
            let t = if k == label { 1.0 - p.smoothing } else { 0.0 } + spread;
            let value = (q - t) * scale;
            *d = if p.accumulate != 0 { *d + value } else { value };
        }
    });
}

fn accuracy(call: &mut Call<'_>) {
    let p: Accuracy = call.params();
    let (batch, classes) = (p.batch as usize, p.classes as usize);
    let logits = &call.input(0)[p.logits as usize..][..batch * classes];
    let labels = &call.input_words(1)[p.labels as usize..][..batch];
    let correct = &mut call.output(0)[p.correct as usize];
    let rows = logits.chunks_exact(classes).zip(labels);
    let count = rows.filter(|(z, label)| largest(z) == **label as usize).count() as f32;
    *correct = if p.accumulate != 0 { *correct + count } else { count };
}

fn answers(call: &mut Call<'_>) {
    let p: Answers = call.params();
    let (batch, classes) = (p.batch as usize, p.classes as usize);
    let logits = &call.input(0)[p.logits as usize..][..batch * classes];
    let places = &call.input_words(1)[p.places as usize..][..batch];
    let [answers] = call.outputs().map(Output::words);
    let answers = &mut answers[p.answers as usize..];
    for (z, &place) in logits.chunks_exact(classes).zip(places) {
        answers[place as usize] = largest(z) as u32;
    }
}

/// Where the largest value is, the first of equals.
fn largest(z: &[f32]) -> usize {
    (1..z.len()).fold(0, |best, k| if z[k] > z[best] { k } else { best })
}

/// Rows and classes.
const SHAPES: [(usize, usize); 6] = [(1, 1), (1, 10), (7, 2), (65, 10), (3, 300), (9, 64)];

/// Labels that lie behind two others which are none, different from row to row.
fn labels(batch: usize, classes: usize) -> Vec<u32> {
    [u32::MAX; 2].into_iter().chain((0..batch).map(|n| (n * 7 % classes) as u32)).collect()
}

fn logits(count: usize, size: f32) -> Vec<f32> {
    crate::device::noise(count, 1).iter().map(|v| v * 3.0 * size).collect()
}

/// Few distinct values: the largest is often there more than once.
fn rounded(count: usize) -> Vec<f32> {
    logits(count, 0.7).iter().map(|v| v.round()).collect()
}

fn forward_case(batch: usize, classes: usize, smoothing: f32, size: f32) -> Case {
    let (n, k) = (batch as u32, classes as u32);
    let params = Forward { logits: 3, labels: 2, losses: 1, probabilities: 5, batch: n, classes: k, smoothing };
    Case::new(format!("{n} rows of {k} classes, smoothing {smoothing}, logits to {size}"), &params)
        .input(&logits(batch * classes + 4, size))
        .words(&labels(batch, classes))
        .result(batch + 3)
        .result(batch * classes + 7)
}

/// The only row's label is no class: its loss is a NaN, its probability is 1.
fn wrong_label_case() -> Case {
    let params = Forward { batch: 1, classes: 1, ..Default::default() };
    Case::new("a label that is no class", &params).noise(1, 1).words(&[1]).result(1).result(1).exactly()
}

fn backward_case(batch: usize, classes: usize, smoothing: f32, accumulate: u32) -> Case {
    let (n, k) = (batch as u32, classes as u32);
    let params =
        Backward { probabilities: 3, labels: 2, dloss: 1, dlogits: 5, batch: n, classes: k, smoothing, accumulate };
    Case::new(format!("{n} rows of {k} classes, smoothing {smoothing}, accumulate {accumulate}"), &params)
        .noise(batch * classes + 4, 1)
        .words(&labels(batch, classes))
        .input(&[9.0, 1.7, 9.0])
        .result(batch * classes + 7)
}

fn accuracy_case(batch: usize, classes: usize, accumulate: u32) -> Case {
    let (n, k) = (batch as u32, classes as u32);
    let params = Accuracy { logits: 3, labels: 2, correct: 1, batch: n, classes: k, accumulate };
    Case::new(format!("{n} rows of {k} classes, accumulate {accumulate}"), &params)
        .input(&rounded(batch * classes + 4))
        .words(&labels(batch, classes))
        .result(4)
        .within(1e-7)
}

fn answers_case(batch: usize, classes: usize) -> Case {
    let (n, k) = (batch as u32, classes as u32);
    let params = Answers { logits: 3, places: 2, answers: 1, batch: n, classes: k };
    // Every second place is answered, the last row's first.
    let places: Vec<u32> = [u32::MAX; 2].into_iter().chain((0..n).rev().map(|row| 2 * row)).collect();
    Case::new(format!("{n} rows of {k} classes"), &params)
        .input(&rounded(batch * classes + 4))
        .words(&places)
        .result(2 * batch + 1)
        .exactly()
}
