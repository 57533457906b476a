//! Trains one architecture from scratch, as a stepper.

use super::{EstimateError, Evaluation, Score, blame, target};
use crate::autograd::{Tape, Var, ops};
use crate::data::{Augmentation, Batch, Batches, Draw, Last, Resident, Shuffle};
use crate::device::{Device, Recording, Workspace};
use crate::graph::Graph;
use crate::kernels::reduce;
use crate::network::{Choices, Network, Pass};
use crate::nn::{Array, ExchangeError};
use crate::optim::{Schedule, Sgd, SgdConfig, Step, StepBuffer};
use crate::state::State;
use crate::tensor::{Error, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a network is trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// Passes over the training images.
    pub epochs: u32,
    /// Images a step.
    pub batch: usize,
    /// The optimiser.
    pub sgd: SgdConfig,
    /// Learning rate by epoch.
    pub rate: Schedule,
    /// Variation of the images.
    pub augmentation: Augmentation,
    /// Probability of dropping a path in the last epoch; it grows linearly from 0.
    pub drop_path: f32,
    /// Weight of the auxiliary head's loss, where the network has one.
    pub auxiliary_weight: f32,
    /// Share of the target spread evenly over the classes.
    pub label_smoothing: f32,
    /// Whether patterns of operations that are known to be faster together are recorded so.
    pub fusion: bool,
}

impl Default for TrainingConfig {
    /// As DARTS trains its derived network on CIFAR-10.
    fn default() -> Self {
        Self {
            epochs: 600,
            batch: 96,
            sgd: SgdConfig::default(),
            rate: Schedule::Cosine { from: 0.025, to: 0.0 },
            augmentation: Augmentation::USUAL.with_cutout(16),
            drop_path: 0.2,
            auxiliary_weight: 0.4,
            label_smoothing: 0.0,
            fusion: true,
        }
    }
}

/// What an epoch of training came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// The epoch, counted from 0.
    pub epoch: u32,
    /// Learning rate.
    pub rate: f32,
    /// Mean training loss.
    pub train_loss: f64,
    /// Share of right answers on the (varied) training images.
    pub train_accuracy: f64,
    /// Share of right answers on the images that measure, where these are looked at after each epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_accuracy: Option<f64>,
}

/// A network in training. Each call of [`advance`](Self::advance) takes one step.
#[derive(Debug)]
pub struct Training {
    device: Device,
    config: TrainingConfig,
    network: Network,
    sgd: Sgd,
    batches: Batches,
    batch: Batch,
    step: StepBuffer,
    scalars: Tensor,
    recording: Recording,
    workspace: Workspace,
    taken: u64,
    sums: [f64; 2],
}

const LOSS: usize = 0;
const NORM: usize = 1;
const CORRECT: usize = 2;

impl Training {
    /// Prepares the training of `graph` on the images of `data` at `images`.
    ///
    /// # Errors
    /// [`EstimateError::Data`] if a batch is larger than the data; else as recording does.
    pub fn new(
        device: &Device,
        graph: Graph,
        data: &Resident,
        images: Vec<u32>,
        config: TrainingConfig,
        seed: u64,
    ) -> Result<Self, EstimateError> {
        let batches = Batches::new(images, config.batch, Last::Drop, Shuffle { seed, stream: 0 })?;
        let auxiliary = graph.outputs.iter().position(|o| o.name == "auxiliary");
        let network = Network::with_fusion(device, graph, seed, config.fusion)?;
        let batch = data.batch(device, config.batch)?;
        let sgd = Sgd::new(device, network.parameters().values().count(), config.sgd)?;
        let step = StepBuffer::new(device)?;
        let scalars = Tensor::zeros(device, &[3])?;
        let workspace = Workspace::default();

        let mut tape = Tape::within(device, &workspace);
        let draw = Draw { seed, stream: 1, step: &step, by_chance: false };
        data.record_varied_gather(tape.recorder(), &batch, config.augmentation, draw)?;
        let randomness = ops::Randomness { seed, stream: 2, step: step.words().clone(), counter: StepBuffer::COUNTER };
        let pass = Pass {
            training: true,
            gradients: true,
            choices: Choices::None,
            randomness: Some(&randomness),
            noise: None,
            drop_path: (config.drop_path > 0.0).then_some(StepBuffer::DROP_PATH),
        };
        let outputs = network.forward(&mut tape, &Var::constant(batch.x.clone()), &pass)?;
        let Some(main) = outputs.first() else {
            return Err(Error::shape("training", "a network without output").into());
        };
        tape.set_scope("loss");
        let mut loss = target::loss(&mut tape, main, &batch, config.label_smoothing)?;
        if let Some(auxiliary) = auxiliary.and_then(|index| outputs.get(index)) {
            let extra = target::loss(&mut tape, auxiliary, &batch, config.label_smoothing)?;
            let extra = ops::scale(&mut tape, &extra, config.auxiliary_weight)?;
            loss = ops::add(&mut tape, &loss, &extra)?;
        }
        tape.write_next_to(scalars.view(LOSS, &[1]));
        let loss = ops::scale(&mut tape, &loss, 1.0)?;
        target::record_score(tape.recorder(), main.tensor(), &batch, &scalars.view(CORRECT, &[1]))?;
        drop(outputs);
        tape.backward(&loss, None)?;
        let mut recorder = tape.into_recorder();
        recorder.set_scope("weight step");
        let parameters = network.parameters();
        let (norm, guards) = (scalars.view(NORM, &[1]), scalars.view(LOSS, &[2]));
        ops::record_reduce(&mut recorder, reduce::NORM, parameters.gradients(), &norm)?;
        let all = network.whole();
        let (values, gradients) = (parameters.values(), parameters.gradients());
        sgd.record(&mut recorder, values, gradients, &all.parameters, &step, &norm, &guards)?;
        network.statistics().record_update(&mut recorder, &all.statistics, &guards)?;
        Ok(Self {
            device: device.clone(),
            config,
            network,
            sgd,
            batches,
            batch,
            step,
            scalars,
            recording: recorder.finish(),
            workspace,
            taken: 0,
            sums: [0.0; 2],
        })
    }

