//! The weight arithmetic of second-order DARTS (Liu et al., 2019, equations 7 and 8): the unrolled
//! weights w' = w − η(μv + ∇ + λw), the perturbed ones w± = w ± R·d/‖d‖ around w, and the Hessian product
//! by central differences, η(∇⁺ − ∇⁻)/(2ε) with ε = R/‖d‖, taken off the architecture's gradient.

use super::{SUPERNET, scalars, step_words};
use crate::device::{Call, Case, Kernel, Launch};
use crate::kernels::cpu::parallel::PIECE;
use crate::params;
use rayon::prelude::*;

params! {
    /// Parameters of [`UNROLL`].
    pub struct Unroll {
        /// Offset of the weights w.
        pub weight: u32,
        /// Offset of their gradient ∇.
        pub gradient: u32,
        /// Offset of the momentum buffer v.
        pub velocity: u32,
        /// Offset of w'.
        pub result: u32,
        /// Number of elements.
        pub count: u32,
        /// Where in the step buffer the learning rate η lies.
        pub learning_rate: u32,
        /// Momentum μ.
        pub momentum: f32,
        /// Weight decay λ.
        pub weight_decay: f32,
    }
}

params! {
    /// Parameters of [`PERTURB`].
    pub struct Perturb {
        /// Offset of the weights w.
        pub weight: u32,
        /// Offset of the direction d.
        pub direction: u32,
        /// Offset of the result.
        pub result: u32,
        /// Number of elements.
        pub count: u32,
        /// Which scalar is ‖d‖.
        pub norm: u32,
        /// Length of the step, R or −R.
        pub scale: f32,
    }
}

params! {
    /// Parameters of [`HESSIAN`].
    pub struct Hessian {
        /// Offset of ∇⁺.
        pub plus: u32,
        /// Offset of ∇⁻.
        pub minus: u32,
        /// Offset of the gradient to correct.
        pub gradient: u32,
        /// Number of elements.
        pub count: u32,
        /// Where in the step buffer the learning rate η lies.
        pub learning_rate: u32,
        /// Which scalar is ‖d‖.
        pub norm: u32,
        /// Length R of the step that [`PERTURB`] took.
        pub epsilon: f32,
    }
}

/// w' = w − η(μv + ∇ + λw).
pub static UNROLL: Kernel = Kernel {
    name: "unroll",
    source: wgsl!("unroll"),
    params: Unroll::LAYOUT,
    inputs: &["weight", "gradient", "velocity", "step: u32"],
    outputs: &["result"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<Unroll>(params).count.into(), 64),
    flops: |params| 6 * u64::from(bytemuck::pod_read_unaligned::<Unroll>(params).count),
    twin: unroll,
    reference: unroll,
    cases: || SIZES.map(unroll_case).to_vec(),
    benches: || vec![unroll_case(SUPERNET)],
};

/// w + scale·d/‖d‖.
pub static PERTURB: Kernel = Kernel {
    name: "perturb",
    source: wgsl!("perturb"),
    params: Perturb::LAYOUT,
    inputs: &["weight", "direction", "scalars"],
    outputs: &["result"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<Perturb>(params).count.into(), 64),
    flops: |params| 2 * u64::from(bytemuck::pod_read_unaligned::<Perturb>(params).count),
    twin: perturb,
    reference: perturb,
    cases: || SIZES.iter().flat_map(|&count| [0.5, -0.5].map(|scale| perturb_case(count, scale))).collect(),
    benches: || vec![perturb_case(SUPERNET, 0.01)],
};

/// gradient −= η(∇⁺ − ∇⁻)·‖d‖/(2R).
pub static HESSIAN: Kernel = Kernel {
    name: "hessian_difference",
    source: wgsl!("hessian_difference"),
    params: Hessian::LAYOUT,
    inputs: &["plus", "minus", "step: u32", "scalars"],
    outputs: &["gradient"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<Hessian>(params).count.into(), 64),
    flops: |params| 3 * u64::from(bytemuck::pod_read_unaligned::<Hessian>(params).count),
    twin: hessian,
    reference: hessian,
    cases: || SIZES.map(hessian_case).to_vec(),
    // Architecture weights of a normal and a reduction cell: 14 edges of 8 operations each.
    benches: || vec![hessian_case(224)],
};

