//! One step of a long short-term memory (Hochreiter & Schmidhuber 1997), from the sums that enter its gates on:
//! `c' = σ(f)·c + σ(i)·tanh(g)`, `h' = σ(o)·tanh(c')`.
//!
//! The sums `x·Wₓᵀ + h·Wₕᵀ` are matrix products, `[rows, 4 · units]` in the order i, f, o, g (that of ENAS). A state is
//! `[2, rows, units]`: h, then c. Nothing else is kept for the way back: gates are computed again from their sums.

use crate::device::{Call, Case, Kernel, Output};
use crate::kernels::cpu::store::put;
use crate::kernels::launch::by_element;
use crate::params;

params! {
    /// Parameters of [`FORWARD`].
    pub struct Forward {
        /// Offset of the sums that enter the gates, [rows, 4 · units].
        pub gates: u32,
        /// Offset of the state before, [2, rows, units].
        pub previous: u32,
        /// Offset of the state after.
        pub state: u32,
        /// Rows: sequences that run beside one another.
        pub rows: u32,
        /// Units of the cell.
        pub units: u32,
    }
}

params! {
    /// Parameters of [`BACKWARD`].
    pub struct Backward {
        /// Offset of the sums that enter the gates, [rows, 4 · units].
        pub gates: u32,
        /// Offset of the state before, [2, rows, units].
        pub previous: u32,
        /// Offset of the gradient of the state after.
        pub dstate: u32,
        /// Offset of the gradient of the sums, overwritten.
        pub dgates: u32,
        /// Offset of the gradient of the state before, of which the half of c is written.
        pub dprevious: u32,
        /// Rows.
        pub rows: u32,
        /// Units of the cell.
        pub units: u32,
        /// Whether dprevious is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// The state after from the state before and the gates' sums.
pub static FORWARD: Kernel = Kernel {
    name: "lstm_forward",
    source: wgsl!("include/lstm", "lstm_forward"),
    params: Forward::LAYOUT,
    inputs: &["gates", "previous"],
    outputs: &["state"],
    launch: |params, class| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        by_element(u64::from(p.rows) * u64::from(p.units), class)
    },
    flops: |params| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        20 * u64::from(p.rows) * u64::from(p.units)
    },
    twin: forward,
    reference: forward,
    cases: || SIZES.map(|size| forward_case(size, 3.0)).into_iter().chain([forward_case([2, 5], 300.0)]).collect(),
    benches: || vec![forward_case([10, 64], 3.0)],
};

/// Gradients of the gates' sums and of c before from the gradient of the state after.
pub static BACKWARD: Kernel = Kernel {
    name: "lstm_backward",
    source: wgsl!("include/lstm", "lstm_backward"),
    params: Backward::LAYOUT,
    inputs: &["gates", "previous", "dstate"],
    outputs: &["dgates", "dprevious"],
    launch: |params, class| {
        let p: Backward = bytemuck::pod_read_unaligned(params);
        by_element(u64::from(p.rows) * u64::from(p.units), class)
    },
    flops: |params| {
        let p: Backward = bytemuck::pod_read_unaligned(params);
        45 * u64::from(p.rows) * u64::from(p.units)
    },
    twin: backward,
    reference: backward,
    cases: || SIZES.into_iter().flat_map(|size| [0, 1].map(|add| backward_case(size, add))).collect(),
    benches: || vec![backward_case([10, 64], 0)],
};

/// σ(i), σ(f), σ(o), tanh(g) and the c before of element `i` of [rows, units].
fn cell(gates: &[f32], previous: &[f32], units: usize, i: usize) -> [f64; 5] {
    let at = i / units * 4 * units + i % units;
    let sum = |gate: usize| f64::from(gates[at + gate * units]);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    [sigmoid(sum(0)), sigmoid(sum(1)), sigmoid(sum(2)), sum(3).tanh(), f64::from(previous[previous.len() / 2 + i])]
}

// A controller's step has a few hundred elements: plain loops, on the calling thread.
fn forward(call: &mut Call<'_>) {
    let p: Forward = call.params();
    let (units, count) = (p.units as usize, p.rows as usize * p.units as usize);
    let gates = &call.input(0)[p.gates as usize..];
    let previous = &call.input(1)[p.previous as usize..][..2 * count];
    let (h, c) = call.output(0)[p.state as usize..][..2 * count].split_at_mut(count);
    for (at, (h, c)) in h.iter_mut().zip(c).enumerate() {
        let [i, f, o, g, before] = cell(gates, previous, units, at);
        let after = f * before + i * g;
        (*h, *c) = ((o * after.tanh()) as f32, after as f32);
    }
}

fn backward(call: &mut Call<'_>) {
    let p: Backward = call.params();
    let (units, count) = (p.units as usize, p.rows as usize * p.units as usize);
    let gates = &call.input(0)[p.gates as usize..];
    let previous = &call.input(1)[p.previous as usize..][..2 * count];
    let (dh, dc) = call.input(2)[p.dstate as usize..][..2 * count].split_at(count);
    let [dgates, dprevious] = call.outputs().map(Output::floats);
    let dgates = &mut dgates[p.dgates as usize..][..4 * count];
    let dprevious = &mut dprevious[p.dprevious as usize..][..2 * count];
    for at in 0..count {
        let [i, f, o, g, before] = cell(gates, previous, units, at);
        let squashed = (f * before + i * g).tanh();
        let dh = f64::from(dh[at]);
        let dc = f64::from(dc[at]) + dh * o * (1.0 - squashed * squashed);
        let d = [
            dc * g * i * (1.0 - i),
            dc * before * f * (1.0 - f),
            dh * squashed * o * (1.0 - o),
            dc * i * (1.0 - g * g),
        ];
        for (gate, d) in d.into_iter().enumerate() {
            dgates[at / units * 4 * units + gate * units + at % units] = d as f32;
        }
        put(&mut dprevious[count + at], dc * f, p.accumulate);
    }
}

/// Rows and units: one, no multiple of anything, more than a workgroup, a controller's.
const SIZES: [[usize; 2]; 5] = [[1, 1], [3, 7], [1, 65], [20, 64], [37, 41]];

fn forward_case([rows, units]: [usize; 2], range: f32) -> Case {
    let params = Forward { gates: 3, previous: 2, state: 1, rows: rows as u32, units: units as u32 };
    let gates: Vec<f32> = noise(4 * rows * units + 3, 1, range);
    Case::new(format!("{rows}×{units}, sums up to {range}"), &params)
        .input(&gates)
        .noise(2 * rows * units + 2, 2)
        .result(2 * rows * units + 4)
}

fn backward_case([rows, units]: [usize; 2], accumulate: u32) -> Case {
    let (rows_, units_) = (rows as u32, units as u32);
    let params =
        Backward { gates: 3, previous: 2, dstate: 1, dgates: 4, dprevious: 3, rows: rows_, units: units_, accumulate };
    let gates: Vec<f32> = noise(4 * rows * units + 3, 1, 3.0);
    Case::new(format!("{rows}×{units}, accumulate {accumulate}"), &params)
        .input(&gates)
        .noise(2 * rows * units + 2, 2)
        .noise(2 * rows * units + 1, 3)
        .result(4 * rows * units + 6)
        .result(2 * rows * units + 5)
}

fn noise(count: usize, salt: u64, range: f32) -> Vec<f32> {
    crate::device::noise(count, salt).into_iter().map(|v| v * range).collect()
}
