//! A cell of a genotype: its edges, node by node.

use super::{GenotypeError, Primitive};

/// Most nodes of a cell: the number of edges grows with its square.
pub const MOST_NODES: usize = 32;
/// Number of input states of a cell.
pub const CELL_INPUTS: usize = 2;
/// Most edges of a node of a genotype.
pub const MOST_EDGES: usize = 64;
/// Nodes of the published cells.
pub(super) const PUBLISHED_NODES: usize = 4;
/// Edges that a derived node keeps.
pub(super) const KEPT_EDGES: usize = 2;

/// One kept edge: a primitive applied to an earlier state of the cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// The primitive.
    pub primitive: Primitive,
    /// The state it reads: 0 and 1 are the cell's inputs, 2 its first node.
    pub input: usize,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CellGenotype {
    /// The edges that each node sums, node by node; `none` stands for one that is left out. A node without edges does not
    /// exist: nothing reads it and it is not joined. Cells of DARTS' own space have two edges a node.
    pub nodes: Vec<Vec<Edge>>,
    /// The states whose channels are joined to the cell's output.
    pub concat: Vec<usize>,
}

impl CellGenotype {
    /// A cell of two edges a node, in order.
    pub fn of_pairs(edges: impl IntoIterator<Item = Edge>, concat: Vec<usize>) -> Self {
        let edges: Vec<Edge> = edges.into_iter().collect();
        Self { nodes: edges.chunks(KEPT_EDGES).map(<[Edge]>::to_vec).collect(), concat }
    }

    /// All edges, node by node.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.nodes.iter().flatten()
    }

    /// Whether each node has two edges, as in DARTS' own space.
    pub fn has_pairs(&self) -> bool {
        self.nodes.iter().all(|edges| edges.len() == KEPT_EDGES)
    }

    pub(super) fn check(&self, cell: &'static str) -> Result<(), GenotypeError> {
        let wrong = |problem: String| Err(GenotypeError::Cell { cell, problem });
        if self.edges().next().is_none() {
            return wrong("has no edges".into());
        }
        if self.nodes.len() > MOST_NODES {
            return wrong(format!("{} nodes: at most {MOST_NODES} are supported", self.nodes.len()));
        }
        let exists = |state: usize| state < CELL_INPUTS || !self.nodes[state - CELL_INPUTS].is_empty();
        for (node, edges) in self.nodes.iter().enumerate() {
            let states = node + CELL_INPUTS;
            if edges.len() > MOST_EDGES {
                return wrong(format!("node {node} has {} edges: at most {MOST_EDGES} are supported", edges.len()));
            }
            for edge in edges {
                let Edge { primitive, input } = edge;
                if *input >= states {
                    let last = states - 1;
                    return wrong(format!(
                        "`{primitive}` of node {node} reads state {input}, but node {node} can read states 0 to {last} only"
                    ));
                }
                if !exists(*input) {
                    return wrong(format!("`{primitive}` of node {node} reads state {input}, which no edge enters"));
                }
            }
        }
        if self.concat.is_empty() {
            return wrong("joins no states: the concatenation is empty".into());
        }
        let states = CELL_INPUTS + self.nodes.len();
        for (i, &state) in self.concat.iter().enumerate() {
            if state >= states {
                return wrong(format!("joins state {state}, but has states 0 to {} only", states - 1));
            }
            if !exists(state) {
                return wrong(format!("joins state {state}, which no edge enters"));
            }
            if self.concat[..i].contains(&state) {
                return wrong(format!("joins state {state} twice"));
            }
            if cell == "reduce" && state < CELL_INPUTS {
                return wrong(format!("joins its input {state}, which is twice as large as its output must be"));
            }
        }
        Ok(())
    }
}
