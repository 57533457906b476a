//! Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019), as PyTorch defines them.

use super::StepBuffer;
use crate::device::{Device, Recorder};
use crate::kernels::optimiser as kernels;
use crate::state::{State, StateError};
use crate::tensor::{Error, Tensor};
use serde::{Deserialize, Serialize};

/// Settings of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// L2 penalty (Adam), or decay of the weights themselves (AdamW).
    pub weight_decay: f32,
    /// Whether the decay is decoupled from the gradient (AdamW).
    pub decoupled: bool,
    /// Whether ε is added before the second moment is corrected for its start at 0: the paper's ε̂, and TensorFlow's form.
    pub epsilon_hat: bool,
}

impl Default for AdamConfig {
    /// As the DARTS search trains its architecture weights.
    fn default() -> Self {
        Self { beta1: 0.5, beta2: 0.999, epsilon: 1e-8, weight_decay: 1e-3, decoupled: false, epsilon_hat: false }
    }
}

/// Moments for a flat buffer of weights.
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    first: Tensor,
    second: Tensor,
}

impl Adam {
    /// Moments 0 for `count` weights.
    ///
    /// # Errors
    /// [`crate::device::Error::OutOfMemory`].
    pub fn new(device: &Device, count: usize, config: AdamConfig) -> Result<Self, Error> {
        Ok(Self { config, first: Tensor::zeros(device, &[count])?, second: Tensor::zeros(device, &[count])? })
    }

    /// The settings.
    pub fn config(&self) -> &AdamConfig {
        &self.config
    }

    /// First and second moments, `[count]` each.
    pub fn moments(&self) -> [&Tensor; 2] {
        [&self.first, &self.second]
    }

    /// Its state, but for the number of updates, which whoever takes them counts.
    ///
    /// # Errors
    /// An error of the device.
    pub async fn save(&self, device: &Device) -> Result<State, StateError> {
        let mut state = State::of("adam");
        state.keep("first", device, &self.first).await?;
        state.keep("second", device, &self.second).await?;
        Ok(state)
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// [`StateError`] if it is that of other weights; an error of the device.
    pub fn restore(&self, device: &Device, state: &State) -> Result<(), StateError> {
        state.check("adam")?;
        state.write("first", device, &self.first)?;
        state.write("second", device, &self.second)
    }

    /// 1 − β₁ᵗ and 1 − β₂ᵗ for the t-th update, counted from 1.
    pub fn corrections(&self, t: u32) -> [f32; 2] {
        // In float64: 1 − 0.999 loses four digits in float32.
        let correction = |beta: f32| (1.0 - f64::from(beta).powi(t as i32)) as f32;
        [correction(self.config.beta1), correction(self.config.beta2)]
    }

    /// Records one update of `weight` along `gradient`. `rate` and `corrections` are indices into the
    /// step's words. If one of `guards` is not finite, nothing is written.
    ///
    /// # Errors
    /// As recording does.
    #[allow(clippy::too_many_arguments, reason = "what an update reads and writes")]
    pub fn record(
        &self,
        recorder: &mut Recorder,
        weight: &Tensor,
        gradient: &Tensor,
        step: &StepBuffer,
        rate: u32,
        corrections: u32,
        guards: &Tensor,
    ) -> Result<(), Error> {
        let params = kernels::Adam {
            weight: weight.at(),
            gradient: gradient.at(),
            first: self.first.at(),
            second: self.second.at(),
            count: weight.count() as u32,
            learning_rate: step.words().at() + rate,
            corrections: step.words().at() + corrections,
            guard: guards.at(),
            guards: guards.count() as u32,
            decoupled: self.config.decoupled.into(),
            epsilon_hat: self.config.epsilon_hat.into(),
            beta1: self.config.beta1,
            beta2: self.config.beta2,
            epsilon: self.config.epsilon,
            weight_decay: self.config.weight_decay,
        };
        let inputs = [gradient.binding(), step.words().binding(), guards.binding()];
        let outputs = [weight.binding(), self.first.binding(), self.second.binding()];
        Ok(recorder.dispatch(&kernels::ADAM, &params, &inputs, &outputs)?)
    }
}