    /// Begins with these weights and running statistics in place of those that were drawn.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn begin_with(&mut self, arrays: &BTreeMap<String, Array>) -> Result<(), ExchangeError> {
        self.network.load(arrays)
    }

    /// The network with its present weights.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What a step runs.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Steps taken and to be taken.
    pub fn progress(&self) -> (u64, u64) {
        (self.taken, u64::from(self.config.epochs) * self.per_epoch())
    }

    /// Steps in an epoch.
    pub fn per_epoch(&self) -> u64 {
        self.batches.per_epoch() as u64
    }

    /// Its state: weights, velocities, running statistics, and where in the epoch it is.
    ///
    /// # Errors
    /// An error of the device.
    pub async fn save(&self) -> Result<State, EstimateError> {
        let mut state = State::of("training");
        state.set("taken", self.taken)?;
        state.set("sums", self.sums)?;
        state.keep("weights", &self.device, self.network.parameters().values()).await?;
        state.nest("sgd", self.sgd.save(&self.device).await?);
        state.nest("statistics", self.network.statistics().save(&self.device).await?);
        Ok(state)
    }

    /// Goes on from the state of a training of the same graph, images and settings. After an error it is of no more use.
    ///
    /// # Errors
    /// [`EstimateError::State`] if it is that of another; an error of the device.
    pub fn restore(&mut self, state: &State) -> Result<(), EstimateError> {
        state.check("training")?;
        self.taken = state.get("taken")?;
        let (taken, total) = self.progress();
        if taken > total {
            return Err(state.wrong("taken", format!("{taken} steps, where there are {total}")).into());
        }
        self.sums = state.get("sums")?;
        state.write("weights", &self.device, self.network.parameters().values())?;
        self.sgd.restore(&self.device, state.part("sgd")?)?;
        Ok(self.network.statistics_mut().restore(&self.device, state.part("statistics")?)?)
    }

    /// Takes one step. At the end of an epoch gives what it came to; after the last step, does nothing.
    ///
    /// # Errors
    /// [`EstimateError::NotFinite`] if loss or gradient are not finite; an error of the device.
    pub async fn advance(&mut self) -> Result<Option<EpochReport>, EstimateError> {
        let (taken, total) = self.progress();
        if taken >= total {
            return Ok(None);
        }
        let steps = self.per_epoch();
        let (epoch, place) = ((taken / steps) as u32, (taken % steps) as usize);
        let rate = self.config.rate.rate(epoch, self.config.epochs);
        let Some(images) = self.batches.epoch(epoch, place).next() else { return Ok(None) };
        self.batch.indices.write_words(&self.device, &images)?;
        let values = Step {
            counter: taken as u32,
            weight_rate: rate,
            drop_path: self.config.drop_path * epoch as f32 / self.config.epochs as f32,
            ..Step::default()
        };
        self.step.write(&self.device, &values)?;
        self.device.run(&self.recording)?;
        let scalars = self.scalars.read(&self.device).await?;
        for (index, what) in [(LOSS, "training loss"), (NORM, "gradient norm")] {
            if !scalars[index].is_finite() {
                let place = blame(&self.device, &[&self.recording]).await?;
                return Err(EstimateError::NotFinite { what, value: scalars[index], step: taken, epoch, place });
            }
        }
        self.network.statistics_mut().count_batches(1);
        self.taken += 1;
        if place == 0 {
            self.sums = [0.0; 2];
        }
        self.sums[0] += f64::from(scalars[LOSS]);
        self.sums[1] += f64::from(scalars[CORRECT]);
        let ended = place as u64 + 1 == steps;
        Ok(ended.then(|| EpochReport {
            epoch,
            rate,
            train_loss: self.sums[0] / steps as f64,
            train_accuracy: self.sums[1] / self.batches.images_per_epoch() as f64,
            valid_accuracy: None,
        }))
    }

    /// Measures the network on all images of `data`.
    ///
    /// # Errors
    /// An error of the device.
    pub async fn score(&self, data: &Resident) -> Result<Score, EstimateError> {
        self.score_on(data, (0..data.count() as u32).collect()).await
    }

    /// Measures the network on some images of `data`.
    ///
    /// # Errors
    /// An error of the device.
    pub async fn score_on(&self, data: &Resident, images: Vec<u32>) -> Result<Score, EstimateError> {
        let size = self.config.batch.max(64);
        Evaluation::new(&self.network, data, images, size, Choices::None, &self.workspace)?.score().await
    }
}
