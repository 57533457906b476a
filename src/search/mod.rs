//! Search strategies: which architecture, or which step of the architecture weights, comes next.
//!
//! A search is a **stepper**: [`darts::Darts::advance`] does one step and gives what happened, and whoever
//! calls it (a command line, a test, a page) decides when to go on and what to do with the events.

pub mod bench;
pub mod collapse;
pub mod darts;

pub use crate::estimate::EstimateError as SearchError;

use crate::space::{Architecture, TableWeights};
use serde::Serialize;

/// What happened in a step of a search.
#[derive(Clone, Debug)]
pub enum Event {
    /// One step was taken.
    Step {
        /// Steps taken so far.
        taken: u64,
        /// Steps altogether.
        total: u64,
        /// Loss of the weight step.
        train_loss: f32,
        /// Loss of the architecture step.
        valid_loss: f32,
    },
    /// An epoch ended.
    Epoch(Box<EpochEnd>),
    /// The search is over.
    Derived {
        /// What it found.
        architecture: Architecture,
    },
}

/// State of a search at the end of an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochEnd {
    /// The epoch, counted from 0.
    pub epoch: u32,
    /// Learning rate of the weights.
    pub rate: f32,
    /// Mean loss of the weight steps.
    pub train_loss: f64,
    /// Share of right answers in the weight steps.
    pub train_accuracy: f64,
    /// Mean loss of the architecture steps.
    pub valid_loss: f64,
    /// Share of right answers in the architecture steps.
    pub valid_accuracy: f64,
    /// Accuracy of the supernet on (at most 2,048) images of the validation half.
    pub supernet_accuracy: f64,
    /// Softmaxed architecture weights.
    pub weights: Vec<TableWeights>,
    /// The architecture they stand for now.
    pub architecture: Architecture,
    /// Signs of collapse.
    pub collapse: collapse::Signs,
}

/// Whether a search goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Steps taken.
    pub taken: u64,
    /// Steps altogether.
    pub total: u64,
}
