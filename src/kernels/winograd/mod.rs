//! Convolution with windows of 3×3 by Winograd's F(4, 3) (Lavin & Gray 2016, "Fast algorithms for convolutional neural networks",
//! section 4): four values of y come of six products in place of twelve. Stride and dilation are 1, images are padded by 1 and keep
//! their size.
//!
//! Down the columns of pixels, which is what the shaders compute, half of the multiplications are left; along the rows of pixels it is
//! the plain sum of three:
//!
//! `y[n, o, 4t + a, x] = Σ_v Aᵀ[a, v] Σ_(i, s) u[v, s, i, o] · Σ_d Bᵀ[v, d] x[n, i, 4t + d − 1, x + s − 1]`
//!
//! for filters that were brought to the form `u[v, s, i, o] = Σ_r G[v, r] w[o, i, r, s]` ([`FILTER`]). The twins go on in the other
//! direction, F(4×4, 3×3), and a quarter is left: there the values that lie beside one another, which the transforms exchange, are
//! vectors of channels.
//!
//! Larger windows the twins take as blocks of 3×3 taps (`twin::of_windows`, for `kernels/conv`).
//!
//! The gradient of x is the same convolution of dy by filters turned round, whose inputs and outputs change places. The gradient of w
//! is `Gᵀ Σ (A dy Aᵀ) (Bᵀ x B) G`.

use crate::device::{Class, Kernel, Launch};

mod cases;
mod filters;
mod panels;
mod params;
mod reference;
mod tiles;
mod transform;
mod twin;

pub use params::{FilterParams, Params};
pub use transform::VALUES;
pub(in crate::kernels) use twin::{of_windows, weight_gradient};

/// u = G w, for a convolution or, turned round, for its gradient of x.
pub static FILTER: Kernel = Kernel {
    name: "winograd_filter",
    source: wgsl!("winograd_filter"),
    params: FilterParams::LAYOUT,
    inputs: &["w"],
    outputs: &["u"],
    launch: |params, _| Launch::linear(FilterParams::of(params).columns() as u64, 64),
    flops: |params| 12 * FilterParams::of(params).columns() as u64,
    twin: twin::filter,
    reference: reference::filter,
    cases: cases::filter,
    benches: cases::filter_benches,
};

/// y (+)= w ∗ x + bias, for u of w.
pub static FORWARD: Kernel = Kernel {
    name: "winograd_forward",
    source: wgsl!("include/winograd", "winograd_forward"),
    params: Params::LAYOUT,
    inputs: &["x", "u", "bias"],
    outputs: &["y"],
    launch: |params, class| {
        let p = Params::of(params);
        let (workgroup, block) = if class == Class::Hardware { (64, 4) } else { (16, 4) };
        let tiles = (p.batch as usize * p.columns()).div_ceil(workgroup as usize);
        Launch { groups: (tiles * (p.outputs as usize).div_ceil(block)) as u64, ..Launch::default() }
            .with("WORKGROUP", workgroup)
            .constant("CHANNELS", block as u32)
    },
    flops: |params| Params::of(params).flops(),
    twin: twin::forward,
    reference: reference::forward,
    cases: || cases::all(cases::forward),
    benches: || cases::benches(cases::forward),
};

/// dw (+)= the gradient of w.
pub static BACKWARD_WEIGHT: Kernel = Kernel {
    name: "winograd_backward_weight",
    source: wgsl!("include/winograd", "winograd_backward_weight"),
    params: Params::LAYOUT,
    inputs: &["x", "dy"],
    outputs: &["dw"],
    launch: |params, class| {
        let p = Params::of(params);
        let (workgroup, block) = if class == Class::Hardware { (64, 2) } else { (16, 2) };
        let blocks = (p.outputs as usize).div_ceil(block) * (p.inputs as usize).div_ceil(block);
        Launch { groups: 3 * blocks as u64, ..Launch::default() }
            .constant("WORKGROUP", workgroup)
            .constant("BLOCK", block as u32)
    },
    flops: |params| Params::of(params).flops(),
    twin: twin::backward_weight,
    reference: reference::backward_weight,
    cases: || cases::all(cases::backward_weight),
    benches: || cases::benches(cases::backward_weight),
};
