//! Hyperband (Li et al. 2018, "Hyperband: a novel bandit-based approach to hyperparameter optimization").

use super::halving::{Brackets, Halving, HalvingConfig};
use super::random;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::Follower;

/// Hyperband: brackets that begin at different rungs.
pub static METHOD: Sampled = Sampled {
    about: About {
        name: "hyperband",
        paper: "Hyperband (Li et al. 2018)",
        runs: "η times the epochs for the best of η; brackets from every rung on",
        chooses: "the best of those trained longest",
        ..random::ABOUT
    },
    preset: |config, _| config.with(&HalvingConfig::default()),
    make: |settings, seed| {
        let config: HalvingConfig = settings.read()?;
        config.check()?;
        Ok(Box::new(Follower::new(move || Halving::new(config, Brackets::Turns, None, seed))))
    },
};
