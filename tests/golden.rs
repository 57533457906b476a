//! Layers, gradients and whole search steps against values computed in float64.
//!
//! Runs every file of the directory `CELLWRIGHT_GOLDEN` (default `tests/golden`, described in
//! `tests/golden/README.md`) on the device `CELLWRIGHT_DEVICE` (default: the CPU, and a software
//! driver where there is one). All sizes come from the files.

mod common;

use cellwright::autograd::{Tape, Var};
use cellwright::device::{Device, Recorder};
use cellwright::estimate::{Scalars, Supernet, SupernetConfig, Wants};
use cellwright::graph::{self, Features, Graph, Op, Options};
use cellwright::network::{Choices, Network, Pass, architecture_weights};
use cellwright::nn::{Array, Value, from_safetensors};
use cellwright::optim::{AdamConfig, SgdConfig, Step};
use cellwright::search::bilevel::{AlphaStep, Order};
use cellwright::space::darts::{Darts, Genotype, Primitive, Variant, evaluation_network};
use cellwright::space::{NetworkSettings, Space, TableWeights};
use cellwright::tensor::Tensor;
use common::devices;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

/// What the names of files begin with.
const KINDS: [&str; 3] = ["operations", "search", "evaluate"];

type Arrays = BTreeMap<String, Array>;

fn wait<T, E: std::fmt::Display>(future: impl Future<Output = Result<T, E>>) -> T {
    pollster::block_on(future).unwrap_or_else(|error| panic!("{error}"))
}

/// One file of the directory, and what went wrong with it.
struct Golden {
    name: String,
    arrays: Arrays,
    metadata: HashMap<String, String>,
    yardstick: serde_json::Value,
    /// How many times the yardstick's error is allowed.
    factor: f64,
    failures: Vec<String>,
}

impl Golden {
    fn get(&self, name: &str) -> &[f32] {
        match &self.arrays.get(name).unwrap_or_else(|| panic!("{}: no `{name}`", self.name)).value {
            Value::F32(values) => values,
            Value::I64(_) => panic!("{}: `{name}` holds integers", self.name),
        }
    }

    fn shape(&self, name: &str) -> &[usize] {
        &self.arrays.get(name).unwrap_or_else(|| panic!("{}: no `{name}`", self.name)).shape
    }

    fn labels(&self, name: &str) -> Vec<u32> {
        match &self.arrays[name].value {
            Value::I64(values) => values.iter().map(|&v| v as u32).collect(),
            Value::F32(values) => values.iter().map(|&v| v as u32).collect(),
        }
    }

    fn number(&self, key: &str) -> usize {
        self.metadata.get(key).unwrap_or_else(|| panic!("{}: no `{key}`", self.name)).parse().unwrap()
    }

    /// The arrays below a prefix.
    fn below(&self, prefix: &str) -> Arrays {
        let inside = self.arrays.iter().filter_map(|(k, v)| Some((k.strip_prefix(prefix)?.to_owned(), v.clone())));
        inside.collect()
    }

    /// Requires a relative L2 error of at most `allowed`.
    fn close(&mut self, what: &str, got: &[f32], expected: &[f32], allowed: f64) {
        let error = distance(got, expected);
        let norm = norm(expected);
        // A NaN is never within what is allowed.
        let within = error <= allowed * norm + 1e-12;
        if got.len() != expected.len() || !within {
            self.failures.push(format!(
                "{}: {what}: relative error {:.2e}, allowed {allowed:.2e}",
                self.name,
                error / norm
            ));
        }
    }

    /// Requires each gradient within 1e-4 of its own norm plus 1e-7 of the norm of all.
    fn gradients(&mut self, what: &str, pairs: &[(String, Vec<f32>, Vec<f32>)]) {
        let all = pairs.iter().map(|(_, _, e)| norm(e).powi(2)).sum::<f64>().sqrt();
        for (name, got, expected) in pairs {
            let error = distance(got, expected);
            let within = error <= 1e-4 * norm(expected) + 1e-7 * all + 1e-12;
            if got.len() != expected.len() || !within {
                let own = norm(expected);
                self.failures.push(format!(
                    "{}: {what}: gradient of {name}: error {error:.2e}, norm {own:.2e} of {all:.2e}",
                    self.name
                ));
            }
        }
    }

