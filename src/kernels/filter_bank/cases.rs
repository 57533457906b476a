//! Shapes on which shader, twin and reference must agree, and those that are timed.

use super::Params;
use crate::device::{Case, noise};

/// Branches, window and dilation of a kind.
type Filters = (u32, u32, u32);

/// The first filters of the DARTS cells' separable and dilated convolutions.
const DARTS: [Filters; 4] = [(4, 3, 1), (4, 5, 1), (4, 3, 2), (4, 5, 2)];

/// A bank with its input shared or not; the buffers hold more than is read and written.
fn bank(shared: u32, [batch, channels]: [u32; 2], size: [u32; 2], stride: u32, kinds: &[Filters]) -> Params {
    let kind = |k: usize| kinds.get(k).copied().unwrap_or((0, 0, 0));
    let weights = |k: usize| kind(k).0 * channels * kind(k).1 * kind(k).1;
    let branches: u32 = kinds.iter().map(|kind| kind.0).sum();
    // The weights of the second kind come first.
    let [weight0, weight1, weight2] = [weights(1) + 3, 2, weights(0) + weights(1) + 4];
    Params {
        input: 3,
        output: 5,
        gradient: 1,
        weight0,
        weight1,
        weight2,
        weight3: weight2 + weights(2),
        saved: 1,
        scale: 2,
        bias: 3 + channels * branches,
        batch,
        channels,
        height: size[0],
        width: size[1],
        out_height: (size[0] - 1) / stride + 1,
        out_width: (size[1] - 1) / stride + 1,
        stride,
        in_channels: channels * if shared != 0 { 1 } else { branches },
        out_channels: channels * branches,
        branches0: kind(0).0,
        branches1: kind(1).0,
        branches2: kind(2).0,
        branches3: kind(3).0,
        kernel0: kind(0).1,
        kernel1: kind(1).1,
        kernel2: kind(2).1,
        kernel3: kind(3).1,
        dilation0: kind(0).2,
        dilation1: kind(1).2,
        dilation2: kind(2).2,
        dilation3: kind(3).2,
        shared_input: shared,
        norm: 0,
        affine: 0,
        accumulate: 0,
    }
}

/// With as many normalised channels as there are, or more.
fn normalised(affine: u32, p: Params) -> Params {
    Params { norm: p.read() as u32 + 1 - affine, affine, ..p }
}

/// Images of x and y that hold more planes than the bank's.
fn within(p: Params) -> Params {
    Params { in_channels: p.in_channels + 2, out_channels: p.out_channels + 1, ..p }
}

pub(super) fn all(case: fn(Params) -> Case) -> Vec<Case> {
    let four = [(2, 3, 1), (1, 5, 1), (1, 3, 2), (2, 5, 2)];
    let shapes = [
        bank(1, [1, 1], [1, 1], 1, &[(1, 3, 1)]),
        normalised(1, bank(0, [8, 1], [1, 1], 2, &[(1, 5, 2), (1, 3, 1)])),
        bank(1, [2, 2], [7, 5], 1, &four),
        within(bank(1, [2, 1], [8, 8], 1, &four)),
        normalised(0, bank(0, [2, 1], [8, 8], 1, &[(1, 3, 1), (1, 5, 1)])),
        normalised(0, bank(0, [2, 1], [9, 8], 1, &[(1, 3, 1), (1, 5, 1), (0, 3, 2), (0, 5, 2)])),
        within(normalised(0, bank(0, [2, 2], [6, 11], 1, &four[..2]))),
        normalised(1, bank(1, [3, 2], [16, 16], 1, &four[1..3])),
        bank(1, [2, 1], [9, 17], 2, &four),
        normalised(1, bank(0, [1, 1], [8, 8], 2, &four[1..3])),
        within(bank(1, [2, 1], [16, 16], 2, &four)),
        bank(0, [8, 2], [2, 2], 1, &[(0, 3, 1), (1, 3, 1), (0, 7, 9), (1, 5, 2)]),
        bank(1, [9, 1], [2, 2], 2, &four[2..]),
        bank(1, [1, 2], [3, 4], 1, &four[1..3]),
        // Windows of other sizes, and strides and dilations without a common divisor.
        bank(1, [1, 1], [10, 9], 1, &[(1, 1, 1), (1, 7, 1), (1, 9, 1)]),
        bank(0, [1, 1], [11, 9], 2, &[(1, 1, 2), (1, 7, 1), (1, 3, 3)]),
        bank(1, [1, 1], [13, 12], 3, &[(1, 3, 2), (1, 5, 3)]),
        // More taps than blocks take, beside a window that they do; the largest that spaces allow.
        bank(1, [2, 2], [5, 6], 1, &[(2, 17, 1), (1, 3, 1)]),
        normalised(1, bank(0, [1, 2], [6, 5], 1, &[(1, 3, 1), (1, 17, 2)])),
        within(normalised(0, bank(1, [2, 1], [9, 10], 2, &[(1, 31, 1)]))),
        normalised(1, bank(1, [8, 12], [4, 4], 1, &[(1, 3, 1)])),
        within(normalised(1, bank(1, [9, 6], [2, 2], 1, &four[1..3]))),
        // Maps of many columns, and of many rows.
        bank(1, [1, 1], [5, 70], 1, &[(1, 3, 1), (1, 5, 2)]),
        normalised(0, bank(1, [1, 1], [68, 3], 1, &[(2, 3, 2)])),
        bank(1, [1, 1], [33, 40], 1, &[(1, 5, 1)]),
        bank(1, [1, 1], [70, 67], 2, &[(1, 5, 1)]),
    ];
    shapes.into_iter().flat_map(|p| [0, 1].map(|accumulate| case(Params { accumulate, ..p }))).collect()
}

