//! One mixed edge.

use super::Workload;
use crate::autograd::{Tape, Var, ops};
use crate::device::{Device, Recording, Timing};
use crate::graph::Features;
use crate::network::{Choices, Network, Pass, architecture_weights};
use crate::random::Random;
use crate::search::SearchError;
use crate::space::SpaceError;
use crate::space::darts::Darts;
use crate::tensor::{Error, Tensor};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The mixed operation of one edge on random values: forward, and backward to its input, to all weights and
/// to the architecture weights.
#[derive(Debug)]
pub struct EdgeBench {
    network: Network,
    recording: Recording,
    alpha: Tensor,
}

impl EdgeBench {
    /// Prepares an edge of the given step in `space` for `batch` values of shape `input`.
    ///
    /// # Errors
    /// [`SearchError::Settings`] if the input does not suit the space; [`SearchError::Tensor`] if it does not
    /// fit the device.
    pub fn new(
        device: &Device,
        space: &Darts,
        input: Features,
        stride: usize,
        batch: usize,
        fusion: bool,
    ) -> Result<Self, SearchError> {
        let settings = |error: SpaceError| SearchError::Settings(error.to_string());
        let graph = space.mixed_edge(input, stride).map_err(settings)?;
        crate::cost::Cost::of(&graph, batch).map_err(|error| SearchError::Settings(error.to_string()))?;
        let tables = graph.tables()?;
        let output = graph.outputs.first().map_or(input, |o| graph.shape(o.node));
        let network = Network::with_fusion(device, graph, 0, fusion)?;
        let alphas = architecture_weights(device, &tables, 1e-3, 1)?;
        let noise = |shape: Features, stream: u64| {
            let mut random = Random::new(0, stream);
            let values: Vec<f32> = (0..batch * shape.count()).map(|_| random.range(-1.0, 1.0)).collect();
            Tensor::from_values(device, &values, &[batch, shape.channels, shape.height, shape.width])
        };

        let mut tape = Tape::new(device);
        let x = tape.leaf(noise(input, 1)?);
        let mut weights: HashMap<String, Var> = HashMap::new();
        for (index, table) in tables.iter().enumerate() {
            let alpha = alphas.var(&mut tape, index, true)?;
            weights.insert(table.name.clone(), ops::softmax(&mut tape, &alpha)?);
        }
        let pass = Pass { training: true, gradients: true, choices: Choices::Mixed(&weights), ..Pass::evaluation() };
        let y = network.forward(&mut tape, &x, &pass)?;
        drop(weights);
        let Some(y) = y.first() else { return Err(Error::shape("edge", "has no result").into()) };
        // Without a gradient of its own the result would be added up.
        let dy = noise(output, 2)?.reshape(y.shape())?;
        tape.backward(y, Some(dy))?;
        Ok(Self { network, recording: tape.finish(), alpha: alphas.gradients().clone() })
    }
}

impl Workload for EdgeBench {
    fn device(&self) -> &Device {
        self.network.device()
    }

    fn recordings(&self) -> Vec<&Recording> {
        vec![&self.recording]
    }

    fn parameters(&self) -> usize {
        self.network.parameters().values().count()
    }

    async fn step(&mut self) -> Result<Duration, SearchError> {
        let start = Instant::now();
        self.device().run(&self.recording)?;
        // The gradient of the architecture weights is what comes last.
        self.alpha.read(self.device()).await.map_err(Error::from)?;
        Ok(start.elapsed())
    }

    async fn profile(&mut self) -> Result<Vec<Timing>, SearchError> {
        Ok(self.device().profile(&self.recording).await.map_err(Error::from)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_gives_its_architecture_weights_a_gradient() {
        let input = Features::new(4, 6, 6);
        let mut dispatches = Vec::new();
        for fusion in [true, false] {
            for stride in [1, 2] {
                let mut bench = EdgeBench::new(&Device::cpu(), &Darts::default(), input, stride, 2, fusion).unwrap();
                assert!(pollster::block_on(bench.step()).unwrap() > Duration::ZERO);
                let gradient = pollster::block_on(bench.alpha.read(bench.device())).unwrap();
                assert!(gradient.iter().any(|&g| g != 0.0) && bench.parameters() > 0, "{gradient:?}");
                let timings = pollster::block_on(bench.profile()).unwrap();
                assert_eq!(timings.iter().map(|t| t.flops).sum::<u64>(), bench.flops());
                dispatches.push(bench.dispatches());
            }
        }
        assert!(dispatches[0] < dispatches[2] && dispatches[1] < dispatches[3], "{dispatches:?}");
    }
}