    /// Requires 4 × the error that float32 PyTorch makes on the same quantity, at least 2e-5.
    fn yardstick(&mut self, quantity: &str, got: &[f32], expected: &[f32]) {
        let measured = self.yardstick[&self.name][quantity].as_f64().unwrap_or(0.0);
        self.close(quantity, got, expected, (self.factor * measured).max(2e-5));
    }
}

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>().sqrt()
}

/// Runs `check` on every file whose name starts with `kind`, on every device.
fn each_file(kind: &str, check: impl Fn(&Device, &mut Golden)) {
    let given = std::env::var_os("CELLWRIGHT_GOLDEN").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")));
    let yardstick = std::fs::read(folder.join("pytorch_float32_error.json")).ok();
    let yardstick: serde_json::Value =
        yardstick.map_or_else(Default::default, |text| serde_json::from_slice(&text).unwrap());
    let all: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    assert!(!all.is_empty(), "{} holds no golden values", folder.display());
    let is = |path: &PathBuf, kind: &str| path.file_stem().is_some_and(|s| s.to_string_lossy().starts_with(kind));
    if let Some(path) = all.iter().find(|path| !KINDS.iter().any(|kind| is(path, kind))) {
        panic!("{} is of no known kind ({})", path.display(), KINDS.join(", "));
    }
    let mut files: Vec<PathBuf> = all.into_iter().filter(|path| is(path, kind)).collect();
    files.sort();
    if files.is_empty() {
        cellwright::device::skipped(&format!("{kind}: {} has none", folder.display()));
    }
    let mut failures = Vec::new();
    for device in devices() {
        for file in &files {
            let (arrays, metadata) = from_safetensors(&std::fs::read(file).unwrap()).unwrap();
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            // Second order takes a difference of gradients at two near points, which magnifies rounding.
            // SwiftShader's comes to 4.4 times PyTorch's there in the third step.
            let factor = if device.name().starts_with("SwiftShader") { 6.0 } else { 4.0 };
            let yardstick = yardstick.clone();
            let mut golden = Golden { name, arrays, metadata, yardstick, factor, failures: Vec::new() };
            check(&device, &mut golden);
            failures.extend(golden.failures.into_iter().map(|f| format!("{}: {f}", device.name())));
        }
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures[..failures.len().min(60)].join("\n"));
}

fn tensor(device: &Device, golden: &Golden, name: &str) -> Tensor {
    Tensor::from_values(device, golden.get(name), golden.shape(name)).unwrap()
}

#[test]
fn primitives_and_the_mixed_operation() {
    each_file("operations", |device, golden| {
        let mut groups: Vec<String> =
            golden.arrays.keys().filter_map(|k| Some(k.strip_suffix("/y")?.to_owned())).collect();
        groups.sort();
        assert!(!groups.is_empty(), "{}: no operations", golden.name);
        for group in groups {
            FUSION.iter().for_each(|&fusion| operation(device, golden, &group, fusion));
        }
    });
}

/// With fused cells and without.
const FUSION: [bool; 2] = [true, false];

