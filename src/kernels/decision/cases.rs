//! Cases of the kernels of a controller's decisions.

use super::{Choose, ChooseBackward, Skips, SkipsBackward};
use crate::device::{Case, noise};

/// Rows and options: one of each, several batches of workgroups, a controller's.
const SIZES: [[usize; 2]; 5] = [[1, 1], [3, 2], [70, 7], [10, 5], [20, 33]];

/// Scores within `range`, behind `offset` others.
fn scores(offset: usize, count: usize, range: f32) -> Vec<f32> {
    noise(offset + count, 1).into_iter().map(|v| v * range).collect()
}

/// What is drawn by, or what is given, for `count` decisions of so many options, behind two other words.
fn picks(drawn: u32, count: usize, options: usize) -> Vec<u32> {
    let uniform = noise(count + 2, 3).into_iter().map(|v| (v + 1.0) / 2.0);
    uniform.map(|u| if drawn != 0 { u.to_bits() } else { (u * options as f32) as u32 }).collect()
}

pub fn choose_case([rows, options]: [usize; 2], drawn: u32, of_choice: u32, range: f32) -> Case {
    let params = Choose {
        scores: 3,
        bias: 1,
        picks: 2,
        before: 4,
        weights: 5,
        answers: 3,
        after: 1,
        rows: rows as u32,
        options: options as u32,
        has_bias: u32::from(rows != 1),
        drawn,
        of_choice,
        slope: 0.7,
        reach: 1.1,
    };
    Case::new(format!("{rows}×{options}, drawn {drawn}, of the choice {of_choice}, up to {range}"), &params)
        .input(&scores(3, rows * options, range))
        .noise(options + 1, 2)
        .words(&picks(drawn, rows, options))
        .noise(3 * rows + 4, 4)
        .result(rows * options + 7)
        .result(rows + 4)
        .result(3 * rows + 3)
}

pub fn choose_cases() -> Vec<Case> {
    let forms = [[0, 0], [0, 1], [1, 0], [1, 1]];
    let of = |size| forms.map(|[drawn, of_choice]| choose_case(size, drawn, of_choice, 2.0));
    // Scores so large that only the tanh keeps them from overflowing.
    SIZES.into_iter().flat_map(of).chain([choose_case([5, 4], 1, 0, 1e6)]).collect()
}

pub fn choose_backward_case([rows, options]: [usize; 2], accumulate: u32) -> Case {
    let params = ChooseBackward {
        scores: 3,
        bias: 1,
        weights: 2,
        dafter: 4,
        dscores: 5,
        rows: rows as u32,
        options: options as u32,
        has_bias: u32::from(rows != 1),
        accumulate,
        slope: 0.7,
        reach: 1.1,
    };
    let chosen: Vec<f32> =
        (0..rows * options + 2).map(|i| if (i + 1) % (options + 1) == 0 { 1.0 } else { 0.0 }).collect();
    Case::new(format!("{rows}×{options}, accumulate {accumulate}"), &params)
        .input(&scores(3, rows * options, 2.0))
        .noise(options + 1, 2)
        .input(&chosen)
        .noise(3 * rows + 4, 4)
        .result(rows * options + 7)
}

pub fn choose_backward_cases() -> Vec<Case> {
    SIZES.into_iter().flat_map(|size| [0, 1].map(|accumulate| choose_backward_case(size, accumulate))).collect()
}

pub fn skips_case([rows, layers]: [usize; 2], drawn: u32, of_choice: u32, range: f32) -> Case {
    let params = Skips {
        scores: 3,
        picks: 2,
        before: 4,
        weights: 5,
        answers: 3,
        after: 1,
        rows: rows as u32,
        layers: layers as u32,
        drawn,
        of_choice,
        slope: 0.7,
        reach: 1.5,
        target_no: 0.6,
        target_yes: 0.4,
    };
    Case::new(format!("{rows}×{layers}, drawn {drawn}, of the choice {of_choice}, up to {range}"), &params)
        .input(&scores(3, rows * layers, range))
        .words(&picks(drawn, layers * rows, 2))
        .noise(3 * rows + 4, 4)
        .result(rows * layers + 7)
        .result(rows * layers + 4)
        .result(3 * rows + 3)
}

pub fn skips_cases() -> Vec<Case> {
    let forms = [[0, 0], [0, 1], [1, 0], [1, 1]];
    let of = |size| forms.map(|[drawn, of_choice]| skips_case(size, drawn, of_choice, 2.0));
    SIZES.into_iter().flat_map(of).chain([skips_case([5, 4], 1, 0, 1e6)]).collect()
}

pub fn skips_backward_case([rows, layers]: [usize; 2], accumulate: u32) -> Case {
    let params = SkipsBackward {
        scores: 3,
        weights: 2,
        dafter: 4,
        dscores: 5,
        rows: rows as u32,
        layers: layers as u32,
        accumulate,
        slope: 0.7,
        reach: 1.5,
        target_no: 0.6,
        target_yes: 0.4,
    };
    let chosen: Vec<f32> = noise(rows * layers + 2, 5).into_iter().map(|v| v.max(0.0)).collect();
    Case::new(format!("{rows}×{layers}, accumulate {accumulate}"), &params)
        .input(&scores(3, rows * layers, 2.0))
        .input(&chosen)
        .noise(3 * rows + 4, 4)
        .result(rows * layers + 7)
}

pub fn skips_backward_cases() -> Vec<Case> {
    SIZES.into_iter().flat_map(|size| [0, 1].map(|accumulate| skips_backward_case(size, accumulate))).collect()
}
