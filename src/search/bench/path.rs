//! A step of a search by sampled paths.

use super::Workload;
use super::supernet::fill;
use crate::cost::Cost;
use crate::device::{Device, Recorder, Recording, Timing};
use crate::estimate::{Supernet, SupernetConfig};
use crate::graph::Graph;
use crate::optim::{AdamConfig, SgdConfig, Step};
use crate::random::Random;
use crate::search::SearchError;
use crate::search::bilevel::{AlphaStep, Order};
use crate::space::Space;
use std::time::{Duration, Instant};

/// A supernet with random images and labels, of which each step computes another random path. A step includes
/// recording it.
pub struct PathBench<'s> {
    space: &'s dyn Space,
    supernet: Supernet,
    alpha: Option<AlphaStep>,
    recordings: Vec<Recording>,
    random: Random,
    taken: u32,
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
        Cost::of(&graph, batch).map_err(|error| SearchError::Settings(error.to_string()))?;
        let config = SupernetConfig { batch, sgd: SgdConfig::default(), seed, fusion: false, given: alphas };
        let supernet = Supernet::new(device, graph, config)?;
        fill(&supernet, seed)?;
        let alpha = match alphas {
            true => Some(AlphaStep::new(&supernet, Order::First, AdamConfig::default())?),
            false => None,
        };
        let mut bench = Self { space, supernet, alpha, recordings: Vec::new(), random: Random::new(seed, 3), taken: 0 };
        bench.record()?;
        Ok(bench)
    }

    /// Records a step of a random path.
    fn record(&mut self) -> Result<(), SearchError> {
        let path = self.supernet.network().path(&self.space.settle(&self.space.random(&mut self.random))?)?;
        let recorder = || Recorder::within(self.supernet.device(), self.supernet.workspace());
        let mut made = Vec::new();
        if let Some(alpha) = &self.alpha {
            made.push(alpha.record_sampled(&self.supernet, recorder(), &path, false)?.finish());
        }
        made.push(self.supernet.record_path_step(recorder(), &path, None)?.finish());
        self.recordings = made;
        Ok(())
    }

    fn prepare(&self) -> Result<(), SearchError> {
        let corrections = self.alpha.as_ref().map_or([1.0; 2], |alpha| alpha.corrections(self.taken + 1));
        let values = Step {
            counter: self.taken,
            weight_rate: 0.025,
            alpha_rate: 3e-4,
            alpha_corrections: corrections,
            ..Step::default()
        };
        Ok(self.supernet.step().write(self.supernet.device(), &values)?)
    }

    async fn finish(&mut self) -> Result<(), SearchError> {
        let recordings: Vec<&Recording> = self.recordings.iter().collect();
        self.supernet.read_scalars(self.taken.into(), 0, &recordings).await?;
        self.taken += 1;
        Ok(())
    }
}

impl Workload for PathBench<'_> {
    fn device(&self) -> &Device {
        self.supernet.device()
    }

    /// Of the path taken last.
    fn recordings(&self) -> Vec<&Recording> {
        self.recordings.iter().collect()
    }

    fn parameters(&self) -> usize {
        self.supernet.network().parameters().values().count()
    }

    async fn step(&mut self) -> Result<Duration, SearchError> {
        let start = Instant::now();
        self.prepare()?;
        self.record()?;
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
