//! One-shot search by single paths: shared weights are trained on one uniformly drawn architecture a step, then
//! architectures are ranked by their accuracy with those weights.
//!
//! Random search with weight sharing (Li & Talwalkar, UAI 2019) ranks random architectures; single path one-shot (SPOS;
//! Guo et al., ECCV 2020) evolves them. Running statistics of batch norms belong to no single architecture, so they are
//! collected anew for each that is ranked (SPOS, section 3.3). Half of the training images train the weights, the
//! other half ranks.

mod evolution;

pub use evolution::{Evolution, EvolutionConfig};

use super::{Event, Progress, SearchError};
use crate::data::{Augmentation, Batches, Draw, Fresh, Last, Resident, Shuffle, split};
use crate::device::{Device, Recorder, Recording};
use crate::estimate::{Evaluation, Scalars, Supernet, SupernetConfig};
use crate::graph::Graph;
use crate::network::{Choices, Path};
use crate::optim::{Schedule, SgdConfig, Step, StepBuffer};
use crate::random::Random;
use crate::space::{Architecture, Space};
use serde::{Deserialize, Serialize};

/// Streams of the run's seed: architectures that are trained (one stream a step), and those that are ranked.
const TRAINED: u64 = 0x5905 << 48;
const RANKED: u64 = 0x5906 << 48;

/// Which architectures are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Random ones: random search with weight sharing.
    Random,
    /// Those that evolution comes by: SPOS.
    Evolution,
}

/// Settings of [`OneShot`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneShotConfig {
    /// Passes over the half that trains the weights.
    pub epochs: u32,
    /// Images a step.
    pub batch: usize,
    /// The weights' optimiser.
    pub sgd: SgdConfig,
    /// Learning rate of the weights by epoch.
    pub rate: Schedule,
    /// Variation of the images.
    pub augmentation: Augmentation,
    /// Batches that an architecture's batch statistics are collected over before it is ranked; 0: it is ranked with
    /// what training has left, which is a mixture of all paths'.
    pub calibration: u32,
    /// Architectures that are ranked, if they are drawn at random.
    pub samples: u32,
    /// How they are bred, if they are.
    pub evolution: EvolutionConfig,
}

impl Default for OneShotConfig {
    /// The weights are trained as those of DARTS, the evolution is that of SPOS.
    fn default() -> Self {
        Self {
            epochs: 50,
            batch: 64,
            sgd: SgdConfig::default(),
            rate: Schedule::Cosine { from: 0.025, to: 0.001 },
            augmentation: Augmentation { padding: 4, flip: true, cutout: 0 },
            calibration: 200,
            samples: 100,
            evolution: EvolutionConfig::default(),
        }
    }
}

/// A one-shot search under way.
pub struct OneShot<'s> {
    space: &'s dyn Space,
    config: OneShotConfig,
    seed: u64,
    supernet: Supernet,
    data: Resident,
    train: Batches,
    calibration: Fresh,
    ranking: Vec<u32>,
    evolution: Evolution,
    taken: u64,
    over: bool,
}

impl<'s> OneShot<'s> {
    /// Prepares a search of `space` by its supernet `graph` on the training images `data`, whose labels are `labels`
    /// (for the split in halves).
    ///
    /// # Errors
    /// [`SearchError::Settings`] if nothing would be ranked; [`SearchError::Data`] if a batch is larger than a half;
    /// out of memory.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing")]
    pub fn new(
        device: &Device,
        space: &'s dyn Space,
        graph: Graph,
        data: &Resident,
        labels: &[u32],
        config: OneShotConfig,
        rank: Rank,
        seed: u64,
    ) -> Result<Self, SearchError> {
        let evolution = match rank {
            // A first generation without a second.
            Rank::Random => EvolutionConfig { population: config.samples, generations: 1, ..config.evolution },
            Rank::Evolution => config.evolution,
        };
        let evolution = Evolution::new(evolution, Random::new(seed, RANKED)).map_err(SearchError::Settings)?;
        let (for_weights, for_ranking) = split::halves(labels, seed)?;
        let train = Batches::new(for_weights.clone(), config.batch, Last::Drop, Shuffle { seed, stream: 1 })?;
        let calibration = Fresh::new(for_weights, config.batch, Shuffle { seed, stream: 3 }, 0)?;
        let shared = SupernetConfig { batch: config.batch, sgd: config.sgd, seed, fusion: false, given: false };
        let supernet = Supernet::new(device, graph, shared)?;
        Ok(Self {
            space,
            config,
            seed,
            supernet,
            data: data.clone(),
            train,
            calibration,
            ranking: for_ranking,
            evolution,
            taken: 0,
            over: false,
        })
    }

    /// The supernet.
    pub fn supernet(&self) -> &Supernet {
        &self.supernet
    }

