//! Tree-structured Parzen estimator (Bergstra et al. 2011, "Algorithms for hyper-parameter optimization"), as hyperopt has it.

use super::random;
use crate::estimate::BoxFuture;
use crate::numerics::parzen::{Categorical, Mixture, good_count};
use crate::random::Random;
use crate::search::SearchError;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::{Asked, Candidate, Dimension, Proposal, Sampler};
use crate::settings::SettingsError;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The tree-structured Parzen estimator.
pub static METHOD: Sampled = Sampled {
    about: About {
        name: "tpe",
        paper: "TPE (Bergstra et al. 2011)",
        weighs: "most l/g of each decision by itself",
        learns: "densities of the good and of the others",
        ..random::ABOUT
    },
    preset: |config, _| config.with(&TpeConfig::default()),
    make: |settings, seed| {
        let config: TpeConfig = settings.read()?;
        config.check()?;
        Ok(Box::new(Tpe { config, seed }))
    },
};

/// Streams of the study's seed: one for each trial.
const DRAWN: u64 = 0x5A07 << 48;
/// Tries to find a candidate that has not been tried.
const TRIES: usize = 5;

/// Settings of [`Tpe`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TpeConfig {
    /// Candidates that are drawn before there is a model.
    pub initial: usize,
    /// Values of each decision that are drawn from the good ones' density, of which the most promising is taken.
    pub candidates: usize,
}

impl Default for TpeConfig {
    fn default() -> Self {
        Self { initial: 20, candidates: 24 }
    }
}

impl TpeConfig {
    fn check(&self) -> Result<(), SettingsError> {
        match self.initial < 2 || self.candidates == 0 {
            true => Err(SettingsError("initial must be 2 at least, candidates 1".into())),
            false => Ok(()),
        }
    }
}

/// Decides each decision by itself: by what the good trials have more often than the others.
pub struct Tpe {
    config: TpeConfig,
    seed: u64,
}

impl Tpe {
    fn candidate(&self, asked: &Asked<'_>) -> Result<Candidate, SearchError> {
        let mut random = Random::new(self.seed, DRAWN + asked.number() as u64);
        let domain = asked.subject.domain;
        let known = asked.known();
        if known.len() < self.config.initial {
            return Ok(domain.draw(&mut random));
        }
        let mut ranked: Vec<usize> = (0..known.len()).collect();
        ranked.sort_by(|&a, &b| known[b].1.total_cmp(&known[a].1).then(a.cmp(&b)));
        let good: HashSet<usize> = ranked.into_iter().take(good_count(known.len())).collect();
        let points: Vec<Vec<f64>> =
            known.iter().map(|(trial, _)| asked.history.trials()[*trial].candidate.point()).collect();
        let met: HashSet<Vec<u64>> = asked.history.trials().iter().map(|trial| trial.candidate.key()).collect();
        let dimensions = domain.dimensions();
        let mut candidate = None;
        for _ in 0..TRIES {
            let mut point = Vec::with_capacity(dimensions.len());
            for (at, dimension) in dimensions.iter().enumerate() {
                // In the order in which they became known, the oldest first.
                let of = |is_good: bool| -> Vec<f64> {
                    let own = points.iter().enumerate().filter(|(number, _)| good.contains(number) == is_good);
                    own.map(|(_, point)| point[at]).collect()
                };
                point.push(self.coordinate(*dimension, &of(true), &of(false), &mut random)?);
            }
            let found = domain.nearest(&point, &mut random);
            let is_new = !met.contains(&found.key());
            candidate = Some(found);
            if is_new {
                break;
            }
        }
        Ok(candidate.unwrap_or_else(|| domain.draw(&mut random)))
    }

    /// Of several values that are drawn, each with the logarithm of l/g, the one that promises most; of equal ones the first.
    fn promising(&self, mut draw: impl FnMut() -> (f64, f64)) -> f64 {
        let drawn = (0..self.config.candidates).map(|_| draw());
        drawn.reduce(|best, one| if one.1 > best.1 { one } else { best }).map_or(0.0, |(value, _)| value)
    }

    fn coordinate(
        &self,
        dimension: Dimension,
        good: &[f64],
        others: &[f64],
        random: &mut Random,
    ) -> Result<f64, SearchError> {
        let lost = || SearchError::Settings("a trial's values are none of the study's".into());
        match dimension.options() {
            Some(levels) => {
                let fit = |values: &[f64]| {
                    let values: Vec<usize> = values.iter().map(|&value| value as usize).collect();
                    Categorical::fit(&values, levels).ok_or_else(lost)
                };
                let (good, others) = (fit(good)?, fit(others)?);
                Ok(self.promising(|| {
                    let level = good.sample(random);
                    (level as f64, good.log_density(level) - others.log_density(level))
                }))
            }
            None => {
                let fit = |values: &[f64]| Mixture::fit(values, 0.0, 1.0).ok_or_else(lost);
                let (good, others) = (fit(good)?, fit(others)?);
                Ok(self.promising(|| {
                    let x = good.sample(random);
                    (x, good.log_density(x) - others.log_density(x))
                }))
            }
        }
    }
}

impl Sampler for Tpe {
    fn propose<'a>(&'a mut self, asked: Asked<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>> {
        Box::pin(async move { Ok(Proposal::whole(self.candidate(&asked)?)) })
    }
}
