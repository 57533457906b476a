//! A DARTS search step.

use super::Workload;
use crate::cost::Cost;
use crate::device::{Device, Recorder, Recording, Timing};
use crate::estimate::{Supernet, SupernetConfig};
use crate::graph::Graph;
use crate::optim::{AdamConfig, SgdConfig, Step};
use crate::random::Random;
use crate::search::SearchError;
use crate::search::bilevel::{AlphaStep, Order};
use std::time::{Duration, Instant};

/// A supernet with random images and labels, and what one of its steps runs.
#[derive(Debug)]
pub(super) struct Steps {
    pub supernet: Supernet,
    /// The step of the architecture weights, if there is one.
    pub alpha: Option<AlphaStep>,
    pub recordings: Vec<Recording>,
    taken: u32,
}

impl Steps {
    /// Without recordings yet. `order`: of the step of the architecture weights, if there is to be one.
    pub fn new(
        device: &Device,
        graph: Graph,
        config: SupernetConfig,
        order: Option<Order>,
    ) -> Result<Self, SearchError> {
        // Sizes are multiplied freely from here on.
        Cost::of(&graph, config.batch).map_err(|error| SearchError::Settings(error.to_string()))?;
        let supernet = Supernet::new(device, graph, config)?;
        let alpha = order.map(|order| AlphaStep::new(&supernet, order, AdamConfig::default())).transpose()?;
        fill(&supernet, config.seed)?;
        Ok(Self { supernet, alpha, recordings: Vec::new(), taken: 0 })
    }

    pub fn recorder(&self) -> Recorder {
        Recorder::within(self.supernet.device(), self.supernet.workspace())
    }

    pub fn parameters(&self) -> usize {
        self.supernet.network().parameters().values().count()
    }

    fn prepare(&self) -> Result<(), SearchError> {
        let alpha_corrections = self.alpha.as_ref().map_or([1.0; 2], |alpha| alpha.corrections(self.taken + 1));
        let rates = Step { weight_rate: 0.025, alpha_rate: 3e-4, ..Step::default() };
        let values = Step { counter: self.taken, alpha_corrections, ..rates };
        Ok(self.supernet.step().write(self.supernet.device(), &values)?)
    }

    async fn finish(&mut self) -> Result<(), SearchError> {
        let recordings: Vec<&Recording> = self.recordings.iter().collect();
        self.supernet.read_scalars(self.taken.into(), 0, &recordings).await?;
        self.taken += 1;
        Ok(())
    }

    pub async fn run(&mut self) -> Result<(), SearchError> {
        self.prepare()?;
        for recording in &self.recordings {
            self.supernet.device().run(recording)?;
        }
        self.finish().await
    }

    pub async fn profile(&mut self) -> Result<Vec<Timing>, SearchError> {
        self.prepare()?;
        let mut timings = Vec::new();
        for recording in &self.recordings {
            timings.extend(self.supernet.device().profile(recording).await?);
        }
        self.finish().await?;
        Ok(timings)
    }
}

/// The step of a DARTS search, ready to be taken.
#[derive(Debug)]
pub struct StepBench(Steps);

impl StepBench {
    /// Prepares steps of the supernet `graph` with `batch` images in each half; `fusion` as in
    /// [`SupernetConfig`].
    ///
    /// # Errors
    /// [`SearchError::Settings`] if the graph has no choice points or the batch is too large to
    /// count; [`SearchError::Tensor`] if it does not fit the device.
    pub fn new(
        device: &Device,
        graph: Graph,
        batch: usize,
        order: Order,
        seed: u64,
        fusion: bool,
    ) -> Result<Self, SearchError> {
        let config = SupernetConfig { batch, sgd: SgdConfig::default(), seed, fusion, given: false };
        let mut steps = Steps::new(device, graph, config, Some(order))?;
        if let Some(alpha) = &steps.alpha {
            steps.recordings.push(alpha.record(&steps.supernet, steps.recorder())?.finish());
        }
        steps.recordings.push(steps.supernet.record_weight_step(steps.recorder())?.finish());
        Ok(Self(steps))
    }

