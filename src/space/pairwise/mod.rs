//! Cells whose nodes are sums of two pairs of an earlier state and an operation on it, as NASNet introduced them
//! (Zoph et al., CVPR 2018, section 3.1) and ENAS shares weights among them.
//!
//! Each node reads two earlier states, which may be the same; the states that no node reads, inputs included, are
//! the cell's output. There are two cells: one keeps the map, one halves it. In a supernet a node has two choice
//! points, one a side, each among all pairs of an earlier state and an operation: every pair has weights of its own.
//! Which states are joined follows from the architecture, but is a choice point for each state nevertheless.

mod cell;
mod space;
mod text;

pub(super) use cell::{Place, reduced};
pub use space::PairSpace;

use super::darts::Primitive;
use super::weights::largest;
use super::{Architecture, CellPlan, Decision, Question, SpaceError, TableWeights};
use crate::graph::Table;

/// Number of input states of a cell.
pub const CELL_INPUTS: usize = 2;
/// Pairs that a node adds up.
pub const SIDES: usize = 2;
/// What the two cells are called.
const KINDS: [&str; 2] = ["normal", "reduce"];
/// Options of a state's choice of being joined.
const JOIN: [&str; 2] = ["none", "join"];

/// One side of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Side {
    /// The state it reads: 0 and 1 are the cell's inputs, 2 its first node.
    pub state: usize,
    /// What is applied to it.
    pub primitive: Primitive,
}

/// A cell: the two sides of each node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    /// Its nodes, in order.
    pub nodes: Vec<[Side; SIDES]>,
}

impl Cell {
    /// The states that no node reads, inputs included: the cell's output. The last node is always among them.
    pub fn unused(&self) -> Vec<usize> {
        let is_read = |state: &usize| self.nodes.iter().flatten().any(|side| side.state == *state);
        (0..CELL_INPUTS + self.nodes.len()).filter(|state| !is_read(state)).collect()
    }

    fn plan(&self, name: &str) -> CellPlan {
        let edges = self
            .nodes
            .iter()
            .enumerate()
            .flat_map(|(node, sides)| sides.iter().map(move |side| (side.state, node, side.primitive.to_string())));
        CellPlan {
            name: name.to_owned(),
            inputs: CELL_INPUTS,
            edges: edges.collect(),
            nodes: self.nodes.len(),
            concat: self.unused(),
        }
    }
}

/// The decisions of a normal and a reduction cell, and all that follows from them alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pairs {
    /// Name of the space.
    pub space: &'static str,
    /// Nodes of a cell.
    pub nodes: usize,
    /// The operations, in the order of options.
    pub primitives: &'static [Primitive],
    /// Architectures known by name, as texts.
    pub named: &'static [(&'static str, &'static str)],
}

impl Pairs {
    /// For each node of each cell input 1, operation 1, input 2, operation 2.
    pub fn decisions(&self) -> Vec<Decision> {
        let operations = self.names();
        let mut decisions = Vec::new();
        for kind in KINDS {
            for node in 0..self.nodes {
                for side in 0..SIDES {
                    let inputs = (0..node + CELL_INPUTS).map(|state| state.to_string()).collect();
                    decisions.push(Decision { name: format!("{kind}_node{node}_input{side}"), options: inputs });
                    let name = format!("{kind}_node{node}_operation{side}");
                    decisions.push(Decision { name, options: operations.clone() });
                }
            }
        }
        decisions
    }

    /// Names of the operations.
    pub fn names(&self) -> Vec<String> {
        self.primitives.iter().map(ToString::to_string).collect()
    }

    /// Cell by cell, node by node: input 1, input 2, operation 1, operation 2. `biases` are those of the operations'
    /// logits, for the normal and the reduction cell.
    pub fn questions(&self, biases: [&[f32]; 2]) -> Vec<Question> {
        let mut questions = Vec::new();
        for (kind, bias) in biases.into_iter().enumerate() {
            questions.push(Question::Cell { inputs: CELL_INPUTS });
            for node in 0..self.nodes {
                let first = (kind * self.nodes + node) * 2 * SIDES;
                questions.extend([0, 2].map(|place| Question::State { decision: first + place }));
                questions.extend([1, 3].map(|place| Question::Option {
                    decision: first + place,
                    vocabulary: 0,
                    bias: bias.to_vec(),
                }));
                questions.push(Question::Node);
            }
        }
        questions
    }

