//! Stochastic gradient descent with momentum, as PyTorch defines it.

use super::StepBuffer;
use crate::device::{Device, Recorder};
use crate::kernels::optimiser as kernels;
use crate::state::{State, StateError};
use crate::tensor::{Error, Tensor};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Settings of [`Sgd`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdConfig {
    /// Share of the old velocity that is kept.
    pub momentum: f32,
    /// L2 penalty added to the gradient, as a factor of the weight.
    pub weight_decay: f32,
    /// Whether the step looks ahead (Nesterov).
    pub nesterov: bool,
    /// Largest gradient norm; longer gradients are shortened to it. 0: no clipping.
    pub clip: f32,
}

impl Default for SgdConfig {
    /// As the DARTS search trains its weights.
    fn default() -> Self {
        Self { momentum: 0.9, weight_decay: 3e-4, nesterov: false, clip: 5.0 }
    }
}

/// Velocities for a flat buffer of weights.
#[derive(Debug)]
pub struct Sgd {
    config: SgdConfig,
    velocity: Tensor,
}

impl Sgd {
    /// Velocities 0 for `count` weights: the first step's velocity is then the gradient itself.
    ///
    /// # Errors
    /// [`crate::device::Error::OutOfMemory`].
    pub fn new(device: &Device, count: usize, config: SgdConfig) -> Result<Self, Error> {
        Ok(Self { config, velocity: Tensor::zeros(device, &[count])? })
    }

    /// The settings.
    pub fn config(&self) -> &SgdConfig {
        &self.config
    }

    /// The velocities, `[count]`.
    pub fn velocity(&self) -> &Tensor {
        &self.velocity
    }

    /// Its state.
    ///
    /// # Errors
    /// An error of the device.
    pub async fn save(&self, device: &Device) -> Result<State, StateError> {
        let mut state = State::of("sgd");
        state.keep("velocity", device, &self.velocity).await?;
        Ok(state)
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// [`StateError`] if it is that of other weights; an error of the device.
    pub fn restore(&self, device: &Device, state: &State) -> Result<(), StateError> {
        state.check("sgd")?;
        state.write("velocity", device, &self.velocity)
    }

    /// Records one step of those `ranges` of `weight` along `gradient`, whose norm is `norm` (`[1]`, in the buffer of
    /// the guards). If one of `guards` is not finite, nothing is written. What lies outside keeps its velocity, too.
    ///
    /// # Errors
    /// [`Error::Shape`] if norm and guards lie in different buffers; else as recording does.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing")]
    pub fn record(
        &self,
        recorder: &mut Recorder,
        weight: &Tensor,
        gradient: &Tensor,
        ranges: &[Range<usize>],
        step: &StepBuffer,
        norm: &Tensor,
        guards: &Tensor,
    ) -> Result<(), Error> {
        if !norm.buffer().same(guards.buffer()) {
            return Err(Error::shape("sgd", "the norm and the guards lie in different buffers"));
        }
        let clipped = self.config.clip > 0.0;
        for range in ranges {
            let part = |flat: &Tensor| flat.view(range.start, &[range.len()]);
            let (weight, gradient, velocity) = (part(weight), part(gradient), part(&self.velocity));
            let params = kernels::Sgd {
                weight: weight.at(),
                gradient: gradient.at(),
                velocity: velocity.at(),
                count: range.len() as u32,
                learning_rate: step.words().at() + StepBuffer::WEIGHT_RATE,
                norm: if clipped { norm.at() } else { u32::MAX },
                guard: guards.at(),
                guards: guards.count() as u32,
                nesterov: self.config.nesterov.into(),
                clip: self.config.clip,
                momentum: self.config.momentum,
                weight_decay: self.config.weight_decay,
            };
            let inputs = [gradient.binding(), step.words().binding(), guards.binding()];
            recorder.dispatch(&kernels::SGD, &params, &inputs, &[weight.binding(), velocity.binding()])?;
        }
        Ok(())
    }
}
