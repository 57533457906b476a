//! The DARTS cell space (Liu, Simonyan, Yang: "DARTS: differentiable architecture search", ICLR
//! 2019, section 2.1 and appendix A), as its reference implementation has it.
//!
//! A network is a stack of cells. A cell is a small acyclic graph: two input states (the outputs of
//! the two cells before), then a few nodes, each the sum of primitives applied to two earlier
//! states. All normal cells share one architecture, and so do the two reduction cells. Names of
//! nodes are those of the reference's modules, so that weights can be exchanged with it.

mod blocks;
mod cell;
mod decisions;
mod derive;
mod entry;
mod error;
mod evaluation;
mod forms;
mod genotype;
mod nni;
mod primitive;
pub mod published;
pub mod robust;
mod sets;
mod skeleton;
pub mod suite;
mod supernet;
mod text;

pub use blocks::{Variant, factorized_reduce, relu_conv_bn};
pub(super) use blocks::{halved, norm};
pub use cell::{CELL_INPUTS, CellGenotype, Edge, MOST_EDGES, MOST_NODES};
pub use decisions::{Darts, NAME};
pub use entry::{DartsConfig, ENTRY};
pub use error::GenotypeError;
pub use evaluation::evaluation_network;
pub use genotype::Genotype;
pub use primitive::Primitive;

pub(super) use skeleton::network as cell_network;

use super::{
    Architecture, CellPlan, Decision, Form, NetworkSettings, Reads, Recipe, Sketch, Space, SpaceError, TableWeights,
    baseline,
};
use crate::graph::Graph;
use crate::random::Random;
use cell::KEPT_EDGES;
use sets::EdgeSets;

impl Space for Darts {
    fn name(&self) -> &str {
        self.name
    }

    fn reads(&self) -> Reads {
        Reads { channels: true, layers: !self.has_one_cell(), stem: true, auxiliary: true, drop_path: true }
    }

    fn published(&self) -> Recipe {
        self.published
    }

    fn decisions(&self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        for sets in &self.cells {
            let kind = sets.kind();
            for node in 0..self.nodes {
                let operations = sets.operation_names(node);
                for slot in 0..KEPT_EDGES {
                    let inputs = (0..node + CELL_INPUTS).map(|state| state.to_string()).collect();
                    decisions.push(Decision { name: format!("{kind}_node{node}_input{slot}"), options: inputs });
                    let name = format!("{kind}_node{node}_operation{slot}");
                    decisions.push(Decision { name, options: operations.clone() });
                }
            }
        }
        decisions
    }

    /// Also with `none` in place of operations: see [`Space::leaves_out`].
    fn check(&self, architecture: &Architecture) -> Result<(), SpaceError> {
        let mut decisions = self.decisions();
        decisions.iter_mut().skip(1).step_by(2).for_each(|d| d.options.push(Primitive::None.to_string()));
        architecture.check(self.name(), &decisions)
    }

    fn supernet(&self, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        supernet::supernet(self, settings)
    }

    fn derive(&self, weights: &[TableWeights]) -> Result<Architecture, SpaceError> {
        derive::derive(self, weights)
    }

    fn leaves_out(&self) -> bool {
        true
    }

    fn decode(&self, architecture: &Architecture, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        self.network(&self.genotype(architecture)?, settings)
    }

    fn settle(&self, architecture: &Architecture) -> Result<Vec<TableWeights>, SpaceError> {
        self.check(architecture)?;
        let table = |(sets, answers): (&EdgeSets, &[usize])| {
            let options = sets.options();
            let mut values = vec![0.0; self.edges() * options];
            for (place, pair) in answers.chunks_exact(2).enumerate() {
                let edge = EdgeSets::entering(place / KEPT_EDGES).start + pair[0];
                let Some(operation) = sets.operations(edge).nth(pair[1]) else { continue };
                let option = sets.edges[edge].iter().position(|&p| p == operation).unwrap_or(0);
                values[edge * options + option] += 1.0;
            }
            TableWeights { name: sets.table().to_owned(), rows: self.edges(), options, values }
        };
        Ok(self.kinds(architecture).map(table).collect())
    }

