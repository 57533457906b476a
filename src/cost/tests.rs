use super::*;
use crate::graph::{Candidate, Choice, Conv, Options};

fn classifier() -> Graph {
    let mut graph = Graph::new(&[Features::new(3, 8, 8)]);
    let conv = graph.push("conv", Op::Conv(Conv { bias: true, ..Conv::square(3, 4, 3, 2) }), &[0]).unwrap();
    let norm = graph.push("bn", Op::BatchNorm { affine: true }, &[conv]).unwrap();
    let linear = graph.push("fc", Op::Linear { outputs: 5, bias: true }, &[norm]).unwrap();
    graph.output("logits", linear);
    graph
}

#[test]
fn every_quantity_is_what_the_arithmetic_says() {
    let cost = Cost::of(&classifier(), 2).unwrap();
    assert_eq!(cost.parameters, (4 * 3 * 9 + 4) + 2 * 4 + (5 * 64 + 5));
    assert_eq!(cost.multiply_adds, 4 * 16 * 27 + 5 * 64);
    assert_eq!(cost.activation_bytes, 2 * 4 * (192 + 64 + 64 + 5));
    assert_eq!(cost.parameters, parameters(&classifier()).unwrap());
}

#[test]
fn the_table_by_node_adds_up() {
    let cost = Cost::of(&classifier(), 3).unwrap();
    let names: Vec<&str> = cost.nodes.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["", "conv", "bn", "fc"]);
    assert_eq!(cost.nodes.iter().map(|n| n.multiply_adds).sum::<u64>(), cost.multiply_adds);
    assert_eq!(cost.nodes.iter().map(|n| n.activation_bytes).sum::<u64>(), cost.activation_bytes);
}

#[test]
fn a_choice_point_costs_all_its_candidates_and_its_own_output() {
    let x = Features::new(4, 4, 4);
    let candidate = |label: &str, ops: &[Op]| {
        let mut graph = Graph::new(&[x]);
        let last = ops.iter().fold(0, |at, op| graph.push("", op.clone(), &[at]).unwrap());
        graph.output("", last);
        Candidate { label: label.into(), graph }
    };
    let options = Options::Operations(vec![
        candidate("one", &[Op::Relu, Op::Conv(Conv::square(4, 4, 1, 1))]),
        candidate("two", &[Op::Identity]),
    ]);
    let mut graph = Graph::new(&[x]);
    graph.push("mixed", Op::Choice(Choice::new("alphas", 0, options)), &[0]).unwrap();
    let cost = Cost::of(&graph, 1).unwrap();
    assert_eq!((cost.parameters, cost.multiply_adds), (16, 16 * 16));
    // Input, the two nodes of `one`, the one of `two`, and the mixture.
    assert_eq!(cost.activation_bytes, 5 * 64 * 4);
    let inside: Vec<_> = cost.nodes.iter().map(|n| n.candidate.as_deref()).collect();
    assert_eq!(inside, [None, Some("one"), Some("one"), Some("two"), None]);
}

#[test]
fn too_large_a_batch_is_an_error_that_names_the_node() {
    let error = Cost::of(&classifier(), usize::MAX).unwrap_err();
    assert_eq!(error, CostError::Overflow { node: "input".into(), quantity: "activation bytes" });
}
