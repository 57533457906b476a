//! BOHB (Falkner, Klein & Hutter 2018, "BOHB: robust and efficient hyperparameter optimization at scale"): Hyperband whose candidates come
//! from densities of the good and the bad.

use super::halving::{Brackets, Halving, HalvingConfig};
use super::near_good::ModelConfig;
use super::random;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::Follower;
use serde::{Deserialize, Serialize};

/// BOHB.
pub static METHOD: Sampled = Sampled {
    about: About {
        name: "bohb",
        paper: "BOHB (Falkner et al. 2018)",
        weighs: "least g/l of draws near the good, one third at random",
        runs: "η times the epochs for the best of η; brackets from every rung on",
        learns: "kernel densities of the most thorough rung that has enough",
        chooses: "the best of those trained longest",
        ..random::ABOUT
    },
    preset: |config, _| config.with(&BohbConfig::default()),
    make: |settings, seed| {
        let BohbConfig { eta, least_epochs, model } = settings.read()?;
        let config = HalvingConfig { eta, least_epochs };
        config.check()?;
        model.check()?;
        Ok(Box::new(Follower::new(move || Halving::new(config, Brackets::Turns, Some(model), seed))))
    },
};

/// Settings of BOHB.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct BohbConfig {
    eta: usize,
    least_epochs: usize,
    model: ModelConfig,
}

impl Default for BohbConfig {
    fn default() -> Self {
        let HalvingConfig { eta, least_epochs } = HalvingConfig::default();
        Self { eta, least_epochs, model: ModelConfig::default() }
    }
}
