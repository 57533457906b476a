//! Weights that all architectures of a space share, and their training step.

use super::{EstimateError, HostWeights, Scalars, blame, target};
use crate::autograd::{Tape, Var, ops};
use crate::data::Batch;
use crate::device::{Device, Recorder, Recording, Workspace};
use crate::graph::{Graph, Table};
use crate::kernels::reduce;
use crate::network::{Choices, Footprint, Network, Pass, Path, architecture_weights};
use crate::nn::Parameters;
use crate::optim::{Sgd, SgdConfig, StepBuffer};
use crate::state::State;
use crate::tensor::{Error, Tensor};
use std::collections::HashMap;

/// First stream of the run's seed that dropout draws from; the optimisers' batches use those from 1 on.
const DROPPED: u32 = 1 << 20;

/// Settings of [`Supernet`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SupernetConfig {
    /// Images a step.
    pub batch: usize,
    /// The weights' optimiser.
    pub sgd: SgdConfig,
    /// Seed of initial weights and of all random choices.
    pub seed: u64,
    /// Whether patterns of operations that are known to be faster together are recorded so.
    pub fusion: bool,
    /// Whether choice points are weighed by what the host computes (see [`Supernet::given`]) instead of a softmax of the
    /// architecture weights.
    pub given: bool,
}

/// Which gradients a pass wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Those of the weights.
    Weights,
    /// Those of the architecture weights.
    Alphas,
    /// Both.
    Both,
}

/// Standard deviation of a supernet's architecture weights when it is made.
pub const ALPHA_DEVIATION: f32 = 1e-3;

/// A network with choice points, its shared weights, its architecture weights, and what a step needs.
#[derive(Debug)]
pub struct Supernet {
    device: Device,
    network: Network,
    tables: Vec<Table>,
    alphas: Parameters,
    given: Option<HostWeights>,
    seed: u64,
    sgd: Sgd,
    step: StepBuffer,
    scalars: Scalars,
    workspace: Workspace,
    train: Batch,
    valid: Batch,
}

