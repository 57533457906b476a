//! Hand-designed networks of a wanted size: what a search has to beat.
//!
//! Each is a plain design of fixed depth whose width is searched, since the number of parameters
//! only grows with the width.

use super::{NetworkSettings, SpaceError};
use crate::cost;
use crate::graph::{Conv, Graph, NodeId, Op, Pool};

const WIDEST: usize = 1 << 16;
/// Below this width a shallower network is the better design of the same size.
const NARROW: usize = 32;

/// Channels of a stage of three: a quarter, half and all of the network's width. Measuring the
/// width where the network is widest makes its steps fine enough to meet small sizes.
fn stage_channels(width: usize, stage: usize) -> usize {
    width.div_ceil(1 << (2 - stage))
}

type Design = fn(&NetworkSettings, width: usize, depth: usize) -> Result<Graph, SpaceError>;

/// A residual network (He et al. 2015, section 4.2: three stages of basic blocks) within 10 % of `parameters`.
pub(super) fn residual(settings: &NetworkSettings, parameters: u64) -> Result<Graph, SpaceError> {
    fit(settings, parameters, residual_network, &[3, 2, 1, 4, 5])
}

/// A plain stack of 3×3 convolutions in three stages within 10 % of `parameters`.
pub(super) fn plain(settings: &NetworkSettings, parameters: u64) -> Result<Graph, SpaceError> {
    fit(settings, parameters, plain_network, &[3, 2, 1, 4, 5])
}

/// A perceptron with hidden layers of one width within 10 % of `parameters`.
pub(super) fn perceptron(settings: &NetworkSettings, parameters: u64) -> Result<Graph, SpaceError> {
    fit(settings, parameters, perceptron_network, &[2, 1, 3, 4])
}

/// The first depth that comes within 10 % and is not narrow, else the closest of all.
fn fit(settings: &NetworkSettings, parameters: u64, design: Design, depths: &[usize]) -> Result<Graph, SpaceError> {
    settings.check()?;
    let mut closest: Option<(u64, Graph)> = None;
    for &depth in depths {
        // A network too large to count is larger than any that is wanted.
        let size = |width| Ok(cost::parameters(&design(settings, width, depth)?).unwrap_or(u64::MAX));
        let (width, size) = closest_width(parameters, size)?;
        let graph = design(settings, width, depth)?;
        if within_a_tenth(size, parameters) && width >= NARROW {
            return Ok(graph);
        }
        if closest.as_ref().is_none_or(|(other, _)| size.abs_diff(parameters) < other.abs_diff(parameters)) {
            closest = Some((size, graph));
        }
    }
    match closest {
        Some((size, graph)) if within_a_tenth(size, parameters) => Ok(graph),
        other => Err(SpaceError::Baseline {
            parameters,
            closest: other.map_or(0, |(size, _)| size),
            image: settings.image,
            classes: settings.classes,
        }),
    }
}

fn within_a_tenth(size: u64, wanted: u64) -> bool {
    u128::from(size.abs_diff(wanted)) * 10 <= u128::from(wanted)
}

/// The width in 1..=`WIDEST` whose size is closest to `wanted`, by bisection, with that size.
fn closest_width(wanted: u64, size: impl Fn(usize) -> Result<u64, SpaceError>) -> Result<(usize, u64), SpaceError> {
    let (mut low, mut high) = (1, WIDEST);
    // Invariant: the largest width whose size is at most `wanted` is in low..=high, if there is one.
    while low < high {
        let middle = (low + high).div_ceil(2);
        if size(middle)? <= wanted { low = middle } else { high = middle - 1 }
    }
    let below = (low, size(low)?);
    if low == WIDEST {
        return Ok(below);
    }
    let above = (low + 1, size(low + 1)?);
    Ok(if above.1.abs_diff(wanted) < below.1.abs_diff(wanted) { above } else { below })
}

