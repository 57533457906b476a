//! Which primitives compete on which edge of a cell.

use super::{CELL_INPUTS, Primitive};
use std::ops::Range;

/// Between the names of primitives that stand at the same place of different edges.
const BETWEEN: &str = "|";

/// What is chosen among on the edges of the cells of one kind. All edges have as many primitives, with `none` at the same
/// place or nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EdgeSets {
    /// Whether these are the cells that halve the map.
    pub reduction: bool,
    /// The primitives of each edge, in order: node by node, the earlier states in order.
    pub edges: Vec<Vec<Primitive>>,
}

/// Number of edges of a cell of so many nodes, each of which reads every earlier state.
pub(super) fn edges(nodes: usize) -> usize {
    (0..nodes).map(|node| node + CELL_INPUTS).sum()
}

impl EdgeSets {
    /// What cells of this kind are called.
    pub fn kind(&self) -> &'static str {
        if self.reduction { "reduce" } else { "normal" }
    }

    /// Name of their table of architecture weights.
    pub fn table(&self) -> &'static str {
        if self.reduction { "alphas_reduce" } else { "alphas_normal" }
    }

    /// Number of primitives of each edge.
    pub fn options(&self) -> usize {
        self.edges.first().map_or(0, Vec::len)
    }

    /// The edges that enter a node, by the state they leave.
    pub fn entering(node: usize) -> Range<usize> {
        let first = edges(node);
        first..first + node + CELL_INPUTS
    }

    /// What an edge can be derived to: its primitives without `none`.
    pub fn operations(&self, edge: usize) -> impl Iterator<Item = Primitive> {
        self.edges[edge].iter().copied().filter(|&p| p != Primitive::None)
    }

    /// The primitive that an answer means on an edge. One answer beyond the decisions' options is `none`: it is never
    /// drawn, but derivations may leave out an edge.
    pub fn operation(&self, edge: usize, answer: usize) -> Primitive {
        self.operations(edge).nth(answer).unwrap_or(Primitive::None)
    }

    /// Names of the options of the table: where edges differ, all that stand at one place.
    pub fn names(&self) -> Vec<String> {
        named(&self.edges)
    }

    /// The same of the edges that enter a node, without `none`.
    pub fn operation_names(&self, node: usize) -> Vec<String> {
        named(&Self::entering(node).map(|edge| self.operations(edge).collect()).collect::<Vec<Vec<Primitive>>>())
    }
}

/// For each place the names of what stands there, each once.
fn named(edges: &[Vec<Primitive>]) -> Vec<String> {
    let place = |k: usize| {
        let mut names: Vec<&str> = Vec::new();
        for name in edges.iter().map(|set| set[k].name()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(BETWEEN)
    };
    (0..edges.first().map_or(0, Vec::len)).map(place).collect()
}
