//! What outputs are held against: the loss and the score of the kind of targets that data have. These are classes.

use super::Confusion;
use crate::autograd::{Tape, Var, ops};
use crate::data::{Batch, Resident};
use crate::device::{Device, Recorder};
use crate::tensor::{Error, Tensor};

/// The mean loss of the outputs for a batch, `[1]`: cross-entropy, of which a share `smoothing` is held against all classes alike.
///
/// # Errors
/// [`Error::Shape`] if the outputs do not fit the targets.
pub(super) fn loss(tape: &mut Tape, outputs: &Var, batch: &Batch, smoothing: f32) -> Result<Var, Error> {
    ops::cross_entropy(tape, outputs, &batch.y, smoothing)
}

/// Records the score of the outputs for a batch, `[1]`: the number of right answers.
///
/// # Errors
/// [`Error::Shape`] if the outputs do not fit the targets.
pub(super) fn record_score(
    recorder: &mut Recorder,
    outputs: &Tensor,
    batch: &Batch,
    score: &Tensor,
) -> Result<(), Error> {
    ops::accuracy(recorder, outputs, &batch.y, score, false)
}

/// What is answered to some examples, batch by batch.
#[derive(Debug)]
pub(super) struct Answers {
    /// The class of each example of the data.
    labels: Tensor,
    /// The class answered to each of those that are asked for.
    answers: Tensor,
    classes: usize,
}

impl Answers {
    /// Room for the answers to so many examples of `data`.
    pub fn new(device: &Device, data: &Resident, count: usize) -> Result<Self, Error> {
        Ok(Self { labels: data.labels().clone(), answers: Tensor::zeros(device, &[count])?, classes: 0 })
    }

    /// Records keeping what the outputs for a batch answer, at `places` (words, `[batch]`) among the answers.
    pub fn record(&mut self, recorder: &mut Recorder, outputs: &Tensor, places: &Tensor) -> Result<(), Error> {
        ops::answers(recorder, outputs, places, &self.answers)?;
        self.classes = outputs.shape().last().copied().unwrap_or(0);
        Ok(())
    }

    /// What was answered to `examples` of the data, in that order.
    pub async fn read(&self, device: &Device, examples: &[u32]) -> Result<Confusion, Error> {
        let labels = self.labels.read_words(device).await?;
        let answers = self.answers.read_words(device).await?;
        Ok(Confusion::new(self.classes, examples.iter().map(|&example| labels[example as usize]).zip(answers)))
    }
}
