//! Successive halving (Jamieson & Talwalkar 2016, "Non-stochastic best arm identification and hyperparameter optimization").

use super::halving::{Brackets, Halving, HalvingConfig};
use super::random;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::Follower;

/// Successive halving, bracket after bracket from the lowest rung on.
pub static METHOD: Sampled = Sampled {
    about: About {
        name: "successive-halving",
        paper: "successive halving (Jamieson & Talwalkar 2016)",
        runs: "η times the epochs for the best of η",
        chooses: "the best of those trained longest",
        ..random::ABOUT
    },
    preset: |config, _| config.with(&HalvingConfig::default()),
    make: |settings, seed| {
        let config: HalvingConfig = settings.read()?;
        config.check()?;
        Ok(Box::new(Follower::new(move || Halving::new(config, Brackets::Lowest, None, seed))))
    },
};
