//! What a controller that has made states does with them: it scores each against the present one by additive attention
//! (Bahdanau et al. 2015), `vᵀ·tanh(key_j + query)`, and recalls those it chose, `Σ_j weight_j · state_j`.
//!
//! Keys (`W₁·h_j`) and states of several sequences lie side by side, `[states, rows, units]`: a new state is written behind
//! the old ones, which stay where they are.

use crate::device::{Call, Case, Kernel, Output};
use crate::kernels::cpu::store::put;
use crate::kernels::launch::{by_element, by_row};
use crate::params;

params! {
    /// Parameters of [`FORWARD`].
    pub struct Forward {
        /// Offset of the keys, [states, rows, units].
        pub keys: u32,
        /// Offset of the query, [rows, units].
        pub query: u32,
        /// Offset of v, \[units\].
        pub vector: u32,
        /// Offset of the scores, [rows, states].
        pub scores: u32,
        /// Number of states.
        pub states: u32,
        /// Rows: sequences beside one another.
        pub rows: u32,
        /// Units of a state.
        pub units: u32,
    }
}

params! {
    /// Parameters of [`BACKWARD`].
    pub struct Backward {
        /// Offset of the keys, [states, rows, units].
        pub keys: u32,
        /// Offset of the query, [rows, units].
        pub query: u32,
        /// Offset of v, \[units\].
        pub vector: u32,
        /// Offset of the gradient of the scores, [rows, states].
        pub dscores: u32,
        /// Offset of the gradient of the keys.
        pub dkeys: u32,
        /// Offset of the gradient of the query, overwritten.
        pub dquery: u32,
        /// Offset of each row's gradient of v, [rows, units], overwritten.
        pub dvector: u32,
        /// Number of states.
        pub states: u32,
        /// Rows.
        pub rows: u32,
        /// Units of a state.
        pub units: u32,
        /// Whether dkeys is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

params! {
    /// Parameters of [`RECALL`].
    pub struct Recall {
        /// Offset of the weights, [rows, states].
        pub weights: u32,
        /// Offset of the states, [states, rows, units].
        pub states: u32,
        /// Offset of y, [rows, units].
        pub y: u32,
        /// Number of states.
        pub count: u32,
        /// Rows.
        pub rows: u32,
        /// Units of a state.
        pub units: u32,
    }
}

params! {
    /// Parameters of [`RECALL_BACKWARD`].
    pub struct RecallBackward {
        /// Offset of the weights, [rows, states].
        pub weights: u32,
        /// Offset of dy, [rows, units].
        pub dy: u32,
        /// Offset of the gradient of the states, [states, rows, units].
        pub dstates: u32,
        /// Number of states.
        pub count: u32,
        /// Rows.
        pub rows: u32,
        /// Units of a state.
        pub units: u32,
        /// Whether dstates is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// The score of each state.
pub static FORWARD: Kernel = Kernel {
    name: "additive_attention_forward",
    source: wgsl!("include/tree", "additive_attention_forward"),
    params: Forward::LAYOUT,
    inputs: &["keys", "query", "vector"],
    outputs: &["scores"],
    launch: |params, class| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        by_row(p.rows * p.states, class)
    },
    flops: |params| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        4 * [p.states, p.rows, p.units].map(u64::from).iter().product::<u64>()
    },
    twin: forward,
    reference: forward,
    cases: || SIZES.map(|size| forward_case(size, 1.0)).into_iter().chain([forward_case([3, 2, 5], 300.0)]).collect(),
    benches: || vec![forward_case([6, 10, 64], 1.0), forward_case([12, 20, 64], 1.0)],
};

/// Gradients of keys, query and, row by row, v.
pub static BACKWARD: Kernel = Kernel {
    name: "additive_attention_backward",
    source: wgsl!("additive_attention_backward"),
    params: Backward::LAYOUT,
    inputs: &["keys", "query", "vector", "dscores"],
    outputs: &["dkeys", "dquery", "dvector"],
    launch: |params, class| {
        let p: Backward = bytemuck::pod_read_unaligned(params);
        by_element(u64::from(p.rows) * u64::from(p.units), class)
    },
    flops: |params| {
        let p: Backward = bytemuck::pod_read_unaligned(params);
        10 * [p.states, p.rows, p.units].map(u64::from).iter().product::<u64>()
    },
    twin: backward,
    reference: backward,
    cases: || SIZES.into_iter().flat_map(|size| [0, 1].map(|add| backward_case(size, add))).collect(),
    benches: || vec![backward_case([6, 10, 64], 1)],
};

/// The weighted sum of each row's states.
pub static RECALL: Kernel = Kernel {
    name: "recall_forward",
    source: wgsl!("recall_forward"),
    params: Recall::LAYOUT,
    inputs: &["weights", "states"],
    outputs: &["y"],
    launch: |params, class| {
        let p: Recall = bytemuck::pod_read_unaligned(params);
        by_element(u64::from(p.rows) * u64::from(p.units), class)
    },
    flops: |params| {
        let p: Recall = bytemuck::pod_read_unaligned(params);
        2 * [p.count, p.rows, p.units].map(u64::from).iter().product::<u64>()
    },
    twin: recall,
    reference: recall,
    cases: || SIZES.map(recall_case).into(),
    benches: || vec![recall_case([6, 10, 64])],
};

/// The gradient of the states; the weights are what was decided, and get none.
pub static RECALL_BACKWARD: Kernel = Kernel {
    name: "recall_backward",
    source: wgsl!("recall_backward"),
    params: RecallBackward::LAYOUT,
    inputs: &["weights", "dy"],
    outputs: &["dstates"],
    launch: |params, class| {
        let p: RecallBackward = bytemuck::pod_read_unaligned(params);
        by_element([p.count, p.rows, p.units].map(u64::from).iter().product(), class)
    },
    flops: |params| {
        let p: RecallBackward = bytemuck::pod_read_unaligned(params);
        u64::from(1 + p.accumulate) * [p.count, p.rows, p.units].map(u64::from).iter().product::<u64>()
    },
    twin: recall_backward,
    reference: recall_backward,
    cases: || SIZES.into_iter().flat_map(|size| [0, 1].map(|add| recall_backward_case(size, add))).collect(),
    benches: || vec![recall_backward_case([6, 10, 64], 1)],
};

// A controller's step has a few thousand elements: plain loops, on the calling thread.
fn forward(call: &mut Call<'_>) {
    let p: Forward = call.params();
    let (states, rows, units) = (p.states as usize, p.rows as usize, p.units as usize);
    let keys = &call.input(0)[p.keys as usize..][..states * rows * units];
    let query = &call.input(1)[p.query as usize..][..rows * units];
    let vector = &call.input(2)[p.vector as usize..][..units];
    let scores = &mut call.output(0)[p.scores as usize..][..rows * states];
    for (at, score) in scores.iter_mut().enumerate() {
        let (row, state) = (at / states, at % states);
        let key = &keys[(state * rows + row) * units..][..units];
        let terms = vector.iter().zip(key).zip(&query[row * units..]);
        *score = terms.map(|((&v, &k), &q)| f64::from(v) * (f64::from(k) + f64::from(q)).tanh()).sum::<f64>() as f32;
    }
}

fn backward(call: &mut Call<'_>) {
    let p: Backward = call.params();
    let (states, count, units) = (p.states as usize, p.rows as usize * p.units as usize, p.units as usize);
    let keys = &call.input(0)[p.keys as usize..][..states * count];
    let query = &call.input(1)[p.query as usize..][..count];
    let vector = &call.input(2)[p.vector as usize..][..units];
    let dscores = &call.input(3)[p.dscores as usize..][..p.rows as usize * states];
    let [dkeys, dquery, dvector] = call.outputs().map(Output::floats);
    let dkeys = &mut dkeys[p.dkeys as usize..][..states * count];
    let dquery = &mut dquery[p.dquery as usize..][..count];
    let dvector = &mut dvector[p.dvector as usize..][..count];
    for i in 0..count {
        let (mut to_query, mut to_vector) = (0.0, 0.0);
        for state in 0..states {
            let t = (f64::from(keys[state * count + i]) + f64::from(query[i])).tanh();
            let ds = f64::from(dscores[i / units * states + state]);
            let d = ds * f64::from(vector[i % units]) * (1.0 - t * t);
            to_query += d;
            to_vector += ds * t;
            put(&mut dkeys[state * count + i], d, p.accumulate);
        }
        (dquery[i], dvector[i]) = (to_query as f32, to_vector as f32);
    }
}

fn recall(call: &mut Call<'_>) {
    let p: Recall = call.params();
    let (count, elements, units) = (p.count as usize, p.rows as usize * p.units as usize, p.units as usize);
    let weights = &call.input(0)[p.weights as usize..][..p.rows as usize * count];
    let states = &call.input(1)[p.states as usize..][..count * elements];
    for (i, y) in call.output(0)[p.y as usize..][..elements].iter_mut().enumerate() {
        let weights = &weights[i / units * count..][..count];
        let terms = weights.iter().zip(states.iter().skip(i).step_by(elements));
        *y = terms.map(|(&w, &s)| f64::from(w) * f64::from(s)).sum::<f64>() as f32;
    }
}

fn recall_backward(call: &mut Call<'_>) {
    let p: RecallBackward = call.params();
    let (count, elements, units) = (p.count as usize, p.rows as usize * p.units as usize, p.units as usize);
    let weights = &call.input(0)[p.weights as usize..][..p.rows as usize * count];
    let dy = &call.input(1)[p.dy as usize..][..elements];
    let dstates = &mut call.output(0)[p.dstates as usize..][..count * elements];
    for (i, d) in dstates.iter_mut().enumerate() {
        let (state, at) = (i / elements, i % elements);
        put(d, f64::from(weights[at / units * count + state]) * f64::from(dy[at]), p.accumulate);
    }
}

/// States, rows and units: one of each, no multiple of anything, those of a controller.
const SIZES: [[usize; 3]; 5] = [[1, 1, 1], [2, 3, 7], [5, 1, 65], [12, 20, 64], [7, 37, 41]];

fn forward_case([states, rows, units]: [usize; 3], range: f32) -> Case {
    let n = |v: usize| v as u32;
    let params = Forward { keys: 3, query: 2, vector: 1, scores: 4, states: n(states), rows: n(rows), units: n(units) };
    let keys: Vec<f32> = crate::device::noise(states * rows * units + 3, 1).iter().map(|v| v * range).collect();
    Case::new(format!("{states} states, {rows}×{units}, keys up to {range}"), &params)
        .input(&keys)
        .noise(rows * units + 2, 2)
        .noise(units + 1, 3)
        .result(rows * states + 6)
}

fn backward_case([states, rows, units]: [usize; 3], accumulate: u32) -> Case {
    let n = |v: usize| v as u32;
    let params = Backward {
        keys: 3,
        query: 2,
        vector: 1,
        dscores: 5,
        dkeys: 4,
        dquery: 2,
        dvector: 1,
        states: n(states),
        rows: n(rows),
        units: n(units),
        accumulate,
    };
    Case::new(format!("{states} states, {rows}×{units}, accumulate {accumulate}"), &params)
        .noise(states * rows * units + 3, 1)
        .noise(rows * units + 2, 2)
        .noise(units + 1, 3)
        .noise(rows * states + 5, 4)
        .result(states * rows * units + 6)
        .result(rows * units + 3)
        .result(rows * units + 2)
}

fn recall_case([states, rows, units]: [usize; 3]) -> Case {
    let n = |v: usize| v as u32;
    let params = Recall { weights: 3, states: 1, y: 2, count: n(states), rows: n(rows), units: n(units) };
    Case::new(format!("{states} states, {rows}×{units}"), &params)
        .noise(rows * states + 3, 1)
        .noise(states * rows * units + 1, 2)
        .result(rows * units + 3)
}

fn recall_backward_case([states, rows, units]: [usize; 3], accumulate: u32) -> Case {
    let n = |v: usize| v as u32;
    let params =
        RecallBackward { weights: 3, dy: 1, dstates: 2, count: n(states), rows: n(rows), units: n(units), accumulate };
    Case::new(format!("{states} states, {rows}×{units}, accumulate {accumulate}"), &params)
        .noise(rows * states + 3, 1)
        .noise(rows * units + 1, 2)
        .result(states * rows * units + 5)
}
