//! Records the forward pass of a graph onto a tape.

use super::entangled::Shared;
use super::fused::window;
use super::layer::Layer;
use super::reading::{readers, reads};
use super::together::{How, together};
use super::{Choices, Network, Pass};
use crate::autograd::{Tape, Var, ops};
use crate::graph::{Graph, Op, Ramp};
use crate::tensor::{Error, Tensor};

/// Added to variances by batch normalisation.
pub(super) const EPSILON: f32 = 1e-5;

impl Network {
    /// Records the forward pass for `x` (`[batch, channels, height, width]`); gives the graph's outputs
    /// in order, class scores as `[batch, classes]`. Only the first output is computed in evaluation:
    /// the others are there for training.
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` is not of the graph's input shape, or a choice point has no weights or no
    /// option taken; else as recording does.
    pub fn forward(&self, tape: &mut Tape, x: &Var, pass: &Pass<'_>) -> Result<Vec<Var>, Error> {
        let wanted = self.graph.shape(0);
        if x.shape().len() != 4 || x.shape()[1..] != [wanted.channels, wanted.height, wanted.width] {
            return Err(Error::shape("network", format!("takes images of {wanted}, got {:?}", x.shape())));
        }
        let mut run = Run { network: self, pass, dropped: 0, shared: None };
        let (graph, layers) = match &self.fused {
            Some(fused) if pass.mixes(x) && self.fits(fused, x.shape()[0]) => (&fused.graph, &fused.layers),
            _ => (&self.graph, &self.layers),
        };
        let outputs = run.graph(tape, graph, layers, std::slice::from_ref(x), None)?;
        outputs
            .into_iter()
            .map(|y| match *y.shape() {
                [batch, classes, 1, 1] => ops::reshape(tape, &y, &[batch, classes]),
                _ => Ok(y),
            })
            .collect()
    }

    /// Whether the device can bind what fused cells keep together for a batch.
    fn fits(&self, fused: &super::Fused, batch: usize) -> bool {
        let limit = self.device.limits().binding_bytes;
        fused.graph.nodes.iter().zip(&fused.layers).all(|(node, layer)| match (layer, &node.op) {
            (Layer::Cell(plan), Op::Fused(inner)) => {
                let candidate = inner.graph.nodes.iter().map(|n| n.shape).find(|s| s.height == node.shape.height);
                let bytes = candidate.map_or(0, |s| 4 * (s.count() * batch * plan.most_candidates()) as u64);
                bytes <= limit
            }
            _ => true,
        })
    }
}

pub(super) struct Run<'a> {
    pub(super) network: &'a Network,
    pub(super) pass: &'a Pass<'a>,
    /// Number of operations so far that draw random numbers: each does from its own stream.
    dropped: u32,
    /// How the convolutions of the group of options that is being computed share their kernels.
    pub(super) shared: Option<Shared>,
}

impl Run<'_> {
    /// Runs a graph; its last node's result goes to `destination` if that is given.
    pub(super) fn graph(
        &mut self,
        tape: &mut Tape,
        graph: &Graph,
        layers: &[Layer],
        inputs: &[Var],
        destination: Option<&Tensor>,
    ) -> Result<Vec<Var>, Error> {
        let outputs =
            if self.pass.training { &graph.outputs[..] } else { &graph.outputs[..graph.outputs.len().min(1)] };
        let path = match self.pass.choices {
            Choices::Path(path) => Some(path),
            _ => None,
        };
        let mut readers = readers(graph, outputs, path);
        let how = match self.network.fusion {
            true => together(graph, &mut readers, outputs, self.pass.training),
            false => vec![How::Alone; graph.nodes.len()],
        };
        let mut values: Vec<Option<Var>> = vec![None; graph.nodes.len()];
        let last = graph.outputs.first().map(|o| o.node);
        for index in 0..graph.nodes.len() {
            if readers[index] == 0 || how[index] == How::Later {
                continue;
            }
            let target = destination.filter(|_| last == Some(index));
            let (at, bounds) = match how[index] {
                How::With(norm, bounds) => (norm, Some(bounds)),
                _ => (index, None),
            };
            let (node, layer) = (&graph.nodes[at], &layers[at]);
            if !node.name.is_empty() {
                tape.set_scope(&node.name);
            }
            let mut reads = reads(graph, at, path);
            for input in &mut reads {
                if let How::As(first) = how[*input] {
                    *input = first;
                }
            }
            let read: Vec<Var> = reads.iter().filter_map(|&i| values[i].clone()).collect();
            let made = match (&node.op, layer) {
                (Op::Input, _) => self.identity(tape, &inputs[index], target)?,
                (Op::Choice(choice), layer) => self.choice(tape, choice, layer, &read, target)?,
                (Op::Fused(_), Layer::Cell(plan)) => {
                    let weights = match self.pass.choices {
                        Choices::Mixed(tables) => tables.get(&plan.table),
                        _ => None,
                    };
                    let missing = || {
                        let row = plan.fans.iter().flat_map(|fan| &fan.edges).map(|edge| edge.row).min().unwrap_or(0);
                        not_settled(&plan.table, row)
                    };
                    self.cell(tape, plan, &read, weights.ok_or_else(missing)?)?
                }
                (op, layer) => {
                    if let Some(target) = target {
                        tape.write_next_to(target.clone());
                    }
                    self.operation(tape, op, layer, &read, (target, bounds))?
                }
            };
            drop(read);
            let made = match target {
                Some(target) => place(tape, made, target)?,
                None => made,
            };
            values[index] = Some(made);
            // What nobody reads any more is dropped, so that its memory serves later nodes.
            for input in reads {
                readers[input] -= 1;
                if readers[input] == 0 {
                    values[input] = None;
                }
            }
        }
        outputs
            .iter()
            .map(|o| values[o.node].clone().ok_or_else(|| Error::shape("network", "an output was not computed")))
            .collect()
    }

    fn identity(&self, tape: &mut Tape, x: &Var, target: Option<&Tensor>) -> Result<Var, Error> {
        match target {
            Some(target) => {
                tape.write_next_to(target.clone());
                ops::scale(tape, x, 1.0)
            }
            None => Ok(x.clone()),
        }
    }

    fn operation(
        &mut self,
        tape: &mut Tape,
        op: &Op,
        layer: &Layer,
        inputs: &[Var],
        (target, bounds): (Option<&Tensor>, Option<[f32; 2]>),
    ) -> Result<Var, Error> {
        let Some(x) = inputs.first() else {
            return Err(Error::shape("network", format!("{} reads nothing", op.name())));
        };
        match op {
            Op::Identity => self.identity(tape, x, target),
            Op::Zero { stride } => zeros(tape, &strided("zero", x, *stride)?),
            Op::Noise { stride } => {
                let missing = || Error::shape("noise", "the network was not made for it");
                let randomness = self.noise().ok_or_else(missing)?;
                ops::noise(tape, &strided("noise", x, *stride)?, &randomness)
            }
            Op::Conv(conv) => {
                let (weight, bias) = self.weights(tape, layer)?;
                let weight = match &self.shared {
                    Some(shared) => shared.mixed(tape, conv, weight)?,
                    None => weight,
                };
                let args = ops::ConvArgs {
                    stride: conv.stride,
                    padding: [conv.padding.top, conv.padding.left, conv.padding.bottom, conv.padding.right],
                    dilation: conv.dilation,
                    groups: conv.groups,
                };
                match bounds {
                    Some(bounds) => ops::conv2d_within(tape, x, &weight, bias.as_ref(), args, bounds),
                    None => ops::conv2d(tape, x, &weight, bias.as_ref(), args),
                }
            }
            Op::BatchNorm { .. } => self.batch_norm(tape, x, layer, bounds),
            Op::Relu => ops::relu(tape, x),
            Op::TrainingRelu if self.pass.training => ops::relu(tape, x),
            Op::TrainingRelu => self.identity(tape, x, target),
            Op::Sigmoid => ops::sigmoid(tape, x),
            Op::Tanh => ops::tanh(tape, x),
            Op::Ramp(Ramp { slope, shift, low, high }) => {
                let (low, high) = (low.unwrap_or(f32::NEG_INFINITY), high.unwrap_or(f32::INFINITY));
                ops::ramp(tape, x, ops::Ramp { slope: *slope, shift: *shift, low, high })
            }
            Op::MaxPool(pool) => ops::max_pool(tape, x, window(pool)),
            Op::AvgPool(pool) => ops::avg_pool(tape, x, window(pool)),
            Op::GlobalAvgPool => ops::global_avg_pool(tape, x),
            Op::Linear { outputs, .. } => {
                let (weight, bias) = self.weights(tape, layer)?;
                let y = ops::linear(tape, x, &weight, bias.as_ref())?;
                ops::reshape(tape, &y, &[x.shape()[0], *outputs, 1, 1])
            }
            Op::Add => sum(tape, inputs),
            Op::Multiply => match inputs {
                [x, y] if x.shape() == y.shape() => ops::multiply(tape, x, y),
                [x, y] => ops::gate(tape, x, y),
                _ => Err(Error::shape("multiply", "takes two inputs")),
            },
            Op::Concat => ops::concat(tape, &inputs.iter().collect::<Vec<_>>()),
            Op::Channels { first, count } => ops::slice_channels(tape, x, *first, *count),
            Op::Shuffle { groups } => ops::shuffle_channels(tape, x, *groups),
            Op::ScheduledDropout => match (self.pass.drop_path, self.randomness()) {
                (Some(probability), Some(randomness)) => ops::scheduled_dropout(tape, x, probability, &randomness),
                _ => self.identity(tape, x, target),
            },
            Op::Dropout { probability } => match self.randomness() {
                Some(randomness) => ops::dropout(tape, x, *probability, &randomness),
                None => self.identity(tape, x, target),
            },
            Op::DropPath => match (self.pass.drop_path, self.randomness()) {
                (Some(probability), Some(randomness)) => ops::drop_path(tape, x, probability, &randomness),
                _ => self.identity(tape, x, target),
            },
            Op::Input | Op::Choice(_) | Op::Fused(_) => {
                Err(Error::shape("network", "inputs, choices and fused nodes are handled before"))
            }
        }
    }

    fn randomness(&mut self) -> Option<ops::Randomness> {
        let given = self.pass.randomness.filter(|_| self.pass.training)?;
        self.dropped += 1;
        Some(ops::Randomness { stream: given.stream + self.dropped, ..given.clone() })
    }

    /// Where noise comes from.
    fn noise(&mut self) -> Option<ops::Randomness> {
        let given = self.pass.noise.or(self.pass.randomness).or(self.network.noise())?;
        self.dropped += 1;
        Some(ops::Randomness { stream: given.stream + self.dropped, ..given.clone() })
    }

    fn weights(&self, tape: &mut Tape, layer: &Layer) -> Result<(Var, Option<Var>), Error> {
        let Layer::Weighted { weight, bias } = layer else {
            return Err(Error::shape("network", "a layer without weights"));
        };
        let parameters = &self.network.parameters;
        let weight = parameters.var(tape, *weight, self.pass.gradients)?;
        let bias = bias.map(|bias| parameters.var(tape, bias, self.pass.gradients)).transpose()?;
        Ok((weight, bias))
    }

    fn batch_norm(&self, tape: &mut Tape, x: &Var, layer: &Layer, bounds: Option<[f32; 2]>) -> Result<Var, Error> {
        let Layer::Norm { affine, statistics } = layer else {
            return Err(Error::shape("network", "a batch normalisation without statistics"));
        };
        let (parameters, all) = (&self.network.parameters, &self.network.statistics);
        let affine = match affine {
            Some([w, b]) => {
                let weight = parameters.var(tape, *w, self.pass.gradients)?;
                Some((weight, parameters.var(tape, *b, self.pass.gradients)?))
            }
            None => None,
        };
        let stored = if self.pass.training { all.moments_of(*statistics) } else { all.running_of(*statistics) };
        let statistics = if self.pass.training {
            ops::Statistics::Batch { moments: &stored }
        } else {
            ops::Statistics::Running { running: &stored }
        };
        let affine = affine.as_ref().map(|(w, b)| (w, b));
        ops::batch_norm(tape, x, ops::BatchNorm { affine, statistics, epsilon: EPSILON, bounds })
    }
}

/// That nobody has said what becomes of a choice point.
pub(super) fn not_settled(table: &str, row: usize) -> Error {
    Error::shape("network", format!("choice point `{table}`, row {row} is not settled"))
}

/// A node's value in the place where its reader looks for it. Most operations have written it there;
/// what others made (a layer that reshapes its result, a sum of one) is copied.
fn place(tape: &mut Tape, made: Var, target: &Tensor) -> Result<Var, Error> {
    let there = made.tensor().buffer().same(target.buffer()) && made.tensor().at() == target.at();
    if there && made.shape() == target.shape() {
        return Ok(made);
    }
    tape.write_next_to(target.clone());
    ops::scale(tape, &made, 1.0)
}

/// The shape of images of which every `stride`-th row and column is left.
fn strided(operation: &'static str, x: &Var, stride: usize) -> Result<[usize; 4], Error> {
    match *x.shape() {
        [batch, channels, height, width] => Ok([batch, channels, height.div_ceil(stride), width.div_ceil(stride)]),
        _ => Err(Error::shape(operation, format!("takes images, got {:?}", x.shape()))),
    }
}

/// A constant that is 0.
pub(super) fn zeros(tape: &mut Tape, shape: &[usize]) -> Result<Var, Error> {
    let y = tape.output(shape)?;
    tape.recorder().clear(y.buffer(), y.at() as usize, y.count())?;
    Ok(Var::constant(y))
}

/// Sum of one or more values, from the left.
fn sum(tape: &mut Tape, inputs: &[Var]) -> Result<Var, Error> {
    let Some((first, rest)) = inputs.split_first() else { return Err(Error::shape("add", "needs an input")) };
    let mut total = first.clone();
    for value in rest {
        total = ops::add(tape, &total, value)?;
    }
    Ok(total)
}
