//! Why a run stopped.

use super::config_error::ConfigError;
use super::files::LoadError;
use crate::cost::CostError;
use crate::device;
use crate::estimate::{EstimateError, TableError};
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
    /// The table of a benchmark.
    #[error(transparent)]
    Table(#[from] TableError),
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
    /// A supernet's weights cannot be shared.
    #[error("{}: {problem}", .path.display())]
    Supernet {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A trained network cannot be used.
    #[error("{}: {problem}", .path.display())]
    Model {
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
    /// Another process works in the directory.
    #[error("{} is in use by another process: wait until it is done, or choose another directory with --out", .path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// A directory that is no run's.
    #[error("{} holds no run: it has no config.toml; begin one with --out", .path.display())]
    NoRun {
        /// The directory.
        path: PathBuf,
    },
    /// A run cannot be gone on with as things are now.
    #[error("{}: cannot go on: {problem}", .path.display())]
    Resume {
        /// The directory, or the checkpoint.
        path: PathBuf,
        /// What differs, or is wrong.
        problem: String,
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

impl RunError {
    /// The device's own error, if it was one: after some of them a run can go on where the device is opened again.
    pub fn device(&self) -> Option<&device::Error> {
        match self {
            Self::Device(error)
            | Self::Tensor(tensor::Error::Device(error))
            | Self::Estimate(EstimateError::Tensor(tensor::Error::Device(error))) => Some(error),
            _ => None,
        }
    }

    /// Whether it may help to open the device again: it was lost, or its memory ran out.
    pub fn is_of_lost_device(&self) -> bool {
        matches!(self.device(), Some(device::Error::Lost { .. } | device::Error::OutOfMemory { .. }))
    }
}
