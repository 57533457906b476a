//! A bank of depthwise convolutions of one input behind a ReLU, in one dispatch: up to four *kinds* of
//! square windows (size, dilation), each with several *branches*, that is sets of weights
//! [branches, channels, kernel, kernel]. Branches are numbered kind after kind; with C channels,
//! `y[n, b·C + c] = Σ w_b[c, r, s] · f(x[n, ch, i·stride + r·dilation − pad, j·stride + s·dilation − pad])`,
//! pad = dilation·(kernel − 1)/2, where ch = c if the branches share their input and b·C + c if each has its
//! own. f is the ReLU, on request of the normalised value: `max((x − mean)·inverse·γ + β, 0)`; what lies outside
//! the image is 0 after f.
//!
//! Compared with one convolution for each branch this reads a shared input once, needs no buffer for the
//! rectified (or normalised) values, and adds the gradients of all branches in registers.

use crate::device::{Class, Kernel, Launch};
use crate::numbers::common_divisor;
use crate::params;
use std::ops::Range;

mod cases;
mod reference;
#[cfg(test)]
mod tests;
mod twin;

params! {
    /// Parameters of [`FORWARD`], [`BACKWARD_INPUT`] and [`BACKWARD_WEIGHT`].
    pub struct Params {
        /// Offset of x.
        pub input: u32,
        /// Offset of y or dy.
        pub output: u32,
        /// Offset of dx, [batch, channels read, height, width] without gaps.
        pub gradient: u32,
        /// Offset of the first kind's weights (or their gradients), [branches, channels, kernel, kernel].
        pub weight0: u32,
        /// The same of the second kind.
        pub weight1: u32,
        /// The same of the third kind.
        pub weight2: u32,
        /// The same of the fourth kind.
        pub weight3: u32,
        /// Offset of [mean | inverse deviation] of x, `norm` channels each.
        pub saved: u32,
        /// Offset of γ.
        pub scale: u32,
        /// Offset of β.
        pub bias: u32,
        /// Number of images.
        pub batch: u32,
        /// Channels of each branch.
        pub channels: u32,
        /// Height of x.
        pub height: u32,
        /// Width of x.
        pub width: u32,
        /// Height of y: (height − 1)/stride + 1.
        pub out_height: u32,
        /// Width of y: (width − 1)/stride + 1.
        pub out_width: u32,
        /// Rows, and columns, from one window to the next.
        pub stride: u32,
        /// Planes from one image of x to the next.
        pub in_channels: u32,
        /// Planes from one image of y to the next.
        pub out_channels: u32,
        /// Branches of the first kind. A kind without branches makes no results; its window still counts where shaders
        /// are specialised, so that banks that differ in this only share one.
        pub branches0: u32,
        /// Branches of the second kind.
        pub branches1: u32,
        /// Branches of the third kind.
        pub branches2: u32,
        /// Branches of the fourth kind.
        pub branches3: u32,
        /// Height and width of the first kind's windows, odd; 0: there is no such kind, nor branches of it.
        pub kernel0: u32,
        /// The same of the second kind.
        pub kernel1: u32,
        /// The same of the third kind.
        pub kernel2: u32,
        /// The same of the fourth kind.
        pub kernel3: u32,
        /// Distance of the taps of the first kind's windows.
        pub dilation0: u32,
        /// The same of the second kind.
        pub dilation1: u32,
        /// The same of the third kind.
        pub dilation2: u32,
        /// The same of the fourth kind.
        pub dilation3: u32,
        /// Whether all branches read the same channels (1) or each its own (0).
        pub shared_input: u32,
        /// Channels in `saved`; 0: x is not normalised.
        pub norm: u32,
        /// Whether there are γ and β (only with `norm`).
        pub affine: u32,
        /// Whether results are added to (1) or overwrite (0) what is there.
        pub accumulate: u32,
    }
}

/// Branches with windows of the same kind.
#[derive(Clone, Copy, Debug)]
struct Kind {
    /// Number of the first branch.
    first: usize,
    branches: usize,
    kernel: usize,
    dilation: usize,
    /// Offset of the weights.
    weight: usize,
}

impl Kind {
    fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    fn pad(&self) -> usize {
        self.dilation * (self.kernel - 1) / 2
    }
}

impl Params {
    fn of(params: &[u8]) -> Self {
        bytemuck::pod_read_unaligned(params)
    }

    /// [branches, kernel, dilation, offset of the weights] of each kind, whether it is there or not.
    fn slots(&self) -> [[u32; 4]; 4] {
        [
            [self.branches0, self.kernel0, self.dilation0, self.weight0],
            [self.branches1, self.kernel1, self.dilation1, self.weight1],
            [self.branches2, self.kernel2, self.dilation2, self.weight2],
            [self.branches3, self.kernel3, self.dilation3, self.weight3],
        ]
    }

