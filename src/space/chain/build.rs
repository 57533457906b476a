//! Builds the graph of a chain: the supernet, or one architecture.

use super::{Chain, Layer, Operation, Width, operation_decision, table_name, width_decision};
use crate::graph::{Candidate, Choice, Conv, Graph, NodeId, Op, Options, Pool};
use crate::space::{Architecture, NetworkSettings, SpaceError};

/// The network in which all options are open (`None`), or that of an architecture, which must be
/// one of the chain's.
pub(super) fn network(
    chain: &Chain,
    architecture: Option<&Architecture>,
    settings: &NetworkSettings,
) -> Result<Graph, SpaceError> {
    settings.check()?;
    let mut answers = architecture.map(|a| a.answers.iter());
    let mut graph = Graph::new(&[settings.image]);
    let mut x = 0;
    // Whether the number of channels so far is the same in all architectures.
    let mut fixed = true;
    let mut flat = false;
    for (i, layer) in chain.layers().iter().enumerate() {
        let operations = narrow(layer.operations(), &mut answers);
        let widths = resolve(narrow(layer.widths(), &mut answers), settings.channels, i)?;
        let widest = widths.iter().copied().max().unwrap_or(0);
        match layer {
            Layer::Halve => {
                let map = graph.shape(x);
                if map.height.min(map.width) >= 2 {
                    let pool = Pool { kernel: 2, stride: 2, padding: 0, count_padding: false };
                    x = graph.push(format!("layers.{i}.pool"), Op::MaxPool(pool), &[x])?;
                }
                continue;
            }
            Layer::Linear { .. } => {
                flat = true;
                x = graph.push(format!("layers.{i}.linear"), Op::Linear { outputs: widest, bias: true }, &[x])?;
            }
            Layer::Features { stride, .. } => {
                // Decided from the description alone, so that an operation has the same parameters
                // in the supernet and in every architecture.
                let keeps = fixed && layer.widths().len() == 1 && graph.shape(x).channels == widest;
                let block = Block { layer: i, outputs: widest, stride: *stride, keeps };
                x = block.append_any(&mut graph, x, operations)?;
            }
        }
        fixed = layer.widths().len() == 1;
        x = graph.push(format!("layers.{i}.relu"), Op::Relu, &[x])?;
        if widths.len() > 1 {
            let table = table_name(&width_decision(i));
            let choice = Choice { table, row: 0, options: Options::Widths(widths) };
            x = graph.push(format!("layers.{i}.width"), Op::Choice(choice), &[x])?;
        }
    }
    if !flat {
        x = graph.push("global_pooling", Op::GlobalAvgPool, &[x])?;
    }
    let logits = graph.push("classifier", Op::Linear { outputs: settings.classes, bias: true }, &[x])?;
    graph.output("logits", logits);
    Ok(graph)
}

/// The options left: the answered one, or all.
fn narrow<'a, T>(options: &'a [T], answers: &mut Option<std::slice::Iter<'_, usize>>) -> &'a [T] {
    match answers {
        Some(answers) if options.len() > 1 => {
            answers.next().and_then(|&answer| options.get(answer..=answer)).unwrap_or(options)
        }
        _ => options,
    }
}

fn resolve(widths: &[Width], channels: usize, layer: usize) -> Result<Vec<usize>, SpaceError> {
    let resolved: Vec<usize> = widths.iter().map(|w| w.resolve(channels)).collect();
    if super::has_twice(&resolved) {
        let problem = format!("two of its widths are the same for {channels} channels: {resolved:?}");
        return Err(SpaceError::setting("layer", layer, problem));
    }
    Ok(resolved)
}

/// A layer on maps, once its width is known.
struct Block {
    layer: usize,
    outputs: usize,
    stride: usize,
    /// Whether pools and skips need no convolution to give the right number of channels.
    keeps: bool,
}

impl Block {
    /// The only operation, or a choice among several.
    fn append_any(&self, graph: &mut Graph, x: NodeId, operations: &[Operation]) -> Result<NodeId, SpaceError> {
        if let [only] = operations {
            return self.append(graph, x, *only, true);
        }
        let mut candidates = Vec::with_capacity(operations.len());
        for &operation in operations {
            let mut inner = Graph::new(&[graph.shape(x)]);
            // Without affine parameters, which would trade off against the architecture weights.
            let result = self.append(&mut inner, 0, operation, false)?;
            inner.output("", result);
            candidates.push(Candidate { label: operation.to_string(), graph: inner });
        }
        let table = table_name(&operation_decision(self.layer));
        let choice = Choice { table, row: 0, options: Options::Operations(candidates) };
        Ok(graph.push(format!("layers.{}.operation", self.layer), Op::Choice(choice), &[x])?)
    }

    fn append(&self, graph: &mut Graph, x: NodeId, operation: Operation, affine: bool) -> Result<NodeId, SpaceError> {
        let name = format!("layers.{}.{operation}", self.layer);
        let channels = graph.shape(x).channels;
        let pool = |kernel| Pool { kernel, stride: self.stride, padding: kernel / 2, count_padding: false };
        let last = match operation {
            Operation::Conv(kernel) => {
                let conv = Conv::square(channels, self.outputs, kernel, self.stride);
                graph.push(format!("{name}.conv"), Op::Conv(conv), &[x])?
            }
            Operation::SeparableConv(kernel) => {
                let depthwise = Conv::depthwise(channels, kernel, self.stride, 1);
                let depthwise = graph.push(format!("{name}.depthwise"), Op::Conv(depthwise), &[x])?;
                self.project(graph, &name, "pointwise", depthwise, 1)?
            }
            Operation::MaxPool(kernel) => graph.push(format!("{name}.pool"), Op::MaxPool(pool(kernel)), &[x])?,
            Operation::AvgPool(kernel) => graph.push(format!("{name}.pool"), Op::AvgPool(pool(kernel)), &[x])?,
            Operation::Skip if self.keeps && self.stride == 1 => {
                return Ok(graph.push(format!("{name}.identity"), Op::Identity, &[x])?);
            }
            Operation::Skip => self.project(graph, &name, "projection", x, self.stride)?,
        };
        let is_pool = operation.keeps_channels() && operation != Operation::Skip;
        let last = match is_pool {
            true if !self.keeps => self.project(graph, &name, "projection", last, 1)?,
            // Trained alone, a bare pool is not normalised: it has nothing to compete with.
            true if affine => return Ok(last),
            _ => last,
        };
        Ok(graph.push(format!("{name}.bn"), Op::BatchNorm { affine }, &[last])?)
    }

    fn project(
        &self,
        graph: &mut Graph,
        name: &str,
        part: &str,
        x: NodeId,
        stride: usize,
    ) -> Result<NodeId, SpaceError> {
        let conv = Conv::square(graph.shape(x).channels, self.outputs, 1, stride);
        Ok(graph.push(format!("{name}.{part}"), Op::Conv(conv), &[x])?)
    }
}
