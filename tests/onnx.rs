//! Networks as ONNX files: what is written holds to the format, and is read back as a network that computes the same. That
//! other programs read it, too, is measured by `scripts/peers/onnx`; docs/exchange.md has the figures.

mod common;

#[path = "onnx/arithmetic.rs"]
mod arithmetic;
#[path = "onnx/file.rs"]
mod file;
#[path = "onnx/foreign.rs"]
mod foreign;
#[path = "onnx/lstm.rs"]
mod lstm;
#[path = "onnx/nodes.rs"]
mod nodes;
#[path = "onnx/operation.rs"]
mod operation;
#[path = "onnx/refused.rs"]
mod refused;
#[path = "onnx/schema.rs"]
mod schema;

use cellwright::autograd::{Tape, Var};
use cellwright::device::Device;
use cellwright::export::onnx::proto::ModelProto;
use cellwright::export::onnx::{Imported, Model, OnnxError, read, write};
use cellwright::graph::{Choice, Conv, Features, Graph, Op, Options, Padding, Pool, Ramp};
use cellwright::network::{Network, Pass};
use cellwright::nn::{Array, Value};
use cellwright::random::Random;
use cellwright::space::{self, NetworkSettings, Space, SpaceConfig};
use cellwright::tensor::Tensor;
use pollster::block_on;
use prost::Message;
use std::collections::BTreeMap;

const IMAGES: usize = 3;

/// A network of which every value, running statistics included, is random.
fn shaken(graph: &Graph, seed: u64) -> BTreeMap<String, Array> {
    let network = Network::new(&Device::cpu(), graph.clone(), seed).unwrap();
    let mut arrays = block_on(network.state()).unwrap();
    let mut draw = Random::new(seed, 2);
    for (name, array) in &mut arrays {
        let of_norm = array.shape.len() == 1;
        let Value::F32(values) = &mut array.value else { continue };
        for value in values.iter_mut() {
            match name.rsplit('.').next() {
                Some("running_var") => *value = draw.range(0.5, 2.0),
                Some("weight") if !of_norm => {}
                _ => *value = 0.5 + 0.5 * draw.normal(),
            }
        }
    }
    arrays
}

fn images(shape: Features) -> Vec<f32> {
    let mut draw = Random::new(9, 9);
    (0..IMAGES * shape.count()).map(|_| draw.normal()).collect()
}

/// What the CPU makes of images.
fn logits(graph: &Graph, arrays: &BTreeMap<String, Array>, images: &[f32]) -> Vec<f32> {
    let device = Device::cpu();
    let mut network = Network::new(&device, graph.clone(), 0).unwrap();
    network.load(arrays).unwrap();
    let shape = graph.shape(0);
    let x = Tensor::from_values(&device, images, &[IMAGES, shape.channels, shape.height, shape.width]).unwrap();
    let mut tape = Tape::new(&device);
    let y = network.forward(&mut tape, &Var::constant(x), &Pass::evaluation()).unwrap().remove(0);
    device.run(&tape.finish()).unwrap();
    block_on(y.tensor().read(&device)).unwrap()
}

/// What the CPU makes of images by a file's network.
fn outputs(file: &file::File) -> Vec<f32> {
    let found = file.read();
    logits(&found.graph, &found.arrays, &images(found.graph.shape(0)))
}

fn agree(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    let scale = b.iter().fold(1f32, |most, v| most.max(v.abs()));
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-5 * scale, "{what}: {a} for {b}");
    }
}

fn space_of(name: &str) -> Box<dyn Space> {
    let mut config = SpaceConfig::of(name);
    if name == "enas-macro" {
        config.settings = "layers = 5".parse().unwrap();
    }
    config.build().unwrap()
}

fn settings(seed: u64) -> NetworkSettings {
    let side = if seed.is_multiple_of(2) { 16 } else { 17 };
    NetworkSettings {
        image: Features::new(if seed == 1 { 1 } else { 3 }, side, side),
        classes: 7,
        channels: 4,
        layers: 4,
        drop_path: true,
        ..NetworkSettings::default()
    }
}

