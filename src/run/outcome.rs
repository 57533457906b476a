//! What runs come to, for reports.

use super::classes::Imbalance;
use super::summary::{NetworkFacts, Summary};
use crate::estimate::{Confusion, EpochReport};
use crate::graph::Graph;
use crate::search::{ControllerEpoch, EpochEnd, Tried};
use crate::space::Architecture;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::Value;

/// A network trained from scratch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trained {
    /// Its size and accuracy.
    pub facts: NetworkFacts,
    /// Its graph.
    pub graph: Graph,
    /// What each epoch came to.
    pub epochs: Vec<EpochReport>,
    /// Mean cross-entropy on the test images.
    pub test_loss: f64,
    /// Which classes of the test images were taken for which; none in checkpoints of before this was counted.
    #[serde(default)]
    pub confusion: Option<Confusion>,
    /// How it does on the classes, where these are not equally frequent.
    #[serde(default)]
    pub imbalance: Option<Imbalance>,
}

/// What a strategy came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Searched {
    /// The architecture found.
    pub architecture: Architecture,
    /// The search, epoch by epoch, if it moves architecture weights.
    pub epochs: Vec<EpochEnd>,
    /// Accuracies of the architectures that the strategy ranked, in the order of ranking.
    pub ranked: Vec<f64>,
    /// The same of random ones, where the strategy ranks some to be held against.
    pub compared: Vec<f64>,
    /// The search, epoch by epoch, if a controller learns.
    pub controller: Vec<ControllerEpoch>,
    /// The trials that have ended, if it was a study.
    pub trials: Vec<Tried>,
    /// Seconds from when a trial was begun until it was known what it came to, by its number.
    #[serde(default)]
    pub trial_seconds: BTreeMap<usize, f64>,
    /// Epochs that all trials were trained for.
    #[serde(default)]
    pub trial_epochs: u64,
    /// Settings that were decided beside the architecture, by key.
    pub settings: Vec<(String, Value)>,
    /// Names of the options of each table of architecture weights.
    pub options: Vec<(String, Vec<String>)>,
    /// Parameters of the supernet.
    pub supernet_parameters: u64,
    /// Seconds of search.
    pub seconds: f64,
}

/// What a search and all that follows it came to.
#[derive(Debug)]
pub struct Outcome {
    /// The file `summary.json`.
    pub summary: Summary,
    /// What was found, and how.
    pub searched: Searched,
    /// The networks trained: the one found, random ones, the hand-designed one.
    pub trained: Vec<Trained>,
}
