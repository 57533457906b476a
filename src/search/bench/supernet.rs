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

/// A supernet with random images and labels, ready to take steps.
#[derive(Debug)]
pub struct StepBench {
    supernet: Supernet,
    alpha: AlphaStep,
    recordings: [Recording; 2],
    taken: u32,
}

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
        // Sizes are multiplied freely from here on.
        Cost::of(&graph, batch).map_err(|error| SearchError::Settings(error.to_string()))?;
        let config = SupernetConfig { batch, sgd: SgdConfig::default(), seed, fusion, given: false };
        let supernet = Supernet::new(device, graph, config)?;
        let alpha = AlphaStep::new(&supernet, order, AdamConfig::default())?;
        fill(&supernet, seed)?;
        let recorder = || Recorder::within(device, supernet.workspace());
        let first = alpha.record(&supernet, recorder())?.finish();
        let second = supernet.record_weight_step(recorder())?.finish();
        Ok(Self { supernet, alpha, recordings: [first, second], taken: 0 })
    }

    /// The supernet.
    pub fn supernet(&self) -> &Supernet {
        &self.supernet
    }

    fn prepare(&self) -> Result<(), SearchError> {
        let values = Step {
            counter: self.taken,
            weight_rate: 0.025,
            alpha_rate: 3e-4,
            alpha_corrections: self.alpha.corrections(self.taken + 1),
            ..Step::default()
        };
        Ok(self.supernet.step().write(self.supernet.device(), &values)?)
    }

    async fn finish(&mut self) -> Result<(), SearchError> {
        let [alpha, weights] = &self.recordings;
        self.supernet.read_scalars(self.taken.into(), 0, &[alpha, weights]).await?;
        self.taken += 1;
        Ok(())
    }
}

/// Random images and labels for both batches.
pub(super) fn fill(supernet: &Supernet, seed: u64) -> Result<(), SearchError> {
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
        self.supernet.device()
    }

    /// First for the architecture weights, then for the weights.
    fn recordings(&self) -> Vec<&Recording> {
        self.recordings.iter().collect()
    }

    fn parameters(&self) -> usize {
        self.supernet.network().parameters().values().count()
    }

    async fn step(&mut self) -> Result<Duration, SearchError> {
        let start = Instant::now();
        self.prepare()?;
        for recording in &self.recordings {
            self.supernet.device().run(recording)?;
        }
        self.finish().await?;
        Ok(start.elapsed())
    }

    async fn profile(&mut self) -> Result<Vec<Timing>, SearchError> {
        self.prepare()?;
        let mut timings = Vec::new();
        for recording in &self.recordings {
            timings.extend(self.supernet.device().profile(recording).await?);
        }
        self.finish().await?;
        Ok(timings)
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