    /// The kinds that are there.
    fn kinds(&self) -> Vec<Kind> {
        let mut first = 0;
        let mut kinds = Vec::new();
        for slot in self.slots().into_iter().filter(|slot| slot[0] > 0) {
            let [branches, kernel, dilation, weight] = slot.map(|value| value as usize);
            kinds.push(Kind { first, branches, kernel, dilation, weight });
            first += branches;
        }
        kinds
    }

    fn branches(&self) -> usize {
        self.slots().iter().map(|slot| slot[0] as usize).sum()
    }

    /// Channels of an image of x that are read.
    fn read(&self) -> usize {
        self.channels as usize * if self.shared_input != 0 { 1 } else { self.branches() }
    }

    fn pixels(&self) -> usize {
        self.height as usize * self.width as usize
    }

    fn out_pixels(&self) -> usize {
        self.out_height as usize * self.out_width as usize
    }

    /// The elements from the first plane to the last, of images so far apart.
    fn span(&self, offset: u32, distance: u32, planes: usize, pixels: usize) -> Range<usize> {
        let last = (self.batch as usize).checked_sub(1).map_or(0, |n| n * distance as usize + planes);
        offset as usize..offset as usize + last * pixels
    }

    fn x(&self) -> Range<usize> {
        self.span(self.input, self.in_channels, self.read(), self.pixels())
    }

    fn y(&self) -> Range<usize> {
        self.span(self.output, self.out_channels, self.branches() * self.channels as usize, self.out_pixels())
    }

    fn dx(&self) -> Range<usize> {
        self.span(self.gradient, self.read() as u32, self.read(), self.pixels())
    }

    fn flops(&self) -> u64 {
        let taps: usize = self.kinds().iter().map(|kind| kind.branches * kind.taps()).sum();
        2 * (self.batch as usize * self.channels as usize * self.out_pixels() * taps) as u64
    }
}

/// [taps, results] of kind `slot` that lie a multiple of both stride and dilation apart: the fewest of each.
fn step(p: &Params, slot: [u32; 4]) -> [u32; 2] {
    let dilation = if slot[1] == 0 { 1 } else { slot[2].max(1) };
    let common = common_divisor(p.stride as usize, dilation as usize) as u32;
    [p.stride / common, dilation / common]
}

const KERNELS: [&str; 4] = ["KERNEL0", "KERNEL1", "KERNEL2", "KERNEL3"];
const DILATIONS: [&str; 4] = ["DILATION0", "DILATION1", "DILATION2", "DILATION3"];
const SHIFTS: [&str; 4] = ["SHIFT0", "SHIFT1", "SHIFT2", "SHIFT3"];
const APARTS: [&str; 4] = ["APART0", "APART1", "APART2", "APART3"];

/// What the three shaders are specialised for: the kinds.
fn specialised(p: &Params, groups: u64) -> Launch {
    let launch = Launch { groups, ..Launch::default() }.with("STRIDE", p.stride);
    p.slots().into_iter().enumerate().fold(launch, |launch, (k, slot)| {
        let [kernel, dilation] = if slot[1] == 0 { [0, 1] } else { [slot[1], slot[2]] };
        let [shift, apart] = step(p, slot);
        launch.with(KERNELS[k], kernel).with(DILATIONS[k], dilation).with(SHIFTS[k], shift).with(APARTS[k], apart)
    })
}

/// Whether invocations walk down whole columns of the planes, so that every row is loaded once for all rows of windows
/// that are small enough. A graphics card needs workgroups more than it needs fewer loads.
fn walks(p: &Params, class: Class) -> bool {
    let small = |slot: [u32; 4]| slot[1] == 0 || (slot[1] as usize <= COLUMNS && step(p, slot)[0] == 1);
    class == Class::Software && p.slots().into_iter().all(small)
}

/// Rows of results that an invocation computes, at most: not more than there are.
fn held(rows: u32, apart: u32, most: u32) -> u32 {
    let mut held = most;
    while held > 1 && held / 2 * apart >= rows {
        held /= 2;
    }
    held
}

/// Tiles of four columns times `held` rows, `apart` from one another, in [rows, columns].
fn tiles([rows, columns]: [u32; 2], held: u32, apart: u32) -> u64 {
    u64::from(columns.div_ceil(4)) * u64::from(rows.div_ceil(held * apart) * apart)
}

