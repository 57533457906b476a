//! Builds the graph of a space of stages: the supernet, or one architecture.

use super::plan::{StagePlan, depth_decision, operation_decision, width_decision};
use super::{Operation, Stages};
use crate::graph::{Candidate, Choice, Conv, Graph, NodeId, Op, Options};
use crate::space::chain::{self, Block, Width, has_twice, table_name};
use crate::space::{Architecture, NetworkSettings, SpaceError};

/// What a row about depth chooses between.
pub(super) const DEPTH_LABELS: [&str; 2] = ["stop", "deeper"];
/// Index of ending the stage.
pub(super) const STOP: usize = 0;
/// Index of taking more blocks.
pub(super) const DEEPER: usize = 1;

/// How many channels a map may have, and the table that decides where there are several.
struct Channels {
    table: Option<String>,
    widths: Vec<usize>,
}

impl Channels {
    fn new(options: &[Width], stage: usize, settings: &NetworkSettings) -> Result<Self, SpaceError> {
        let widths: Vec<usize> = options.iter().map(|width| width.resolve(settings.channels)).collect();
        if has_twice(&widths) {
            let problem = format!("two of its widths are the same for {} channels: {widths:?}", settings.channels);
            return Err(SpaceError::setting("stage", stage, problem));
        }
        let table = (widths.len() > 1).then(|| table_name(&width_decision(stage)));
        Ok(Self { table, widths })
    }

    fn widest(&self) -> usize {
        self.widths.iter().copied().max().unwrap_or(0)
    }

    /// Masks a map of `factor` times these channels, if their number is open.
    fn mask(&self, graph: &mut Graph, name: &str, x: NodeId, factor: usize) -> Result<NodeId, SpaceError> {
        let Some(table) = &self.table else { return Ok(x) };
        let widths = self.widths.iter().map(|width| width.saturating_mul(factor)).collect();
        let choice = Choice::new(table.clone(), 0, Options::Widths(widths));
        Ok(graph.push(format!("{name}.width"), Op::Choice(choice), &[x])?)
    }
}

/// The network in which all options are open (`None`), or that of an architecture, which must be one of
/// the space.
pub(super) fn network(
    space: &Stages,
    architecture: Option<&Architecture>,
    settings: &NetworkSettings,
) -> Result<Graph, SpaceError> {
    settings.check_plain(&space.name)?;
    let plans = architecture.map_or_else(|| space.open(), |a| space.closed(a));
    let mut graph = Graph::new(&[settings.image]);
    let stem = &space.stem;
    let mut given = Channels { table: None, widths: vec![stem.channels.resolve(settings.channels)] };
    let conv = Conv::square(settings.image.channels, given.widest(), stem.kernel, stem.stride);
    let mut x = norm_relu(&mut graph, "stem", conv, 0, true)?;
    let mut before = std::slice::from_ref(&stem.channels);
    for (number, (stage, plan)) in space.stages.iter().zip(&plans).enumerate() {
        let channels = Channels::new(&plan.channels, number, settings)?;
        let keeps_first = stage.keeps_channels(before);
        let drop_path = settings.drop_path && architecture.is_some();
        let build =
            Build { number, plan, given: &given, channels: &channels, stride: stage.stride, keeps_first, drop_path };
        x = build.blocks(&mut graph, x, 0, false)?;
        (given, before) = (channels, &stage.channels);
    }
    if let Some(head) = space.head {
        let conv = Conv::square(graph.shape(x).channels, head.resolve(settings.channels), 1, 1);
        x = norm_relu(&mut graph, "head", conv, x, true)?;
    }
    x = graph.push("global_pooling", Op::GlobalAvgPool, &[x])?;
    let logits = graph.push("classifier", Op::Linear { outputs: settings.classes, bias: true }, &[x])?;
    graph.output("logits", logits);
    Ok(graph)
}

/// A convolution, batch norm and ReLU.
fn norm_relu(graph: &mut Graph, name: &str, conv: Conv, x: NodeId, affine: bool) -> Result<NodeId, SpaceError> {
    let conv = graph.push(format!("{name}.conv"), Op::Conv(conv), &[x])?;
    let norm = graph.push(format!("{name}.bn"), Op::BatchNorm { affine }, &[conv])?;
    Ok(graph.push(format!("{name}.relu"), Op::Relu, &[norm])?)
}

/// A stage in the making.
struct Build<'a> {
    number: usize,
    plan: &'a StagePlan,
    /// Channels of what the stage reads.
    given: &'a Channels,
    channels: &'a Channels,
    stride: usize,
    /// Whether the first block gives the channels it reads, whatever is chosen.
    keeps_first: bool,
    drop_path: bool,
}

