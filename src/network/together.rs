//! Operations of any graph that are recorded as one: what would only move memory once more.

use crate::graph::{Graph, NodeId, Op, Output, Ramp};

/// How each node of a graph is computed in a pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum How {
    /// By itself.
    Alone,
    /// A rectified value that an earlier node has: it is that node's.
    As(NodeId),
    /// A normalisation or convolution (or what hands its result on) that the activation which alone reads it computes along.
    Later,
    /// An activation that computes the normalisation or convolution before it, and holds its result within bounds.
    With(NodeId, [f32; 2]),
}

/// What is computed together of a graph whose nodes are read so often, and by how many each is read then; what is an output stays by
/// itself.
pub(super) fn together(graph: &Graph, readers: &mut [usize], outputs: &[Output], training: bool) -> Vec<How> {
    let mut how = vec![How::Alone; graph.nodes.len()];
    let is_output = |index: NodeId| outputs.iter().any(|o| o.node == index);
    let mut rectified = Vec::<(NodeId, NodeId)>::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let (Some(bounds), &[input]) = (bounds(&node.op, training), &node.inputs[..]) else { continue };
        if readers[index] == 0 {
            continue;
        }
        // Where a normalisation was taken into a convolution, an identity stands between.
        let before = |&at: &NodeId| {
            if graph.nodes[at].op == Op::Identity { graph.nodes[at].inputs.first().copied() } else { None }
        };
        let chain: Vec<NodeId> = std::iter::successors(Some(input), before).collect();
        let made = chain.last().copied().filter(|&at| matches!(graph.nodes[at].op, Op::BatchNorm { .. } | Op::Conv(_)));
        if let Some(made) = made.filter(|_| chain.iter().all(|&at| readers[at] == 1)) {
            chain.iter().for_each(|&at| how[at] = How::Later);
            how[index] = How::With(made, bounds);
        } else if node.op == Op::Relu && !is_output(index) {
            match rectified.iter().find(|(of, _)| *of == input) {
                Some(&(_, first)) => {
                    how[index] = How::As(first);
                    readers[first] += std::mem::take(&mut readers[index]);
                    readers[input] -= 1;
                }
                None => rectified.push((input, index)),
            }
        }
    }
    how
}

/// What an activation holds its input within, if that is all it does.
fn bounds(op: &Op, training: bool) -> Option<[f32; 2]> {
    match *op {
        Op::Relu => Some([0.0, f32::INFINITY]),
        Op::TrainingRelu if training => Some([0.0, f32::INFINITY]),
        Op::Ramp(Ramp { slope: 1.0, shift: 0.0, low, high }) => {
            Some([low.unwrap_or(f32::NEG_INFINITY), high.unwrap_or(f32::INFINITY)])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Conv, Features};

    #[test]
    fn activations_take_convolutions_along_through_what_hands_on() {
        let mut graph = Graph::new(&[Features { channels: 2, height: 4, width: 4 }]);
        let mut push = |op: Op, inputs: &[NodeId]| graph.push("", op, inputs).unwrap();
        let conv = || Op::Conv(Conv::square(2, 2, 1, 1));
        let (a, b) = (push(conv(), &[0]), push(conv(), &[0]));
        let (first, second) = (push(Op::Identity, &[a]), push(Op::Identity, &[b]));
        let (relu, other) = (push(Op::Relu, &[first]), push(Op::Relu, &[second]));
        let last = push(Op::Add, &[relu, other]);
        let last = push(Op::Add, &[last, b]);
        graph.output("y", last);
        let how = together(&graph, &mut graph.readers(), &graph.outputs, false);
        let taken = (How::Later, How::Later, How::With(a, [0.0, f32::INFINITY]));
        assert_eq!((how[a], how[first], how[relu]), taken);
        // Another reads what the second gives, too.
        assert_eq!((how[b], how[second], how[other]), (How::Alone, How::Alone, How::Alone));
    }

    #[test]
    fn activations_take_normalisations_along_and_rectify_once() {
        let mut graph = Graph::new(&[Features { channels: 2, height: 4, width: 4 }]);
        let x = 0;
        let mut push = |op: Op, inputs: &[NodeId]| graph.push("", op, inputs).unwrap();
        let norm = || Op::BatchNorm { affine: true };
        let six = Op::Ramp(Ramp { slope: 1.0, shift: 0.0, low: Some(0.0), high: Some(6.0) });
        let (a, b) = (push(Op::Relu, &[x]), push(Op::Relu, &[x]));
        let first = push(norm(), &[a]);
        let bounded = push(six, &[first]);
        let twice = push(norm(), &[b]);
        let rectified = push(Op::Relu, &[twice]);
        let last = push(Op::Add, &[bounded, rectified]);
        let last = push(Op::Add, &[last, twice]);
        graph.output("y", last);
        let mut readers = graph.readers();
        let how = together(&graph, &mut readers, &graph.outputs, true);
        assert_eq!((how[a], how[b]), (How::Alone, How::As(a)));
        assert_eq!((how[first], how[bounded]), (How::Later, How::With(first, [0.0, 6.0])));
        // Another reads it too.
        assert_eq!((how[twice], how[rectified]), (How::Alone, How::Alone));
        assert_eq!((readers[x], readers[a], readers[b]), (1, 2, 0));
        // A slope is more than bounds.
        assert_eq!(bounds(&Op::Ramp(Ramp { slope: 2.0, shift: 0.0, low: None, high: None }), true), None);
        assert_eq!((bounds(&Op::TrainingRelu, false), bounds(&Op::TrainingRelu, true).is_some()), (None, true));
    }
}
