//! Writes networks of every space as ONNX files, each with images and what the CPU device makes of them beside it, for
//! another program to be held against: `scripts/peers/onnx FOLDER` does that with ONNX Runtime. Of each space there are
//! decoded architectures and one path of the supernet.
//!
//! ```sh
//! cargo run --release --example onnx -- FOLDER
//! ```

use cellwright::autograd::{Tape, Var};
use cellwright::device::Device;
use cellwright::export::onnx::{Model, write};
use cellwright::graph::{Conv, Features, Graph, Op, Padding, Pool, Ramp};
use cellwright::network::{Network, Pass, part, settled};
use cellwright::nn::{Array, Value, to_safetensors};
use cellwright::random::Random;
use cellwright::space::{self, Architecture, NetworkSettings, Space};
use cellwright::tensor::Tensor;
use pollster::block_on;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::path::{Path, PathBuf};

const MEAN: [f32; 3] = [0.491, 0.482, 0.447];
const STD: [f32; 3] = [0.247, 0.243, 0.262];
const IMAGES: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "--quick".into());
    let temporary = tempfile::tempdir()?;
    let (folder, seeds) = match argument.as_str() {
        "--quick" => (temporary.path().to_owned(), 1),
        folder => (PathBuf::from(folder), 4),
    };
    std::fs::create_dir_all(&folder)?;
    let operations = operations()?;
    let arrays = shaken(&operations, 1)?;
    save(&folder, "operations", ("", "every operation"), &operations, &arrays, 0)?;
    let mut written = 1;
    for (number, name) in space::names().enumerate() {
        let space = space::find(name)?;
        // An odd image is harder to halve.
        let side = if name.starts_with("chain") { 32 } else { 33 };
        let image = Features::new(3, side, side);
        let settings = NetworkSettings { channels: 6, layers: 5, image, ..NetworkSettings::default() };
        for seed in 0..seeds {
            let architecture = quiet(space.as_ref(), &mut Random::new(seed, number as u64));
            let graph = space.decode(&architecture, &NetworkSettings { drop_path: true, ..settings.clone() })?;
            let arrays = shaken(&graph, seed)?;
            let about = (name, space.print(&architecture));
            let file = format!("{name}-{seed}");
            save(&folder, &file, (about.0, &about.1), &graph, &arrays, seed)?;
            written += 1;
        }
        let architecture = quiet(space.as_ref(), &mut Random::new(seeds, number as u64));
        let (graph, arrays) = path(space.as_ref(), &settings, &architecture)?;
        let about = (name, space.print(&architecture));
        save(&folder, &format!("{name}-path"), (about.0, &about.1), &graph, &arrays, 1)?;
        written += 1;
    }
    println!("{written} networks in {}", folder.display());
    Ok(())
}

/// A random architecture without noise, which no two programs draw alike.
fn quiet(space: &dyn Space, random: &mut Random) -> Architecture {
    let mut architecture = space.random(random);
    for (answer, decision) in architecture.answers.iter_mut().zip(space.decisions()) {
        if decision.options.get(*answer).is_some_and(|option| option.contains("noise")) {
            *answer = decision.options.iter().position(|option| !option.contains("noise")).unwrap_or(*answer);
        }
    }
    architecture
}

/// A path of a supernet as a network of its own, with the supernet's weights.
fn path(
    space: &dyn Space,
    settings: &NetworkSettings,
    architecture: &Architecture,
) -> Result<(Graph, BTreeMap<String, Array>), Box<dyn Error>> {
    let supernet = Network::new(&Device::cpu(), space.supernet(settings)?, 5)?;
    let path = supernet.path(&space.settle(architecture)?)?;
    let graph = settled(supernet.graph(), &path)?;
    let arrays = part(&graph, &shaken(supernet.graph(), 5)?)?;
    Ok((graph, arrays))
}

/// Writes a network and, beside it, images and logits. What options are used depends on `number`.
fn save(
    folder: &Path,
    file: &str,
    (space, architecture): (&str, &str),
    graph: &Graph,
    arrays: &BTreeMap<String, Array>,
    number: u64,
) -> Result<(), Box<dyn Error>> {
    let [fold, preprocessing] = [number % 2 == 1, number / 2 % 2 == 1];
    let Features { channels, height, width } = graph.shape(0);
    let shape = [IMAGES, channels, height, width];
    let mut draw = Random::new(number, 23);
    let pixels: Vec<f32> = (0..shape.iter().product::<usize>()).map(|_| draw.below(256) as f32).collect();
    let normal = |(i, pixel): (usize, &f32)| {
        let channel = i / (height * width) % channels;
        (pixel / 255.0 - MEAN[channel]) / STD[channel]
    };
    let images: Vec<f32> = pixels.iter().enumerate().map(normal).collect();
    let logits = logits(graph, arrays, &images, &shape)?;
    let model = Model {
        mean: &MEAN,
        std: &STD,
        genotype: Some(architecture),
        space: Some(space).filter(|space| !space.is_empty()),
        fold,
        preprocessing,
        ..Model::new(graph, arrays)
    };
    let stem = folder.join(file);
    std::fs::write(stem.with_extension("onnx"), write(&model)?)?;
    let classes = logits.len() / IMAGES;
    let beside = BTreeMap::from([
        ("input".to_owned(), Array::f32(&shape, if preprocessing { pixels } else { images })),
        ("logits".to_owned(), Array::f32(&[IMAGES, classes], logits)),
    ]);
    let options = format!("fold {fold}, preprocessing {preprocessing}");
    let about = HashMap::from([("options".to_owned(), options), ("architecture".to_owned(), architecture.to_owned())]);
    std::fs::write(stem.with_extension("safetensors"), to_safetensors(&beside, about)?)?;
    Ok(())
}

