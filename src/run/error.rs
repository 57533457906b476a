//! Why a run stopped.

use super::config_error::ConfigError;
use super::files::LoadError;
use crate::cost::CostError;
use crate::device;
use crate::estimate::EstimateError;
use crate::space::SpaceError;
use crate::tensor;
use std::path::PathBuf;

/// An error of a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The dataset.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The space.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// Training, search or evaluation.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// Counting a network.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// The device.
    #[error(transparent)]
    Device(#[from] device::Error),
    /// A tensor.
    #[error(transparent)]
    Tensor(#[from] tensor::Error),
    /// A file of an earlier run cannot be used.
    #[error("{}: {problem}", .path.display())]
    History {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The run was asked to stop. What had been written before is whole.
    #[error("stopped in the phase `{phase}`, after step {taken} of {total}, as was asked")]
    Stopped {
        /// The phase.
        phase: String,
        /// Steps taken in it.
        taken: u64,
        /// Steps that it has.
        total: u64,
    },
    /// The directory of the run holds something already.
    #[error("{} is not empty; choose another directory with --out, or remove it", .path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// A file could not be written. What had been written before is whole.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