pub(super) fn benches(case: fn(Params) -> Case) -> Vec<Case> {
    let second = |channels: u32, size: u32| {
        let p = bank(0, [16, channels], [size; 2], 1, &[(4, 3, 1), (4, 5, 1), (0, 3, 2), (0, 5, 2)]);
        Params { in_channels: 16 * channels, norm: 16 * channels, ..p }
    };
    let shapes = [
        bank(1, [16, 16], [32; 2], 1, &DARTS),
        second(16, 32),
        bank(1, [16, 32], [16; 2], 1, &DARTS),
        second(32, 16),
        bank(1, [16, 64], [8; 2], 1, &DARTS),
        second(64, 8),
        bank(1, [16, 32], [32; 2], 2, &[(2, 3, 1), (2, 5, 1), (2, 3, 2), (2, 5, 2)]),
    ];
    shapes.map(case).into()
}

fn label(p: &Params) -> String {
    let kinds: Vec<String> =
        p.kinds().iter().map(|k| format!("{}·{}×{}/{}", k.branches, k.kernel, k.kernel, k.dilation)).collect();
    let x = match (p.norm, p.affine) {
        (0, _) => "",
        (_, 0) => ", normalised",
        _ => ", affine",
    };
    let shared = if p.shared_input != 0 { "shared" } else { "own inputs" };
    format!(
        "{}×{}×{}×{}, {shared}{x}, {}, stride {}, accumulate {}",
        p.batch,
        p.channels,
        p.height,
        p.width,
        kinds.join(" "),
        p.stride,
        p.accumulate
    )
}

// The lengths leave something behind the last element that must stay as it is.

fn images(offset: u32, planes: u32, p: &Params, pixels: usize) -> usize {
    offset as usize + (p.batch * planes) as usize * pixels + 2
}

fn x(p: &Params) -> usize {
    images(p.input, p.in_channels, p, p.pixels())
}

fn y(p: &Params) -> usize {
    images(p.output, p.out_channels, p, p.out_pixels())
}

fn w(p: &Params) -> usize {
    let end = |kind: &super::Kind| kind.weight + kind.branches * p.channels as usize * kind.taps();
    p.kinds().iter().map(end).max().unwrap_or(0) + 3
}

/// With what normalises x; where nothing does, anything may be bound.
fn norm(case: Case, p: &Params) -> Case {
    if p.norm == 0 {
        return case.noise(1, 4).noise(1, 5);
    }
    let norm = p.norm as usize;
    let mut saved = noise(p.saved as usize + 2 * norm + 1, 4);
    saved[p.saved as usize + norm..].iter_mut().for_each(|inverse| *inverse += 1.5);
    let case = case.input(&saved);
    if p.affine == 0 { case.input(&saved) } else { case.noise(p.bias as usize + norm + 1, 5) }
}

pub(super) fn forward(p: Params) -> Case {
    norm(Case::new(label(&p), &p).noise(x(&p), 1).noise(w(&p), 2), &p).result(y(&p))
}

pub(super) fn backward_input(p: Params) -> Case {
    let case = norm(Case::new(label(&p), &p).noise(x(&p), 1).noise(w(&p), 2), &p);
    case.noise(y(&p), 3).result(p.dx().end + 2)
}

pub(super) fn backward_weight(p: Params) -> Case {
    norm(Case::new(label(&p), &p).noise(x(&p), 1).noise(y(&p), 3), &p).result(w(&p))
}

/// One window on one pixel.
#[cfg(test)]
pub(super) fn single() -> Params {
    bank(1, [1, 1], [1, 1], 1, &[(1, 3, 1)])
}
