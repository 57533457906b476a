//! What the supernet and the derived network share: stem, stack of cells, classifier.

use super::{Variant, factorized_reduce, relu_conv_bn};
use crate::graph::{Conv, Graph, NodeId, Op, Padding, Pool};
use crate::space::{NetworkSettings, SpaceError};

/// The stem has this many times the channels of the first cells.
const STEM_MULTIPLIER: usize = 3;
/// Rows and columns that the auxiliary head is made for.
const AUXILIARY_MAP: usize = 8;

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
    let stem = Conv::square(settings.image.channels, STEM_MULTIPLIER * settings.channels, 3, 1);
    let stem = graph.push("stem.0", Op::Conv(stem), &[0])?;
    let stem = graph.push("stem.1", Op::BatchNorm { affine: true }, &[stem])?;

    let (mut before, mut last) = (stem, stem);
    let mut channels = settings.channels;
    let mut last_reduced = false;
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

/// A second, small classifier on the output of the cell at `layer`: it gives the lower cells a
/// gradient of their own while training.
fn auxiliary_head(
    graph: &mut Graph,
    settings: &NetworkSettings,
    layer: usize,
    input: NodeId,
) -> Result<NodeId, SpaceError> {
    let map = graph.shape(input);
    if (map.height, map.width) != (AUXILIARY_MAP, AUXILIARY_MAP) {
        return Err(SpaceError::Auxiliary { image: settings.image, layer, layers: settings.layers, map });
    }
    let pool = Pool { kernel: 5, stride: 3, padding: 0, count_padding: false };
    let whole = Conv { kernel: [2, 2], padding: Padding::same(0), ..Conv::square(128, 768, 1, 1) };
    let features = [
        Op::Relu,
        Op::AvgPool(pool),
        Op::Conv(Conv::square(map.channels, 128, 1, 1)),
        Op::BatchNorm { affine: true },
        Op::Relu,
        Op::Conv(whole),
        Op::BatchNorm { affine: true },
        Op::Relu,
    ];
    let mut x = input;
    for (member, op) in features.into_iter().enumerate() {
        x = graph.push(format!("auxiliary_head.features.{member}"), op, &[x])?;
    }
    Ok(graph.push("auxiliary_head.classifier", Op::Linear { outputs: settings.classes, bias: true }, &[x])?)
}
