//! Builds the graph of a chain: the supernet, or one architecture.

use super::layer::{has_twice, operation_decision, table_name, width_decision};
use super::{Block, Layer, Operation, Width};
use crate::graph::{Candidate, Choice, Graph, NodeId, Op, Options, Pool};
use crate::space::{Architecture, NetworkSettings, SpaceError};

/// The network of the chain `name` in which all options are open (`None`), or that of an architecture, which must
/// be one of the chain's.
pub(super) fn network(
    name: &str,
    layers: &[Layer],
    architecture: Option<&Architecture>,
    settings: &NetworkSettings,
) -> Result<Graph, SpaceError> {
    settings.check_plain(name)?;
    let mut answers = architecture.map(|a| a.answers.iter());
    let mut graph = Graph::new(&[settings.image]);
    let mut x = 0;
    // Whether the number of channels so far is the same in all architectures.
    let mut fixed = true;
    let mut flat = false;
    for (i, layer) in layers.iter().enumerate() {
        let operations = narrow(layer.operations(), &mut answers);
        let widths = resolve(narrow(layer.widths(), &mut answers), settings.channels, i)?;
        let widest = widths.iter().copied().max().unwrap_or(0);
        match layer {
            Layer::Halve => {
                let map = graph.shape(x);
                if map.height.min(map.width) >= 2 {
                    let pool = Pool::new(2, 2, 0);
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
                let block = Block { place: format!("layers.{i}"), outputs: widest, stride: *stride, keeps };
                x = append_any(&mut graph, x, i, &block, operations)?;
            }
        }
        fixed = layer.widths().len() == 1;
        x = graph.push(format!("layers.{i}.relu"), Op::Relu, &[x])?;
        if widths.len() > 1 {
            let table = table_name(&width_decision(i));
            let choice = Choice::new(table, 0, Options::Widths(widths));
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
    if has_twice(&resolved) {
        let problem = format!("two of its widths are the same for {channels} channels: {resolved:?}");
        return Err(SpaceError::setting("layer", layer, problem));
    }
    Ok(resolved)
}

/// The only operation, or a choice among several, for layer `i`.
fn append_any(
    graph: &mut Graph,
    x: NodeId,
    i: usize,
    block: &Block,
    operations: &[Operation],
) -> Result<NodeId, SpaceError> {
    if let [only] = operations {
        return block.append(graph, x, *only, true);
    }
    let mut candidates = Vec::with_capacity(operations.len());
    for &operation in operations {
        let mut inner = Graph::new(&[graph.shape(x)]);
        // Without affine parameters, which would trade off against the architecture weights.
        let result = block.append(&mut inner, 0, operation, false)?;
        inner.output("", result);
        candidates.push(Candidate { label: operation.to_string(), graph: inner });
    }
    let table = table_name(&operation_decision(i));
    let choice = Choice::new(table, 0, Options::Operations(candidates));
    Ok(graph.push(format!("layers.{i}.operation"), Op::Choice(choice), &[x])?)
}
