//! Shapes on which shader, twin and reference must agree, and those that are timed.

use super::{Params, Window};
use crate::device::Case;

/// Parameters of a square window whose images are padded by `pad` on all sides.
fn square(batch: u32, channels: [u32; 2], size: [u32; 2], kernel: u32, stride: u32, dilation: u32, pad: i32) -> Params {
    Params {
        input: 3,
        weight: 2,
        bias: 4,
        output: 5,
        batch,
        inputs: channels[0],
        outputs: channels[1],
        groups: 1,
        window: Window::square(size, kernel, stride, dilation, pad),
        has_bias: 0,
        accumulate: 0,
    }
}

/// With other windows.
fn changed(mut p: Params, change: fn(&mut Window)) -> Params {
    change(&mut p.window);
    p
}

pub(super) fn all(case: fn(Params) -> Case) -> Vec<Case> {
    let bias = |p: Params| Params { has_bias: 1, ..p };
    let shapes = [
        square(1, [1, 1], [1, 1], 1, 1, 1, 0),
        bias(square(1, [2, 3], [1, 1], 3, 1, 1, 1)),
        square(2, [3, 5], [7, 5], 3, 1, 1, 1),
        bias(square(2, [5, 6], [8, 8], 5, 1, 1, 2)),
        square(2, [4, 9], [9, 17], 3, 2, 1, 1),
        square(1, [3, 4], [8, 9], 7, 2, 1, 3),
        bias(square(9, [2, 3], [5, 6], 3, 1, 2, 2)),
        square(2, [2, 5], [9, 8], 5, 2, 2, 4),
        square(3, [5, 3], [2, 2], 3, 2, 1, 1),
        // The two halves of a factorised reduction.
        square(2, [6, 4], [8, 8], 1, 2, 1, 0),
        changed(square(2, [6, 4], [8, 8], 1, 2, 1, -1), |w| (w.out_height, w.out_width) = (4, 4)),
        square(2, [3, 4], [9, 12], 3, 3, 2, 1),
        // Groups: some, and one for each channel.
        bias(Params { groups: 2, ..square(2, [6, 10], [7, 9], 3, 1, 1, 1) }),
        Params { groups: 3, ..square(9, [6, 3], [4, 5], 3, 2, 1, 1) },
        Params { groups: 4, ..square(2, [4, 4], [6, 6], 3, 1, 1, 1) },
        // More products than are summed in one chain, and more than one panel of windows.
        square(1, [60, 5], [5, 5], 3, 1, 1, 1),
        bias(square(1, [3, 37], [20, 14], 3, 1, 1, 1)),
        // The largest window that spaces allow.
        square(1, [1, 2], [5, 6], 31, 1, 1, 15),
        bias(Params { groups: 2, ..square(2, [2, 4], [6, 5], 17, 2, 2, 16) }),
        // Windows of 1×7 and 7×1, as conv_7x1_1x7 has them, with a stride along one axis.
        changed(square(1, [2, 3], [9, 10], 7, 2, 1, 3), |w| {
            (w.kernel_rows, w.pad_top, w.stride_rows, w.out_height) = (1, 0, 1, 9)
        }),
        changed(square(1, [2, 3], [9, 10], 7, 1, 1, 3), |w| (w.kernel_columns, w.pad_left, w.out_width) = (1, 0, 10)),
        // More padding on one side than on the other, and more than the window is large.
        changed(square(1, [2, 2], [6, 7], 2, 1, 1, 0), |w| {
            (w.pad_top, w.pad_left, w.out_height, w.out_width) = (0, 1, 6, 9)
        }),
        changed(square(1, [2, 2], [6, 7], 3, 1, 1, 0), |w| {
            (w.pad_top, w.pad_left, w.out_height, w.out_width) = (4, -2, 11, 3)
        }),
        // Windows that reach far beyond images of which there are several.
        bias(square(9, [16, 17], [4, 4], 7, 1, 1, 3)),
        square(16, [16, 16], [2, 2], 5, 1, 1, 2),
        changed(square(8, [16, 18], [3, 5], 5, 1, 1, 2), |w| {
            (w.pad_top, w.pad_left, w.out_height, w.out_width) = (4, 1, 7, 4)
        }),
        bias(changed(square(8, [16, 16], [2, 3], 3, 1, 1, 1), |w| (w.pad_top, w.out_height) = (6, 9))),
        // Large windows that keep the size: blocks of taps.
        bias(square(6, [9, 17], [9, 13], 5, 1, 1, 2)),
        square(1, [8, 33], [32, 30], 7, 1, 1, 3),
        bias(square(11, [18, 9], [11, 8], 7, 1, 1, 3)),
        square(8, [16, 20], [13, 12], 5, 1, 1, 2),
        // Reads that begin beyond the last pixel.
        changed(square(1, [1, 1], [6, 7], 3, 2, 1, 0), |w| {
            (w.pad_top, w.pad_left, w.out_height, w.out_width) = (-5, -9, 3, 4)
        }),
    ];
    shapes.into_iter().flat_map(|p| [0, 1].map(|accumulate| case(Params { accumulate, ..p }))).collect()
}

pub(super) fn benches(case: fn(Params) -> Case) -> Vec<Case> {
    let shapes = [
        square(16, [3, 48], [32, 32], 3, 1, 1, 1),
        square(16, [64, 16], [32, 32], 1, 2, 1, 0),
        square(16, [32, 32], [16, 16], 3, 1, 1, 1),
        square(16, [64, 64], [8, 8], 3, 1, 1, 1),
        square(16, [16, 16], [32, 32], 5, 1, 1, 2),
        square(16, [16, 16], [32, 32], 7, 1, 1, 3),
        square(16, [32, 32], [16, 16], 5, 1, 1, 2),
        square(16, [32, 32], [16, 16], 7, 1, 1, 3),
        square(16, [64, 64], [8, 8], 5, 1, 1, 2),
        square(16, [64, 64], [8, 8], 7, 1, 1, 3),
        square(16, [128, 128], [4, 4], 5, 1, 1, 2),
    ];
    shapes.map(case).into()
}

fn label(p: &Params) -> String {
    format!(
        "{}×{}×{}×{} to {}×{}×{}, {} groups, window {}×{}, stride {}×{}, dilation {}×{}, padding {} {}, bias {}, accumulate {}",
        p.batch,
        p.inputs,
        p.window.height,
        p.window.width,
        p.outputs,
        p.window.out_height,
        p.window.out_width,
        p.groups,
        p.window.kernel_rows,
        p.window.kernel_columns,
        p.window.stride_rows,
        p.window.stride_columns,
        p.window.dilation_rows,
        p.window.dilation_columns,
        p.window.pad_top,
        p.window.pad_left,
        p.has_bias,
        p.accumulate
    )
}

// The lengths leave something behind the last element that must stay as it is.

pub(super) fn forward(p: Params) -> Case {
    Case::new(label(&p), &p)
        .noise(p.x().end + 2, 1)
        .noise(p.w().end + 3, 2)
        .noise((p.bias + p.outputs) as usize, 3)
        .result(p.y().end + 1)
}

pub(super) fn backward_input(p: Params) -> Case {
    Case::new(label(&p), &p).noise(p.w().end + 3, 2).noise(p.y().end + 1, 3).result(p.x().end + 2)
}

pub(super) fn backward_weight(p: Params) -> Case {
    Case::new(label(&p), &p).noise(p.x().end + 2, 1).noise(p.y().end + 1, 3).result(p.w().end + 3)
}
