//! Random search.

use crate::estimate::BoxFuture;
use crate::random::Random;
use crate::search::SearchError;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::{Asked, Proposal, Sampler};
use serde::{Deserialize, Serialize};

/// Random search, and what samplers are in most respects.
pub(super) const ABOUT: About = About {
    name: "random",
    paper: "random search (Bergstra & Bengio 2012)",
    weighs: "drawn",
    runs: "one trial",
    learns: "–",
    stops: "after its trials, epochs or seconds",
    chooses: "the best trial",
};

/// Random search.
pub static METHOD: Sampled = Sampled {
    about: ABOUT,
    preset: |config, _| config.with(&RandomConfig {}),
    make: |settings, seed| settings.read::<RandomConfig>().map(|_| Box::new(RandomSearch::new(seed)) as _),
};

/// Random search has no settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RandomConfig {}

/// Streams of the study's seed: one for each trial.
const DRAWN: u64 = 0x5A00 << 48;

/// Draws each trial by itself, as the space draws its architectures.
pub struct RandomSearch {
    seed: u64,
}

impl RandomSearch {
    /// With a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }
}

impl Sampler for RandomSearch {
    fn propose<'a>(&'a mut self, asked: Asked<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>> {
        let mut random = Random::new(self.seed, DRAWN + asked.number() as u64);
        Box::pin(async move { Ok(Proposal::whole(asked.subject.domain.draw(&mut random))) })
    }
}
