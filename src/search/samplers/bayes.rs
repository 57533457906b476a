//! Bayesian optimisation by a Gaussian process on the decisions (Kandasamy et al. 2018 and White et al. 2021 for architectures;
//! Jones, Schonlau & Welch 1998, expected improvement).

use super::random;
use crate::estimate::BoxFuture;
use crate::estimate::measured::ACCURACY;
use crate::numerics::gaussian_process::{GaussianProcess, expected_improvement};
use crate::random::Random;
use crate::search::SearchError;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::{Asked, Candidate, Proposal, Sampler};
use crate::settings::SettingsError;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Bayesian optimisation.
pub static METHOD: Sampled = Sampled {
    about: About {
        name: "bayes",
        paper: "Bayesian optimisation, Gaussian process (White et al. 2021)",
        weighs: "most expected improvement of a pool",
        learns: "Gaussian process of −log error, length and noise by likelihood",
        ..random::ABOUT
    },
    preset: |config, _| config.with(&BayesConfig::default()),
    make: |settings, seed| {
        let config: BayesConfig = settings.read()?;
        config.check()?;
        Ok(Box::new(Bayes::new(config, seed)))
    },
};

/// Streams of the study's seed: one for each trial.
const DRAWN: u64 = 0x5A06 << 48;
/// Lengths of the kernel exp(−d/ℓ), d the number of decisions that differ, among which the likelihood chooses.
const LENGTHS: [f64; 8] = [0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0];
/// Variances of the noise, in those of the targets.
const NOISES: [f64; 4] = [1e-4, 1e-3, 1e-2, 1e-1];
/// Observations that the process is fitted to at most: the best and the latest, half each.
const MOST_OBSERVATIONS: usize = 500;
/// Errors are at least so large before their logarithm is taken.
const LEAST_ERROR: f64 = 1e-6;
/// Tries to find another candidate for the pool.
const TRIES: usize = 20;

/// Settings of [`Bayes`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BayesConfig {
    /// Candidates that are drawn before there is a model.
    pub initial: usize,
    /// Candidates that are weighed for each trial: one half mutations of the best, one half random.
    pub pool: usize,
    /// The best whose mutations are weighed.
    pub parents: usize,
}

impl Default for BayesConfig {
    fn default() -> Self {
        Self { initial: 10, pool: 200, parents: 10 }
    }
}

impl BayesConfig {
    /// Whether it can be used.
    ///
    /// # Errors
    /// What cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.initial < 2 || self.pool == 0 || self.parents == 0 {
            return Err(SettingsError("initial must be 2 at least, pool and parents 1".into()));
        }
        Ok(())
    }
}

/// Of a pool of candidates the one from which most improvement is expected.
pub struct Bayes {
    config: BayesConfig,
    seed: u64,
}

impl Bayes {
    /// With a seed.
    pub fn new(config: BayesConfig, seed: u64) -> Self {
        Self { config, seed }
    }

    fn candidate(&self, asked: &Asked<'_>) -> Candidate {
        let mut random = Random::new(self.seed, DRAWN + asked.number() as u64);
        let domain = asked.subject.domain;
        let known = observations(asked.known());
        let trials = asked.history.trials();
        let met: HashSet<Vec<u64>> = trials.iter().map(|trial| trial.candidate.key()).collect();
        if asked.number() < self.config.initial || known.len() < 2 {
            return unmet(&met, || domain.draw(&mut random));
        }
        let is_accuracy = asked.subject.objectives.first().is_some_and(|objective| objective.name.contains(ACCURACY));
        // What separates good from very good counts as much as what separates bad from good.
        let target = |worth: f64| if is_accuracy { -(1.0 - worth).max(LEAST_ERROR).ln() } else { worth };
        let points: Vec<Vec<f64>> = known.iter().map(|(trial, _)| trials[*trial].candidate.point()).collect();
        let targets: Vec<f64> = known.iter().map(|(_, worth)| target(*worth)).collect();
        let dimensions = domain.dimensions();
        let distance = |a: &[f64], b: &[f64]| -> f64 {
            dimensions.iter().zip(a.iter().zip(b)).map(|(dimension, (a, b))| dimension.distance(*a, *b)).sum()
        };
        let distances: Vec<f64> = points.iter().flat_map(|a| points.iter().map(|b| distance(a, b))).collect();
        let mut pool = self.pool(asked, &known, &met, &mut random);
        let Some(process) = GaussianProcess::fit(&distances, &targets, &LENGTHS, &NOISES) else {
            return pool.swap_remove(0);
        };
        let best = targets.iter().copied().fold(f64::MIN, f64::max);
        let promise = |candidate: &Candidate| {
            let point = candidate.point();
            let distances: Vec<f64> = points.iter().map(|other| distance(&point, other)).collect();
            expected_improvement(process.predict(&distances), best)
        };
        let promises: Vec<f64> = pool.iter().map(promise).collect();
        // Of equal ones the first.
        let at = (1..pool.len()).fold(0, |best, at| if promises[at] > promises[best] { at } else { best });
        pool.swap_remove(at)
    }

    /// Candidates to be weighed, one at least, none of which has been tried if others can be found.
    fn pool(
        &self,
        asked: &Asked<'_>,
        known: &[(usize, f64)],
        met: &HashSet<Vec<u64>>,
        random: &mut Random,
    ) -> Vec<Candidate> {
        let domain = asked.subject.domain;
        let mut best = known.to_vec();
        best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        best.truncate(self.config.parents);
        let mut met = met.clone();
        let mut pool = Vec::with_capacity(self.config.pool);
        for at in 0..self.config.pool {
            for _ in 0..TRIES {
                let candidate = match at < self.config.pool / 2 {
                    true => {
                        let (parent, _) = best[at % best.len()];
                        domain.mutate(&asked.history.trials()[parent].candidate, random)
                    }
                    false => domain.draw(random),
                };
                if met.insert(candidate.key()) {
                    pool.push(candidate);
                    break;
                }
            }
        }
        if pool.is_empty() {
            pool.push(domain.draw(random));
        }
        pool
    }
}

/// What the process is fitted to.
fn observations(known: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
    if known.len() <= MOST_OBSERVATIONS {
        return known;
    }
    let half = MOST_OBSERVATIONS / 2;
    let mut kept = known[known.len() - half..].to_vec();
    let mut before = known[..known.len() - half].to_vec();
    before.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    kept.extend(before.into_iter().take(half));
    kept
}

/// A candidate that has not been met, if one is found soon.
fn unmet(met: &HashSet<Vec<u64>>, mut draw: impl FnMut() -> Candidate) -> Candidate {
    let mut candidate = draw();
    for _ in 0..TRIES {
        if !met.contains(&candidate.key()) {
            break;
        }
        candidate = draw();
    }
    candidate
}

impl Sampler for Bayes {
    fn propose<'a>(&'a mut self, asked: Asked<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>> {
        Box::pin(async move { Ok(Proposal::whole(self.candidate(&asked))) })
    }
}
