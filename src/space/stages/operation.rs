//! The operations that a block may choose among.

use crate::space::SpaceError;
use crate::space::chain::{self, check_kernel};
use std::fmt;
use std::str::FromStr;

/// Largest expansion of an inverted residual.
const MOST_EXPANSION: usize = 32;

/// Examples of every kind, for those who mistype one.
const KNOWN: [&str; 10] = [
    "mbconv_3x3_e3",
    "mbconv_3x3_e6",
    "mbconv_5x5_e3",
    "mbconv_5x5_e6",
    "conv_1x1",
    "conv_3x3",
    "sep_conv_3x3",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip",
];

/// What a block computes. Written as `mbconv_3x3_e6` or as the operations of a chain are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// An inverted residual (Sandler et al. 2018, table 1): a 1×1 convolution to `expansion` times the channels
    /// (left out where that is 1), a depthwise one, a 1×1 convolution without ReLU; the input is added
    /// where it has the result's shape.
    InvertedResidual {
        /// Rows and columns of the depthwise kernel, odd.
        kernel: usize,
        /// Hidden channels for each channel of the input.
        expansion: usize,
    },
    /// An operation of a chain, without a residual sum; convolutions end in ReLU.
    Plain(chain::Operation),
}

impl Operation {
    /// The identity.
    pub const SKIP: Self = Self::Plain(chain::Operation::Skip);

    /// An inverted residual.
    ///
    /// # Errors
    /// [`SpaceError::Setting`] if the kernel is even, or one of the two is zero or too large.
    pub fn inverted_residual(kernel: usize, expansion: usize) -> Result<Self, SpaceError> {
        check_kernel(kernel)?;
        check_expansion(expansion)?;
        Ok(Self::InvertedResidual { kernel, expansion })
    }
}

/// Whether an expansion is neither zero nor too large.
pub(super) fn check_expansion(expansion: usize) -> Result<(), SpaceError> {
    crate::space::settings::within("expansion", expansion, MOST_EXPANSION)
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvertedResidual { kernel, expansion } => write!(f, "mbconv_{kernel}x{kernel}_e{expansion}"),
            Self::Plain(operation) => operation.fmt(f),
        }
    }
}

impl FromStr for Operation {
    type Err = SpaceError;

    fn from_str(text: &str) -> Result<Self, SpaceError> {
        let unknown = || SpaceError::unknown("operation", text, KNOWN);
        let Some(sizes) = text.strip_prefix("mbconv_") else {
            return match text.parse() {
                Ok(operation) => Ok(Self::Plain(operation)),
                // A chain does not know all names that are known here.
                Err(SpaceError::Unknown { .. }) => Err(unknown()),
                Err(other) => Err(other),
            };
        };
        let (kernel, expansion) = sizes.split_once("_e").ok_or_else(unknown)?;
        let (rows, columns) = kernel.split_once('x').ok_or_else(unknown)?;
        if rows != columns {
            return Err(unknown());
        }
        let number = |text: &str| text.parse::<usize>().map_err(|_| unknown());
        let operation = Self::inverted_residual(number(rows)?, number(expansion)?)?;
        // One name for one operation: no leading zeros or signs.
        if operation.to_string() == text { Ok(operation) } else { Err(unknown()) }
    }
}
