use super::*;
use crate::cost::Cost;
use crate::graph::{Candidate, Choice, Conv, Options, Pool};

const MAP: Features = Features::new(4, 6, 6);

fn candidate(label: &str, ops: Vec<(&str, Op)>) -> Candidate {
    let mut graph = Graph::new(&[MAP]);
    let last = ops.into_iter().fold(0, |x, (name, op)| graph.push(name, op, &[x]).unwrap());
    graph.output("", last);
    Candidate { label: label.into(), graph }
}

fn separable(name: &str) -> Vec<(String, Op)> {
    let place = |member: usize| format!("{name}.{member}");
    vec![
        (place(0), Op::Relu),
        (place(1), Op::Conv(Conv::depthwise(4, 3, 1, 1))),
        (place(2), Op::Conv(Conv::square(4, 4, 1, 1))),
        (place(3), Op::BatchNorm { affine: false }),
    ]
}

fn choice(row: usize) -> Op {
    let ops = separable(&format!("edge.{row}"));
    let ops: Vec<(&str, Op)> = ops.iter().map(|(name, op)| (name.as_str(), op.clone())).collect();
    let pool = Op::MaxPool(Pool::new(3, 1, 1));
    let pool = candidate("pool", vec![("", pool), (&format!("norm.{row}"), Op::BatchNorm { affine: false })]);
    let none = candidate("none", vec![("", Op::Zero { stride: 1 })]);
    let options = vec![none, pool, candidate("skip", vec![("", Op::Identity)]), candidate("conv", ops)];
    Op::Choice(Choice::new("alpha", row, Options::Operations(options)))
}

/// Two states: the first mixes the input, the second both.
fn cell() -> Graph {
    let mut graph = Graph::new(&[MAP]);
    let before = graph.push("before", Op::Relu, &[0]).unwrap();
    let first = graph.push("cell.0", choice(0), &[before]).unwrap();
    let edges = [before, first].map(|from| graph.push("", choice(1 + usize::from(from == first)), &[from]).unwrap());
    let second = graph.push("cell.1", Op::Add, &edges).unwrap();
    let joined = graph.push("cell.joined", Op::Concat, &[first, second]).unwrap();
    let after = graph.push("after", Op::Relu, &[joined]).unwrap();
    graph.output("", after);
    graph
}

#[test]
fn a_mixed_cell_becomes_one_node_that_learns_and_costs_the_same() {
    let graph = cell();
    let (fused, origins) = graph.fuse();
    let names: Vec<&str> = fused.nodes.iter().map(|n| n.op.name()).collect();
    assert_eq!(names, ["input", "relu", "mixed_cell", "relu"]);
    assert_eq!(origins, [0, 1, 6, 7]);
    assert_eq!(fused.nodes[2].name, "cell");
    assert_eq!(fused.parameters(), graph.parameters());
    assert_eq!(fused.tables().unwrap(), graph.tables().unwrap());
    let (a, b) = (Cost::of(&fused, 2).unwrap(), Cost::of(&graph, 2).unwrap());
    assert_eq!(
        (a.parameters, a.multiply_adds, a.activation_bytes),
        (b.parameters, b.multiply_adds, b.activation_bytes)
    );
}

#[test]
fn a_cell_is_read_as_states_and_edges() {
    let (fused, _) = cell().fuse();
    let Op::Fused(inner) = &fused.nodes[2].op else { panic!("{:?}", fused.nodes[2].op) };
    let cell = MixedCell::of(&inner.graph).unwrap();
    assert_eq!((cell.inputs, cell.joined), (1, vec![1, 2]));
    let edges = |state: usize| cell.states[state].1.iter().map(|e| (e.to, e.row)).collect::<Vec<_>>();
    assert_eq!([edges(0), edges(1), edges(2)], [vec![(1, 0), (2, 1)], vec![(2, 2)], vec![]]);
    let [Form::Zero, Form::Pool { max: true, norm: Some(norm), .. }, Form::Identity, Form::Separable(stages)] =
        &cell.states[1].1[0].options[..]
    else {
        panic!("{:?}", cell.states[1].1[0].options)
    };
    assert_eq!((norm.as_str(), stages.len(), stages[0].depthwise.as_str()), ("norm.2", 1, "edge.2.1"));
}

