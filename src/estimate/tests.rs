//! Fused cells compute what the plain graph does: results, gradients, statistics.

mod classes;
mod noise;
mod paths;

use super::*;
use crate::autograd::{Tape, Var, ops};
use crate::device::{Device, Recorder, Selector, noise, skipped};
use crate::graph::{Choice, Conv, Features, Graph, Op, Options, Pool};
use crate::network::{Choices, Pass};
use crate::optim::SgdConfig;
use crate::space::darts::{Darts, Primitive, robust, suite};
use crate::space::{NetworkSettings, Space, find};
use std::collections::{BTreeMap, HashMap};

fn wait<T>(future: impl Future<Output = T>) -> T {
    pollster::block_on(future)
}

fn devices() -> Vec<Device> {
    let software =
        wait(Device::open(&Selector::Software)).inspect_err(|e| skipped(&format!("on a software driver: {e}")));
    std::iter::once(Device::cpu()).chain(software).collect()
}

/// Everything one pass computes, by name.
fn pass(device: &Device, graph: &Graph, wants: Wants, fusion: bool) -> (BTreeMap<String, Vec<f32>>, usize) {
    const BATCH: usize = 3;
    let config = SupernetConfig { batch: BATCH, sgd: SgdConfig::default(), seed: 5, fusion, given: false };
    let supernet = Supernet::new(device, graph.clone(), config).unwrap();
    let batch = supernet.train();
    batch.x.write(device, &noise(batch.x.count(), 1)).unwrap();
    batch.y.write_words(device, &[0, 2, 1]).unwrap();
    supernet.alphas().values().write(device, &noise(supernet.alphas().values().count(), 2)).unwrap();
    let recorder = Recorder::within(device, supernet.workspace());
    let (mut recorder, scores) = supernet.record_pass(recorder, batch, wants, Scalars::TRAIN_LOSS).unwrap();
    let guard = supernet.scalars().one(Scalars::TRAIN_LOSS);
    let network = supernet.network();
    network.statistics().record_update(&mut recorder, &network.whole().statistics, &guard).unwrap();
    let recording = recorder.finish();
    device.run(&recording).unwrap();

    let mut found = BTreeMap::from([("scores".to_owned(), wait(scores.read(device)).unwrap())]);
    for (kind, parameters) in [("weights", supernet.network().parameters()), ("alphas", supernet.alphas())] {
        let flat = wait(parameters.gradients().read(device)).unwrap();
        found.extend(parameters.split(&flat).map(|(name, _, v)| (format!("{kind}/{name}"), v.to_vec())));
    }
    let running = wait(supernet.network().statistics().running().read(device)).unwrap();
    for (name, places) in supernet.network().statistics().layers() {
        found.insert(format!("running/{name}"), places.into_iter().flat_map(|p| running[p].to_vec()).collect());
    }

    // And the supernet evaluated, with running statistics.
    let mut tape = Tape::new(device);
    let mut tables = HashMap::new();
    for (index, table) in supernet.tables().iter().enumerate() {
        let alpha = supernet.alphas().var(&mut tape, index, false).unwrap();
        tables.insert(table.name.clone(), ops::softmax(&mut tape, &alpha).unwrap());
    }
    let pass = Pass { choices: Choices::Mixed(&tables), ..Pass::evaluation() };
    let scores = supernet.network().forward(&mut tape, &Var::constant(batch.x.clone()), &pass).unwrap().remove(0);
    let evaluation = tape.finish();
    device.run(&evaluation).unwrap();
    found.insert("evaluated".to_owned(), wait(scores.tensor().read(device)).unwrap());
    (found, recording.dispatches() + evaluation.dispatches())
}

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

fn agree(device: &Device, graph: &Graph, what: &str) {
    assert!(graph.fuse().0.nodes.iter().any(|n| matches!(n.op, Op::Fused(_))), "{what}: nothing is fused");
    for wants in [Wants::Both, Wants::Weights, Wants::Alphas] {
        let (fused, few) = pass(device, graph, wants, true);
        let (plain, many) = pass(device, graph, wants, false);
        assert!(few < many, "{what}: {few} dispatches instead of {many}");
        assert!(fused.keys().eq(plain.keys()));
        let all = norm(
            &plain
                .iter()
                .filter(|(name, _)| name.starts_with("weights"))
                .flat_map(|(_, v)| v.clone())
                .collect::<Vec<_>>(),
        );
        for (name, expected) in &plain {
            let got = &fused[name];
            let difference: Vec<f32> = got.iter().zip(expected).map(|(a, b)| a - b).collect();
            let allowed = 2e-4 * norm(expected) + if name.starts_with("weights") { 1e-6 * all } else { 1e-7 };
            assert!(
                got.len() == expected.len() && norm(&difference) <= allowed,
                "{what} on {}, {wants:?}: `{name}` is {:e} off of {:e}",
                device.name(),
                norm(&difference),
                norm(expected)
            );
        }
    }
}

fn supernet(space: &Darts, channels: usize, layers: usize, image: Features) -> Graph {
    let settings = NetworkSettings { image, classes: 3, channels, layers, ..NetworkSettings::default() };
    space.supernet(&settings).unwrap()
}

