//! The onnx package's own tests of single operators, as far as what computes here is in question, on each device: a node is read
//! as a network, its first input being the images, or else run by the operations of the tape (`operation.rs`). What neither has
//! is out of scope, and says why; nothing may come out wrong. `scripts/peers/onnx-nodes` writes the tests.

use super::common::devices;
use super::file::value;
use super::operation::computed;
use cellwright::autograd::{Tape, Var};
use cellwright::device::{Device, skipped};
use cellwright::export::onnx::proto::{DimensionProto, ModelProto, TensorProto, dtype};
use cellwright::export::onnx::read;
use cellwright::network::{Network, Pass};
use cellwright::nn::{Array, Value, from_safetensors};
use cellwright::tensor::Tensor;
use pollster::block_on;
use prost::Message;
use std::collections::BTreeMap;
use std::path::Path;

/// What became of a test.
#[derive(Clone, PartialEq)]
enum Outcome {
    /// It was read as a network, which computed what it should.
    Network,
    /// An operation of the tape did.
    Operation,
    /// It asks for what there is not.
    Out(String),
    Wrong(String),
}

/// How many tests of an operator came out how.
#[derive(Default)]
struct Row {
    network: usize,
    operation: usize,
    out: BTreeMap<String, usize>,
}

#[test]
fn single_nodes_of_the_onnx_package_pass_or_are_out_of_scope() {
    let Ok(folder) = std::env::var("CELLWRIGHT_ONNX_NODES") else {
        skipped(
            "the onnx package's tests of operators: scripts/peers/onnx-nodes writes them, CELLWRIGHT_ONNX_NODES names them",
        );
        return;
    };
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".onnx").map(str::to_owned))
        .collect();
    names.sort();
    let devices = devices();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let (mut wrong, mut passed) = (Vec::new(), 0);
    for name in &names {
        let model =
            ModelProto::decode(&std::fs::read(Path::new(&folder).join(format!("{name}.onnx"))).unwrap()[..]).unwrap();
        let operator = model.graph.as_ref().unwrap().node[0].op_type.clone();
        let arrays = std::fs::read(Path::new(&folder).join(format!("{name}.safetensors"))).unwrap();
        let outcomes: Vec<Outcome> = devices.iter().map(|device| outcome(device, &model, &arrays)).collect();
        for (device, found) in devices.iter().zip(&outcomes) {
            match found {
                Outcome::Wrong(why) => wrong.push(format!("{name} on {}: {why}", device.name())),
                other if *other != outcomes[0] => wrong.push(format!("{name} on {}: another outcome", device.name())),
                _ => {}
            }
        }
        let row = rows.entry(operator).or_default();
        match &outcomes[0] {
            Outcome::Network => row.network += 1,
            Outcome::Operation => row.operation += 1,
            Outcome::Out(why) => {
                println!("{name}: out of scope: {why}");
                *row.out.entry(why.clone()).or_default() += 1;
                continue;
            }
            Outcome::Wrong(_) => continue,
        }
        println!("{name}: passes");
        passed += 1;
    }
    println!("\n| operator | pass as a network | by an operation | out of scope | why |\n|---|---|---|---|---|");
    for (operator, row) in &rows {
        let count: usize = row.out.values().sum();
        let why: Vec<String> = row.out.iter().map(|(why, count)| format!("{why} ({count})")).collect();
        println!("| {operator} | {} | {} | {count} | {} |", row.network, row.operation, why.join("; "));
    }
    let on: Vec<String> = devices.iter().map(|device| device.name().to_owned()).collect();
    println!("\n{passed} of {} pass, {} wrong, on each of: {}", names.len(), wrong.len(), on.join("; "));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(passed >= LEAST, "{passed} of {}", names.len());
}

/// How many pass at least: what was there once is not lost without anybody seeing it.
const LEAST: usize = 102;

