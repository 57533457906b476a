//! Steps of the optimisers over flat buffers: SGD with momentum (or Nesterov's), Adam and AdamW, with
//! the gradient clipped by its norm; the exponentiated gradient; and the weight arithmetic of second-order DARTS.
//!
//! SGD:  g = c·∇ + λw,  v ← μv + g,  w ← w − η·v  (Nesterov: w − η(g + μv)),  c = min(1, clip/(‖∇‖ + 1e-6)).
//!
//! Adam: g = ∇ + λw,  m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,
//! w ← w − η/(1−β₁ᵗ) · m/(√v/√(1−β₂ᵗ) + ε); AdamW leaves g alone and first shrinks w by ηλw. With `epsilon_hat` ε is
//! added before v is corrected, (√v + ε)/√(1−β₂ᵗ): the second form of the paper (its section 2), and TensorFlow's.
//!
//! Learning rates and Adam's corrections change from step to step, so they come from the step buffer
//! (float32 as words); norms come from a buffer of scalars computed on the device. SGD and Adam write
//! nothing at all where one of their *guards*, a range of those scalars, is not finite: a loss or a norm
//! that overflowed must not spoil the weights.

mod exponentiated;
mod second_order;

pub use exponentiated::{EXPONENTIATED_GRADIENT, ExponentiatedGradient};
pub use second_order::{HESSIAN, Hessian, PERTURB, Perturb, UNROLL, Unroll};

use crate::device::{Call, Case, Kernel, Launch, Output};
use crate::kernels::cpu::parallel::PIECE;
use crate::params;
use multiversion::multiversion;
use rayon::prelude::*;

/// `Sgd::norm` for a gradient that is not clipped.
pub const NO_CLIP: u32 = u32::MAX;

params! {
    /// Parameters of [`SGD`].
    pub struct Sgd {
        /// Offset of the weights.
        pub weight: u32,
        /// Offset of their gradient.
        pub gradient: u32,
        /// Offset of the momentum buffer.
        pub velocity: u32,
        /// Number of elements.
        pub count: u32,
        /// Where in the step buffer the learning rate lies.
        pub learning_rate: u32,
        /// Which scalar is the gradient's norm, or [`NO_CLIP`].
        pub norm: u32,
        /// First scalar that must be finite.
        pub guard: u32,
        /// Number of scalars that must be finite.
        pub guards: u32,
        /// Nesterov's momentum (1) or the plain one (0).
        pub nesterov: u32,
        /// Largest norm of the gradient.
        pub clip: f32,
        /// Momentum μ.
        pub momentum: f32,
        /// Weight decay λ.
        pub weight_decay: f32,
    }
}

params! {
    /// Parameters of [`ADAM`].
    pub struct Adam {
        /// Offset of the weights.
        pub weight: u32,
        /// Offset of their gradient.
        pub gradient: u32,
        /// Offset of the first moment m.
        pub first: u32,
        /// Offset of the second moment v.
        pub second: u32,
        /// Number of elements.
        pub count: u32,
        /// Where in the step buffer the learning rate lies.
        pub learning_rate: u32,
        /// Where in the step buffer 1−β₁ᵗ lies, followed by 1−β₂ᵗ.
        pub corrections: u32,
        /// First scalar that must be finite.
        pub guard: u32,
        /// Number of scalars that must be finite.
        pub guards: u32,
        /// Decay shrinks the weights (1, AdamW) or is added to the gradient (0, Adam).
        pub decoupled: u32,
        /// Whether ε is added to √v before (1) or after (0) its bias is corrected.
        pub epsilon_hat: u32,
        /// Decay of the first moment.
        pub beta1: f32,
        /// Decay of the second moment.
        pub beta2: f32,
        /// Added to the root of the second moment.
        pub epsilon: f32,
        /// Weight decay λ.
        pub weight_decay: f32,
    }
}

/// One step of stochastic gradient descent.
pub static SGD: Kernel = Kernel {
    name: "sgd",
    source: wgsl!("include/guards", "sgd"),
    params: Sgd::LAYOUT,
    inputs: &["gradient", "step: u32", "scalars"],
    outputs: &["weight", "velocity"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<Sgd>(params).count.into(), 64),
    flops: |params| 8 * u64::from(bytemuck::pod_read_unaligned::<Sgd>(params).count),
    twin: sgd,
    reference: sgd,
    cases: sgd_cases,
    benches: || {
        let p = Sgd { norm: 4, clip: 5.0, momentum: 0.9, weight_decay: 3e-4, guard: 3, guards: 2, ..SGD_CASE };
        vec![sgd_case("supernet", Sgd { count: SUPERNET, ..p }, [1.0, 7.0])]
    },
};

