//! A dataset on the device, as bytes; batches are gathered there.

use super::Images;
use crate::device::{Device, Recorder};
use crate::kernels::gather;
use crate::tensor::{Error, Tensor};
use serde::{Deserialize, Serialize};

/// How training images are varied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Pixels by which the image is shifted at most, in each direction.
    pub padding: usize,
    /// Whether every second image is mirrored.
    pub flip: bool,
    /// Side of a square that is blanked; 0 for none.
    pub cutout: usize,
}

/// Images and labels on a device.
#[derive(Clone, Debug)]
pub struct Resident {
    images: Tensor,
    labels: Tensor,
    normal: Tensor,
    shape: [usize; 3],
    count: usize,
}

/// Where a batch's random choices come from.
#[derive(Clone, Copy, Debug)]
pub struct Draw<'a> {
    /// Key of the generator.
    pub seed: u64,
    /// Distinguishes the batches of one step.
    pub stream: u32,
    /// Words that change from step to step.
    pub step: &'a Tensor,
    /// Index in `step` of the step's number.
    pub counter: u32,
    /// Index in `step` of the probability of a cutout; none where each image has one.
    pub cutout: Option<u32>,
}

/// Tensors of one batch on a device.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Indices of the images, words, `[batch]`.
    pub indices: Tensor,
    /// Images, `[batch, channels, height, width]`.
    pub x: Tensor,
    /// Labels, words, `[batch]`.
    pub y: Tensor,
}

impl Batch {
    /// Room for `size` images of `[channels, height, width]`.
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

    /// Number of images.
    pub fn size(&self) -> usize {
        self.y.count()
    }
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

    /// Records filling a batch with the images at its indices, normalised and varied.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_gather(
        &self,
        recorder: &mut Recorder,
        batch: &Batch,
        augmentation: Augmentation,
        draw: Draw<'_>,
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
            stream: draw.stream,
            seed_low: draw.seed as u32,
            seed_high: (draw.seed >> 32) as u32,
            counter: draw.step.at() + draw.counter,
            by_chance: draw.cutout.is_some().into(),
            chance: draw.step.at() + draw.cutout.unwrap_or(0),
        };
        let inputs = [
            self.images.binding(),
            self.labels.binding(),
            batch.indices.binding(),
            self.normal.binding(),
            draw.step.binding(),
        ];
        Ok(recorder.dispatch(&gather::GATHER, &params, &inputs, &[batch.x.binding(), batch.y.binding()])?)
    }
}
