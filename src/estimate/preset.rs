//! How a network is trained from scratch unless told otherwise.

use super::limits::{self, wrong};
use super::training::TrainingConfig;
use crate::data::{Augmentation, Scale};
use crate::optim::{Schedule, SgdConfig};
use crate::settings::{Settings, SettingsError};
use crate::space::Regime;
use toml::Value;

/// The group of a configuration that this is.
const GROUP: &str = "train.";

impl TrainingConfig {
    /// What suits data of a scale, varied so; `published` is how the space's networks were trained, if not as those of DARTS.
    pub fn preset(scale: Scale, augmentation: Augmentation, published: Option<&Regime>) -> Self {
        let base = Self::default();
        let small = Self {
            sgd: SgdConfig { nesterov: true, weight_decay: 5e-4, ..SgdConfig::default() },
            rate: Schedule::Cosine { from: 0.1, to: 0.0 },
            augmentation,
            drop_path: 0.0,
            ..base
        };
        match (scale, published) {
            (Scale::Tiny, _) => Self { epochs: 32, batch: 64, label_smoothing: 0.05, ..small },
            (Scale::Small, _) => Self { epochs: 3, batch: 96, ..small },
            (Scale::Published, None) => {
                Self { augmentation: augmentation.with_cutout(base.augmentation.cutout), ..base }
            }
            (Scale::Published, Some(&Regime { epochs, batch, sgd, rate, cutout, drop_path })) => {
                Self { epochs, batch, sgd, rate, augmentation: augmentation.with_cutout(cutout), drop_path, ..base }
            }
        }
    }

    /// The same with settings laid over, by the keys of a configuration (`train.batch`).
    ///
    /// # Errors
    /// A key that is none of these, or a value that cannot be used.
    pub fn with(&self, settings: &[(String, Value)]) -> Result<Self, SettingsError> {
        let mut all = Settings::of(self)?;
        for (key, value) in settings {
            let own = key.strip_prefix(GROUP).and_then(|key| all.get_mut(key));
            let unknown =
                || wrong(format!("`{key}` is no setting of training that could be decided; `train.batch` is one"));
            *own.ok_or_else(unknown)? = value.clone();
        }
        let config: Self = all.read().map_err(|error| wrong(format!("{GROUP}{error}")))?;
        config.check().map_err(|error| wrong(format!("{GROUP}{error}")))?;
        Ok(config)
    }

    /// Whether all values can be used.
    ///
    /// # Errors
    /// Which cannot, and what it must be.
    pub fn check(&self) -> Result<(), SettingsError> {
        limits::epochs("epochs", self.epochs)?;
        limits::images("batch", self.batch)?;
        if !limits::is_share(self.drop_path) || !limits::is_share(self.label_smoothing) {
            return Err(wrong("drop_path and label_smoothing must be at least 0 and less than 1"));
        }
        if !limits::is_usable(self.auxiliary_weight) {
            return Err(wrong("auxiliary_weight must not be negative"));
        }
        limits::regime(&self.rate, &self.sgd, &self.augmentation)
    }
}