#[test]
fn fused_cells_compute_what_the_plain_graph_does() {
    for device in devices() {
        agree(&device, &supernet(&Darts::default(), 4, 3, Features::new(2, 8, 8)), "the published space");
        // An odd map: factorised reduction pads it.
        agree(&device, &supernet(&Darts::default(), 2, 3, Features::new(1, 9, 7)), "an odd map");
    }
}

#[test]
fn fused_cells_take_any_nodes_and_primitives() {
    use Primitive::*;
    let device = Device::cpu();
    // More edges from a state than one dispatch gathers, more kinds of filter than one takes.
    let kinds = vec![SkipConnect, SepConv7x7, DilConv3x3, SepConv3x3, DilConv5x5, SepConv5x5, MaxPool3x3];
    let space = Darts::new(6, kinds).unwrap();
    agree(&device, &supernet(&space, 2, 3, Features::new(1, 8, 8)), "six nodes, seven primitives");
    for primitives in [vec![None, AvgPool3x3], vec![SkipConnect, None], vec![DilConv5x5, MaxPool3x3]] {
        let what = format!("{primitives:?}");
        agree(&device, &supernet(&Darts::new(2, primitives).unwrap(), 2, 3, Features::new(1, 8, 8)), &what);
    }
}

#[test]
fn fused_cells_differ_from_edge_to_edge_and_have_others_beside_their_sums() {
    let device = Device::cpu();
    let [s1, ..] = robust::spaces();
    agree(&device, &supernet(&s1, 2, 3, Features::new(1, 8, 8)), "two primitives of its own on each edge");
    let skips = suite::wide(suite::Operations::AllSkip);
    agree(&device, &supernet(&skips, 2, 3, Features::new(1, 8, 8)), "a skip connection beside each edge");
    let single = suite::single_cell(suite::Operations::Regular);
    agree(&device, &supernet(&single, 2, 1, Features::new(1, 8, 8)), "eight nodes, of which four are joined");
}

/// The supernet with larger windows in its candidates: 31×31 and 17×17 for 3×3 and 5×5.
fn enlarged(mut graph: Graph) -> Graph {
    let large = |kernel: usize| if kernel == 3 { 31 } else { 17 };
    let choices = graph.nodes.iter_mut().filter_map(|node| match &mut node.op {
        Op::Choice(choice) => Some(&mut choice.options),
        _ => None,
    });
    let candidates = choices.filter_map(|options| match options {
        Options::Operations(candidates) => Some(candidates),
        Options::Widths { .. } => None,
    });
    for node in candidates.flatten().flat_map(|candidate| &mut candidate.graph.nodes) {
        match &mut node.op {
            Op::Conv(conv) if conv.kernel[0] > 1 => {
                *conv = Conv::depthwise(conv.outputs, large(conv.kernel[0]), conv.stride[0], conv.dilation[0]);
            }
            Op::MaxPool(pool) | Op::AvgPool(pool) => {
                *pool = Pool { kernel: 31, padding: 15, ..*pool };
            }
            _ => {}
        }
    }
    graph
}

#[test]
fn fused_cells_take_windows_as_large_as_spaces_allow() {
    use Primitive::*;
    let kinds = vec![SkipConnect, SepConv3x3, SepConv5x5, DilConv5x5, MaxPool3x3, AvgPool3x3];
    let space = Darts::new(2, kinds).unwrap();
    for device in devices() {
        let graph = enlarged(supernet(&space, 2, 3, Features::new(1, 11, 10)));
        agree(&device, &graph, "windows of 31×31 and 17×17");
    }
}

#[test]
fn fused_cells_take_what_they_do_not_know_as_it_is() {
    use Primitive::*;
    let space = Darts::new(2, vec![Conv7x1Then1x7, SkipConnect, SepConv3x3]).unwrap();
    let mut noisy = supernet(&Darts::new(2, vec![SkipConnect, MaxPool3x3]).unwrap(), 2, 3, Features::new(1, 8, 8));
    for node in &mut noisy.nodes {
        let Op::Choice(Choice { options: Options::Operations(candidates), .. }) = &mut node.op else { continue };
        // Options that learn nothing.
        let inner = &mut candidates[0].graph;
        if inner.outputs[0].node == 1 && inner.nodes[1].op == Op::Identity {
            inner.nodes[1].op = Op::Tanh;
        }
    }
    for device in devices() {
        agree(&device, &supernet(&space, 2, 3, Features::new(1, 8, 8)), "separated windows of 7×7");
        agree(&device, &noisy, "a function beside pools");
    }
}

#[test]
fn fused_cells_share_convolutions_over_all_channels() {
    for device in devices() {
        for channels in [3, 8] {
            let settings = NetworkSettings {
                image: Features::new(2, 8, 7),
                classes: 3,
                channels,
                layers: 3,
                ..NetworkSettings::default()
            };
            let graph = find("nas-bench-201").unwrap().supernet(&settings).unwrap();
            agree(&device, &graph, &format!("NAS-Bench-201 with {channels} channels"));
        }
    }
}