/// A convolution of odd kernel size followed by an affine batch norm.
fn conv_norm(
    graph: &mut Graph,
    name: &str,
    input: NodeId,
    outputs: usize,
    kernel: usize,
    stride: usize,
) -> Result<NodeId, SpaceError> {
    let inputs = graph.shape(input).channels;
    let conv = graph.push(format!("{name}.conv"), Op::Conv(Conv::square(inputs, outputs, kernel, stride)), &[input])?;
    Ok(graph.push(format!("{name}.bn"), Op::BatchNorm { affine: true }, &[conv])?)
}

fn classify(graph: &mut Graph, input: NodeId, classes: usize) -> Result<(), SpaceError> {
    let pooled = graph.push("global_pooling", Op::GlobalAvgPool, &[input])?;
    let logits = graph.push("classifier", Op::Linear { outputs: classes, bias: true }, &[pooled])?;
    graph.output("logits", logits);
    Ok(())
}

fn can_halve(graph: &Graph, node: NodeId) -> bool {
    let shape = graph.shape(node);
    shape.height.min(shape.width) >= 2
}

fn residual_network(settings: &NetworkSettings, width: usize, depth: usize) -> Result<Graph, SpaceError> {
    let mut graph = Graph::new(&[settings.image]);
    let stem = conv_norm(&mut graph, "stem", 0, stage_channels(width, 0), 3, 1)?;
    let mut x = graph.push("stem.relu", Op::Relu, &[stem])?;
    for stage in 0..3 {
        for block in 0..depth {
            let channels = stage_channels(width, stage);
            let stride = if stage > 0 && block == 0 && can_halve(&graph, x) { 2 } else { 1 };
            let name = format!("stages.{stage}.{block}");
            let first = conv_norm(&mut graph, &format!("{name}.first"), x, channels, 3, stride)?;
            let active = graph.push(format!("{name}.first.relu"), Op::Relu, &[first])?;
            let second = conv_norm(&mut graph, &format!("{name}.second"), active, channels, 3, 1)?;
            let shortcut = if graph.shape(x) == graph.shape(second) {
                x
            } else {
                conv_norm(&mut graph, &format!("{name}.shortcut"), x, channels, 1, stride)?
            };
            let sum = graph.push(format!("{name}.add"), Op::Add, &[second, shortcut])?;
            x = graph.push(format!("{name}.relu"), Op::Relu, &[sum])?;
        }
    }
    classify(&mut graph, x, settings.classes)?;
    Ok(graph)
}

fn plain_network(settings: &NetworkSettings, width: usize, depth: usize) -> Result<Graph, SpaceError> {
    let mut graph = Graph::new(&[settings.image]);
    let mut x = 0;
    for stage in 0..3 {
        if stage > 0 && can_halve(&graph, x) {
            let pool = Pool::new(2, 2, 0);
            x = graph.push(format!("stages.{stage}.pool"), Op::MaxPool(pool), &[x])?;
        }
        for layer in 0..depth {
            let name = format!("stages.{stage}.{layer}");
            let norm = conv_norm(&mut graph, &name, x, stage_channels(width, stage), 3, 1)?;
            x = graph.push(format!("{name}.relu"), Op::Relu, &[norm])?;
        }
    }
    classify(&mut graph, x, settings.classes)?;
    Ok(graph)
}

fn perceptron_network(settings: &NetworkSettings, width: usize, depth: usize) -> Result<Graph, SpaceError> {
    let mut graph = Graph::new(&[settings.image]);
    let mut x = 0;
    for layer in 0..depth {
        let linear = graph.push(format!("layers.{layer}"), Op::Linear { outputs: width, bias: true }, &[x])?;
        x = graph.push(format!("layers.{layer}.relu"), Op::Relu, &[linear])?;
    }
    let logits = graph.push("classifier", Op::Linear { outputs: settings.classes, bias: true }, &[x])?;
    graph.output("logits", logits);
    Ok(graph)
}
