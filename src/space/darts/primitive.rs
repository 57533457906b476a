//! The primitives of DARTS cells as graph operations, in two variants.

use super::blocks::{Variant, factorized_reduce, norm};
use crate::graph::{Conv, Graph, NodeId, Op, Padding, Pool};
use crate::space::SpaceError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An operation on an edge of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Primitive {
    /// No connection: zeros.
    None,
    /// Maximum over 3×3.
    MaxPool3x3,
    /// Mean over 3×3, padding not counted.
    AvgPool3x3,
    /// Identity; where the map is halved, factorised reduction.
    SkipConnect,
    /// Separable convolution, applied twice, 3×3.
    SepConv3x3,
    /// Separable convolution, applied twice, 5×5.
    SepConv5x5,
    /// Separable convolution, applied twice, 7×7.
    SepConv7x7,
    /// Dilated separable convolution, 3×3 (sees 5×5).
    DilConv3x3,
    /// Dilated separable convolution, 5×5 (sees 9×9).
    DilConv5x5,
    /// Normal noise in place of a connection: nothing of the state enters.
    Noise,
    /// 1×3 and then 3×1 convolution.
    Conv3x1Then1x3,
    /// 1×7 and then 7×1 convolution.
    Conv7x1Then1x7,
}

impl Primitive {
    /// The eight of the published search, in its order.
    pub const DARTS: [Self; 8] = [
        Self::None,
        Self::MaxPool3x3,
        Self::AvgPool3x3,
        Self::SkipConnect,
        Self::SepConv3x3,
        Self::SepConv5x5,
        Self::DilConv3x3,
        Self::DilConv5x5,
    ];

    /// All that genotypes know.
    pub const ALL: [Self; 12] = [
        Self::None,
        Self::MaxPool3x3,
        Self::AvgPool3x3,
        Self::SkipConnect,
        Self::SepConv3x3,
        Self::SepConv5x5,
        Self::SepConv7x7,
        Self::DilConv3x3,
        Self::DilConv5x5,
        Self::Noise,
        Self::Conv3x1Then1x3,
        Self::Conv7x1Then1x7,
    ];

    /// Name, as genotypes write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::MaxPool3x3 => "max_pool_3x3",
            Self::AvgPool3x3 => "avg_pool_3x3",
            Self::SkipConnect => "skip_connect",
            Self::SepConv3x3 => "sep_conv_3x3",
            Self::SepConv5x5 => "sep_conv_5x5",
            Self::SepConv7x7 => "sep_conv_7x7",
            Self::DilConv3x3 => "dil_conv_3x3",
            Self::DilConv5x5 => "dil_conv_5x5",
            Self::Noise => "noise",
            Self::Conv3x1Then1x3 => "conv_3x1_1x3",
            Self::Conv7x1Then1x7 => "conv_7x1_1x7",
        }
    }

    /// Whether this is a plain identity at the given stride: the one case without drop-path.
    pub fn is_identity(self, stride: usize) -> bool {
        self == Self::SkipConnect && stride == 1
    }

    /// Appends the primitive to a graph, reading `input` and keeping its number of channels; the
    /// map is divided by `stride`, rounded up. `name` is its place in the layer tree. Returns the
    /// node of its result.
    ///
    /// # Errors
    /// [`SpaceError::OddChannels`] for a strided skip connection of an odd number of channels;
    /// [`SpaceError::Graph`] if the map is too small.
    pub fn append(
        self,
        graph: &mut Graph,
        name: &str,
        input: NodeId,
        stride: usize,
        variant: Variant,
    ) -> Result<NodeId, SpaceError> {
        let pool = Pool::new(3, stride, 1);
        match self {
            Self::None => Ok(graph.push(name, Op::Zero { stride }, &[input])?),
            Self::Noise => Ok(graph.push(name, Op::Noise { stride }, &[input])?),
            Self::MaxPool3x3 => pooled(graph, name, Op::MaxPool(pool), input, variant),
            Self::AvgPool3x3 => pooled(graph, name, Op::AvgPool(pool), input, variant),
            Self::SkipConnect if stride == 1 => Ok(graph.push(name, Op::Identity, &[input])?),
            Self::SkipConnect => {
                let channels = graph.shape(input).channels;
                factorized_reduce(graph, name, input, channels, variant)
            }
            Self::SepConv3x3 => separable(graph, name, input, 3, stride, variant),
            Self::SepConv5x5 => separable(graph, name, input, 5, stride, variant),
            Self::SepConv7x7 => separable(graph, name, input, 7, stride, variant),
            Self::DilConv3x3 => depthwise(graph, &format!("{name}.op"), 0, input, (3, stride, 2), variant),
            Self::DilConv5x5 => depthwise(graph, &format!("{name}.op"), 0, input, (5, stride, 2), variant),
            Self::Conv3x1Then1x3 => row_then_column(graph, name, input, 3, stride, variant),
            Self::Conv7x1Then1x7 => row_then_column(graph, name, input, 7, stride, variant),
        }
    }
}

