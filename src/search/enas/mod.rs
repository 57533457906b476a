//! Efficient neural architecture search (ENAS; Pham et al., ICML 2018): a controller writes architectures, whose weights
//! are shared.
//!
//! An epoch trains the shared weights, each step on one architecture that the controller writes; then the controller
//! learns, from the accuracy of what it writes on a batch of images that train no weights (section 2.2). At the end it
//! writes a few architectures, the best of which, by its accuracy on all these images, is derived; as many random ones are
//! measured beside them, with the same weights: what the controller adds to weight sharing is the difference.

mod config;

pub use config::EnasConfig;

use super::controller::{Controller, Sample};
use super::{BoxFuture, ControllerEpoch, Event, Origin, Progress, SearchError, Shared, Stepper};
use super::{check_architectures, check_order, steps_taken};
use crate::data::{Resident, split};
use crate::device::Device;
use crate::estimate::{
    self, Estimator, Fidelity, Measured, PathConfig, PathTraining, RewardBatches, SharedWeights, Supernet,
};
use crate::graph::Graph;
use crate::network::Path;
use crate::random::Random;
use crate::space::{Architecture, Space};
use crate::state::State;
use std::collections::VecDeque;

/// Streams of the run's seed: random architectures that are ranked beside the controller's.
const COMPARED: u64 = 0xE7A6 << 48;

/// A search by a controller under way.
pub struct Enas<'s> {
    space: &'s dyn Space,
    config: EnasConfig,
    seed: u64,
    paths: PathTraining,
    controller: Controller,
    valid: RewardBatches,
    validation: Vec<u32>,
    /// Written by the controller as it is now, and not trained on yet.
    written: VecDeque<Sample>,
    candidates: Vec<Architecture>,
    ranked: Vec<(Architecture, Measured)>,
    /// Of the epoch: losses, right answers, rewards, entropies.
    sums: [f64; 4],
    taken: u64,
    over: bool,
}

impl<'s> Enas<'s> {
    /// Prepares a search of `space` by its supernet `graph` on the training images `data`, whose labels are `labels`
    /// (for the split).
    ///
    /// # Errors
    /// [`SearchError::Settings`] for settings that cannot be used, or a space that a controller cannot be asked about;
    /// [`SearchError::Data`] if a batch is larger than a part of the images; out of memory.
    pub fn new(
        device: &Device,
        space: &'s dyn Space,
        graph: Graph,
        data: &Resident,
        labels: &[u32],
        config: EnasConfig,
        seed: u64,
    ) -> Result<Self, SearchError> {
        config.check()?;
        let held_out = (labels.len() as f64 * config.validation).round() as usize;
        let (train, validation) = split::held_out(labels, held_out, seed)?;
        let EnasConfig { epochs, batch, sgd, rate, augmentation, .. } = config;
        let training = PathConfig { epochs, batch, sgd, rate, augmentation, dropout: true };
        let paths = PathTraining::new(device, graph, data, train, training, seed)?;
        let valid = paths.reward_batches(validation.clone(), config.reward_batch)?;
        let controller = Controller::new(device, space, config.controller.clone(), seed)?;
        Ok(Self {
            space,
            config,
            seed,
            paths,
            controller,
            valid,
            validation,
            written: VecDeque::new(),
            candidates: Vec::new(),
            ranked: Vec::new(),
            sums: [0.0; 4],
            taken: 0,
            over: false,
        })
    }

    /// The supernet.
    pub fn supernet(&self) -> &Supernet {
        self.paths.supernet()
    }

    /// The controller.
    pub fn controller(&self) -> &Controller {
        &self.controller
    }

    /// Architectures ranked so far with what they came to: the controller's, then random ones.
    pub fn ranked(&self) -> &[(Architecture, Measured)] {
        &self.ranked
    }

    fn per_epoch(&self) -> u64 {
        self.paths.per_epoch() + u64::from(self.config.updates)
    }

    fn total(&self) -> u64 {
        u64::from(self.config.epochs) * self.per_epoch() + 2 * u64::from(self.config.candidates)
    }

    /// One step of the weights, on the next architecture that the controller writes.
    async fn train(&mut self, step: u64) -> Result<f32, SearchError> {
        let sample = self.next().await?;
        let path = self.paths.path(self.space, &sample.architecture)?;
        let made = self.paths.step(step, &path).await?;
        self.sums[0] += f64::from(made.loss);
        self.sums[1] += f64::from(made.correct);
        Ok(made.loss)
    }

    async fn next(&mut self) -> Result<Sample, SearchError> {
        if self.written.is_empty() {
            self.written.extend(self.controller.sample().await?);
        }
        self.written.pop_front().ok_or_else(|| SearchError::Settings("the controller wrote nothing".into()))
    }

    /// One step of the controller.
    async fn learn(&mut self, epoch: u32, update: u32) -> Result<super::controller::Learned, SearchError> {
        let samples = self.controller.sample().await?;
        let paths = samples.iter().map(|sample| self.paths.path(self.space, &sample.architecture));
        let paths: Vec<Path> = paths.collect::<Result<_, _>>()?;
        let before = u64::from(epoch) * u64::from(self.config.updates) + u64::from(update);
        let first = (before * paths.len() as u64) as u32;
        let rewards = self.paths.rewards(&paths, &self.valid, first, self.config.statistics).await?;
        let learned = self.controller.learn(&samples, &rewards).await.map_err(|error| match error {
            SearchError::NotFinite { what, value, step, place, .. } => {
                SearchError::NotFinite { what, value, step, epoch, place }
            }
            other => other,
        })?;
        // What the controller had written before it learned is no longer what it would write.
        self.written.clear();
        self.sums[2] += learned.reward;
        self.sums[3] += learned.entropy;
        Ok(learned)
    }

