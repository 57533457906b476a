//! Kernels of convolutions that several options share: each option's is the centre of the largest one's.
//!
//! Option k reads the middle `size_k` × `size_k` of the `size` × `size` entries of each plane of W; mixed by weights, an entry is
//! multiplied by the sum of the weights of all options that reach it. At most eight options.

use crate::device::{Call, Case, Class, Kernel};
use crate::kernels::cpu::store::put;
use crate::kernels::launch::{by_element, by_sum};
use crate::params;

/// Most options that share a kernel: they travel as parameters.
pub const MOST: usize = 8;

params! {
    /// Parameters of [`FORWARD`].
    pub struct Entangle {
        /// Offset of the row of weights.
        pub weights: u32,
        /// Offset of W, [planes, size, size].
        pub x: u32,
        /// Offset of y, likewise.
        pub y: u32,
        /// Planes: input channels times output channels of a group.
        pub planes: u32,
        /// Rows and columns of the largest kernel, odd.
        pub size: u32,
        /// Options, at most 8.
        pub options: u32,
        /// Columns of options 0 to 3 in the row, a byte each, the first lowest.
        pub columns0: u32,
        /// Columns of options 4 to 7.
        pub columns1: u32,
        /// Sizes of options 0 to 3, likewise.
        pub sizes0: u32,
        /// Sizes of options 4 to 7.
        pub sizes1: u32,
        /// Whether y is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

params! {
    /// Parameters of [`BACKWARD_WEIGHTS`].
    pub struct EntangleBackward {
        /// Offset of W, [planes, size, size].
        pub x: u32,
        /// Offset of the gradient of the mixed kernel, likewise.
        pub dy: u32,
        /// Offset of the gradient of the row of weights.
        pub dweights: u32,
        /// Planes.
        pub planes: u32,
        /// Rows and columns of the largest kernel, odd.
        pub size: u32,
        /// Options, at most 8.
        pub options: u32,
        /// Columns of options 0 to 3 in the row, a byte each, the first lowest.
        pub columns0: u32,
        /// Columns of options 4 to 7.
        pub columns1: u32,
        /// Sizes of options 0 to 3, likewise.
        pub sizes0: u32,
        /// Sizes of options 4 to 7.
        pub sizes1: u32,
    }
}

/// y (+)= W · Σ_k weights\[k\] · \[the entry is within the middle `size_k`\]. Its own gradient with respect to W.
pub static FORWARD: Kernel = Kernel {
    name: "entangle_forward",
    source: wgsl!("include/entangle", "entangle_forward"),
    params: Entangle::LAYOUT,
    inputs: &["weights", "x"],
    outputs: &["y"],
    launch: |params, class| by_element(bytemuck::pod_read_unaligned::<Entangle>(params).count(), class),
    flops: |params| {
        let p: Entangle = bytemuck::pod_read_unaligned(params);
        p.count() * u64::from(p.options + 1)
    },
    twin: forward,
    reference: forward,
    cases: || SHAPES.iter().flat_map(|shape| [0, 1].map(|add| forward_case(shape, add))).collect(),
    benches: || vec![forward_case(&(16, 5, &[(4, 3), (5, 5)]), 0)],
};

/// dweights\[k\] += Σ W · dy over the middle `size_k` of all planes; other entries of the row are left.
pub static BACKWARD_WEIGHTS: Kernel = Kernel {
    name: "entangle_backward_weights",
    source: wgsl!("include/entangle", "include/tree", "entangle_backward_weights"),
    params: EntangleBackward::LAYOUT,
    inputs: &["x", "dy"],
    outputs: &["dweights"],
    launch: |params, class: Class| by_sum(bytemuck::pod_read_unaligned::<EntangleBackward>(params).options, class),
    flops: |params| {
        let p: EntangleBackward = bytemuck::pod_read_unaligned(params);
        2 * u64::from(p.planes) * u64::from(p.size).pow(2) * u64::from(p.options)
    },
    twin: backward_weights,
    reference: backward_weights,
    cases: || SHAPES.iter().map(backward_case).collect(),
    benches: || vec![backward_case(&(16, 5, &[(4, 3), (5, 5)]))],
};

impl Entangle {
    fn count(&self) -> u64 {
        u64::from(self.planes) * u64::from(self.size).pow(2)
    }
}

/// Numbers below 256 as parameters hold them, four a word.
pub fn packed(numbers: impl IntoIterator<Item = usize>) -> [u32; 2] {
    let mut words = [0; 2];
    for (at, number) in numbers.into_iter().take(MOST).enumerate() {
        words[at / 4] |= (number as u32 & 0xFF) << (8 * (at % 4));
    }
    words
}

fn unpacked(words: [u32; 2], options: u32) -> impl Iterator<Item = usize> {
    (0..(options as usize).min(MOST)).map(move |at| (words[at / 4] >> (8 * (at % 4)) & 0xFF) as usize)
}

/// Whether an entry of a plane lies in its middle `within` × `within`.
fn reaches(size: usize, within: usize, at: usize) -> bool {
    let edge = (size - within.min(size)) / 2;
    let inside = |place: usize| (edge..size - edge).contains(&place);
    inside(at / size % size) && inside(at % size)
}

fn forward(call: &mut Call<'_>) {
    let p: Entangle = call.params();
    let (size, count) = (p.size as usize, p.count() as usize);
    let weights = &call.input(0)[p.weights as usize..];
    let x = &call.input(1)[p.x as usize..][..count];
    let columns = unpacked([p.columns0, p.columns1], p.options);
    let options: Vec<(f64, usize)> =
        columns.map(|k| f64::from(weights[k])).zip(unpacked([p.sizes0, p.sizes1], p.options)).collect();
    let factors: Vec<f64> = (0..size * size)
        .map(|at| options.iter().filter(|(_, within)| reaches(size, *within, at)).map(|(weight, _)| weight).sum())
        .collect();
    let y = &mut call.output(0)[p.y as usize..][..count];
    for (at, (y, x)) in y.iter_mut().zip(x).enumerate() {
        put(y, f64::from(*x) * factors[at % factors.len()], p.accumulate);
    }
}

fn backward_weights(call: &mut Call<'_>) {
    let p: EntangleBackward = call.params();
    let size = p.size as usize;
    let count = p.planes as usize * size * size;
    let x = &call.input(0)[p.x as usize..][..count];
    let dy = &call.input(1)[p.dy as usize..][..count];
    let sums: Vec<f64> = unpacked([p.sizes0, p.sizes1], p.options)
        .map(|within| {
            let entries = x.iter().zip(dy).enumerate().filter(|(at, _)| reaches(size, within, *at));
            entries.map(|(_, (x, dy))| f64::from(*x) * f64::from(*dy)).sum()
        })
        .collect();
    let dweights = &mut call.output(0)[p.dweights as usize..];
    for (column, sum) in unpacked([p.columns0, p.columns1], p.options).zip(sums) {
        put(&mut dweights[column], sum, 1);
    }
}

/// Planes, size, and the columns and sizes of options.
type Shape = (u32, u32, &'static [(usize, usize)]);

const SHAPES: [Shape; 5] = [
    (1, 1, &[(0, 1)]),
    (16, 5, &[(4, 3), (5, 5)]),
    (12, 3, &[(2, 1), (3, 3)]),
    (7, 7, &[(6, 7), (0, 3), (3, 5)]),
    (70, 9, &[(0, 1), (1, 3), (2, 5), (3, 7), (4, 9), (7, 9), (6, 1), (5, 3)]),
];

fn forward_case((planes, size, options): &Shape, accumulate: u32) -> Case {
    let [columns0, columns1] = packed(options.iter().map(|(column, _)| *column));
    let [sizes0, sizes1] = packed(options.iter().map(|(_, size)| *size));
    let (planes, size) = (*planes, *size);
    let count = (planes * size * size) as usize;
    let params = Entangle {
        weights: 1,
        x: 2,
        y: 3,
        planes,
        size,
        options: options.len() as u32,
        columns0,
        columns1,
        sizes0,
        sizes1,
        accumulate,
    };
    Case::new(format!("{planes} planes of {size}×{size}, {} options, accumulate {accumulate}", options.len()), &params)
        .noise(9, 1)
        .noise(count + 2, 2)
        .result(count + 4)
        .within(1e-6)
}

fn backward_case((planes, size, options): &Shape) -> Case {
    let [columns0, columns1] = packed(options.iter().map(|(column, _)| *column));
    let [sizes0, sizes1] = packed(options.iter().map(|(_, size)| *size));
    let (planes, size) = (*planes, *size);
    let count = (planes * size * size) as usize;
    let params = EntangleBackward {
        x: 1,
        dy: 2,
        dweights: 3,
        planes,
        size,
        options: options.len() as u32,
        columns0,
        columns1,
        sizes0,
        sizes1,
    };
    Case::new(format!("{planes} planes of {size}×{size}, {} options", options.len()), &params)
        .noise(count + 1, 1)
        .noise(count + 2, 2)
        .result(12)
        .within(2e-6)
}
