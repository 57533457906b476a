//! Shapes on which shader, twin and reference must agree, and those that are timed.

use super::Params;
use crate::device::Case;
use crate::kernels::conv::Window;

/// Parameters of a square window whose images are padded by `pad` on all sides.
fn square(batch: u32, channels: u32, size: [u32; 2], kernel: u32, stride: u32, dilation: u32, pad: i32) -> Params {
    let window = Window::square(size, kernel, stride, dilation, pad);
    Params { input: 3, weight: 2, bias: 1, output: 5, batch, channels, window, ..Default::default() }
}

/// With other windows.
fn changed(mut p: Params, change: fn(&mut Window)) -> Params {
    change(&mut p.window);
    p
}

pub(super) fn all(case: fn(Params) -> Case) -> Vec<Case> {
    let shapes = [
        square(1, 1, [1, 1], 1, 1, 1, 0),
        square(8, 2, [1, 1], 3, 1, 1, 1),
        square(2, 3, [7, 5], 3, 1, 1, 1),
        square(2, 3, [8, 8], 5, 1, 1, 2),
        square(2, 2, [9, 17], 3, 2, 1, 1),
        square(1, 3, [8, 8], 5, 2, 1, 2),
        square(2, 2, [16, 16], 3, 1, 2, 2),
        square(1, 2, [13, 11], 5, 1, 2, 4),
        square(2, 2, [9, 8], 5, 2, 2, 4),
        square(1, 2, [4, 4], 7, 1, 1, 3),
        square(9, 5, [4, 4], 7, 1, 1, 3),
        square(9, 260, [4, 4], 3, 1, 1, 1),
        square(8, 3, [8, 8], 5, 2, 1, 2),
        square(9, 2, [2, 2], 5, 2, 2, 4),
        square(9, 6, [2, 2], 3, 1, 1, 1),
        square(1, 2, [12, 10], 3, 3, 2, 1),
        square(1, 2, [7, 7], 1, 2, 1, -1),
        square(1, 1, [40, 70], 3, 1, 1, 1),
        // Windows of 1×7 and 7×1, as conv_7x1_1x7 has them, with a stride along one axis.
        changed(square(1, 2, [9, 10], 7, 2, 1, 3), |w| {
            (w.kernel_rows, w.pad_top, w.stride_rows, w.out_height, w.dilation_rows) = (1, 0, 1, 9, 1)
        }),
        changed(square(1, 2, [9, 10], 7, 1, 1, 3), |w| (w.kernel_columns, w.pad_left, w.out_width) = (1, 0, 10)),
        // More padding on one side than on the other, and more than the window is large.
        changed(square(1, 2, [6, 7], 2, 1, 1, 0), |w| {
            (w.pad_top, w.pad_left, w.out_height, w.out_width) = (0, 1, 6, 9)
        }),
        changed(square(1, 2, [6, 7], 3, 1, 1, 0), |w| {
            (w.pad_top, w.pad_left, w.out_height, w.out_width) = (4, -2, 11, 3)
        }),
        // More taps than blocks take; the largest window that spaces allow; taps too far apart for blocks.
        square(2, 2, [5, 6], 17, 1, 1, 8),
        square(1, 1, [9, 7], 17, 2, 3, 24),
        square(1, 1, [6, 5], 31, 1, 1, 15),
        square(1, 2, [5, 7], 3, 1, 70, 70),
        changed(square(1, 2, [5, 6], 31, 1, 1, 15), |w| (w.kernel_rows, w.pad_top, w.out_height) = (1, 0, 5)),
        changed(square(1, 2, [5, 6], 31, 1, 1, 15), |w| (w.kernel_columns, w.pad_left, w.out_width) = (1, 0, 6)),
        // Reads that begin beyond the last pixel.
        changed(square(1, 1, [6, 7], 3, 2, 1, 0), |w| {
            (w.pad_top, w.pad_left, w.out_height, w.out_width) = (-5, -9, 3, 4)
        }),
    ];
    // Every other with a bias, every third within bounds.
    let turn = |(at, p): (usize, Params)| {
        [0, 1].map(|accumulate| {
            let (has_bias, bounded) = ((at % 2 == accumulate).into(), (at % 3 == accumulate).into());
            case(Params { accumulate: accumulate as u32, has_bias, bounded, low: -0.125, high: 0.25, ..p })
        })
    };
    shapes.into_iter().enumerate().flat_map(turn).collect()
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
        p.window.height,
        p.window.width,
        p.window.out_height,
        p.window.out_width,
        p.window.kernel_rows,
        p.window.kernel_columns,
        p.window.stride_rows,
        p.window.stride_columns,
        p.window.dilation_rows,
        p.window.dilation_columns,
        p.window.pad_top,
        p.window.pad_left,
        p.accumulate
    )
}

// The lengths leave something behind the last element that must stay as it is.

pub(super) fn forward(p: Params) -> Case {
    let label = format!("{}, bias {}, bounded {}", label(&p), p.has_bias, p.bounded);
    let case = Case::new(label, &p).noise(p.x().end + 2, 1).noise(p.w().end + 3, 2);
    case.noise(p.bias().end, 3).result(p.y().end + 1)
}

pub(super) fn backward_input(p: Params) -> Case {
    Case::new(label(&p), &p).noise(p.w().end + 3, 2).noise(p.y().end + 1, 3).result(p.x().end + 2)
}

pub(super) fn backward_weight(p: Params) -> Case {
    Case::new(label(&p), &p).noise(p.x().end + 2, 1).noise(p.y().end + 1, 3).result(p.w().end + 3)
}