/// Weights of a network whose batch norms have statistics, scales and shifts of their own, as after training.
fn shaken(graph: &Graph, seed: u64) -> Result<BTreeMap<String, Array>, Box<dyn Error>> {
    let network = Network::new(&Device::cpu(), graph.clone(), seed)?;
    let mut arrays = block_on(network.state())?;
    let mut draw = Random::new(seed, 29);
    for (name, array) in &mut arrays {
        let of_norm = array.shape.len() == 1;
        let Value::F32(values) = &mut array.value else { continue };
        for value in values.iter_mut() {
            match name.rsplit('.').next() {
                Some("running_var") => *value = draw.range(0.5, 2.0),
                Some("running_mean" | "bias") => *value = 0.3 * draw.normal(),
                Some("weight") if of_norm => *value = draw.range(0.5, 1.5),
                _ => {}
            }
        }
    }
    Ok(arrays)
}

fn logits(
    graph: &Graph,
    arrays: &BTreeMap<String, Array>,
    images: &[f32],
    shape: &[usize],
) -> Result<Vec<f32>, Box<dyn Error>> {
    let device = Device::cpu();
    let mut network = Network::new(&device, graph.clone(), 0)?;
    network.load(arrays)?;
    let mut tape = Tape::new(&device);
    let images = Var::constant(Tensor::from_values(&device, images, shape)?);
    let scores = network.forward(&mut tape, &images, &Pass::evaluation())?.remove(0);
    device.run(&tape.finish())?;
    Ok(block_on(scores.tensor().read(&device))?)
}

/// A network that has what no space does: channel shuffles, sigmoids, cut and padded convolutions with dilation and groups,
/// padding that counts, layers on layers of features.
fn operations() -> Result<Graph, Box<dyn Error>> {
    let mut graph = Graph::new(&[Features::new(3, 12, 11)]);
    let cut = Conv {
        padding: Padding { top: -1, left: -2, bottom: 1, right: 3 },
        kernel: [3, 2],
        dilation: [1, 2],
        groups: 2,
        bias: true,
        ..Conv::square(6, 6, 3, 1)
    };
    let pool = |stride, count_padding| Pool { count_padding, ..Pool::new(3, stride, 1) };
    let stem = graph.push("stem", Op::Conv(Conv { bias: true, ..Conv::square(3, 6, 3, 1) }), &[0])?;
    let hard = graph.push("", Op::Ramp(Ramp::hard_sigmoid(1.0 / 6.0, 0.5)), &[stem])?;
    let swish = graph.push("", Op::Multiply, &[stem, hard])?;
    let squeezed = graph.push("", Op::GlobalAvgPool, &[swish])?;
    let excited = graph.push("", Op::Ramp(Ramp { low: Some(0.1), ..Ramp::line(0.5, 0.4) }), &[squeezed])?;
    let gated = graph.push("", Op::Multiply, &[swish, excited])?;
    let clipped = graph.push("", Op::Ramp(Ramp::clip(None, Some(6.0))), &[gated])?;
    let tanh = graph.push("", Op::Tanh, &[clipped])?;
    let cut = graph.push("cut", Op::Conv(cut), &[tanh])?;
    let sigmoid = graph.push("", Op::Sigmoid, &[cut])?;
    let some = graph.push("", Op::Channels { first: 1, count: 4 }, &[sigmoid])?;
    let joined = graph.push("", Op::Concat, &[sigmoid, some, some])?;
    let shuffled = graph.push("", Op::Shuffle { groups: 7 }, &[joined])?;
    let counted = graph.push("", Op::AvgPool(pool(2, true)), &[shuffled])?;
    let uncounted = graph.push("", Op::AvgPool(pool(2, false)), &[shuffled])?;
    let most = graph.push("", Op::MaxPool(pool(2, false)), &[shuffled])?;
    let zero = graph.push("", Op::Zero { stride: 2 }, &[shuffled])?;
    let sum = graph.push("", Op::Add, &[counted, uncounted, most, zero])?;
    let norm = graph.push("norm", Op::BatchNorm { affine: true }, &[sum])?;
    let hidden = graph.push("hidden", Op::Linear { outputs: 14, bias: true }, &[norm])?;
    let relu = graph.push("", Op::Relu, &[hidden])?;
    let uneven = graph.push("", Op::AvgPool(Pool { beyond: [1, 0], ..Pool::new(2, 2, 0) }), &[norm])?;
    let pooled = graph.push("", Op::GlobalAvgPool, &[uneven])?;
    let both = graph.push("", Op::Add, &[relu, pooled])?;
    let pointwise = graph.push("pointwise", Op::Conv(Conv::square(14, 8, 1, 1)), &[both])?;
    let last = graph.push("classifier", Op::Linear { outputs: 5, bias: false }, &[pointwise])?;
    graph.output("logits", last);
    Ok(graph)
}
