//! Concatenation of four tensors of the same shape along channels, and its reverse, in one dispatch each:
//! y[n, first + k·C + c, p] = x_k[n, c, p] for k < 4 and c < C. Other numbers of tensors, or other shapes,
//! are a [`copy`](super::channels) each.

use crate::device::{Call, Case, Class, Kernel, Launch};
use crate::kernels::cpu::parallel::{PIECE, alone};
use crate::kernels::launch::by_element;
use crate::params;
use rayon::prelude::*;

/// Tensors that are joined.
pub const PARTS: usize = 4;

params! {
    /// Parameters of [`JOIN`] and [`SPLIT`].
    pub struct Join {
        /// Offset of the first x, [batch, channels, pixels].
        pub x0: u32,
        /// Offset of the second x.
        pub x1: u32,
        /// Offset of the third x.
        pub x2: u32,
        /// Offset of the fourth x.
        pub x3: u32,
        /// Offset of y, [batch, y_channels, pixels].
        pub y: u32,
        /// Images.
        pub batch: u32,
        /// Channels of each x.
        pub channels: u32,
        /// Pixels of a channel.
        pub pixels: u32,
        /// Channels of y.
        pub y_channels: u32,
        /// Channel of y where the first x begins.
        pub first: u32,
    }
}

/// x's to neighbouring channels of y; other channels of y stay.
pub static JOIN: Kernel = Kernel {
    name: "join_channels",
    source: wgsl!("join_channels"),
    params: Join::LAYOUT,
    inputs: &["x0", "x1", "x2", "x3"],
    outputs: &["y"],
    launch,
    flops: |_| 0,
    twin: join,
    reference: join,
    cases: || SHAPES.map(join_case).to_vec(),
    benches: || vec![join_case(BENCH)],
};

/// Neighbouring channels of y to x's.
pub static SPLIT: Kernel = Kernel {
    name: "split_channels",
    source: wgsl!("split_channels"),
    params: Join::LAYOUT,
    inputs: &["y"],
    outputs: &["x0", "x1", "x2", "x3"],
    launch,
    flops: |_| 0,
    twin: split,
    reference: split,
    cases: || SHAPES.map(split_case).to_vec(),
    benches: || vec![split_case(BENCH)],
};

fn launch(params: &[u8], class: Class) -> Launch {
    let p: Join = bytemuck::pod_read_unaligned(params);
    let launch = by_element(u64::from(p.channels) * u64::from(p.pixels), class);
    Launch { groups: launch.groups * u64::from(p.batch) * PARTS as u64, ..launch }
}

impl Join {
    /// Elements of an image of an x, and of y.
    fn images(&self) -> [usize; 2] {
        [self.channels, self.y_channels].map(|channels| channels as usize * self.pixels as usize)
    }

    fn offsets(&self) -> [usize; PARTS] {
        [self.x0, self.x1, self.x2, self.x3].map(|at| at as usize)
    }

    /// Where the first x begins in an image of y.
    fn place(&self) -> usize {
        self.first as usize * self.pixels as usize
    }

    /// For `with_min_len`, over images: few of them are not worth a thread.
    fn least(&self) -> usize {
        let [run, _] = self.images();
        if alone(2 * PARTS * run * self.batch as usize) { usize::MAX } else { (PIECE / run.max(1)).max(1) }
    }
}

fn join(call: &mut Call<'_>) {
    let p: Join = call.params();
    let ([run, image], [a, b, c, d]) = (p.images(), p.offsets());
    if run == 0 {
        return;
    }
    let x = [&call.input(0)[a..], &call.input(1)[b..], &call.input(2)[c..], &call.input(3)[d..]];
    let y = &mut call.output(0)[p.y as usize..][..p.batch as usize * image];
    y.par_chunks_mut(image).enumerate().with_min_len(p.least()).for_each(|(n, y)| {
        for (x, y) in x.iter().zip(y[p.place()..].chunks_exact_mut(run)) {
            y.copy_from_slice(&x[n * run..][..run]);
        }
    });
}

fn split(call: &mut Call<'_>) {
    let p: Join = call.params();
    let ([run, image], offsets) = (p.images(), p.offsets());
    if run == 0 {
        return;
    }
    let y = &call.input(0)[p.y as usize..];
    for (k, at) in offsets.into_iter().enumerate() {
        let x = &mut call.output(k)[at..][..p.batch as usize * run];
        x.par_chunks_mut(run).enumerate().with_min_len(p.least()).for_each(|(n, x)| {
            x.copy_from_slice(&y[n * image + p.place() + k * run..][..run]);
        });
    }
}

/// [batch, channels, pixels, channels of y, first].
const SHAPES: [[usize; 5]; 5] =
    [[1, 1, 1, 4, 0], [3, 5, 7, 25, 2], [2, 2, 64, 8, 0], [5, 1, 35, 6, 1], [2, 3, 1030, 13, 1]];
const BENCH: [usize; 5] = [16, 16, 1024, 64, 0];

fn parameters([batch, channels, pixels, y_channels, first]: [usize; 5]) -> Join {
    let [batch, channels, pixels, y_channels, first] = [batch, channels, pixels, y_channels, first].map(|n| n as u32);
    Join { x0: 3, x1: 0, x2: 1, x3: 2, y: 5, batch, channels, pixels, y_channels, first }
}

fn label(p: &Join) -> String {
    format!("{}×{}×{}, {} channels from {}", p.batch, p.channels, p.pixels, p.y_channels, p.first)
}

fn join_case(shape: [usize; 5]) -> Case {
    let p = parameters(shape);
    let [run, image] = p.images();
    let case = Case::new(label(&p), &p);
    let case = (0..PARTS).fold(case, |case, k| case.noise(3 + shape[0] * run, 1 + k as u64));
    case.result(7 + shape[0] * image).exactly()
}

fn split_case(shape: [usize; 5]) -> Case {
    let p = parameters(shape);
    let [run, image] = p.images();
    let case = Case::new(label(&p), &p).noise(5 + shape[0] * image, 1);
    (0..PARTS).fold(case, |case, _| case.result(5 + shape[0] * run)).exactly()
}
