//! What a layer can be: its operations and its skips.

use crate::graph::{Conv, Graph, NodeId, Op, Pool};
use crate::space::SpaceError;
use std::fmt;

/// Name of the space.
pub const NAME: &str = "enas-macro";
/// Layers of the published search.
pub const LAYERS: usize = 12;
/// Most layers: the number of decisions grows with its square.
pub const MOST_LAYERS: usize = 64;

/// Tables of architecture weights: a row for each layer; a row for each pair of a layer and an earlier output.
pub(super) const TABLES: [&str; 2] = ["alphas_operation", "alphas_skip"];
/// Options of a skip's decision.
pub(super) const SKIP: [&str; 2] = ["no", "yes"];
/// Options of a skip's choice point.
pub(super) const SKIP_CHOICE: [&str; 2] = ["none", "skip_connect"];

/// What a layer applies to the output of the one before. All keep map and channels, and begin with 1×1 convolution, batch
/// norm, ReLU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// 3×3 convolution, batch norm, ReLU.
    Conv3x3,
    /// 3×3 depthwise and pointwise convolution, batch norm, ReLU.
    SepConv3x3,
    /// 5×5 convolution, batch norm, ReLU.
    Conv5x5,
    /// 5×5 depthwise and pointwise convolution, batch norm, ReLU.
    SepConv5x5,
    /// Mean over 3×3, padding not counted.
    AvgPool3x3,
    /// Maximum over 3×3.
    MaxPool3x3,
}

impl Operation {
    /// All, in the published order: that of the options of each decision.
    pub const ALL: [Self; 6] =
        [Self::Conv3x3, Self::SepConv3x3, Self::Conv5x5, Self::SepConv5x5, Self::AvgPool3x3, Self::MaxPool3x3];

    /// Name, as architectures are written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conv3x3 => "conv_3x3",
            Self::SepConv3x3 => "sep_conv_3x3",
            Self::Conv5x5 => "conv_5x5",
            Self::SepConv5x5 => "sep_conv_5x5",
            Self::AvgPool3x3 => "avg_pool_3x3",
            Self::MaxPool3x3 => "max_pool_3x3",
        }
    }

    pub(super) fn append(self, graph: &mut Graph, name: &str, input: NodeId) -> Result<NodeId, SpaceError> {
        let channels = graph.shape(input).channels;
        let pool = Pool::new(3, 1, 1);
        let whole = |kernel| vec![Op::Conv(Conv::square(channels, channels, kernel, 1))];
        let separable = |kernel| [vec![Op::Conv(Conv::depthwise(channels, kernel, 1, 1))], whole(1)].concat();
        let mut operations = whole(1);
        let norm_relu = [Op::BatchNorm { affine: true }, Op::Relu];
        operations.extend(norm_relu.clone());
        match self {
            Self::Conv3x3 => operations.extend(whole(3).into_iter().chain(norm_relu)),
            Self::SepConv3x3 => operations.extend(separable(3).into_iter().chain(norm_relu)),
            Self::Conv5x5 => operations.extend(whole(5).into_iter().chain(norm_relu)),
            Self::SepConv5x5 => operations.extend(separable(5).into_iter().chain(norm_relu)),
            Self::AvgPool3x3 => operations.push(Op::AvgPool(pool)),
            Self::MaxPool3x3 => operations.push(Op::MaxPool(pool)),
        }
        let mut x = input;
        for (member, op) in operations.into_iter().enumerate() {
            x = graph.push(format!("{name}.{member}"), op, &[x])?;
        }
        Ok(x)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One layer of an architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What is applied to the output of the layer before (of the first layer: of the stem).
    pub operation: Operation,
    /// Whether the stem's output is added, that of layer 0, … up to the second-last before this one.
    pub skips: Vec<bool>,
}

/// Number of skips into layers before this one, which is the row of its first.
pub(super) fn first_skip(layer: usize) -> usize {
    layer * layer.saturating_sub(1) / 2
}
