//! A space of pairs of cells: what follows from the decisions is shared, the networks are the space's own.

use super::{Cell, Pairs};
use crate::graph::Graph;
use crate::space::{
    Architecture, CellPlan, Decision, Form, NetworkSettings, Question, Reads, Recipe, Space, SpaceError, TableWeights,
    baseline,
};

/// Builds a supernet.
type Supernet = fn(&Pairs, &NetworkSettings) -> Result<Graph, SpaceError>;
/// Builds the network of a normal and a reduction cell.
type Network = fn(&Pairs, &[Cell; 2], &NetworkSettings) -> Result<Graph, SpaceError>;

/// A space of a normal and a reduction cell whose nodes add up two pairs of an earlier state and an operation:
/// [`super::super::enas_micro::SPACE`], [`super::super::nasnet::SPACE`].
///
/// Its decisions are, for the normal and then the reduction cell, for each node: input 1, operation 1, input 2,
/// operation 2. The two sides of a node count as different, so most cells are counted in several orders. An
/// architecture is written as `normal=[0:avg_pool_3x3+0:sep_conv_3x3, …] reduce=[…]`, and read from that, from the numbers of
/// its answers (as ENAS publishes cells), from JSON, from a genotype that joins just the states no node reads, or by
/// name.
#[derive(Clone, Copy, Debug)]
pub struct PairSpace {
    pub(in crate::space) pairs: Pairs,
    /// What a controller's logits of the operations begin with, for the normal and the reduction cell.
    pub(in crate::space) biases: [&'static [f32]; 2],
    /// How its networks were published.
    pub(in crate::space) published: fn() -> Recipe,
    pub(in crate::space) supernet: Supernet,
    pub(in crate::space) network: Network,
    /// Whether its networks may have an auxiliary head.
    pub(in crate::space) auxiliary: bool,
}

impl PairSpace {
    /// Names of published cells that it knows.
    pub fn known(&self) -> impl Iterator<Item = &'static str> {
        self.pairs.named.iter().map(|(name, _)| *name)
    }

    /// The normal and the reduction cell of an architecture.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] if it is not one of this space.
    pub fn cells_of(&self, architecture: &Architecture) -> Result<[Cell; 2], SpaceError> {
        self.pairs.cells(architecture)
    }
}

impl Space for PairSpace {
    fn name(&self) -> &str {
        self.pairs.space
    }

    fn reads(&self) -> Reads {
        Reads { channels: true, layers: true, stem: self.auxiliary, auxiliary: self.auxiliary, drop_path: true }
    }

    fn published(&self) -> Recipe {
        (self.published)()
    }

    fn decisions(&self) -> Vec<Decision> {
        self.pairs.decisions()
    }

    fn supernet(&self, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        let mut graph = (self.supernet)(&self.pairs, settings)?;
        graph.declared = self.pairs.tables();
        Ok(graph)
    }

    /// The heaviest pair of state and operation on each side of each node. Which states are joined follows from them.
    fn derive(&self, weights: &[TableWeights]) -> Result<Architecture, SpaceError> {
        self.pairs.derive(weights)
    }

    fn decode(&self, architecture: &Architecture, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        (self.network)(&self.pairs, &self.pairs.cells(architecture)?, settings)
    }

    fn settle(&self, architecture: &Architecture) -> Result<Vec<TableWeights>, SpaceError> {
        self.pairs.settle(architecture)
    }

    fn operations(&self, architecture: &Architecture) -> Vec<String> {
        self.pairs.operations(architecture)
    }

    fn edge_primitives(&self) -> Vec<String> {
        self.pairs.names()
    }

    fn cells(&self, architecture: &Architecture) -> Vec<CellPlan> {
        self.pairs.plans(architecture)
    }

    fn questions(&self) -> Vec<Question> {
        self.pairs.questions(self.biases)
    }

    fn parse(&self, text: &str) -> Result<Architecture, SpaceError> {
        self.pairs.parse(text)
    }

    fn print(&self, architecture: &Architecture) -> String {
        self.pairs.print(architecture)
    }

    fn json(&self, architecture: &Architecture) -> serde_json::Value {
        self.pairs.json(architecture)
    }

    fn forms(&self, architecture: &Architecture) -> Vec<Form> {
        self.pairs.forms(architecture)
    }

    fn baseline(&self, settings: &NetworkSettings, parameters: u64) -> Result<Graph, SpaceError> {
        baseline::residual(settings, parameters)
    }
}