const SIZES: [u32; 5] = [1, 63, 64, 65, 5000];

fn unroll(call: &mut Call<'_>) {
    let p: Unroll = call.params();
    let count = p.count as usize;
    let rate = f32::from_bits(call.input_words(3)[p.learning_rate as usize]);
    let weight = &call.input(0)[p.weight as usize..][..count];
    let gradient = &call.input(1)[p.gradient as usize..][..count];
    let velocity = &call.input(2)[p.velocity as usize..][..count];
    let result = &mut call.output(0)[p.result as usize..][..count];
    let inputs = weight.par_chunks(PIECE).zip(gradient.par_chunks(PIECE)).zip(velocity.par_chunks(PIECE));
    result.par_chunks_mut(PIECE).zip(inputs).for_each(|(result, ((w, g), v))| {
        for (((r, &w), &g), &v) in result.iter_mut().zip(w).zip(g).zip(v) {
            *r = w - rate * (p.momentum * v + g + p.weight_decay * w);
        }
    });
}

fn perturb(call: &mut Call<'_>) {
    let p: Perturb = call.params();
    let count = p.count as usize;
    let factor = p.scale / call.input(2)[p.norm as usize];
    let weight = &call.input(0)[p.weight as usize..][..count];
    let direction = &call.input(1)[p.direction as usize..][..count];
    let result = &mut call.output(0)[p.result as usize..][..count];
    let inputs = weight.par_chunks(PIECE).zip(direction.par_chunks(PIECE));
    result.par_chunks_mut(PIECE).zip(inputs).for_each(|(result, (w, d))| {
        for ((r, &w), &d) in result.iter_mut().zip(w).zip(d) {
            *r = w + factor * d;
        }
    });
}

fn hessian(call: &mut Call<'_>) {
    let p: Hessian = call.params();
    let count = p.count as usize;
    let rate = f32::from_bits(call.input_words(2)[p.learning_rate as usize]);
    let factor = rate * (call.input(3)[p.norm as usize] / (2.0 * p.epsilon));
    let plus = &call.input(0)[p.plus as usize..][..count];
    let minus = &call.input(1)[p.minus as usize..][..count];
    let gradient = &mut call.output(0)[p.gradient as usize..][..count];
    let inputs = plus.par_chunks(PIECE).zip(minus.par_chunks(PIECE));
    gradient.par_chunks_mut(PIECE).zip(inputs).for_each(|(gradient, (plus, minus))| {
        for ((g, &plus), &minus) in gradient.iter_mut().zip(plus).zip(minus) {
            *g -= factor * (plus - minus);
        }
    });
}

fn unroll_case(count: u32) -> Case {
    let p = Unroll {
        weight: 1,
        gradient: 2,
        velocity: 3,
        result: 4,
        count,
        learning_rate: 2,
        momentum: 0.9,
        weight_decay: 0.03,
    };
    let count = count as usize;
    Case::new(format!("{count} elements"), &p)
        .noise(count + 2, 1)
        .noise(count + 3, 2)
        .noise(count + 4, 3)
        .words(&step_words())
        .result(count + 6)
}

fn perturb_case(count: u32, scale: f32) -> Case {
    let p = Perturb { weight: 1, direction: 2, result: 3, count, norm: 4, scale };
    let count = count as usize;
    Case::new(format!("{count} elements, scale {scale}"), &p)
        .noise(count + 2, 1)
        .noise(count + 3, 2)
        .input(&scalars([1.0, 0.7]))
        .result(count + 5)
}

fn hessian_case(count: u32) -> Case {
    let p = Hessian { plus: 1, minus: 2, gradient: 3, count, learning_rate: 2, norm: 4, epsilon: 0.01 };
    let count = count as usize;
    Case::new(format!("{count} elements"), &p)
        .noise(count + 2, 1)
        .noise(count + 3, 2)
        .words(&step_words())
        .input(&scalars([1.0, 0.7]))
        .result(count + 5)
}