/// y (+)= w ∗ f(x).
pub static FORWARD: Kernel = Kernel {
    name: "filter_bank_forward",
    source: wgsl!("include/filter_bank", "include/filter_walk", "filter_bank_forward"),
    params: Params::LAYOUT,
    inputs: &["x", "w", "saved", "parameters"],
    outputs: &["y"],
    launch: |params, class| {
        let p = Params::of(params);
        let (workgroup, together, most) = if class == Class::Hardware { (64, 1, 1) } else { (8, 16, 4) };
        let aparts = p.slots().map(|slot| step(&p, slot)[1]);
        let held = held(p.out_height, aparts.into_iter().max().unwrap_or(1), most);
        let walk = walks(&p, class);
        let tiles = |slot: [u32; 4]| match (slot[0], walk, step(&p, slot)[1]) {
            (0, _, _) => 0,
            (_, true, apart) => u64::from(p.out_width.div_ceil(4) * apart),
            (_, false, apart) => tiles([p.out_height, p.out_width], held, apart),
        };
        let count = u64::from(p.batch) * p.slots().map(tiles).into_iter().max().unwrap_or(0);
        let chunks = count.div_ceil(u64::from(workgroup * together));
        specialised(&p, chunks * u64::from(p.channels) * p.branches() as u64)
            .with("WORKGROUP", workgroup)
            .with("HELD", held)
            .with("WALK", walk.into())
            .constant("TILES", together)
    },
    flops: |params| Params::of(params).flops(),
    twin: twin::forward,
    reference: reference::forward,
    cases: || cases::all(cases::forward),
    benches: || cases::benches(cases::forward),
};

/// dx (+)= the gradient of the ReLU's argument, all branches added up.
pub static BACKWARD_INPUT: Kernel = Kernel {
    name: "filter_bank_backward_input",
    source: wgsl!("include/filter_bank", "include/filter_walk", "filter_bank_backward_input"),
    params: Params::LAYOUT,
    inputs: &["x", "w", "saved", "parameters", "dy"],
    outputs: &["dx"],
    launch: |params, class| {
        let p = Params::of(params);
        let (workgroup, together, most) = if class == Class::Hardware { (64, 1, 1) } else { (8, 16, 4) };
        let phase = [p.height.div_ceil(p.stride), p.width.div_ceil(p.stride)];
        let walk =
            walks(&p, class) && p.stride == 1 && p.slots().iter().all(|s| s[1] == 0 || s[2] <= 2) && p.height > 4;
        let held = held(phase[0], 1, if walk { ROWS } else { most });
        let chunks = (u64::from(p.batch) * tiles(phase, held, 1)).div_ceil(u64::from(workgroup * together));
        specialised(&p, chunks * p.read() as u64 * u64::from(p.stride) * u64::from(p.stride))
            .with("WORKGROUP", workgroup)
            .with("HELD", held)
            .with("WALK", walk.into())
            .constant("TILES", together)
    },
    flops: |params| Params::of(params).flops(),
    twin: twin::backward_input,
    reference: reference::backward_input,
    cases: || cases::all(cases::backward_input),
    benches: || cases::benches(cases::backward_input),
};

/// dw (+)= the gradients of the weights.
pub static BACKWARD_WEIGHT: Kernel = Kernel {
    name: "filter_bank_backward_weight",
    source: wgsl!("include/filter_bank", "filter_bank_backward_weight"),
    params: Params::LAYOUT,
    inputs: &["x", "dy", "saved", "parameters"],
    outputs: &["dw"],
    launch: |params, class| {
        let p = Params::of(params);
        let workgroup = if class == Class::Hardware { 128 } else { 16 };
        let whole = walks(&p, class);
        let parts = |kind: &Kind| match whole {
            true => kind.branches as u64,
            false => (kind.branches * kind.kernel * kind.kernel.div_ceil(COLUMNS)) as u64,
        };
        let groups = p.kinds().iter().map(parts).sum::<u64>() * u64::from(p.channels);
        let sums = if whole { COLUMNS * COLUMNS } else { COLUMNS };
        specialised(&p, groups).constant("WORKGROUP", workgroup).constant("SUMS", sums as u32)
    },
    flops: |params| Params::of(params).flops(),
    twin: twin::backward_weight,
    reference: reference::backward_weight,
    cases: || cases::all(cases::backward_weight),
    benches: || cases::benches(cases::backward_weight),
};

/// Rows that an invocation of [`BACKWARD_INPUT`] walks down at most; the shader's ROWS.
const ROWS: u32 = 32;

/// Columns of a window, and rows where it takes all of them, that one workgroup of [`BACKWARD_WEIGHT`] sums, at
/// most; the shader's five sums.
const COLUMNS: usize = 5;
