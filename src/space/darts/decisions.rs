//! What the space of DARTS cells leaves open, and the genotypes that answers stand for.

use super::cell::{KEPT_EDGES, PUBLISHED_NODES};
use super::evaluation::network;
use super::sets::{EdgeSets, edges};
use super::{CELL_INPUTS, CellGenotype, Edge, Genotype, MOST_NODES, Primitive};
use crate::graph::Graph;
use crate::space::settings::within;
use crate::space::{Architecture, NetworkSettings, Recipe, Space, SpaceError};
use std::ops::Range;

/// Name of the space.
pub const NAME: &str = "darts";

/// The DARTS cell space, or one like it that has other primitives on its edges.
///
/// Its decisions are, for the normal and then the reduction cell, for each node and each of its two
/// kept edges: which earlier state, and which primitive. Where edges differ in their primitives, an answer means one by its
/// place in the set of the edge. A decoded cell joins the outputs of all its nodes (of `darts-single-cell`, those of the
/// last four). Genotypes beyond that (other concatenations, other node counts) are built by [`Space::decode_text`] or
/// [`evaluation_network`](super::evaluation_network).
#[derive(Clone, Debug, PartialEq)]
pub struct Darts {
    pub(super) name: &'static str,
    pub(super) nodes: usize,
    /// The kinds of cell about which there are decisions, in order: normal and reduction, or reduction alone.
    pub(super) cells: Vec<EdgeSets>,
    /// So many of the last nodes are joined to a cell's output.
    pub(super) joined: usize,
    /// Whether a skip connection of weight 1 stands beside each edge.
    pub(super) auxiliary: bool,
    pub(super) published: Recipe,
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
        if primitives.iter().all(|&p| p == Primitive::None) {
            let given = format!("[{}]", primitives.iter().map(|p| p.name()).collect::<Vec<_>>().join(", "));
            return Err(SpaceError::setting("primitives", given, "needs at least one primitive besides `none`"));
        }
        Ok(Self::uniform(NAME, nodes, &primitives))
    }

    /// The space called `name`, with the same primitives on each edge of both cells.
    pub(super) fn uniform(name: &'static str, nodes: usize, primitives: &[Primitive]) -> Self {
        let sets = vec![primitives.to_vec(); edges(nodes)];
        Self::of_sets(name, nodes, [sets.clone(), sets])
    }

    /// The space called `name`, whose normal and reduction cells have these primitives on their edges.
    pub(super) fn of_sets(name: &'static str, nodes: usize, [normal, reduce]: [Vec<Vec<Primitive>>; 2]) -> Self {
        let cells = vec![EdgeSets { reduction: false, edges: normal }, EdgeSets { reduction: true, edges: reduce }];
        Self { name, nodes, cells, joined: nodes, auxiliary: false, published: Recipe::default() }
    }

    /// Number of intermediate nodes of a cell.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The primitives of the supernet, in order; where edges differ, those of all of them.
    pub fn primitives(&self) -> Vec<Primitive> {
        let mut all = Vec::new();
        for &primitive in self.cells.iter().flat_map(|cell| cell.edges.iter().flatten()) {
            if !all.contains(&primitive) {
                all.push(primitive);
            }
        }
        all
    }

    /// Number of edges of a cell of the supernet: each node reads every earlier state.
    pub fn edges(&self) -> usize {
        edges(self.nodes)
    }

    /// The states that a cell joins: its last nodes.
    pub(super) fn concat(&self) -> Range<usize> {
        let end = CELL_INPUTS + self.nodes;
        end - self.joined..end
    }

    /// What is chosen among in the cells that halve the map, or in those that keep it.
    pub(super) fn sets(&self, reduction: bool) -> Result<&EdgeSets, SpaceError> {
        let missing = || SpaceError::architecture(self.name, "has cells of one kind only");
        self.cells.iter().find(|sets| sets.reduction == reduction).ok_or_else(missing)
    }

    /// The sizes of its networks: a space without normal cells has just one cell.
    pub(super) fn sizes(&self, settings: &NetworkSettings) -> NetworkSettings {
        let layers = if self.has_one_cell() { 1 } else { settings.layers };
        NetworkSettings { layers, ..settings.clone() }
    }

    /// Whether its networks are one reduction cell.
    pub(super) fn has_one_cell(&self) -> bool {
        self.cells.iter().all(|sets| sets.reduction)
    }

    /// The network of a genotype.
    pub(super) fn network(&self, genotype: &Genotype, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        network(genotype, &self.sizes(settings), self.auxiliary)
    }

    /// The nodes of all kinds of cell, by number, each with the number of operations on its edges.
    pub(super) fn nodes_of_all(&self) -> impl Iterator<Item = (usize, usize)> {
        let cells = self.cells.iter().map(|sets| sets.operations(0).count());
        cells.flat_map(|operations| (0..self.nodes).map(move |node| (node, operations)))
    }

    /// Cells of a kind with the answers to their decisions: for each node two edges, each a state and an operation.
    pub(super) fn kinds<'a>(
        &'a self,
        architecture: &'a Architecture,
    ) -> impl Iterator<Item = (&'a EdgeSets, &'a [usize])> {
        self.cells.iter().zip(architecture.answers.chunks_exact(2 * KEPT_EDGES * self.nodes))
    }

    /// The genotype of an architecture of this space.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] if it is not one of this space.
    pub fn genotype(&self, architecture: &Architecture) -> Result<Genotype, SpaceError> {
        self.check(architecture)?;
        let cell = |(sets, answers): (&EdgeSets, &[usize])| {
            let edges = answers.chunks_exact(2).enumerate().map(|(place, pair)| {
                let edge = EdgeSets::entering(place / KEPT_EDGES).start + pair[0];
                Edge { primitive: sets.operation(edge, pair[1]), input: pair[0] }
            });
            CellGenotype::of_pairs(edges, self.concat().collect())
        };
        let mut cells: Vec<CellGenotype> = self.kinds(architecture).map(cell).collect();
        let reduce = cells.pop().ok_or_else(|| SpaceError::architecture(self.name, "there are no cells"))?;
        // Where all cells reduce, the genotype says of the normal cell, which does not occur, the same.
        Ok(Genotype { normal: cells.pop().unwrap_or_else(|| reduce.clone()), reduce })
    }

    /// The architecture of this space that a genotype stands for.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] if the genotype has another number of nodes, a primitive that an edge of this
    /// space lacks, or does not join the nodes that its cells join. A cell that does not occur may be anything.
    pub fn architecture(&self, genotype: &Genotype) -> Result<Architecture, SpaceError> {
        genotype.check()?;
        let wrong = |problem: String| SpaceError::architecture(self.name(), problem);
        let mut answers = Vec::new();
        for sets in &self.cells {
            let (kind, cell) = (sets.kind(), if sets.reduction { &genotype.reduce } else { &genotype.normal });
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
            if !cell.concat.iter().copied().eq(self.concat()) {
                let wanted =
                    if self.joined < self.nodes { format!("its last {}", self.joined) } else { "all its".into() };
                let problem = format!("the {kind} cell joins states {:?}, not {wanted} nodes in order", cell.concat);
                return Err(wrong(problem));
            }
            for (node, edge) in
                cell.nodes.iter().enumerate().flat_map(|(node, edges)| edges.iter().map(move |e| (node, e)))
            {
                let place = EdgeSets::entering(node).start + edge.input;
                let known: Vec<Primitive> = sets.operations(place).chain([Primitive::None]).collect();
                let Some(operation) = known.iter().position(|&p| p == edge.primitive) else {
                    let known: Vec<&str> = sets.operations(place).map(Primitive::name).collect();
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
        Self::uniform(NAME, PUBLISHED_NODES, &Primitive::DARTS)
    }
}
