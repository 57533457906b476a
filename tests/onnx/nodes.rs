//! The onnx package's own tests of single operators, as far as what computes here is in question: a node is read as a network,
//! its first input being the images, or run by the operation of the tape that does the same. What neither has is out of
//! scope, and says why; nothing may come out wrong. `scripts/peers/onnx-nodes` writes the tests.

use cellwright::autograd::{Tape, Var, ops};
use cellwright::device::{Device, skipped};
use cellwright::export::onnx::proto::{DimensionProto, ModelProto, NodeProto, TensorProto, dtype};
use cellwright::export::onnx::read;
use cellwright::network::{Network, Pass};
use cellwright::nn::{Array, Value, from_safetensors};
use cellwright::tensor::Tensor;
use pollster::block_on;
use prost::Message;
use std::collections::BTreeMap;
use std::path::Path;

/// What became of a test.
enum Outcome {
    Passed,
    /// It asks for what there is not.
    Out(String),
    Wrong(String),
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
    let mut rows: BTreeMap<String, (usize, BTreeMap<String, usize>)> = BTreeMap::new();
    let (mut wrong, mut passed) = (Vec::new(), 0);
    for name in &names {
        let model =
            ModelProto::decode(&std::fs::read(Path::new(&folder).join(format!("{name}.onnx"))).unwrap()[..]).unwrap();
        let operator = model.graph.as_ref().unwrap().node[0].op_type.clone();
        let arrays = std::fs::read(Path::new(&folder).join(format!("{name}.safetensors"))).unwrap();
        let row = rows.entry(operator).or_default();
        match outcome(&model, &arrays) {
            Outcome::Passed => {
                row.0 += 1;
                passed += 1;
                println!("{name}: pass");
            }
            Outcome::Out(why) => {
                println!("{name}: out of scope: {why}");
                *row.1.entry(why).or_default() += 1;
            }
            Outcome::Wrong(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    println!("\n| operator | pass | out of scope | why |\n|---|---|---|---|");
    for (operator, (passed, out)) in &rows {
        let count: usize = out.values().sum();
        let why: Vec<String> = out.iter().map(|(why, count)| format!("{why} ({count})")).collect();
        println!("| {operator} | {passed} | {count} | {} |", why.join("; "));
    }
    println!("\n{passed} of {} pass, {} wrong", names.len(), wrong.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(passed >= 54, "{passed} of {}", names.len());
}

fn outcome(model: &ModelProto, arrays: &[u8]) -> Outcome {
    let arrays = match from_safetensors(arrays) {
        Ok((arrays, _)) => arrays,
        Err(_) => return Outcome::Out("values of other types".into()),
    };
    let graph = model.graph.as_ref().unwrap();
    let inputs: Vec<&Array> = (0..graph.input.len()).map(|i| &arrays[&format!("input_{i}")]).collect();
    let wanted: Vec<&Array> = (0..graph.output.len()).map(|i| &arrays[&format!("output_{i}")]).collect();
    let computed = match direct(&graph.node[0], &inputs, graph.output.len()) {
        Some(computed) => vec![computed],
        None => {
            let each = (0..wanted.len()).map(|output| by_network(model, &inputs, output));
            match each.collect::<Result<Vec<_>, String>>() {
                Ok(computed) => computed,
                Err(why) => return Outcome::Out(why),
            }
        }
    };
    for (given, wanted) in computed.iter().zip(wanted) {
        let Value::F32(numbers) = &wanted.value else { return Outcome::Out("integers".into()) };
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-3 * b.abs() + 1e-6;
        if given.len() != numbers.len() || !given.iter().zip(numbers).all(close) {
            return Outcome::Wrong(format!("{given:?} for {numbers:?}"));
        }
    }
    Outcome::Passed
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
fn by_network(model: &ModelProto, inputs: &[&Array], output: usize) -> Result<Vec<f32>, String> {
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
    let found = read(&model.encode_to_vec()).map_err(|error| short(error.to_string()))?;
    let Value::F32(values) = &images.value else { return Err("integers".into()) };
    let device = Device::cpu();
    let shape = found.graph.shape(0);
    let mut network = Network::new(&device, found.graph, 0).unwrap();
    network.load(&found.arrays).unwrap();
    let batch = images.shape[0];
    let x = Tensor::from_values(&device, values, &[batch, shape.channels, shape.height, shape.width]).unwrap();
    let mut tape = Tape::new(&device);
    let y = network.forward(&mut tape, &Var::constant(x), &Pass::evaluation()).unwrap().remove(0);
    device.run(&tape.finish()).unwrap();
    Ok(block_on(y.tensor().read(&device)).unwrap())
}

/// The node by an operation of the tape, if there is one that does just this.
fn direct(node: &NodeProto, inputs: &[&Array], outputs: usize) -> Option<Vec<f32>> {
    let attribute = |name: &str| node.attribute.iter().find(|attribute| attribute.name == name);
    let device = Device::cpu();
    let mut tape = Tape::new(&device);
    let mut vars = Vec::new();
    for array in inputs {
        let Value::F32(values) = &array.value else { return None };
        vars.push(Var::constant(Tensor::from_values(&device, values, &array.shape).ok()?));
    }
    let same = vars.iter().all(|var| var.shape() == vars[0].shape());
    let y = match (node.op_type.as_str(), &vars[..]) {
        ("Add" | "Sum", [first, rest @ ..]) if same => {
            rest.iter().try_fold(first.clone(), |sum, x| ops::add(&mut tape, &sum, x)).ok()?
        }
        ("Mul", [a, b]) if same => ops::multiply(&mut tape, a, b).ok()?,
        ("Relu", [x]) => ops::relu(&mut tape, x).ok()?,
        ("Sigmoid", [x]) => ops::sigmoid(&mut tape, x).ok()?,
        ("Tanh", [x]) => ops::tanh(&mut tape, x).ok()?,
        ("MatMul", [a, b]) => ops::matmul(&mut tape, a, b).ok()?,
        ("Softmax", [x]) => {
            let rank = x.shape().len() as i64;
            let axis = attribute("axis").map_or(-1, |axis| axis.i.unwrap_or(0));
            if axis != -1 && axis != rank - 1 {
                return None;
            }
            let columns = *x.shape().last()?;
            let rows = x.tensor().count() / columns.max(1);
            let x = ops::reshape(&mut tape, x, &[rows, columns]).ok()?;
            ops::softmax(&mut tape, &x).ok()?
        }
        ("LSTM", _) if outputs == 1 && node.output.first().is_some_and(String::is_empty) => {
            lstm(&device, &mut tape, node, inputs)?
        }
        _ => return None,
    };
    device.run(&tape.finish()).ok()?;
    block_on(y.tensor().read(&device)).ok()
}

/// The last state h of an LSTM without peepholes, read forwards; a bias is one more input, which is 1. Gates come as i, o,
/// f, c and are taken as i, f, o, c.
fn lstm(device: &Device, tape: &mut Tape, node: &NodeProto, inputs: &[&Array]) -> Option<Var> {
    if node.attribute.iter().any(|attribute| attribute.name != "hidden_size") || inputs.len() > 4 {
        return None;
    }
    let numbers = |array: &Array| match &array.value {
        Value::F32(values) => Some(values.clone()),
        Value::I64(_) => None,
    };
    let [x, w, r, rest @ ..] = inputs else { return None };
    let (&[steps, batch, features], &[1, rows, _]) = (&x.shape[..], &w.shape[..]) else { return None };
    let units = rows / 4;
    let (x, w, r) = (numbers(x)?, numbers(w)?, numbers(r)?);
    let bias: Vec<f32> = match rest {
        [bias] => numbers(bias)?
            .split_at_checked(rows)
            .map(|(of_x, of_h)| of_x.iter().zip(of_h).map(|(a, b)| a + b).collect())?,
        _ => vec![0.0; rows],
    };
    let ordered = |row: usize| [0, 2, 1, 3][row / units] * units + row % units;
    let wx: Vec<f32> = (0..rows)
        .map(ordered)
        .flat_map(|row| w[row * features..][..features].iter().copied().chain([bias[row]]).collect::<Vec<f32>>())
        .collect();
    let wh: Vec<f32> = (0..rows).map(ordered).flat_map(|row| r[row * units..][..units].to_vec()).collect();
    let constant = |values: &[f32], shape: &[usize]| Tensor::from_values(device, values, shape).ok().map(Var::constant);
    let (wx, wh) = (constant(&wx, &[rows, features + 1])?, constant(&wh, &[rows, units])?);
    let mut state = constant(&vec![0.0; 2 * batch * units], &[2, batch, units])?;
    for step in x.chunks_exact(batch * features).take(steps) {
        let step: Vec<f32> = step
            .chunks_exact(features)
            .flat_map(|row| row.iter().copied().chain([1.0]).collect::<Vec<f32>>())
            .collect();
        let step = constant(&step, &[batch, features + 1])?;
        state = ops::lstm(tape, &step, &state, [&wx, &wh]).ok()?;
    }
    // h comes first.
    ops::part(tape, &state, 0, &[batch, units]).ok()
}
