//! A cell as a part of a graph: with choice points in a supernet, plain in the network of one architecture.

use super::{CELL_INPUTS, Cell, JOIN, KINDS, Pairs, SIDES, node_table, output_table};
use crate::graph::{Candidate, Choice, Conv, Features, Graph, NodeId, Op, Options};
use crate::space::SpaceError;
use crate::space::darts::{Primitive, Variant, halved, norm};

/// Where a cell stands.
pub(in crate::space) struct Place<'a> {
    /// Its name: `cells.3`.
    pub name: &'a str,
    /// Whether it is the reduction cell.
    pub reduction: bool,
    /// Step of what reads the cell's inputs: 2 where the cell itself halves the map.
    pub stride: usize,
}

impl Place<'_> {
    fn kind(&self) -> &'static str {
        KINDS[usize::from(self.reduction)]
    }

    fn stride(&self, state: usize) -> usize {
        if state < CELL_INPUTS { self.stride } else { 1 }
    }
}

/// Appends an operation with the given name, input and step; gives the node of its result.
pub(in crate::space) trait Append:
    Fn(&mut Graph, Primitive, &str, NodeId, usize) -> Result<NodeId, SpaceError>
{
}

impl<F: Fn(&mut Graph, Primitive, &str, NodeId, usize) -> Result<NodeId, SpaceError>> Append for F {}

impl Pairs {
    /// A cell with its choice points. The states that are joined each go through a ReLU and a 1×1 convolution
    /// of their own, are added, and normalised: which is ReLU, 1×1 convolution with weights selected by
    /// state, and batch norm on their concatenation, so that the number of channels does not depend on how many
    /// there are.
    pub fn mixed_cell(
        &self,
        graph: &mut Graph,
        place: &Place<'_>,
        inputs: [NodeId; CELL_INPUTS],
        variant: Variant,
        append: impl Append,
    ) -> Result<NodeId, SpaceError> {
        let mut states = inputs.to_vec();
        for node in 0..self.nodes {
            let mut incoming = Vec::with_capacity(SIDES);
            for side in 0..SIDES {
                let name = side_name(place, node, side);
                let shapes: Vec<Features> = states.iter().map(|&state| graph.shape(state)).collect();
                let mut candidates = Vec::with_capacity(states.len() * self.primitives.len());
                for state in 0..states.len() {
                    for (k, &primitive) in self.primitives.iter().enumerate() {
                        let mut inner = Graph::new(&shapes);
                        let name = format!("{name}.{state}.{k}");
                        let result = append(&mut inner, primitive, &name, state, place.stride(state))?;
                        inner.output("", result);
                        candidates.push(Candidate { label: format!("{state}:{primitive}"), graph: inner });
                    }
                }
                let table = node_table(place.kind(), node);
                let choice = Choice::new(table, side, Options::Operations(candidates));
                incoming.push(graph.push(name, Op::Choice(choice), &states)?);
            }
            states.push(graph.push(state_name(place, states.len()), Op::Add, &incoming)?);
        }
        let mut joined = Vec::with_capacity(states.len());
        for (state, &node) in states.iter().enumerate() {
            joined.push(join(graph, place, state, node)?);
        }
        let sum = graph.push(format!("{}.joined", place.name), Op::Add, &joined)?;
        norm(graph, format!("{}.norm", place.name), sum, variant)
    }

    /// The cell of one architecture: its unused states are concatenated. An input that nobody reads is larger than
    /// the rest where the cell halves the map, and goes through factorised reduction (without ReLU, as published).
    pub fn plain_cell(
        &self,
        cell: &Cell,
        graph: &mut Graph,
        place: &Place<'_>,
        inputs: [NodeId; CELL_INPUTS],
        append: impl Append,
    ) -> Result<NodeId, SpaceError> {
        let mut states = inputs.to_vec();
        for (node, sides) in cell.nodes.iter().enumerate() {
            let mut incoming = Vec::with_capacity(SIDES);
            for (number, side) in sides.iter().enumerate() {
                let k = self.primitives.iter().position(|&p| p == side.primitive).unwrap_or_default();
                let name = format!("{}.{}.{k}", side_name(place, node, number), side.state);
                incoming.push(append(graph, side.primitive, &name, states[side.state], place.stride(side.state))?);
            }
            states.push(graph.push(state_name(place, states.len()), Op::Add, &incoming)?);
        }
        let mut joined = Vec::new();
        for state in cell.unused() {
            let mut node = states[state];
            if place.stride(state) > 1 {
                node = reduced(graph, &format!("{}.join.{state}", place.name), node, graph.shape(node).channels)?;
            }
            joined.push(node);
        }
        Ok(graph.push(format!("{}.concat", place.name), Op::Concat, &joined)?)
    }
}

/// Factorised reduction without ReLU: 1×1 convolutions of stride 2 to half the channels each, the second on the input
/// shifted by one row and column, joined, affine batch norm.
///
/// # Errors
/// [`SpaceError::OddChannels`] if `channels` is odd.
pub(in crate::space) fn reduced(
    graph: &mut Graph,
    name: &str,
    input: NodeId,
    channels: usize,
) -> Result<NodeId, SpaceError> {
    let joined = halved(graph, name, input, channels)?;
    norm(graph, format!("{name}.bn"), joined, Variant::Evaluation)
}

/// A state's choice of being joined.
fn join(graph: &mut Graph, place: &Place<'_>, state: usize, node: NodeId) -> Result<NodeId, SpaceError> {
    let (name, shape, stride) = (format!("{}.join.{state}", place.name), graph.shape(node), place.stride(state));
    let mut none = Graph::new(&[shape]);
    let zero = none.push("", Op::Zero { stride }, &[0])?;
    none.output("", zero);
    let mut join = Graph::new(&[shape]);
    let relu = join.push(format!("{name}.relu"), Op::Relu, &[0])?;
    let conv = match stride {
        1 => {
            join.push(format!("{name}.conv"), Op::Conv(Conv::square(shape.channels, shape.channels, 1, 1)), &[relu])?
        }
        _ => halved(&mut join, &name, relu, shape.channels)?,
    };
    join.output("", conv);
    let candidates = JOIN.into_iter().zip([none, join]);
    let candidates = candidates.map(|(label, graph)| Candidate { label: label.to_owned(), graph }).collect();
    let table = output_table(place.kind());
    let choice = Choice::new(table, state, Options::Operations(candidates));
    Ok(graph.push(name, Op::Choice(choice), &[node])?)
}

fn side_name(place: &Place<'_>, node: usize, side: usize) -> String {
    format!("{}.nodes.{node}.{side}", place.name)
}

fn state_name(place: &Place<'_>, state: usize) -> String {
    format!("{}.states.{state}", place.name)
}
