//! Which configurations can be used.

use super::config::{Config, ConfigError};
use crate::optim::Schedule;
use crate::search::bilevel::{Order, Penalty, Perturbation, Selection, Stop, Weighing};

/// Largest shift or blanked square of an augmentation.
const MOST_PIXELS: usize = 65_536;

impl Config {
    /// Whether all values can be used.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_strategy()?;
        let wrong = |key: &str, problem: &str| {
            Err(ConfigError::Value { place: "configuration".into(), problem: format!("{key} {problem}") })
        };
        let probability = |p: f32| (0.0..1.0).contains(&p);
        if self.search.batch == 0 || self.train.batch == 0 || self.one_shot.batch == 0 {
            return wrong("batch", "must be at least 1");
        }
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
        if let Penalty::ZeroOne { weight } | Penalty::Anchor { weight } = search.penalty
            && !weight.is_finite()
        {
            return wrong("penalty.weight", "must be a finite number");
        }
        if let Stop::Eigenvalue { every, window, back, ratio, .. } = search.stop
            && (every == 0 || window == 0 || back == 0 || !ratio.is_finite())
        {
            return wrong("stop", "needs every, window and back of at least 1 and a finite ratio");
        }
        if let Selection::Masking { divisor, .. } = search.selection
            && !(divisor > 0.0 && divisor.is_finite())
        {
            return wrong("selection.divisor", "must be positive");
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
