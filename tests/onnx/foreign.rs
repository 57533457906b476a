//! Files of other programs, with what these do otherwise.

use super::file::{File, float, int, ints, small, text, value};
use super::{agree, images, logits, outputs};
use cellwright::device::skipped;
use cellwright::export::onnx::proto::{AttributeProto, StringStringEntryProto, TensorProto, dtype};
use cellwright::export::onnx::read;
use cellwright::graph::{Conv, Op, Padding, Pool};
use cellwright::nn::{Value, from_safetensors};

fn ops(file: &File) -> Vec<Op> {
    file.read().graph.nodes.into_iter().skip(1).map(|node| node.op).collect()
}

/// A convolution with weight `w`, [4, 2, 3, 3].
fn conv(padding: Padding, stride: usize) -> Conv {
    Conv { padding, ..Conv::square(2, 4, 3, stride) }
}

#[test]
fn padding_of_any_kind_goes_into_the_convolution() {
    let at = |top, left, bottom, right| Padding { top, left, bottom, right };
    let auto = |kind: &str, stride: i64| {
        small(13).node("Conv", &["x", "w"], "y", &[text("auto_pad", kind), ints("strides", &[stride, stride])])
    };
    // Rows 6, columns 5, kernel 3.
    for (file, expected) in [
        (auto("SAME_UPPER", 2), conv(at(0, 1, 1, 1), 2)),
        (auto("SAME_LOWER", 2), conv(at(1, 1, 0, 1), 2)),
        (auto("SAME_UPPER", 1), conv(Padding::same(1), 1)),
        (auto("VALID", 1), conv(Padding::same(0), 1)),
        (small(13).node("Conv", &["x", "w"], "y", &[ints("pads", &[1, 0, 2, 1])]), conv(at(1, 0, 2, 1), 1)),
        (
            small(13).list("p", &[0, 0, 1, 2, 0, 0, 0, 1]).node("Pad", &["x", "p"], "padded", &[]).node(
                "Conv",
                &["padded", "w"],
                "y",
                &[ints("pads", &[1, 0, 0, 0])],
            ),
            conv(at(2, 2, 0, 1), 1),
        ),
        (
            small(7)
                .node("Pad", &["x"], "padded", &[ints("pads", &[0, 0, 1, 1, 0, 0, 1, 1]), text("mode", "constant")])
                .node("Conv", &["padded", "w"], "y", &[]),
            conv(Padding::same(1), 1),
        ),
        (
            small(9)
                .node(
                    "Slice",
                    &["x"],
                    "cut",
                    &[ints("starts", &[1, -4]), ints("ends", &[i64::MAX, 9]), ints("axes", &[2, 3])],
                )
                .node("Conv", &["cut", "w"], "y", &[]),
            conv(at(-1, -1, 0, 0), 1),
        ),
    ] {
        assert_eq!(ops(&file), [Op::Conv(expected)]);
    }
}

#[test]
fn what_was_cut_off_does_not_come_back_by_padding() {
    let file = small(13).list("p", &[0, 0, -1, 0, 0, 0, 0, 0]).node("Pad", &["x", "p"], "cut", &[]).node(
        "Conv",
        &["cut", "w"],
        "y",
        &[ints("pads", &[1, 0, 0, 0])],
    );
    let identity = Conv { padding: Padding { top: -1, ..Padding::same(0) }, ..Conv::depthwise(2, 1, 1, 1) };
    let after = conv(Padding { top: 1, ..Padding::same(0) }, 1);
    assert_eq!(ops(&file), [Op::Conv(identity), Op::Conv(after)]);
    // The first row of the result does not depend on the row that was cut off.
    let found = file.read();
    let mut images = images(found.graph.shape(0));
    let before = logits(&found.graph, &found.arrays, &images);
    for image in images.chunks_mut(30) {
        image[..5].fill(100.0);
    }
    agree(&logits(&found.graph, &found.arrays, &images), &before, "");
}

