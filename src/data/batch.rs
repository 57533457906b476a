//! A batch on a device, and what it is drawn by.

use crate::device::Device;
use crate::optim::StepBuffer;
use crate::tensor::{Error, Tensor};

/// Where a batch's random choices come from.
#[derive(Clone, Copy, Debug)]
pub struct Draw<'a> {
    /// Key of the generator.
    pub seed: u64,
    /// Distinguishes the batches of one step.
    pub stream: u32,
    /// What changes from step to step: the counter of the choices is the step's number.
    pub step: &'a StepBuffer,
    /// Whether what need not befall every example (the cutout of images) does so with the step's probability, or always.
    pub by_chance: bool,
}

/// Tensors of one batch on a device.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Indices of the examples, words, `[batch]`.
    pub indices: Tensor,
    /// Their features, `[batch, channels, height, width]`.
    pub x: Tensor,
    /// Their targets: labels, words, `[batch]`.
    pub y: Tensor,
}

impl Batch {
    /// Room for `size` examples whose features are `[channels, height, width]`.
    ///
    /// # Errors
    /// [`crate::device::Error::OutOfMemory`] or [`crate::device::Error::Limit`].
    pub fn new(device: &Device, size: usize, [channels, height, width]: [usize; 3]) -> Result<Self, Error> {
        Ok(Self {
            indices: Tensor::zeros(device, &[size])?,
            x: Tensor::zeros(device, &[size, channels, height, width])?,
            y: Tensor::zeros(device, &[size])?,
        })
    }

    /// Number of examples.
    pub fn size(&self) -> usize {
        self.indices.count()
    }
}
