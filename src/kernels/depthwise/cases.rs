//! Shapes on which shader, twin and reference must agree, and those that are timed.

use super::Params;
use crate::device::Case;

/// Parameters of a square window whose images are padded by `pad` on all sides.
fn square(batch: u32, channels: u32, size: [u32; 2], kernel: u32, stride: u32, dilation: u32, pad: i32) -> Params {
    let out = |size: u32| {
        let free = i64::from(size) + 2 * i64::from(pad) - i64::from(dilation * (kernel - 1)) - 1;
        (free / i64::from(stride) + 1) as u32
    };
    Params {
        input: 3,
        weight: 2,
        output: 5,
        batch,
        channels,
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
        accumulate: 0,
    }
}

pub(super) fn all(case: fn(Params) -> Case) -> Vec<Case> {
    let shapes = [
        square(1, 1, [1, 1], 1, 1, 1, 0),
        square(1, 2, [1, 1], 3, 1, 1, 1),
        square(2, 3, [7, 5], 3, 1, 1, 1),
        square(2, 3, [8, 8], 5, 1, 1, 2),
        square(2, 2, [9, 17], 3, 2, 1, 1),
        square(1, 3, [8, 8], 5, 2, 1, 2),
        square(2, 2, [16, 16], 3, 1, 2, 2),
        square(1, 2, [13, 11], 5, 1, 2, 4),
        square(2, 2, [9, 8], 5, 2, 2, 4),
        square(1, 2, [4, 4], 7, 1, 1, 3),
        square(3, 2, [2, 2], 5, 2, 2, 4),
        square(5, 6, [2, 2], 3, 1, 1, 1),
        square(1, 2, [12, 10], 3, 3, 2, 1),
        square(1, 2, [7, 7], 1, 2, 1, -1),
        square(1, 1, [40, 70], 3, 1, 1, 1),
        // Windows of 1×7 and 7×1, as conv_7x1_1x7 has them, with a stride along one axis.
        Params {
            kernel_rows: 1,
            pad_top: 0,
            stride_rows: 1,
            out_height: 9,
            dilation_rows: 1,
            ..square(1, 2, [9, 10], 7, 2, 1, 3)
        },
        Params { kernel_columns: 1, pad_left: 0, out_width: 10, ..square(1, 2, [9, 10], 7, 1, 1, 3) },
        // More padding on one side than on the other, and more than the window is large.
        Params { pad_top: 0, pad_left: 1, out_height: 6, out_width: 9, ..square(1, 2, [6, 7], 2, 1, 1, 0) },
        Params { pad_top: 4, pad_left: -2, out_height: 11, out_width: 3, ..square(1, 2, [6, 7], 3, 1, 1, 0) },
        // More taps than blocks take; the largest window that spaces allow; taps too far apart for blocks.
        square(2, 2, [5, 6], 17, 1, 1, 8),
        square(1, 1, [9, 7], 17, 2, 3, 24),
        square(1, 1, [6, 5], 31, 1, 1, 15),
        square(1, 2, [5, 7], 3, 1, 70, 70),
        Params { kernel_rows: 1, pad_top: 0, out_height: 5, ..square(1, 2, [5, 6], 31, 1, 1, 15) },
        Params { kernel_columns: 1, pad_left: 0, out_width: 6, ..square(1, 2, [5, 6], 31, 1, 1, 15) },
        // Reads that begin beyond the last pixel.
        Params { pad_top: -5, pad_left: -9, out_height: 3, out_width: 4, ..square(1, 1, [6, 7], 3, 2, 1, 0) },
    ];
    shapes.into_iter().flat_map(|p| [0, 1].map(|accumulate| case(Params { accumulate, ..p }))).collect()
}

pub(super) fn benches(case: fn(Params) -> Case) -> Vec<Case> {
    let shapes = [
        square(16, 16, [32, 32], 3, 1, 1, 1),
        square(16, 16, [32, 32], 5, 1, 1, 2),
        square(16, 16, [32, 32], 5, 1, 2, 4),
        square(16, 16, [32, 32], 5, 2, 1, 2),
        square(16, 32, [16, 16], 3, 1, 1, 1),
        square(16, 64, [8, 8], 3, 1, 1, 1),
        square(16, 64, [8, 8], 5, 1, 1, 2),
    ];
    shapes.map(case).into()
}

fn label(p: &Params) -> String {
    format!(
        "{}×{}×{}×{} to {}×{}, window {}×{}, stride {}×{}, dilation {}×{}, padding {} {}, accumulate {}",
        p.batch,
        p.channels,
        p.height,
        p.width,
        p.out_height,
        p.out_width,
        p.kernel_rows,
        p.kernel_columns,
        p.stride_rows,
        p.stride_columns,
        p.dilation_rows,
        p.dilation_columns,
        p.pad_top,
        p.pad_left,
        p.accumulate
    )
}

// The lengths leave something behind the last element that must stay as it is.

pub(super) fn forward(p: Params) -> Case {
    Case::new(label(&p), &p).noise(p.x().end + 2, 1).noise(p.w().end + 3, 2).result(p.y().end + 1)
}

pub(super) fn backward_input(p: Params) -> Case {
    Case::new(label(&p), &p).noise(p.w().end + 3, 2).noise(p.y().end + 1, 3).result(p.x().end + 2)
}

pub(super) fn backward_weight(p: Params) -> Case {
    Case::new(label(&p), &p).noise(p.x().end + 2, 1).noise(p.y().end + 1, 3).result(p.w().end + 3)
}
