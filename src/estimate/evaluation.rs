//! Accuracy and loss of a network on a dataset.

use super::target::{self, Answers};
use super::{Confusion, EstimateError, blame};
use crate::autograd::{Tape, Var, ops};
use crate::data::{Batch, DataError, Resident};
use crate::device::{Device, Recording, Workspace};
use crate::kernels::elementwise;
use crate::network::{Choices, Network, Pass};
use crate::optim::{Step, StepBuffer};
use crate::tensor::{Error, Tensor};

/// First stream of the network's seed that noise is drawn from.
const NOISE: u32 = 1 << 21;

/// How well a network does.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Share of right answers, from 0 to 1.
    pub accuracy: f64,
    /// Mean cross-entropy.
    pub loss: f64,
    /// Which classes were taken for which.
    pub confusion: Confusion,
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
    /// Sum of losses.
    total: Tensor,
    answers: Answers,
    images: Vec<u32>,
    /// Its counter is that of noise.
    step: StepBuffer,
    noise: bool,
}

#[derive(Debug)]
struct Pieces {
    batch: Batch,
    /// Where the batch's answers go.
    places: Tensor,
    recording: Recording,
}

impl Evaluation {
    /// Records the evaluation of `network` on `images` (indices into `data`) in batches of at most `size`.
    /// A supernet is evaluated with the weights or path given.
    ///
    /// # Errors
    /// [`EstimateError::Settings`] if there is nothing to evaluate on, [`EstimateError::Data`] if there is no such image; else as
    /// recording does.
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
        if let Some(&index) = images.iter().find(|&&index| index as usize >= data.count()) {
            return Err(DataError::Index { index: index as usize, count: data.count() }.into());
        }
        let device = network.device().clone();
        let total = Tensor::zeros(&device, &[1])?;
        let mut answers = Answers::new(&device, data, images.len())?;
        let size = size.clamp(1, images.len());
        let step = StepBuffer::new(&device)?;
        let (words, counter) = (step.words(), StepBuffer::COUNTER);
        let noise =
            network.noise().map(|noise| ops::Randomness { stream: NOISE, step: words.clone(), counter, ..*noise });
        let pass = Pass { noise: noise.as_ref(), ..pass };
        let mut make = |size: usize| -> Result<Pieces, Error> {
            let batch = data.batch(&device, size)?;
            let places = Tensor::zeros(&device, &[size])?;
            let mut tape = Tape::within(&device, workspace);
            data.record_gather(tape.recorder(), &batch)?;
            let outputs = network.forward(&mut tape, &Var::constant(batch.x.clone()), &pass)?;
            let Some(outputs) = outputs.first() else {
                return Err(Error::shape("evaluation", "a network without output"));
            };
            let loss = target::loss(&mut tape, outputs, &batch, 0.0)?;
            let recorder = tape.recorder();
            answers.record(recorder, outputs.tensor(), &places)?;
            // The mean over the batch, times its size, is added to the sum of losses.
            let (x, y, factor) = (loss.tensor().at(), total.at(), size as f32);
            let params = elementwise::Scale { x, y, count: 1, factor, accumulate: 1 };
            recorder.dispatch(&elementwise::SCALE, &params, &[loss.tensor().binding()], &[total.binding()])?;
            Ok(Pieces { batch, places, recording: tape.finish() })
        };
        let whole = make(size)?;
        let rest = match images.len() % size {
            0 => None,
            rest => Some(make(rest)?),
        };
        Ok(Self { device, whole, rest, total, answers, images, step, noise: noise.is_some() })
    }

    /// How well the network does with its present weights.
    ///
    /// # Errors
    /// [`EstimateError::Evaluation`] if the loss is not finite; an error of the device.
    pub async fn score(&self) -> Result<Score, EstimateError> {
        self.total.write(&self.device, &[0.0])?;
        for (number, images) in self.images.chunks(self.whole.batch.size()).enumerate() {
            let pieces = match &self.rest {
                Some(rest) if rest.batch.size() == images.len() => rest,
                _ => &self.whole,
            };
            pieces.batch.indices.write_words(&self.device, images)?;
            let first = (number * self.whole.batch.size()) as u32;
            let places: Vec<u32> = (first..first + images.len() as u32).collect();
            pieces.places.write_words(&self.device, &places)?;
            if self.noise {
                self.step.write(&self.device, &Step { counter: number as u32, ..Step::default() })?;
            }
            self.device.run(&pieces.recording)?;
        }
        let total = self.total.read(&self.device).await?[0];
        if !total.is_finite() {
            let place = blame(&self.device, &[&self.whole.recording]).await?;
            return Err(EstimateError::Evaluation { value: total, place });
        }
        let confusion = self.answers.read(&self.device, &self.images).await?;
        let loss = f64::from(total) / self.images.len() as f64;
        Ok(Score { accuracy: confusion.accuracy(), loss, confusion })
    }
}
