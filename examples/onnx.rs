//! Writes networks of every space as ONNX files, each with images and what the CPU device makes of them beside it, for
//! another program to be held against: `scripts/peers/onnx FOLDER` does that with ONNX Runtime.
//!
//! ```sh
//! cargo run --release --example onnx -- FOLDER
//! ```

use cellwright::autograd::{Tape, Var};
use cellwright::device::Device;
use cellwright::export::onnx::{Model, write};
use cellwright::graph::{Features, Graph, Op};
use cellwright::network::{Network, Pass};
use cellwright::nn::{Array, Value, to_safetensors};
use cellwright::random::Random;
use cellwright::space::{self, NetworkSettings};
use cellwright::tensor::Tensor;
use pollster::block_on;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::path::PathBuf;

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
    let mut written = 0;
    for name in space::names() {
        let space = space::find(name)?;
        // A few spaces say themselves how large their networks are; an odd image is harder to halve.
        let side = if name.starts_with("chain") { 32 } else { 33 };
        let settings = NetworkSettings {
            channels: 6,
            layers: 5,
            image: Features::new(3, side, side),
            drop_path: true,
            ..NetworkSettings::default()
        };
        for seed in 0..seeds {
            let architecture = space.random(&mut Random::new(seed, 17));
            let graph = space.decode(&architecture, &settings)?;
            if graph.nodes.iter().any(|node| matches!(node.op, Op::Noise { .. })) {
                println!("{name}, seed {seed}: has noise, which no two programs draw alike: left out");
                continue;
            }
            let (network, arrays) = network(graph, seed)?;
            let [fold, preprocessing] = [seed % 2 == 1, seed / 2 % 2 == 1];
            let genotype = space.print(&architecture);
            let mut draw = Random::new(seed, 23);
            let shape = [IMAGES, 3, side, side];
            let pixels: Vec<f32> = (0..shape.iter().product::<usize>()).map(|_| draw.below(256) as f32).collect();
            let normal = |(i, pixel): (usize, &f32)| {
                let channel = i / (side * side) % 3;
                (pixel / 255.0 - MEAN[channel]) / STD[channel]
            };
            let images: Vec<f32> = pixels.iter().enumerate().map(normal).collect();
            let logits = logits(&network, &images, &shape)?;
            let model = Model {
                mean: &MEAN,
                std: &STD,
                genotype: Some(&genotype),
                space: Some(name),
                fold,
                preprocessing,
                ..Model::new(network.graph(), &arrays)
            };
            let stem = folder.join(format!("{name}-{seed}"));
            std::fs::write(stem.with_extension("onnx"), write(&model)?)?;
            let classes = logits.len() / IMAGES;
            let beside = BTreeMap::from([
                ("input".to_owned(), Array::f32(&shape, if preprocessing { pixels } else { images })),
                ("logits".to_owned(), Array::f32(&[IMAGES, classes], logits)),
            ]);
            let options = format!("fold {fold}, preprocessing {preprocessing}");
            let about = HashMap::from([("options".to_owned(), options), ("architecture".to_owned(), genotype)]);
            std::fs::write(stem.with_extension("safetensors"), to_safetensors(&beside, about)?)?;
            written += 1;
        }
    }
    println!("{written} networks in {}", folder.display());
    Ok(())
}

/// A network whose batch norms have statistics, scales and shifts of their own, as after training.
fn network(graph: Graph, seed: u64) -> Result<(Network, BTreeMap<String, Array>), Box<dyn Error>> {
    let mut network = Network::new(&Device::cpu(), graph, seed)?;
    let mut arrays = block_on(network.state())?;
    let mut draw = Random::new(seed, 29);
    for (name, array) in &mut arrays {
        let shape_of_norm = array.shape.len() == 1;
        let Value::F32(values) = &mut array.value else { continue };
        for value in values.iter_mut() {
            match name.rsplit('.').next() {
                Some("running_var") => *value = draw.range(0.5, 2.0),
                Some("running_mean") => *value = 0.3 * draw.normal(),
                Some("weight") if shape_of_norm => *value = draw.range(0.5, 1.5),
                Some("bias") => *value = 0.3 * draw.normal(),
                _ => {}
            }
        }
    }
    network.load(&arrays)?;
    Ok((network, arrays))
}

fn logits(network: &Network, images: &[f32], shape: &[usize]) -> Result<Vec<f32>, Box<dyn Error>> {
    let device = network.device();
    let mut tape = Tape::new(device);
    let images = Var::constant(Tensor::from_values(device, images, shape)?);
    let scores = network.forward(&mut tape, &images, &Pass::evaluation())?.remove(0);
    device.run(&tape.finish())?;
    Ok(block_on(scores.tensor().read(device))?)
}