impl Build<'_> {
    /// The blocks behind the `level`-th depth up to the next, then the choice of going deeper still.
    fn blocks(&self, graph: &mut Graph, mut x: NodeId, level: usize, inside: bool) -> Result<NodeId, SpaceError> {
        let first = level.checked_sub(1).map_or(0, |before| self.plan.depths[before]);
        for block in first..self.plan.depths[level] {
            x = self.block(graph, x, block, inside)?;
        }
        if level + 1 == self.plan.depths.len() {
            return Ok(x);
        }
        let shape = graph.shape(x);
        let mut stop = Graph::new(&[shape]);
        let same = stop.push("", Op::Identity, &[0])?;
        stop.output("", same);
        let mut deeper = Graph::new(&[shape]);
        let result = self.blocks(&mut deeper, 0, level + 1, true)?;
        deeper.output("", result);
        let candidates = DEPTH_LABELS.iter().zip([stop, deeper]);
        let candidates = candidates.map(|(label, graph)| Candidate { label: (*label).to_owned(), graph }).collect();
        let table = table_name(&depth_decision(self.number));
        let choice = Choice::new(table, level, Options::Operations(candidates));
        Ok(graph.push(format!("stages.{}.depth.{level}", self.number), Op::Choice(choice), &[x])?)
    }

    /// The only operation of a block, or a choice among several. `inside` says whether the block is itself
    /// part of a choice: what competes is not affine, which would trade off against the architecture weights.
    fn block(&self, graph: &mut Graph, x: NodeId, block: usize, inside: bool) -> Result<NodeId, SpaceError> {
        let operations = &self.plan.blocks[block];
        if let [only] = operations[..] {
            return self.operation(graph, x, block, only, !inside);
        }
        let mut candidates = Vec::with_capacity(operations.len());
        for &operation in operations {
            let mut inner = Graph::new(&[graph.shape(x)]);
            let result = self.operation(&mut inner, 0, block, operation, false)?;
            inner.output("", result);
            candidates.push(Candidate { label: operation.to_string(), graph: inner });
        }
        let table = table_name(&operation_decision(self.number, block));
        let choice = Choice::new(table, 0, Options::Operations(candidates));
        Ok(graph.push(format!("stages.{}.{block}.operation", self.number), Op::Choice(choice), &[x])?)
    }

    fn operation(
        &self,
        graph: &mut Graph,
        x: NodeId,
        block: usize,
        operation: Operation,
        affine: bool,
    ) -> Result<NodeId, SpaceError> {
        let place = format!("stages.{}.{block}", self.number);
        let name = format!("{place}.{operation}");
        let (stride, keeps) = if block == 0 { (self.stride, self.keeps_first) } else { (1, true) };
        let outputs = self.channels.widest();
        let plain = Block { place, outputs, stride, keeps };
        let read = if block == 0 { self.given } else { self.channels };
        match operation {
            Operation::InvertedResidual { kernel, expansion } => {
                let last = inverted(graph, x, &name, &plain, read, [kernel, expansion], affine)?;
                let last = self.channels.mask(graph, &name, last, 1)?;
                if !(keeps && stride == 1) {
                    return Ok(last);
                }
                let last = match self.drop_path {
                    true => graph.push("", Op::DropPath, &[last])?,
                    false => last,
                };
                Ok(graph.push(format!("{name}.add"), Op::Add, &[x, last])?)
            }
            // Only where the shape stays: what is read is masked already.
            Operation::SKIP => plain.append(graph, x, chain::Operation::Skip, affine),
            Operation::Plain(operation) => {
                use chain::Operation::{Conv, SeparableConv};
                let convolves = matches!(operation, Conv(_) | SeparableConv(_));
                // A bare pool is normalised in the supernet, and therefore in the network, where a chain's is not.
                let mut last = plain.append(graph, x, operation, affine && (convolves || !keeps))?;
                if convolves {
                    last = graph.push(format!("{name}.relu"), Op::Relu, &[last])?;
                }
                self.channels.mask(graph, &name, last, 1)
            }
        }
    }
}

/// The branch of an inverted residual, up to its last batch norm; `read` are the channels it reads.
fn inverted(
    graph: &mut Graph,
    x: NodeId,
    name: &str,
    block: &Block,
    read: &Channels,
    [kernel, expansion]: [usize; 2],
    affine: bool,
) -> Result<NodeId, SpaceError> {
    let channels = graph.shape(x).channels;
    let hidden = channels.saturating_mul(expansion);
    let expanded = match expansion {
        1 => x,
        _ => norm_relu(graph, &format!("{name}.expand"), Conv::square(channels, hidden, 1, 1), x, affine)?,
    };
    let depthwise = Conv::depthwise(hidden, kernel, block.stride, 1);
    let depthwise = norm_relu(graph, &format!("{name}.depthwise"), depthwise, expanded, affine)?;
    let masked = read.mask(graph, &format!("{name}.depthwise"), depthwise, expansion)?;
    let project = Conv::square(hidden, block.outputs, 1, 1);
    let project = graph.push(format!("{name}.project.conv"), Op::Conv(project), &[masked])?;
    Ok(graph.push(format!("{name}.project.bn"), Op::BatchNorm { affine }, &[project])?)
}
