//! Settings of a controller, and those that were published.

use crate::estimate::limits::{self, within, wrong};
use crate::optim::AdamConfig;
use crate::settings::SettingsError;
use serde::{Deserialize, Serialize};

/// Most units, and architectures that are written at once.
const MOST_UNITS: usize = 4096;

/// Which entropy is added to the reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entropy {
    /// That of the whole distribution at each step.
    Distribution,
    /// −p·log p of what was chosen at each step.
    Choice,
}

/// Settings of a [`Controller`](super::Controller).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ControllerConfig {
    /// Units of the LSTM.
    pub units: usize,
    /// What scores are divided by.
    pub temperature: f32,
    /// Logits are this, times the tanh of the divided scores.
    pub tanh: f32,
    /// By how much less the logits of options reach than those of states and skips.
    pub operation_tanh_reduce: f32,
    /// Initial values of the learned bias of options' scores, the rest 0; empty: there is no such bias.
    pub bias: Vec<f32>,
    /// Which entropy is added to the reward.
    pub entropy: Entropy,
    /// Weight of the entropy in the reward.
    pub entropy_weight: f64,
    /// Share of the old baseline that is kept with each sample.
    pub baseline_decay: f64,
    /// Weight of the penalty of skips.
    pub skip_weight: f32,
    /// How probable a skip should be, elementwise: what the penalty holds σ(l) against.
    pub skip_target: f32,
    /// Architectures an update.
    pub samples: usize,
    /// The optimiser.
    pub adam: AdamConfig,
    /// Its learning rate.
    pub rate: f32,
}

impl Default for ControllerConfig {
    /// As published for the search of cells (ENAS micro).
    fn default() -> Self {
        Self {
            units: 64,
            temperature: 1.0,
            tanh: 1.10,
            operation_tanh_reduce: 2.5,
            bias: vec![10.0, 10.0],
            entropy: Entropy::Distribution,
            entropy_weight: 1e-4,
            baseline_decay: 0.99,
            skip_weight: 0.8,
            skip_target: 0.4,
            samples: 10,
            adam: AdamConfig {
                beta1: 0.0,
                beta2: 0.999,
                epsilon: 1e-3,
                weight_decay: 0.0,
                decoupled: false,
                epsilon_hat: true,
            },
            rate: 3.5e-3,
        }
    }
}

impl ControllerConfig {
    /// As published for the search of whole networks (ENAS macro).
    pub fn for_networks() -> Self {
        Self {
            tanh: 1.5,
            operation_tanh_reduce: 1.0,
            bias: Vec::new(),
            entropy: Entropy::Choice,
            samples: 20,
            rate: 1e-3,
            ..Self::default()
        }
    }

    /// As NAS-Bench-201 runs it (Dong & Yang 2020): logits 2.5·tanh(x/5), a bias that starts at 0.
    pub fn nas_bench_201() -> Self {
        Self { temperature: 5.0, tanh: 2.5, operation_tanh_reduce: 1.0, bias: vec![0.0], rate: 1e-3, ..Self::default() }
    }

    /// Whether all values can be used.
    ///
    /// # Errors
    /// Which cannot, and what it must be.
    pub fn check(&self) -> Result<(), SettingsError> {
        within("units", self.units as u64, 1, MOST_UNITS as u64)?;
        within("samples", self.samples as u64, 1, MOST_UNITS as u64)?;
        limits::adam("adam", &self.adam)?;
        let positive = |value: f32| value > 0.0 && value.is_finite();
        if ![self.temperature, self.tanh, self.operation_tanh_reduce].into_iter().all(positive) {
            return Err(wrong("temperature, tanh and operation_tanh_reduce must be positive"));
        }
        if !self.bias.iter().all(|bias| bias.is_finite()) {
            return Err(wrong("bias must be finite"));
        }
        let share = |value: f64| (0.0..1.0).contains(&value);
        if !share(self.baseline_decay) || !share(self.skip_target.into()) || self.skip_target == 0.0 {
            return Err(wrong("baseline_decay must be at least 0, skip_target more, and both less than 1"));
        }
        let usable = |value: f64| value >= 0.0 && value.is_finite();
        if ![self.entropy_weight, self.skip_weight.into(), self.rate.into()].into_iter().all(usable) {
            return Err(wrong("entropy_weight, skip_weight and rate must not be negative"));
        }
        Ok(())
    }
}
