//! What the space of DARTS cells leaves open, and the genotypes that answers stand for.

use super::cell::{KEPT_EDGES, PUBLISHED_NODES};
use super::{CELL_INPUTS, CellGenotype, Edge, Genotype, MOST_NODES, Primitive};
use crate::space::settings::within;
use crate::space::{Architecture, Space, SpaceError};

/// Name of the space.
pub const NAME: &str = "darts";

/// The DARTS cell space.
///
/// Its decisions are, for the normal and then the reduction cell, for each node and each of its two
/// kept edges: which earlier state, and which primitive. A decoded cell joins the outputs of all
/// its nodes. Genotypes beyond that (other concatenations, other node counts) are built by
/// [`Space::decode_text`] or [`evaluation_network`](super::evaluation_network).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Darts {
    pub(super) nodes: usize,
    pub(super) primitives: Vec<Primitive>,
    /// The primitives without `none`: what an edge can be derived to.
    pub(super) operations: Vec<Primitive>,
}

impl Darts {
    /// The space with `nodes` intermediate nodes in a cell and `primitives` on each edge.
    ///
    /// # Errors
    /// [`SpaceError::Setting`] if there are no nodes or more than [`MOST_NODES`], if a primitive
    /// is listed twice, or if there is none but `none`.
    pub fn new(nodes: usize, primitives: Vec<Primitive>) -> Result<Self, SpaceError> {
        within("nodes", nodes, MOST_NODES)?;
        if let Some((_, twice)) = primitives.iter().enumerate().find(|(i, p)| primitives[..*i].contains(p)) {
            return Err(SpaceError::setting("primitives", twice, "is listed twice"));
        }
        let operations: Vec<Primitive> = primitives.iter().copied().filter(|&p| p != Primitive::None).collect();
        if operations.is_empty() {
            let given = format!("[{}]", primitives.iter().map(|p| p.name()).collect::<Vec<_>>().join(", "));
            return Err(SpaceError::setting("primitives", given, "needs at least one primitive besides `none`"));
        }
        Ok(Self { nodes, primitives, operations })
    }

    /// Number of intermediate nodes of a cell.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The primitives on each edge of the supernet, in order.
    pub fn primitives(&self) -> &[Primitive] {
        &self.primitives
    }

    /// Number of edges of a cell of the supernet: each node reads every earlier state.
    pub fn edges(&self) -> usize {
        (0..self.nodes).map(|node| node + CELL_INPUTS).sum()
    }

    /// The genotype of an architecture of this space.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] if it is not one of this space.
    pub fn genotype(&self, architecture: &Architecture) -> Result<Genotype, SpaceError> {
        self.check(architecture)?;
        let cell = |answers: &[usize]| {
            let edges = answers.chunks_exact(2).map(|pair| Edge { primitive: self.operation(pair[1]), input: pair[0] });
            CellGenotype::of_pairs(edges, (CELL_INPUTS..CELL_INPUTS + self.nodes).collect())
        };
        let (normal, reduce) = architecture.answers.split_at(architecture.answers.len() / 2);
        Ok(Genotype { normal: cell(normal), reduce: cell(reduce) })
    }

    /// The primitive that an answer means. One answer beyond the decisions' options is `none`: it is never drawn, but
    /// derivations may leave out an edge.
    fn operation(&self, answer: usize) -> Primitive {
        self.operations.get(answer).copied().unwrap_or(Primitive::None)
    }

    /// The architecture of this space that a genotype stands for.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] if the genotype has another number of nodes, a primitive this
    /// space lacks, or does not join all its nodes.
    pub fn architecture(&self, genotype: &Genotype) -> Result<Architecture, SpaceError> {
        genotype.check()?;
        let wrong = |problem: String| SpaceError::architecture(self.name(), problem);
        let mut answers = Vec::new();
        for (kind, cell) in [("normal", &genotype.normal), ("reduce", &genotype.reduce)] {
            if cell.nodes.len() != self.nodes {
                let problem = format!("the {kind} cell has {} nodes, the space {}", cell.nodes.len(), self.nodes);
                return Err(wrong(problem));
            }
            if let Some((node, edges)) = cell.nodes.iter().enumerate().find(|(_, edges)| edges.len() != KEPT_EDGES) {
                let edges = edges.len();
                let problem =
                    format!("node {node} of the {kind} cell sums {edges} edges, those of the space {KEPT_EDGES}");
                return Err(wrong(problem));
            }
            if !cell.concat.iter().copied().eq(CELL_INPUTS..CELL_INPUTS + self.nodes) {
                let problem = format!("the {kind} cell joins states {:?}, not all its nodes in order", cell.concat);
                return Err(wrong(problem));
            }
            for edge in cell.edges() {
                let known = self.operations.iter().chain([&Primitive::None]);
                let Some(operation) = known.into_iter().position(|&p| p == edge.primitive) else {
                    let known: Vec<&str> = self.operations.iter().map(|p| p.name()).collect();
                    let problem = format!("the {kind} cell uses `{}`, not one of {}", edge.primitive, known.join(", "));
                    return Err(wrong(problem));
                };
                answers.extend([edge.input, operation]);
            }
        }
        Ok(Architecture { answers })
    }
}

impl Default for Darts {
    /// The published space: 4 nodes, 8 primitives.
    fn default() -> Self {
        let operations = Primitive::DARTS.into_iter().filter(|&p| p != Primitive::None).collect();
        Self { nodes: PUBLISHED_NODES, primitives: Primitive::DARTS.to_vec(), operations }
    }
}