#[test]
fn linear_layers_come_in_many_forms() {
    let flat = |file: File| file.node("Flatten", &["x"], "f", &[]);
    let base = || File::new(13, [3, 2, 1]).drawn("w", &[6, 4]).drawn("b", &[4]);
    let right = outputs(&flat(base()).node("Gemm", &["f", "w", "b"], "y", &[]));
    let turned: Vec<f32> = {
        let found = flat(base()).node("Gemm", &["f", "w", "b"], "y", &[]).read();
        let Value::F32(values) = &found.arrays["gemm1.weight"].value else { panic!() };
        values.clone()
    };
    let forms =
        [
            flat(base()).node("MatMul", &["f", "w"], "m", &[]).node("Add", &["m", "b"], "y", &[]),
            flat(base()).node("MatMul", &["f", "w"], "m", &[]).node("Add", &["b", "m"], "y", &[]),
            flat(base()).numbers("v", &[4, 6], &turned).node("Gemm", &["f", "v", "b"], "y", &[int("transB", 1)]),
            base().list("s", &[0, -1]).node("Reshape", &["x", "s"], "f", &[]).node("Gemm", &["f", "w", "b"], "y", &[]),
            base().list("s", &[-1, 6]).node("Reshape", &["x", "s"], "f", &[]).node("Gemm", &["f", "w", "b"], "y", &[]),
            base().list("s", &[-1, 6]).node("Reshape", &["x", "s"], "f", &[int("allowzero", 1)]).node(
                "Gemm",
                &["f", "w", "b"],
                "y",
                &[],
            ),
            base()
                .list("rest", &[-1])
                .list("axes", &[0])
                .node("Constant", &[], "zero", &[int("value_int", 0)])
                .node("Shape", &["x"], "s", &[])
                .node("Gather", &["s", "zero"], "n", &[int("axis", 0)])
                .node("Unsqueeze", &["n", "axes"], "n1", &[])
                .node("Concat", &["n1", "rest"], "to", &[int("axis", 0)])
                .node("Reshape", &["x", "to"], "f", &[])
                .node("Gemm", &["f", "w", "b"], "y", &[]),
            flat(base())
                .node("Identity", &["f"], "i", &[])
                .node("Dropout", &["i"], "d mask", &[float("ratio", 0.5)])
                .node("Gemm", &["d", "w", "b"], "y", &[]),
        ];
    for (i, file) in forms.iter().enumerate() {
        agree(&outputs(file), &right, &format!("form {i}"));
    }
    let scaled = flat(base()).node("Gemm", &["f", "w", "b"], "y", &[float("alpha", 2.0), float("beta", 0.0)]);
    let plain = outputs(&flat(base()).node("MatMul", &["f", "w"], "y", &[]));
    agree(&outputs(&scaled), &plain.iter().map(|v| 2.0 * v).collect::<Vec<_>>(), "alpha and beta");
    // A sum that something else reads as well is none of the layer's.
    let shared = flat(base()).node("MatMul", &["f", "w"], "m", &[]).node("Add", &["m", "b"], "a", &[]).node(
        "Add",
        &["a", "m"],
        "y",
        &[],
    );
    let sum: Vec<f32> = plain.iter().zip(&right).map(|(m, a)| m + a).collect();
    agree(&outputs(&shared), &sum, "shared");
}

#[test]
fn a_bias_of_a_convolution_may_come_behind_it() {
    let file = small(13).drawn("b", &[4, 1, 1]).node("Conv", &["x", "w"], "c", &[]).node("Add", &["c", "b"], "y", &[]);
    let plain = small(13).node("Conv", &["x", "w"], "y", &[]);
    let found = file.read();
    let Value::F32(bias) = &found.arrays["conv0.bias"].value else { panic!() };
    let right: Vec<f32> = outputs(&plain).iter().enumerate().map(|(i, v)| v + bias[i / 12 % 4]).collect();
    agree(&outputs(&file), &right, "");
}

