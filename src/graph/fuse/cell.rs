//! Mixed cells: states, each a sum of choices among operations on earlier ones.

use super::Form;
use crate::graph::{Choice, Graph, NodeId, Op, Options};
use std::collections::HashSet;

/// An edge of a mixed cell.
#[derive(Clone, Debug, PartialEq)]
pub struct MixedEdge {
    /// The state it leads to.
    pub to: usize,
    /// Row of the architecture weights.
    pub row: usize,
    /// The options, in order.
    pub options: Vec<Form>,
}

/// A cell as a fused operation sees it.
///
/// States are numbered: first the cell's inputs, then its sums. They all have the same number of channels.
#[derive(Clone, Debug, PartialEq)]
pub struct MixedCell {
    /// Table of architecture weights.
    pub table: String,
    /// Number of inputs.
    pub inputs: usize,
    /// For each state, the step of the edges that leave it, and those edges.
    pub states: Vec<(usize, Vec<MixedEdge>)>,
    /// The states that are joined along the channels to make the result.
    pub joined: Vec<usize>,
}

impl MixedCell {
    /// Reads the cell from its graph; none if it is not one, has an operation of no [`Form`], or none that gains by it.
    pub fn of(graph: &Graph) -> Option<Self> {
        let inputs = graph.input_count();
        let [output] = graph.outputs.as_slice() else { return None };
        let mut table: Option<&str> = None;
        // The state that each node is, where it is one.
        let mut state_of: Vec<Option<usize>> = vec![None; graph.nodes.len()];
        (0..inputs).for_each(|i| state_of[i] = Some(i));
        let mut states: Vec<(usize, Vec<MixedEdge>)> = vec![(0, Vec::new()); inputs];
        for node in inputs..graph.nodes.len() {
            let Some(choices) = sum_of_choices(graph, node) else { continue };
            if matches!(graph.nodes[node].op, Op::Choice(_)) && is_summand(graph, node) {
                continue;
            }
            let to = states.len();
            for (from, choice) in choices {
                let Options::Operations(candidates) = &choice.options else { return None };
                if *table.get_or_insert(&choice.table) != choice.table {
                    return None;
                }
                let options: Vec<Form> = candidates.iter().map(|c| Form::of(&c.graph)).collect::<Option<_>>()?;
                let (stride, edges) = &mut states[state_of[from]?];
                for moved in options.iter().filter_map(Form::stride) {
                    if *stride != 0 && *stride != moved {
                        return None;
                    }
                    *stride = moved;
                }
                edges.push(MixedEdge { to, row: choice.row, options });
            }
            state_of[node] = Some(to);
            states.push((0, Vec::new()));
        }
        let joined = match &graph.nodes[output.node].op {
            Op::Concat => graph.nodes[output.node].inputs.iter().map(|&i| state_of[i]).collect::<Option<Vec<_>>>()?,
            _ => vec![state_of[output.node]?],
        };
        let mut forms = states.iter().flat_map(|(_, edges)| edges).flat_map(|edge| &edge.options);
        if !forms.any(Form::gains) {
            return None;
        }
        let sums = inputs..states.len();
        let uniform = {
            let shapes: Vec<_> = (inputs..graph.nodes.len()).filter(|&n| state_of[n].is_some()).collect();
            let channels = |n: NodeId| graph.shape(n).channels;
            shapes.windows(2).all(|pair| graph.shape(pair[0]) == graph.shape(pair[1]))
                && (0..inputs).all(|i| shapes.first().is_some_and(|&s| channels(s) == channels(i)))
        };
        // Gradients are added up per weight and per sum: neither may occur twice.
        let rows: Vec<usize> = states.iter().flat_map(|(_, edges)| edges).map(|edge| edge.row).collect();
        let once = |values: &[usize]| values.iter().collect::<HashSet<_>>().len() == values.len();
        (uniform && once(&rows) && once(&joined) && joined.iter().all(|s| sums.contains(s)))
            .then_some(())
            .and_then(|()| Some(Self { table: table?.to_owned(), inputs, states, joined }))
    }
}

/// The choices whose sum a node is, with the nodes they read. (Options that share weights are computed one after another.)
pub(super) fn sum_of_choices(graph: &Graph, node: NodeId) -> Option<Vec<(NodeId, &Choice)>> {
    let choice = |node: NodeId| match (&graph.nodes[node].op, graph.nodes[node].inputs.as_slice()) {
        (Op::Choice(choice), &[from])
            if choice.entangled.is_empty() && matches!(choice.options, Options::Operations(_)) =>
        {
            Some((from, choice))
        }
        _ => None,
    };
    match &graph.nodes[node].op {
        Op::Choice(_) => choice(node).map(|c| vec![c]),
        Op::Add => graph.nodes[node].inputs.iter().map(|&i| choice(i)).collect(),
        _ => None,
    }
}

/// Whether a node is only there to be added to others.
fn is_summand(graph: &Graph, node: NodeId) -> bool {
    let mut readers = graph.nodes.iter().filter(|n| n.inputs.contains(&node));
    let output = graph.outputs.iter().any(|o| o.node == node);
    !output && readers.next().is_some_and(|n| n.op == Op::Add) && readers.next().is_none()
}
