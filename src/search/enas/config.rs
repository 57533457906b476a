//! Settings of a search by a controller.

use crate::data::Augmentation;
use crate::estimate::RewardStatistics;
use crate::estimate::limits::{self, MOST_EPOCHS, within, wrong};
use crate::optim::{Schedule, SgdConfig};
use crate::search::controller::ControllerConfig;
use crate::settings::SettingsError;
use serde::{Deserialize, Serialize};

/// Most architectures that are ranked.
const MOST_ARCHITECTURES: u32 = 1_000_000;

/// Settings of [`Enas`](super::Enas).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnasConfig {
    /// Passes over the images that train the weights.
    pub epochs: u32,
    /// Images a step.
    pub batch: usize,
    /// Images that a reward is measured on.
    pub reward_batch: usize,
    /// Steps of the controller after each epoch.
    pub updates: u32,
    /// Share of the images that train no weights: rewards and the final ranking are measured on them.
    pub validation: f64,
    /// Which statistics batch norms use where a reward is measured. With the batch's own, dropout is on, too.
    pub statistics: RewardStatistics,
    /// Architectures that the controller writes at the end, the best of which is derived; as many random ones are ranked.
    pub candidates: u32,
    /// Batches that an architecture's batch statistics are collected over before it is ranked; 0: it is ranked with
    /// what training has left, which is a mixture of all paths'.
    pub calibration: u32,
    /// Learning rate of the weights by epoch.
    pub rate: Schedule,
    /// Variation of the images.
    pub augmentation: Augmentation,
    /// The weights' optimiser.
    pub sgd: SgdConfig,
    /// The controller.
    pub controller: ControllerConfig,
}

impl Default for EnasConfig {
    /// As published for the search of cells on CIFAR-10 (ENAS micro). The penalty of 1e-4·‖w‖² there is a decay of 2e-4
    /// here.
    fn default() -> Self {
        Self {
            epochs: 150,
            batch: 160,
            reward_batch: 160,
            updates: 30,
            validation: 0.1,
            statistics: RewardStatistics::Batch,
            candidates: 10,
            calibration: 200,
            rate: Schedule::WarmRestarts { from: 0.05, to: 0.0005, first: 10, times: 2 },
            augmentation: Augmentation::USUAL,
            sgd: SgdConfig { momentum: 0.9, weight_decay: 2e-4, nesterov: true, clip: 0.0 },
            controller: ControllerConfig::default(),
        }
    }
}

impl EnasConfig {
    /// As published for the search of whole networks on CIFAR-10 (ENAS macro).
    pub fn for_networks() -> Self {
        let micro = Self::default();
        Self {
            epochs: 310,
            batch: 128,
            reward_batch: 128,
            updates: 50,
            statistics: RewardStatistics::Running,
            calibration: 0,
            sgd: SgdConfig { weight_decay: 5e-4, ..micro.sgd },
            controller: ControllerConfig::for_networks(),
            ..micro
        }
    }

    /// Whether all values can be used.
    ///
    /// # Errors
    /// Which cannot, and what it must be.
    pub fn check(&self) -> Result<(), SettingsError> {
        limits::epochs("epochs", self.epochs)?;
        limits::images("batch", self.batch)?;
        limits::images("reward_batch", self.reward_batch)?;
        limits::regime(&self.rate, &self.sgd, &self.augmentation)?;
        // A controller that never learns would be random search under another name.
        within("updates", self.updates.into(), 1, MOST_EPOCHS.into())?;
        within("candidates", self.candidates.into(), 1, MOST_ARCHITECTURES.into())?;
        within("calibration", self.calibration.into(), 0, MOST_EPOCHS.into())?;
        if !(self.validation > 0.0 && self.validation < 1.0) {
            return Err(wrong("validation must be a share: more than 0 and less than 1"));
        }
        self.controller.check().map_err(|error| wrong(format!("controller.{error}")))
    }
}