#[test]
fn another_epsilon_is_part_of_the_variance() {
    let norm = |epsilon: f32, variance: [f32; 2]| {
        File::new(13, [2, 3, 3])
            .drawn("n.weight", &[2])
            .drawn("n.bias", &[2])
            .drawn("mm", &[2])
            .numbers("vv", &[2], &variance)
            .node("BatchNormalization", &["x", "n.weight", "n.bias", "mm", "vv"], "y", &[float("epsilon", epsilon)])
    };
    let (a, b) = (norm(1e-3, [0.5, 2.0]), norm(1e-5, [0.50099, 2.00099]));
    agree(&outputs(&a), &outputs(&b), "");
    assert_eq!(a.read().graph.nodes[1].name, "n", "called after its weight");
    assert!(norm(1e-5, [1.0, 1.0]).read().arrays.contains_key("n.running_var"));
}

#[test]
fn means_over_rows_and_columns_are_global_pools() {
    let file = |opset: i64| File::new(opset, [3, 4, 5]);
    let right = outputs(&file(13).node("GlobalAveragePool", &["x"], "y", &[]));
    for (i, file) in [
        file(13).node("ReduceMean", &["x"], "y", &[ints("axes", &[-1, -2])]),
        file(13).node("ReduceMean", &["x"], "y", &[ints("axes", &[2, 3]), int("keepdims", 0)]),
        file(18).list("a", &[2, 3]).node("ReduceMean", &["x", "a"], "y", &[]),
        file(13).node("AveragePool", &["x"], "y", &[ints("kernel_shape", &[4, 5])]),
        file(13).node("GlobalAveragePool", &["x"], "g", &[]).list("a", &[2, 3]).node("Squeeze", &["g", "a"], "y", &[]),
    ]
    .iter()
    .enumerate()
    {
        agree(&outputs(file), &right, &format!("form {i}"));
    }
}

#[test]
fn channels_are_taken_by_slices_and_splits() {
    let split = File::new(13, [5, 2, 2])
        .list("parts", &[2, 3])
        .node("Split", &["x", "parts"], "a b", &[int("axis", 1)])
        .node("Concat", &["b", "a"], "y", &[int("axis", -3)]);
    let slices = File::new(13, [5, 2, 2])
        .list("0", &[0])
        .list("2", &[-3])
        .list("9", &[i64::MAX])
        .list("1", &[1])
        .node("Slice", &["x", "0", "2", "1"], "a", &[])
        .node("Slice", &["x", "2", "9", "1"], "b", &[])
        .node("Concat", &["b", "a"], "y", &[int("axis", 1)]);
    assert_eq!(outputs(&split), outputs(&slices));
    let even = File::new(18, [4, 2, 2]).node("Split", &["x"], "a b", &[int("axis", 1), int("num_outputs", 2)]).node(
        "Add",
        &["a", "b"],
        "y",
        &[],
    );
    let channels = |first| Op::Channels { first, count: 2 };
    assert_eq!(ops(&even), [channels(0), channels(2), Op::Add]);
}

#[test]
fn shuffles_in_five_dimensions_are_shuffles() {
    let file = File::new(13, [6, 2, 3])
        .list("split", &[0, 3, 2, 2, 3])
        .list("whole", &[0, 6, 2, 3])
        .node("Reshape", &["x", "split"], "s", &[])
        .node("Transpose", &["s"], "t", &[ints("perm", &[0, 2, 1, 3, 4])])
        .node("Reshape", &["t", "whole"], "y", &[]);
    assert_eq!(ops(&file), [Op::Shuffle { groups: 3 }]);
    // With sizes that are computed: the channels of a group, and back.
    let computed = File::new(13, [6, 2, 3])
        .list("axis", &[0])
        .list("groups", &[3])
        .list("rows and columns", &[2, 3])
        .node("Constant", &[], "first", &[int("value_int", 0)])
        .node("Constant", &[], "second", &[int("value_int", 1)])
        .node("Constant", &[], "three", &[int("value_int", 3)])
        .node("Shape", &["x"], "shape", &[])
        .node("Gather", &["shape", "first"], "n", &[int("axis", 0)])
        .node("Gather", &["shape", "second"], "c", &[int("axis", 0)])
        .node("Div", &["c", "three"], "each", &[])
        .node("Mul", &["each", "three"], "all", &[])
        .node("Unsqueeze", &["n", "axis"], "n1", &[])
        .node("Unsqueeze", &["each", "axis"], "each1", &[])
        .node("Unsqueeze", &["all", "axis"], "all1", &[])
        .node("Concat", &["n1", "groups", "each1", "rows and columns"], "split", &[int("axis", 0)])
        .node("Concat", &["n1", "all1", "rows and columns"], "whole", &[int("axis", 0)])
        .node("Reshape", &["x", "split"], "s", &[])
        .node("Transpose", &["s"], "t", &[ints("perm", &[0, 2, 1, 3, 4])])
        .node("Reshape", &["t", "whole"], "y", &[]);
    assert_eq!(ops(&computed), [Op::Shuffle { groups: 3 }]);
}

