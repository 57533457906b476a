//! The networks around the cells: stem, stack of cells, classifier.

use crate::graph::{Conv, Graph, NodeId, Op};
use crate::space::darts::{Primitive, Variant, relu_conv_bn};
use crate::space::pairwise::{Cell, Pairs, Place, reduced};
use crate::space::{NetworkSettings, SpaceError};

/// The stem has this many times the channels of the first cells.
const STEM_MULTIPLIER: usize = 3;
/// Probability of dropout before the classifier (the published search keeps 0.9).
const DROPOUT: f32 = 0.1;

/// The network with all choices.
pub(super) fn supernet(pairs: &Pairs, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    let append = |graph: &mut Graph, primitive: Primitive, name: &str, input: NodeId, stride: usize| {
        primitive.append(graph, name, input, stride, Variant::Evaluation)
    };
    skeleton(pairs.space, settings, Reduction::Before, |graph, place, inputs| {
        pairs.mixed_cell(graph, place, inputs, Variant::Evaluation, append)
    })
}

/// The network of one architecture.
pub(super) fn network(pairs: &Pairs, cells: &[Cell; 2], settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    if settings.auxiliary {
        return Err(SpaceError::NoAuxiliary { space: pairs.space.to_owned() });
    }
    let append = |graph: &mut Graph, primitive: Primitive, name: &str, input: NodeId, stride: usize| {
        if primitive == Primitive::SkipConnect && stride > 1 {
            return reduced(graph, name, input, graph.shape(input).channels);
        }
        let x = primitive.append(graph, name, input, stride, Variant::Evaluation)?;
        // As published, no identity is dropped, not even where it reduces.
        if !settings.drop_path || primitive == Primitive::SkipConnect {
            return Ok(x);
        }
        Ok(graph.push(format!("{name}.drop_path"), Op::DropPath, &[x])?)
    };
    skeleton(pairs.space, settings, Reduction::Within, |graph, place, inputs| {
        pairs.plain_cell(&cells[usize::from(place.reduction)], graph, place, inputs, append)
    })
}

/// Where the map is halved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reduction {
    /// Before the cell, which then is like a normal one.
    Before,
    /// By all in the cell that reads its inputs.
    Within,
}

/// The layers at which the map is halved and channels are doubled, for so many cells in all.
pub(super) fn reductions(layers: usize) -> [usize; 2] {
    let third = layers.saturating_sub(2) / 3;
    [third, 2 * third + 1]
}

fn skeleton(
    space: &str,
    settings: &NetworkSettings,
    reduction: Reduction,
    cell: impl Fn(&mut Graph, &Place<'_>, [NodeId; 2]) -> Result<NodeId, SpaceError>,
) -> Result<Graph, SpaceError> {
    settings.check_plain(space)?;
    let layers = settings.layers;
    let mut graph = Graph::new(&[settings.image]);
    let stem = Conv::square(settings.image.channels, STEM_MULTIPLIER * settings.channels, 3, 1);
    let stem = graph.push("stem.0", Op::Conv(stem), &[0])?;
    let stem = graph.push("stem.1", Op::BatchNorm { affine: true }, &[stem])?;

    let (mut before, mut last) = (stem, stem);
    let mut channels = settings.channels;
    for layer in 0..layers {
        let name = format!("cells.{layer}");
        let reduces = reductions(layers).contains(&layer);
        if reduces {
            channels *= 2;
            let map = graph.shape(last);
            if map.height.min(map.width) < 2 {
                return Err(SpaceError::ImageTooSmall { image: settings.image, layer, layers, map });
            }
            if reduction == Reduction::Before {
                // The cell's older input is then the previous output as it was: the one before that is not read.
                before = last;
                last = reduced(&mut graph, &format!("{name}.reduction"), last, channels)?;
            }
        }
        let stride = if reduces && reduction == Reduction::Within { 2 } else { 1 };
        let inputs = calibrated(&mut graph, &name, [before, last], channels)?;
        let result = cell(&mut graph, &Place { name: &name, reduction: reduces, stride }, inputs)?;
        (before, last) = (last, result);
    }
    let x = graph.push("last.relu", Op::Relu, &[last])?;
    let x = graph.push("global_pooling", Op::GlobalAvgPool, &[x])?;
    let x = graph.push("dropout", Op::Dropout { probability: DROPOUT }, &[x])?;
    let logits = graph.push("classifier", Op::Linear { outputs: settings.classes, bias: false }, &[x])?;
    graph.output("logits", logits);
    Ok(graph)
}

/// A cell's inputs, brought to its number of channels and one map where they differ; the newer one goes through a
/// further ReLU, 1×1 convolution and batch norm.
fn calibrated(
    graph: &mut Graph,
    name: &str,
    [before, last]: [NodeId; 2],
    channels: usize,
) -> Result<[NodeId; 2], SpaceError> {
    let (older, newer) = (graph.shape(before), graph.shape(last));
    let place = format!("{name}.preprocess0");
    let first = if older.height != newer.height || older.width != newer.width {
        let relu = graph.push(format!("{place}.relu"), Op::Relu, &[before])?;
        reduced(graph, &place, relu, channels)?
    } else if older.channels != channels {
        relu_conv_bn(graph, &place, before, channels, Variant::Evaluation)?
    } else {
        before
    };
    let mut second = last;
    if newer.channels != channels {
        second = relu_conv_bn(graph, &format!("{name}.preprocess1"), second, channels, Variant::Evaluation)?;
    }
    second = relu_conv_bn(graph, &format!("{name}.base"), second, channels, Variant::Evaluation)?;
    Ok([first, second])
}
