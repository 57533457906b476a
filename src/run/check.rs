//! Which configurations can be used.

use super::config::{Config, ConfigError, NetworkConfig};
use crate::optim::Schedule;
use crate::search::bilevel::{Order, Penalty, Perturbation, Selection, Stage, Stop, Weighing};
use crate::space::NetworkSettings;

/// Largest shift or blanked square of an augmentation.
const MOST_PIXELS: usize = 65_536;
/// Most epochs of anything. Times stages, steps and images they still can be counted.
const MOST_EPOCHS: u32 = 1_000_000;
/// Most architectures that are drawn at once.
const MOST_ARCHITECTURES: u32 = 1_000_000;
/// Most images a step: more than any dataset that is known has.
const MOST_IMAGES: usize = 1 << 27;
/// Most units of a controller, and architectures that it writes at once.
const MOST_UNITS: usize = 4096;
/// Most stages of a search.
const MOST_STAGES: usize = 100;

impl Config {
    /// Whether all values can be used.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_strategy()?;
        let wrong = |key: &str, problem: &str| {
            Err(ConfigError::Value { place: "configuration".into(), problem: format!("{key} {problem}") })
        };
        self.check_counts()?;
        let probability = |p: f32| (0.0..1.0).contains(&p);
        if !probability(self.train.drop_path) || !probability(self.train.label_smoothing) {
            return wrong("train.drop_path and train.label_smoothing", "must be at least 0 and less than 1");
        }
        let usable = |value: f32| value >= 0.0 && value.is_finite();
        if !usable(self.search.alpha_rate) || !usable(self.train.auxiliary_weight) {
            return wrong("search.alpha_rate and train.auxiliary_weight", "must not be negative");
        }
        if !usable(self.search.alpha_deviation) || !usable(self.search.threshold) {
            return wrong("search.alpha_deviation and search.threshold", "must not be negative");
        }
        for (group, sgd, rate, augmentation) in [
            ("search", &self.search.sgd, &self.search.rate, &self.search.augmentation),
            ("one_shot", &self.one_shot.sgd, &self.one_shot.rate, &self.one_shot.augmentation),
            ("enas", &self.enas.sgd, &self.enas.rate, &self.enas.augmentation),
            ("train", &self.train.sgd, &self.train.rate, &self.train.augmentation),
        ] {
            if !rate.is_usable() {
                return wrong(&format!("{group}.rate"), "must hold rates of at least 0 and periods of at least 1");
            }
            if !probability(sgd.momentum) {
                return wrong(&format!("{group}.sgd.momentum"), "must be at least 0 and less than 1");
            }
            if !usable(sgd.weight_decay) || !usable(sgd.clip) {
                return wrong(&format!("{group}.sgd.weight_decay and clip"), "must not be negative");
            }
            if augmentation.padding > MOST_PIXELS || augmentation.cutout > MOST_PIXELS {
                return wrong(
                    &format!("{group}.augmentation"),
                    &format!("can move or blank at most {MOST_PIXELS} pixels"),
                );
            }
        }
        self.check_search()?;
        for (group, adam) in [("search.adam", &self.search.adam), ("enas.controller.adam", &self.enas.controller.adam)]
        {
            if !probability(adam.beta1) || !probability(adam.beta2) {
                return wrong(&format!("{group}.beta1 and beta2"), "must be at least 0 and less than 1");
            }
            if !(adam.epsilon > 0.0 && adam.epsilon.is_finite() && usable(adam.weight_decay)) {
                return wrong(&format!("{group}.epsilon"), "must be positive, and weight_decay not negative");
            }
        }
        self.enas.check().map_err(|problem| ConfigError::Value { place: "configuration".into(), problem })
    }

    /// Whether what is counted is neither nothing nor too much.
    fn check_counts(&self) -> Result<(), ConfigError> {
        let Self { search, one_shot, enas, train, .. } = self;
        let epochs = |key, value: u32| (key, value.into(), 1, MOST_EPOCHS.into());
        let images = |key, value: usize| (key, value as u64, 1, MOST_IMAGES as u64);
        let architectures = |key, value: u32| (key, value.into(), 1, MOST_ARCHITECTURES.into());
        let evolution = &one_shot.evolution;
        let counts = [
            epochs("search.epochs", search.epochs),
            epochs("one_shot.epochs", one_shot.epochs),
            epochs("enas.epochs", enas.epochs),
            epochs("train.epochs", train.epochs),
            images("search.batch", search.batch),
            images("one_shot.batch", one_shot.batch),
            images("enas.batch", enas.batch),
            images("enas.reward_batch", enas.reward_batch),
            images("train.batch", train.batch),
            architectures("one_shot.samples", one_shot.samples),
            architectures("one_shot.evolution.population", evolution.population),
            architectures("one_shot.evolution.generations", evolution.generations),
            ("one_shot.evolution.parents", evolution.parents as u64, 1, MOST_ARCHITECTURES.into()),
            architectures("enas.candidates", enas.candidates),
            // A controller that never learns would be random search under another name.
            ("enas.updates", enas.updates.into(), 1, MOST_EPOCHS.into()),
            ("enas.controller.units", enas.controller.units as u64, 1, MOST_UNITS as u64),
            ("enas.controller.samples", enas.controller.samples as u64, 1, MOST_UNITS as u64),
            ("search.stages", search.stages.len() as u64, 0, MOST_STAGES as u64),
            // None is a wish that can be granted.
            ("random", self.random as u64, 0, MOST_ARCHITECTURES.into()),
            ("one_shot.calibration", one_shot.calibration.into(), 0, MOST_EPOCHS.into()),
            ("enas.calibration", enas.calibration.into(), 0, MOST_EPOCHS.into()),
            ("one_shot.evolution.mutations", evolution.mutations.into(), 0, MOST_ARCHITECTURES.into()),
            ("one_shot.evolution.crossovers", evolution.crossovers.into(), 0, MOST_ARCHITECTURES.into()),
        ];
        for (key, value, least, most) in counts {
            within(key, value, least, most)?;
        }
        if !(0.0..=1.0).contains(&evolution.probability) {
            return Err(wrong("one_shot.evolution.probability must be from 0 to 1".into()));
        }
        for (group, NetworkConfig { channels, layers, .. }) in [("supernet", self.supernet), ("network", self.network)]
        {
            let settings = NetworkSettings { channels, layers, ..NetworkSettings::default() };
            settings.check().map_err(|error| wrong(format!("{group}.{error}")))?;
        }
        for Stage { deeper, .. } in &search.stages {
            let layers = self.supernet.layers.saturating_add(*deeper);
            let settings = NetworkSettings { layers, ..NetworkSettings::default() };
            settings.check().map_err(|error| wrong(format!("search.stages, deeper = {deeper}: {error}")))?;
        }
        Ok(())
    }

    /// What only gradient methods have.
    fn check_search(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, problem: &str| {
            let problem = format!("search.{key} {problem}");
            Err(ConfigError::Value { place: "configuration".into(), problem })
        };
        let search = &self.search;
        // A schedule has its extremes at its ends, or falls.
        let from_to = |s: &Schedule| [0, search.epochs.max(1) - 1].map(|epoch| s.rate(epoch, search.epochs));
        if let Weighing::Gumbel { temperature } | Weighing::GumbelPath { temperature, .. } = &search.weighing
            && !(temperature.is_usable() && from_to(temperature).iter().all(|&t| t > 0.0))
        {
            return wrong("weighing.temperature", "must stay above 0");
        }
        if let Perturbation::Random { epsilon } | Perturbation::Adversarial { epsilon, .. } = &search.perturbation
            && !epsilon.is_usable()
        {
            return wrong("perturbation.epsilon", "must not be negative");
        }
        if let Perturbation::Adversarial { steps, .. } = search.perturbation {
            within("search.perturbation.steps", steps.into(), 1, MOST_EPOCHS.into())?;
        }
        if let Penalty::ZeroOne { weight } | Penalty::Anchor { weight } = search.penalty
            && !weight.is_finite()
        {
            return wrong("penalty.weight", "must be a finite number");
        }
        match search.stop {
            Stop::Never => {}
            Stop::Skips { most, .. } => within("search.stop.most", most as u64, 1, u64::MAX)?,
            Stop::Eigenvalue { every, window, back, ratio, .. } => {
                within("search.stop.every", every.into(), 1, MOST_EPOCHS.into())?;
                within("search.stop.window", window as u64, 1, MOST_EPOCHS.into())?;
                within("search.stop.back", back as u64, 1, MOST_EPOCHS.into())?;
                if !ratio.is_finite() {
                    return wrong("stop.ratio", "must be a finite number");
                }
            }
        }
        if let Selection::Masking { tune, divisor } = search.selection {
            within("search.selection.tune", tune.into(), 0, MOST_EPOCHS.into())?;
            if !(divisor > 0.0 && divisor.is_finite()) {
                return wrong("selection.divisor", "must be positive");
            }
        }
        if search.parts == 0 || search.stages.iter().any(|s| s.parts == 0 || !(0.0..1.0).contains(&s.dropout)) {
            return wrong(
                "parts and stages",
                "need at least one part of the channels, and a dropout from 0 to below 1",
            );
        }
        if search.warmup > 0 && search.warmup >= search.epochs {
            let all = search.epochs;
            let problem = format!("must be less than search.epochs ({all}), or the architecture weights never move");
            return wrong("warmup", &problem);
        }
        let paths = search.weighing.is_path();
        if paths && search.order == Order::Second {
            return wrong("order", "must be 1 where paths are sampled");
        }
        if paths && (search.selection != Selection::Weights || search.perturbation != Perturbation::None) {
            return wrong("selection and perturbation", "need all options, not sampled paths");
        }
        if paths && matches!(search.stop, Stop::Eigenvalue { .. }) {
            return wrong("stop", "by eigenvalues needs all options, not sampled paths");
        }
        Ok(())
    }
}

fn wrong(problem: String) -> ConfigError {
    ConfigError::Value { place: "configuration".into(), problem }
}

/// Whether a count lies in `least`..=`most`.
fn within(key: &str, value: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    match (least..=most).contains(&value) {
        true => Ok(()),
        false if value < least => Err(wrong(format!("{key} = {value}: must be at least {least}"))),
        false => Err(wrong(format!("{key} = {value}: must be at most {most}"))),
    }
}
