//! What a trained network says of images.

use crate::autograd::{Tape, Var};
use crate::device::{Class, Device, Plan, Recording, Workspace};
use crate::graph::Graph;
use crate::network::{Network, Pass, fold};
use crate::nn::{Array, ExchangeError};
use crate::tensor::{Error, Tensor};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

/// A network that answers and does not learn: batch normalisations are part of the convolutions before them, nothing is kept for
/// gradients, and activations lie where those lay that nobody reads any more.
#[derive(Debug)]
pub struct Inference {
    network: Network,
    /// Of what may be run side by side.
    workspaces: Vec<Workspace>,
    /// Recordings by the size of their batch.
    made: BTreeMap<usize, Ready>,
}

/// Images that a thread takes at a time: of more it would not find the activations in its caches.
const TOGETHER: usize = 8;

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
        Ok(Self { network, workspaces: Vec::new(), made: BTreeMap::new() })
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
            let (most, threads) = (if device.is_gpu() { size } else { TOGETHER }, device.threads());
            let ready = self.record(size, most, threads)?;
            self.made.insert(size, ready);
        }
        Ok(&self.made[&size])
    }

    /// For a batch of `size` images, at most `most` at a time on each of so many threads.
    fn record(&mut self, size: usize, most: usize, threads: usize) -> Result<Ready, Error> {
        if size == 0 {
            return Err(Error::shape("inference", "no images"));
        }
        let device = self.network.device().clone();
        let shape = self.network.graph().shape(0);
        let x = Tensor::zeros(&device, &[size, shape.channels, shape.height, shape.width])?;
        // How many there are at a time is said by their number alone: what comes out does not depend on the threads.
        let pieces = size.div_ceil(most);
        let piece = size.div_ceil(pieces);
        let lane = pieces.div_ceil(pieces.min(threads)) * piece;
        self.workspaces.resize_with(size.div_ceil(lane).max(self.workspaces.len()), Workspace::default);
        let (mut logits, mut recording): (Option<Tensor>, Option<Recording>) = (None, None);
        for (first, workspace) in (0..size).step_by(lane).zip(&self.workspaces) {
            let mut tape = Tape::within(&device, workspace);
            let end = size.min(first + lane);
            for first in (first..end).step_by(piece) {
                self.record_piece(&mut tape, &x, first..end.min(first + piece), &mut logits)?;
            }
            let lane = tape.finish();
            recording = Some(match recording {
                Some(others) => others.beside(lane),
                None => lane,
            });
        }
        let nothing = || Error::shape("inference", "a batch of which nothing is computed");
        Ok(Ready { x, logits: logits.ok_or_else(nothing)?, recording: recording.ok_or_else(nothing)? })
    }

    /// Records what is said of some of the images, in their place of the logits.
    fn record_piece(
        &self,
        tape: &mut Tape,
        x: &Tensor,
        images: Range<usize>,
        logits: &mut Option<Tensor>,
    ) -> Result<(), Error> {
        let pixels = x.count() / x.shape()[0];
        let part = x.view(images.start * pixels, &[&[images.len()], &x.shape()[1..]].concat());
        let outputs = self.network.forward(tape, &Var::constant(part), &Pass::evaluation())?;
        let scores = outputs.first().ok_or_else(|| Error::shape("inference", "a network without output"))?.tensor();
        if images.len() == x.shape()[0] {
            *logits = Some(scores.clone());
            return Ok(());
        }
        let each = scores.count() / images.len();
        let to = match logits {
            Some(logits) => &*logits,
            None => logits.insert(Tensor::zeros(tape.device(), &[x.shape()[0], each])?),
        };
        let at = images.start * each;
        Ok(tape.recorder().copy(scores.buffer(), scores.at() as usize, to.buffer(), at, scores.count())?)
    }

    /// What is run for a batch of `size` images as plain data, and where in it the images go and the scores are: buffer and word.
    ///
    /// # Errors
    /// As [`Device::plan`]; out of memory.
    pub async fn plan(&mut self, size: usize, class: Class) -> Result<(Plan, [[usize; 2]; 2]), Error> {
        let device = self.network.device().clone();
        // As a whole, whatever the device would do: so another device takes it.
        let Ready { x, logits, recording } = &self.record(size, size, 1)?;
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
