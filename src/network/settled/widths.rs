//! Layers of a settled path become as narrow as what is kept of them.
//!
//! A choice among widths keeps the first channels and makes the others zero. Going forward, *live* is the number of leading
//! channels of a value outside which all are zero; going back, *needed* is the number of leading channels that somebody
//! reads. A node computes the smaller of both. A reader that wants channels beyond (because it turns zero into something
//! else, or moves channels about) gets zeros joined on.

use super::zeros::zeros;
use crate::graph::{Conv, Features, Graph, GraphError, Node, NodeId, Op};

/// How an operation treats channels.
enum Kind {
    /// Each by itself, zero staying zero.
    Keeps,
    /// Each by itself, zero becoming something else, perhaps.
    Fills,
    /// Each by itself, giving so many each; zero stays zero.
    Multiplies(usize),
    /// All together, each result from all of what is read; channels of zeros add nothing.
    Mixes,
    /// Some neighbours, from this one on.
    From(usize),
    /// All at once, in their places.
    Whole,
}

fn kind(op: &Op) -> Kind {
    match op {
        Op::Identity
        | Op::Relu
        | Op::TrainingRelu
        | Op::Tanh
        | Op::MaxPool(_)
        | Op::AvgPool(_)
        | Op::GlobalAvgPool
        | Op::Add
        | Op::Multiply
        | Op::Zero { .. }
        | Op::Dropout { .. }
        | Op::ScheduledDropout
        | Op::DropPath => Kind::Keeps,
        Op::Sigmoid | Op::Ramp(_) | Op::BatchNorm { .. } | Op::Noise { .. } => Kind::Fills,
        Op::Linear { .. } => Kind::Mixes,
        Op::Conv(conv) if conv.groups == 1 => Kind::Mixes,
        Op::Conv(conv) if conv.groups == conv.inputs && !conv.bias => {
            Kind::Multiplies(conv.outputs / conv.inputs.max(1))
        }
        Op::Channels { first, .. } => Kind::From(*first),
        Op::Conv(_) | Op::Input | Op::Concat | Op::Shuffle { .. } | Op::Choice(_) | Op::Fused(_) => Kind::Whole,
    }
}

/// The network in which nodes that `kept` names keep so many channels, and no layer is wider than that needs.
pub(super) fn narrowed(graph: &Graph, kept: &[Option<usize>]) -> Result<Graph, GraphError> {
    let live = live(graph, kept);
    let width = needed(graph, &live);
    let inputs: Vec<Features> = graph.nodes[..graph.input_count()].iter().map(|node| node.shape).collect();
    let mut made = Graph::new(&inputs);
    let mut place: Vec<NodeId> = (0..inputs.len()).collect();
    for (index, node) in graph.nodes.iter().enumerate().skip(inputs.len()) {
        let mut read = Vec::with_capacity(node.inputs.len());
        for &input in &node.inputs {
            let wanted = reads(node, width[index], live[input], graph.shape(input).channels);
            read.push(fit(&mut made, place[input], wanted)?);
        }
        let channels: Vec<usize> = read.iter().map(|&x| made.shape(x).channels).collect();
        // What only said that a width is kept has done its work.
        let said = matches!(node.op, Op::Identity) && kept[index].is_some();
        place.push(match read[..] {
            [only] if said => only,
            _ => made.push(node.name.clone(), resized(&node.op, &channels, width[index]), &read)?,
        });
    }
    for output in &graph.outputs {
        let node = fit(&mut made, place[output.node], graph.shape(output.node).channels)?;
        made.output(output.name.clone(), node);
    }
    Ok(made)
}

/// The number of leading channels of each node outside which all are zero.
fn live(graph: &Graph, kept: &[Option<usize>]) -> Vec<usize> {
    let mut live: Vec<usize> = Vec::with_capacity(graph.nodes.len());
    for (node, kept) in graph.nodes.iter().zip(kept) {
        let all = node.shape.channels;
        let read = node.inputs.iter().map(|&i| live[i]).max().unwrap_or(all);
        let own = match kind(&node.op) {
            Kind::Keeps => read,
            Kind::Multiplies(factor) => read * factor,
            Kind::From(first) => read.saturating_sub(first),
            Kind::Fills | Kind::Mixes | Kind::Whole => all,
        };
        live.push(own.min(kept.unwrap_or(all)).clamp(1, all));
    }
    live
}

/// The number of channels that each node computes: as many as are live and read.
fn needed(graph: &Graph, live: &[usize]) -> Vec<usize> {
    let mut width = vec![0; graph.nodes.len()];
    graph.outputs.iter().for_each(|output| width[output.node] = graph.shape(output.node).channels);
    for (index, node) in graph.nodes.iter().enumerate().rev() {
        width[index] = match kind(&node.op) {
            Kind::Whole => node.shape.channels,
            Kind::Multiplies(factor) => width[index].min(live[index]).next_multiple_of(factor.max(1)),
            _ => width[index].min(live[index]),
        }
        .max(1);
        for &input in &node.inputs {
            let read = reads(node, width[index], live[input], graph.shape(input).channels);
            width[input] = width[input].max(read);
        }
    }
    width
}

/// The number of leading channels that a node of so many channels reads of an input.
fn reads(node: &Node, width: usize, live: usize, all: usize) -> usize {
    match kind(&node.op) {
        Kind::Keeps | Kind::Fills => width,
        Kind::Multiplies(factor) => width / factor.max(1),
        Kind::Mixes => live,
        Kind::From(first) => first + width,
        Kind::Whole => all,
    }
}

/// The first so many channels of a value, zeros where it has fewer.
fn fit(graph: &mut Graph, x: NodeId, wanted: usize) -> Result<NodeId, GraphError> {
    let shape = graph.shape(x);
    match shape.channels {
        same if same == wanted => Ok(x),
        more if more > wanted => graph.push("", Op::Channels { first: 0, count: wanted }, &[x]),
        fewer => {
            let rest = zeros(graph, x, Features { channels: wanted - fewer, ..shape })?;
            graph.push("", Op::Concat, &[x, rest])
        }
    }
}

/// The operation on inputs of so many channels, giving `width`.
fn resized(op: &Op, inputs: &[usize], width: usize) -> Op {
    let read = inputs.first().copied().unwrap_or(0);
    match (op, kind(op)) {
        (Op::Conv(conv), Kind::Mixes) => Op::Conv(Conv { inputs: read, outputs: width, ..conv.clone() }),
        (Op::Conv(conv), Kind::Multiplies(_)) => {
            Op::Conv(Conv { inputs: read, outputs: width, groups: read, ..conv.clone() })
        }
        (Op::Linear { bias, .. }, _) => Op::Linear { outputs: width, bias: *bias },
        (Op::Channels { first, .. }, _) => Op::Channels { first: *first, count: width },
        _ => op.clone(),
    }
}