impl Supernet {
    /// Makes the supernet of `graph` with fresh weights, and architecture weights of 1e-3 · N(0, 1).
    ///
    /// # Errors
    /// [`EstimateError::Settings`] if the graph has no choice points; out of memory.
    pub fn new(device: &Device, graph: Graph, config: SupernetConfig) -> Result<Self, EstimateError> {
        let tables = graph.tables()?;
        if tables.is_empty() {
            return Err(EstimateError::Settings("the network has no choice points: there is nothing to search".into()));
        }
        let input = graph.shape(0);
        let shape = [input.channels, input.height, input.width];
        let mut network = Network::with_fusion(device, graph, config.seed, config.fusion)?;
        let step = StepBuffer::new(device)?;
        network.draw_noise_by(step.words(), StepBuffer::COUNTER);
        // A seed of its own: the weights use streams of the run's seed from 0 on.
        let alphas = architecture_weights(device, &tables, ALPHA_DEVIATION, config.seed ^ 0xA1FA_0000_0000_0000)?;
        let sgd = Sgd::new(device, network.parameters().values().count(), config.sgd)?;
        let given = if config.given { Some(HostWeights::new(device, &tables)?) } else { None };
        Ok(Self {
            device: device.clone(),
            network,
            tables,
            alphas,
            given,
            seed: config.seed,
            sgd,
            step,
            scalars: Scalars::new(device)?,
            workspace: Workspace::default(),
            train: Batch::new(device, config.batch, shape)?,
            valid: Batch::new(device, config.batch, shape)?,
        })
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The network with choice points.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The network, to load weights.
    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// The tables of architecture weights.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The architecture weights α, before the softmax.
    pub fn alphas(&self) -> &Parameters {
        &self.alphas
    }

    /// The weights of choice points that the host computes, if it does.
    pub fn given(&self) -> Option<&HostWeights> {
        self.given.as_ref()
    }

    /// The weights' optimiser.
    pub fn sgd(&self) -> &Sgd {
        &self.sgd
    }

    /// What changes from step to step.
    pub fn step(&self) -> &StepBuffer {
        &self.step
    }

    /// What a step computes.
    pub fn scalars(&self) -> &Scalars {
        &self.scalars
    }

    /// Scratch memory shared by the recordings of a step.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The batch that trains the weights.
    pub fn train(&self) -> &Batch {
        &self.train
    }

    /// The batch that trains the architecture weights.
    pub fn valid(&self) -> &Batch {
        &self.valid
    }

    /// Its state: weights, velocities, running statistics and architecture weights. (Gradients, scalars and batches are
    /// written in each step before they are read.)
    ///
    /// # Errors
    /// An error of the device.
    pub async fn save(&self) -> Result<State, EstimateError> {
        let mut state = State::of("supernet");
        state.keep("weights", &self.device, self.network.parameters().values()).await?;
        state.keep("architecture weights", &self.device, self.alphas.values()).await?;
        state.nest("sgd", self.sgd.save(&self.device).await?);
        state.nest("statistics", self.network.statistics().save(&self.device).await?);
        Ok(state)
    }

    /// Goes on from the state of a supernet of the same graph and settings.
    ///
    /// # Errors
    /// [`EstimateError::State`] if it is that of another; an error of the device.
    pub fn restore(&mut self, state: &State) -> Result<(), EstimateError> {
        state.check("supernet")?;
        state.write("weights", &self.device, self.network.parameters().values())?;
        state.write("architecture weights", &self.device, self.alphas.values())?;
        self.sgd.restore(&self.device, state.part("sgd")?)?;
        Ok(self.network.statistics_mut().restore(&self.device, state.part("statistics")?)?)
    }

    /// Records a training pass (batch statistics) over `batch` and its way back; the loss goes to scalar
    /// `loss`. Gradients that are wanted overwrite the flat gradients of weights or architecture
    /// weights. Gives the outputs.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_pass(
        &self,
        recorder: Recorder,
        batch: &Batch,
        wants: Wants,
        loss: usize,
    ) -> Result<(Recorder, Tensor), Error> {
        self.record(recorder, batch, wants, loss, None, true)
    }

    /// As [`Supernet::record_pass`], for the gradient of the architecture weights where each choice point computes only
    /// the option that `path` takes, times its weight; with `others` the weights of the other options are added (see
    /// [`Choices::Sampled`]).
    ///
    /// # Errors
    /// As recording does.
    pub fn record_sampled_pass(
        &self,
        recorder: Recorder,
        batch: &Batch,
        path: &Path,
        others: bool,
        loss: usize,
    ) -> Result<(Recorder, Tensor), Error> {
        self.record(recorder, batch, Wants::Alphas, loss, Some((path, others)), true)
    }