    /// The supernet.
    pub fn supernet(&self) -> &Supernet {
        &self.0.supernet
    }
}

/// Random images and labels for both batches.
fn fill(supernet: &Supernet, seed: u64) -> Result<(), SearchError> {
    let (device, graph) = (supernet.device(), supernet.network().graph());
    let classes = graph.outputs.first().map_or(1, |logits| graph.shape(logits.node).channels).max(1);
    for (stream, batch) in [(1, supernet.train()), (2, supernet.valid())] {
        let mut random = Random::new(seed, stream);
        let pixels: Vec<f32> = (0..batch.x.count()).map(|_| random.range(-1.0, 1.0)).collect();
        batch.x.write(device, &pixels)?;
        let labels: Vec<u32> = (0..batch.size()).map(|_| random.below(classes) as u32).collect();
        batch.y.write_words(device, &labels)?;
    }
    Ok(())
}

impl Workload for StepBench {
    fn device(&self) -> &Device {
        self.0.supernet.device()
    }

    /// First for the architecture weights, then for the weights.
    fn recordings(&self) -> Vec<&Recording> {
        self.0.recordings.iter().collect()
    }

    fn parameters(&self) -> usize {
        self.0.parameters()
    }

    async fn step(&mut self) -> Result<Duration, SearchError> {
        let start = Instant::now();
        self.0.run().await?;
        Ok(start.elapsed())
    }

    async fn profile(&mut self) -> Result<Vec<Timing>, SearchError> {
        self.0.profile().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::Scalars;
    use crate::graph::Features;
    use crate::space::{NetworkSettings, Space, chain::Chain};

    fn bench(order: Order) -> StepBench {
        let image = Features::new(1, 8, 8);
        let settings = NetworkSettings { image, classes: 4, ..NetworkSettings::default() };
        let graph = Chain::mlp(1, &[4, 8]).unwrap().supernet(&settings).unwrap();
        StepBench::new(&Device::cpu(), graph, 4, order, 1, true).unwrap()
    }

    #[test]
    fn a_step_moves_weights_and_architecture_weights() {
        let mut bench = bench(Order::First);
        let device = bench.supernet().device().clone();
        let read = |bench: &StepBench| {
            let weights = pollster::block_on(bench.supernet().network().parameters().read(&device)).unwrap();
            (weights, pollster::block_on(bench.supernet().alphas().read(&device)).unwrap())
        };
        let before = read(&bench);
        assert!(pollster::block_on(bench.step()).unwrap() > Duration::ZERO);
        let after = read(&bench);
        assert!(before.0 != after.0 && before.1 != after.1);
        let scalars = pollster::block_on(bench.supernet().scalars().all().read(&device)).unwrap();
        assert!(scalars[Scalars::TRAIN_LOSS] > 0.0 && scalars[Scalars::VALID_LOSS] > 0.0, "{scalars:?}");
    }

    #[test]
    fn the_profile_has_every_dispatch_and_the_second_order_has_more() {
        let (mut first, second) = (bench(Order::First), bench(Order::Second));
        let timings = pollster::block_on(first.profile()).unwrap();
        assert!(timings.len() >= first.dispatches());
        assert_eq!(timings.iter().map(|t| t.flops).sum::<u64>(), first.flops());
        assert!(second.dispatches() > first.dispatches() && second.flops() > first.flops());
    }

    #[test]
    fn a_batch_beyond_all_memory_is_refused() {
        let graph = Chain::mlp(1, &[4, 8]).unwrap().supernet(&NetworkSettings::default()).unwrap();
        let error = StepBench::new(&Device::cpu(), graph, usize::MAX / 2, Order::First, 1, true).unwrap_err();
        assert!(error.to_string().contains("64 bits"), "{error}");
    }
}
