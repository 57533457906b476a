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

mod cases;
mod params;
mod reference;
#[cfg(test)]
mod tests;
mod twin;

use params::Kind;
pub use params::Params;

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
