//! What ONNX says of the operators that are written, at operator set 17, and of graphs of them.

use cellwright::export::onnx::proto::{ModelProto, TensorProto, dtype, kind};
use prost::Message;
use std::collections::HashSet;

/// An operator: how many inputs it takes, and its attributes with their kinds.
type Operator = (&'static str, std::ops::RangeInclusive<usize>, &'static [(&'static str, i32)]);

/// The operators that are written, from the operators' documentation. All have one result that is written.
const OPERATORS: &[Operator] = &[
    ("Add", 2..=2, &[]),
    (
        "AveragePool",
        1..=1,
        &[
            ("auto_pad", kind::STRING),
            ("ceil_mode", kind::INT),
            ("count_include_pad", kind::INT),
            ("kernel_shape", kind::INTS),
            ("pads", kind::INTS),
            ("strides", kind::INTS),
        ],
    ),
    ("BatchNormalization", 5..=5, &[("epsilon", kind::FLOAT), ("momentum", kind::FLOAT), ("training_mode", kind::INT)]),
    ("Clip", 1..=3, &[]),
    ("Concat", 1..=usize::MAX, &[("axis", kind::INT)]),
    ("ConstantOfShape", 1..=1, &[("value", kind::TENSOR)]),
    (
        "Conv",
        2..=3,
        &[
            ("auto_pad", kind::STRING),
            ("dilations", kind::INTS),
            ("group", kind::INT),
            ("kernel_shape", kind::INTS),
            ("pads", kind::INTS),
            ("strides", kind::INTS),
        ],
    ),
    ("Div", 2..=2, &[]),
    ("Flatten", 1..=1, &[("axis", kind::INT)]),
    ("Gemm", 2..=3, &[("alpha", kind::FLOAT), ("beta", kind::FLOAT), ("transA", kind::INT), ("transB", kind::INT)]),
    ("GlobalAveragePool", 1..=1, &[]),
    ("HardSigmoid", 1..=1, &[("alpha", kind::FLOAT), ("beta", kind::FLOAT)]),
    ("Identity", 1..=1, &[]),
    (
        "MaxPool",
        1..=1,
        &[
            ("auto_pad", kind::STRING),
            ("ceil_mode", kind::INT),
            ("dilations", kind::INTS),
            ("kernel_shape", kind::INTS),
            ("pads", kind::INTS),
            ("storage_order", kind::INT),
            ("strides", kind::INTS),
        ],
    ),
    ("Mul", 2..=2, &[]),
    (
        "RandomNormalLike",
        1..=1,
        &[("dtype", kind::INT), ("mean", kind::FLOAT), ("scale", kind::FLOAT), ("seed", kind::FLOAT)],
    ),
    ("Relu", 1..=1, &[]),
    ("Reshape", 2..=2, &[("allowzero", kind::INT)]),
    ("Shape", 1..=1, &[("end", kind::INT), ("start", kind::INT)]),
    ("Sigmoid", 1..=1, &[]),
    ("Slice", 3..=5, &[]),
    ("Sub", 2..=2, &[]),
    ("Sum", 1..=usize::MAX, &[]),
    ("Tanh", 1..=1, &[]),
    ("Transpose", 1..=1, &[("perm", kind::INTS)]),
];

/// Everything wrong with a file.
pub fn problems(bytes: &[u8]) -> Vec<String> {
    let model = ModelProto::decode(bytes).unwrap();
    let graph = model.graph.unwrap();
    let mut wrong = Vec::new();
    if model.ir_version != 8 || model.opset_import.len() != 1 || model.opset_import[0].version != 17 {
        wrong.push("versions".to_owned());
    }
    if graph.input.len() != 1 || graph.output.len() != 1 || graph.name.is_empty() {
        wrong.push("inputs, outputs or name".to_owned());
    }
    let mut known: HashSet<&str> = graph.input.iter().map(|input| input.name.as_str()).collect();
    for tensor in &graph.initializer {
        if tensor.name.is_empty() || !known.insert(&tensor.name) {
            wrong.push(format!("array `{}` is there twice or has no name", tensor.name));
        }
        wrong.extend(size(tensor));
    }
    let mut read: HashSet<&str> = HashSet::new();
    let mut names: HashSet<&str> = HashSet::new();
    for node in &graph.node {
        let say = |problem: String| format!("{} ({}): {problem}", node.name, node.op_type);
        let Some((_, inputs, attributes)) = OPERATORS.iter().find(|(name, ..)| *name == node.op_type) else {
            wrong.push(say("unknown operator".into()));
            continue;
        };
        if !inputs.contains(&node.input.len()) || node.output.len() != 1 || !node.domain.is_empty() {
            wrong.push(say(format!("{} inputs, {} outputs", node.input.len(), node.output.len())));
        }
        if !names.insert(&node.name) {
            wrong.push(say("its name is there twice".into()));
        }
        // An empty name leaves an input out.
        for input in node.input.iter().filter(|input| !input.is_empty()) {
            if !known.contains(input.as_str()) {
                wrong.push(say(format!("reads `{input}`, which nothing before it makes")));
            }
            read.insert(input);
        }
        for output in &node.output {
            if output.is_empty() || !known.insert(output) {
                wrong.push(say(format!("makes `{output}` a second time")));
            }
        }
        for attribute in &node.attribute {
            let found = attributes.iter().find(|(name, _)| *name == attribute.name);
            let filled = match attribute.r#type {
                kind::INT => attribute.i.is_some(),
                kind::FLOAT => attribute.f.is_some(),
                kind::INTS => !attribute.ints.is_empty(),
                kind::STRING => attribute.s.is_some(),
                kind::TENSOR => attribute.t.as_ref().is_some_and(|tensor| size(tensor).is_none()),
                _ => false,
            };
            if found.is_none_or(|(_, kind)| *kind != attribute.r#type) || !filled {
                wrong.push(say(format!("attribute {attribute:?}")));
            }
        }
    }
    for output in &graph.output {
        if !known.contains(output.name.as_str()) {
            wrong.push(format!("nothing makes the output `{}`", output.name));
        }
        read.insert(&output.name);
    }
    // Nothing is written that nobody reads.
    wrong.extend(known.difference(&read).map(|name| format!("nobody reads `{name}`")));
    wrong
}

/// What is wrong with an array's size.
fn size(tensor: &TensorProto) -> Option<String> {
    let bytes = match tensor.data_type {
        dtype::FLOAT => 4,
        dtype::INT64 => 8,
        other => return Some(format!("array `{}` has type {other}", tensor.name)),
    };
    let count: i64 = tensor.dims.iter().product();
    let fits = tensor.dims.iter().all(|&dim| dim > 0) && count as usize * bytes == tensor.raw_data.len();
    (!fits).then(|| format!("array `{}`: {:?} in {} bytes", tensor.name, tensor.dims, tensor.raw_data.len()))
}