#[test]
fn pools_in_every_form_that_there_is() {
    let file = |operator: &str, attributes: &[AttributeProto]| {
        let kernel = ints("kernel_shape", &[3, 3]);
        File::new(13, [2, 7, 7]).node(operator, &["x"], "y", &[&[kernel], attributes].concat())
    };
    let pool = |padding, stride, count_padding| Pool { count_padding, ..Pool::new(3, stride, padding) };
    let strides = ints("strides", &[2, 2]);
    let same = [strides.clone(), text("auto_pad", "SAME_UPPER")];
    assert_eq!(ops(&file("MaxPool", &same)), [Op::MaxPool(pool(1, 2, false))]);
    let whole = [strides, int("ceil_mode", 1)];
    assert_eq!(ops(&file("AveragePool", &whole)), [Op::AvgPool(pool(0, 2, false))]);
    let counted = [ints("pads", &[1, 1, 1, 1]), int("count_include_pad", 1)];
    assert_eq!(ops(&file("AveragePool", &counted)), [Op::AvgPool(pool(1, 1, true))]);
    // Padding that counts but differs is there as zeros.
    let uneven = [ints("pads", &[0, 0, 1, 1]), int("count_include_pad", 1)];
    let identity = Conv { padding: Padding { bottom: 1, right: 1, ..Padding::same(0) }, ..Conv::depthwise(2, 1, 1, 1) };
    assert_eq!(ops(&file("AveragePool", &uneven)), [Op::Conv(identity), Op::AvgPool(pool(0, 1, true))]);
    for (attributes, problem) in [
        (vec![ints("dilations", &[2, 2])], "is dilated"),
        (vec![ints("strides", &[1, 2])], "only pools that are the same for rows and columns"),
        (vec![ints("pads", &[1, 0, 1, 0])], "only pools that are the same for rows and columns"),
        (vec![ints("pads", &[2, 2, 2, 2])], "more than half of the window"),
    ] {
        assert!(file("MaxPool", &attributes).error().contains(problem), "{}", file("MaxPool", &attributes).error());
    }
}

#[test]
fn steps_of_a_slice_are_a_pool_of_single_pixels() {
    let file = File::new(13, [2, 5, 5])
        .list("0", &[0, 0])
        .list("5", &[5, 5])
        .list("23", &[2, 3])
        .list("2", &[2, 2])
        .node("Slice", &["x", "0", "5", "23", "2"], "s", &[])
        .node("Relu", &["s"], "y", &[]);
    let pool = Pool::new(1, 2, 0);
    assert_eq!(ops(&file), [Op::MaxPool(pool), Op::Relu]);
}

