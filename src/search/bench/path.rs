//! A step of a search by sampled paths.

use super::Workload;
use super::supernet::Steps;
use crate::device::{Device, Recording, Timing};
use crate::estimate::SupernetConfig;
use crate::graph::Graph;
use crate::optim::SgdConfig;
use crate::random::Random;
use crate::search::SearchError;
use crate::search::bilevel::Order;
use crate::space::Space;
use std::time::{Duration, Instant};

/// A supernet with random images and labels, of which each step computes another random path. A step includes
/// recording it.
pub struct PathBench<'s> {
    space: &'s dyn Space,
    steps: Steps,
    random: Random,
}

impl<'s> PathBench<'s> {
    /// Prepares steps on `batch` images: of the weights alone, as ENAS and one-shot methods take them, or with
    /// `alphas` of the architecture weights before, as GDAS does.
    ///
    /// # Errors
    /// [`SearchError::Settings`] if the graph has no choice points or the batch is too large to count;
    /// [`SearchError::Tensor`] if it does not fit the device.
    pub fn new(
        device: &Device,
        space: &'s dyn Space,
        graph: Graph,
        batch: usize,
        alphas: bool,
        seed: u64,
    ) -> Result<Self, SearchError> {
        let config = SupernetConfig { batch, sgd: SgdConfig::default(), seed, fusion: false, given: alphas };
        let steps = Steps::new(device, graph, config, alphas.then_some(Order::First))?;
        let mut bench = Self { space, steps, random: Random::new(seed, 3) };
        bench.record()?;
        Ok(bench)
    }

    /// Records a step of a random path.
    fn record(&mut self) -> Result<(), SearchError> {
        let Self { space, steps, random } = self;
        let path = steps.supernet.network().path(&space.settle(&space.random(random))?)?;
        let mut made = Vec::new();
        if let Some(alpha) = &steps.alpha {
            made.push(alpha.record_sampled(&steps.supernet, steps.recorder(), &path, false)?.finish());
        }
        made.push(steps.supernet.record_path_step(steps.recorder(), &path, None)?.finish());
        steps.recordings = made;
        Ok(())
    }
}

impl Workload for PathBench<'_> {
    fn device(&self) -> &Device {
        self.steps.supernet.device()
    }

    /// Of the path taken last.
    fn recordings(&self) -> Vec<&Recording> {
        self.steps.recordings.iter().collect()
    }

    fn parameters(&self) -> usize {
        self.steps.parameters()
    }

    async fn step(&mut self) -> Result<Duration, SearchError> {
        let start = Instant::now();
        self.record()?;
        self.steps.run().await?;
        Ok(start.elapsed())
    }

    async fn profile(&mut self) -> Result<Vec<Timing>, SearchError> {
        self.steps.profile().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::bench::StepBench;
    use crate::space::{NetworkSettings, nas_bench_201::NasBench201};

    #[test]
    fn a_path_costs_a_fraction_of_the_supernet() {
        let settings = NetworkSettings { channels: 4, layers: 3, ..NetworkSettings::default() };
        let graph = || NasBench201.supernet(&settings).unwrap();
        let device = Device::cpu();
        let mut whole = StepBench::new(&device, graph(), 2, Order::First, 1, true).unwrap();
        pollster::block_on(whole.step()).unwrap();
        for alphas in [false, true] {
            let mut path = PathBench::new(&device, &NasBench201, graph(), 2, alphas, 1).unwrap();
            assert!(pollster::block_on(path.step()).unwrap() > Duration::ZERO);
            assert!(path.flops() < whole.flops() && path.parameters() == whole.parameters());
        }
    }
}
