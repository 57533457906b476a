//! What one network says of a batch.

use super::Workload;
use crate::device::{Device, Recording, Timing};
use crate::estimate::{EstimateError, Inference};
use crate::graph::Graph;
use crate::network::Network;
use crate::random::Random;
use crate::search::SearchError;
use std::time::{Duration, Instant};

/// A network with initial weights that answers random images, always the same batch.
#[derive(Debug)]
pub struct InferenceBench {
    device: Device,
    inference: Inference,
    parameters: usize,
    batch: usize,
    values: Vec<f32>,
}

impl InferenceBench {
    /// Prepares the network `graph` for `batch` images a turn.
    ///
    /// # Errors
    /// [`SearchError::Tensor`] if it does not fit the device.
    pub async fn new(device: &Device, graph: Graph, batch: usize, seed: u64) -> Result<Self, SearchError> {
        crate::cost::Cost::of(&graph, batch).map_err(|error| SearchError::Settings(error.to_string()))?;
        let wrong = |error: crate::nn::ExchangeError| EstimateError::Settings(error.to_string());
        let network = Network::new(device, graph.main(), seed)?;
        let arrays = network.state().await.map_err(wrong)?;
        let parameters = network.parameters().values().count();
        drop(network);
        let mut inference = Inference::new(device, &graph, &arrays).map_err(wrong)?;
        let mut random = Random::new(seed, 1);
        let values = (0..batch * graph.shape(0).count()).map(|_| random.normal()).collect();
        inference.recording(batch)?;
        Ok(Self { device: device.clone(), inference, parameters, batch, values })
    }
}

impl Workload for InferenceBench {
    fn device(&self) -> &Device {
        &self.device
    }

    fn recordings(&self) -> Vec<&Recording> {
        self.inference.made(self.batch).into_iter().collect()
    }

    fn parameters(&self) -> usize {
        self.parameters
    }

    async fn step(&mut self) -> Result<Duration, SearchError> {
        let start = Instant::now();
        self.inference.logits(self.batch, &self.values).await?;
        Ok(start.elapsed())
    }

    async fn profile(&mut self) -> Result<Vec<Timing>, SearchError> {
        let recording = self.inference.recording(self.batch)?;
        Ok(self.device.profile(recording).await.map_err(crate::tensor::Error::from)?)
    }
}
