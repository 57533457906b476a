//! Shapes on which shader, twin and reference must agree, and those that are timed.

use super::transform::{self, TAPS, VALUES};
use super::{FilterParams, Params};
use crate::device::{Case, noise};

fn image(batch: u32, channels: [u32; 2], size: [u32; 2]) -> Params {
    Params {
        input: 3,
        weight: 2,
        bias: 4,
        output: 5,
        batch,
        inputs: channels[0],
        outputs: channels[1],
        height: size[0],
        width: size[1],
        has_bias: 0,
        accumulate: 0,
    }
}

pub(super) fn all(case: fn(Params) -> Case) -> Vec<Case> {
    let bias = |p: Params| Params { has_bias: 1, ..p };
    let shapes = [
        bias(image(1, [1, 1], [1, 1])),
        image(2, [3, 5], [7, 5]),
        bias(image(2, [4, 9], [8, 8])),
        image(9, [2, 3], [4, 4]),
        image(3, [5, 6], [2, 3]),
        // Rows longer than a vector, and longer than a panel.
        image(1, [2, 3], [5, 37]),
        bias(image(1, [3, 2], [6, 130])),
        // Rows of tiles that end within a panel.
        image(5, [2, 2], [9, 28]),
        // Whole blocks of channels and pixels, and shared outputs.
        bias(image(2, [17, 18], [5, 18])),
        // More channels than a block has.
        image(1, [70, 5], [6, 5]),
        bias(image(9, [33, 37], [8, 9])),
    ];
    shapes.into_iter().flat_map(|p| [0, 1].map(|accumulate| case(Params { accumulate, ..p }))).collect()
}

pub(super) fn benches(case: fn(Params) -> Case) -> Vec<Case> {
    let shapes = [
        image(16, [16, 16], [32, 32]),
        image(16, [32, 32], [16, 16]),
        image(16, [64, 64], [8, 8]),
        image(16, [64, 64], [32, 32]),
        image(1, [64, 64], [32, 32]),
    ];
    shapes.map(case).into()
}

fn label(p: &Params) -> String {
    let Params { batch, inputs, outputs, height, width, has_bias, accumulate, .. } = p;
    format!("{batch}×{inputs}×{height}×{width} to {outputs}, bias {has_bias}, accumulate {accumulate}")
}

// The lengths leave something behind the last element that must stay as it is.

pub(super) fn forward(p: Params) -> Case {
    // What is no filter's transform is not asked for.
    let columns = p.outputs as usize * p.depth();
    let mut u = noise(p.u().end + 3, 2);
    for (column, taps) in noise(columns * TAPS, 6).as_chunks::<TAPS>().0.iter().enumerate() {
        let values = transform::filter(*taps);
        (0..VALUES).for_each(|v| u[p.weight as usize + v * columns + column] = values[v]);
    }
    Case::new(label(&p), &p)
        .noise(p.x().end + 2, 1)
        .input(&u)
        .noise((p.bias + p.outputs) as usize, 3)
        .result(p.y().end + 1)
}

pub(super) fn backward_weight(p: Params) -> Case {
    Case::new(label(&p), &p).noise(p.x().end + 2, 1).noise(p.y().end + 1, 3).result(p.dw().end + 3)
}

fn filters(outputs: u32, inputs: u32, turned: u32) -> Case {
    let p = FilterParams { weight: 1, transformed: 2, outputs, inputs, turned };
    let label = format!("{outputs}×{inputs}, turned {turned}");
    Case::new(label, &p).noise(p.w().end + 2, 1).result(p.u().end + 1)
}

pub(super) fn filter() -> Vec<Case> {
    [[1, 1], [3, 5], [8, 2], [17, 33]]
        .into_iter()
        .flat_map(|[o, i]| [0, 1].map(|turned| filters(o, i, turned)))
        .collect()
}

pub(super) fn filter_benches() -> Vec<Case> {
    vec![filters(64, 64, 0), filters(64, 64, 1)]
}
