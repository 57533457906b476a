//! The chain space: a stack of layers, each with its own choice of operation, kernel size and
//! width.
//!
//! It is the simplest space there is, and shows what a space has to say: its decisions, and its
//! graph. One builder makes both graphs: where a layer has several options left it puts a choice
//! point, where one is left it puts that. An architecture narrows every layer to one.
//!
//! Choices of width mix as masks over the widest candidate and share its weights, so the first w
//! channels of the supernet are those of the network that chose w.

mod block;
mod build;
mod entry;
mod layer;
mod presets;

pub(super) use block::Block;
pub use entry::{ChainConfig, ENTRY, MLP, MlpConfig, VGG16, Vgg16Config};
pub use layer::{Layer, Operation, Width};
pub(super) use layer::{check_kernel, has_twice, table_name};

use super::settings::within;
use super::weights::largest;
use super::{Architecture, Decision, NetworkSettings, Reads, Space, SpaceError, TableWeights, baseline};
use crate::graph::Graph;
use layer::{operation_decision, width_decision};

const MOST_LAYERS: usize = 1000;
pub(super) const MOST_UNITS: usize = 1 << 20;
pub(super) const MOST_TIMES: usize = 1024;
pub(super) const MOST_STRIDE: usize = 4;

/// A stack of layers with choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    name: String,
    layers: Vec<Layer>,
}

impl Chain {
    /// A chain of the given layers.
    ///
    /// # Errors
    /// [`SpaceError::Setting`] if there is no layer, if options are missing, listed twice or out
    /// of range, or if a layer on maps follows a fully connected one.
    pub fn new(name: impl Into<String>, layers: Vec<Layer>) -> Result<Self, SpaceError> {
        within("number of layers", layers.len(), MOST_LAYERS)?;
        let mut flat = false;
        for (i, layer) in layers.iter().enumerate() {
            let wrong = |problem: &str| Err(SpaceError::setting("layer", i, problem));
            match layer {
                Layer::Linear { .. } => flat = true,
                _ if flat => return wrong("reads a map, but follows a fully connected layer"),
                Layer::Features { operations, stride, .. } => {
                    within("stride", *stride, MOST_STRIDE)?;
                    operations.iter().try_for_each(|o| o.check())?;
                    if operations.is_empty() {
                        return wrong("needs at least one operation");
                    }
                    if has_twice(operations) {
                        return wrong("lists an operation twice");
                    }
                }
                Layer::Halve => continue,
            }
            if layer.widths().is_empty() {
                return wrong("needs at least one width");
            }
            if has_twice(layer.widths()) {
                return wrong("lists a width twice");
            }
            for &width in layer.widths() {
                match width {
                    Width::Units(units) => within("width", units, MOST_UNITS)?,
                    Width::Times(factor) => within("width in multiples of the channels", factor, MOST_TIMES)?,
                }
            }
        }
        Ok(Self { name: name.into(), layers })
    }

    /// The layers.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }
}

impl Space for Chain {
    fn name(&self) -> &str {
        &self.name
    }

    fn reads(&self) -> Reads {
        let mut widths = self.layers.iter().flat_map(Layer::widths);
        Reads { channels: widths.any(|width| matches!(width, Width::Times(_))), ..Reads::default() }
    }

    fn decisions(&self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            if layer.operations().len() > 1 {
                let options = layer.operations().iter().map(ToString::to_string).collect();
                decisions.push(Decision { name: operation_decision(i), options });
            }
            if layer.widths().len() > 1 {
                let options = layer.widths().iter().map(ToString::to_string).collect();
                decisions.push(Decision { name: width_decision(i), options });
            }
        }
        decisions
    }

    fn supernet(&self, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        build::network(&self.name, &self.layers, None, settings)
    }

    /// The option of largest weight for each decision, the first of equal ones.
    fn derive(&self, weights: &[TableWeights]) -> Result<Architecture, SpaceError> {
        let answer = |d: Decision| {
            let table = TableWeights::find(weights, &table_name(&d.name), 1, d.options.len())?;
            Ok(largest(table.row(0).iter().copied()))
        };
        Ok(Architecture { answers: self.decisions().into_iter().map(answer).collect::<Result<_, SpaceError>>()? })
    }

    fn settle(&self, architecture: &Architecture) -> Result<Vec<TableWeights>, SpaceError> {
        let decisions = self.decisions();
        architecture.check(&self.name, &decisions)?;
        let table = |(d, &answer): (&Decision, &usize)| {
            let values = (0..d.options.len()).map(|k| f32::from(u8::from(k == answer))).collect();
            TableWeights { name: table_name(&d.name), rows: 1, options: d.options.len(), values }
        };
        Ok(decisions.iter().zip(&architecture.answers).map(table).collect())
    }

    fn decode(&self, architecture: &Architecture, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        architecture.check(&self.name, &self.decisions())?;
        if settings.auxiliary {
            return Err(SpaceError::NoAuxiliary { space: self.name.clone() });
        }
        build::network(&self.name, &self.layers, Some(architecture), settings)
    }

    /// A plain stack of 3×3 convolutions, or of fully connected layers where the chain has no others.
    fn baseline(&self, settings: &NetworkSettings, parameters: u64) -> Result<Graph, SpaceError> {
        if self.layers.iter().any(|l| matches!(l, Layer::Features { .. })) {
            baseline::plain(settings, parameters)
        } else {
            baseline::perceptron(settings, parameters)
        }
    }
}

#[cfg(test)]
mod tests;