    /// The normal and the reduction cell of an architecture.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] if it is not one of this space.
    pub fn cells(&self, architecture: &Architecture) -> Result<[Cell; 2], SpaceError> {
        architecture.check(self.space, &self.decisions())?;
        let side = |pair: &[usize]| Side { state: pair[0], primitive: self.primitives[pair[1]] };
        let cell = |answers: &[usize]| Cell {
            nodes: answers.chunks_exact(2 * SIDES).map(|a| [side(&a[..2]), side(&a[2..])]).collect(),
        };
        let (normal, reduce) = architecture.answers.split_at(architecture.answers.len() / 2);
        Ok([cell(normal), cell(reduce)])
    }

    /// The cells to be drawn.
    pub fn plans(&self, architecture: &Architecture) -> Vec<CellPlan> {
        let plan = |(kind, cell): (&str, Cell)| cell.plan(kind);
        self.cells(architecture).map(|cells| KINDS.into_iter().zip(cells).map(plan).collect()).unwrap_or_default()
    }

    /// Names of a normal cell's operations.
    pub fn operations(&self, architecture: &Architecture) -> Vec<String> {
        let normal = self.cells(architecture).into_iter().flat_map(|[normal, _]| normal.nodes).flatten();
        normal.map(|side| side.primitive.to_string()).collect()
    }

    /// The tables of a supernet: one for each node of each cell, with a row for each side and an option for each pair
    /// of an earlier state and an operation; one for each cell, with a row for each state, which may be joined.
    pub fn tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        for kind in KINDS {
            for node in 0..self.nodes {
                let label = |state: usize| self.primitives.iter().map(move |primitive| format!("{state}:{primitive}"));
                let options = (0..node + CELL_INPUTS).flat_map(label).collect();
                tables.push(Table { name: node_table(kind, node), rows: SIDES, options });
            }
            let rows = CELL_INPUTS + self.nodes;
            tables.push(Table { name: output_table(kind), rows, options: JOIN.map(str::to_owned).to_vec() });
        }
        tables
    }

    /// The heaviest pair of each side, the first of equal ones. Which states are joined follows from them.
    ///
    /// # Errors
    /// [`SpaceError::Weights`] if a table is missing, misshapen or not finite.
    pub fn derive(&self, weights: &[TableWeights]) -> Result<Architecture, SpaceError> {
        let mut answers = Vec::new();
        for kind in KINDS {
            for node in 0..self.nodes {
                let options = (node + CELL_INPUTS) * self.primitives.len();
                let table = TableWeights::find(weights, &node_table(kind, node), SIDES, options)?;
                for side in 0..SIDES {
                    let pair = largest(table.row(side).iter().copied());
                    answers.extend([pair / self.primitives.len(), pair % self.primitives.len()]);
                }
            }
        }
        Ok(Architecture { answers })
    }

    /// One-hot weights of an architecture.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] if it is not one of this space.
    pub fn settle(&self, architecture: &Architecture) -> Result<Vec<TableWeights>, SpaceError> {
        let cells = self.cells(architecture)?;
        let mut tables = self.tables().into_iter();
        let mut settled = Vec::new();
        let mut answers = architecture.answers.chunks_exact(2);
        let one_hot = |table: Table, chosen: Vec<usize>| {
            let (rows, options) = (table.rows, table.options.len());
            let values =
                chosen.into_iter().flat_map(|taken| (0..options).map(move |k| f32::from(u8::from(k == taken))));
            TableWeights { name: table.name, rows, options, values: values.collect() }
        };
        for cell in cells {
            for table in tables.by_ref().take(self.nodes) {
                let pair = |pair: &[usize]| pair[0] * self.primitives.len() + pair[1];
                settled.push(one_hot(table, answers.by_ref().take(SIDES).map(pair).collect()));
            }
            let unused = cell.unused();
            let joined = (0..CELL_INPUTS + self.nodes).map(|state| usize::from(unused.contains(&state))).collect();
            settled.extend(tables.next().map(|table| one_hot(table, joined)));
        }
        Ok(settled)
    }
}

fn node_table(kind: &str, node: usize) -> String {
    format!("alphas_{kind}_node{node}")
}

fn output_table(kind: &str) -> String {
    format!("alphas_{kind}_output")
}

#[cfg(test)]
mod tests;
