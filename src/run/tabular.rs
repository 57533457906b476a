//! Samplers held against one another on a benchmark's table: equal budgets, many seeds, chosen by validation, judged by test.

use super::error::RunError;
use crate::data::{Augmentation, Scale};
use crate::device::Device;
use crate::estimate::measured::ACCURACY;
use crate::estimate::{Lookup, Measured, TEST_ACCURACY};
use crate::search::study::{Domain, Objective, simulate};
use crate::search::{SearchError, Strategy, Task};
use crate::space::Space;
use crate::space::nas_bench_201::NasBench201;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::time::Instant;

/// What one sampler came to, seed by seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// The strategy.
    pub strategy: &'static str,
    /// For each seed, after each evaluation, the test accuracy of the one that was best by validation so far, from 0 to 1.
    pub curves: Vec<Vec<f64>>,
    /// Seconds of all seeds together, of one core.
    pub seconds: f64,
}

impl Course {
    /// What each seed ended with.
    pub fn last(&self) -> Vec<f64> {
        self.curves.iter().filter_map(|curve| curve.last().copied()).collect()
    }
}

/// Runs a strategy, with the settings of its preset, `seeds` times on a table for `budget` evaluations each. `None` if it is no
/// sampler.
///
/// # Errors
/// As the sampler does.
pub fn course(
    strategy: &'static dyn Strategy,
    lookup: &Lookup,
    seeds: u64,
    budget: usize,
) -> Result<Option<Course>, RunError> {
    let space: &dyn Space = &NasBench201;
    let task = Task { scale: Scale::Published, augmentation: Augmentation::default(), space, epochs: None };
    let settings = strategy.preset(&task).map_err(SearchError::from)?;
    if strategy.sampler(&settings, 0).is_none() {
        return Ok(None);
    }
    let objectives = [Objective::new(ACCURACY)];
    let one = |seed: u64| -> Result<(Vec<f64>, f64), SearchError> {
        let began = Instant::now();
        let domain = Domain::new(space, &BTreeMap::new());
        let Some(sampler) = strategy.sampler(&settings, seed) else { return Ok((Vec::new(), 0.0)) };
        let mut sampler = sampler?;
        let measure = |candidate: &crate::search::study::Candidate, _| {
            Ok(Measured::Worth { objectives: lookup.look_up(&candidate.answers)?, curve: Vec::new() })
        };
        let device = Device::cpu();
        let history = pollster::block_on(simulate(&device, &domain, &objectives, 1, &mut *sampler, budget, &measure))?;
        let mut best: Option<(f64, f64)> = None;
        let mut curve = Vec::with_capacity(budget);
        for trial in history.trials() {
            let Some(measured) = &trial.measured else { continue };
            if let (Some(valid), Some(test)) = (measured.objective(ACCURACY), measured.objective(TEST_ACCURACY))
                && best.is_none_or(|(known, _)| valid > known)
            {
                best = Some((valid, test));
            }
            curve.extend(best.map(|(_, test)| test));
        }
        // A sampler that has nothing left stands where it ended.
        if let Some(&last) = curve.last() {
            curve.resize(budget, last);
        }
        Ok((curve, began.elapsed().as_secs_f64()))
    };
    let all: Result<Vec<_>, SearchError> = (0..seeds).into_par_iter().map(one).collect();
    let (curves, seconds): (Vec<_>, Vec<f64>) = all?.into_iter().unzip();
    Ok(Some(Course { strategy: strategy.about().name, curves, seconds: seconds.iter().sum() }))
}
