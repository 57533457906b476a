//! Regularised evolution (Real et al. 2019, "Regularized evolution for image classifier architecture search", algorithm 1).

use super::random;
use crate::estimate::BoxFuture;
use crate::random::Random;
use crate::search::SearchError;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::{Asked, Candidate, Proposal, Sampler};
use crate::settings::SettingsError;
use serde::{Deserialize, Serialize};

/// Regularised evolution.
pub static METHOD: Sampled = Sampled {
    about: About {
        name: "evolution",
        paper: "regularised evolution (Real et al. 2019)",
        weighs: "mutations of the best of a few of the youngest",
        learns: "population that ages",
        ..random::ABOUT
    },
    preset: |config, task| {
        config.with(match task.space.name() {
            "nas-bench-101" => &EvolutionConfig::NAS_BENCH_101,
            _ => &EvolutionConfig::NAS_BENCH_201,
        })
    },
    make: |settings, seed| {
        let config: EvolutionConfig = settings.read()?;
        config.check()?;
        Ok(Box::new(Evolution::new(config, seed)))
    },
};

/// Streams of the study's seed: one for each trial.
const DRAWN: u64 = 0x5A01 << 48;

/// Settings of [`Evolution`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvolutionConfig {
    /// P: so many architectures are drawn first, and the youngest so many can be parents.
    pub population: usize,
    /// S: how many of them are drawn for each child, the best of which is its parent.
    pub sample: usize,
    /// Whether one can be drawn twice for a child.
    pub replacement: bool,
    /// Probability that each decision of a child is drawn anew; 0: one decision gets another answer.
    pub probability: f32,
}

impl Default for EvolutionConfig {
    fn default() -> Self {
        Self::NAS_BENCH_201
    }
}

/// A population that ages: the best of a few is mutated, the child is the youngest, the oldest leaves.
pub struct Evolution {
    config: EvolutionConfig,
    seed: u64,
}

impl EvolutionConfig {
    /// As NAS-Bench-201's authors run it.
    pub const NAS_BENCH_201: Self = Self { population: 10, sample: 3, replacement: true, probability: 0.0 };

    /// As it is run on NAS-Bench-101 (Ying et al. 2019; the code of Klein's tabular benchmarks).
    pub const NAS_BENCH_101: Self = Self { population: 100, sample: 10, ..Self::NAS_BENCH_201 };

    /// Whether it can be used.
    ///
    /// # Errors
    /// What cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.population == 0 || self.sample == 0 {
            return Err(SettingsError("population and sample must be 1 at least".into()));
        }
        if !self.replacement && self.sample > self.population {
            let problem = format!("sample must not exceed the population of {} without replacement", self.population);
            return Err(SettingsError(problem));
        }
        if !(0.0..=1.0).contains(&self.probability) {
            return Err(SettingsError("probability must be from 0 to 1".into()));
        }
        Ok(())
    }
}

impl Evolution {
    /// Evolution with a seed.
    pub fn new(config: EvolutionConfig, seed: u64) -> Self {
        Self { config, seed }
    }

    fn candidate(&self, asked: &Asked<'_>) -> Candidate {
        let mut random = Random::new(self.seed, DRAWN + asked.number() as u64);
        let domain = asked.subject.domain;
        let EvolutionConfig { population, sample, replacement, probability } = self.config;
        // What came to nothing ages like the rest and is nobody's parent.
        let ended: Vec<usize> = asked.history.ended().collect();
        let living = &ended[ended.len().saturating_sub(population)..];
        if asked.number() < population || living.is_empty() {
            return domain.draw(&mut random);
        }
        let mut drawn = Vec::with_capacity(sample);
        let mut left = living.to_vec();
        while drawn.len() < sample && !left.is_empty() {
            let at = random.below(left.len());
            drawn.push(if replacement { left[at] } else { left.swap_remove(at) });
        }
        let worth = |trial: &usize| asked.worth(*trial);
        let best = drawn.into_iter().filter(|trial| worth(trial).is_some()).reduce(|best, trial| {
            // Of equal ones the first drawn.
            if worth(&trial) > worth(&best) { trial } else { best }
        });
        match best {
            None => domain.draw(&mut random),
            Some(parent) => {
                let parent = &asked.history.trials()[parent].candidate;
                match probability > 0.0 {
                    true => domain.mutate_each(parent, probability, &mut random),
                    false => domain.mutate(parent, &mut random),
                }
            }
        }
    }
}

impl Sampler for Evolution {
    fn propose<'a>(&'a mut self, asked: Asked<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>> {
        Box::pin(async move { Ok(Proposal::whole(self.candidate(&asked))) })
    }
}
