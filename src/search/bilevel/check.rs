//! Which settings of gradient methods can be used.

use super::config::{BilevelConfig, Order, Penalty, Perturbation, Selection, Stage, Stop};
use super::parts::{Alignment, Auxiliary, Freezing, Lora, Update};
use super::weighing::Weighing;
use crate::estimate::limits::{self, MOST_EPOCHS, is_usable, within, wrong};
use crate::optim::Schedule;
use crate::settings::SettingsError;
use crate::space::NetworkSettings;

/// Highest rank of factors: beyond the widest convolution it is none that is low.
const MOST_RANK: u64 = 4096;
/// Most stages of a search.
const MOST_STAGES: usize = 100;

impl BilevelConfig {
    /// Whether all values can be used, for a (first) supernet that is built so.
    ///
    /// # Errors
    /// Which cannot, and what it must be.
    pub fn check(&self, supernet: &NetworkSettings) -> Result<(), SettingsError> {
        limits::epochs("epochs", self.epochs)?;
        limits::images("batch", self.batch)?;
        within("stages", self.stages.len() as u64, 0, MOST_STAGES as u64)?;
        if !is_usable(self.alpha_rate) || !is_usable(self.alpha_deviation) || !is_usable(self.threshold) {
            return Err(wrong("alpha_rate, alpha_deviation and threshold must not be negative"));
        }
        limits::regime(&self.rate, &self.sgd, &self.augmentation)?;
        limits::adam("adam", &self.adam)?;
        for Stage { deeper, .. } in &self.stages {
            let layers = supernet.layers.saturating_add(*deeper);
            let settings = NetworkSettings { layers, ..NetworkSettings::default() };
            settings.check().map_err(|error| wrong(format!("stages, deeper = {deeper}: {error}")))?;
        }
        self.check_parts()?;
        self.check_fit()
    }

    /// The parts that a method is made of, each by itself.
    fn check_parts(&self) -> Result<(), SettingsError> {
        // A schedule has its extremes at its ends, or falls.
        let from_to = |s: &Schedule| [0, self.epochs.max(1) - 1].map(|epoch| s.rate(epoch, self.epochs));
        if let Weighing::Gumbel { temperature } | Weighing::GumbelPath { temperature, .. } = &self.weighing
            && !(temperature.is_usable() && from_to(temperature).iter().all(|&t| t > 0.0))
        {
            return Err(wrong("weighing.temperature must stay above 0"));
        }
        if let Weighing::ReinMax { temperature } = self.weighing
            && !(temperature >= 1.0 && temperature.is_finite())
        {
            return Err(wrong("weighing.temperature of ReinMax must be 1 at least: below, its estimate is none"));
        }
        if let Update::Exponentiated { floor } = self.update
            && !(0.0..1.0).contains(&floor)
        {
            return Err(wrong("update.floor must be from 0 to below 1"));
        }
        if let Perturbation::Random { epsilon } | Perturbation::Adversarial { epsilon, .. } = &self.perturbation
            && !epsilon.is_usable()
        {
            return Err(wrong("perturbation.epsilon must not be negative"));
        }
        if let Perturbation::Adversarial { steps, .. } = self.perturbation {
            within("perturbation.steps", steps.into(), 1, MOST_EPOCHS.into())?;
        }
        if let Auxiliary::Skip { weight } = self.auxiliary
            && !weight.is_usable()
        {
            return Err(wrong("auxiliary.weight must not be negative"));
        }
        if let Alignment::Correlation { weight, distance } | Alignment::SignCorrelation { weight, distance } =
            self.alignment
            && !(weight.is_usable() && distance > 0.0 && distance.is_finite())
        {
            return Err(wrong("alignment.weight must not be negative, alignment.distance must be positive"));
        }
        if let Freezing::Gradients { threshold, window, .. } = self.freezing {
            within("freezing.window", window.into(), 1, MOST_EPOCHS.into())?;
            if !threshold.is_finite() {
                return Err(wrong("freezing.threshold must be a finite number"));
            }
        }
        if let Lora::LowRank { rank, from, toggles, probability } = &self.lora {
            within("lora.rank", *rank as u64, 1, MOST_RANK)?;
            within("lora.from", (*from).into(), 0, MOST_EPOCHS.into())?;
            within("lora.toggles", toggles.len() as u64, 0, MOST_EPOCHS.into())?;
            if !(0.0..=1.0).contains(probability) {
                return Err(wrong("lora.probability must be from 0 to 1"));
            }
        }
        if let Penalty::LogSumExp { weight } = self.penalty
            && !weight.is_usable()
        {
            return Err(wrong("penalty.weight must not be negative"));
        }
        if let Penalty::ZeroOne { weight } | Penalty::Anchor { weight } | Penalty::Divergence { weight } = self.penalty
            && !weight.is_finite()
        {
            return Err(wrong("penalty.weight must be a finite number"));
        }
        match self.stop {
            Stop::Never => {}
            Stop::Skips { most, .. } => within("stop.most", most as u64, 1, u64::MAX)?,
            Stop::Eigenvalue { every, window, back, ratio, growth, most_decay, .. } => {
                within("stop.every", every.into(), 1, MOST_EPOCHS.into())?;
                within("stop.window", window as u64, 1, MOST_EPOCHS.into())?;
                within("stop.back", back as u64, 1, MOST_EPOCHS.into())?;
                if !(ratio.is_finite() && growth.is_finite() && most_decay.is_finite()) {
                    return Err(wrong("stop.ratio, stop.growth and stop.most_decay must be finite numbers"));
                }
            }
        }
        if let Selection::Masking { tune, divisor } = self.selection {
            within("selection.tune", tune.into(), 0, MOST_EPOCHS.into())?;
            if !(divisor > 0.0 && divisor.is_finite()) {
                return Err(wrong("selection.divisor must be positive"));
            }
        }
        Ok(())
    }

