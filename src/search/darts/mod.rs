//! DARTS: differentiable architecture search (Liu, Simonyan & Yang, ICLR 2019), first and second order.
//!
//! Half of the training images train the shared weights w, the other half the architecture weights
//! α. Each step takes the α step first, on a fresh random batch, then the w step. At the end the
//! architecture that α stands for is derived.

mod alpha;
mod before;

pub use alpha::AlphaStep;

use super::collapse::{Signs, relative_entropy};
use super::{EpochEnd, Event, Progress, SearchError};
use crate::autograd::Var;
use crate::data::{Augmentation, Batches, Draw, Fresh, Last, Resident, Shuffle, split};
use crate::device::{Device, Recorder, Recording};
use crate::estimate::{Evaluation, Scalars, Supernet, SupernetConfig};
use crate::graph::Graph;
use crate::network::Choices;
use crate::optim::{AdamConfig, Schedule, SgdConfig, Step, StepBuffer};
use crate::space::{Space, TableWeights};
use crate::tensor::Tensor;
use before::Before;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Images of the validation half that the supernet is measured on after each epoch, at most: enough to
/// tell a gap of a few points, without the time that tens of thousands would take.
const SCORED: usize = 2048;

/// How the gradient of α is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Order {
    /// At the present weights (the paper's ξ = 0).
    #[default]
    First,
    /// At the weights one step ahead, with the Hessian product by central differences (equations 7
    /// and 8).
    Second,
}

impl TryFrom<u8> for Order {
    type Error = String;

    fn try_from(order: u8) -> Result<Self, String> {
        match order {
            1 => Ok(Self::First),
            2 => Ok(Self::Second),
            other => Err(format!("order {other} does not exist: use 1 (first order) or 2 (second order)")),
        }
    }
}

impl From<Order> for u8 {
    fn from(order: Order) -> u8 {
        match order {
            Order::First => 1,
            Order::Second => 2,
        }
    }
}

/// Settings of a DARTS search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DartsConfig {
    /// Passes over the half that trains the weights.
    pub epochs: u32,
    /// Images a step, of each half.
    pub batch: usize,
    /// First or second order.
    pub order: Order,
    /// The weights' optimiser.
    pub sgd: SgdConfig,
    /// Learning rate of the weights by epoch.
    pub rate: Schedule,
    /// The architecture weights' optimiser.
    pub adam: AdamConfig,
    /// Learning rate of the architecture weights.
    pub alpha_rate: f32,
    /// Variation of the images.
    pub augmentation: Augmentation,
    /// Whether patterns of operations that are known to be faster together are recorded so.
    pub fusion: bool,
}

impl Default for DartsConfig {
    /// As published for CIFAR-10.
    fn default() -> Self {
        Self {
            epochs: 50,
            batch: 64,
            order: Order::First,
            sgd: SgdConfig::default(),
            rate: Schedule::Cosine { from: 0.025, to: 0.001 },
            adam: AdamConfig::default(),
            alpha_rate: 3e-4,
            augmentation: Augmentation { padding: 4, flip: true, cutout: 0 },
            fusion: true,
        }
    }
}

/// A DARTS search under way.
pub struct Darts<'s> {
    space: &'s dyn Space,
    config: DartsConfig,
    supernet: Supernet,
    alpha: AlphaStep,
    alpha_recording: Recording,
    weight_recording: Recording,
    before: Before,
    train: Batches,
    valid: Fresh,
    scoring: Scoring,
    taken: u64,
    sums: [f64; 4],
    over: bool,
}

/// Evaluation of the supernet with weights that the host sets.
struct Scoring {
    tables: Vec<(String, Tensor)>,
    evaluation: Evaluation,
}