/// One step of Adam or AdamW.
pub static ADAM: Kernel = Kernel {
    name: "adam",
    source: wgsl!("include/guards", "adam"),
    params: Adam::LAYOUT,
    inputs: &["gradient", "step: u32", "scalars"],
    outputs: &["weight", "first", "second"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<Adam>(params).count.into(), 64),
    flops: |params| 15 * u64::from(bytemuck::pod_read_unaligned::<Adam>(params).count),
    twin: adam,
    reference: adam,
    cases: adam_cases,
    benches: || vec![adam_case("supernet", Adam { count: SUPERNET, ..ADAM_CASE }, [1.0, 7.0])],
};

/// Weights of the DARTS supernet of 16 channels and 8 cells.
const SUPERNET: u32 = 1_930_618;

/// Whether one of `count` scalars from `first` on is infinite or not a number.
fn any_not_finite(scalars: &[f32], first: u32, count: u32) -> bool {
    (first..first + count).any(|at| !scalars[at as usize].is_finite())
}

fn sgd(call: &mut Call<'_>) {
    let p: Sgd = call.params();
    let scalars = call.input(2);
    if any_not_finite(scalars, p.guard, p.guards) {
        return;
    }
    let clip = if p.norm == NO_CLIP { 1.0 } else { (p.clip / (scalars[p.norm as usize] + 1e-6)).min(1.0) };
    let rate = f32::from_bits(call.input_words(1)[p.learning_rate as usize]);
    let count = p.count as usize;
    let gradient = &call.input(0)[p.gradient as usize..][..count];
    let [weight, velocity] = call.outputs().map(Output::floats);
    let weight = &mut weight[p.weight as usize..][..count];
    let velocity = &mut velocity[p.velocity as usize..][..count];
    weight
        .par_chunks_mut(PIECE)
        .zip(velocity.par_chunks_mut(PIECE))
        .zip(gradient.par_chunks(PIECE))
        .for_each(|((w, v), g)| sgd_piece(&p, clip, rate, w, v, g));
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn sgd_piece(p: &Sgd, clip: f32, rate: f32, weight: &mut [f32], velocity: &mut [f32], gradient: &[f32]) {
    let nesterov = p.nesterov != 0;
    for ((w, v), &g) in weight.iter_mut().zip(velocity).zip(gradient) {
        let g = g * clip + p.weight_decay * *w;
        *v = p.momentum * *v + g;
        *w -= rate * if nesterov { g + p.momentum * *v } else { *v };
    }
}

fn adam(call: &mut Call<'_>) {
    let p: Adam = call.params();
    if any_not_finite(call.input(2), p.guard, p.guards) {
        return;
    }
    let step = |at: u32| f32::from_bits(call.input_words(1)[at as usize]);
    let rate = step(p.learning_rate);
    let scales = [rate, rate / step(p.corrections), step(p.corrections + 1).sqrt()];
    let count = p.count as usize;
    let gradient = &call.input(0)[p.gradient as usize..][..count];
    let [weight, first, second] = call.outputs().map(Output::floats);
    let weight = &mut weight[p.weight as usize..][..count];
    let first = &mut first[p.first as usize..][..count];
    let second = &mut second[p.second as usize..][..count];
    weight
        .par_chunks_mut(PIECE)
        .zip(first.par_chunks_mut(PIECE))
        .zip(second.par_chunks_mut(PIECE))
        .zip(gradient.par_chunks(PIECE))
        .for_each(|(((w, m), v), g)| adam_piece(&p, scales, w, m, v, g));
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn adam_piece(
    p: &Adam,
    [rate, size, correction]: [f32; 3],
    weight: &mut [f32],
    first: &mut [f32],
    second: &mut [f32],
    gradient: &[f32],
) {
    let (shrink, decay) = if p.decoupled != 0 { (rate * p.weight_decay, 0.0) } else { (0.0, p.weight_decay) };
    // ε̂/√(1−β₂ᵗ) beside the corrected root is the same as ε̂ beside the other.
    let epsilon = if p.epsilon_hat != 0 { p.epsilon / correction } else { p.epsilon };
    for (((w, m), v), &g) in weight.iter_mut().zip(first).zip(second).zip(gradient) {
        let g = g + decay * *w;
        *m = p.beta1 * *m + (1.0 - p.beta1) * g;
        *v = p.beta2 * *v + (1.0 - p.beta2) * g * g;
        *w = (*w - shrink * *w) - size * (*m / (v.sqrt() / correction + epsilon));
    }
}

const SGD_CASE: Sgd = Sgd {
    weight: 1,
    gradient: 2,
    velocity: 3,
    count: 0,
    learning_rate: 2,
    norm: NO_CLIP,
    guard: 0,
    guards: 0,
    nesterov: 0,
    clip: 0.0,
    momentum: 0.0,
    weight_decay: 0.0,
};

const ADAM_CASE: Adam = Adam {
    weight: 1,
    gradient: 2,
    first: 3,
    second: 4,
    count: 0,
    learning_rate: 2,
    corrections: 4,
    guard: 3,
    guards: 2,
    decoupled: 0,
    epsilon_hat: 0,
    beta1: 0.5,
    beta2: 0.999,
    epsilon: 1e-8,
    weight_decay: 1e-3,
};

/// A step buffer with 1−β₁ᵗ, 1−β₂ᵗ at 4 and a learning rate at 2, large so that errors show.
fn step_words() -> [u32; 7] {
    let [rate, first, second] = [0.25f32, 0.75, 0.002].map(f32::to_bits);
    [7, 7, rate, 7, first, second, 7]
}

/// A buffer of scalars whose only finite ones are those at 3 and 4.
fn scalars([loss, norm]: [f32; 2]) -> [f32; 6] {
    [f32::NAN, f32::INFINITY, f32::NAN, loss, norm, f32::NAN]
}

fn sgd_case(label: &str, p: Sgd, guarded: [f32; 2]) -> Case {
    let count = p.count as usize;
    Case::new(format!("{label}, {count} elements"), &p)
        .noise(count + 4, 1)
        .words(&step_words())
        .input(&scalars(guarded))
        .result(count + 3)
        .result(count + 5)
}

fn sgd_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for count in [1, 63, 64, 65, 5000] {
        let plain = Sgd { count, ..SGD_CASE };
        let full = Sgd { norm: 4, clip: 5.0, guard: 3, guards: 2, momentum: 0.9, weight_decay: 0.03, ..plain };
        cases.push(sgd_case("no momentum, not clipped", plain, [1.0, 1.0]));
        cases.push(sgd_case("clipped", full, [1.0, 20.0]));
        cases.push(sgd_case("norm below the limit", full, [1.0, 2.0]));
        cases.push(sgd_case("Nesterov", Sgd { nesterov: 1, ..full }, [1.0, 20.0]));
        for bad in NOT_FINITE {
            cases.push(sgd_case("loss not finite", full, [bad, 1.0]).exactly());
            cases.push(sgd_case("norm not finite", full, [1.0, bad]).exactly());
        }
    }
    cases
}

const NOT_FINITE: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];

