//! What the tests of drawings share.

mod cells;
mod diagrams;
mod networks;
mod plots;

use super::*;
use crate::graph::{Candidate, Choice, Conv, Features, Graph, Op, Options, Pool};
use crate::space::CellPlan;

const S3: &str = "sep_conv_3x3";
const SKIP: &str = "skip_connect";
const MAX: &str = "max_pool_3x3";

/// A cell with two edges a node, as genotypes list them.
fn cell(edges: &[(&str, usize)]) -> CellPlan {
    CellPlan {
        name: String::new(),
        inputs: 2,
        edges: edges.iter().enumerate().map(|(i, (op, from))| (*from, i / 2, (*op).into())).collect(),
        nodes: edges.len() / 2,
        concat: (2..2 + edges.len() / 2).collect(),
    }
}

/// The published cells of second-order DARTS, normal and reduction.
fn darts_v2() -> [CellPlan; 2] {
    [
        cell(&[(S3, 0), (S3, 1), (S3, 0), (S3, 1), (S3, 1), (SKIP, 0), (SKIP, 0), ("dil_conv_3x3", 2)]),
        cell(&[(MAX, 0), (MAX, 1), (SKIP, 2), (MAX, 1), (MAX, 0), (SKIP, 2), (SKIP, 2), (MAX, 1)]),
    ]
}

/// A network shaped like the evaluation network of DARTS: stem, cells that read the two before them.
fn network(cells: usize, supernet: bool) -> Graph {
    let mut g = Graph::new(&[Features::new(3, 32, 32)]);
    let conv = g.push("stem.0", Op::Conv(Conv::square(3, 16, 3, 1)), &[0]).unwrap();
    let stem = g.push("stem.1", Op::BatchNorm { affine: true }, &[conv]).unwrap();
    let (mut before, mut last) = (stem, stem);
    for cell in 0..cells {
        let reduce = cell == cells / 3 || cell == 2 * cells / 3;
        let width = 16 << (usize::from(cell >= cells / 3) + usize::from(cell >= 2 * cells / 3));
        let mut states = Vec::new();
        for (i, from) in [before, last].into_iter().enumerate() {
            let stride = if i == 0 { g.shape(from).height / g.shape(last).height } else { 1 };
            let channels = g.shape(from).channels;
            let relu = g.push(format!("cells.{cell}.preprocess{i}.op.0"), Op::Relu, &[from]).unwrap();
            let conv = Op::Conv(Conv::square(channels, width, 1, stride));
            states.push(g.push(format!("cells.{cell}.preprocess{i}.op.1"), conv, &[relu]).unwrap());
        }
        for edge in 0..2 {
            let stride = 1 + usize::from(reduce);
            let pool = Op::MaxPool(Pool::new(3, stride, 1));
            let op = if supernet {
                let x = g.shape(states[edge]);
                let candidate = |label: &str, op: Op| {
                    let mut graph = Graph::new(&[x]);
                    let node = graph.push("", op, &[0]).unwrap();
                    graph.output("", node);
                    Candidate { label: label.into(), graph }
                };
                let table = if reduce { "alphas_reduce" } else { "alphas_normal" };
                let options = vec![
                    candidate("none", Op::Zero { stride }),
                    candidate("max_pool_3x3", pool),
                    candidate("sep_conv_3x3", Op::Conv(Conv::square(x.channels, x.channels, 3, stride))),
                    candidate("dil_conv_5x5", Op::Conv(Conv::square(x.channels, x.channels, 5, stride))),
                ];
                Op::Choice(Choice::new(table, edge, Options::Operations(options)))
            } else {
                pool
            };
            states.push(g.push(format!("cells.{cell}._ops.{edge}"), op, &[states[edge]]).unwrap());
        }
        let sum = g.push("", Op::Add, &states[2..]).unwrap();
        let joined = g.push(format!("cells.{cell}.concat"), Op::Concat, &[sum]).unwrap();
        (before, last) = (last, joined);
        if cell == 2 * cells / 3 {
            let features = g.push("auxiliary_head.features.0", Op::Relu, &[last]).unwrap();
            let pooled = g.push("auxiliary_head.features.1", Op::GlobalAvgPool, &[features]).unwrap();
            let logits =
                g.push("auxiliary_head.classifier", Op::Linear { outputs: 10, bias: true }, &[pooled]).unwrap();
            g.output("auxiliary", logits);
        }
    }
    let pooled = g.push("global_pooling", Op::GlobalAvgPool, &[last]).unwrap();
    let logits = g.push("classifier", Op::Linear { outputs: 10, bias: true }, &[pooled]).unwrap();
    g.output("logits", logits);
    g
}

/// Diagrams of many shapes, by name.
fn gallery() -> Vec<(String, Diagram)> {
    let mut all = Vec::new();
    for (name, cell) in ["normal", "reduction"].into_iter().zip(darts_v2()) {
        all.push((name.to_string(), cell.diagram(name).unwrap()));
    }
    // Every node reads every earlier state: the supernet's cell.
    let edges = (0..4).flat_map(|node| (0..node + 2).map(move |from| (from, node, MAX.to_string()))).collect();
    let full = CellPlan { name: String::new(), inputs: 2, edges, nodes: 4, concat: vec![2, 3, 4, 5] };
    all.push(("full".into(), full.diagram("full").unwrap()));
    for detail in [network::Detail::Groups(2), network::Detail::Operations] {
        let name = format!("network {detail:?}");
        all.push((name.clone(), network::diagram(&network(8, true), &name, detail).unwrap()));
    }
    let mut twice = Diagram { direction: Direction::Down, ..Diagram::default() };
    let (a, b) = (twice.add(Block::new("a", Kind::Input)), twice.add(Block::new("b", Kind::Output)));
    twice.join(a, b, SKIP, Kind::Skip);
    twice.join(a, b, S3, Kind::Separable);
    twice.add(Block::new("alone", Kind::State));
    all.push(("parallel arrows".into(), twice));
    all.push(("empty".into(), Diagram::default()));
    all
}