#[test]
fn a_state_that_somebody_else_reads_is_left_alone() {
    let mut graph = cell();
    let first = graph.nodes.iter().position(|n| n.name == "cell.0").unwrap();
    graph.output("state", first);
    let (fused, _) = graph.fuse();
    let kinds: Vec<&str> = fused.nodes.iter().map(|n| n.op.name()).collect();
    // Each state is then a cell of its own, the second reads the first.
    assert_eq!(kinds, ["input", "relu", "mixed_cell", "mixed_cell", "concat", "relu"]);
}

/// The same cell with a candidate more on its last edge.
fn with(ops: Vec<(&str, Op)>) -> Graph {
    let mut graph = cell();
    let last = graph.nodes.iter_mut().rev().find_map(|n| if let Op::Choice(c) = &mut n.op { Some(c) } else { None });
    let Some(Choice { options: Options::Operations(options), .. }) = last else { panic!() };
    options.push(candidate("more", ops));
    graph
}

#[test]
fn an_unknown_operation_is_a_part_that_is_computed_by_itself() {
    let fused = with(vec![("", Op::Tanh)]).fuse().0;
    let kinds: Vec<&str> = fused.nodes.iter().map(|n| n.op.name()).collect();
    assert_eq!(kinds, ["input", "relu", "mixed_cell", "relu"]);
    let Op::Fused(inner) = &fused.nodes[2].op else { panic!() };
    let cell = MixedCell::of(&inner.graph).unwrap();
    let last = cell.states[1].1[0].options.last().unwrap();
    assert!(matches!(last, Form::Plain { stride: 1, graph } if graph.nodes[1].op == Op::Tanh), "{last:?}");
}

#[test]
fn convolutions_over_all_channels_are_known_with_and_without_bias() {
    for bias in [false, true] {
        let conv = Op::Conv(Conv { bias, ..Conv::square(4, 4, 3, 1) });
        let norm = ("norm", Op::BatchNorm { affine: false });
        let form = |conv: Op, norm: (&'static str, Op)| {
            Form::of(&candidate("", vec![("", Op::Relu), ("conv", conv), norm]).graph).unwrap()
        };
        let dense = Dense { kernel: 3, convolution: "conv".into(), bias, norm: "norm".into() };
        assert_eq!(form(conv.clone(), norm.clone()), Form::Dense(dense));
        // Of stride 2, or with scale and shift, it is one of the others.
        let strided = Op::Conv(Conv { bias, ..Conv::square(4, 4, 3, 2) });
        assert!(matches!(form(strided, norm), Form::Plain { stride: 2, .. }));
        assert!(matches!(form(conv, ("norm", Op::BatchNorm { affine: true })), Form::Plain { stride: 1, .. }));
    }
}

#[test]
fn where_nothing_is_gained_a_cell_stays_as_it_is() {
    let mut graph = Graph::new(&[MAP]);
    let options = vec![candidate("skip", vec![("", Op::Identity)]), candidate("tanh", vec![("", Op::Tanh)])];
    let choice = Op::Choice(Choice::new("alpha", 0, Options::Operations(options)));
    let mixed = graph.push("mixed", choice, &[0]).unwrap();
    graph.output("", mixed);
    assert_eq!(graph.fuse().0.nodes[1].op.name(), "choice");
}

#[test]
fn edges_that_share_a_row_are_not_computed_together() {
    let mut graph = cell();
    for node in &mut graph.nodes {
        if let Op::Choice(choice) = &mut node.op {
            choice.row = 0;
        }
    }
    let fused = graph.fuse().0;
    for node in &fused.nodes {
        let Op::Fused(inner) = &node.op else { continue };
        let cell = MixedCell::of(&inner.graph).unwrap();
        assert_eq!(cell.states.iter().map(|(_, edges)| edges.len()).sum::<usize>(), 1);
    }
}