#[test]
fn networks_of_all_spaces_hold_to_the_format_and_come_back_computing_the_same() {
    let classes: Vec<String> = (0..7).map(|i| format!("class \"{i}\"")).collect();
    let mut architectures = 0;
    for (number, name) in space::names().enumerate() {
        let space = space_of(name);
        for seed in 0..3 {
            let settings = settings(seed);
            let architecture = space.random(&mut Random::new(seed, number as u64));
            let text = space.print(&architecture);
            let graph = space.decode(&architecture, &settings).unwrap();
            let noisy = graph.nodes.iter().any(|node| matches!(node.op, Op::Noise { .. }));
            let arrays = shaken(&graph, seed);
            let images = images(settings.image);
            let right = logits(&graph, &arrays, &images);
            let mean: Vec<f32> = [0.4, 0.5, 0.6][..settings.image.channels].to_vec();
            for (fold, preprocessing) in [(false, false), (true, true), (true, false), (false, true)] {
                let what = format!("{name}: {text}, fold {fold}, preprocessing {preprocessing}");
                let model = Model {
                    classes: &classes,
                    mean: &mean,
                    std: &mean,
                    genotype: Some(&text),
                    space: Some(name),
                    fold,
                    preprocessing,
                    ..Model::new(&graph, &arrays)
                };
                let bytes = write(&model).unwrap();
                assert_eq!(schema::problems(&bytes), [""; 0], "{what}");
                let found = read(&bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!((&found.classes, &found.mean, &found.std), (&classes, &mean, &mean), "{what}");
                let described = (found.genotype.as_deref(), found.space.as_deref(), found.preprocessing);
                assert_eq!(described, (Some(text.as_str()), Some(name), preprocessing), "{what}");
                if !noisy {
                    agree(&logits(&found.graph, &found.arrays, &images), &right, &what);
                }
                if !fold {
                    // Weights keep their names. Norms that have no scale and shift get 1 and 0; what leads nowhere is gone.
                    for (name, array) in &found.arrays {
                        let plain = Array::f32(
                            &array.shape,
                            vec![f32::from(u8::from(name.ends_with("weight"))); array.shape[0]],
                        );
                        assert_eq!(array, arrays.get(name).unwrap_or(&plain), "{what}: {name}");
                    }
                }
            }
            architectures += 1;
        }
    }
    assert!(architectures >= 40, "{architectures}");
}

/// Every operation, in every form in which it is written.
fn every_operation() -> Graph {
    let mut graph = Graph::new(&[Features::new(3, 9, 8)]);
    let mut push = |name: &str, op: Op, inputs: &[usize]| graph.push(name, op, inputs).unwrap();
    let pool = |kernel, stride, padding, count_padding| Pool { count_padding, ..Pool::new(kernel, stride, padding) };
    let bias = |conv: Conv| Op::Conv(Conv { bias: true, ..conv });
    let stem = push("stem", bias(Conv::square(3, 8, 3, 1)), &[0]);
    let norm = push("norm", Op::BatchNorm { affine: true }, &[stem]);
    // Squeeze and excitation, a hard swish, and ramps of every form.
    let squeezed = push("", Op::GlobalAvgPool, &[norm]);
    let gate = push("gate", Op::Ramp(Ramp::hard_sigmoid(0.2, 0.5)), &[squeezed]);
    let gated = push("gated", Op::Multiply, &[norm, gate]);
    let hard = push("", Op::Ramp(Ramp::hard_sigmoid(1.0 / 6.0, 0.5)), &[gated]);
    let mut x = push("swish", Op::Multiply, &[gated, hard]);
    for ramp in [
        Ramp::clip(Some(-1.0), Some(6.0)),
        Ramp::clip(Some(0.0), Some(1.0)),
        Ramp::clip(None, Some(0.9)),
        Ramp::clip(Some(0.1), None),
        Ramp::line(-2.0, 1.0),
        Ramp::line(1.0, 0.3),
        Ramp::line(1.0, 0.0),
        Ramp::line(0.7, 0.0),
        Ramp { low: Some(-2.0), ..Ramp::line(3.0, -0.1) },
    ] {
        x = push("", Op::Ramp(ramp), &[x]);
    }
    let tanh = push("", Op::Tanh, &[x]);
    let cut = Conv {
        padding: Padding { top: -1, left: -2, bottom: 1, right: 3 },
        kernel: [3, 2],
        dilation: [1, 2],
        groups: 4,
        ..Conv::square(8, 8, 3, 1)
    };
    let cut = push("cut", Op::Conv(cut), &[tanh]);
    let sigmoid = push("", Op::Sigmoid, &[cut]);
    let wide = push("wide", Op::Conv(Conv { padding: Padding::symmetric(2, 1), ..Conv::square(8, 8, 3, 1) }), &[tanh]);
    let some = push("", Op::Channels { first: 1, count: 4 }, &[wide]);
    let others = push("", Op::Channels { first: 4, count: 4 }, &[wide]);
    let joined = push("joined", Op::Concat, &[some, others]);
    let shuffled = push("shuffled", Op::Shuffle { groups: 2 }, &[joined]);
    let trained = push("", Op::TrainingRelu, &[shuffled]);
    let dropped = push("", Op::Dropout { probability: 0.5 }, &[trained]);
    let dropped = push("", Op::ScheduledDropout, &[dropped]);
    let counted = push("", Op::AvgPool(pool(3, 2, 1, true)), &[dropped]);
    let uncounted = push("", Op::AvgPool(pool(3, 2, 1, false)), &[dropped]);
    let most = push("", Op::MaxPool(pool(3, 2, 1, false)), &[dropped]);
    let zero = push("zero", Op::Zero { stride: 2 }, &[dropped]);
    let zero = push("", Op::Zero { stride: 1 }, &[zero]);
    let path = push("", Op::DropPath, &[most]);
    let sum = push("", Op::Add, &[counted, uncounted, path, zero]);
    let norm = push("plain", Op::BatchNorm { affine: false }, &[sum]);
    let alone = push("", Op::Add, &[norm]);
    let uneven = Pool { beyond: [1, 1], ..Pool::new(2, 2, 0) };
    let reduced = push("", Op::MaxPool(uneven), &[sigmoid]);
    let shorter = push("", Op::AvgPool(Pool { beyond: [-1, 0], ..Pool::new(3, 1, 1) }), &[reduced]);
    let pooled = push("", Op::GlobalAvgPool, &[shorter]);
    let hidden = push("hidden", Op::Linear { outputs: 6, bias: true }, &[alone]);
    let relu = push("", Op::Relu, &[hidden]);
    let again = push("again", Op::Linear { outputs: 8, bias: false }, &[relu]);
    let twice = push("", Op::Add, &[again, pooled]);
    let conv = push("after", bias(Conv::square(8, 4, 1, 1)), &[again]);
    let both = push("", Op::Concat, &[twice, conv]);
    let last = push("classifier", Op::Linear { outputs: 5, bias: true }, &[both]);
    // An auxiliary head, of which nothing is written.
    let auxiliary = push("auxiliary", Op::Linear { outputs: 5, bias: true }, &[sum]);
    graph.output("logits", last);
    graph.output("auxiliary", auxiliary);
    graph
}

#[test]
fn every_operation_is_written_and_read() {
    let graph = every_operation();
    let arrays = shaken(&graph, 3);
    let images = images(graph.shape(0));
    let right = logits(&graph, &arrays, &images);
    for fold in [false, true] {
        let bytes = write(&Model { fold, ..Model::new(&graph, &arrays) }).unwrap();
        assert_eq!(schema::problems(&bytes), [""; 0]);
        let model = ModelProto::decode(&bytes[..]).unwrap();
        let norms = model.graph.unwrap().node.iter().filter(|node| node.op_type == "BatchNormalization").count();
        assert_eq!(norms, if fold { 1 } else { 2 }, "the second does not follow a convolution");
        let found = read(&bytes).unwrap();
        assert!(found.arrays.keys().all(|name| !name.starts_with("auxiliary")));
        agree(&logits(&found.graph, &found.arrays, &images), &right, "every operation");
        // Written again and read again, it is the same network.
        let again = read(&write(&Model::new(&found.graph, &found.arrays)).unwrap()).unwrap();
        assert_eq!((again.graph, again.arrays), (found.graph, found.arrays));
    }
}

#[test]
fn a_zero_lets_nothing_pass_and_noise_reads_nothing_but_a_shape() {
    let mut graph = Graph::new(&[Features::new(2, 4, 4)]);
    let zero = graph.push("", Op::Zero { stride: 2 }, &[0]).unwrap();
    let noise = graph.push("", Op::Noise { stride: 2 }, &[0]).unwrap();
    let both = graph.push("", Op::Concat, &[zero, noise]).unwrap();
    let pooled = graph.push("", Op::GlobalAvgPool, &[both]).unwrap();
    graph.output("logits", pooled);
    let bytes = write(&Model::new(&graph, &BTreeMap::new())).unwrap();
    assert_eq!(schema::problems(&bytes), [""; 0]);
    let found = read(&bytes).unwrap();
    let ops: Vec<&Op> = found.graph.nodes.iter().map(|node| &node.op).collect();
    assert_eq!(ops, [&Op::Input, &Op::Zero { stride: 2 }, &Op::Noise { stride: 2 }, &Op::Concat, &Op::GlobalAvgPool]);
    let y = logits(&found.graph, &found.arrays, &[f32::NAN; IMAGES * 32]);
    assert!(y.iter().all(|v| v.is_finite()) && y[0] == 0.0 && y[2] != 0.0, "{y:?}");
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    let graph = every_operation();
    let arrays = shaken(&graph, 3);
    let model = Model { fold: true, genotype: Some("x"), ..Model::new(&graph, &arrays) };
    assert_eq!(write(&model).unwrap(), write(&model).unwrap());
}

#[test]
fn a_norm_stays_where_something_else_reads_the_convolution() {
    let mut graph = Graph::new(&[Features::new(1, 4, 4)]);
    let conv = graph.push("conv", Op::Conv(Conv::square(1, 2, 3, 1)), &[0]).unwrap();
    let norm = graph.push("norm", Op::BatchNorm { affine: true }, &[conv]).unwrap();
    let sum = graph.push("", Op::Add, &[conv, norm]).unwrap();
    let pooled = graph.push("", Op::GlobalAvgPool, &[sum]).unwrap();
    graph.output("logits", pooled);
    let arrays = shaken(&graph, 1);
    let bytes = write(&Model { fold: true, ..Model::new(&graph, &arrays) }).unwrap();
    let nodes = ModelProto::decode(&bytes[..]).unwrap().graph.unwrap().node;
    assert!(nodes.iter().any(|node| node.op_type == "BatchNormalization"));
    let found = read(&bytes).unwrap();
    let images = images(graph.shape(0));
    agree(&logits(&found.graph, &found.arrays, &images), &logits(&graph, &arrays, &images), "");
}

#[test]
fn an_output_that_is_the_input_or_a_map_is_written_as_it_is() {
    let mut graph = Graph::new(&[Features::new(2, 3, 4)]);
    graph.output("logits", 0);
    let Imported { graph: found, .. } = read(&write(&Model::new(&graph, &BTreeMap::new())).unwrap()).unwrap();
    assert_eq!(found.shape(found.outputs[0].node), Features::new(2, 3, 4));
    let images = images(graph.shape(0));
    agree(&logits(&found, &BTreeMap::new(), &images), &images, "");
}

#[test]
fn what_cannot_be_written_is_named() {
    let graph = every_operation();
    let arrays = shaken(&graph, 3);
    let error = |model: &Model<'_>| write(model).unwrap_err().to_string();
    let plain = Model::new(&graph, &arrays);

    let supernet = space_of("chain-mlp").supernet(&settings(0)).unwrap();
    let of_supernet = shaken(&supernet, 0);
    assert_eq!(
        error(&Model::new(&supernet, &of_supernet)),
        "node `layers.0.width` (choice): is still to be chosen: write the network of one architecture, or one path"
    );
    let mut choice = Graph::new(&[Features::new(2, 3, 3)]);
    let open = Op::Choice(Choice::new("t", 0, Options::Widths(vec![1, 2])));
    let open = choice.push("open", open, &[0]).unwrap();
    choice.output("logits", open);
    assert!(matches!(write(&Model::new(&choice, &arrays)), Err(OnnxError::Unsupported { node, .. }) if node == "open"));

    let (fused, _) = space_of("darts").supernet(&settings(0)).unwrap().fuse();
    let of_fused = shaken(&space_of("darts").supernet(&settings(0)).unwrap(), 0);
    assert!(error(&Model::new(&fused, &of_fused)).contains("is a fused node"));

    let mut fewer = arrays.clone();
    fewer.remove("norm.running_var");
    assert_eq!(error(&Model::new(&graph, &fewer)), "array `norm.running_var` is missing");
    fewer.insert("norm.running_var".into(), Array::f32(&[4], vec![1.0; 4]));
    assert_eq!(
        error(&Model::new(&graph, &fewer)),
        "array `norm.running_var`: has shape [4] and 4 values, needed is [8]"
    );
    let classes = ["a".to_owned()];
    assert_eq!(error(&Model { classes: &classes, ..plain }), "1 names of classes for a network of 5 outputs");
    assert_eq!(error(&Model { preprocessing: true, ..plain }), "mean has 0 values, the images have 3 channels");
    let [mean, std] = [[0.5; 3], [0.5, 0.0, 0.5]];
    assert!(error(&Model { mean: &mean, std: &std, ..plain }).contains("0 is neither a mean nor a deviation"));
    let two = Graph::new(&[Features::new(1, 2, 2); 2]);
    assert!(error(&Model::new(&two, &arrays)).contains("2 inputs"));
    assert!(error(&Model::new(&Graph::new(&[Features::new(1, 2, 2)]), &arrays)).contains("no output"));
}
