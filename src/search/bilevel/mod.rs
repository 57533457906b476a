//! Gradient search: shared weights w and architecture weights α are trained in turns (Liu, Simonyan & Yang, ICLR 2019,
//! "DARTS: differentiable architecture search", equations 3 and 4).
//!
//! Half of the training images train the shared weights w, the other half the architecture weights
//! α. Each step takes the α step first, on a fresh random batch, then the w step. At the end the
//! architecture that α stands for is derived.
//!
//! The published methods are this loop with other parts (see [`ALL`](super::ALL)): how α becomes weights of options
//! ([`Weighing`]), what is added to the loss ([`Penalty`]), what the weights' step sees ([`Perturbation`]), what the
//! supernet runs ([`Stage`]), when to stop ([`Stop`]) and how to choose in the end ([`Selection`]).

mod adaptive;
mod adversary;
mod align;
mod alpha;
mod carry;
mod check;
mod config;
mod derive;
mod epoch;
mod freeze;
mod hessian;
mod lora;
mod masking;
mod parts;
mod perturb;
mod phase;
mod preset;
mod relaxed;
mod rollback;
mod saved;
mod scoring;
mod selection;
mod step;
mod stop;
mod tuning;
mod weighing;

pub use alpha::AlphaStep;
pub use config::{BilevelConfig, Order, Penalty, Perturbation, Selection, Stage, Stop};
pub use parts::{Alignment, Auxiliary, Freezing, Lora, Update};
pub use weighing::{Row, Weighing};

use super::{BoxFuture, Event, Progress, SearchError, Shared, Stepper};
use crate::data::{Batches, Fresh, Last, Resident, Shuffle, split};
use crate::device::{Device, Recording};
use crate::estimate::{Scalars, Supernet};
use crate::space::{Architecture, NetworkSettings, Space, TableWeights};
use crate::state::State;
use phase::{Phase, Setting};
use relaxed::Relaxed;
use std::collections::{HashSet, VecDeque};
use stop::Watch;
use tuning::Tuning;

/// Images of the validation half that the supernet is measured on after each epoch, at most: enough to
/// tell a gap of a few points, without the time that tens of thousands would take.
const SCORED: usize = 2048;

/// A gradient search under way.
pub struct Bilevel<'s> {
    device: Device,
    space: &'s dyn Space,
    settings: NetworkSettings,
    data: Resident,
    config: BilevelConfig,
    seed: u64,
    stages: Vec<Stage>,
    stage: usize,
    /// Options that earlier stages have dropped: table, row, option.
    dropped: HashSet<(String, usize, usize)>,
    phase: Phase,
    train: Batches,
    valid: Fresh,
    scored: Vec<u32>,
    taken: u64,
    /// Steps of the architecture weights in this stage.
    moved: u32,
    watch: Watch,
    /// Epochs to which it may be taken back, and where it stood behind them.
    kept: VecDeque<(u32, State)>,
    /// What the search ends with, if it has been stopped.
    stopped: Option<Architecture>,
    tuning: Option<Tuning>,
    /// Choices of a selection by masking.
    questions: u64,
    sums: [f64; 4],
    over: bool,
}

/// Where in the search a step is.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The epoch, counted over all stages.
    epoch: u32,
    /// The stage, and the epoch counted from its beginning.
    stage: usize,
    within: u32,
    /// The step of the epoch.
    step: usize,
}

impl<'s> Bilevel<'s> {
    /// Prepares a search of `space` on the training images `data`, whose labels are `labels` (for the split in halves).
    /// `settings` are those of the (first) supernet.
    ///
    /// # Errors
    /// [`SearchError::Data`] if a batch is larger than a half; [`SearchError::Settings`] if the space does not suit the
    /// method; else as recording does.
    pub async fn new(
        device: &Device,
        space: &'s dyn Space,
        settings: &NetworkSettings,
        data: &Resident,
        labels: &[u32],
        config: BilevelConfig,
        seed: u64,
    ) -> Result<Self, SearchError> {
        if config.weighing.is_path() && config.order == Order::Second {
            let problem = "a search by sampled paths is of first order: set search.order=1";
            return Err(SearchError::Settings(problem.into()));
        }
        let (for_weights, for_alphas) = match config.all_images {
            true => {
                let all: Vec<u32> = (0..labels.len() as u32).collect();
                (all.clone(), all)
            }
            false => split::halves(labels, seed)?,
        };
        let train = Batches::new(for_weights, config.batch, Last::Drop, Shuffle { seed, stream: 1 })?;
        let valid = Fresh::new(for_alphas.clone(), config.batch, Shuffle { seed, stream: 2 }, 0)?;
        // Evenly spaced, so that images in the order of their classes are drawn from all of them.
        let spacing = for_alphas.len().div_ceil(SCORED).max(1);
        let scored: Vec<u32> = for_alphas.into_iter().step_by(spacing).collect();
        let stages = config.stages();
        let setting = Setting { device, space, settings, data, config: &config, seed };
        // There is one stage at least.
        let phase = Phase::new(setting, &stages[0], 0, &HashSet::new(), scored.clone()).await?;
        let questions = tuning::questions(config.selection, &phase, seed);
        Ok(Self {
            device: device.clone(),
            space,
            settings: settings.clone(),
            data: data.clone(),
            seed,
            stages,
            stage: 0,
            dropped: HashSet::new(),
            phase,
            train,
            valid,
            scored,
            taken: 0,
            moved: 0,
            watch: Watch::default(),
            kept: VecDeque::new(),
            stopped: None,
            tuning: None,
            questions,
            sums: [0.0; 4],
            over: false,
            config,
        })
    }

    /// The supernet of the present stage.
    pub fn supernet(&self) -> &Supernet {
        &self.phase.supernet
    }

