//! Softmax over the columns of [rows, columns], for architecture weights and classes:
//! `y = exp(x − max) / Σ exp(x − max)`, backward `dx = y · (dy − Σ y·dy)`.

use crate::device::{Call, Case, Kernel, noise};
use crate::kernels::cpu::parallel::{self, LONG_PIECE};
use crate::kernels::cpu::store::put;
use crate::kernels::launch::by_row;
use crate::params;
use rayon::prelude::*;

params! {
    /// Parameters of [`FORWARD`].
    pub struct Forward {
        /// Offset of x, [rows, columns].
        pub x: u32,
        /// Offset of y, [rows, columns].
        pub y: u32,
        /// Rows.
        pub rows: u32,
        /// Columns: what the softmax runs over.
        pub columns: u32,
    }
}

params! {
    /// Parameters of [`BACKWARD`].
    pub struct Backward {
        /// Offset of y, [rows, columns].
        pub y: u32,
        /// Offset of dy.
        pub dy: u32,
        /// Offset of dx.
        pub dx: u32,
        /// Rows.
        pub rows: u32,
        /// Columns: what the softmax runs over.
        pub columns: u32,
        /// Whether dx is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// y = softmax(x) of each row.
pub static FORWARD: Kernel = Kernel {
    name: "softmax_forward",
    source: wgsl!("include/tree", "softmax_forward"),
    params: Forward::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: |params, class| by_row(bytemuck::pod_read_unaligned::<Forward>(params).rows, class),
    flops: |params| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        5 * u64::from(p.rows) * u64::from(p.columns)
    },
    twin: forward,
    reference: forward,
    // Large values overflow an exponential that is not taken relative to the row's maximum.
    cases: || SIZES.into_iter().flat_map(|size| [1.0, 200.0].map(|range| forward_case(size, range))).collect(),
    benches: || vec![forward_case([14, 8], 1.0), forward_case([64, 1000], 1.0)],
};

/// dx (+)= y · (dy − Σ y·dy) of each row.
pub static BACKWARD: Kernel = Kernel {
    name: "softmax_backward",
    source: wgsl!("include/tree", "softmax_backward"),
    params: Backward::LAYOUT,
    inputs: &["y", "dy"],
    outputs: &["dx"],
    launch: |params, class| by_row(bytemuck::pod_read_unaligned::<Backward>(params).rows, class),
    flops: |params| {
        let p: Backward = bytemuck::pod_read_unaligned(params);
        4 * u64::from(p.rows) * u64::from(p.columns)
    },
    twin: backward,
    reference: backward,
    cases: || SIZES.into_iter().flat_map(|size| [0, 1].map(|add| backward_case(size, add))).collect(),
    benches: || vec![backward_case([14, 8], 0), backward_case([64, 1000], 0)],
};

/// Rows in one piece of work, from the shape alone.
fn piece(columns: usize) -> usize {
    (LONG_PIECE / columns / 4).max(1) * columns
}

fn forward(call: &mut Call<'_>) {
    let p: Forward = call.params();
    let (columns, count) = (p.columns as usize, p.rows as usize * p.columns as usize);
    if count == 0 {
        return;
    }
    let x = &call.input(0)[p.x as usize..][..count];
    let y = &mut call.output(0)[p.y as usize..][..count];
    let row = |(y, x): (&mut [f32], &[f32])| {
        let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0f64;
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (x - largest).exp();
            sum += f64::from(*y);
        }
        y.iter_mut().for_each(|y| *y = (f64::from(*y) / sum) as f32);
    };
    let rows = y.par_chunks_mut(piece(columns)).zip(x.par_chunks(piece(columns)));
    rows.with_min_len(parallel::least(16 * count)).for_each(|(y, x)| {
        y.chunks_mut(columns).zip(x.chunks(columns)).for_each(row);
    });
}

fn backward(call: &mut Call<'_>) {
    let p: Backward = call.params();
    let (columns, count) = (p.columns as usize, p.rows as usize * p.columns as usize);
    if count == 0 {
        return;
    }
    let y = &call.input(0)[p.y as usize..][..count];
    let dy = &call.input(1)[p.dy as usize..][..count];
    let dx = &mut call.output(0)[p.dx as usize..][..count];
    let size = piece(columns);
    let rows = dx.par_chunks_mut(size).zip(y.par_chunks(size)).zip(dy.par_chunks(size));
    rows.with_min_len(parallel::least(4 * count)).for_each(|((dx, y), dy)| {
        for ((dx, y), dy) in dx.chunks_mut(columns).zip(y.chunks(columns)).zip(dy.chunks(columns)) {
            let sum: f64 = y.iter().zip(dy).map(|(&y, &g)| f64::from(y) * f64::from(g)).sum();
            for ((dx, &y), &g) in dx.iter_mut().zip(y).zip(dy) {
                put(dx, f64::from(y) * (f64::from(g) - sum), p.accumulate);
            }
        }
    });
}

const SIZES: [[usize; 2]; 6] = [[1, 1], [3, 8], [14, 8], [5, 17], [2, 3000], [70, 10]];

fn forward_case([rows, columns]: [usize; 2], range: f32) -> Case {
    let params = Forward { x: 3, y: 2, rows: rows as u32, columns: columns as u32 };
    let x: Vec<f32> = noise(rows * columns + 3, 1).iter().map(|v| v * range).collect();
    Case::new(format!("{rows}×{columns}, values up to {range}"), &params).input(&x).result(rows * columns + 4)
}

fn backward_case([rows, columns]: [usize; 2], accumulate: u32) -> Case {
    let params = Backward { y: 3, dy: 2, dx: 1, rows: rows as u32, columns: columns as u32, accumulate };
    let y: Vec<f32> = noise(rows * columns + 3, 1).iter().map(|v| (v + 1.0) / columns as f32).collect();
    Case::new(format!("{rows}×{columns}, accumulate {accumulate}"), &params)
        .input(&y)
        .noise(rows * columns + 2, 2)
        .result(rows * columns + 4)
}
