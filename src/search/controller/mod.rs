//! A controller that writes architectures (ENAS; Pham et al., ICML 2018): an LSTM answers a space's questions one after
//! the other, each answer drawn from its softmax, and learns from rewards by REINFORCE (Williams 1992).
//!
//! It knows nothing of what it decides about: [`Space::questions`] says what is asked, in which order, and what is fed
//! back. All architectures of an update are the rows of one batch, and all steps of a batch one recording.

mod config;
mod plan;
mod sequence;

pub use config::{ControllerConfig, Entropy};

use super::SearchError;
use crate::autograd::{Tape, ops};
use crate::device::{Device, Recording, Workspace};
use crate::estimate::blame;
use crate::kernels::reduce;
use crate::nn::Parameters;
use crate::optim::{Adam, Step, StepBuffer};
use crate::random::Random;
use crate::space::{Architecture, Question, Space};
use crate::state::State;
use crate::tensor::Tensor;
use plan::Plan;
use sequence::{Decisions, Weights};
use serde::{Deserialize, Serialize};

/// Streams of the run's seed: the uniform numbers of each sample (one stream a sample).
const SAMPLED: u64 = 0xE7A5 << 48;

/// An architecture that a controller wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The architecture.
    pub architecture: Architecture,
    /// Logarithm of its probability.
    pub log_probability: f64,
    /// Entropy of its steps, in nats.
    pub entropy: f64,
}

/// What an update came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Learned {
    /// Mean of what was given as rewards.
    pub reward: f64,
    /// Mean entropy of the samples, in nats an architecture.
    pub entropy: f64,
    /// The baseline afterwards.
    pub baseline: f64,
    /// Norm of the gradient.
    pub norm: f32,
}

/// An LSTM controller, its optimiser and its baseline.
#[derive(Debug)]
pub struct Controller {
    device: Device,
    config: ControllerConfig,
    plan: Plan,
    seed: u64,
    parameters: Parameters,
    adam: Adam,
    step: StepBuffer,
    sampling: Recording,
    learning: Recording,
    /// Uniform numbers of the next samples, then the answers to learn from: words, `[decisions, rows]`.
    picks: Tensor,
    answers: Tensor,
    totals: Tensor,
    /// Gradient of the loss with respect to the totals.
    dtotals: Tensor,
    norm: Tensor,
    drawn: u64,
    updates: u32,
    baseline: f64,
}

impl Controller {
    /// A controller for the questions of a space, with fresh weights.
    ///
    /// # Errors
    /// [`SearchError::Settings`] for settings that cannot be used, or questions that do not fit the space's decisions; out of
    /// memory.
    pub fn new(device: &Device, space: &dyn Space, config: ControllerConfig, seed: u64) -> Result<Self, SearchError> {
        let options: Vec<usize> = space.decisions().iter().map(|decision| decision.options.len()).collect();
        Self::of_questions(device, &space.questions(), &options, config, seed)
    }

    /// A controller for `questions` about decisions that have so many `options`.
    ///
    /// # Errors
    /// As [`Controller::new`].
    pub fn of_questions(
        device: &Device,
        questions: &[Question],
        options: &[usize],
        config: ControllerConfig,
        seed: u64,
    ) -> Result<Self, SearchError> {
        config.check().map_err(|error| SearchError::Settings(format!("controller.{error}")))?;
        let plan = Plan::new(questions, options)
            .map_err(|problem| SearchError::Settings(format!("a controller cannot ask this space: {problem}")))?;
        let mut specs = Vec::new();
        let Ok(places) = Weights::specs(&plan, &config).map(|spec| {
            specs.push(spec);
            Ok::<usize, std::convert::Infallible>(specs.len() - 1)
        });
        // A seed of its own: other weights use streams of the run's seed from 0 on.
        let parameters = Parameters::new(device, &specs, &[], seed ^ 0xC047_0000_0000_0000)?;
        for bias in places.vocabularies.iter().filter_map(|vocabulary| vocabulary.bias) {
            let tensor = parameters.value(bias);
            let first = config.bias.iter().copied().chain(std::iter::repeat(0.0));
            tensor.write(device, &first.take(tensor.count()).collect::<Vec<_>>())?;
        }
        let adam = Adam::new(device, parameters.values().count(), config.adam)?;
        let (step, workspace) = (StepBuffer::new(device)?, Workspace::default());
        let rows = config.samples;
        let [picks, answers] =
            [Tensor::zeros(device, &[plan.decisions, rows])?, Tensor::zeros(device, &[plan.decisions, rows])?];
        let (totals, dtotals) = (Tensor::zeros(device, &[rows, 3])?, Tensor::zeros(device, &[rows, 3])?);
        let norm = Tensor::zeros(device, &[1])?;
        let record = |gradient: bool| -> Result<Recording, SearchError> {
            let mut tape = Tape::within(device, &workspace);
            let weights = places.clone().map(|place| parameters.var(&mut tape, place, gradient))?;
            let decisions = Decisions { picks: &picks, drawn: !gradient, answers: &answers };
            let made = sequence::record(&mut tape, &plan, &config, &weights, &decisions)?;
            drop(weights);
            if gradient {
                tape.backward(&made, Some(dtotals.clone()))?;
                let recorder = tape.recorder();
                recorder.set_scope("controller step");
                let (values, gradients) = (parameters.values(), parameters.gradients());
                ops::record_reduce(recorder, reduce::NORM, gradients, &norm)?;
                let words = [StepBuffer::WEIGHT_RATE, StepBuffer::WEIGHT_CORRECTIONS];
                adam.record(recorder, values, gradients, &step, words[0], words[1], &norm)?;
            } else {
                let from = made.tensor();
                tape.recorder().copy(from.buffer(), from.at() as usize, totals.buffer(), 0, totals.count())?;
            }
            Ok(tape.finish())
        };
        let (sampling, learning) = (record(false)?, record(true)?);
        Ok(Self {
            device: device.clone(),
            config,
            plan,
            seed,
            parameters,
            adam,
            step,
            sampling,
            learning,
            picks,
            answers,
            totals,
            dtotals,
            norm,
            drawn: 0,
            updates: 0,
            baseline: 0.0,
        })
    }

