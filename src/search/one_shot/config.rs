//! Settings of a search by single paths.

use super::evolution::EvolutionConfig;
use crate::data::{Augmentation, Scale};
use crate::estimate::limits::{self, MOST_EPOCHS, within, wrong};
use crate::optim::{Schedule, SgdConfig};
use crate::settings::SettingsError;
use crate::space::Regime;
use serde::{Deserialize, Serialize};

/// Most architectures that are drawn at once.
const MOST_ARCHITECTURES: u32 = 1_000_000;

/// Settings of [`OneShot`](super::OneShot).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneShotConfig {
    /// Passes over the half that trains the weights.
    pub epochs: u32,
    /// Images a step.
    pub batch: usize,
    /// The weights' optimiser.
    pub sgd: SgdConfig,
    /// Learning rate of the weights by epoch.
    pub rate: Schedule,
    /// Variation of the images.
    pub augmentation: Augmentation,
    /// Batches that an architecture's batch statistics are collected over before it is ranked; 0: it is ranked with
    /// what training has left, which is a mixture of all paths'.
    pub calibration: u32,
    /// Architectures that are ranked, if they are drawn at random.
    pub samples: u32,
    /// How they are bred, if they are.
    pub evolution: EvolutionConfig,
}

impl Default for OneShotConfig {
    /// The weights are trained as those of DARTS, the evolution is that of SPOS.
    fn default() -> Self {
        Self {
            epochs: 50,
            batch: 64,
            sgd: SgdConfig::default(),
            rate: Schedule::Cosine { from: 0.025, to: 0.001 },
            augmentation: Augmentation::USUAL,
            calibration: 200,
            samples: 100,
            evolution: EvolutionConfig::default(),
        }
    }
}

impl OneShotConfig {
    /// What suits data of a scale, varied so; `published` is how shared weights of the space were trained, if not as those
    /// of DARTS.
    pub fn preset(scale: Scale, augmentation: Augmentation, published: Option<&Regime>) -> Self {
        let base = Self { augmentation, ..Self::default() };
        let small = Self { rate: Schedule::Cosine { from: 0.05, to: 0.001 }, calibration: 8, ..base };
        let bred = |population, generations, parents, moved| EvolutionConfig {
            population,
            generations,
            parents,
            mutations: moved,
            crossovers: moved,
            ..base.evolution
        };
        match (scale, published) {
            (Scale::Tiny, _) => Self { epochs: 120, samples: 50, evolution: bred(20, 5, 5, 10), ..small },
            (Scale::Small, _) => Self { epochs: 2, samples: 10, evolution: bred(10, 3, 3, 5), ..small },
            (Scale::Published, None) => base,
            (Scale::Published, Some(&Regime { epochs, batch, sgd, rate, .. })) => {
                Self { epochs, batch, sgd, rate, ..base }
            }
        }
    }

    /// Whether all values can be used.
    ///
    /// # Errors
    /// Which cannot, and what it must be.
    pub fn check(&self) -> Result<(), SettingsError> {
        limits::epochs("epochs", self.epochs)?;
        limits::images("batch", self.batch)?;
        limits::regime(&self.rate, &self.sgd, &self.augmentation)?;
        let most = u64::from(MOST_ARCHITECTURES);
        let EvolutionConfig { population, generations, parents, mutations, crossovers, probability } = self.evolution;
        for (key, value, least, most) in [
            ("samples", self.samples.into(), 1, most),
            ("calibration", self.calibration.into(), 0, MOST_EPOCHS.into()),
            ("evolution.population", population.into(), 1, most),
            ("evolution.generations", generations.into(), 1, most),
            ("evolution.parents", parents as u64, 1, most),
            ("evolution.mutations", mutations.into(), 0, most),
            ("evolution.crossovers", crossovers.into(), 0, most),
        ] {
            within(key, value, least, most)?;
        }
        if !(0.0..=1.0).contains(&probability) {
            return Err(wrong("evolution.probability must be from 0 to 1"));
        }
        Ok(())
    }
}
