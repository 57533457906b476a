//! Turns a [`Graph`] into something that runs: as a plain network, or as a supernet whose choice
//! points are mixed by weights or settled by a path.

mod build;
mod forward;
mod state;

pub use forward::{Choices, Pass, Path};

use crate::device::Device;
use crate::graph::{Graph, Table};
use crate::nn::{Init, Parameters, Spec, Statistics};
use crate::tensor::Error;

/// A graph with parameters on a device.
#[derive(Debug)]
pub struct Network {
    device: Device,
    graph: Graph,
    layers: Vec<build::Layer>,
    parameters: Parameters,
    statistics: Statistics,
}

impl Network {
    /// Makes the network of `graph` with initial weights drawn from `seed`: uniform within
    /// 1/√fan-in for convolutions and linear layers (PyTorch's default), 1 and 0 for batch
    /// normalisation.
    ///
    /// # Errors
    /// [`crate::device::Error::OutOfMemory`] or [`crate::device::Error::Limit`].
    pub fn new(device: &Device, graph: Graph, seed: u64) -> Result<Self, Error> {
        let mut builder = build::Builder::default();
        let layers = builder.layers(&graph);
        let parameters = Parameters::new(device, &builder.specs, seed)?;
        let statistics = Statistics::new(device, &builder.norms)?;
        Ok(Self { device: device.clone(), graph, layers, parameters, statistics })
    }

    /// The device it lives on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The graph it runs.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Its learned parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Its running statistics.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Its running statistics, to count batches.
    pub fn statistics_mut(&mut self) -> &mut Statistics {
        &mut self.statistics
    }
}

/// Architecture weights for the tables of a supernet: one parameter a table, `[rows, options]`,
/// drawn from `deviation` · N(0, 1) (DARTS: 1e-3).
///
/// # Errors
/// [`crate::device::Error::OutOfMemory`].
pub fn architecture_weights(device: &Device, tables: &[Table], deviation: f32, seed: u64) -> Result<Parameters, Error> {
    let spec =
        |t: &Table| Spec { name: t.name.clone(), shape: vec![t.rows, t.options.len()], init: Init::Normal(deviation) };
    Parameters::new(device, &tables.iter().map(spec).collect::<Vec<_>>(), seed)
}

#[cfg(test)]
mod tests;
