//! Running mean and variance of every batch normalisation, in one flat buffer.

use crate::device::{Device, Recorder};
use crate::kernels::batch_norm;
use crate::tensor::{Error, Tensor};

/// Share of the newest batch in the running statistics.
const MOMENTUM: f32 = 0.1;

/// Running statistics: for each layer, in order, `[mean | variance]`.
///
/// A training pass writes the batch's own to `moments`; they enter the running ones
/// only by [`record_update`](Self::record_update), after the loss is known to be finite.
#[derive(Debug)]
pub struct Statistics {
    layers: Vec<(String, usize, usize)>,
    running: Tensor,
    moments: Tensor,
    tracked: u64,
}

impl Statistics {
    /// Statistics (mean 0, variance 1) of layers given by name and channels.
    ///
    /// # Errors
    /// [`crate::device::Error::OutOfMemory`] or [`crate::device::Error::Limit`].
    pub fn new(device: &Device, layers: &[(String, usize)]) -> Result<Self, Error> {
        let mut values = Vec::new();
        let mut placed = Vec::with_capacity(layers.len());
        for (name, channels) in layers {
            placed.push((name.clone(), *channels, values.len()));
            values.extend(std::iter::repeat_n(0.0, *channels).chain(std::iter::repeat_n(1.0, *channels)));
        }
        let running = Tensor::from_values(device, &values, &[values.len()])?;
        let moments = Tensor::from_values(device, &values, &[values.len()])?;
        Ok(Self { layers: placed, running, moments, tracked: 0 })
    }

    /// Name and number of channels of each layer.
    pub fn layers(&self) -> impl Iterator<Item = (&str, usize)> {
        self.layers.iter().map(|(name, channels, _)| (name.as_str(), *channels))
    }

    /// All running statistics.
    pub fn running(&self) -> &Tensor {
        &self.running
    }

    /// Running mean and variance of one layer, `[2 · channels]`.
    pub fn running_of(&self, layer: usize) -> Tensor {
        let (_, channels, offset) = self.layers[layer];
        self.running.view(offset, &[2 * channels])
    }

    /// Where a training pass writes one layer's mean and unbiased variance, `[2 · channels]`.
    pub fn moments_of(&self, layer: usize) -> Tensor {
        let (_, channels, offset) = self.layers[layer];
        self.moments.view(offset, &[2 * channels])
    }

    /// Number of batches that have entered (`num_batches_tracked`).
    pub fn tracked(&self) -> u64 {
        self.tracked
    }

    /// Counts batches that entered: running a recording is the caller's doing.
    pub fn count_batches(&mut self, batches: u64) {
        self.tracked += batches;
    }

    /// Sets the number of batches that have entered.
    pub fn set_tracked(&mut self, batches: u64) {
        self.tracked = batches;
    }

    /// Records `running = 0.9 · running + 0.1 · moments` for all layers, unless one of `guards` (losses,
    /// norms) is not finite.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_update(&self, recorder: &mut Recorder, guards: &Tensor) -> Result<(), Error> {
        if self.running.count() == 0 {
            return Ok(());
        }
        let params = batch_norm::Update {
            moments: self.moments.at(),
            running: self.running.at(),
            scalars: guards.at(),
            count: self.running.count() as u32,
            guards: guards.count() as u32,
            momentum: MOMENTUM,
        };
        let inputs = [self.moments.binding(), guards.binding()];
        Ok(recorder.dispatch(&batch_norm::UPDATE, &params, &inputs, &[self.running.binding()])?)
    }
}
