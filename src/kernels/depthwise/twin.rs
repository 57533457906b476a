//! The tuned twins: a bank of one filter, without its ReLU.

use super::Params;
use super::windows::bank::{Bank, Kind};
use super::windows::{Axis, Exit};
use crate::device::Call;

fn bank(p: &Params) -> Bank {
    let axis = |[size, out, kernel, stride, dilation]: [u32; 5], pad: i32| Axis {
        size: size as usize,
        out: out as usize,
        kernel: kernel as usize,
        stride: stride as usize,
        dilation: dilation as usize,
        pad: pad.into(),
    };
    let down = axis(
        [p.window.height, p.window.out_height, p.window.kernel_rows, p.window.stride_rows, p.window.dilation_rows],
        p.window.pad_top,
    );
    let right = axis(
        [
            p.window.width,
            p.window.out_width,
            p.window.kernel_columns,
            p.window.stride_columns,
            p.window.dilation_columns,
        ],
        p.window.pad_left,
    );
    Bank {
        batch: p.batch as usize,
        channels: p.channels as usize,
        in_channels: p.channels as usize,
        out_channels: p.channels as usize,
        size: [down.size, right.size],
        out: [down.out, right.out],
        stride: [down.stride, right.stride],
        kinds: vec![Kind { branches: 1, weight: p.weight as usize, window: [down, right] }],
        shared: true,
        rectified: false,
        norms: Vec::new(),
        accumulate: p.accumulate != 0,
    }
}

pub(super) fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let bias = if p.has_bias != 0 { &call.input(2)[p.bias()] } else { &[] };
    let exit = Exit { bias, bounds: (p.bounded != 0).then_some([p.low, p.high]) };
    bank(&p).forward(&call.input(0)[p.x()], call.input(1), exit, &mut call.output(0)[p.y()]);
}

pub(super) fn backward_input(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (w, dy, dx) = (call.input(0), &call.input(1)[p.y()], &mut call.output(0)[p.x()]);
    bank(&p).backward_input(&[], w, dy, dx);
}

pub(super) fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    bank(&p).backward_weight(&call.input(0)[p.x()], &call.input(1)[p.y()], call.output(0));
}
