//! Weighted sums of candidates as they are, the mixed operation of DARTS: `y = Σ_k weights[k] · x_k`, and its
//! gradients. (Of candidates that are normalised on the way: `normalised_sum`.)
//!
//! The active candidates lie stacked: bit k of `active_options` says that option k has a slot, slots are in the
//! order of the options, and slot s begins `s · stride` elements behind the first. At most 32 options.

use crate::device::{Call, Case, Class, Kernel, Launch};
use crate::kernels::cpu::contiguous::{dot, scale};
use crate::kernels::cpu::parallel::{self, LONG_PIECE};
use crate::kernels::cpu::store::put;
use crate::kernels::launch::by_sum;
use crate::params;
use rayon::prelude::*;

params! {
    /// Parameters of [`FORWARD`].
    pub struct Forward {
        /// Offset of the weights, one for each option.
        pub weights: u32,
        /// Offset of slot 0.
        pub x: u32,
        /// Offset of y.
        pub y: u32,
        /// Which options have a slot.
        pub active_options: u32,
        /// Elements from one slot to the next, at least `count`.
        pub stride: u32,
        /// Elements of y.
        pub count: u32,
        /// Whether y is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

params! {
    /// Parameters of [`BACKWARD_CANDIDATES`].
    pub struct BackwardCandidates {
        /// Offset of the weights, one for each option.
        pub weights: u32,
        /// Offset of dy.
        pub dy: u32,
        /// Offset of the gradient of slot 0.
        pub dx: u32,
        /// Which options have a slot.
        pub active_options: u32,
        /// Elements from one slot to the next, at least `count`.
        pub stride: u32,
        /// Elements of dy.
        pub count: u32,
    }
}

params! {
    /// Parameters of [`BACKWARD_WEIGHTS`].
    pub struct BackwardWeights {
        /// Offset of slot 0.
        pub x: u32,
        /// Offset of dy.
        pub dy: u32,
        /// Offset of the gradients of the weights.
        pub dw: u32,
        /// Which options have a slot.
        pub active_options: u32,
        /// Elements from one slot to the next, at least `count`.
        pub stride: u32,
        /// Elements of dy.
        pub count: u32,
        /// Number of options.
        pub options: u32,
        /// Whether dw is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// y (+)= Σ_k weights\[k\] · x_k.
pub static FORWARD: Kernel = Kernel {
    name: "weighted_sum_forward",
    source: wgsl!("weighted_sum_forward"),
    params: Forward::LAYOUT,
    inputs: &["weights", "x"],
    outputs: &["y"],
    launch: |params, class| by_few(bytemuck::pod_read_unaligned::<Forward>(params).count, class),
    flops: |params| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        2 * u64::from(p.count) * u64::from(p.active_options.count_ones())
    },
    twin: forward,
    reference: forward_reference,
    cases: || sizes().map(|(count, active)| forward_case(count, active, count as u32 % 2)).collect(),
    benches: || vec![forward_case(BENCH, 0xff, 0)],
};

/// dx_k = weights\[k\] · dy.
pub static BACKWARD_CANDIDATES: Kernel = Kernel {
    name: "weighted_sum_backward_candidates",
    source: wgsl!("weighted_sum_backward_candidates"),
    params: BackwardCandidates::LAYOUT,
    inputs: &["weights", "dy"],
    outputs: &["dx"],
    launch: |params, class| by_few(bytemuck::pod_read_unaligned::<BackwardCandidates>(params).count, class),
    flops: |params| {
        let p: BackwardCandidates = bytemuck::pod_read_unaligned(params);
        u64::from(p.count) * u64::from(p.active_options.count_ones())
    },
    twin: backward_candidates,
    reference: candidates_reference,
    cases: || sizes().map(|(count, active)| candidates_case(count, active)).collect(),
    benches: || vec![candidates_case(BENCH, 0xff)],
};

/// dw\[k\] (+)= Σ_i dy_i · x_k,i; options without a slot have gradient 0.
pub static BACKWARD_WEIGHTS: Kernel = Kernel {
    name: "weighted_sum_backward_weights",
    source: wgsl!("include/tree", "weighted_sum_backward_weights"),
    params: BackwardWeights::LAYOUT,
    inputs: &["x", "dy"],
    outputs: &["dw"],
    launch: |params, class| by_sum(bytemuck::pod_read_unaligned::<BackwardWeights>(params).options, class),
    flops: |params| {
        let p: BackwardWeights = bytemuck::pod_read_unaligned(params);
        2 * u64::from(p.count) * u64::from(p.active_options.count_ones())
    },
    twin: backward_weights,
    reference: weights_reference,
    cases: || sizes().flat_map(|(count, active)| [0, 1].map(|add| weights_case(count, active, add))).collect(),
    benches: || vec![weights_case(BENCH, 0xff, 0)],
};

/// Slot and option of each active option.
fn slots(active: u32) -> impl Iterator<Item = (usize, usize)> {
    (0..32).filter(move |option| active >> option & 1 != 0).enumerate()
}

/// One thread for each few elements of a line.
fn by_few(count: u32, class: Class) -> Launch {
    let (size, elements) = match class {
        Class::Hardware => (64, 4),
        Class::Software => (16, 64),
    };
    Launch { groups: u64::from(count).div_ceil(u64::from(size * elements)), ..Launch::default() }
        .constant("WORKGROUP", size)
        .constant("ELEMENTS", elements)
}

fn forward(call: &mut Call<'_>) {
    let p: Forward = call.params();
    let (count, stride) = (p.count as usize, p.stride as usize);
    let (weights, x) = (&call.input(0)[p.weights as usize..], &call.input(1)[p.x as usize..]);
    let y = &mut call.output(0)[p.y as usize..][..count];
    let least = parallel::least(count * slots(p.active_options).count());
    y.par_chunks_mut(LONG_PIECE / 4).enumerate().with_min_len(least).for_each(|(piece, y)| {
        if p.active_options == 0 && p.accumulate == 0 {
            y.fill(0.0);
        }
        for (slot, option) in slots(p.active_options) {
            let x = &x[slot * stride..][..count][piece * (LONG_PIECE / 4)..][..y.len()];
            scale(y, x, weights[option], slot > 0 || p.accumulate != 0);
        }
    });
}

fn forward_reference(call: &mut Call<'_>) {
    let p: Forward = call.params();
    let (weights, x, y) = (call.input(0), call.input(1), call.output(0));
    for i in 0..p.count as usize {
        let term = |(slot, option)| {
            f64::from(weights[p.weights as usize + option]) * f64::from(x[p.x as usize + slot * p.stride as usize + i])
        };
        put(&mut y[p.y as usize + i], slots(p.active_options).map(term).sum(), p.accumulate);
    }
}

fn backward_candidates(call: &mut Call<'_>) {
    let p: BackwardCandidates = call.params();
    let (count, active) = (p.count as usize, p.active_options.count_ones() as usize);
    if active == 0 || count == 0 {
        return;
    }
    // A single slot may come with any stride.
    let stride = (p.stride as usize).max(count);
    let (weights, dy) = (&call.input(0)[p.weights as usize..], &call.input(1)[p.dy as usize..][..count]);
    let dx = &mut call.output(0)[p.dx as usize..][..(active - 1) * stride + count];
    let options: Vec<usize> = slots(p.active_options).map(|(_, option)| option).collect();
    dx.par_chunks_mut(stride).zip(options).for_each(|(dx, option)| {
        dx[..count]
            .par_chunks_mut(LONG_PIECE)
            .zip(dy.par_chunks(LONG_PIECE))
            .for_each(|(dx, dy)| scale(dx, dy, weights[option], false));
    });
}

fn candidates_reference(call: &mut Call<'_>) {
    let p: BackwardCandidates = call.params();
    let (weights, dy, dx) = (call.input(0), call.input(1), call.output(0));
    for (slot, option) in slots(p.active_options) {
        for i in 0..p.count as usize {
            dx[p.dx as usize + slot * p.stride as usize + i] =
                weights[p.weights as usize + option] * dy[p.dy as usize + i];
        }
    }
}

fn backward_weights(call: &mut Call<'_>) {
    let p: BackwardWeights = call.params();
    let (count, stride) = (p.count as usize, p.stride as usize);
    let (x, dy) = (&call.input(0)[p.x as usize..], &call.input(1)[p.dy as usize..][..count]);
    // A piece of dy stays in cache while all candidates are multiplied with it.
    let pieces: Vec<[f64; 32]> = dy
        .par_chunks(LONG_PIECE / 4)
        .enumerate()
        .map(|(piece, dy)| {
            let mut sums = [0.0; 32];
            for (slot, option) in slots(p.active_options) {
                sums[option] = dot(&x[slot * stride + piece * (LONG_PIECE / 4)..][..dy.len()], dy);
            }
            sums
        })
        .collect();
    let dw = &mut call.output(0)[p.dw as usize..][..p.options as usize];
    for (option, dw) in dw.iter_mut().enumerate() {
        put(dw, pieces.iter().map(|sums| sums[option]).sum(), p.accumulate);
    }
}

fn weights_reference(call: &mut Call<'_>) {
    let p: BackwardWeights = call.params();
    let (x, dy, dw) = (call.input(0), call.input(1), call.output(0));
    let mut sums = vec![0.0f64; p.options as usize];
    for (slot, option) in slots(p.active_options) {
        for i in 0..p.count as usize {
            sums[option] +=
                f64::from(x[p.x as usize + slot * p.stride as usize + i]) * f64::from(dy[p.dy as usize + i]);
        }
    }
    for (option, sum) in sums.into_iter().enumerate() {
        put(&mut dw[p.dw as usize + option], sum, p.accumulate);
    }
}

/// Elements of a node of the DARTS supernet at batch 16.
const BENCH: usize = 16 * 16 * 32 * 32;

fn sizes() -> impl Iterator<Item = (usize, u32)> {
    [(1, 0b1), (63, 0b10110), (64, 0x8000_0001), (1000, 0xff), (5001, 0b100), (40, 0), (9000, 0b111)].into_iter()
}

/// Number of options of a case, and elements from slot to slot.
fn layout(count: usize, active: u32) -> (usize, usize) {
    ((32 - active.leading_zeros() as usize).max(1), count + count % 5)
}

fn forward_case(count: usize, active: u32, accumulate: u32) -> Case {
    let (options, stride) = layout(count, active);
    let params = Forward {
        weights: 2,
        x: 1,
        y: 3,
        active_options: active,
        stride: stride as u32,
        count: count as u32,
        accumulate,
    };
    Case::new(format!("{count} elements, active {active:b}, accumulate {accumulate}"), &params)
        .noise(options + 2, 1)
        .noise(1 + stride * active.count_ones() as usize + 1, 2)
        .result(count + 4)
}

fn candidates_case(count: usize, active: u32) -> Case {
    let (options, stride) = layout(count, active);
    let params = BackwardCandidates {
        weights: 2,
        dy: 1,
        dx: 3,
        active_options: active,
        stride: stride as u32,
        count: count as u32,
    };
    Case::new(format!("{count} elements, active {active:b}"), &params)
        .noise(options + 2, 1)
        .noise(count + 1, 2)
        .result(3 + stride * active.count_ones() as usize + 1)
}

fn weights_case(count: usize, active: u32, accumulate: u32) -> Case {
    let (options, stride) = layout(count, active);
    let params = BackwardWeights {
        x: 2,
        dy: 1,
        dw: 3,
        active_options: active,
        stride: stride as u32,
        count: count as u32,
        options: (options as u32 + 1).min(32),
        accumulate,
    };
    Case::new(format!("{count} elements, active {active:b}, accumulate {accumulate}"), &params)
        .noise(2 + stride * active.count_ones() as usize + 1, 1)
        .noise(count + 1, 2)
        .result(options + 5)
}
