//! Which values a pass reads: what nobody reads is not computed.

use super::{NOTHING, Path};
use crate::graph::{Choice, Graph, NodeId, Op, Options, Output};

/// How often each node's value is read on the way to `outputs`, along `path` if there is one; 0 for what is not
/// needed at all.
pub(super) fn readers(graph: &Graph, outputs: &[Output], path: Option<&Path>) -> Vec<usize> {
    let mut readers = vec![0; graph.nodes.len()];
    outputs.iter().for_each(|o| readers[o.node] += 1);
    for index in (0..graph.nodes.len()).rev() {
        if readers[index] > 0 {
            reads(graph, index, path).into_iter().for_each(|input| readers[input] += 1);
        }
    }
    readers
}

/// The nodes whose values a node reads. A sum leaves out the choice points at which the path takes zeros, so that
/// what leads to them is not computed; of nothing but zeros it reads the first.
pub(super) fn reads(graph: &Graph, node: NodeId, path: Option<&Path>) -> Vec<NodeId> {
    let node = &graph.nodes[node];
    let (Op::Add, Some(path)) = (&node.op, path) else { return node.inputs.clone() };
    let is_nothing = |&input: &NodeId| match &graph.nodes[input].op {
        Op::Choice(choice @ Choice { table, row, options: Options::Operations(candidates), .. }) => {
            let taken = path.get(&(table.clone(), *row)).map(|taken| choice.computed(*taken));
            let zero = |taken: usize| candidates.get(taken).is_some_and(|candidate| is_zero(&candidate.graph));
            taken.is_some_and(|taken| taken == NOTHING || zero(taken))
        }
        _ => false,
    };
    let something: Vec<NodeId> = node.inputs.iter().copied().filter(|input| !is_nothing(input)).collect();
    if something.is_empty() { node.inputs[..node.inputs.len().min(1)].to_vec() } else { something }
}

/// Whether a candidate is nothing but zeros: it takes part in the softmax only.
pub(super) fn is_zero(graph: &Graph) -> bool {
    graph.outputs.first().is_some_and(|o| matches!(graph.nodes[o.node].op, Op::Zero { .. }))
}
