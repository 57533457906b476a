//! What a chain is made of: layers, each with the options it leaves open.

use crate::space::SpaceError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Largest kernel of a chain's convolutions and pools.
const LARGEST_KERNEL: usize = 31;

/// An operation that a layer of a chain may choose. Written as `conv_3x3`, `sep_conv_5x5`,
/// `max_pool_3x3`, `avg_pool_3x3`, `skip`.
///
/// Where the number of channels may change, or a skip has a stride, pools and skips are followed by
/// a 1×1 convolution with batch norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Operation {
    /// Convolution of the given odd kernel size, batch norm.
    Conv(usize),
    /// Depthwise and then 1×1 convolution, batch norm.
    SeparableConv(usize),
    /// Maximum over a window.
    MaxPool(usize),
    /// Mean over a window, padding not counted.
    AvgPool(usize),
    /// The input itself.
    Skip,
}

impl Operation {
    /// Whether this keeps its input's channels by nature.
    pub(super) fn keeps_channels(self) -> bool {
        matches!(self, Self::MaxPool(_) | Self::AvgPool(_) | Self::Skip)
    }

    fn kernel(self) -> usize {
        match self {
            Self::Conv(k) | Self::SeparableConv(k) | Self::MaxPool(k) | Self::AvgPool(k) => k,
            Self::Skip => 1,
        }
    }

    pub(super) fn check(self) -> Result<(), SpaceError> {
        check_kernel(self.kernel())
    }
}

/// Whether a kernel has a middle and is not too large.
pub(in crate::space) fn check_kernel(kernel: usize) -> Result<(), SpaceError> {
    if kernel <= LARGEST_KERNEL && kernel % 2 == 1 {
        Ok(())
    } else {
        Err(SpaceError::setting("kernel", kernel, format!("must be odd and from 1 to {LARGEST_KERNEL}")))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conv(k) => write!(f, "conv_{k}x{k}"),
            Self::SeparableConv(k) => write!(f, "sep_conv_{k}x{k}"),
            Self::MaxPool(k) => write!(f, "max_pool_{k}x{k}"),
            Self::AvgPool(k) => write!(f, "avg_pool_{k}x{k}"),
            Self::Skip => f.write_str("skip"),
        }
    }
}

impl FromStr for Operation {
    type Err = SpaceError;

    fn from_str(text: &str) -> Result<Self, SpaceError> {
        let unknown = || {
            let known = ["conv_3x3", "sep_conv_3x3", "max_pool_3x3", "avg_pool_3x3", "skip"];
            SpaceError::unknown("operation", text, known)
        };
        if text == "skip" {
            return Ok(Self::Skip);
        }
        let (kind, size) = text.rsplit_once('_').ok_or_else(unknown)?;
        let (rows, columns) = size.split_once('x').ok_or_else(unknown)?;
        let kernel: usize = rows.parse().map_err(|_| unknown())?;
        if rows != columns {
            return Err(unknown());
        }
        let operation = match kind {
            "conv" => Self::Conv(kernel),
            "sep_conv" => Self::SeparableConv(kernel),
            "max_pool" => Self::MaxPool(kernel),
            "avg_pool" => Self::AvgPool(kernel),
            _ => return Err(unknown()),
        };
        operation.check()?;
        Ok(operation)
    }
}

impl From<Operation> for String {
    fn from(operation: Operation) -> Self {
        operation.to_string()
    }
}

impl TryFrom<String> for Operation {
    type Error = SpaceError;

    fn try_from(text: String) -> Result<Self, SpaceError> {
        text.parse()
    }
}

/// A number of channels or units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Width {
    /// This many.
    Units(usize),
    /// This many times the network's base number of channels.
    Times(usize),
}

impl Width {
    /// The number for a base number of channels.
    pub fn resolve(self, channels: usize) -> usize {
        match self {
            Self::Units(units) => units,
            Self::Times(factor) => factor.saturating_mul(channels),
        }
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Units(units) => write!(f, "{units}"),
            Self::Times(factor) => write!(f, "{factor}C"),
        }
    }
}

/// One layer of a chain. Where it lists several options, the search decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
    /// An operation on maps, then ReLU.
    Features {
        /// The operations to choose from.
        operations: Vec<Operation>,
        /// The numbers of channels to choose from.
        widths: Vec<Width>,
        /// Step in rows and columns.
        stride: usize,
    },
    /// A 2×2 maximum pool, left out where the map has become too small to be halved.
    Halve,
    /// A fully connected layer, then ReLU.
    Linear {
        /// The numbers of units to choose from.
        units: Vec<Width>,
    },
}

impl Layer {
    /// The options of width; none for a layer that keeps its input's.
    pub(super) fn widths(&self) -> &[Width] {
        match self {
            Self::Features { widths, .. } => widths,
            Self::Linear { units } => units,
            Self::Halve => &[],
        }
    }

    /// The options of operation; none for a layer that has a single kind.
    pub(super) fn operations(&self) -> &[Operation] {
        match self {
            Self::Features { operations, .. } => operations,
            Self::Halve | Self::Linear { .. } => &[],
        }
    }
}

/// The name of the table of architecture weights behind a decision.
pub(in crate::space) fn table_name(decision: &str) -> String {
    format!("alphas_{decision}")
}

pub(super) fn operation_decision(layer: usize) -> String {
    format!("layer{layer}_operation")
}

pub(super) fn width_decision(layer: usize) -> String {
    format!("layer{layer}_width")
}

/// Whether something is listed twice.
pub(in crate::space) fn has_twice<T: PartialEq>(items: &[T]) -> bool {
    items.iter().enumerate().any(|(i, item)| items[..i].contains(item))
}