fn outcome(device: &Device, model: &ModelProto, arrays: &[u8]) -> Outcome {
    let arrays = match from_safetensors(arrays) {
        Ok((arrays, _)) => arrays,
        Err(_) => return Outcome::Out("values of other types".into()),
    };
    let graph = model.graph.as_ref().unwrap();
    let node = &graph.node[0];
    let inputs: Vec<&Array> = (0..graph.input.len()).map(|i| &arrays[&format!("input_{i}")]).collect();
    let wanted: Vec<&Array> = (0..graph.output.len()).map(|i| &arrays[&format!("output_{i}")]).collect();
    let as_network = (0..wanted.len()).map(|output| by_network(device, model, &inputs, output));
    let (given, passed) = match as_network.collect::<Result<Vec<_>, String>>() {
        Ok(given) => (given, Outcome::Network),
        Err(why) => {
            let place = |name: &String| graph.input.iter().position(|input| input.name == *name);
            let read: Vec<Option<&Array>> = node.input.iter().map(|name| place(name).map(|i| inputs[i])).collect();
            match computed(device, node, &read) {
                Ok(made) => {
                    // Results of the node that the graph does not give have no name.
                    let named = node.output.iter().zip(made).filter(|(name, _)| !name.is_empty());
                    (named.map(|(_, values)| values).collect(), Outcome::Operation)
                }
                Err(other) => return Outcome::Out(if other.is_empty() { why } else { other }),
            }
        }
    };
    assert_eq!(given.len(), wanted.len(), "{}", node.name);
    for (given, wanted) in given.iter().zip(wanted) {
        let Value::F32(numbers) = &wanted.value else { return Outcome::Out("integers".into()) };
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-3 * b.abs() + 1e-6;
        if given.len() != numbers.len() || !given.iter().zip(numbers).all(close) {
            return Outcome::Wrong(format!("{given:?} for {numbers:?}"));
        }
    }
    passed
}

fn tensor(name: &str, array: &Array) -> TensorProto {
    let base = TensorProto {
        name: name.to_owned(),
        dims: array.shape.iter().map(|&d| d as i64).collect(),
        ..Default::default()
    };
    match &array.value {
        Value::F32(values) => TensorProto { data_type: dtype::FLOAT, float_data: values.clone(), ..base },
        Value::I64(values) => TensorProto { data_type: dtype::INT64, int64_data: values.clone(), ..base },
    }
}

/// One output of a node as that of a network: all inputs but the first are its weights.
fn by_network(device: &Device, model: &ModelProto, inputs: &[&Array], output: usize) -> Result<Vec<f32>, String> {
    let mut model = model.clone();
    let graph = model.graph.as_mut().unwrap();
    let [images, weights @ ..] = inputs else { return Err("reads nothing".into()) };
    for (info, array) in graph.input.iter().skip(1).zip(weights) {
        graph.initializer.push(tensor(&info.name, array));
    }
    graph.input.truncate(1);
    graph.output = vec![graph.output[output].clone()];
    if let Some(shape) = graph.input[0].r#type.as_mut().and_then(|t| t.tensor_type.as_mut()?.shape.as_mut())
        && let Some(batch) = shape.dim.first_mut()
    {
        *batch = DimensionProto::default();
    }
    let short = |error: String| {
        // Without names, numbers of nodes, and advice.
        let text = error.split_once("): ").map_or(error.as_str(), |(_, problem)| problem);
        let text = text.split_once("` has ").map_or(text.to_owned(), |(_, rest)| format!("has {rest}"));
        let ends = ["; expected", ": only", "; only", ", expected", ", steps of"];
        ends.iter().fold(text, |text, end| text.split(end).next().unwrap_or_default().to_owned())
    };
    let found = read(&model.encode_to_vec()).map_err(|error| {
        // That nothing is like it comes before what is wrong with its arrays.
        let graph = model.graph.as_mut().unwrap();
        graph.input[0] = value("x", &[None, Some(1), Some(1), Some(1)]);
        graph.node[0].input[0] = "x".into();
        let other = read(&model.encode_to_vec()).map_or_else(|error| short(error.to_string()), |_| String::new());
        if other.contains("no operation") { other } else { short(error.to_string()) }
    })?;
    if found.probabilities {
        return Err("a network gives the logits before a softmax".into());
    }
    let Value::F32(values) = &images.value else { return Err("integers".into()) };
    let shape = found.graph.shape(0);
    let mut network = Network::new(device, found.graph, 0).unwrap();
    network.load(&found.arrays).unwrap();
    let batch = images.shape[0];
    let x = Tensor::from_values(device, values, &[batch, shape.channels, shape.height, shape.width]).unwrap();
    let mut tape = Tape::new(device);
    let y = network.forward(&mut tape, &Var::constant(x), &Pass::evaluation()).unwrap().remove(0);
    device.run(&tape.finish()).unwrap();
    Ok(block_on(y.tensor().read(device)).unwrap())
}