impl<'s> Darts<'s> {
    /// Prepares a search of `space` by its supernet `graph` on the training images `data`, whose labels are
    /// `labels` (for the split in halves).
    ///
    /// # Errors
    /// [`SearchError::Data`] if a batch is larger than a half; else as recording does.
    pub fn new(
        device: &Device,
        space: &'s dyn Space,
        graph: Graph,
        data: &Resident,
        labels: &[u32],
        config: DartsConfig,
        seed: u64,
    ) -> Result<Self, SearchError> {
        for table in graph.tables()? {
            if !graph.choices().iter().any(|(_, choice)| choice.table == table.name) {
                return Err(SearchError::Settings(format!(
                    "nothing in the supernet uses the architecture weights `{}`, so they cannot be searched: give it more \
                     layers (a DARTS supernet has a normal cell from 3 layers on)",
                    table.name
                )));
            }
        }
        let (for_weights, for_alphas) = split::halves(labels, seed)?;
        let train = Batches::new(for_weights, config.batch, Last::Drop, Shuffle { seed, stream: 1 })?;
        let valid = Fresh::new(for_alphas.clone(), config.batch, Shuffle { seed, stream: 2 }, 0)?;
        let DartsConfig { batch, sgd, fusion, .. } = config;
        let supernet = Supernet::new(device, graph, SupernetConfig { batch, sgd, seed, fusion })?;
        let alpha = AlphaStep::new(&supernet, config.order, config.adam)?;

        let mut recorder = Recorder::within(device, supernet.workspace());
        let step = supernet.step().words();
        for (stream, batch) in [(1, supernet.train()), (2, supernet.valid())] {
            let draw = Draw { seed, stream, step, counter: StepBuffer::COUNTER };
            data.record_gather(&mut recorder, batch, config.augmentation, draw)?;
        }
        let alpha_recording = alpha.record(&supernet, recorder)?.finish();
        let recorder = Recorder::within(device, supernet.workspace());
        let weight_recording = supernet.record_weight_step(recorder)?.finish();
        let before = Before::new(&supernet, &alpha)?;
        // Evenly spaced, so that images in the order of their classes are drawn from all of them.
        let spacing = for_alphas.len().div_ceil(SCORED).max(1);
        let scored = for_alphas.into_iter().step_by(spacing).collect();
        let scoring = Scoring::new(&supernet, data, scored, config.batch)?;
        Ok(Self {
            space,
            config,
            supernet,
            alpha,
            alpha_recording,
            weight_recording,
            before,
            train,
            valid,
            scoring,
            taken: 0,
            sums: [0.0; 4],
            over: false,
        })
    }

    /// The supernet.
    pub fn supernet(&self) -> &Supernet {
        &self.supernet
    }

    /// The step of the architecture weights.
    pub fn alpha_step(&self) -> &AlphaStep {
        &self.alpha
    }

    /// What one step runs: first for the architecture weights, then for the weights.
    pub fn recordings(&self) -> [&Recording; 2] {
        [&self.alpha_recording, &self.weight_recording]
    }

    /// Steps taken and to be taken.
    pub fn progress(&self) -> Progress {
        Progress { taken: self.taken, total: u64::from(self.config.epochs) * self.train.per_epoch() as u64 }
    }

    /// Takes one step and gives what happened; nothing once the search is over.
    ///
    /// # Errors
    /// [`SearchError::NotFinite`] if a loss or norm is not finite (weights, architecture weights, the
    /// optimisers' states and running statistics are then those before the step); an error of the device.
    pub async fn advance(&mut self) -> Result<Vec<Event>, SearchError> {
        if self.over {
            return Ok(Vec::new());
        }
        let Progress { taken, total } = self.progress();
        let steps = self.train.per_epoch() as u64;
        let (epoch, place) = ((taken / steps.max(1)) as u32, (taken % steps.max(1)) as usize);
        let Some(images) = self.train.epoch(epoch, place).next().filter(|_| taken < total) else {
            return Ok(vec![self.derive().await?]);
        };
        let scalars = self.step(taken, epoch, &images).await?;
        self.taken += 1;
        if place == 0 {
            self.sums = [0.0; 4];
        }
        let picked = [Scalars::TRAIN_LOSS, Scalars::TRAIN_CORRECT, Scalars::VALID_LOSS, Scalars::VALID_CORRECT];
        for (sum, index) in self.sums.iter_mut().zip(picked) {
            *sum += f64::from(scalars[index]);
        }
        let mut events = vec![Event::Step {
            taken: self.taken,
            total,
            train_loss: scalars[Scalars::TRAIN_LOSS],
            valid_loss: Some(scalars[Scalars::VALID_LOSS]),
        }];
        if place as u64 + 1 == steps {
            events.push(Event::Epoch(Box::new(self.end_epoch(epoch).await?)));
        }
        if self.taken == total {
            events.push(self.derive().await?);
        }
        Ok(events)
    }

