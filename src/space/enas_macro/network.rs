//! The layers as a graph: with choice points in a supernet, plain in the network of one architecture.

use super::layer::{SKIP_CHOICE, TABLES, first_skip};
use super::{Layer, NAME, Operation};
use crate::graph::{Candidate, Choice, Conv, Graph, NodeId, Op, Options, Table};
use crate::space::pairwise::reduced;
use crate::space::{NetworkSettings, SpaceError};

/// Probability of dropout before the classifier (the published search keeps 0.9).
const DROPOUT: f32 = 0.1;

/// The network with all choices.
pub(super) fn supernet(layers: usize, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    // Any output may be read by any later layer.
    let is_read = |_: usize, _: usize| true;
    let mut graph = skeleton(settings, layers, is_read, |graph, layer, input, outputs| {
        let name = format!("layers.{layer}.branches");
        let candidate = |operation: Operation| {
            let mut inner = Graph::new(&[graph.shape(input)]);
            let result = operation.append(&mut inner, &format!("{name}.{}", operation as usize), 0)?;
            inner.output("", result);
            Ok(Candidate { label: operation.to_string(), graph: inner })
        };
        let candidates = Operation::ALL.into_iter().map(candidate).collect::<Result<_, SpaceError>>()?;
        let choice = Choice::new(TABLES[0], layer, Options::Operations(candidates));
        let mut summands = vec![graph.push(name, Op::Choice(choice), &[input])?];
        for (output, &node) in outputs.iter().enumerate() {
            if let Some(node) = node {
                summands.push(skip(graph, layer, output, node)?);
            }
        }
        Ok(summands)
    })?;
    let table = |(name, rows, options): (&str, usize, Vec<String>)| Table { name: name.to_owned(), rows, options };
    let operations = Operation::ALL.map(|operation| operation.to_string()).to_vec();
    let skips = SKIP_CHOICE.map(str::to_owned).to_vec();
    let tables = [(TABLES[0], layers, operations), (TABLES[1], first_skip(layers), skips)];
    graph.declared = tables.into_iter().filter(|(_, rows, _)| *rows > 0).map(table).collect();
    Ok(graph)
}

/// The network of one architecture.
pub(super) fn network(layers: &[Layer], settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    if settings.auxiliary {
        return Err(SpaceError::NoAuxiliary { space: NAME.into() });
    }
    let is_read = |output: usize, from: usize| layers[from..].iter().any(|l| l.skips.get(output) == Some(&true));
    skeleton(settings, layers.len(), is_read, |graph, layer, input, outputs| {
        let Layer { operation, skips } = &layers[layer];
        let name = format!("layers.{layer}.branches.{}", *operation as usize);
        let mut summands = vec![operation.append(graph, &name, input)?];
        summands.extend(outputs.iter().zip(skips).filter(|(_, skip)| **skip).filter_map(|(output, _)| *output));
        Ok(summands)
    })
}

/// The layers after which all outputs so far are halved.
pub(super) fn reductions(layers: usize) -> impl Iterator<Item = usize> {
    let third = layers / 3;
    [third, 2 * third].into_iter().filter_map(|end| end.checked_sub(1))
}

/// Stem, layers, classifier. `layer` gives what a layer adds up, from its input and the outputs before that: the
/// stem's, then those of layers 0, …; `is_read` says whether a layer from the second argument on may skip to the output
/// of that number. Reductions that nobody reads are left out.
fn skeleton(
    settings: &NetworkSettings,
    layers: usize,
    is_read: impl Fn(usize, usize) -> bool,
    layer: impl Fn(&mut Graph, usize, NodeId, &[Option<NodeId>]) -> Result<Vec<NodeId>, SpaceError>,
) -> Result<Graph, SpaceError> {
    settings.check_plain(NAME)?;
    let channels = settings.channels;
    let mut graph = Graph::new(&[settings.image]);
    let stem = graph.push("stem.0", Op::Conv(Conv::square(settings.image.channels, channels, 3, 1)), &[0])?;
    let stem = graph.push("stem.1", Op::BatchNorm { affine: true }, &[stem])?;
    let mut outputs = vec![Some(stem)];
    let mut last = stem;
    for number in 0..layers {
        let mut x = match layer(&mut graph, number, last, &outputs[..number])?[..] {
            [only] => only,
            ref summands => graph.push(format!("layers.{number}.sum"), Op::Add, summands)?,
        };
        // The first layer can have no skips, and as published nothing is normalised then.
        if number > 0 {
            x = graph.push(format!("layers.{number}.norm"), Op::BatchNorm { affine: true }, &[x])?;
        }
        outputs.push(Some(x));
        if let Some(reduction) = reductions(layers).position(|end| end == number) {
            let map = graph.shape(x);
            if map.height.min(map.width) < 2 {
                return Err(SpaceError::ImageTooSmall { image: settings.image, layer: number, layers, map });
            }
            for (output, node) in outputs.iter_mut().enumerate() {
                let Some(before) = *node else { continue };
                let needed = output == number + 1 || is_read(output, number + 1);
                let name = format!("reductions.{reduction}.{output}");
                *node = if needed { Some(reduced(&mut graph, &name, before, channels)?) } else { None };
            }
        }
        last = outputs[number + 1].unwrap_or(x);
    }
    let x = graph.push("global_pooling", Op::GlobalAvgPool, &[last])?;
    let x = graph.push("dropout", Op::Dropout { probability: DROPOUT }, &[x])?;
    let logits = graph.push("classifier", Op::Linear { outputs: settings.classes, bias: false }, &[x])?;
    graph.output("logits", logits);
    Ok(graph)
}

/// A choice between an earlier output and nothing.
fn skip(graph: &mut Graph, layer: usize, output: usize, node: NodeId) -> Result<NodeId, SpaceError> {
    let candidates = SKIP_CHOICE.into_iter().zip([Op::Zero { stride: 1 }, Op::Identity]).map(|(label, op)| {
        let mut inner = Graph::new(&[graph.shape(node)]);
        let result = inner.push("", op, &[0])?;
        inner.output("", result);
        Ok(Candidate { label: label.to_owned(), graph: inner })
    });
    let candidates = candidates.collect::<Result<_, SpaceError>>()?;
    let row = first_skip(layer) + output;
    let choice = Choice::new(TABLES[1], row, Options::Operations(candidates));
    Ok(graph.push(format!("layers.{layer}.skips.{output}"), Op::Choice(choice), &[node])?)
}
