//! The network around the cells, which all cells share: stem, three stages, classifier.

use super::cell::TABLE;
use super::operation::relu_conv_norm;
use super::{EDGES, NAME, NODES, Operation, Variant, edges};
use crate::graph::{Candidate, Choice, Conv, Graph, NodeId, Op, Options, Pool, Table};
use crate::space::{NetworkSettings, SpaceError};

/// Stages of equal maps.
const STAGES: usize = 3;

/// The network of one cell.
pub(super) fn network(cell: &[Operation; EDGES], settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    skeleton(settings, |graph, name, input| {
        nodes(graph, name, input, |graph, edge, name, input| {
            let operation = cell[edge];
            // Zeros add nothing: the edge is left out.
            if operation == Operation::None {
                return Ok(None);
            }
            let place = format!("{name}.{}", operation as usize);
            let mut x = operation.append(graph, &place, input, Variant::Evaluation)?;
            if settings.drop_path && operation != Operation::SkipConnect {
                x = graph.push(format!("{place}.drop_path"), Op::DropPath, &[x])?;
            }
            Ok(Some(x))
        })
    })
}

/// The network with a choice among all operations on every edge.
pub(super) fn supernet(settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    let mut graph = skeleton(settings, |graph, name, input| {
        nodes(graph, name, input, |graph, edge, name, input| {
            let candidate = |operation: Operation| {
                let mut inner = Graph::new(&[graph.shape(input)]);
                let place = format!("{name}.{}", operation as usize);
                let result = operation.append(&mut inner, &place, 0, Variant::Search)?;
                inner.output("", result);
                Ok(Candidate { label: operation.to_string(), graph: inner })
            };
            let candidates = Operation::ALL.into_iter().map(candidate).collect::<Result<_, SpaceError>>()?;
            let choice = Choice::new(TABLE, edge, Options::Operations(candidates));
            Ok(Some(graph.push(name, Op::Choice(choice), &[input])?))
        })
    })?;
    let options = Operation::ALL.map(|operation| operation.to_string()).to_vec();
    graph.declared = vec![Table { name: TABLE.into(), rows: EDGES, options }];
    Ok(graph)
}

/// Stem, stages of cells made by `cell` from a name and an input, residual blocks between them, classifier.
fn skeleton(
    settings: &NetworkSettings,
    mut cell: impl FnMut(&mut Graph, &str, NodeId) -> Result<NodeId, SpaceError>,
) -> Result<Graph, SpaceError> {
    settings.check_plain(NAME)?;
    let mut graph = Graph::new(&[settings.image]);
    let stem = Conv::square(settings.image.channels, settings.channels, 3, 1);
    let stem = graph.push("stem.0", Op::Conv(stem), &[0])?;
    let mut x = graph.push("stem.1", Op::BatchNorm { affine: true }, &[stem])?;
    // The residual blocks count as members of the same list, as in the reference.
    let mut layer = 0;
    for stage in 0..STAGES {
        if stage > 0 {
            let map = graph.shape(x);
            if map.height.min(map.width) < 2 {
                let layers = settings.layers + STAGES - 1;
                return Err(SpaceError::ImageTooSmall { image: settings.image, layer, layers, map });
            }
            x = residual(&mut graph, &format!("cells.{layer}"), x, settings.channels << stage)?;
            layer += 1;
        }
        for _ in 0..cells_of(stage, settings.layers) {
            x = cell(&mut graph, &format!("cells.{layer}"), x)?;
            layer += 1;
        }
    }
    let x = graph.push("lastact.0", Op::BatchNorm { affine: true }, &[x])?;
    let x = graph.push("lastact.1", Op::Relu, &[x])?;
    let pooled = graph.push("global_pooling", Op::GlobalAvgPool, &[x])?;
    let logits = graph.push("classifier", Op::Linear { outputs: settings.classes, bias: true }, &[pooled])?;
    graph.output("logits", logits);
    Ok(graph)
}

/// Number of cells of a stage: as even as can be, earlier stages get what is left over.
fn cells_of(stage: usize, layers: usize) -> usize {
    layers / STAGES + usize::from(stage < layers % STAGES)
}

/// The residual block that halves the map. It competes with nothing, so it is the same in the supernet.
fn residual(graph: &mut Graph, name: &str, input: NodeId, channels: usize) -> Result<NodeId, SpaceError> {
    let map = graph.shape(input);
    let first = Conv::square(map.channels, channels, 3, 2);
    let first = relu_conv_norm(graph, &format!("{name}.conv_a"), input, first, Variant::Evaluation)?;
    let second = Conv::square(channels, channels, 3, 1);
    let second = relu_conv_norm(graph, &format!("{name}.conv_b"), first, second, Variant::Evaluation)?;
    // The published images have even maps. Of an odd one 2×2 windows would leave out the last row or column,
    // which the convolution of stride 2 does not.
    let even = map.height.is_multiple_of(2) && map.width.is_multiple_of(2);
    let (kernel, padding) = if even { (2, 0) } else { (3, 1) };
    let pool = Op::AvgPool(Pool::new(kernel, 2, padding));
    let pooled = graph.push(format!("{name}.downsample.0"), pool, &[input])?;
    let shortcut = Op::Conv(Conv::square(map.channels, channels, 1, 1));
    let shortcut = graph.push(format!("{name}.downsample.1"), shortcut, &[pooled])?;
    Ok(graph.push(format!("{name}.add"), Op::Add, &[shortcut, second])?)
}

/// One cell: each node is the sum of what `edge` makes of the earlier ones, zeros where it makes nothing.
/// Returns the last node.
fn nodes(
    graph: &mut Graph,
    cell: &str,
    input: NodeId,
    mut edge: impl FnMut(&mut Graph, usize, &str, NodeId) -> Result<Option<NodeId>, SpaceError>,
) -> Result<NodeId, SpaceError> {
    let mut states = vec![input];
    for node in 1..NODES {
        let mut incoming = Vec::new();
        for (index, (source, target)) in edges().enumerate().filter(|(_, (_, target))| *target == node) {
            let name = format!("{cell}.edges.{target}<-{source}");
            incoming.extend(edge(graph, index, &name, states[source])?);
        }
        let name = format!("{cell}.nodes.{node}");
        let sum = match incoming[..] {
            [] => graph.push(name, Op::Zero { stride: 1 }, &[input])?,
            [only] => only,
            _ => graph.push(name, Op::Add, &incoming)?,
        };
        states.push(sum);
    }
    Ok(states[NODES - 1])
}