    /// The step of the architecture weights.
    pub fn alpha_step(&self) -> &AlphaStep {
        &self.phase.alpha
    }

    /// What one step runs, first for the architecture weights, then for the weights; nothing where paths are sampled.
    pub fn recordings(&self) -> Option<[&Recording; 2]> {
        self.phase.recordings.as_ref().map(|both| both.each_ref())
    }

    fn place(&self) -> Option<Place> {
        let steps = self.train.per_epoch() as u64;
        if steps == 0 {
            return None;
        }
        let epoch = (self.taken / steps) as u32;
        let (stage, within) = ((epoch / self.config.epochs.max(1)) as usize, epoch % self.config.epochs.max(1));
        let step = (self.taken % steps) as usize;
        (epoch < self.config.all_epochs()).then_some(Place { epoch, stage, within, step })
    }

    async fn next(&mut self) -> Result<Vec<Event>, SearchError> {
        if self.stopped.is_some() || self.place().is_none() {
            return self.finish().await;
        }
        let Some(place) = self.place() else { return Ok(Vec::new()) };
        if place.stage > self.stage {
            self.begin_stage(place.stage).await?;
        }
        self.begin_epoch(place).await?;
        let images =
            self.train.epoch(place.epoch, place.step).next().expect("an epoch has a batch at each of its steps");
        let moves = place.within >= self.config.warmup;
        let scalars = self.step(place, &images, moves).await?;
        self.taken += 1;
        if place.step == 0 {
            self.sums = [0.0; 4];
        }
        let picked = [Scalars::TRAIN_LOSS, Scalars::TRAIN_CORRECT, Scalars::VALID_LOSS, Scalars::VALID_CORRECT];
        for (sum, index) in self.sums.iter_mut().zip(picked) {
            *sum += f64::from(scalars[index]);
        }
        let mut events = vec![Event::Step {
            taken: self.taken,
            total: self.progress().total,
            train_loss: scalars[Scalars::TRAIN_LOSS],
            valid_loss: moves.then_some(scalars[Scalars::VALID_LOSS]),
        }];
        if place.step + 1 == self.train.per_epoch() {
            let mut end = self.end_epoch(place).await?;
            self.watch(&mut end).await?;
            events.push(Event::Epoch(Box::new(end)));
        }
        let last = self.stopped.is_some() || self.place().is_none();
        if last && !matches!(self.config.selection, Selection::Masking { .. }) {
            events.push(self.end().await?);
        }
        Ok(events)
    }

    async fn begin_stage(&mut self, number: usize) -> Result<(), SearchError> {
        let stage = self.stages[number];
        if stage.options > 0 {
            let weights = self.weights().await?;
            self.dropped.extend(derive::weakest(&weights, stage.options, &self.phase.edges));
        }
        let mut phase = self.make_phase(number).await?;
        if stage.goes_on {
            carry::carry(&self.device, &self.phase.supernet, &phase.supernet).await?;
            if let Some(relaxed) = &mut phase.relaxed {
                relaxed.refresh(&phase.supernet).await?;
            }
        }
        self.phase = phase;
        self.stage = number;
        self.moved = 0;
        Ok(())
    }

    /// The supernet of a stage, with the options that have not been dropped by now.
    async fn make_phase(&self, number: usize) -> Result<Phase, SearchError> {
        let Self { device, space, settings, data, config, seed, .. } = self;
        let setting = Setting { device, space: *space, settings, data, config, seed: *seed };
        Phase::new(setting, &self.stages[number], number, &self.dropped, self.scored.clone()).await
    }

    async fn end(&mut self) -> Result<Event, SearchError> {
        self.over = true;
        let best = match self.config.selection {
            Selection::BestEpoch => self.watch.best(),
            _ => None,
        };
        let architecture = match self.stopped.take().or(best) {
            Some(architecture) => architecture,
            None => self.derived(&self.weights().await?)?,
        };
        Ok(Event::Derived { architecture })
    }

    /// The weights of options without noise: softmaxed architecture weights, or what the method has instead.
    ///
    /// # Errors
    /// An error of the device.
    pub async fn weights(&self) -> Result<Vec<TableWeights>, SearchError> {
        let relaxed = match &self.phase.relaxed {
            Some(relaxed) => return Ok(relaxed.settled()),
            None => Relaxed::new(&self.phase.supernet, self.config.rules(), &self.phase.copies).await?,
        };
        Ok(relaxed.settled())
    }
}

impl Stepper for Bilevel<'_> {
    /// Takes one step and gives what happened; nothing once the search is over.
    ///
    /// # Errors
    /// [`SearchError::NotFinite`] if a loss or norm is not finite (weights, architecture weights, the
    /// optimisers' states and running statistics are then those before the step); an error of the device.
    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<Event>, SearchError>> {
        Box::pin(async move { if self.over { Ok(Vec::new()) } else { self.next().await } })
    }

    fn shared(&self) -> Option<Shared<'_>> {
        let rest: &[u32] = if self.config.all_images { &[] } else { &self.scored };
        Some(Shared { network: self.phase.supernet.network(), rest })
    }

    fn progress(&self) -> Progress {
        let steps = self.train.per_epoch() as u64;
        let mut total = u64::from(self.config.all_epochs()) * steps;
        if let Selection::Masking { tune, .. } = self.config.selection {
            total += self.questions * u64::from(tune) * steps;
        }
        Progress { taken: if self.over { total } else { self.taken }, total }
    }

    fn save(&self) -> BoxFuture<'_, Result<State, SearchError>> {
        Box::pin(self.saved())
    }

    fn restore<'a>(&'a mut self, state: &'a State) -> BoxFuture<'a, Result<(), SearchError>> {
        Box::pin(self.go_on_from(state))
    }
}
