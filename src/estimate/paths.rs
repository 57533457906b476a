//! Single paths of a supernet: the one place where shared weights are trained on one architecture a step, and where an
//! architecture is measured with them. Strategies decide which architecture, and when.

use super::{EstimateError, Evaluation, Scalars, Score, Supernet, SupernetConfig, target};
use crate::autograd::{Tape, Var, ops};
use crate::data::{Augmentation, Batch, Batches, Draw, Fresh, Last, Resident, Shuffle};
use crate::device::{Device, Recorder, Recording};
use crate::graph::Graph;
use crate::network::{Choices, Pass, Path};
use crate::nn::{Array, ExchangeError};
use crate::optim::{Schedule, SgdConfig, Step, StepBuffer};
use crate::space::{Architecture, Space};
use crate::state::State;
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Streams of dropout under the run's seed: of training steps, and of rewards. The operations of a network count on from
/// here; other random choices of a step use streams below.
const DROPOUT: [u32; 2] = [1 << 16, 1 << 17];

/// Streams of the run's seed for shuffles and for the variation of examples: of the batches that train, and of those that a
/// reward is measured on.
const TRAIN: u8 = 1;
const REWARD: u8 = 2;
/// Shuffles of the batches that statistics are collected over.
const CALIBRATION: u8 = 3;

/// How shared weights are trained by paths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathConfig {
    /// Passes over the images that train the weights.
    pub epochs: u32,
    /// Images a step.
    pub batch: usize,
    /// The weights' optimiser.
    pub sgd: SgdConfig,
    /// Learning rate of the weights by epoch.
    pub rate: Schedule,
    /// Variation of the images.
    pub augmentation: Augmentation,
    /// Whether the network's dropout is on in training, and in rewards with batch statistics.
    pub dropout: bool,
}

/// Which statistics batch norms use where a reward is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RewardStatistics {
    /// The batch's own, as in training.
    Batch,
    /// The running ones, which are a mixture of all paths' that were trained.
    Running,
}

/// Batches that rewards are measured on, each drawn afresh.
#[derive(Debug)]
pub struct RewardBatches {
    drawn: Fresh,
    batch: Batch,
}

/// What a training step came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathStep {
    /// The loss.
    pub loss: f32,
    /// Right answers in the batch.
    pub correct: f32,
}

/// Shared weights in training by single paths.
#[derive(Debug)]
pub struct PathTraining {
    supernet: Supernet,
    config: PathConfig,
    seed: u64,
    data: Resident,
    train: Batches,
    calibration: Fresh,
}

impl PathTraining {
    /// Prepares the training of the supernet `graph` on the images of `data` at `images`.
    ///
    /// # Errors
    /// [`EstimateError::Data`] if a batch is larger than the images; [`EstimateError::Settings`] if the graph has no
    /// choice points; out of memory.
    pub fn new(
        device: &Device,
        graph: Graph,
        data: &Resident,
        images: Vec<u32>,
        config: PathConfig,
        seed: u64,
    ) -> Result<Self, EstimateError> {
        let train = Batches::new(images.clone(), config.batch, Last::Drop, Shuffle { seed, stream: TRAIN })?;
        let calibration = Fresh::new(images, config.batch, Shuffle { seed, stream: CALIBRATION }, 0)?;
        let shared = SupernetConfig { batch: config.batch, sgd: config.sgd, seed, fusion: false, given: false };
        let supernet = Supernet::new(device, graph, shared)?;
        Ok(Self { supernet, config, seed, data: data.clone(), train, calibration })
    }

    /// The supernet.
    pub fn supernet(&self) -> &Supernet {
        &self.supernet
    }

    /// Takes over weights, and running statistics, by their published names.
    ///
    /// # Errors
    /// As [`Network::load`](crate::network::Network::load): those of another supernet.
    pub fn load(&mut self, arrays: &BTreeMap<String, Array>) -> Result<(), ExchangeError> {
        self.supernet.network_mut().load(arrays)
    }

    /// Its state: that of the supernet. All else is a function of the number of a step.
    ///
    /// # Errors
    /// An error of the device.
    pub async fn save(&self) -> Result<State, EstimateError> {
        let mut state = State::of("training by paths");
        state.nest("supernet", self.supernet.save().await?);
        Ok(state)
    }

    /// Goes on from the state of a training of the same graph and settings.
    ///
    /// # Errors
    /// [`EstimateError::State`] if it is that of another; an error of the device.
    pub fn restore(&mut self, state: &State) -> Result<(), EstimateError> {
        state.check("training by paths")?;
        self.supernet.restore(state.part("supernet")?)
    }

    /// Steps in an epoch.
    pub fn per_epoch(&self) -> u64 {
        self.train.per_epoch() as u64
    }

    /// Steps altogether.
    pub fn steps(&self) -> u64 {
        u64::from(self.config.epochs) * self.per_epoch()
    }

    /// Learning rate of an epoch.
    pub fn rate(&self, epoch: u32) -> f32 {
        self.config.rate.rate(epoch, self.config.epochs)
    }

    /// The path of an architecture through the supernet.
    ///
    /// # Errors
    /// If it is an architecture of another space.
    pub fn path(&self, space: &dyn Space, architecture: &Architecture) -> Result<Path, EstimateError> {
        Ok(self.supernet.network().path(&space.settle(architecture)?)?)
    }

