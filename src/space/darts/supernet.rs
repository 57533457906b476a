//! The supernet: on every edge of every cell, a choice among its primitives.

use super::evaluation;
use super::sets::EdgeSets;
use super::skeleton::{self, Place};
use super::{Darts, Variant};
use crate::graph::{Candidate, Choice, Features, Graph, NodeId, Op, Options, Table};
use crate::space::{NetworkSettings, SpaceError};

pub(super) fn supernet(space: &Darts, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    let settings = space.sizes(settings);
    let mut graph = skeleton::network(&settings, Variant::Search, |graph, place, inputs| {
        cell(space, space.sets(place.reduction)?, graph, place, inputs)
    })?;
    // All, in this order, even where every cell reduces (two layers) or the first one does.
    let table = |sets: &EdgeSets| Table { name: sets.table().to_owned(), rows: space.edges(), options: sets.names() };
    graph.declared = space.cells.iter().map(table).collect();
    Ok(graph)
}

fn cell(
    space: &Darts,
    sets: &EdgeSets,
    graph: &mut Graph,
    place: &Place,
    inputs: [NodeId; 2],
) -> Result<NodeId, SpaceError> {
    let mut states = inputs.to_vec();
    for node in 0..space.nodes() {
        let mut incoming = Vec::with_capacity(states.len());
        let mut beside = Vec::new();
        for (state, edge) in EdgeSets::entering(node).enumerate() {
            let (input, stride) = (states[state], place.stride(state));
            incoming.push(mixed(sets, graph, &place.name, edge, input, stride)?);
            if space.auxiliary {
                beside.push(evaluation::beside(graph, place, edge, (input, stride), Variant::Search)?);
            }
        }
        states.push(sum(graph, &format!("{}.states.{}", place.name, states.len()), &incoming, &beside)?);
    }
    let joined: Vec<NodeId> = space.concat().map(|state| states[state]).collect();
    Ok(graph.push(format!("{}.concat", place.name), Op::Concat, &joined)?)
}

/// A node's sum. The choices are added up by themselves first, so that whoever looks for a node's edges finds them.
fn sum(graph: &mut Graph, name: &str, choices: &[NodeId], beside: &[NodeId]) -> Result<NodeId, SpaceError> {
    if beside.is_empty() {
        return Ok(graph.push(name, Op::Add, choices)?);
    }
    let mixed = graph.push(format!("{name}.mixed"), Op::Add, choices)?;
    Ok(graph.push(name, Op::Add, &[&[mixed], beside].concat())?)
}

impl Darts {
    /// One edge of a normal cell alone, the first one: a graph whose input has the shape `input` and whose result is the
    /// choice among its primitives, with the given step.
    ///
    /// # Errors
    /// [`SpaceError::OddChannels`] where the map is halved and the number of channels is odd;
    /// [`SpaceError::Graph`] if the map is too small.
    pub fn mixed_edge(&self, input: Features, stride: usize) -> Result<Graph, SpaceError> {
        let mut graph = Graph::new(&[input]);
        let result = mixed(self.sets(false)?, &mut graph, "edge", 0, 0, stride)?;
        graph.output("", result);
        Ok(graph)
    }
}

/// One edge: a choice point whose candidates are the primitives.
fn mixed(
    sets: &EdgeSets,
    graph: &mut Graph,
    cell: &str,
    edge: usize,
    input: NodeId,
    stride: usize,
) -> Result<NodeId, SpaceError> {
    let name = format!("{cell}._ops.{edge}");
    let mut candidates = Vec::with_capacity(sets.options());
    for (k, primitive) in sets.edges[edge].iter().enumerate() {
        let mut inner = Graph::new(&[graph.shape(input)]);
        let result = primitive.append(&mut inner, &format!("{name}._ops.{k}"), 0, stride, Variant::Search)?;
        inner.output("", result);
        candidates.push(Candidate { label: primitive.to_string(), graph: inner });
    }
    let choice = Choice::new(sets.table(), edge, Options::Operations(candidates));
    Ok(graph.push(name, Op::Choice(choice), &[input])?)
}
