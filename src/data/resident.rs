//! A dataset on the device, as bytes; batches are gathered there.

use super::{Augmentation, Batch, Draw, Images};
use crate::device::{Device, Recorder};
use crate::kernels::gather;
use crate::optim::StepBuffer;
use crate::tensor::{Error, Tensor};

/// Images and labels on a device.
#[derive(Clone, Debug)]
pub struct Resident {
    images: Tensor,
    labels: Tensor,
    normal: Tensor,
    shape: [usize; 3],
    count: usize,
}

impl Resident {
    /// Puts images on a device. `mean` and `std` of each channel, in [0, 1] units, normalise them.
    ///
    /// # Errors
    /// [`crate::device::Error::OutOfMemory`] or [`crate::device::Error::Limit`].
    pub fn new(device: &Device, images: &Images, mean: &[f32], std: &[f32]) -> Result<Self, Error> {
        let words: Vec<u32> = images
            .pixels()
            .chunks(4)
            .map(|bytes| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)))
            .collect();
        let normal: Vec<f32> = mean.iter().copied().chain(std.iter().map(|s| 1.0 / s)).collect();
        Ok(Self {
            images: Tensor::from_words(device, &words, &[words.len()])?,
            labels: Tensor::from_words(device, images.labels(), &[images.count()])?,
            normal: Tensor::from_values(device, &normal, &[normal.len()])?,
            shape: images.shape(),
            count: images.count(),
        })
    }

    /// `[channels, height, width]` of an image.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Number of images.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Their labels, words, `[images]`.
    pub fn labels(&self) -> &Tensor {
        &self.labels
    }

    /// Room for a batch of `size` of them.
    ///
    /// # Errors
    /// [`crate::device::Error::OutOfMemory`] or [`crate::device::Error::Limit`].
    pub fn batch(&self, device: &Device, size: usize) -> Result<Batch, Error> {
        Batch::new(device, size, self.shape)
    }

    /// Records filling a batch with the images at its indices, normalised, as they are.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_gather(&self, recorder: &mut Recorder, batch: &Batch) -> Result<(), Error> {
        // Nothing is drawn: the kernel looks at no step, and labels are words too.
        self.record(recorder, batch, Augmentation::default(), gather::Params::default(), &self.labels)
    }

    /// Records filling a batch with the images at its indices, normalised and varied.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_varied_gather(
        &self,
        recorder: &mut Recorder,
        batch: &Batch,
        augmentation: Augmentation,
        draw: Draw<'_>,
    ) -> Result<(), Error> {
        let step = draw.step.words();
        let drawn = gather::Params {
            stream: draw.stream,
            seed_low: draw.seed as u32,
            seed_high: (draw.seed >> 32) as u32,
            counter: step.at() + StepBuffer::COUNTER,
            by_chance: draw.by_chance.into(),
            chance: step.at() + StepBuffer::CHANCE,
            ..Default::default()
        };
        self.record(recorder, batch, augmentation, drawn, step)
    }

    fn record(
        &self,
        recorder: &mut Recorder,
        batch: &Batch,
        augmentation: Augmentation,
        drawn: gather::Params,
        step: &Tensor,
    ) -> Result<(), Error> {
        let [channels, height, width] = self.shape;
        let params = gather::Params {
            indices: batch.indices.at(),
            x: batch.x.at(),
            y: batch.y.at(),
            batch: batch.size() as u32,
            channels: channels as u32,
            height: height as u32,
            width: width as u32,
            padding: augmentation.padding as u32,
            flip: augmentation.flip.into(),
            cutout: augmentation.cutout as u32,
            ..drawn
        };
        let inputs = [&self.images, &self.labels, &batch.indices, &self.normal, step].map(Tensor::binding);
        Ok(recorder.dispatch(&gather::GATHER, &params, &inputs, &[batch.x.binding(), batch.y.binding()])?)
    }
}
