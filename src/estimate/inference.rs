//! What a trained network says of images.

use crate::autograd::{Tape, Var};
use crate::device::{Class, Device, Plan, Recording, Workspace};
use crate::graph::Graph;
use crate::network::{Network, Pass, fold};
use crate::nn::{Array, ExchangeError};
use crate::tensor::{Error, Tensor};
use std::collections::{BTreeMap, HashSet};

/// A network that answers and does not learn: batch normalisations are part of the convolutions before them, nothing is kept for
/// gradients, and activations lie where those lay that nobody reads any more.
#[derive(Debug)]
pub struct Inference {
    network: Network,
    workspace: Workspace,
    /// Recordings by the size of their batch.
    made: BTreeMap<usize, Ready>,
}

/// Images that the CPU takes at a time: of more it would not find the activations in its caches.
const TOGETHER: usize = 16;

#[derive(Debug)]
struct Ready {
    x: Tensor,
    logits: Tensor,
    recording: Recording,
}

impl Inference {
    /// A graph without choice points with what it has learned, by the names of [`Network::state`]. What only other outputs than
    /// the first read is left out.
    ///
    /// # Errors
    /// [`ExchangeError`] for arrays of another network; out of memory.
    pub fn new(device: &Device, graph: &Graph, arrays: &BTreeMap<String, Array>) -> Result<Self, ExchangeError> {
        let (graph, mut arrays) = fold(&graph.main(), arrays)?;
        let layers: HashSet<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
        arrays.retain(|name, _| layers.contains(name.rsplit_once('.').map_or("", |(layer, _)| layer)));
        let network = Network::fixed(device, graph, &arrays)?;
        Ok(Self { network, workspace: Workspace::default(), made: BTreeMap::new() })
    }

    /// The device it runs on.
    pub fn device(&self) -> &Device {
        self.network.device()
    }

    /// What is run for a batch of `size` images.
    ///
    /// # Errors
    /// As recording does.
    pub fn recording(&mut self, size: usize) -> Result<&Recording, Error> {
        Ok(&self.ready(size)?.recording)
    }

    /// What has been recorded for a batch of `size` images, if it has.
    pub fn made(&self, size: usize) -> Option<&Recording> {
        self.made.get(&size).map(|ready| &ready.recording)
    }

    fn ready(&mut self, size: usize) -> Result<&Ready, Error> {
        if !self.made.contains_key(&size) {
            let device = self.network.device();
            let shape = self.network.graph().shape(0);
            let x = Tensor::zeros(device, &[size, shape.channels, shape.height, shape.width])?;
            let mut tape = Tape::within(device, &self.workspace);
            let most = if device.is_gpu() { size } else { TOGETHER };
            let logits = match size.div_ceil(most.max(1)) {
                0 | 1 => self.scores(&mut tape, &x)?,
                pieces => self.scores_of_pieces(&mut tape, &x, size.div_ceil(pieces))?,
            };
            self.made.insert(size, Ready { x, logits, recording: tape.finish() });
        }
        Ok(&self.made[&size])
    }

    /// Records what is said of images.
    fn scores(&self, tape: &mut Tape, x: &Tensor) -> Result<Tensor, Error> {
        let outputs = self.network.forward(tape, &Var::constant(x.clone()), &Pass::evaluation())?;
        let logits = outputs.into_iter().next();
        Ok(logits.ok_or_else(|| Error::shape("inference", "a network without output"))?.tensor().clone())
    }

    /// The same, so many images at a time.
    fn scores_of_pieces(&self, tape: &mut Tape, x: &Tensor, most: usize) -> Result<Tensor, Error> {
        let (size, pixels) = (x.shape()[0], x.count() / x.shape()[0]);
        let mut all: Option<Tensor> = None;
        for first in (0..size).step_by(most) {
            let images = most.min(size - first);
            let part = x.view(first * pixels, &[&[images], &x.shape()[1..]].concat());
            let scores = self.scores(tape, &part)?;
            let each = scores.count() / images;
            let to = match all.take() {
                Some(all) => all,
                None => Tensor::zeros(tape.device(), &[size, each])?,
            };
            let at = first * each;
            tape.recorder().copy(scores.buffer(), scores.at() as usize, to.buffer(), at, scores.count())?;
            all = Some(to);
        }
        all.ok_or_else(|| Error::shape("inference", "no images"))
    }

    /// What is run for a batch of `size` images as plain data, and where in it the images go and the scores are: buffer and word.
    ///
    /// # Errors
    /// As [`Device::plan`]; out of memory.
    pub async fn plan(&mut self, size: usize, class: Class) -> Result<(Plan, [[usize; 2]; 2]), Error> {
        let device = self.network.device().clone();
        let Ready { x, logits, recording } = self.ready(size)?;
        let plan = device.plan(recording, class).await?;
        let place = |tensor: &Tensor| plan.find(tensor.buffer()).map(|buffer| [buffer, tensor.at() as usize]);
        match (place(x), place(logits)) {
            (Some(x), Some(logits)) => Ok((plan, [x, logits])),
            _ => Err(Error::shape("inference", "a network that does not look at its input")),
        }
    }

    /// Scores of the classes, image by image, for so many normalised images (`[images, channels, rows, columns]`).
    ///
    /// # Errors
    /// [`Error::Shape`] if the values are not those of so many images; an error of the device.
    pub async fn logits(&mut self, images: usize, values: &[f32]) -> Result<Vec<f32>, Error> {
        let wanted = images * self.network.graph().shape(0).count();
        if values.len() != wanted || images == 0 {
            let problem = format!("{images} images have {wanted} values, not {}", values.len());
            return Err(Error::shape("inference", problem));
        }
        let device = self.network.device().clone();
        let Ready { x, logits, recording } = self.ready(images)?;
        x.write(&device, values)?;
        device.run(recording)?;
        Ok(logits.read(&device).await?)
    }
}