    /// What it learns.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// What is run: to write architectures, and to learn.
    pub fn recordings(&self) -> [&Recording; 2] {
        [&self.sampling, &self.learning]
    }

    /// The baseline.
    pub fn baseline(&self) -> f64 {
        self.baseline
    }

    /// Its state: weights, the optimiser's moments, the baseline, and how often it has drawn and learned.
    ///
    /// # Errors
    /// An error of the device.
    pub async fn save(&self) -> Result<State, SearchError> {
        let mut state = State::of("controller");
        state.set("drawn", self.drawn)?;
        state.set("updates", self.updates)?;
        state.set("baseline", self.baseline)?;
        state.keep("weights", &self.device, self.parameters.values()).await?;
        state.nest("adam", self.adam.save(&self.device).await?);
        Ok(state)
    }

    /// Goes on from the state of a controller of the same questions and settings. After an error it is of no more use.
    ///
    /// # Errors
    /// [`SearchError::State`] if it is that of another; an error of the device.
    pub fn restore(&mut self, state: &State) -> Result<(), SearchError> {
        state.check("controller")?;
        self.drawn = state.get("drawn")?;
        self.updates = state.get("updates")?;
        self.baseline = state.get("baseline")?;
        if self.drawn >= 1 << 48 || self.updates == u32::MAX {
            return Err(state.wrong("drawn", "so many architectures and updates there are not").into());
        }
        state.write("weights", &self.device, self.parameters.values())?;
        Ok(self.adam.restore(&self.device, state.part("adam")?)?)
    }

    /// Writes the next architectures, as many as an update takes.
    ///
    /// # Errors
    /// An error of the device.
    pub async fn sample(&mut self) -> Result<Vec<Sample>, SearchError> {
        let (rows, decisions) = (self.config.samples, self.plan.decisions);
        let mut uniform = vec![0; decisions * rows];
        for row in 0..rows {
            let mut random = Random::new(self.seed, SAMPLED + self.drawn + row as u64);
            uniform[row..].iter_mut().step_by(rows).for_each(|word| *word = random.uniform().to_bits());
        }
        self.picks.write_words(&self.device, &uniform)?;
        self.device.run(&self.sampling)?;
        let (answers, totals) = (self.answers.read_words(&self.device), self.totals.read(&self.device));
        let (answers, totals) = (answers.await?, totals.await?);
        self.drawn += rows as u64;
        let sample = |row: usize| Sample {
            architecture: Architecture {
                answers: (0..decisions).map(|decision| answers[decision * rows + row] as usize).collect(),
            },
            log_probability: -f64::from(totals[3 * row]),
            entropy: f64::from(totals[3 * row + 1]),
        };
        Ok((0..rows).map(sample).collect())
    }

    /// Learns from the rewards of samples that it has just written: descends along the mean of
    /// (R − b)·∇(−log p) + w·∇penalty, R = reward + entropy, b the moving average of R.
    ///
    /// # Errors
    /// [`SearchError::Settings`] if there are not as many samples and rewards as an update takes;
    /// [`SearchError::NotFinite`], and nothing is changed; an error of the device.
    pub async fn learn(&mut self, samples: &[Sample], rewards: &[f64]) -> Result<Learned, SearchError> {
        let rows = self.config.samples;
        if samples.len() != rows || rewards.len() != rows {
            let problem =
                format!("an update takes {rows} samples, not {} and {} rewards", samples.len(), rewards.len());
            return Err(SearchError::Settings(problem));
        }
        let mut baseline = self.baseline;
        let mut dtotals = Vec::with_capacity(3 * rows);
        for (sample, reward) in samples.iter().zip(rewards) {
            let reward = reward + self.config.entropy_weight * sample.entropy;
            baseline -= (1.0 - self.config.baseline_decay) * (baseline - reward);
            let of_skips = self.config.skip_weight / self.plan.skips.max(1) as f32;
            dtotals.extend([(reward - baseline) as f32, 0.0, of_skips].map(|d| d / rows as f32));
        }
        let answer = |decision: usize| samples.iter().map(move |s| s.architecture.answers[decision] as u32);
        let answers: Vec<u32> = (0..self.plan.decisions).flat_map(answer).collect();
        self.picks.write_words(&self.device, &answers)?;
        self.dtotals.write(&self.device, &dtotals)?;
        let weight_corrections = self.adam.corrections(self.updates + 1);
        self.step
            .write(&self.device, &Step { weight_rate: self.config.rate, weight_corrections, ..Step::default() })?;
        self.device.run(&self.learning)?;
        let norm = self.norm.read(&self.device).await?[0];
        if !norm.is_finite() {
            let place = blame(&self.device, &[&self.learning]).await?;
            let what = "norm of the controller's gradient";
            return Err(SearchError::NotFinite { what, value: norm, step: self.updates.into(), epoch: 0, place });
        }
        self.updates += 1;
        self.baseline = baseline;
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / rows as f64;
        Ok(Learned {
            reward: mean(&mut rewards.iter().copied()),
            entropy: mean(&mut samples.iter().map(|sample| sample.entropy)),
            baseline,
            norm,
        })
    }
}

#[cfg(test)]
mod tests;
