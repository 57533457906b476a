//! Settings of a study, whatever its sampler.

use super::domain::Values;
use super::objective::Objective;
use super::stopping::Stopping;
use crate::data::Scale;
use crate::estimate::TrainingConfig;
use crate::estimate::limits::{self, MOST_EPOCHS, within, wrong};
use crate::estimate::measured::ACCURACY;
use crate::settings::{Settings, SettingsError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::Value;

/// Most trials at a time.
const MOST_WORKERS: u32 = 256;
/// Most trials of a study.
const MOST_TRIALS: u32 = 10_000_000;

/// How trials are measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum EstimatorConfig {
    /// Each is trained from scratch.
    #[default]
    Training,
    /// Each is measured with the weights that all share of a supernet that another search has trained.
    Shared {
        /// Directory of that search's run.
        run: String,
    },
    /// Each is looked up in the table of its benchmark.
    Table {
        /// Which of the benchmark's datasets.
        dataset: String,
        /// Directory of the table's files.
        dir: String,
    },
}

/// Settings of [`Study`](super::Study).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudyConfig {
    /// Trials, at most.
    pub trials: u32,
    /// Epochs of all trials together, after which none is begun; 0: as many as there are.
    pub epochs: u32,
    /// Seconds after which the study ends with what it has found; 0: as many as it takes. What is tried does not depend on it.
    pub seconds: f64,
    /// Trials at a time.
    pub workers: u32,
    /// Whether what a trial came to enters when it is known, not in the order in which trials were begun: no worker waits for
    /// another, and what is tried depends on which is faster.
    pub unordered: bool,
    /// Epochs that a trial is trained for.
    pub trial_epochs: u32,
    /// Seconds after which a trial has failed because it takes too long; 0: as many as it takes.
    pub trial_seconds: f64,
    /// Share of the training images that measure, and do not train.
    pub validation: f64,
    /// What is looked for, the most important first.
    pub objectives: Vec<String>,
    /// What a candidate may have at most of a quantity that is known before it is trained. Others are recorded as failed.
    pub limits: BTreeMap<String, f64>,
    /// Settings that are decided beside the architecture, by key, and their values.
    pub also: BTreeMap<String, Values>,
    /// How trials are measured.
    pub estimator: EstimatorConfig,
    /// When a trial is given up before its last epoch.
    pub stopping: Stopping,
}

impl Default for StudyConfig {
    fn default() -> Self {
        Self {
            trials: 100,
            epochs: 0,
            seconds: 0.0,
            workers: 1,
            unordered: false,
            trial_epochs: 12,
            trial_seconds: 0.0,
            validation: 0.2,
            objectives: vec![ACCURACY.to_owned()],
            limits: BTreeMap::new(),
            also: BTreeMap::new(),
            estimator: EstimatorConfig::default(),
            stopping: Stopping::default(),
        }
    }
}

impl StudyConfig {
    /// What data of a scale allow.
    pub fn preset(scale: Scale) -> Self {
        match scale {
            Scale::Tiny => Self { trials: 20, trial_epochs: 8, ..Self::default() },
            Scale::Small => Self { trials: 10, trial_epochs: 1, ..Self::default() },
            Scale::Published => Self::default(),
        }
    }

    /// The settings of a study with this, and of a sampler, side by side.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn with(&self, sampler: &impl Serialize) -> Result<Settings, SettingsError> {
        let mut all = Settings::of(self)?;
        all.table_mut().extend(toml::Table::from(Settings::of(sampler)?));
        Ok(all)
    }

    /// Reads the settings of a study and leaves those of its sampler.
    ///
    /// # Errors
    /// A value of another type.
    pub fn read(settings: &Settings) -> Result<(Self, Settings), SettingsError> {
        let keys = Settings::of(&Self::default())?;
        let (mut own, mut others) = (toml::Table::new(), toml::Table::new());
        for (key, value) in settings.table() {
            let table = if keys.table().contains_key(key) { &mut own } else { &mut others };
            table.insert(key.clone(), value.clone());
        }
        Ok((Settings::from(own).read()?, others.into()))
    }

    /// What is looked for.
    pub fn objectives(&self) -> Vec<Objective> {
        self.objectives.iter().map(Objective::new).collect()
    }

    /// Whether all values can be used.
    ///
    /// # Errors
    /// Which cannot, and what it must be.
    pub fn check(&self) -> Result<(), SettingsError> {
        within("trials", self.trials.into(), 1, MOST_TRIALS.into())?;
        within("epochs", self.epochs.into(), 0, MOST_EPOCHS.into())?;
        limits::epochs("trial_epochs", self.trial_epochs)?;
        within("workers", self.workers.into(), 1, MOST_WORKERS.into())?;
        for (key, seconds) in [("seconds", self.seconds), ("trial_seconds", self.trial_seconds)] {
            if !(seconds >= 0.0 && seconds.is_finite()) {
                return Err(wrong(format!("{key} must not be negative")));
            }
        }
        if !(self.validation > 0.0 && self.validation < 1.0) {
            return Err(wrong("validation must be above 0 and below 1"));
        }
        if self.objectives.is_empty() {
            return Err(wrong("objectives: there is nothing to look for: accuracy is one"));
        }
        if let Stopping::Patience { epochs, least } = self.stopping
            && (epochs == 0 || !least.is_finite())
        {
            return Err(wrong("stopping.epochs must be 1 at least, stopping.least a finite number"));
        }
        if self.stopping != Stopping::Never && self.estimator != EstimatorConfig::Training {
            return Err(wrong("stopping gives up trainings, and nothing is trained here: leave it out"));
        }
        if matches!(self.estimator, EstimatorConfig::Shared { .. }) && self.workers > 1 {
            return Err(wrong("workers must be 1: shared weights measure one trial at a time"));
        }
        if matches!(self.estimator, EstimatorConfig::Shared { .. }) && !self.also.is_empty() {
            return Err(wrong("also: shared weights are measured as they are, not trained in another way"));
        }
        if let Some((name, _)) = self.limits.iter().find(|(_, limit)| !limit.is_finite()) {
            return Err(wrong(format!("limits.{name} must be a finite number")));
        }
        if let Some((key, problem)) = self.also.iter().find_map(|(key, values)| Some((key, values.problem()?))) {
            return Err(wrong(format!("also.\"{key}\": {problem}")));
        }
        // Both ends of each must be values that training takes.
        for end in [0.0, 1.0] {
            let end = |values: &Values| match values.dimension().options() {
                Some(count) => end * (count - 1) as f64,
                None => end,
            };
            let settings: Vec<(String, Value)> =
                self.also.iter().map(|(key, values)| (key.clone(), values.value(end(values)))).collect();
            TrainingConfig::default().with(&settings).map_err(|error| wrong(format!("also: {error}")))?;
        }
        Ok(())
    }
}
