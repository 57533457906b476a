//! The macro space of ENAS (Pham, Guan, Zoph, Le, Dean: "Efficient neural architecture search via parameter sharing",
//! ICML 2018, section 2.3): a whole network, layer by layer. Each layer applies one of six operations to the output of
//! the layer before, and may add up the outputs of any of those before that, the stem included.
//!
//! After a third and after two thirds of the layers all outputs so far are halved by factorised reduction; the number
//! of channels stays. Batch norms are affine, in the supernet too: it is the published search's child network, and the
//! network of one architecture is what that computes, layer for layer by the same names. (For training from scratch the
//! authors' code builds another one: more channels behind each reduction, and skips concatenated.)

mod entry;
mod layer;
mod network;
mod text;

pub use entry::{ENTRY, MacroConfig};
pub use layer::{LAYERS, Layer, MOST_LAYERS, NAME, Operation};

use super::recipe::{nesterov, restarts};
use super::settings::within;
use super::weights::largest;
use super::{
    Architecture, Decision, Form, NetworkSettings, Question, Recipe, Regime, Size, Space, SpaceError, TableWeights,
    baseline,
};
use crate::graph::Graph;
use layer::{SKIP, TABLES, first_skip};

/// The macro space of ENAS.
///
/// Its decisions are, for each layer, its operation, and then for the stem and each layer but the one before it
/// whether their output is added. An architecture is written as `conv_3x3 | sep_conv_3x3 0 | max_pool_3x3 10 | …`, layer by
/// layer the operation and a digit for each skip, and read from that, from the published search's numbers
/// (`0 1 0 5 1 0 …`) or from JSON. The number of layers is the space's own: [`NetworkSettings::layers`] says nothing to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnasMacro {
    layers: usize,
}

impl Default for EnasMacro {
    /// The published space: 12 layers.
    fn default() -> Self {
        Self { layers: LAYERS }
    }
}

impl EnasMacro {
    /// The space of networks of so many layers.
    ///
    /// # Errors
    /// [`SpaceError::Setting`] if there are none or more than [`MOST_LAYERS`].
    pub fn new(layers: usize) -> Result<Self, SpaceError> {
        within("space.layers", layers, MOST_LAYERS)?;
        Ok(Self { layers })
    }

    /// Number of layers.
    pub fn layers(&self) -> usize {
        self.layers
    }

    /// The layers of an architecture.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] if it is not one of this space.
    pub fn layers_of(&self, architecture: &Architecture) -> Result<Vec<Layer>, SpaceError> {
        architecture.check(NAME, &self.decisions())?;
        let mut answers = architecture.answers.iter();
        let layer = |layer: usize| {
            let operation = Operation::ALL[answers.next().copied().unwrap_or_default()];
            Layer { operation, skips: answers.by_ref().take(layer).map(|&answer| answer == 1).collect() }
        };
        Ok((0..self.layers).map(layer).collect())
    }

    /// Number of skips that can be.
    fn skips(&self) -> usize {
        first_skip(self.layers)
    }
}

/// What a skip comes from: output 0 is the stem's, 1 that of layer 0.
fn output_name(output: usize) -> String {
    if output == 0 { "stem".to_owned() } else { format!("layer{}", output - 1) }
}

impl Space for EnasMacro {
    fn name(&self) -> &str {
        NAME
    }

    /// The published weight decay is that of a penalty, half a square: its gradient has twice the factor.
    fn published(&self) -> Recipe {
        let size = Size { channels: 36, layers: LAYERS };
        let (sgd, rate) = (nesterov(5e-4), restarts(5e-4));
        let shared = Regime { epochs: 310, batch: 128, sgd, rate, cutout: 0, drop_path: 0.0 };
        let (sgd, rate) = (nesterov(4e-4), restarts(1e-3));
        let training = Regime { batch: 100, sgd, rate, cutout: 16, ..shared };
        Recipe { supernet: size, network: size, shared: Some(shared), training: Some(training) }
    }

