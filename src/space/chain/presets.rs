//! Ready-made chains.

use super::{Chain, Layer, Operation, Width};
use crate::space::SpaceError;

pub(super) const SMALL_NAME: &str = "chain";
pub(super) const VGG16_NAME: &str = "chain-vgg16";
pub(super) const MLP_NAME: &str = "chain-mlp";

impl Chain {
    /// Sixteen convolutions in the five stages of the VGG family (Simonyan, Zisserman 2014,
    /// table 1, configuration E), each with batch norm and ReLU and a choice of kernel size; the
    /// stages have 1, 2, 4, 8 and 8 times the base channels.
    ///
    /// # Errors
    /// [`SpaceError::Setting`] if there is no kernel size, or one is even, too large or listed
    /// twice.
    pub fn vgg16(kernels: &[usize]) -> Result<Self, SpaceError> {
        let stages = [(2, 1), (2, 2), (4, 4), (4, 8), (4, 8)];
        let mut layers = Vec::new();
        for (stage, (convolutions, factor)) in stages.into_iter().enumerate() {
            if stage > 0 {
                layers.push(Layer::Halve);
            }
            let convolution = Layer::Features {
                operations: kernels.iter().map(|&k| Operation::Conv(k)).collect(),
                widths: vec![Width::Times(factor)],
                stride: 1,
            };
            layers.extend(std::iter::repeat_n(convolution, convolutions));
        }
        Self::new(VGG16_NAME, layers)
    }

    /// A perceptron: hidden layers with ReLU, each with a choice of units.
    ///
    /// # Errors
    /// [`SpaceError::Setting`] if there are no layers or no units, or some are zero, too many or
    /// listed twice.
    pub fn mlp(hidden_layers: usize, units: &[usize]) -> Result<Self, SpaceError> {
        crate::space::settings::within("hidden_layers", hidden_layers, super::MOST_LAYERS)?;
        let layer = Layer::Linear { units: units.iter().map(|&u| Width::Units(u)).collect() };
        Self::new(MLP_NAME, vec![layer; hidden_layers])
    }

    /// A small stack of six layers in three stages, each with a choice of operation and width: all
    /// kinds of decisions at once.
    pub fn small() -> Self {
        let operations = vec![
            Operation::Conv(3),
            Operation::Conv(5),
            Operation::SeparableConv(3),
            Operation::SeparableConv(5),
            Operation::Skip,
        ];
        let mut layers = Vec::new();
        for factor in [1, 2, 4] {
            if factor > 1 {
                layers.push(Layer::Halve);
            }
            let widths = vec![Width::Times(factor), Width::Times(2 * factor)];
            layers.extend(vec![Layer::Features { operations: operations.clone(), widths, stride: 1 }; 2]);
        }
        Self { name: SMALL_NAME.into(), layers }
    }
}
