//! The average of whole planes.

use crate::device::{Call, Case, Kernel};
use crate::kernels::cpu::contiguous::sum;
use crate::kernels::cpu::maps::each_plane;
use crate::kernels::cpu::parallel::{self, LONG_PIECE};
use crate::kernels::cpu::store::put;
use crate::kernels::launch::{by_plane, by_row};
use crate::params;
use rayon::prelude::*;

params! {
    /// Parameters of [`GLOBAL_FORWARD`] and [`GLOBAL_BACKWARD`].
    pub struct Global {
        /// Offset of x or dx, [planes, pixels].
        pub input: u32,
        /// Offset of y or dy, \[planes\].
        pub output: u32,
        /// Batch size · channels.
        pub planes: u32,
        /// Height · width.
        pub pixels: u32,
        /// Whether the output is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// y (+)= Σ x / pixels of each plane.
pub static GLOBAL_FORWARD: Kernel = Kernel {
    name: "global_avg_pool_forward",
    source: wgsl!("include/tree", "global_avg_pool_forward"),
    params: Global::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: |params, class| by_row(bytemuck::pod_read_unaligned::<Global>(params).planes, class),
    flops,
    twin: forward,
    reference: forward_reference,
    cases: || SHAPES.into_iter().flat_map(|shape| [0, 1].map(|add| forward_case(shape, add))).collect(),
    benches: || vec![forward_case([1024, 64], 0)],
};

/// dx (+)= dy / pixels.
pub static GLOBAL_BACKWARD: Kernel = Kernel {
    name: "global_avg_pool_backward",
    source: wgsl!("include/planes", "global_avg_pool_backward"),
    params: Global::LAYOUT,
    inputs: &["dy"],
    outputs: &["dx"],
    launch: |params, class| {
        let p: Global = bytemuck::pod_read_unaligned(params);
        by_plane(p.planes, p.pixels, class)
    },
    flops,
    twin: backward,
    reference: backward_reference,
    cases: || SHAPES.into_iter().flat_map(|shape| [0, 1].map(|add| backward_case(shape, add))).collect(),
    benches: || vec![backward_case([1024, 64], 0)],
};

fn flops(params: &[u8]) -> u64 {
    let p: Global = bytemuck::pod_read_unaligned(params);
    u64::from(p.planes) * u64::from(p.pixels)
}

fn forward(call: &mut Call<'_>) {
    let p: Global = call.params();
    let (planes, pixels) = (p.planes as usize, p.pixels as usize);
    let x = &call.input(0)[p.input as usize..][..planes * pixels];
    let y = &mut call.output(0)[p.output as usize..][..planes];
    let piece = (LONG_PIECE / pixels.max(1)).max(1);
    y.par_chunks_mut(piece).enumerate().with_min_len(parallel::least(planes * pixels)).for_each(|(index, y)| {
        for (plane, y) in y.iter_mut().enumerate() {
            let x = &x[(index * piece + plane) * pixels..][..pixels];
            put(y, sum(x) / pixels as f64, p.accumulate);
        }
    });
}

fn forward_reference(call: &mut Call<'_>) {
    let p: Global = call.params();
    let (x, y) = (call.input(0), call.output(0));
    for plane in 0..p.planes as usize {
        let x = &x[p.input as usize + plane * p.pixels as usize..][..p.pixels as usize];
        let sum: f64 = x.iter().map(|&v| f64::from(v)).sum();
        put(&mut y[p.output as usize + plane], sum / f64::from(p.pixels), p.accumulate);
    }
}

fn backward(call: &mut Call<'_>) {
    let p: Global = call.params();
    let (planes, pixels) = (p.planes as usize, p.pixels as usize);
    let dy = &call.input(0)[p.output as usize..][..planes];
    let dx = &mut call.output(0)[p.input as usize..][..planes * pixels];
    each_plane(dx, pixels, |plane, _, dx| {
        let share = dy[plane] / pixels as f32;
        if p.accumulate != 0 {
            dx.iter_mut().for_each(|dx| *dx += share);
        } else {
            dx.fill(share);
        }
    });
}

fn backward_reference(call: &mut Call<'_>) {
    let p: Global = call.params();
    let (dy, dx) = (call.input(0), call.output(0));
    for i in 0..(p.planes * p.pixels) as usize {
        let share = f64::from(dy[p.output as usize + i / p.pixels as usize]) / f64::from(p.pixels);
        put(&mut dx[p.input as usize + i], share, p.accumulate);
    }
}

/// Planes and pixels.
const SHAPES: [[usize; 2]; 5] = [[1, 1], [7, 64], [130, 49], [3, 5000], [90, 3]];

fn params([planes, pixels]: [usize; 2], accumulate: u32) -> (Global, String) {
    let params = Global { input: 3, output: 2, planes: planes as u32, pixels: pixels as u32, accumulate };
    (params, format!("{planes}×{pixels}, accumulate {accumulate}"))
}

fn forward_case(shape: [usize; 2], accumulate: u32) -> Case {
    let (params, label) = params(shape, accumulate);
    Case::new(label, &params).noise(3 + shape[0] * shape[1], 1).result(3 + shape[0]).within(2e-6)
}

fn backward_case(shape: [usize; 2], accumulate: u32) -> Case {
    let (params, label) = params(shape, accumulate);
    Case::new(label, &params).noise(2 + shape[0], 1).result(4 + shape[0] * shape[1]).within(1e-6)
}
