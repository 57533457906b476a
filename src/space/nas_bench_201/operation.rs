//! What an edge of a cell can do.

use crate::graph::{Conv, Graph, NodeId, Op, Pool};
use crate::space::SpaceError;
use std::fmt;

/// Whether operations compete with each other or are trained alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// In the supernet: batch norms have no affine parameters (they would trade off against the architecture
    /// weights), and to make up for their shift convolutions have a bias, as the reference has it.
    Search,
    /// In the network of one cell: batch norms are affine, convolutions have no bias.
    Evaluation,
}

/// An operation on an edge of a cell. All keep the map and the number of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// No connection: zeros.
    None,
    /// Identity.
    SkipConnect,
    /// ReLU, 1×1 convolution, batch norm.
    NorConv1x1,
    /// ReLU, 3×3 convolution, batch norm.
    NorConv3x3,
    /// Mean over 3×3, padding not counted, no batch norm.
    AvgPool3x3,
}

impl Operation {
    /// All, in the benchmark's order: that of the options of each decision.
    pub const ALL: [Self; 5] = [Self::None, Self::SkipConnect, Self::NorConv1x1, Self::NorConv3x3, Self::AvgPool3x3];

    /// Name, as cells are written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SkipConnect => "skip_connect",
            Self::NorConv1x1 => "nor_conv_1x1",
            Self::NorConv3x3 => "nor_conv_3x3",
            Self::AvgPool3x3 => "avg_pool_3x3",
        }
    }

    /// Appends the operation. `name` is its place in the layer tree. Returns the node of its result.
    pub(super) fn append(
        self,
        graph: &mut Graph,
        name: &str,
        input: NodeId,
        variant: Variant,
    ) -> Result<NodeId, SpaceError> {
        let channels = graph.shape(input).channels;
        match self {
            Self::None => Ok(graph.push(name, Op::Zero { stride: 1 }, &[input])?),
            Self::SkipConnect => Ok(graph.push(name, Op::Identity, &[input])?),
            Self::NorConv1x1 => relu_conv_norm(graph, name, input, Conv::square(channels, channels, 1, 1), variant),
            Self::NorConv3x3 => relu_conv_norm(graph, name, input, Conv::square(channels, channels, 3, 1), variant),
            Self::AvgPool3x3 => {
                let pool = Pool::new(3, 1, 1);
                Ok(graph.push(format!("{name}.op"), Op::AvgPool(pool), &[input])?)
            }
        }
    }
}

/// Appends ReLU, convolution, batch norm. Returns the last node.
pub(super) fn relu_conv_norm(
    graph: &mut Graph,
    name: &str,
    input: NodeId,
    conv: Conv,
    variant: Variant,
) -> Result<NodeId, SpaceError> {
    let conv = Conv { bias: variant == Variant::Search, ..conv };
    let relu = graph.push(format!("{name}.op.0"), Op::Relu, &[input])?;
    let conv = graph.push(format!("{name}.op.1"), Op::Conv(conv), &[relu])?;
    Ok(graph.push(format!("{name}.op.2"), Op::BatchNorm { affine: variant == Variant::Evaluation }, &[conv])?)
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
