//! Turns a [`Graph`] into something that runs: as a plain network, or as a supernet whose choice
//! points are mixed by weights or settled by a path.

mod build;
mod cell;
mod choice;
mod entangled;
mod fold;
mod footprint;
mod forward;
mod fused;
mod layer;
mod pass;
mod reading;
mod settled;
mod state;
mod together;

pub use fold::fold;
pub use footprint::Footprint;
pub use pass::{Choices, NOTHING, Pass, Path};
pub use settled::{part, settled};

use crate::autograd::ops::Randomness;
use crate::device::Device;
use crate::graph::fuse::MixedCell;
use crate::graph::{Graph, Op, Table};
use crate::nn::{Array, ExchangeError, Init, Parameters, Spec, Statistics};
use crate::tensor::{Error, Tensor};
use layer::Layer;
use std::collections::BTreeMap;

/// A graph with parameters on a device.
///
/// ```
/// use cellwright::autograd::{Tape, Var};
/// use cellwright::device::Device;
/// use cellwright::network::{Network, Pass};
/// use cellwright::space::{self, NetworkSettings, Space as _};
/// use cellwright::tensor::Tensor;
///
/// let device = Device::cpu();
/// let space = space::find("nas-bench-201")?;
/// let settings = NetworkSettings { channels: 2, layers: 3, ..NetworkSettings::default() };
/// let network = Network::new(&device, space.decode_text("#1459", &settings)?, 7)?;
/// let mut tape = Tape::new(&device);
/// let images = Var::constant(Tensor::zeros(&device, &[4, 3, 32, 32])?);
/// let scores = network.forward(&mut tape, &images, &Pass::evaluation())?;
/// device.run(&tape.finish())?;
/// assert_eq!(scores[0].shape(), [4, 10]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Network {
    device: Device,
    graph: Graph,
    layers: Vec<Layer>,
    fused: Option<Fused>,
    /// Whether operations are recorded together where that is known to be faster.
    fusion: bool,
    parameters: Parameters,
    statistics: Statistics,
    noise: Option<Randomness>,
}

/// The same network with fused nodes.
#[derive(Debug)]
struct Fused {
    graph: Graph,
    layers: Vec<Layer>,
}

impl Network {
    /// Makes the network of `graph` with initial weights drawn from `seed`: uniform within
    /// 1/√fan-in for convolutions and linear layers (PyTorch's default), 1 and 0 for batch
    /// normalisation.
    ///
    /// # Errors
    /// [`crate::device::Error::OutOfMemory`] or [`crate::device::Error::Limit`].
    pub fn new(device: &Device, graph: Graph, seed: u64) -> Result<Self, Error> {
        Self::with_fusion(device, graph, seed, true)
    }

    /// As [`Network::new`]; `fusion` says whether patterns of operations that are known to be faster
    /// together are recorded so.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn with_fusion(device: &Device, graph: Graph, seed: u64, fusion: bool) -> Result<Self, Error> {
        let mut builder = build::Builder::default();
        let layers = builder.layers(&graph);
        let mut places = fused::Places::default();
        let fused = if fusion { fuse(&graph, &layers, &builder, &mut places) } else { None };
        let parameters = Parameters::new(device, &builder.specs, &places.parameters, seed)?;
        let statistics = Statistics::new(device, &builder.norms, &places.norms)?;
        let noise = noise(device, &graph, seed)?;
        Ok(Self { device: device.clone(), graph, layers, fused, fusion, parameters, statistics, noise })
    }

    /// A network that is not trained: with given arrays, as [`Network::load`] takes them, and without room for gradients.
    ///
    /// # Errors
    /// As [`Network::new`] and [`Network::load`].
    pub fn fixed(device: &Device, graph: Graph, arrays: &BTreeMap<String, Array>) -> Result<Self, ExchangeError> {
        let mut builder = build::Builder::default();
        let layers = builder.layers(&graph);
        let parameters = Parameters::fixed(device, &builder.specs)?;
        let statistics = Statistics::new(device, &builder.norms, &[])?;
        let noise = noise(device, &graph, 0)?;
        let device = device.clone();
        let mut network = Self { device, graph, layers, fused: None, fusion: true, parameters, statistics, noise };
        network.load(arrays)?;
        Ok(network)
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

    /// What the noise of passes that bring no randomness is drawn from, if there is noise: its seed and, unless
    /// [`Network::draw_noise_by`] says otherwise, step 0.
    pub fn noise(&self) -> Option<&Randomness> {
        self.noise.as_ref()
    }

    /// From now on the noise of passes that bring no randomness is that of the step whose number lies at `counter` of
    /// `words`.
    pub fn draw_noise_by(&mut self, words: &Tensor, counter: u32) {
        if let Some(noise) = &mut self.noise {
            *noise = Randomness { step: words.clone(), counter, ..*noise };
        }
    }

    /// Its running statistics, to count batches.
    pub fn statistics_mut(&mut self) -> &mut Statistics {
        &mut self.statistics
    }
}

/// What noise is drawn from, if a graph has any.
fn noise(device: &Device, graph: &Graph, seed: u64) -> Result<Option<Randomness>, Error> {
    if !draws_noise(graph) {
        return Ok(None);
    }
    Ok(Some(Randomness { seed, stream: 0, step: Tensor::zeros(device, &[1])?, counter: 0 }))
}

/// Whether a graph, or one within it, has noise.
fn draws_noise(graph: &Graph) -> bool {
    let draws = |op: &Op| matches!(op, Op::Noise { .. }) || op.inner().iter().any(|(_, inner)| draws_noise(inner));
    graph.nodes.iter().any(|node| draws(&node.op))
}

/// Fuses a graph and plans its fused nodes; none if there is nothing to fuse.
fn fuse(graph: &Graph, layers: &[Layer], builder: &build::Builder, places: &mut fused::Places) -> Option<Fused> {
    let names = fused::Names::new(&builder.specs, &builder.norms);
    let (graph, origins) = graph.fuse();
    let mut planned = Vec::with_capacity(origins.len());
    for (node, &origin) in graph.nodes.iter().zip(&origins) {
        planned.push(match &node.op {
            Op::Fused(fused) => {
                let cell = MixedCell::of(&fused.graph)?;
                Layer::Cell(Box::new(layer::CellPlan::new(&cell, &names, places)?))
            }
            _ => layers[origin].clone(),
        });
    }
    let any = planned.iter().any(|layer| matches!(layer, Layer::Cell(_)));
    any.then_some(Fused { graph, layers: planned })
}

/// Architecture weights for the tables of a supernet: one parameter a table, `[rows, options]`,
/// drawn from `deviation` · N(0, 1) (DARTS: 1e-3).
///
/// # Errors
/// [`crate::device::Error::OutOfMemory`].
pub fn architecture_weights(device: &Device, tables: &[Table], deviation: f32, seed: u64) -> Result<Parameters, Error> {
    let spec =
        |t: &Table| Spec { name: t.name.clone(), shape: vec![t.rows, t.options.len()], init: Init::Normal(deviation) };
    Parameters::new(device, &tables.iter().map(spec).collect::<Vec<_>>(), &[], seed)
}

#[cfg(test)]
mod tests;
