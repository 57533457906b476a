//! A training step of one network.

use super::Workload;
use crate::data::{Augmentation, Images, Resident};
use crate::device::{Device, Recording, Timing};
use crate::estimate::{Training, TrainingConfig};
use crate::graph::Graph;
use crate::random::Random;
use crate::search::SearchError;
use std::time::{Duration, Instant};

/// A network in training on random images, always the same batch.
#[derive(Debug)]
pub struct TrainingBench {
    device: Device,
    training: Training,
}

impl TrainingBench {
    /// Prepares the training of the network `graph` on `batch` images a step: gradient, clipping, SGD with
    /// momentum; no dropped paths, no variation of the images.
    ///
    /// # Errors
    /// [`SearchError::Data`] if there are too many images; [`SearchError::Tensor`] if it does not fit the device.
    pub fn new(device: &Device, graph: Graph, batch: usize, seed: u64, fusion: bool) -> Result<Self, SearchError> {
        crate::cost::Cost::of(&graph, batch).map_err(|error| SearchError::Settings(error.to_string()))?;
        let image = graph.shape(0);
        let classes = graph.outputs.first().map_or(1, |logits| graph.shape(logits.node).channels).max(1);
        let mut random = Random::new(seed, 1);
        let pixels = (0..batch * image.count()).map(|_| random.below(256) as u8).collect();
        let labels = (0..batch).map(|_| random.below(classes) as u32).collect();
        let names = (0..classes).map(|c| c.to_string()).collect();
        let images = Images::new([image.channels, image.height, image.width], pixels, labels, names)?;
        let normal = vec![0.5; image.channels];
        let data = Resident::new(device, &images, &normal, &normal)?;
        let config = TrainingConfig {
            epochs: u32::MAX,
            batch,
            augmentation: Augmentation::default(),
            drop_path: 0.0,
            fusion,
            ..TrainingConfig::default()
        };
        let training = Training::new(device, graph, &data, (0..batch as u32).collect(), config, seed)?;
        Ok(Self { device: device.clone(), training })
    }
}

impl Workload for TrainingBench {
    fn device(&self) -> &Device {
        &self.device
    }

    fn recordings(&self) -> Vec<&Recording> {
        vec![self.training.recording()]
    }

    fn parameters(&self) -> usize {
        self.training.network().parameters().values().count()
    }

    async fn step(&mut self) -> Result<Duration, SearchError> {
        let start = Instant::now();
        self.training.advance().await?;
        Ok(start.elapsed())
    }

    async fn profile(&mut self) -> Result<Vec<Timing>, SearchError> {
        Ok(self.device.profile(self.training.recording()).await.map_err(crate::tensor::Error::from)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Features;
    use crate::space::{NetworkSettings, Space, chain::Chain};

    #[test]
    fn a_step_trains() {
        let settings = NetworkSettings { image: Features::new(1, 8, 8), classes: 4, ..NetworkSettings::default() };
        let graph = Chain::mlp(1, &[8]).unwrap().supernet(&settings).unwrap();
        let mut bench = TrainingBench::new(&Device::cpu(), graph, 4, 1, true).unwrap();
        let read = |b: &TrainingBench| pollster::block_on(b.training.network().parameters().read(&b.device)).unwrap();
        let before = read(&bench);
        assert!(pollster::block_on(bench.step()).unwrap() > Duration::ZERO);
        assert_ne!(before, read(&bench));
        let timings = pollster::block_on(bench.profile()).unwrap();
        assert!(timings.len() >= bench.dispatches() && bench.flops() > 0);
    }
}