fn adam_case(label: &str, p: Adam, guarded: [f32; 2]) -> Case {
    let count = p.count as usize;
    // Second moments are sums of squares: never negative.
    let second: Vec<f32> = crate::device::noise(count + 6, 2).into_iter().map(|v| v * v).collect();
    Case::new(format!("{label}, {count} elements"), &p)
        .noise(count + 4, 1)
        .words(&step_words())
        .input(&scalars(guarded))
        .result(count + 3)
        .result(count + 5)
        .output(&second)
}

fn adam_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for count in [1, 63, 64, 65, 5000] {
        let adam = Adam { count, ..ADAM_CASE };
        let adamw = Adam { decoupled: 1, weight_decay: 0.05, epsilon: 1e-3, ..adam };
        cases.push(adam_case("Adam", adam, [1.0, 1.0]));
        cases.push(adam_case("AdamW", adamw, [1.0, 1.0]));
        cases.push(adam_case("ε beside the root", Adam { epsilon_hat: 1, epsilon: 0.3, ..adam }, [1.0, 1.0]));
        cases.push(adam_case("no guards", Adam { guards: 0, ..adamw }, [f32::NAN, 1.0]));
        for bad in NOT_FINITE {
            cases.push(adam_case("loss not finite", adam, [bad, 1.0]).exactly());
            cases.push(adam_case("norm not finite", adamw, [1.0, bad]).exactly());
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(values: &[f32]) -> Vec<u32> {
        bytemuck::cast_slice(values).to_vec()
    }

    /// Runs the twin of `kernel` on one element: inputs, then outputs, which come back.
    fn one(kernel: &Kernel, params: &[u8], inputs: [&[f32]; 3], outputs: &[f32]) -> Vec<f32> {
        let inputs = inputs.map(words);
        let mut outputs: Vec<Vec<u32>> = outputs.iter().map(|&value| words(&[value])).collect();
        let bound = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        (kernel.twin)(&mut Call::new(params, inputs.iter().map(Vec::as_slice).collect(), bound));
        outputs.iter().map(|words| f32::from_bits(words[0])).collect()
    }

    #[test]
    fn sgd_follows_the_formula() {
        let p = Sgd { weight: 0, gradient: 0, velocity: 0, count: 1, learning_rate: 0, ..SGD_CASE };
        let p = Sgd { norm: 0, clip: 5.0, momentum: 0.5, weight_decay: 0.25, ..p };
        // A norm of 20 is clipped to 5: g = 8·(5/20) + 0.25·4 = 3, v = 0.5·2 + 3 = 4.
        let inputs: [&[f32]; 3] = [&[8.0], &[0.5], &[20.0]];
        let close = |got: Vec<f32>, expected: [f32; 2]| {
            assert!(got.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-5), "{got:?} {expected:?}");
        };
        close(one(&SGD, bytemuck::bytes_of(&p), inputs, &[4.0, 2.0]), [2.0, 4.0]);
        // Nesterov: w − 0.5·(3 + 0.5·4).
        let nesterov = Sgd { nesterov: 1, ..p };
        close(one(&SGD, bytemuck::bytes_of(&nesterov), inputs, &[4.0, 2.0]), [1.5, 4.0]);
        // A norm below the limit leaves the gradient alone: g = 8 + 1, v = 10.
        close(one(&SGD, bytemuck::bytes_of(&p), [&[8.0], &[0.5], &[4.0]], &[4.0, 2.0]), [-1.0, 10.0]);
    }

    #[test]
    fn the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient() {
        let p = Adam { weight: 0, gradient: 0, first: 0, second: 0, count: 1, learning_rate: 0, ..ADAM_CASE };
        let p = Adam { corrections: 1, guards: 0, weight_decay: 0.0, ..p };
        for gradient in [1e-3, -7.0] {
            let got = one(&ADAM, bytemuck::bytes_of(&p), [&[gradient], &[0.25, 0.5, 0.001], &[]], &[2.0, 0.0, 0.0]);
            assert!((got[0] - (2.0 - 0.25 * gradient.signum())).abs() < 1e-4, "{got:?}");
        }
        // ε beside the uncorrected root: √(1−β₂)·|g| + ε over √(1−β₂).
        let hat = Adam { epsilon_hat: 1, epsilon: 0.3, ..p };
        let got = one(&ADAM, bytemuck::bytes_of(&hat), [&[2.0], &[0.25, 0.5, 0.001], &[]], &[2.0, 0.0, 0.0]);
        let root = 0.001f32.sqrt();
        assert!((got[0] - (2.0 - 0.25 * 2.0 * root / (2.0 * root + 0.3))).abs() < 1e-5, "{got:?}");
        // Without a gradient, AdamW's decay shrinks the weight by ηλ; Adam's passes through the moments.
        let decay = |decoupled| Adam { decoupled, weight_decay: 0.1, ..p };
        let still: [&[f32]; 3] = [&[0.0], &[0.25, 0.5, 0.001], &[]];
        let adamw = one(&ADAM, bytemuck::bytes_of(&decay(1)), still, &[2.0, 0.0, 0.0]);
        assert!((adamw[0] - 2.0 * (1.0 - 0.025)).abs() < 1e-6 && adamw[1] == 0.0, "{adamw:?}");
        let adam = one(&ADAM, bytemuck::bytes_of(&decay(0)), still, &[2.0, 0.0, 0.0]);
        assert!((adam[0] - 1.75).abs() < 1e-4 && (adam[1] - 0.1).abs() < 1e-6, "{adam:?}");
    }
}
