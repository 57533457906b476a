//! What happens in a search.

use super::collapse::Signs;
use super::controller::Learned;
use super::study::Candidate;
use crate::estimate::{EpochReport, Fidelity, Measured};
use crate::space::{Architecture, TableWeights};
use serde::{Deserialize, Serialize};
use toml::Value;

/// Who came by an architecture that was ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Origin {
    /// The strategy.
    Strategy,
    /// Chance: it was drawn at random, to hold the strategy against.
    Random,
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
    /// An architecture was measured.
    Ranked {
        /// Steps taken so far.
        taken: u64,
        /// Steps altogether, at most.
        total: u64,
        /// Which one.
        architecture: Architecture,
        /// What it came to, on the images that rank.
        measured: Measured,
        /// Who came by it.
        origin: Origin,
    },
    /// A controller learned from the rewards of a batch of architectures.
    Learned {
        /// Steps taken so far.
        taken: u64,
        /// Steps altogether.
        total: u64,
        /// Mean reward (without entropy), mean entropy, and the baseline.
        learned: Learned,
    },
    /// An epoch of a search by a controller ended.
    ControllerEpoch(ControllerEpoch),
    /// An epoch ended.
    Epoch(Box<EpochEnd>),
    /// A trial of a study began.
    Began {
        /// Its number, from 0.
        trial: usize,
        /// What is tried.
        candidate: Candidate,
        /// The settings decided beside the architecture, by key.
        settings: Vec<(String, Value)>,
        /// How thoroughly.
        fidelity: Fidelity,
        /// The trial that it goes on from.
        continues: Option<usize>,
    },
    /// An epoch of a trial's training ended.
    Trained {
        /// The trial.
        trial: usize,
        /// What it came to.
        epoch: EpochReport,
    },
    /// A trial ended.
    Tried(Box<Tried>),
    /// The settings that were decided beside what the search finds.
    Settled {
        /// By key.
        settings: Vec<(String, Value)>,
    },
    /// The search is over.
    Derived {
        /// What it found.
        architecture: Architecture,
    },
}

/// The end of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Its number, from 0.
    pub trial: usize,
    /// What was tried.
    pub candidate: Candidate,
    /// The settings decided beside the architecture, by key.
    pub settings: Vec<(String, Value)>,
    /// How thoroughly.
    pub fidelity: Fidelity,
    /// What it came to.
    pub measured: Measured,
    /// Whether it is the best so far.
    pub is_best: bool,
}

/// State of a search at the end of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochEnd {
    /// The epoch, counted from 0.
    pub epoch: u32,
    /// Learning rate of the weights.
    pub rate: f32,
    /// Mean loss of the weight steps.
    pub train_loss: f64,
    /// Share of right answers in the weight steps.
    pub train_accuracy: f64,
    /// Mean loss of the architecture steps; none while the architecture weights rest.
    pub valid_loss: Option<f64>,
    /// Share of right answers in the architecture steps, if there were any.
    pub valid_accuracy: Option<f64>,
    /// Accuracy of the supernet on (at most 2,048) images of the validation half.
    pub supernet_accuracy: f64,
    /// Softmaxed architecture weights.
    pub weights: Vec<TableWeights>,
    /// The architecture they stand for now.
    pub architecture: Architecture,
    /// Largest eigenvalue of ∇²α L_val, where a search watches it.
    pub eigenvalue: Option<f64>,
    /// Operations that are no longer trained, and all that can be, where some may be frozen.
    pub frozen: Option<[usize; 2]>,
    /// Signs of collapse.
    pub collapse: Signs,
}

/// State of a search by a controller at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControllerEpoch {
    /// The epoch, counted from 0.
    pub epoch: u32,
    /// Learning rate of the shared weights.
    pub rate: f32,
    /// Mean loss of the weight steps.
    pub train_loss: f64,
    /// Share of right answers in the weight steps.
    pub train_accuracy: f64,
    /// Mean reward of the controller's steps: accuracy on a batch of the images that validate.
    pub reward: f64,
    /// Mean entropy of an architecture's decisions, in nats.
    pub entropy: f64,
    /// The controller's baseline.
    pub baseline: f64,
}