/// Checks one primitive, or the mixed operation, at one stride: `NAME/strideS`.
fn operation(device: &Device, golden: &mut Golden, group: &str, fusion: bool) {
    let (name, stride) = group.split_once("/stride").unwrap();
    let stride: usize = stride.parse().unwrap();
    let &[_, channels, height, width] = golden.shape(&format!("{group}/x")) else {
        panic!("{group}: x is not an image")
    };
    let image = Features::new(channels, height, width);
    let append = |primitive: Primitive, place: &str| {
        let mut graph = Graph::new(&[image]);
        let node = primitive.append(&mut graph, place, 0, stride, Variant::Search).unwrap();
        graph.output("y", node);
        graph
    };
    let is_mixed = name == "mixed";
    let graph = if is_mixed {
        let candidates = Primitive::DARTS.iter().enumerate().map(|(k, &primitive)| graph::Candidate {
            label: primitive.to_string(),
            graph: append(primitive, &format!("root._ops.{k}")),
        });
        let choice = graph::Choice::new("alpha", 0, Options::Operations(candidates.collect()));
        let mut graph = Graph::new(&[image]);
        let node = graph.push("root", Op::Choice(choice), &[0]).unwrap();
        graph.output("y", node);
        graph
    } else {
        append(name.parse().unwrap(), "root")
    };
    let tables = graph.tables().unwrap();
    let mut network = Network::with_fusion(device, graph, 0, fusion).unwrap();
    let rename = |(k, v): (String, Array)| (format!("root.{k}"), v);
    let weights: Arrays = golden.below(&format!("{group}/weight/")).into_iter().map(rename).collect();
    network.load(&weights).unwrap();

    let mut tape = Tape::new(device);
    let x = tape.leaf(tensor(device, golden, &format!("{group}/x")));
    let alphas = architecture_weights(device, &tables, 0.0, 0).unwrap();
    let mut mixed = HashMap::new();
    if is_mixed {
        alphas.values().write(device, golden.get(&format!("{group}/alpha"))).unwrap();
        let alpha = alphas.var(&mut tape, 0, true).unwrap();
        mixed.insert("alpha".to_owned(), cellwright::autograd::ops::softmax(&mut tape, &alpha).unwrap());
    }
    let pass = Pass { training: true, gradients: true, choices: Choices::Mixed(&mixed), ..Pass::evaluation() };
    let y = network.forward(&mut tape, &x, &pass).unwrap().swap_remove(0);
    drop(mixed);
    let dy = tensor(device, golden, &format!("{group}/dy"));
    let gradients = tape.backward(&y, Some(dy)).unwrap();
    device.run(&tape.finish()).unwrap();

    let got = wait(y.tensor().read(device));
    let expected = golden.get(&format!("{group}/y")).to_vec();
    golden.close(&format!("{group}: y"), &got, &expected, 1e-5);
    let dx = match x.id().and_then(|id| gradients[id].as_ref()) {
        Some(dx) => wait(dx.read(device)),
        None => vec![0.0; x.tensor().count()],
    };
    let mut pairs = vec![("x".to_owned(), dx, golden.get(&format!("{group}/dx")).to_vec())];
    let flat = wait(network.parameters().gradients().read(device));
    for (name, _, values) in network.parameters().split(&flat) {
        let expected = format!("{group}/dweight/{}", name.strip_prefix("root.").unwrap());
        pairs.push((name.to_owned(), values.to_vec(), golden.get(&expected).to_vec()));
    }
    if is_mixed {
        let got = wait(alphas.gradients().read(device));
        pairs.push(("alpha".into(), got, golden.get(&format!("{group}/dalpha")).to_vec()));
    }
    golden.gradients(group, &pairs);
}