    fn operations(&self, architecture: &Architecture) -> Vec<String> {
        let first = self.cells(architecture).into_iter().next();
        first.into_iter().flat_map(|cell| cell.edges).map(|(_, _, operation)| operation).collect()
    }

    fn edge_primitives(&self) -> Vec<String> {
        self.primitives().into_iter().filter(|&p| p != Primitive::None).map(|p| p.to_string()).collect()
    }

    fn cells(&self, architecture: &Architecture) -> Vec<CellPlan> {
        let all = self.genotype(architecture).map(|g| g.cells()).unwrap_or_default();
        // Of one kind only the last occurs.
        let unused = all.len().saturating_sub(self.cells.len());
        all.into_iter().skip(unused).collect()
    }

    /// Any genotype, whatever its nodes, primitives and concatenation.
    fn decode_text(&self, text: &str, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        self.network(&Genotype::read(text)?, settings)
    }

    /// Any genotype, as [`Space::decode_text`].
    fn sketch(&self, text: &str) -> Result<Sketch, SpaceError> {
        let genotype = Genotype::read(text)?;
        let (text, json, cells) = (genotype.to_string(), genotype.json(), genotype.cells());
        Ok(Sketch { text, json, cells, forms: genotype.forms() })
    }

    fn forms(&self, architecture: &Architecture) -> Vec<Form> {
        self.genotype(architecture).map(|genotype| genotype.forms()).unwrap_or_default()
    }

    /// Two different earlier states for each node, in either order, and uniform primitives: as the
    /// reference draws cells for random search.
    fn random(&self, random: &mut Random) -> Architecture {
        let mut answers = Vec::new();
        for (sets, node) in self.cells.iter().flat_map(|sets| (0..self.nodes).map(move |node| (sets, node))) {
            let mut states: Vec<usize> = (0..node + CELL_INPUTS).collect();
            random.shuffle(&mut states);
            for &state in &states[..KEPT_EDGES] {
                let operations = sets.operations(EdgeSets::entering(node).start + state).count();
                answers.extend([state, random.below(operations)]);
            }
        }
        Architecture { answers }
    }

    /// The two edges of a node read different states.
    fn allows(&self, architecture: &Architecture, decision: usize, answer: usize) -> bool {
        // Of the four decisions of a node the first and the third are states.
        let other = decision ^ 2;
        !decision.is_multiple_of(2) || architecture.answers.get(other) != Some(&answer)
    }

    /// Reads a genotype: the reference's text, JSON, or a published name (`DARTS_V1`, `DARTS_V2`).
    fn parse(&self, text: &str) -> Result<Architecture, SpaceError> {
        self.architecture(&Genotype::read(text)?)
    }

    /// The reference's text: `Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=…, …)`.
    fn print(&self, architecture: &Architecture) -> String {
        match self.genotype(architecture) {
            Ok(genotype) => genotype.to_string(),
            Err(_) => super::architecture::print_pairs(&self.decisions(), architecture),
        }
    }

    fn json(&self, architecture: &Architecture) -> serde_json::Value {
        match self.genotype(architecture) {
            Ok(genotype) => genotype.json(),
            Err(_) => super::architecture::json_pairs(&self.decisions(), architecture),
        }
    }

    fn baseline(&self, settings: &NetworkSettings, parameters: u64) -> Result<Graph, SpaceError> {
        baseline::residual(settings, parameters)
    }

    /// Number of cells, or pairs of cells, as the paper counts them: each node reads two different states, in no
    /// order. (The decisions also name each of them in both orders.)
    fn size(&self) -> Option<u128> {
        self.nodes_of_all().try_fold(1u128, |size, (node, operations)| {
            let (node, operations) = (node as u128, operations as u128);
            size.checked_mul((node + 2) * (node + 1) / 2 * operations * operations)
        })
    }

    fn size_log10(&self) -> f64 {
        let of = |(node, operations): (usize, usize)| {
            let (node, operations) = (node as f64, operations as f64);
            ((node + 2.0) * (node + 1.0) / 2.0 * operations * operations).log10()
        };
        self.nodes_of_all().map(of).sum()
    }
}

#[cfg(test)]
mod tests;