    /// Steps taken and to be taken: of training, then one for each architecture ranked.
    pub fn progress(&self) -> Progress {
        let total = self.training_steps() + u64::from(self.evolution.most());
        Progress { taken: if self.over { total } else { self.taken }, total }
    }

    /// All architectures ranked so far with their accuracies, the best first.
    pub fn ranked(&self) -> &[(Architecture, f64)] {
        self.evolution.ranked()
    }

    fn training_steps(&self) -> u64 {
        u64::from(self.config.epochs) * self.train.per_epoch() as u64
    }

    /// Takes one step of training, or ranks one architecture, and gives what happened; nothing once the search is over.
    ///
    /// # Errors
    /// [`SearchError::NotFinite`] if loss or norm are not finite (nothing is changed by that step then); an error of
    /// the device.
    pub async fn advance(&mut self) -> Result<Vec<Event>, SearchError> {
        if self.over {
            return Ok(Vec::new());
        }
        let total = self.progress().total;
        if self.taken < self.training_steps() {
            let train_loss = self.train_step().await?;
            self.taken += 1;
            return Ok(vec![Event::Step { taken: self.taken, total, train_loss, valid_loss: None }]);
        }
        let Some(architecture) = self.evolution.next(self.space) else {
            self.over = true;
            let nothing = || SearchError::Settings("no architecture was ranked".into());
            let best = self.evolution.best().cloned().ok_or_else(nothing)?;
            return Ok(vec![Event::Derived { architecture: best }]);
        };
        let accuracy = self.score(&architecture).await?;
        self.taken += 1;
        self.evolution.scored(architecture.clone(), accuracy);
        Ok(vec![Event::Ranked { taken: self.taken, total, architecture, accuracy }])
    }

    fn path(&self, architecture: &Architecture) -> Result<Path, SearchError> {
        Ok(self.supernet.network().path(&self.space.settle(architecture)?)?)
    }

    fn record_gather(&self, recorder: &mut Recorder) -> Result<(), SearchError> {
        let step = self.supernet.step().words();
        let draw = Draw { seed: self.seed, stream: 1, step, counter: StepBuffer::COUNTER };
        Ok(self.data.record_gather(recorder, self.supernet.train(), self.config.augmentation, draw)?)
    }

    async fn train_step(&mut self) -> Result<f32, SearchError> {
        let steps = self.train.per_epoch() as u64;
        let (epoch, place) = ((self.taken / steps.max(1)) as u32, (self.taken % steps.max(1)) as usize);
        let images = self.train.epoch(epoch, place).next().unwrap_or_default();
        let architecture = self.space.random(&mut Random::new(self.seed, TRAINED + self.taken));
        let path = self.path(&architecture)?;
        let device = self.supernet.device().clone();
        let mut recorder = Recorder::within(&device, self.supernet.workspace());
        self.record_gather(&mut recorder)?;
        let recording = self.supernet.record_path_step(recorder, &path)?.finish();
        self.supernet.train().indices.write_words(&device, &images)?;
        let weight_rate = self.config.rate.rate(epoch, self.config.epochs);
        self.supernet.step().write(&device, &Step { counter: self.taken as u32, weight_rate, ..Step::default() })?;
        device.run(&recording)?;
        let scalars = self.supernet.read_scalars(self.taken, epoch, &[&recording]).await?;
        Ok(scalars[Scalars::TRAIN_LOSS])
    }

    /// Accuracy of an architecture with the shared weights, on the half that ranks.
    ///
    /// # Errors
    /// An error of the device, or an architecture of another space.
    pub async fn score(&mut self, architecture: &Architecture) -> Result<f64, SearchError> {
        let path = self.path(architecture)?;
        let device = self.supernet.device().clone();
        let record = |first: bool| -> Result<Recording, SearchError> {
            let mut recorder = Recorder::within(&device, self.supernet.workspace());
            self.record_gather(&mut recorder)?;
            Ok(self.supernet.record_calibration(recorder, &path, first)?.finish())
        };
        // The first batch's statistics replace those of other paths, the others' enter.
        let [first, others] = [record(true)?, record(false)?];
        for batch in 0..self.config.calibration {
            self.supernet.train().indices.write_words(&device, &self.calibration.at(batch))?;
            self.supernet.step().write(&device, &Step { counter: batch, ..Step::default() })?;
            device.run(if batch == 0 { &first } else { &others })?;
        }
        drop([first, others]);
        let choices = Choices::Path(&path);
        let (network, workspace) = (self.supernet.network(), self.supernet.workspace());
        let evaluation =
            Evaluation::new(network, &self.data, self.ranking.clone(), self.config.batch, choices, workspace)?;
        Ok(evaluation.score().await?.accuracy)
    }
}