#[test]
fn evaluation_networks() {
    each_file("evaluate", |device, golden| {
        let genotype = Genotype::read(&golden.metadata["genotype"]).unwrap();
        let &[batch, channels, height, width] = golden.shape("x") else { panic!("x is not an image") };
        let auxiliary = golden.arrays.contains_key("train/logits_aux");
        let settings = NetworkSettings {
            image: Features::new(channels, height, width),
            classes: golden.number("classes"),
            channels: golden.number("channels"),
            layers: golden.number("layers"),
            auxiliary,
            drop_path: false,
            ..NetworkSettings::default()
        };
        let graph = evaluation_network(&genotype, &settings).unwrap();
        let mut network = Network::new(device, graph, 0).unwrap();
        network.load(&golden.below("init/")).unwrap();
        assert_eq!(network.parameters().values().count(), golden.number("parameters"));

        let labels = Tensor::from_words(device, &golden.labels("y"), &[batch]).unwrap();
        let x = Var::constant(tensor(device, golden, "x"));
        let mut tape = Tape::new(device);
        let pass = Pass { training: true, gradients: true, ..Pass::evaluation() };
        let outputs = network.forward(&mut tape, &x, &pass).unwrap();
        use cellwright::autograd::ops;
        let mut loss = ops::cross_entropy(&mut tape, &outputs[0], &labels, 0.0).unwrap();
        if auxiliary {
            let extra = ops::cross_entropy(&mut tape, &outputs[1], &labels, 0.0).unwrap();
            let extra = ops::scale(&mut tape, &extra, 0.4).unwrap();
            loss = ops::add(&mut tape, &loss, &extra).unwrap();
        }
        tape.backward(&loss, None).unwrap();
        network.statistics().record_update(tape.recorder(), &network.whole().statistics, loss.tensor()).unwrap();
        device.run(&tape.finish()).unwrap();
        network.statistics_mut().count_batches(1);

        let expected = |golden: &Golden, name: &str| golden.get(name).to_vec();
        let got = wait(outputs[0].tensor().read(device));
        golden.close("train/logits", &got, &expected(golden, "train/logits"), 1e-5);
        if auxiliary {
            let got = wait(outputs[1].tensor().read(device));
            golden.close("train/logits_aux", &got, &expected(golden, "train/logits_aux"), 1e-5);
        }
        golden.close("train/loss", &wait(loss.tensor().read(device)), &expected(golden, "train/loss"), 1e-5);
        let flat = wait(network.parameters().gradients().read(device));
        let pairs: Vec<_> = network
            .parameters()
            .split(&flat)
            .map(|(name, _, got)| (name.to_owned(), got.to_vec(), expected(golden, &format!("dweight/{name}"))))
            .collect();
        golden.gradients("train", &pairs);
        let state = wait(network.state());
        for (name, array) in golden.below("running_after_one_step/") {
            match (&state[&name].value, &array.value) {
                (Value::F32(got), Value::F32(expected)) => golden.close(&name, got, expected, 1e-5),
                (got, expected) => assert_eq!(got, expected, "{name}"),
            }
        }

        let mut tape = Tape::new(device);
        let outputs = network.forward(&mut tape, &x, &Pass::evaluation()).unwrap();
        device.run(&tape.finish()).unwrap();
        let got = wait(outputs[0].tensor().read(device));
        golden.close("eval/logits", &got, &expected(golden, "eval/logits"), 1e-5);
    });
}

#[test]
fn search_steps() {
    each_file("search", |device, golden| {
        for fusion in FUSION {
            let before = golden.failures.len();
            steps(device, golden, fusion);
            let kind = if fusion { "fused" } else { "plain" };
            golden.failures[before..].iter_mut().for_each(|failure| *failure = format!("{kind}: {failure}"));
        }
    });
}

