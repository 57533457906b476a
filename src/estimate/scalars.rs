//! What a step computes besides gradients.

use crate::device::Device;
use crate::tensor::{Error, Tensor};

/// Scalars that one step computes on the device; those that must be finite come first.
#[derive(Clone, Debug)]
pub struct Scalars {
    values: Tensor,
}

impl Scalars {
    /// Loss of the weight step.
    pub const TRAIN_LOSS: usize = 0;
    /// Norm of the weights' gradient before clipping.
    pub const NORM: usize = 1;
    /// Validation loss of the architecture step.
    pub const VALID_LOSS: usize = 2;
    /// Norm of the validation gradient of the unrolled weights (second order).
    pub const UNROLLED_NORM: usize = 3;
    /// Training loss at the weights and at the two perturbed ones (second order).
    pub const INNER_LOSSES: usize = 4;
    /// Right answers of the weight step.
    pub const TRAIN_CORRECT: usize = 7;
    /// Right answers of the architecture step.
    pub const VALID_CORRECT: usize = 8;
    const COUNT: usize = 9;

    pub(super) fn new(device: &Device) -> Result<Self, Error> {
        Ok(Self { values: Tensor::zeros(device, &[Self::COUNT])? })
    }

    /// One scalar, `[1]`.
    pub fn one(&self, index: usize) -> Tensor {
        self.values.view(index, &[1])
    }

    /// All of them.
    pub fn all(&self) -> &Tensor {
        &self.values
    }

    /// Those that must be finite for a weight step to be written.
    pub fn guards(&self) -> Tensor {
        self.values.view(0, &[Self::TRAIN_CORRECT])
    }

    /// Those that must be finite for an architecture step to be written.
    pub fn alpha_guards(&self) -> Tensor {
        self.values.view(Self::VALID_LOSS, &[Self::TRAIN_CORRECT - Self::VALID_LOSS])
    }
}
