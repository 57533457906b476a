//! The model of BOHB: candidates near those that were good, and far from the bad.

use crate::numerics::kernel_density::{KernelDensity, Variable, split};
use crate::random::Random;
use crate::search::study::{Candidate, Subject};
use crate::settings::SettingsError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of [`Model`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Share of the candidates that are drawn at random.
    pub random: f32,
    /// Candidates that are drawn near the good, of which the most promising is taken.
    pub candidates: usize,
    /// Least bandwidth.
    pub bandwidth: f64,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self { random: 1.0 / 3.0, candidates: 64, bandwidth: 1e-3 }
    }
}

impl ModelConfig {
    /// Whether it can be used.
    ///
    /// # Errors
    /// What cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        match (0.0..=1.0).contains(&self.random) && self.candidates > 0 && self.bandwidth > 0.0 && self.bandwidth <= 1.0
        {
            true => Ok(()),
            false => {
                let problem =
                    "model.random must be from 0 to 1, model.candidates 1 at least, model.bandwidth above 0 up to 1";
                Err(SettingsError(problem.into()))
            }
        }
    }
}

/// What was measured on each rung, and the densities that come of it.
pub struct Model {
    config: ModelConfig,
    /// By epochs: points, and what they are worth.
    results: BTreeMap<usize, Vec<(Vec<f64>, f64)>>,
}

impl Model {
    /// Of nothing yet.
    pub fn new(config: ModelConfig) -> Self {
        Self { config, results: BTreeMap::new() }
    }

    /// Adds what was measured after so many epochs.
    pub fn add(&mut self, epochs: usize, point: Vec<f64>, worth: f64) {
        self.results.entry(epochs).or_default().push((point, worth));
    }

    /// A candidate near the good ones; none where chance has it otherwise, or there is too little to tell good from bad.
    pub fn draw(&self, subject: &Subject<'_>, random: &mut Random) -> Option<Candidate> {
        if random.uniform() < self.config.random {
            return None;
        }
        let variables: Vec<Variable> = subject
            .domain
            .dimensions()
            .into_iter()
            .map(|dimension| match dimension.options() {
                Some(levels) => Variable::Categorical { levels },
                None => Variable::Continuous,
            })
            .collect();
        let (good, bad) = self.results.values().rev().find_map(|results| {
            let (good, bad) = split(results.len(), variables.len())?;
            let mut ranked: Vec<&(Vec<f64>, f64)> = results.iter().collect();
            ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
            let points = |part: &[&(Vec<f64>, f64)]| part.iter().map(|(point, _)| point.clone()).collect::<Vec<_>>();
            let fit = |part| KernelDensity::fit(points(part), variables.clone(), self.config.bandwidth);
            Some((fit(&ranked[..good])?, fit(ranked.get(good..good + bad)?)?))
        })?;
        let mut best: Option<(Vec<f64>, f64)> = None;
        for _ in 0..self.config.candidates {
            let point = good.sample_near(random);
            // What nothing is near to promises nothing.
            let promise = good.density(&point).max(f64::MIN_POSITIVE) / bad.density(&point).max(f64::MIN_POSITIVE);
            if best.as_ref().is_none_or(|(_, most)| promise > *most) {
                best = Some((point, promise));
            }
        }
        best.map(|(point, _)| subject.domain.nearest(&point, random))
    }
}
