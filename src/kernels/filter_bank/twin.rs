//! The tuned twins.

use super::Params;
use crate::device::Call;
use crate::kernels::depthwise::windows::Axis;
use crate::kernels::depthwise::windows::Exit;
use crate::kernels::depthwise::windows::bank::{Bank, Kind};

fn bank(p: &Params, saved: &[f32], parameters: &[f32]) -> Bank {
    let kind = |kind: super::Kind| {
        let axis = |size: u32, out: u32| Axis {
            size: size as usize,
            out: out as usize,
            kernel: kind.kernel,
            stride: p.stride as usize,
            dilation: kind.dilation,
            pad: kind.pad() as i64,
        };
        let window = [axis(p.height, p.out_height), axis(p.width, p.out_width)];
        Kind { branches: kind.branches, weight: kind.weight, window }
    };
    let norm = |ch: usize| {
        let saved = &saved[p.saved as usize..];
        let at = |offset: u32| parameters[offset as usize + ch];
        let (scale, bias) = if p.affine != 0 { (at(p.scale), at(p.bias)) } else { (1.0, 0.0) };
        [saved[ch], saved[p.norm as usize + ch] * scale, bias]
    };
    Bank {
        batch: p.batch as usize,
        channels: p.channels as usize,
        in_channels: p.in_channels as usize,
        out_channels: p.out_channels as usize,
        size: [p.height as usize, p.width as usize],
        out: [p.out_height as usize, p.out_width as usize],
        stride: [p.stride as usize; 2],
        kinds: p.kinds().into_iter().map(kind).collect(),
        shared: p.shared_input != 0,
        rectified: true,
        norms: if p.norm == 0 { Vec::new() } else { (0..p.read()).map(norm).collect() },
        accumulate: p.accumulate != 0,
    }
}

pub(super) fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let bank = bank(&p, call.input(2), call.input(3));
    bank.forward(&call.input(0)[p.x()], call.input(1), Exit::default(), &mut call.output(0)[p.y()]);
}

pub(super) fn backward_input(call: &mut Call<'_>) {
    let p: Params = call.params();
    let bank = bank(&p, call.input(2), call.input(3));
    let (x, w, dy) = (&call.input(0)[p.x()], call.input(1), &call.input(4)[p.y()]);
    bank.backward_input(x, w, dy, &mut call.output(0)[p.dx()]);
}

pub(super) fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let bank = bank(&p, call.input(2), call.input(3));
    bank.backward_weight(&call.input(0)[p.x()], &call.input(1)[p.y()], call.output(0));
}
