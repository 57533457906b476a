//! What an architecture came to.

use super::{EpochReport, Score};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Objective: share of right answers, from 0 to 1.
pub const ACCURACY: &str = "accuracy";
/// Objective: mean over the classes of the share of right answers, so that a rare class counts as much as a frequent one.
pub const BALANCED_ACCURACY: &str = "balanced_accuracy";
/// Objective: mean cross-entropy.
pub const LOSS: &str = "loss";
/// Objective: mean loss of the last epoch of training, on the images that train (SoTL-E; Ru et al. 2021).
pub const TRAINING_LOSS: &str = "training_loss";
/// Objective: learned parameters of the network.
pub const PARAMETERS: &str = "parameters";
/// Objective: multiply-adds of one image.
pub const MULTIPLY_ADDS: &str = "multiply_adds";
/// Objective: bytes of all activations of one image.
pub const ACTIVATION_BYTES: &str = "activation_bytes";

/// What a score says of an architecture, by the name of the objective.
pub(super) fn objectives(score: &Score) -> impl Iterator<Item = (String, f64)> + use<> {
    let balanced = score.confusion.balanced_accuracy();
    let all = [(ACCURACY, score.accuracy), (BALANCED_ACCURACY, balanced), (LOSS, score.loss)];
    all.into_iter().map(|(name, value)| (name.to_owned(), value))
}

/// What an architecture came to. (How long it took is known to those who have a clock.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// It was measured.
    Worth {
        /// What it is worth, by the name of the objective.
        objectives: BTreeMap<String, f64>,
        /// How training went, epoch by epoch, where it was trained.
        curve: Vec<EpochReport>,
    },
    /// It could not be.
    Failed {
        /// Why.
        reason: String,
    },
}

impl Measured {
    /// One objective, if it was measured.
    pub fn objective(&self, name: &str) -> Option<f64> {
        match self {
            Self::Worth { objectives, .. } => objectives.get(name).copied(),
            Self::Failed { .. } => None,
        }
    }

    /// Share of right answers, if it was measured.
    pub fn accuracy(&self) -> Option<f64> {
        self.objective(ACCURACY)
    }
}