    async fn rank(&mut self, total: u64) -> Result<Vec<Event>, SearchError> {
        let candidates = self.config.candidates as usize;
        while self.candidates.len() < candidates {
            let sample = self.next().await?;
            self.candidates.push(sample.architecture);
        }
        while self.candidates.len() < 2 * candidates {
            let number = self.candidates.len() as u64;
            self.candidates.push(self.space.random(&mut Random::new(self.seed, COMPARED + number)));
        }
        let number = self.ranked.len();
        let Some(architecture) = self.candidates.get(number).cloned() else {
            self.over = true;
            // Of equal ones the first.
            let accuracy = |measured: &Measured| measured.accuracy().unwrap_or(f64::MIN);
            let own = self.ranked[..candidates].iter().rev();
            let best = own.max_by(|a, b| accuracy(&a.1).total_cmp(&accuracy(&b.1)));
            let nothing = || SearchError::Settings("no architecture was ranked".into());
            return Ok(vec![Event::Derived { architecture: best.ok_or_else(nothing)?.0.clone() }]);
        };
        // A controller that has made up its mind writes the same more than once.
        let known = self.ranked.iter().find(|(other, _)| *other == architecture);
        let measured = match known {
            Some((_, measured)) => measured.clone(),
            None => {
                let Self { space, paths, validation, config, .. } = &mut *self;
                let estimator = SharedWeights::new(*space, paths, validation, config.calibration);
                estimate::finish(&mut *estimator.start(&architecture, &[], Fidelity::Full)?).await?
            }
        };
        self.taken += 1;
        self.ranked.push((architecture.clone(), measured.clone()));
        let origin = if number < candidates { Origin::Strategy } else { Origin::Random };
        Ok(vec![Event::Ranked { taken: self.taken, total, architecture, measured, origin }])
    }

    /// One step, of whichever kind is next.
    async fn step(&mut self) -> Result<Vec<Event>, SearchError> {
        if self.over {
            return Ok(Vec::new());
        }
        let (total, each) = (self.progress().total, self.per_epoch());
        let (epoch, place) = ((self.taken / each) as u32, self.taken % each);
        if self.taken >= u64::from(self.config.epochs) * each {
            return self.rank(total).await;
        }
        if place == 0 {
            self.sums = [0.0; 4];
        }
        let steps = self.paths.per_epoch();
        let mut events = Vec::with_capacity(2);
        if place < steps {
            let train_loss = self.train(u64::from(epoch) * steps + place).await?;
            self.taken += 1;
            events.push(Event::Step { taken: self.taken, total, train_loss, valid_loss: None });
        } else {
            let learned = self.learn(epoch, (place - steps) as u32).await?;
            self.taken += 1;
            events.push(Event::Learned { taken: self.taken, total, learned });
        }
        if place + 1 == each {
            let updates = f64::from(self.config.updates.max(1));
            let [loss, correct, reward, entropy] = self.sums;
            events.push(Event::ControllerEpoch(ControllerEpoch {
                epoch,
                rate: self.paths.rate(epoch),
                train_loss: loss / steps as f64,
                train_accuracy: correct / (steps * self.config.batch as u64) as f64,
                reward: reward / updates,
                entropy: entropy / updates,
                baseline: self.controller.baseline(),
            }));
        }
        Ok(events)
    }
}

impl Stepper for Enas<'_> {
    /// Takes one step of the weights or of the controller, or ranks one architecture, and gives what happened; nothing
    /// once the search is over.
    ///
    /// # Errors
    /// [`SearchError::NotFinite`] if a loss or norm is not finite (nothing is changed by that step then); an error of
    /// the device.
    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<Event>, SearchError>> {
        Box::pin(self.step())
    }

    fn shared(&self) -> Option<Shared<'_>> {
        Some(Shared { network: self.paths.supernet().network(), rest: &self.validation })
    }

    /// Steps taken and to be taken: of the weights, of the controller, and one for each architecture ranked.
    fn progress(&self) -> Progress {
        let total = self.total();
        Progress { taken: if self.over { total } else { self.taken }, total }
    }

    fn save(&self) -> BoxFuture<'_, Result<State, SearchError>> {
        Box::pin(async move {
            let mut state = State::of("search by a controller");
            state.set("taken", self.taken)?;
            state.set("over", self.over)?;
            state.set("sums", self.sums)?;
            state.set("written", &self.written)?;
            state.set("candidates", &self.candidates)?;
            state.set("ranked", &self.ranked)?;
            state.nest("paths", self.paths.save().await?);
            state.nest("controller", self.controller.save().await?);
            Ok(state)
        })
    }

    fn restore<'a>(&'a mut self, state: &'a State) -> BoxFuture<'a, Result<(), SearchError>> {
        Box::pin(async move {
            state.check("search by a controller")?;
            let total = self.total();
            self.taken = steps_taken(state, total)?;
            self.over = state.get("over")?;
            self.sums = state.get("sums")?;
            self.written = state.get("written")?;
            self.candidates = state.get("candidates")?;
            self.ranked = state.get("ranked")?;
            check_architectures(state, "written", self.space, self.written.iter().map(|s| &s.architecture))?;
            check_architectures(state, "candidates", self.space, &self.candidates)?;
            check_architectures(state, "ranked", self.space, self.ranked.iter().map(|(a, _)| a))?;
            let training = u64::from(self.config.epochs) * self.per_epoch();
            check_order(state, self.taken < training && !self.ranked.is_empty())?;
            self.paths.restore(state.part("paths")?)?;
            self.controller.restore(state.part("controller")?)
        })
    }
}
