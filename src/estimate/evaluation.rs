//! Accuracy and loss of a network on a dataset.

use super::{EstimateError, blame};
use crate::autograd::{Tape, Var, ops};
use crate::data::{Augmentation, Batch, Draw, Resident};
use crate::device::{Device, Recording, Workspace};
use crate::kernels::elementwise;
use crate::network::{Choices, Network, Pass};
use crate::optim::{Step, StepBuffer};
use crate::tensor::{Error, Tensor};

/// First stream of the network's seed that noise is drawn from.
const NOISE: u32 = 1 << 21;

/// How well a network does.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Score {
    /// Share of right answers, from 0 to 1.
    pub accuracy: f64,
    /// Mean cross-entropy.
    pub loss: f64,
}

/// A recorded evaluation: run as often as wanted, on any part of the dataset.
///
/// Running statistics are used and nothing is dropped. Noise, where a network has it, is another for each batch and the same
/// each time.
#[derive(Debug)]
pub struct Evaluation {
    device: Device,
    whole: Pieces,
    rest: Option<Pieces>,
    totals: Tensor,
    images: Vec<u32>,
    /// Its counter is that of noise.
    step: StepBuffer,
    noise: bool,
}

#[derive(Debug)]
struct Pieces {
    batch: Batch,
    recording: Recording,
}

impl Evaluation {
    /// Records the evaluation of `network` on `images` (indices into `data`) in batches of at most `size`.
    /// A supernet is evaluated with the weights or path given.
    ///
    /// # Errors
    /// [`EstimateError::Settings`] if there is nothing to evaluate on; else as recording does.
    pub fn new(
        network: &Network,
        data: &Resident,
        images: Vec<u32>,
        size: usize,
        choices: Choices<'_>,
        workspace: &Workspace,
    ) -> Result<Self, EstimateError> {
        Self::with(network, data, images, size, Pass { choices, ..Pass::evaluation() }, workspace)
    }

    /// The same of a given kind of pass: with batch statistics, say.
    ///
    /// # Errors
    /// As [`Evaluation::new`].
    pub fn with(
        network: &Network,
        data: &Resident,
        images: Vec<u32>,
        size: usize,
        pass: Pass<'_>,
        workspace: &Workspace,
    ) -> Result<Self, EstimateError> {
        if images.is_empty() {
            return Err(EstimateError::Settings("there are no images to evaluate on".into()));
        }
        let device = network.device().clone();
        let totals = Tensor::zeros(&device, &[2])?;
        let size = size.clamp(1, images.len());
        let step = StepBuffer::new(&device)?;
        let (words, counter) = (step.words(), StepBuffer::COUNTER);
        let noise =
            network.noise().map(|noise| ops::Randomness { stream: NOISE, step: words.clone(), counter, ..*noise });
        let pass = Pass { noise: noise.as_ref(), ..pass };
        let make = |size: usize| -> Result<Pieces, Error> {
            let batch = Batch::new(&device, size, data.shape())?;
            let mut tape = Tape::within(&device, workspace);
            let draw = Draw { seed: 0, stream: 0, step: step.words(), counter: StepBuffer::COUNTER, cutout: None };
            data.record_gather(tape.recorder(), &batch, Augmentation::default(), draw)?;
            let outputs = network.forward(&mut tape, &Var::constant(batch.x.clone()), &pass)?;
            let Some(logits) = outputs.first() else {
                return Err(Error::shape("evaluation", "a network without output"));
            };
            let loss = ops::cross_entropy(&mut tape, logits, &batch.y, 0.0)?;
            let recorder = tape.recorder();
            ops::accuracy(recorder, logits.tensor(), &batch.y, &totals.view(0, &[1]), true)?;
            // The mean over the batch, times its size, is added to the sum of losses.
            let sum = totals.view(1, &[1]);
            let params =
                elementwise::Scale { x: loss.tensor().at(), y: sum.at(), count: 1, factor: size as f32, accumulate: 1 };
            recorder.dispatch(&elementwise::SCALE, &params, &[loss.tensor().binding()], &[sum.binding()])?;
            Ok(Pieces { batch, recording: tape.finish() })
        };
        let whole = make(size)?;
        let rest = match images.len() % size {
            0 => None,
            rest => Some(make(rest)?),
        };
        Ok(Self { device, whole, rest, totals, images, step, noise: noise.is_some() })
    }

    /// Accuracy and mean loss with the network's present weights.
    ///
    /// # Errors
    /// [`EstimateError::Evaluation`] if the loss is not finite; an error of the device.
    pub async fn score(&self) -> Result<Score, EstimateError> {
        self.totals.write(&self.device, &[0.0; 2])?;
        for (number, images) in self.images.chunks(self.whole.batch.size()).enumerate() {
            let pieces = match &self.rest {
                Some(rest) if rest.batch.size() == images.len() => rest,
                _ => &self.whole,
            };
            pieces.batch.indices.write_words(&self.device, images)?;
            if self.noise {
                self.step.write(&self.device, &Step { counter: number as u32, ..Step::default() })?;
            }
            self.device.run(&pieces.recording)?;
        }
        let totals = self.totals.read(&self.device).await?;
        if !totals[1].is_finite() {
            let place = blame(&self.device, &[&self.whole.recording]).await?;
            return Err(EstimateError::Evaluation { value: totals[1], place });
        }
        let count = self.images.len() as f64;
        Ok(Score { accuracy: f64::from(totals[0]) / count, loss: f64::from(totals[1]) / count })
    }
}