    /// Batches of `size` of `images` that rewards are measured on.
    ///
    /// # Errors
    /// [`EstimateError::Data`] if there are fewer images; out of memory.
    pub fn reward_batches(&self, images: Vec<u32>, size: usize) -> Result<RewardBatches, EstimateError> {
        let drawn = Fresh::new(images, size, Shuffle { seed: self.seed, stream: REWARD }, 0)?;
        Ok(RewardBatches { drawn, batch: self.data.batch(self.supernet.device(), size)? })
    }

    fn record_gather(&self, recorder: &mut Recorder) -> Result<(), EstimateError> {
        let draw = Draw { seed: self.seed, stream: TRAIN.into(), step: self.supernet.step(), by_chance: false };
        Ok(self.data.record_varied_gather(recorder, self.supernet.train(), self.config.augmentation, draw)?)
    }

    fn randomness(&self, stream: u32) -> Option<ops::Randomness> {
        let step = self.supernet.step().words().clone();
        self.config.dropout.then_some(ops::Randomness { seed: self.seed, stream, step, counter: StepBuffer::COUNTER })
    }

    /// Takes training step number `taken` with one path: only what it touches is computed and changed.
    ///
    /// # Errors
    /// [`EstimateError::NotFinite`] if loss or norm are not finite (nothing is changed then); an error of the device.
    pub async fn step(&mut self, taken: u64, path: &Path) -> Result<PathStep, EstimateError> {
        let steps = self.per_epoch();
        let (epoch, place) = ((taken / steps) as u32, (taken % steps) as usize);
        let images = self.train.epoch(epoch, place).next().expect("an epoch has a batch at each of its steps");
        let device = self.supernet.device().clone();
        let mut recorder = Recorder::within(&device, self.supernet.workspace());
        self.record_gather(&mut recorder)?;
        let randomness = self.randomness(DROPOUT[0]);
        let recording = self.supernet.record_path_step(recorder, path, randomness.as_ref())?.finish();
        self.supernet.train().indices.write_words(&device, &images)?;
        let weight_rate = self.rate(epoch);
        self.supernet.step().write(&device, &Step { counter: taken as u32, weight_rate, ..Step::default() })?;
        device.run(&recording)?;
        let scalars = self.supernet.read_scalars(taken, epoch, &[&recording]).await?;
        Ok(PathStep { loss: scalars[Scalars::TRAIN_LOSS], correct: scalars[Scalars::TRAIN_CORRECT] })
    }

    /// Accuracy of each path on one batch: those of `batches` from number `first` on, not varied. No weight and no
    /// running statistic changes.
    ///
    /// # Errors
    /// An error of the device, or a path of another network.
    pub async fn rewards(
        &self,
        paths: &[Path],
        batches: &RewardBatches,
        first: u32,
        statistics: RewardStatistics,
    ) -> Result<Vec<f64>, EstimateError> {
        let device = self.supernet.device();
        let (RewardBatches { drawn, batch }, step) = (batches, self.supernet.step());
        let correct = Tensor::zeros(device, &[paths.len()])?;
        for (number, path) in paths.iter().enumerate() {
            let mut tape = Tape::within(device, self.supernet.workspace());
            self.data.record_gather(tape.recorder(), batch)?;
            let randomness = self.randomness(DROPOUT[1]);
            let training = statistics == RewardStatistics::Batch;
            let choices = Choices::Path(path);
            let pass = Pass { training, choices, randomness: randomness.as_ref(), ..Pass::evaluation() };
            let outputs = self.supernet.network().forward(&mut tape, &Var::constant(batch.x.clone()), &pass)?;
            let main = outputs.first().ok_or_else(|| EstimateError::Settings("a network without output".into()))?;
            target::record_score(tape.recorder(), main.tensor(), batch, &correct.view(number, &[1]))?;
            drop(outputs);
            let counter = first.wrapping_add(number as u32);
            batch.indices.write_words(device, &drawn.at(counter))?;
            step.write(device, &Step { counter, ..Step::default() })?;
            device.run(&tape.finish())?;
        }
        let correct = correct.read(device).await?;
        Ok(correct.iter().map(|&right| f64::from(right) / batch.size() as f64).collect())
    }

    /// Accuracy and loss of a path on `images`, with running statistics collected anew over so many batches of the images that
    /// train (SPOS, section 3.3); 0: with what training has left, which is a mixture of all paths'.
    ///
    /// # Errors
    /// An error of the device, or a path of another network.
    pub async fn score(&mut self, path: &Path, images: &[u32], calibration: u32) -> Result<Score, EstimateError> {
        let device = self.supernet.device().clone();
        let record = |first: bool| -> Result<Recording, EstimateError> {
            let mut recorder = Recorder::within(&device, self.supernet.workspace());
            self.record_gather(&mut recorder)?;
            Ok(self.supernet.record_calibration(recorder, path, first)?.finish())
        };
        // The first batch's statistics replace those of other paths, the others' enter.
        let [first, others] = [record(true)?, record(false)?];
        for batch in 0..calibration {
            self.supernet.train().indices.write_words(&device, &self.calibration.at(batch))?;
            self.supernet.step().write(&device, &Step { counter: batch, ..Step::default() })?;
            device.run(if batch == 0 { &first } else { &others })?;
        }
        drop([first, others]);
        let (network, workspace) = (self.supernet.network(), self.supernet.workspace());
        let (images, batch) = (images.to_vec(), self.config.batch);
        let evaluation = Evaluation::new(network, &self.data, images, batch, Choices::Path(path), workspace)?;
        evaluation.score().await
    }
}
