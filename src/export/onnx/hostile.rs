//! Whatever the bytes, reading a file returns: it never panics, never believes a size that it has not seen, and is done in
//! time. What is read is a network that can be made.

use super::proto::{ModelProto, kind};
use super::{Model, read, write};
use crate::device::Device;
use crate::graph::{Features, Graph};
use crate::network::Network;
use crate::random::Random;
use crate::space::{self, NetworkSettings};
use pollster::block_on;
use prost::Message;
use std::time::{Duration, Instant};

/// Whole files of several spaces, small enough that a changed byte often hits something.
fn whole() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (number, name) in ["nas-bench-201", "darts", "chain", "chain-mlp", "mobile"].into_iter().enumerate() {
        let space = space::find(name).unwrap();
        let image = Features::new(1, 8, 8);
        let settings = NetworkSettings { image, channels: 2, layers: 3, classes: 3, ..NetworkSettings::default() };
        let architecture = space.random(&mut Random::new(3, number as u64));
        let mut graph = space.decode(&architecture, &settings).unwrap();
        let mut normal = vec![0.5];
        if name == "nas-bench-201" {
            graph = shuffling(&graph);
            normal.push(0.5);
        }
        let network = Network::new(&Device::cpu(), graph, 1).unwrap();
        let arrays = block_on(network.state()).unwrap();
        let preprocessing = number % 2 == 0;
        let classes = ["a", "b", "c"].map(str::to_owned);
        let model = Model {
            classes: &classes,
            mean: &normal,
            std: &normal,
            preprocessing,
            ..Model::new(network.graph(), &arrays)
        };
        all.push(write(&model).unwrap());
    }
    all
}

/// The network with a channel shuffle in front.
fn shuffling(graph: &Graph) -> Graph {
    use crate::graph::Op;
    let mut made = Graph::new(&[Features::new(2, 8, 8)]);
    let shuffled = made.push("", Op::Shuffle { groups: 2 }, &[0]).unwrap();
    let mut last = made.push("", Op::Channels { first: 1, count: 1 }, &[shuffled]).unwrap();
    let mut place = vec![last];
    for node in &graph.nodes[1..] {
        let read: Vec<usize> = node.inputs.iter().map(|&input| place[input]).collect();
        last = made.push(node.name.clone(), node.op.clone(), &read).unwrap();
        place.push(last);
    }
    made.output("logits", last);
    made
}

/// Numbers as nobody would write them.
const AWKWARD: [i64; 14] =
    [0, 1, -1, 2, 3, 7, 255, 65_535, 65_536, 1 << 31, -(1 << 31), i64::MAX, i64::MIN, i64::MAX - 1];

/// The file with a few bytes changed, or, by message, names exchanged and numbers made awkward.
fn mutated(files: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut file = files[random.below(files.len())].clone();
    if random.below(3) == 0 {
        for _ in 0..1 + random.below(6) {
            let at = random.below(file.len());
            match random.below(4) {
                0 => file[at] = random.below(256) as u8,
                1 => file[at] ^= 1 << random.below(8),
                2 => file.truncate(at.max(1)),
                _ => {
                    let other = &files[random.below(files.len())];
                    let from = random.below(other.len());
                    let end = (from + random.below(40)).min(other.len());
                    file.splice(at..at, other[from..end].iter().copied());
                }
            }
        }
        return file;
    }
    let mut model = ModelProto::decode(&file[..]).unwrap();
    let graph = model.graph.as_mut().unwrap();
    for _ in 0..1 + random.below(3) {
        let number = AWKWARD[random.below(AWKWARD.len())];
        let [from, to] = [0, 1].map(|_| random.below(graph.node.len().max(1)));
        if graph.node.is_empty() {
            break;
        }
        let name = graph.node[to].output.first().cloned().unwrap_or_default();
        match random.below(12) {
            0 => graph.node.swap(from, to),
            1 => drop(graph.node.remove(from)),
            2 => graph.node[from].op_type = graph.node[to].op_type.clone(),
            3 => graph.node[from].attribute = graph.node[to].attribute.clone(),
            4 => {
                let inputs = graph.node[from].input.len();
                if inputs > 0 {
                    graph.node[from].input[random.below(inputs)] = name;
                }
            }
            5 => {
                let tensor = random.below(graph.initializer.len());
                let of = graph.initializer[tensor].name.clone();
                if let Some(input) = graph.node[from].input.last_mut() {
                    *input = of;
                }
            }
            6 | 7 => {
                let attributes = &mut graph.node[from].attribute;
                let count = attributes.len();
                if count > 0 {
                    let attribute = &mut attributes[random.below(count)];
                    match attribute.r#type {
                        kind::INT => attribute.i = Some(number),
                        kind::INTS => {
                            let count = attribute.ints.len().max(1);
                            attribute.ints.resize(count, 0);
                            attribute.ints[random.below(count)] = number;
                        }
                        _ => attribute.f = Some(number as f32),
                    }
                }
            }
            8 => {
                let tensor = random.below(graph.initializer.len());
                let dims = &mut graph.initializer[tensor].dims;
                match dims.len() {
                    0 => dims.push(number),
                    count => dims[random.below(count)] = number,
                }
            }
            9 => {
                let tensor = random.below(graph.initializer.len());
                let tensor = &mut graph.initializer[tensor];
                if tensor.data_type == super::proto::dtype::INT64 && tensor.raw_data.len() >= 8 {
                    let at = 8 * random.below(tensor.raw_data.len() / 8);
                    tensor.raw_data[at..at + 8].copy_from_slice(&number.to_le_bytes());
                }
            }
            10 => graph.node[from].input.push(name),
            _ => {
                let shape = graph.input[0].r#type.as_mut().and_then(|t| t.tensor_type.as_mut()?.shape.as_mut());
                if let Some(shape) = shape {
                    let at = random.below(shape.dim.len());
                    shape.dim[at].dim_value = Some(number);
                }
            }
        }
    }
    model.encode_to_vec()
}

fn feed(times: usize) {
    let files = whole();
    let mut random = Random::new(13, 14);
    let mut read_whole = 0;
    for _ in 0..times {
        let file = mutated(&files, &mut random);
        let begun = Instant::now();
        match read(&file) {
            Ok(found) => {
                read_whole += 1;
                let values: usize = found.arrays.values().map(|array| array.shape.iter().product::<usize>()).sum();
                assert!(values <= 4 * file.len() + (1 << 16), "{values} values of {} bytes", file.len());
                // What it learns is what it has.
                for parameter in found.graph.parameters() {
                    assert_eq!(found.arrays[&parameter.name].shape, parameter.shape, "{}", parameter.name);
                }
                let again = write(&Model::new(&found.graph, &found.arrays));
                if let Err(error) = again {
                    assert!(error.to_string().contains("cuts away all"), "{error}");
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    // Most are refused, those in which nothing that counts was hit are not.
    assert!(read_whole * 100 > times && read_whole < times, "{read_whole} of {times}");
}

#[test]
fn a_mutated_file_is_read_or_refused() {
    feed(3_000);
}

#[test]
#[ignore = "long: scripts/test --full"]
fn a_hundred_thousand_mutated_files_are_read_or_refused() {
    feed(100_000);
}
