//! Shapes on which shader, twin and reference must agree, and those that are timed.

use super::Params;
use crate::device::Case;

/// Batch, groups, inputs, outputs, pixels.
pub(super) type Shape = [u32; 5];

pub(super) fn all(case: fn(Shape, bool, u32) -> Case) -> Vec<Case> {
    let shapes: [Shape; 15] = [
        [1, 1, 1, 1, 1],
        [2, 1, 3, 5, 7],
        [3, 1, 16, 16, 64],
        [2, 1, 17, 9, 81],
        [5, 1, 6, 10, 9],
        [1, 1, 33, 13, 300],
        [9, 1, 4, 7, 33],
        [1, 1, 140, 20, 17],
        [3, 2, 5, 3, 36],
        [2, 3, 16, 16, 64],
        [7, 5, 9, 6, 4],
        [2, 2, 8, 20, 528],
        [3, 1, 210, 40, 50],
        [2, 2, 81, 105, 33],
        [5, 1, 64, 131, 16],
    ];
    let mut cases = Vec::new();
    for (at, shape) in shapes.into_iter().enumerate() {
        cases.push(case(shape, at % 2 == 0, 0));
        cases.push(case(shape, at % 2 == 1, 1));
    }
    cases
}

pub(super) fn benches(case: fn(Shape, bool, u32) -> Case) -> Vec<Case> {
    let sizes = [[16, 16, 1024], [32, 32, 256], [64, 64, 64]];
    // Those of a bank, and those of inverted residuals.
    let shapes = [1, 16].into_iter().flat_map(|groups| sizes.map(|[i, o, pixels]| [16, groups, i, o, pixels]));
    let residuals = [[16, 96, 1024], [288, 48, 256], [96, 576, 64], [320, 1280, 16]];
    let shapes = shapes.chain(residuals.map(|[i, o, pixels]| [16, 1, i, o, pixels]));
    shapes.map(|shape| case(shape, false, 0)).collect()
}

fn params(
    [batch, groups, inputs, outputs, pixels]: Shape,
    bias: bool,
    accumulate: u32,
) -> (Params, String, [usize; 3]) {
    let p = Params {
        input: 3,
        weight: 2,
        bias: 5,
        output: 1,
        batch,
        inputs,
        outputs,
        groups,
        pixels,
        has_bias: bias.into(),
        accumulate,
        ..Default::default()
    };
    let of = if groups == 1 { String::new() } else { format!("{groups} times ") };
    let label =
        format!("{batch} images of {pixels} pixels, {of}{inputs} to {outputs} channels, accumulate {accumulate}");
    // What lies behind the last element must stay as it is.
    (p, label, [p.x().end + 2, p.w().end + 3, p.y().end + 1])
}

pub(super) fn forward(shape: Shape, bias: bool, accumulate: u32) -> Case {
    let (mut p, label, [x, w, y]) = params(shape, bias, accumulate);
    // Within bounds at half of the cases, whether there is a bias or not.
    (p.bounded, p.low, p.high) = (p.outputs & 1, -0.125, 0.25);
    Case::new(format!("{label}, bias {bias}, bounded {}", p.bounded), &p)
        .noise(x, 1)
        .noise(w, 2)
        .noise(p.bias().end, 3)
        .result(y)
}

pub(super) fn backward_input(shape: Shape, bias: bool, accumulate: u32) -> Case {
    let (p, label, [x, w, y]) = params(shape, bias, accumulate);
    Case::new(label, &p).noise(w, 2).noise(y, 3).result(x)
}

pub(super) fn backward_weight(shape: Shape, bias: bool, accumulate: u32) -> Case {
    let (p, label, [x, w, y]) = params(shape, bias, accumulate);
    Case::new(label, &p).noise(x, 1).noise(y, 3).result(w)
}
