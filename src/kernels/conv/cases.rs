//! Shapes on which shader, twin and reference must agree, and those that are timed.

use super::Params;
use crate::device::Case;

/// Parameters of a square window whose images are padded by `pad` on all sides.
fn square(batch: u32, channels: [u32; 2], size: [u32; 2], kernel: u32, stride: u32, dilation: u32, pad: i32) -> Params {
    let out = |size: u32| {
        let free = i64::from(size) + 2 * i64::from(pad) - i64::from(dilation * (kernel - 1)) - 1;
        (free / i64::from(stride) + 1) as u32
    };
    Params {
        input: 3,
        weight: 2,
        bias: 4,
        output: 5,
        batch,
        inputs: channels[0],
        outputs: channels[1],
        groups: 1,
        height: size[0],
        width: size[1],
        out_height: out(size[0]),
        out_width: out(size[1]),
        kernel_rows: kernel,
        kernel_columns: kernel,
        stride_rows: stride,
        stride_columns: stride,
        dilation_rows: dilation,
        dilation_columns: dilation,
        pad_top: pad,
        pad_left: pad,
        has_bias: 0,
        accumulate: 0,
    }
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
        Params { out_height: 4, out_width: 4, ..square(2, [6, 4], [8, 8], 1, 2, 1, -1) },
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
        Params { kernel_rows: 1, pad_top: 0, stride_rows: 1, out_height: 9, ..square(1, [2, 3], [9, 10], 7, 2, 1, 3) },
        Params { kernel_columns: 1, pad_left: 0, out_width: 10, ..square(1, [2, 3], [9, 10], 7, 1, 1, 3) },
        // More padding on one side than on the other, and more than the window is large.
        Params { pad_top: 0, pad_left: 1, out_height: 6, out_width: 9, ..square(1, [2, 2], [6, 7], 2, 1, 1, 0) },
        Params { pad_top: 4, pad_left: -2, out_height: 11, out_width: 3, ..square(1, [2, 2], [6, 7], 3, 1, 1, 0) },
        // Reads that begin beyond the last pixel.
        Params { pad_top: -5, pad_left: -9, out_height: 3, out_width: 4, ..square(1, [1, 1], [6, 7], 3, 2, 1, 0) },
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
    ];
    shapes.map(case).into()
}

fn label(p: &Params) -> String {
    format!(
        "{}×{}×{}×{} to {}×{}×{}, {} groups, window {}×{}, stride {}×{}, dilation {}×{}, padding {} {}, bias {}, accumulate {}",
        p.batch,
        p.inputs,
        p.height,
        p.width,
        p.outputs,
        p.out_height,
        p.out_width,
        p.groups,
        p.kernel_rows,
        p.kernel_columns,
        p.stride_rows,
        p.stride_columns,
        p.dilation_rows,
        p.dilation_columns,
        p.pad_top,
        p.pad_left,
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