/// ReLU, 1×`kernel` convolution of stride (1, `stride`), `kernel`×1 of stride (`stride`, 1), batch norm.
fn row_then_column(
    graph: &mut Graph,
    name: &str,
    input: NodeId,
    kernel: usize,
    stride: usize,
    variant: Variant,
) -> Result<NodeId, SpaceError> {
    let channels = graph.shape(input).channels;
    let (plain, half) = (Conv::square(channels, channels, 1, 1), (kernel / 2) as i32);
    let row = Conv { kernel: [1, kernel], stride: [1, stride], padding: Padding::symmetric(0, half), ..plain.clone() };
    let column = Conv { kernel: [kernel, 1], stride: [stride, 1], padding: Padding::symmetric(half, 0), ..plain };
    let relu = graph.push(format!("{name}.0"), Op::Relu, &[input])?;
    let row = graph.push(format!("{name}.1"), Op::Conv(row), &[relu])?;
    let column = graph.push(format!("{name}.2"), Op::Conv(column), &[row])?;
    norm(graph, format!("{name}.3"), column, variant)
}

/// A pool; in search its batch norm makes it a sequence of two, else it stands alone.
fn pooled(graph: &mut Graph, name: &str, pool: Op, input: NodeId, variant: Variant) -> Result<NodeId, SpaceError> {
    match variant {
        Variant::Evaluation => Ok(graph.push(name, pool, &[input])?),
        Variant::Search => {
            let pool = graph.push(format!("{name}.0"), pool, &[input])?;
            norm(graph, format!("{name}.1"), pool, variant)
        }
    }
}

fn separable(
    graph: &mut Graph,
    name: &str,
    input: NodeId,
    kernel: usize,
    stride: usize,
    variant: Variant,
) -> Result<NodeId, SpaceError> {
    let name = format!("{name}.op");
    let first = depthwise(graph, &name, 0, input, (kernel, stride, 1), variant)?;
    depthwise(graph, &name, 4, first, (kernel, 1, 1), variant)
}

/// ReLU, depthwise convolution (kernel, stride, dilation), 1×1 convolution, batch norm: members
/// `first`, `first` + 1, … of the sequence `name`.
fn depthwise(
    graph: &mut Graph,
    name: &str,
    first: usize,
    input: NodeId,
    (kernel, stride, dilation): (usize, usize, usize),
    variant: Variant,
) -> Result<NodeId, SpaceError> {
    let channels = graph.shape(input).channels;
    let place = |member: usize| format!("{name}.{}", first + member);
    let relu = graph.push(place(0), Op::Relu, &[input])?;
    let spatial = graph.push(place(1), Op::Conv(Conv::depthwise(channels, kernel, stride, dilation)), &[relu])?;
    let pointwise = graph.push(place(2), Op::Conv(Conv::square(channels, channels, 1, 1)), &[spatial])?;
    norm(graph, place(3), pointwise, variant)
}

impl fmt::Display for Primitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Primitive {
    type Err = SpaceError;

    fn from_str(name: &str) -> Result<Self, SpaceError> {
        let found = Self::ALL.into_iter().find(|p| p.name() == name);
        found.ok_or_else(|| SpaceError::unknown("primitive", name, Self::ALL.iter().map(|p| p.name())))
    }
}

impl From<Primitive> for &'static str {
    fn from(primitive: Primitive) -> Self {
        primitive.name()
    }
}

impl TryFrom<String> for Primitive {
    type Error = SpaceError;

    fn try_from(name: String) -> Result<Self, SpaceError> {
        name.parse()
    }
}
