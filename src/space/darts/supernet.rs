//! The supernet: on every edge of every cell, a choice among all primitives.

use super::skeleton::{self, Place};
use super::{CELL_INPUTS, Darts, Variant};
use crate::graph::{Candidate, Choice, Features, Graph, NodeId, Op, Options, Table};
use crate::space::{NetworkSettings, SpaceError};

/// Tables of architecture weights: cells of one kind share theirs.
pub(super) const TABLES: [&str; 2] = ["alphas_normal", "alphas_reduce"];

pub(super) fn supernet(space: &Darts, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    let mut graph =
        skeleton::network(settings, Variant::Search, |graph, place, inputs| cell(space, graph, place, inputs))?;
    // Both, in this order, even where every cell reduces (two layers) or the first one does.
    let options: Vec<String> = space.primitives().iter().map(ToString::to_string).collect();
    let table = |name: &str| Table { name: name.to_owned(), rows: space.edges(), options: options.clone() };
    graph.declared = TABLES.map(table).to_vec();
    Ok(graph)
}

fn cell(space: &Darts, graph: &mut Graph, place: &Place, inputs: [NodeId; 2]) -> Result<NodeId, SpaceError> {
    let mut states = inputs.to_vec();
    let mut edge = 0;
    for _ in 0..space.nodes() {
        let mut incoming = Vec::with_capacity(states.len());
        for (state, &input) in states.iter().enumerate() {
            incoming.push(mixed(space, graph, place, edge, input, place.stride(state))?);
            edge += 1;
        }
        states.push(graph.push(format!("{}.states.{}", place.name, states.len()), Op::Add, &incoming)?);
    }
    Ok(graph.push(format!("{}.concat", place.name), Op::Concat, &states[CELL_INPUTS..])?)
}

impl Darts {
    /// One edge of a normal cell alone: a graph whose input has the shape `input` and whose result is the
    /// choice among all primitives, with the given step.
    ///
    /// # Errors
    /// [`SpaceError::OddChannels`] where the map is halved and the number of channels is odd;
    /// [`SpaceError::Graph`] if the map is too small.
    pub fn mixed_edge(&self, input: Features, stride: usize) -> Result<Graph, SpaceError> {
        let mut graph = Graph::new(&[input]);
        let place = Place { name: "edge".into(), reduction: false };
        let result = mixed(self, &mut graph, &place, 0, 0, stride)?;
        graph.output("", result);
        Ok(graph)
    }
}

/// One edge: a choice point whose candidates are the primitives.
fn mixed(
    space: &Darts,
    graph: &mut Graph,
    place: &Place,
    edge: usize,
    input: NodeId,
    stride: usize,
) -> Result<NodeId, SpaceError> {
    let name = format!("{}._ops.{edge}", place.name);
    let mut candidates = Vec::with_capacity(space.primitives().len());
    for (k, primitive) in space.primitives().iter().enumerate() {
        let mut inner = Graph::new(&[graph.shape(input)]);
        let result = primitive.append(&mut inner, &format!("{name}._ops.{k}"), 0, stride, Variant::Search)?;
        inner.output("", result);
        candidates.push(Candidate { label: primitive.to_string(), graph: inner });
    }
    let table = TABLES[usize::from(place.reduction)].to_owned();
    let choice = Choice { table, row: edge, options: Options::Operations(candidates) };
    Ok(graph.push(name, Op::Choice(choice), &[input])?)
}