    fn decisions(&self) -> Vec<Decision> {
        let mut decisions = Vec::with_capacity(self.layers + self.skips());
        for layer in 0..self.layers {
            let options = Operation::ALL.map(|operation| operation.to_string()).to_vec();
            decisions.push(Decision { name: format!("layer{layer}_operation"), options });
            decisions.extend((0..layer).map(|output| Decision {
                name: format!("layer{layer}_skip_{}", output_name(output)),
                options: SKIP.map(str::to_owned).to_vec(),
            }));
        }
        decisions
    }

    fn supernet(&self, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        network::supernet(self.layers, settings)
    }

    /// The operation of largest weight in each layer, the first of equal ones, and the skips that weigh more than
    /// their absence.
    fn derive(&self, weights: &[TableWeights]) -> Result<Architecture, SpaceError> {
        let operations = TableWeights::find(weights, TABLES[0], self.layers, Operation::ALL.len())?;
        // One layer has no skips, and its supernet no table of them.
        let skips = match self.skips() {
            0 => None,
            rows => Some(TableWeights::find(weights, TABLES[1], rows, SKIP.len())?),
        };
        let mut answers = Vec::new();
        for layer in 0..self.layers {
            answers.push(largest(operations.row(layer).iter().copied()));
            let skip = |row| skips.map(|table| largest(table.row(row).iter().copied()));
            answers.extend((first_skip(layer)..first_skip(layer + 1)).filter_map(skip));
        }
        Ok(Architecture { answers })
    }

    fn decode(&self, architecture: &Architecture, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        network::network(&self.layers_of(architecture)?, settings)
    }

    fn settle(&self, architecture: &Architecture) -> Result<Vec<TableWeights>, SpaceError> {
        let layers = self.layers_of(architecture)?;
        let one_hot = |taken: usize, options: usize| (0..options).map(move |k| f32::from(u8::from(k == taken)));
        let operations = layers.iter().flat_map(|layer| one_hot(layer.operation as usize, Operation::ALL.len()));
        let skips = layers.iter().flat_map(|layer| &layer.skips);
        let skips: Vec<f32> = skips.flat_map(|&skip| one_hot(usize::from(skip), SKIP.len())).collect();
        let table = |name: &str, options: usize, values: Vec<f32>| TableWeights {
            name: name.to_owned(),
            rows: values.len() / options,
            options,
            values,
        };
        let mut tables = vec![table(TABLES[0], Operation::ALL.len(), operations.collect())];
        if !skips.is_empty() {
            tables.push(table(TABLES[1], SKIP.len(), skips));
        }
        Ok(tables)
    }

    fn operations(&self, architecture: &Architecture) -> Vec<String> {
        let layers = self.layers_of(architecture).unwrap_or_default();
        layers.iter().map(|layer| layer.operation.to_string()).collect()
    }

    /// Layer by layer its operation, then all its skips.
    fn questions(&self) -> Vec<Question> {
        let layer = |layer: usize| {
            let decision = layer + first_skip(layer);
            let skips = decision + 1..decision + 1 + layer;
            [Question::Option { decision, vocabulary: 0, bias: Vec::new() }, Question::Skips { decisions: skips }]
        };
        (0..self.layers).flat_map(layer).collect()
    }

    /// Reads what [`Space::print`] wrote, the published search's numbers, or JSON.
    fn parse(&self, text: &str) -> Result<Architecture, SpaceError> {
        if text.trim_start().starts_with('{') {
            return super::architecture::parse_pairs(NAME, &self.decisions(), text);
        }
        text::parse(self.layers, text)
    }

    /// As ENAS publishes architectures: `fixed-arc`, the numbers of operation and skips, layer by layer.
    fn forms(&self, architecture: &Architecture) -> Vec<Form> {
        let numbers = architecture.answers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        vec![Form::new("fixed-arc", numbers)]
    }

    fn print(&self, architecture: &Architecture) -> String {
        match self.layers_of(architecture) {
            Ok(layers) => text::print(&layers),
            Err(_) => super::architecture::print_pairs(&self.decisions(), architecture),
        }
    }

    fn baseline(&self, settings: &NetworkSettings, parameters: u64) -> Result<Graph, SpaceError> {
        baseline::residual(settings, parameters)
    }
}

#[cfg(test)]
mod tests;
