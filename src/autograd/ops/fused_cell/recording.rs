//! What all fans of a cell are recorded with.

use crate::autograd::ops::Moments;
use crate::device::Recorder;
use crate::kernels::{batch_norm, normalised_sum};
use crate::tensor::{Error, Tensor};

/// What all fans of a cell are recorded with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recording<'a> {
    pub(super) weights: &'a Tensor,
    pub(super) options: usize,
    pub(super) epsilon: f32,
    pub(super) training: bool,
    /// Of a sum.
    pub(super) shape: [usize; 4],
    /// A sum that is the cell's result, and where it goes.
    pub(super) single: Option<(usize, &'a Tensor)>,
}

impl Recording<'_> {
    /// Elements of a candidate.
    pub(super) fn unit(&self) -> usize {
        self.shape.iter().product()
    }

    pub(super) fn pixels(&self) -> usize {
        self.shape[2] * self.shape[3]
    }
}

/// Records mean and inverse deviation of `channels` channels of `z` to `saved`.
pub(super) fn record_statistics(
    recorder: &mut Recorder,
    z: &Tensor,
    saved: &Tensor,
    channels: usize,
    record: &Recording<'_>,
    moments: &Moments,
) -> Result<(), Error> {
    let (mean, variance, channels) = (moments.mean.at(), moments.variance.at(), channels as u32);
    let (saved_at, epsilon) = (saved.at(), record.epsilon);
    if !record.training {
        let params = batch_norm::Fold { mean, variance, saved: saved_at, channels, epsilon };
        return Ok(recorder.dispatch(&batch_norm::FOLD, &params, &[moments.mean.binding()], &[saved.binding()])?);
    }
    let params = batch_norm::Statistics {
        x: z.at(),
        saved: saved_at,
        mean,
        variance,
        batch: record.shape[0] as u32,
        channels,
        pixels: record.pixels() as u32,
        epsilon,
    };
    let outputs = [saved.binding(), moments.mean.binding()];
    Ok(recorder.dispatch(&batch_norm::STATISTICS, &params, &[z.binding()], &outputs)?)
}

/// A table of words that dispatches read.
pub(super) fn table(recorder: &Recorder, terms: &[normalised_sum::Term]) -> Result<Tensor, Error> {
    let words: Vec<u32> = terms.iter().flat_map(normalised_sum::Term::words).collect();
    Tensor::from_words(recorder.device(), &words, &[words.len()])
}