    /// Records a pass with running statistics and without dropout, and its way back to the architecture weights.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_evaluated_pass(&self, recorder: Recorder, batch: &Batch, loss: usize) -> Result<Recorder, Error> {
        Ok(self.record(recorder, batch, Wants::Alphas, loss, None, false)?.0)
    }

    fn record(
        &self,
        recorder: Recorder,
        batch: &Batch,
        wants: Wants,
        loss: usize,
        path: Option<(&Path, bool)>,
        training: bool,
    ) -> Result<(Recorder, Tensor), Error> {
        let mut tape = Tape::on(recorder);
        if path.is_some() {
            // A table none of whose choice points takes more than zeros gets no gradient; it must not keep an old one.
            let gradients = self.alphas.gradients();
            tape.recorder().clear(gradients.buffer(), gradients.at() as usize, gradients.count())?;
        }
        let mut tables = HashMap::new();
        tape.set_scope("architecture weights");
        for (index, table) in self.tables.iter().enumerate() {
            let alpha = self.alphas.var(&mut tape, index, wants != Wants::Weights)?;
            let weights = match &self.given {
                None => ops::softmax(&mut tape, &alpha)?,
                Some(given) => ops::relaxed(&mut tape, &alpha, given.weights(index), given.jacobian(index))?,
            };
            tables.insert(table.name.clone(), weights);
        }
        let choices = match path {
            Some((path, others)) => Choices::Sampled { path, tables: &tables, others },
            None => Choices::Mixed(&tables),
        };
        let randomness = ops::Randomness {
            seed: self.seed,
            stream: DROPPED,
            step: self.step.words().clone(),
            counter: StepBuffer::COUNTER,
        };
        let pass = Pass {
            training,
            gradients: wants != Wants::Alphas,
            choices,
            randomness: Some(&randomness),
            noise: None,
            drop_path: Some(StepBuffer::DROP_PATH),
        };
        let made = self.record_loss(&mut tape, batch, &pass, loss)?;
        drop(tables);
        let (value, scores) = made;
        tape.backward(&value, None)?;
        Ok((tape.into_recorder(), scores))
    }

    /// Records a forward pass and its loss. Gives the loss and the outputs.
    fn record_loss(
        &self,
        tape: &mut Tape,
        batch: &Batch,
        pass: &Pass<'_>,
        loss: usize,
    ) -> Result<(Var, Tensor), Error> {
        let outputs = self.network.forward(tape, &Var::constant(batch.x.clone()), pass)?;
        let Some(main) = outputs.first() else { return Err(Error::shape("supernet", "a network without output")) };
        tape.set_scope("loss");
        tape.write_next_to(self.scalars.one(loss));
        let value = target::loss(tape, main, batch, 0.0)?;
        Ok((value, main.tensor().clone()))
    }

    /// Records the weight step: gradient of the training loss, norm, clipped SGD, running statistics.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_weight_step(&self, recorder: Recorder) -> Result<Recorder, Error> {
        self.record_weight_step_of(recorder, &self.network.whole())
    }

    /// Records the pass of the weight step over the training batch: the gradient of its loss, and the right answers.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_weight_pass(&self, recorder: Recorder) -> Result<Recorder, Error> {
        let (mut recorder, outputs) = self.record_pass(recorder, &self.train, Wants::Weights, Scalars::TRAIN_LOSS)?;
        recorder.set_scope("weight step");
        self.record_score(&mut recorder, &self.train, &outputs, Scalars::TRAIN_CORRECT)?;
        Ok(recorder)
    }

    /// As [`Supernet::record_weight_step`], changing only the weights that `used` names.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_weight_step_of(&self, recorder: Recorder, used: &Footprint) -> Result<Recorder, Error> {
        let recorder = self.record_weight_pass(recorder)?;
        self.record_update(recorder, used)
    }

    /// Records a weight step of the network that a path stands for: only its operations are computed, and only what
    /// it touches is changed (weights, velocities, running statistics). Dropout needs `randomness`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the path leaves a choice point open; else as recording does.
    pub fn record_path_step(
        &self,
        recorder: Recorder,
        path: &Path,
        randomness: Option<&ops::Randomness>,
    ) -> Result<Recorder, Error> {
        let used = self.network.used(path)?;
        let mut tape = Tape::on(recorder);
        // What lies on the path but behind an option that is zero gets no gradient; it must not keep an old one.
        let gradients = self.network.parameters().gradients();
        for range in &used.parameters {
            tape.recorder().clear(gradients.buffer(), gradients.at() as usize + range.start, range.len())?;
        }
        let choices = Choices::Path(path);
        let pass = Pass { training: true, gradients: true, choices, randomness, ..Pass::evaluation() };
        let (value, outputs) = self.record_loss(&mut tape, &self.train, &pass, Scalars::TRAIN_LOSS)?;
        tape.backward(&value, None)?;
        let mut recorder = tape.into_recorder();
        recorder.set_scope("weight step");
        self.record_score(&mut recorder, &self.train, &outputs, Scalars::TRAIN_CORRECT)?;
        drop(outputs);
        self.record_update(recorder, &used)
    }

    /// Records a forward pass of a path over the training batch, whose statistics replace (`first`) or enter the
    /// running ones of what the path touches.
    ///
    /// # Errors
    /// [`Error::Shape`] if the path leaves a choice point open; else as recording does.
    pub fn record_calibration(&self, recorder: Recorder, path: &Path, first: bool) -> Result<Recorder, Error> {
        let used = self.network.used(path)?;
        let mut tape = Tape::on(recorder);
        let pass = Pass { training: true, choices: Choices::Path(path), ..Pass::evaluation() };
        self.network.forward(&mut tape, &Var::constant(self.train.x.clone()), &pass)?;
        let mut recorder = tape.into_recorder();
        let (statistics, guards) = (self.network.statistics(), self.scalars.guards());
        if first {
            statistics.record_replace(&mut recorder, &used.statistics, &guards)?;
        } else {
            statistics.record_update(&mut recorder, &used.statistics, &guards)?;
        }
        Ok(recorder)
    }

    /// Records the score of the outputs for a batch, its right answers, to scalar `score`.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_score(
        &self,
        recorder: &mut Recorder,
        batch: &Batch,
        outputs: &Tensor,
        score: usize,
    ) -> Result<(), Error> {
        target::record_score(recorder, outputs, batch, &self.scalars.one(score))
    }

    /// Records what follows the gradient of the training loss: its norm, clipped SGD of the weights that `used` names, and
    /// running statistics.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_update(&self, mut recorder: Recorder, used: &Footprint) -> Result<Recorder, Error> {
        recorder.set_scope("weight step");
        let parameters = self.network.parameters();
        let (values, gradients) = (parameters.values(), parameters.gradients());
        let (norm, guards) = (self.scalars.one(Scalars::NORM), self.scalars.guards());
        ops::record_reduce_ranges(&mut recorder, reduce::NORM, gradients, &used.parameters, &norm)?;
        self.sgd.record(&mut recorder, values, gradients, &used.parameters, &self.step, &norm, &guards)?;
        self.network.statistics().record_update(&mut recorder, &used.statistics, &guards)?;
        Ok(recorder)
    }

    /// Reads the scalars and makes sure that they are finite; otherwise runs `recordings` again to say
    /// where the first value that is not came from. Weights and velocities are left as they are.
    ///
    /// # Errors
    /// [`EstimateError::NotFinite`]; an error of the device.
    pub async fn read_scalars(
        &self,
        step: u64,
        epoch: u32,
        recordings: &[&Recording],
    ) -> Result<Vec<f32>, EstimateError> {
        let values = self.scalars.all().read(&self.device).await?;
        const NAMES: [&str; Scalars::TRAIN_CORRECT] = [
            "training loss",
            "gradient norm",
            "validation loss",
            "norm of the unrolled gradient",
            "training loss of the unrolled step",
            "training loss at w⁺",
            "training loss at w⁻",
        ];
        match NAMES.iter().zip(&values).find(|(_, value)| !value.is_finite()) {
            None => Ok(values),
            Some((what, &value)) => {
                // The repetition stops at the first such value, where second order may have moved the weights.
                let own = [self.network.parameters().values(), self.sgd.velocity()];
                let mut kept = Vec::with_capacity(own.len());
                for tensor in own {
                    kept.push(tensor.read_words(&self.device).await?);
                }
                let place = blame(&self.device, recordings).await?;
                for (tensor, words) in own.into_iter().zip(&kept) {
                    tensor.write_words(&self.device, words)?;
                }
                Err(EstimateError::NotFinite { what, value, step, epoch, place })
            }
        }
    }
}