    async fn step(&mut self, taken: u64, epoch: u32, images: &[u32]) -> Result<Vec<f32>, SearchError> {
        let device = self.supernet.device();
        self.supernet.train().indices.write_words(device, images)?;
        self.supernet.valid().indices.write_words(device, &self.valid.at(taken as u32))?;
        let values = Step {
            counter: taken as u32,
            weight_rate: self.config.rate.rate(epoch, self.config.epochs),
            alpha_rate: self.config.alpha_rate,
            alpha_corrections: self.alpha.corrections(taken as u32 + 1),
            ..Step::default()
        };
        self.supernet.step().write(device, &values)?;
        let Self { before, alpha_recording, weight_recording, .. } = self;
        device.run(&before.save)?;
        device.run(alpha_recording)?;
        device.run(weight_recording)?;
        let again = [&before.restore, alpha_recording, weight_recording];
        let scalars = match self.supernet.read_scalars(taken, epoch, &again).await {
            Err(error @ SearchError::NotFinite { .. }) => {
                device.run(&before.restore)?;
                return Err(error);
            }
            other => other?,
        };
        let passes = self.alpha.passes() + 1;
        self.supernet.network_mut().statistics_mut().count_batches(passes);
        Ok(scalars)
    }

    async fn end_epoch(&mut self, epoch: u32) -> Result<EpochEnd, SearchError> {
        let weights = self.weights().await?;
        let architecture = self.space.derive(&weights)?;
        let supernet = self.scoring.score(self.supernet.device(), &weights).await?;
        let derived = self.scoring.score(self.supernet.device(), &self.space.settle(&architecture)?).await?;
        let operations = self.space.operations(&architecture);
        let skips = operations.iter().filter(|o| o.starts_with("skip")).count();
        let steps = self.train.per_epoch() as f64;
        let images = self.train.images_per_epoch() as f64;
        Ok(EpochEnd {
            epoch,
            rate: self.config.rate.rate(epoch, self.config.epochs),
            train_loss: self.sums[0] / steps,
            train_accuracy: self.sums[1] / images,
            valid_loss: self.sums[2] / steps,
            valid_accuracy: self.sums[3] / images,
            supernet_accuracy: supernet,
            collapse: Signs::new(skips, operations.len(), relative_entropy(&weights), supernet - derived),
            weights,
            architecture,
        })
    }

    async fn derive(&mut self) -> Result<Event, SearchError> {
        self.over = true;
        let weights = self.weights().await?;
        Ok(Event::Derived { architecture: self.space.derive(&weights)? })
    }

    /// The softmaxed architecture weights.
    ///
    /// # Errors
    /// An error of the device.
    pub async fn weights(&self) -> Result<Vec<TableWeights>, SearchError> {
        let values = self.supernet.alphas().read(self.supernet.device()).await?;
        let tables = self.supernet.alphas().split(&values);
        Ok(tables
            .map(|(name, shape, values)| TableWeights {
                name: name.to_owned(),
                rows: shape[0],
                options: shape[1],
                values: values.chunks_exact(shape[1]).flat_map(softmax).collect(),
            })
            .collect())
    }
}

impl Scoring {
    fn new(supernet: &Supernet, data: &Resident, images: Vec<u32>, batch: usize) -> Result<Self, SearchError> {
        let mut tables = Vec::new();
        let mut vars = HashMap::new();
        for table in supernet.tables() {
            let weights = Tensor::zeros(supernet.device(), &[table.rows, table.options.len()])?;
            vars.insert(table.name.clone(), Var::constant(weights.clone()));
            tables.push((table.name.clone(), weights));
        }
        let choices = Choices::Mixed(&vars);
        let evaluation = Evaluation::new(supernet.network(), data, images, batch, choices, supernet.workspace())?;
        Ok(Self { tables, evaluation })
    }

    /// Accuracy with the given weights.
    async fn score(&self, device: &Device, weights: &[TableWeights]) -> Result<f64, SearchError> {
        for (name, tensor) in &self.tables {
            let table = TableWeights::find(weights, name, tensor.shape()[0], tensor.shape()[1])?;
            tensor.write(device, &table.values)?;
        }
        Ok(self.evaluation.score().await?.accuracy)
    }
}

fn softmax(row: &[f32]) -> Vec<f32> {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f64> = row.iter().map(|&a| f64::from(a - largest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.into_iter().map(|e| (e / sum) as f32).collect()
}
