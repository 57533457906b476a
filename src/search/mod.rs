//! Search strategies: which architecture, or which step of the architecture weights, comes next.
//!
//! A search is a **stepper**: [`darts::Darts::advance`], say, does one step and gives what happened, and whoever
//! calls it (a command line, a test, a page) decides when to go on and what to do with the events.

pub mod bench;
pub mod collapse;
pub mod controller;
pub mod darts;
pub mod one_shot;

pub use crate::estimate::EstimateError as SearchError;

use crate::space::{Architecture, TableWeights};
use serde::Serialize;

/// A search that goes step by step.
pub trait Stepper {
    /// Takes one step and gives what happened; nothing once the search is over.
    ///
    /// # Errors
    /// [`SearchError`]: a value that is not finite, an error of the device.
    fn advance(&mut self) -> impl Future<Output = Result<Vec<Event>, SearchError>>;

    /// Steps taken and to be taken.
    fn progress(&self) -> Progress;
}

impl Stepper for darts::Darts<'_> {
    async fn advance(&mut self) -> Result<Vec<Event>, SearchError> {
        darts::Darts::advance(self).await
    }

    fn progress(&self) -> Progress {
        darts::Darts::progress(self)
    }
}

impl Stepper for one_shot::OneShot<'_> {
    async fn advance(&mut self) -> Result<Vec<Event>, SearchError> {
        one_shot::OneShot::advance(self).await
    }

    fn progress(&self) -> Progress {
        one_shot::OneShot::progress(self)
    }
}

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
        /// Loss of the architecture step, where there is one.
        valid_loss: Option<f32>,
    },
    /// An architecture was measured with the shared weights.
    Ranked {
        /// Steps taken so far.
        taken: u64,
        /// Steps altogether, at most.
        total: u64,
        /// Which one.
        architecture: Architecture,
        /// Its accuracy on the images that rank.
        accuracy: f64,
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
