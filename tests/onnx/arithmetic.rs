//! Operators that take each value by itself, the windows of pools, and a softmax at the end, against plain loops.

use super::file::{File, float, int, ints};
use super::{agree, images, outputs};
use cellwright::export::onnx::proto::AttributeProto;
use cellwright::graph::{Conv, Features, Op, Pool, Ramp};

const SHAPE: [i64; 3] = [2, 4, 3];

/// What is made of each value of the images, which comes with its channel.
fn expected(of: impl Fn(f32, usize) -> f32) -> Vec<f32> {
    images(Features::new(2, 4, 3)).iter().enumerate().map(|(i, &v)| of(v, i / 12 % 2)).collect()
}

fn one(opset: i64, operator: &str, inputs: &[&str], attributes: &[AttributeProto]) -> File {
    File::new(opset, SHAPE)
        .numbers("k", &[], &[-1.5])
        .numbers("single", &[1, 1, 1, 1], &[0.25])
        .numbers("each", &[2, 1, 1], &[0.5, -3.0])
        .numbers("low", &[], &[-0.3])
        .numbers("high", &[], &[0.6])
        .node(operator, inputs, "y", attributes)
}

#[test]
fn constants_are_ramps_or_depthwise_convolutions() {
    let each = |c: usize| [0.5, -3.0][c];
    type Function<'a> = &'a dyn Fn(f32, usize) -> f32;
    let cases: [(&str, [&str; 2], Function<'_>); 13] = [
        ("Add", ["x", "k"], &|v, _| v - 1.5),
        ("Add", ["k", "x"], &|v, _| v - 1.5),
        ("Add", ["each", "x"], &|v, c| v + each(c)),
        ("Sub", ["x", "single"], &|v, _| v - 0.25),
        ("Sub", ["k", "x"], &|v, _| -1.5 - v),
        ("Sub", ["x", "each"], &|v, c| v - each(c)),
        ("Sub", ["each", "x"], &|v, c| each(c) - v),
        ("Mul", ["x", "k"], &|v, _| -1.5 * v),
        ("Mul", ["single", "x"], &|v, _| 0.25 * v),
        ("Mul", ["x", "each"], &|v, c| each(c) * v),
        ("Div", ["x", "k"], &|v, _| v / -1.5),
        ("Div", ["x", "each"], &|v, c| v / each(c)),
        ("Div", ["x", "single"], &|v, _| v / 0.25),
    ];
    for (operator, inputs, function) in cases {
        let file = one(13, operator, &inputs, &[]);
        agree(&outputs(&file), &expected(function), &format!("{operator} {inputs:?}"));
        let made = &file.read().graph.nodes[1].op;
        assert_eq!(matches!(made, Op::Conv(Conv { groups: 2, .. })), inputs.contains(&"each"), "{operator} {inputs:?}");
    }
}

#[test]
fn clips_and_hard_sigmoids_are_ramps() {
    let bounds = |low: f32, high: f32| move |v: f32, _: usize| v.max(low).min(high);
    let old = [float("min", -0.3), float("max", 0.6)];
    agree(&outputs(&one(7, "Clip", &["x"], &old)), &expected(bounds(-0.3, 0.6)), "attributes");
    agree(&outputs(&one(13, "Clip", &["x", "low", "high"], &[])), &expected(bounds(-0.3, 0.6)), "inputs");
    agree(&outputs(&one(13, "Clip", &["x", "", "high"], &[])), &expected(|v, _| v.min(0.6)), "no lower bound");
    agree(&outputs(&one(13, "Clip", &["x", "low"], &[])), &expected(|v, _| v.max(-0.3)), "no upper bound");
    agree(&outputs(&one(13, "Clip", &["x"], &[])), &expected(|v, _| v), "no bound");
    agree(&outputs(&one(13, "Clip", &["x", "high", "low"], &[])), &expected(|_, _| -0.3), "bounds exchanged");
    let hard = |a: f32, b: f32| move |v: f32, _: usize| (a * v + b).clamp(0.0, 1.0);
    agree(&outputs(&one(13, "HardSigmoid", &["x"], &[])), &expected(hard(0.2, 0.5)), "default");
    let steep = [float("alpha", 2.0), float("beta", -0.1)];
    agree(&outputs(&one(13, "HardSigmoid", &["x"], &steep)), &expected(hard(2.0, -0.1)), "steep");
    let swish = expected(|v, _| v * (v / 6.0 + 0.5).clamp(0.0, 1.0));
    agree(&outputs(&one(14, "HardSwish", &["x"], &[])), &swish, "one operator");
    // As it is written before there was one.
    let parts = File::new(13, SHAPE)
        .numbers("3", &[], &[3.0])
        .numbers("0", &[], &[0.0])
        .numbers("6", &[], &[6.0])
        .node("Add", &["x", "3"], "a", &[])
        .node("Clip", &["a", "0", "6"], "c", &[])
        .node("Mul", &["x", "c"], "m", &[])
        .node("Div", &["m", "6"], "y", &[]);
    agree(&outputs(&parts), &swish, "parts");
    let flat = File::new(13, [2, 4, 3]).node("GlobalAveragePool", &["x"], "g", &[]).node("Flatten", &["g"], "f", &[]);
    let made = flat.node("HardSwish", &["f"], "y", &[]).read().graph;
    assert_eq!(made.nodes[2].op, Op::Ramp(Ramp::hard_sigmoid(1.0 / 6.0, 0.5)));
}

#[test]
fn maps_are_multiplied_and_subtracted_and_gated_by_channel() {
    let swish = File::new(13, SHAPE).node("Sigmoid", &["x"], "s", &[]).node("Mul", &["x", "s"], "y", &[]);
    agree(&outputs(&swish), &expected(|v, _| v / (1.0 + (-v).exp())), "SiLU");
    let minus = File::new(13, SHAPE).node("Tanh", &["x"], "t", &[]).node("Sub", &["x", "t"], "y", &[]);
    agree(&outputs(&minus), &expected(|v, _| v - v.tanh()), "Sub");
    agree(&outputs(&one(13, "Neg", &["x"], &[])), &expected(|v, _| -v), "Neg");
    let images = images(Features::new(2, 4, 3));
    let means: Vec<f32> = images.chunks(12).map(|plane| plane.iter().sum::<f32>() / 12.0).collect();
    let gated: Vec<f32> = images.iter().enumerate().map(|(i, v)| v * means[i / 12].max(0.0)).collect();
    for inputs in [["x", "g"], ["g", "x"]] {
        let file = File::new(13, SHAPE)
            .node("GlobalAveragePool", &["x"], "m", &[])
            .node("Relu", &["m"], "g", &[])
            .node("Mul", &inputs, "y", &[]);
        agree(&outputs(&file), &gated, "gate");
    }
}

/// Pools of planes of 4 × 3 by plain loops: from `before` rows and columns in front, so many windows.
fn pooled(kernel: i64, stride: i64, before: i64, [down, right]: [i64; 2], max: bool) -> Vec<f32> {
    let mut found = Vec::new();
    for plane in images(Features::new(2, 4, 3)).chunks(12) {
        for (i, j) in (0..down).flat_map(|i| (0..right).map(move |j| (i * stride - before, j * stride - before))) {
            let rows = i.max(0)..(i + kernel).min(4);
            let pixels: Vec<f32> = rows
                .flat_map(|row| (j.max(0)..(j + kernel).min(3)).map(move |column| (3 * row + column) as usize))
                .map(|at| plane[at])
                .collect();
            let most = pixels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            found.push(if max { most } else { pixels.iter().sum::<f32>() / pixels.len() as f32 });
        }
    }
    found
}

#[test]
fn windows_of_pools_reach_beyond_the_image() {
    let kernel = |size: i64| ints("kernel_shape", &[size, size]);
    let strides = ints("strides", &[2, 2]);
    let up = int("ceil_mode", 1);
    let pads = |sizes: [i64; 4]| ints("pads", &sizes);
    let cases = [
        (vec![kernel(3), strides.clone(), up.clone()], (3, 2, 0, [2, 1]), [1, 0]),
        (vec![kernel(2), strides.clone(), up.clone()], (2, 2, 0, [2, 2]), [0, 1]),
        (vec![kernel(3), strides.clone(), pads([0, 0, 1, 1])], (3, 2, 0, [2, 1]), [1, 1]),
        (vec![kernel(2), pads([0, 0, 1, 1])], (2, 1, 0, [4, 3]), [1, 1]),
        (vec![kernel(2), pads([1, 1, 0, 0])], (2, 1, 1, [4, 3]), [-1, -1]),
        // A third row of windows would begin behind the image.
        (vec![kernel(2), ints("strides", &[3, 3]), pads([1; 4]), up], (2, 3, 1, [2, 2]), [0, 0]),
    ];
    for (attributes, (size, stride, before, windows), beyond) in cases {
        for max in [true, false] {
            let operator = if max { "MaxPool" } else { "AveragePool" };
            let file = one(13, operator, &["x"], &attributes);
            let pool = Pool { beyond, ..Pool::new(size as usize, stride as usize, before as usize) };
            let made = if max { Op::MaxPool(pool) } else { Op::AvgPool(pool) };
            assert_eq!(file.read().graph.nodes[1].op, made);
            agree(&outputs(&file), &pooled(size, stride, before, windows, max), &format!("{operator} {attributes:?}"));
        }
    }
    let square = File::new(13, [2, 3, 3]).node("GlobalMaxPool", &["x"], "y", &[]);
    let images = images(Features::new(2, 3, 3));
    let most: Vec<f32> = images.chunks(9).map(|plane| plane.iter().copied().fold(f32::MIN, f32::max)).collect();
    agree(&outputs(&square), &most, "GlobalMaxPool");
}

#[test]
fn a_softmax_at_the_end_is_left_to_the_reader() {
    let network = |flat: bool| {
        let file = File::new(13, SHAPE).node("GlobalAveragePool", &["x"], "g", &[]);
        if flat { file.node("Flatten", &["g"], "l", &[]) } else { file.node("Relu", &["g"], "l", &[]) }
    };
    let found = network(true).node("Softmax", &["l"], "y", &[]).read();
    assert!(found.probabilities);
    assert_eq!(found.graph, network(true).node("Identity", &["l"], "y", &[]).read().graph);
    for (flat, operator, attributes) in [
        (true, "Softmax", vec![int("axis", -1)]),
        (true, "LogSoftmax", vec![int("axis", 1)]),
        (false, "Softmax", vec![int("axis", 1)]),
    ] {
        assert!(network(flat).node(operator, &["l"], "y", &attributes).read().probabilities);
    }
    assert!(!network(true).node("Identity", &["l"], "y", &[]).read().probabilities);
}
