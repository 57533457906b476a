//! What the supernet and the derived network share: stem, stack of cells, classifier.

use super::{Variant, factorized_reduce, relu_conv_bn};
use crate::graph::{Conv, Features, Graph, GraphError, NodeId, Op, Padding, Pool};
use crate::space::{NetworkSettings, SpaceError, Stem};

/// The stem has this many times the channels of the first cells.
const STEM_MULTIPLIER: usize = 3;
/// Rows and columns that three convolutions of stride 2 need: less would be one row halved.
const SMALLEST_STRIDED: usize = 8;

/// Where a cell stands.
pub(in crate::space) struct Place {
    /// Its name: `cells.3`.
    pub name: String,
    /// Whether it halves the map.
    pub reduction: bool,
}

impl Place {
    /// Stride of an edge that starts at the given state: a reduction cell halves its inputs.
    pub fn stride(&self, state: usize) -> usize {
        if self.reduction && state < super::CELL_INPUTS { 2 } else { 1 }
    }
}

/// Builds a network whose cells are made by `cell` from a place and its two preprocessed inputs.
pub(in crate::space) fn network(
    settings: &NetworkSettings,
    variant: Variant,
    mut cell: impl FnMut(&mut Graph, &Place, [NodeId; 2]) -> Result<NodeId, SpaceError>,
) -> Result<Graph, SpaceError> {
    settings.check()?;
    let layers = settings.layers;
    let mut graph = Graph::new(&[settings.image]);
    let [mut before, mut last] = match settings.stem {
        Stem::Cifar => [cifar_stem(&mut graph, settings)?; 2],
        Stem::ImageNet => imagenet_stem(&mut graph, settings)?,
    };
    let mut channels = settings.channels;
    // The first cell's inputs are of two sizes where the stem's are.
    let mut last_reduced = settings.stem == Stem::ImageNet;
    let mut auxiliary = None;
    for layer in 0..layers {
        let reduction = layer == layers / 3 || layer == 2 * layers / 3;
        if reduction {
            channels *= 2;
            let map = graph.shape(last);
            // Half of one row is one row: nothing would be reduced, and the shifted half of a
            // factorised reduction would see nothing but padding.
            if map.height.min(map.width) < 2 {
                return Err(SpaceError::ImageTooSmall { image: settings.image, layer, layers, map });
            }
        }
        let name = format!("cells.{layer}");
        let first = format!("{name}.preprocess0");
        let inputs = [
            if last_reduced {
                factorized_reduce(&mut graph, &first, before, channels, variant)?
            } else {
                relu_conv_bn(&mut graph, &first, before, channels, variant)?
            },
            relu_conv_bn(&mut graph, &format!("{name}.preprocess1"), last, channels, variant)?,
        ];
        let result = cell(&mut graph, &Place { name, reduction }, inputs)?;
        (before, last, last_reduced) = (last, result, reduction);
        if layer == 2 * layers / 3 && settings.auxiliary && variant == Variant::Evaluation {
            auxiliary = Some(auxiliary_head(&mut graph, settings, layer, last)?);
            // The published head rectifies its input in place, and it runs only while training.
            // Later cells begin with a ReLU of their own; the classifier of a network that ends here
            // does not.
            if layer + 1 == layers {
                last = graph.push(format!("cells.{layer}.rectified"), Op::TrainingRelu, &[last])?;
            }
        }
    }

    let pooled = graph.push("global_pooling", Op::GlobalAvgPool, &[last])?;
    let logits = graph.push("classifier", Op::Linear { outputs: settings.classes, bias: true }, &[pooled])?;
    graph.output("logits", logits);
    if let Some(node) = auxiliary {
        graph.output("auxiliary", node);
    }
    Ok(graph)
}

/// One convolution, which keeps the image's size.
fn cifar_stem(graph: &mut Graph, settings: &NetworkSettings) -> Result<NodeId, SpaceError> {
    let stem = Conv::square(settings.image.channels, STEM_MULTIPLIER * settings.channels, 3, 1);
    let stem = graph.push("stem.0", Op::Conv(stem), &[0])?;
    Ok(graph.push("stem.1", Op::BatchNorm { affine: true }, &[stem])?)
}

/// Two convolutions of stride 2, and one more: a quarter and an eighth of the image's rows and columns.
fn imagenet_stem(graph: &mut Graph, settings: &NetworkSettings) -> Result<[NodeId; 2], SpaceError> {
    let Features { height, width, .. } = settings.image;
    if height.min(width) < SMALLEST_STRIDED {
        return Err(SpaceError::setting(
            "image",
            settings.image,
            format!(
                "the stem `imagenet` halves rows and columns three times: use images of at least \
             {SMALLEST_STRIDED}x{SMALLEST_STRIDED}, or the stem `cifar`"
            ),
        ));
    }
    let channels = settings.channels;
    if !channels.is_multiple_of(2) {
        return Err(SpaceError::setting("channels", channels, "must be even for the stem `imagenet`"));
    }
    let sequence = |graph: &mut Graph, name: &str, input, members: Vec<Op>| {
        let member = |(i, x): (usize, NodeId), op| Ok((i + 1, graph.push(format!("{name}.{i}"), op, &[x])?));
        members.into_iter().try_fold((0, input), member).map(|(_, x)| x)
    };
    let halve = |inputs, outputs| Op::Conv(Conv::square(inputs, outputs, 3, 2));
    let norm = || Op::BatchNorm { affine: true };
    let first =
        vec![halve(settings.image.channels, channels / 2), norm(), Op::Relu, halve(channels / 2, channels), norm()];
    let first = sequence(graph, "stem0", 0, first).map_err(|error: GraphError| error)?;
    let second = sequence(graph, "stem1", first, vec![Op::Relu, halve(channels, channels), norm()])?;
    Ok([first, second])
}

/// A second, small classifier on the output of the cell at `layer`: it gives the lower cells a
/// gradient of their own while training.
fn auxiliary_head(
    graph: &mut Graph,
    settings: &NetworkSettings,
    layer: usize,
    input: NodeId,
) -> Result<NodeId, SpaceError> {
    let map = graph.shape(input);
    let (size, wanted, images) = match settings.stem {
        Stem::Cifar => (8, "8x8", "29 to 32"),
        Stem::ImageNet => (7, "7x7", "193 to 224"),
    };
    if (map.height, map.width) != (size, size) {
        let (image, layers) = (settings.image, settings.layers);
        return Err(SpaceError::Auxiliary { image, layer, layers, map, wanted, images });
    }
    let stride = match settings.stem {
        Stem::Cifar => 3,
        Stem::ImageNet => 2,
    };
    let pool = Pool::new(5, stride, 0);
    let whole = Conv { kernel: [2, 2], padding: Padding::same(0), ..Conv::square(128, 768, 1, 1) };
    let mut features = vec![
        Op::Relu,
        Op::AvgPool(pool),
        Op::Conv(Conv::square(map.channels, 128, 1, 1)),
        Op::BatchNorm { affine: true },
        Op::Relu,
        Op::Conv(whole),
    ];
    // The published head for ImageNet has none.
    if settings.stem == Stem::Cifar {
        features.push(Op::BatchNorm { affine: true });
    }
    features.push(Op::Relu);
    let mut x = input;
    for (member, op) in features.into_iter().enumerate() {
        x = graph.push(format!("auxiliary_head.features.{member}"), op, &[x])?;
    }
    Ok(graph.push("auxiliary_head.classifier", Op::Linear { outputs: settings.classes, bias: true }, &[x])?)
}