#[test]
fn a_batch_of_one_may_be_written_out() {
    let mut file = File::new(11, [2, 2, 1]).list("s", &[1, -1]).node("Reshape", &["x", "s"], "y", &[]);
    file.graph().node.clear();
    let mut file = file.node("GlobalAveragePool", &["x"], "g", &[]).node("Reshape", &["g", "s"], "y", &[]);
    assert!(file.error().contains("the batch has to stay the first dimension"));
    file.graph().input = vec![value("x", &[Some(1), Some(2), Some(2), Some(1)])];
    assert_eq!(ops(&file), [Op::GlobalAvgPool]);
    file.graph().input = vec![value("x", &[Some(8), Some(2), Some(2), Some(1)])];
    assert_eq!(file.error(), "its input `x` is for batches of 8: the batch must be open, or of 1");
}

#[test]
fn old_files_name_weights_as_inputs_and_other_types_become_single_precision() {
    let mut file = File::new(7, [1, 2, 2]).node("Conv", &["x", "w"], "c", &[]).node("Sigmoid", &["c"], "y", &[]);
    file.graph().input.push(value("w", &[]));
    for (data_type, raw_data) in [
        (dtype::FLOAT, 1.5f32.to_le_bytes().to_vec()),
        (dtype::DOUBLE, 1.5f64.to_le_bytes().to_vec()),
        (dtype::FLOAT16, vec![0x00, 0x3e]),
        (dtype::BFLOAT16, vec![0xc0, 0x3f]),
    ] {
        let (dims, name) = (vec![1, 1, 1, 1], "w".into());
        file.graph().initializer = vec![TensorProto { dims, data_type, name, raw_data, ..Default::default() }];
        let found = file.read();
        assert_eq!(found.arrays["conv0.weight"].value, Value::F32(vec![1.5]));
    }
}

#[test]
fn metadata_of_other_programs_count_where_they_fit() {
    let mut file = File::new(13, [2, 2, 2]).node("GlobalAveragePool", &["x"], "y", &[]);
    let entry = |key: &str, value: &str| StringStringEntryProto { key: key.into(), value: value.into() };
    file.model.metadata_props = vec![entry("classes", "cat;dog"), entry("mean", "[0.5,0.25]"), entry("std", "[1.0]")];
    let found = file.read();
    assert_eq!((found.classes.len(), &found.mean[..], &found.std[..]), (0, &[0.5, 0.25][..], &[][..]));
    file.model.producer_name = "cellwright".into();
    assert!(file.error().contains("metadata `classes` cannot be read"));
}

#[test]
fn branches_that_do_not_lead_to_the_output_are_not_read() {
    let mut file =
        File::new(13, [2, 2, 2]).node("Softmax", &["x"], "other", &[]).node("GlobalAveragePool", &["x"], "y", &[]);
    assert_eq!(ops(&file), [Op::GlobalAvgPool]);
    file.graph().output.push(value("other", &[]));
    assert!(file.error().contains("it has 2 outputs [\"y\", \"other\"]"));
}

#[test]
fn networks_of_other_programs_compute_what_onnx_runtime_does() {
    let Ok(folder) = std::env::var("CELLWRIGHT_ONNX_FOREIGN") else {
        skipped(
            "networks of other programs: scripts/peers/onnx-foreign writes them, CELLWRIGHT_ONNX_FOREIGN names them",
        );
        return;
    };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "onnx")).collect();
    files.sort();
    let (mut worst, mut refused) = (0f32, Vec::new());
    for path in &files {
        let found = match read(&std::fs::read(path).unwrap()) {
            Ok(found) => found,
            Err(error) => {
                refused.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        let (arrays, _) = from_safetensors(&std::fs::read(path.with_extension("safetensors")).unwrap()).unwrap();
        let (Value::F32(input), Value::F32(right)) = (&arrays["input"].value, &arrays["logits"].value) else {
            panic!()
        };
        let given = logits(&found.graph, &found.arrays, input);
        assert_eq!(given.len(), right.len());
        let difference = given.iter().zip(right).fold(0f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(difference <= 1e-4, "{}: {difference}", path.display());
        worst = worst.max(difference);
    }
    println!("{} networks, {} refused, largest difference {worst:.1e}", files.len(), refused.len());
    assert!(!files.is_empty() && refused.is_empty(), "\n{}", refused.join("\n"));
}