    /// What does not go together.
    fn check_fit(&self) -> Result<(), SettingsError> {
        if self.parts == 0 || self.stages.iter().any(|s| s.parts == 0 || !(0.0..1.0).contains(&s.dropout)) {
            return Err(wrong(
                "parts and stages need at least one part of the channels, and a dropout from 0 to below 1",
            ));
        }
        if self.parts > 1 && !self.stages.is_empty() {
            return Err(wrong("parts say nothing to a search in stages: set those of each of `stages`"));
        }
        if self.warmup > 0 && self.warmup >= self.epochs {
            let all = self.epochs;
            return Err(wrong(format!(
                "warmup must be less than epochs ({all}), or the architecture weights never move"
            )));
        }
        let paths = self.weighing.is_path();
        if paths && self.order == Order::Second {
            return Err(wrong("order must be 1 where paths are sampled"));
        }
        let masks = matches!(self.selection, Selection::Masking { .. });
        if paths && (masks || self.perturbation != Perturbation::None) {
            return Err(wrong("selection by masking and perturbation need all options, not sampled paths"));
        }
        if paths && (self.alignment != Alignment::None || self.freezing != Freezing::None) {
            return Err(wrong("alignment and freezing need all options, not sampled paths"));
        }
        let steps = [paths, self.freezing != Freezing::None, self.alignment != Alignment::None];
        if self.lora != Lora::None && steps.contains(&true) {
            return Err(wrong(
                "lora, freezing, alignment and sampled paths each have a step of their own: choose one of them",
            ));
        }
        if self.lora != Lora::None && !self.stages.is_empty() {
            return Err(wrong("lora needs one supernet from beginning to end, not stages"));
        }
        if self.freezing != Freezing::None && self.order == Order::Second {
            return Err(wrong("freezing compares gradients at the present weights: set search.order=1"));
        }
        if self.freezing != Freezing::None && self.weights_first {
            return Err(wrong("freezing compares the gradient of the step before: it needs weights_first=false"));
        }
        if self.freezing != Freezing::None && self.alignment != Alignment::None {
            return Err(wrong("alignment changes the gradients that freezing compares: choose one of them"));
        }
        let divides = self.edge_drop_path > 0.0;
        if divides && (paths || masks || self.stages.iter().any(|stage| stage.dropout > 0.0)) {
            return Err(wrong(
                "edge_drop_path needs all options, a selection by weights, and no other dropout in the supernet",
            ));
        }
        if !limits::is_share(self.edge_drop_path) {
            return Err(wrong("edge_drop_path must be at least 0 and less than 1"));
        }
        if paths && self.auxiliary != Auxiliary::None {
            return Err(wrong("an auxiliary skip stands beside all options, not on sampled paths"));
        }
        if (self.weighing == Weighing::Direct) != matches!(self.update, Update::Exponentiated { .. }) {
            return Err(wrong(
                "weighing by α itself and the exponentiated gradient need one another: rows must sum to one",
            ));
        }
        if self.weighing == Weighing::Direct && self.auxiliary != Auxiliary::None {
            return Err(wrong(
                "weighing by α itself has rows that sum to one, in which an auxiliary skip would have a share",
            ));
        }
        if self.weighing == Weighing::Direct && self.stages.iter().any(|stage| stage.options > 0) {
            return Err(wrong("stages that drop options need weights that are a function of α, not α itself"));
        }
        if paths && matches!(self.stop, Stop::Eigenvalue { .. }) {
            return Err(wrong("stop by eigenvalues needs all options, not sampled paths"));
        }
        if matches!(self.stop, Stop::Eigenvalue { .. }) && self.is_given() {
            return Err(wrong(
                "stop by eigenvalues needs the plain softmax of α, which it moves: no other weighing, penalty or \
                 perturbation",
            ));
        }
        Ok(())
    }
}
