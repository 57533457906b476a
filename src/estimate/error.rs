//! What can go wrong while estimating and searching.

use crate::cost::CostError;
use crate::data::DataError;
use crate::device;
use crate::graph::GraphError;
use crate::settings::SettingsError;
use crate::space::SpaceError;
use crate::state::StateError;
use crate::tensor;

/// An error of training, evaluation or search.
#[derive(Debug, thiserror::Error)]
pub enum EstimateError {
    /// Tensors or the device.
    #[error(transparent)]
    Tensor(#[from] tensor::Error),
    /// Data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The space.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The cost of a network.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// A saved state does not fit.
    #[error(transparent)]
    State(StateError),
    /// A loss or norm is not finite; nothing was written in that step.
    #[error("the {what} became {value} at step {step} (epoch {epoch}); first in {place}; try a smaller learning rate")]
    NotFinite {
        /// Which value.
        what: &'static str,
        /// What it was.
        value: f32,
        /// Step, counted from 0.
        step: u64,
        /// Epoch, counted from 0.
        epoch: u32,
        /// Kernel and part of the network that first wrote it.
        place: String,
    },
    /// The loss of an evaluation is not finite: the last steps of training ruined the weights.
    #[error("the loss in evaluation is {value}; first in {place}; try a smaller learning rate")]
    Evaluation {
        /// What it was.
        value: f32,
        /// Kernel and part of the network that first wrote it.
        place: String,
    },
    /// Settings that do not go together.
    #[error("{0}")]
    Settings(String),
}

impl EstimateError {
    /// Whether it befell one architecture, so that others may do better: too little memory, a network that cannot be built or
    /// measured, values that are not finite.
    pub fn is_of_one(&self) -> bool {
        match self {
            Self::Tensor(tensor::Error::Device(device::Error::OutOfMemory { .. } | device::Error::Limit { .. })) => {
                true
            }
            Self::Space(_) | Self::Graph(_) | Self::Cost(_) | Self::NotFinite { .. } | Self::Evaluation { .. } => true,
            Self::Tensor(_) | Self::Data(_) | Self::State(_) | Self::Settings(_) => false,
        }
    }
}

impl From<SettingsError> for EstimateError {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error.0)
    }
}

impl From<StateError> for EstimateError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Tensor(error) => Self::Tensor(error),
            other => Self::State(other),
        }
    }
}

impl From<device::Error> for EstimateError {
    fn from(error: device::Error) -> Self {
        Self::Tensor(error.into())
    }
}
