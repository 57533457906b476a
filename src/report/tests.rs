
use super::*;
use cell::CellDrawing;

pub(super) fn cell(edges: &[(&str, usize)]) -> CellDrawing {
    CellDrawing {
        edges: edges.iter().enumerate().map(|(i, (op, from))| (*from, i / 2, (*op).into())).collect(),
        nodes: edges.len() / 2,
        concat: (2..2 + edges.len() / 2).collect(),
    }
}

const S3: &str = "sep_conv_3x3";
const SKIP: &str = "skip_connect";
const MAX: &str = "max_pool_3x3";

pub(super) fn darts_v2() -> [CellDrawing; 2] {
    [
        cell(&[(S3, 0), (S3, 1), (S3, 0), (S3, 1), (S3, 1), (SKIP, 0), (SKIP, 0), ("dil_conv_3x3", 2)]),
        cell(&[(MAX, 0), (MAX, 1), (SKIP, 2), (MAX, 1), (MAX, 0), (SKIP, 2), (SKIP, 2), (MAX, 1)]),
    ]
}

use crate::graph::{Candidate, Choice, Conv, Features, Graph, Op, Options, Pool};

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
            let pool = Op::MaxPool(Pool { kernel: 3, stride, padding: 1, count_padding: false });
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
                    candidate("none", Op::Zero { stride }), candidate("max_pool_3x3", pool),
                    candidate("sep_conv_3x3", Op::Conv(Conv::square(x.channels, x.channels, 3, stride))),
                    candidate("dil_conv_5x5", Op::Conv(Conv::square(x.channels, x.channels, 5, stride))),
                ];
                Op::Choice(Choice { table: table.into(), row: edge, options: Options::Operations(options) })
            } else { pool };
            states.push(g.push(format!("cells.{cell}._ops.{edge}"), op, &[states[edge]]).unwrap());
        }
        let sum = g.push("", Op::Add, &states[2..]).unwrap();
        let joined = g.push(format!("cells.{cell}.concat"), Op::Concat, &[sum]).unwrap();
        (before, last) = (last, joined);
        if cell == 2 * cells / 3 {
            let features = g.push("auxiliary_head.features.0", Op::Relu, &[last]).unwrap();
            let pooled = g.push("auxiliary_head.features.1", Op::GlobalAvgPool, &[features]).unwrap();
            let logits = g.push("auxiliary_head.classifier", Op::Linear { outputs: 10, bias: true }, &[pooled]).unwrap();
            g.output("auxiliary", logits);
        }
    }
    let pooled = g.push("global_pooling", Op::GlobalAvgPool, &[last]).unwrap();
    let logits = g.push("classifier", Op::Linear { outputs: 10, bias: true }, &[pooled]).unwrap();
    g.output("logits", logits);
    g
}

#[test]
fn dump_networks() {
    use network::*;
    let write = |n: &str, d: Diagram| std::fs::write(format!("/tmp/pics/{n}.svg"), svg::draw(&d).unwrap()).unwrap();
    write("net8", diagram(&network(8, true), "Supernet", Detail::Groups(2)).unwrap());
    write("net20", diagram(&network(20, false), "Evaluation network", Detail::Groups(2)).unwrap());
    write("ops3", diagram(&network(3, true), "All", Detail::Operations).unwrap());
    let t = std::time::Instant::now();
    write("ops20", diagram(&network(60, false), "All", Detail::Operations).unwrap());
    println!("{:?}", t.elapsed());
    println!("{}", text::write(&diagram(&network(3, true), "Supernet", Detail::Groups(2)).unwrap()).unwrap());
}

#[test]
fn dump_plots() {
    use plot::*;
    let write = |n: &str, s: String| std::fs::write(format!("/tmp/pics/{n}.svg"), s).unwrap();
    let f = |k: f64, a: f64| (0..50).map(|e| a - (a - 30.0) * (-(e as f64) / k).exp() + (e as f64 * 1.7 * k).sin() * 0.8).collect::<Vec<_>>();
    let mut gap = f(9.0, 90.0); gap[20] = f64::NAN;
    let acc = [Series::by_epoch("train", &f(7.0, 97.0)), Series::by_epoch("validation", &gap)];
    let loss = [Series::by_epoch("train", &f(7.0, 97.0).iter().map(|a| -(a/100.0).ln()).collect::<Vec<_>>()), Series::by_epoch("validation", &[1.3])];
    write("curves", training_curves("Search on digits", &acc, &loss).unwrap());
    let ops = ["none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"];
    let epochs = (0..50).map(|e| (0..14).map(|edge| {
        let l: Vec<f64> = (0..8).map(|o| (e as f64 / 50.0 * ((o * 7 + edge * 3) % 5) as f64 * 0.4).exp()).collect();
        let s: f64 = l.iter().sum(); l.iter().map(|x| x / s).collect() }).collect()).collect();
    let h = AlphaHistory { operations: ops.iter().map(|s| s.to_string()).collect(), edges: vec!["c_{k-2} → 0".into()], epochs };
    write("alpha", alpha_means("Normal cell", &h).unwrap());
    write("edges", alpha_edges("Normal cell", &h).unwrap());
    let b = |n: &str, v, d, e| Bar { name: n.into(), value: v, deviation: d, emphasis: e };
    write("bars", bars("Retrained from scratch", "test accuracy (%)", &[b("searched", 97.24, Some(0.09), true), b("random cells (5)", 96.1, Some(1.2), false), b("baseline", 93.0, None, false), b("broken", f64::NAN, None, false)], 2).unwrap());
}

#[test]
fn dump() {
    let [n, r] = darts_v2();
    let d = [n.diagram("Normal cell").unwrap(), r.diagram("Reduction cell").unwrap()];
    std::fs::create_dir_all("/tmp/pics").unwrap();
    std::fs::write("/tmp/pics/v2.svg", svg::arrange("DARTS_V2", &d, svg::Arrangement::Stacked).unwrap()).unwrap();
    let v1 = [
        cell(&[(S3, 1), (S3, 0), (SKIP, 0), (S3, 1), (SKIP, 0), (S3, 1), (S3, 0), (SKIP, 2)]),
        cell(&[(MAX, 0), (MAX, 1), (SKIP, 2), (MAX, 0), (MAX, 0), (SKIP, 2), (SKIP, 2), ("avg_pool_3x3", 0)]),
    ].map(|c| c.diagram("cell").unwrap());
    std::fs::write("/tmp/pics/v1.svg", svg::arrange("", &v1, svg::Arrangement::SideBySide).unwrap()).unwrap();
    println!("{}\n{}", dot::write(&d[0]), text::write(&d[0]).unwrap());
}