fn steps(device: &Device, golden: &mut Golden, fusion: bool) {
    let order = if golden.number("order") == 2 { Order::Second } else { Order::First };
    let shape = golden.shape("step0/train/x").to_vec();
    let settings = NetworkSettings {
        image: Features::new(shape[1], shape[2], shape[3]),
        classes: golden.number("classes"),
        channels: golden.number("channels"),
        layers: golden.number("layers"),
        ..NetworkSettings::default()
    };
    let space = Darts::default();
    let graph = space.supernet(&settings).unwrap();
    let sgd = SgdConfig { momentum: 0.9, weight_decay: 3e-4, nesterov: false, clip: 5.0 };
    let config = SupernetConfig { batch: shape[0], sgd, seed: 0, fusion, given: false };
    let mut supernet = Supernet::new(device, graph, config).unwrap();
    let mut init = golden.below("init/");
    let mut alphas = Vec::new();
    for table in supernet.tables().to_vec() {
        let Some(Array { value: Value::F32(values), .. }) = init.remove(&table.name) else { panic!("{}", table.name) };
        alphas.extend(values);
    }
    supernet.alphas().values().write(device, &alphas).unwrap();
    supernet.network_mut().load(&init).unwrap();
    assert_eq!(supernet.network().parameters().values().count(), golden.number("parameters"));
    let adam = AdamConfig { beta1: 0.5, beta2: 0.999, epsilon: 1e-8, weight_decay: 1e-3, ..AdamConfig::default() };
    let alpha = AlphaStep::new(&supernet, order, adam).unwrap();

    let recorder = || Recorder::within(device, supernet.workspace());
    let (look, logits) =
        supernet.record_pass(recorder(), supernet.valid(), Wants::Alphas, Scalars::VALID_LOSS).unwrap();
    let look = look.finish();
    let alpha_recording = alpha.record(&supernet, recorder()).unwrap().finish();
    let weight_recording = supernet.record_weight_step(recorder()).unwrap().finish();
    for step in 0..golden.number("steps") {
        for (part, batch) in [("train", supernet.train()), ("valid", supernet.valid())] {
            batch.x.write(device, golden.get(&format!("step{step}/{part}/x"))).unwrap();
            batch.y.write_words(device, &golden.labels(&format!("step{step}/{part}/y"))).unwrap();
        }
        let values = Step {
            weight_rate: 0.025,
            alpha_rate: 3e-3,
            alpha_corrections: alpha.corrections(step as u32 + 1),
            ..Step::default()
        };
        supernet.step().write(device, &values).unwrap();
        device.run(&look).unwrap();
        let seen = wait(supernet.scalars().all().read(device));
        let compare = |golden: &mut Golden, quantity: &str, got: &[f32]| {
            let quantity = format!("step{step}/{quantity}");
            let expected = golden.get(&quantity).to_vec();
            golden.yardstick(&quantity, got, &expected);
        };
        compare(golden, "valid/loss", &seen[Scalars::VALID_LOSS..][..1]);
        if step == 0 {
            compare(golden, "valid/logits", &wait(logits.read(device)));
        }
        device.run(&alpha_recording).unwrap();
        let gradient = wait(alpha.gradient().read(device));
        let values = wait(supernet.alphas().read(device));
        for (flat, prefix) in [(&gradient, "d"), (&values, "")] {
            for (name, _, got) in supernet.alphas().split(flat) {
                compare(golden, &format!("{prefix}{name}"), got);
            }
        }
        device.run(&weight_recording).unwrap();
        let scalars = wait(supernet.scalars().all().read(device));
        compare(golden, "train/loss", &scalars[Scalars::TRAIN_LOSS..][..1]);
        compare(golden, "train/grad_norm", &scalars[Scalars::NORM..][..1]);
        if step == 0 {
            let flat = wait(supernet.network().parameters().gradients().read(device));
            all_weights(golden, &supernet, "step0/dweight", &flat);
        }
    }
    let flat = wait(supernet.network().parameters().read(device));
    all_weights(golden, &supernet, "final", &flat);
    let values = wait(supernet.alphas().read(device));
    let weights: Vec<TableWeights> = supernet
        .alphas()
        .split(&values)
        .map(|(name, shape, values)| TableWeights {
            name: name.into(),
            rows: shape[0],
            options: shape[1],
            values: values.chunks(shape[1]).flat_map(softmax).collect(),
        })
        .collect();
    let derived = space.print(&space.derive(&weights).unwrap());
    let expected = Genotype::read(&golden.metadata["genotype"]).unwrap().to_string();
    if derived != expected {
        golden.failures.push(format!("{}: derived {derived}, expected {expected}", golden.name));
    }
}

fn softmax(row: &[f32]) -> Vec<f32> {
    let sum: f32 = row.iter().map(|a| a.exp()).sum();
    row.iter().map(|a| a.exp() / sum).collect()
}

/// Compares the concatenation of all weights (or gradients) with the arrays below `prefix`.
fn all_weights(golden: &mut Golden, supernet: &Supernet, prefix: &str, flat: &[f32]) {
    let (mut got, mut expected) = (Vec::with_capacity(flat.len()), Vec::with_capacity(flat.len()));
    for (name, _, values) in supernet.network().parameters().split(flat) {
        got.extend_from_slice(values);
        expected.extend_from_slice(golden.get(&format!("{prefix}/{name}")));
    }
    let quantity = format!("{prefix} (all weights)");
    let quantity = if prefix == "final" { quantity } else { format!("{prefix} (all)") };
    golden.yardstick(&quantity, &got, &expected);
}
