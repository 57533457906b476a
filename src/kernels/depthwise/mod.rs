//! Depthwise convolution: each channel of [batch, channels, height, width] has its own window,
//! w [channels, 1, rows, columns]:
//! `y[n, c, y, x] = Σ w[c, 0, r, s] · x[n, c, y·stride + r·dilation − pad_top, x·stride + s·dilation − pad_left]`,
//! where x is 0 outside the image, plus `bias[c]`, within bounds; and its gradients. Padding may be negative; how much there is below
//! and on the right follows from the size of y.

use crate::device::{Class, Kernel, Launch};

mod cases;
mod params;
mod reference;
mod twin;

pub use params::Params;
pub(super) mod windows;

/// y (+)= w ∗ x + bias, within bounds if there are any.
pub static FORWARD: Kernel = Kernel {
    name: "depthwise_conv_forward",
    source: wgsl!("include/within", "depthwise_conv_forward"),
    params: Params::LAYOUT,
    inputs: &["x", "w", "bias"],
    outputs: &["y"],
    launch: |params, class| {
        let p = Params::of(params);
        let [rows, _] = p.steps();
        tiles(&p, [p.window.out_height, p.window.out_width], rows[1], class)
            .with("SHIFT", rows[0])
            .with("DILATION_ROWS", p.window.dilation_rows)
            .with("DILATION_COLUMNS", p.window.dilation_columns)
    },
    flops: |params| Params::of(params).flops(),
    twin: twin::forward,
    reference: reference::forward,
    cases: || cases::all(cases::forward),
    benches: || cases::benches(cases::forward),
};

/// dx (+)= the gradient of x.
pub static BACKWARD_INPUT: Kernel = Kernel {
    name: "depthwise_conv_backward_input",
    source: wgsl!("depthwise_conv_backward_input"),
    params: Params::LAYOUT,
    inputs: &["w", "dy"],
    outputs: &["dx"],
    launch: |params, class| {
        let p = Params::of(params);
        let [rows, columns] = p.steps();
        let phase = [p.window.height.div_ceil(p.window.stride_rows), p.window.width.div_ceil(p.window.stride_columns)];
        let launch = tiles(&p, phase, rows[1], class);
        Launch {
            groups: launch.groups * u64::from(p.window.stride_rows) * u64::from(p.window.stride_columns),
            ..launch
        }
        .with("DILATION_ROWS", p.window.dilation_rows)
        .with("DILATION_COLUMNS", p.window.dilation_columns)
        .with("STEP_ROWS", rows[0])
        .with("STEP_COLUMNS", columns[0])
        .with("MOVE", columns[1])
    },
    flops: |params| Params::of(params).flops(),
    twin: twin::backward_input,
    reference: reference::backward_input,
    cases: || cases::all(cases::backward_input),
    benches: || cases::benches(cases::backward_input),
};

/// dw (+)= the gradient of w.
pub static BACKWARD_WEIGHT: Kernel = Kernel {
    name: "depthwise_conv_backward_weight",
    source: wgsl!("depthwise_conv_backward_weight"),
    params: Params::LAYOUT,
    inputs: &["x", "dy"],
    outputs: &["dw"],
    launch: |params, class| {
        let p = Params::of(params);
        let workgroup = if class == Class::Hardware { 128 } else { 16 };
        Launch { groups: u64::from(p.channels) * u64::from(p.window.kernel_rows), ..Launch::default() }
            .constant("WORKGROUP", workgroup)
            .constant("COLUMNS", p.window.kernel_columns)
    },
    flops: |params| Params::of(params).flops(),
    twin: twin::backward_weight,
    reference: reference::backward_weight,
    cases: || cases::all(cases::backward_weight),
    benches: || cases::benches(cases::backward_weight),
};

/// Workgroups that each compute `WORKGROUP · TILES` tiles of one channel of a [rows, columns] result:
/// tiles of four columns times `HELD` rows, `apart` from one another.
fn tiles(p: &Params, [rows, columns]: [u32; 2], apart: u32, class: Class) -> Launch {
    let (workgroup, tiles, mut held) = if class == Class::Hardware { (64, 1, 1) } else { (8, 16, 4) };
    // Not more rows than there are.
    while held > 1 && held / 2 * apart >= rows {
        held /= 2;
    }
    let down = u64::from(rows.div_ceil(held * apart)) * u64::from(apart);
    let count = u64::from(p.batch) * u64::from(columns.div_ceil(4)) * down;
    Launch { groups: count.div_ceil(u64::from(workgroup * tiles)) * u64::from(p.channels), ..Launch::default() }
        .with("WORKGROUP", workgroup)
        .with("ROWS", p.window.kernel_rows)
        .with("COLUMNS", p.window.kernel_columns)
        .with("STRIDE_ROWS", p.window.stride_rows)
        .with("STRIDE_COLUMNS", p.window.stride_columns)
        .with("HELD", held)
        .with("APART", apart)
        .constant("TILES", tiles)
}
