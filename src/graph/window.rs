//! What a window over a map is: of a convolution, of a pool.

use serde::{Deserialize, Serialize};

/// Rows and columns added around an image; negative values cut them off.
///
/// Factorised reduction reads its input shifted by one row and column: that is a padding of −1 at
/// the top and left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Padding {
    /// Rows above.
    pub top: i32,
    /// Columns to the left.
    pub left: i32,
    /// Rows below.
    pub bottom: i32,
    /// Columns to the right.
    pub right: i32,
}

impl Padding {
    /// The same padding on all sides.
    pub const fn same(size: i32) -> Self {
        Self { top: size, left: size, bottom: size, right: size }
    }

    /// `rows` above and below, `columns` left and right.
    pub const fn symmetric(rows: i32, columns: i32) -> Self {
        Self { top: rows, left: columns, bottom: rows, right: columns }
    }
}

/// A convolution over `[channels, height, width]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv {
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output.
    pub outputs: usize,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Step in rows and columns.
    pub stride: [usize; 2],
    /// Padding around the input.
    pub padding: Padding,
    /// Distance of the kernel's taps in rows and columns.
    pub dilation: [usize; 2],
    /// Number of groups; `inputs` for a depthwise convolution.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Conv {
    /// A square convolution of odd kernel size with "same" padding, no bias.
    pub const fn square(inputs: usize, outputs: usize, kernel: usize, stride: usize) -> Self {
        Self {
            inputs,
            outputs,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: Padding::same((kernel / 2) as i32),
            dilation: [1; 2],
            groups: 1,
            bias: false,
        }
    }

    /// A depthwise convolution of odd kernel size and the given dilation, padded to keep the size
    /// at stride 1.
    pub const fn depthwise(channels: usize, kernel: usize, stride: usize, dilation: usize) -> Self {
        Self {
            inputs: channels,
            outputs: channels,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: Padding::same((dilation * (kernel / 2)) as i32),
            dilation: [dilation; 2],
            groups: channels,
            bias: false,
        }
    }

    /// Shape of the weight: `[outputs, inputs / groups, rows, columns]`.
    pub const fn weight_shape(&self) -> [usize; 4] {
        [self.outputs, self.inputs / self.groups, self.kernel[0], self.kernel[1]]
    }
}

/// A pooling window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Rows and columns of the (square) window.
    pub kernel: usize,
    /// Step.
    pub stride: usize,
    /// Padding on all sides.
    pub padding: usize,
    /// For averages: whether padding counts in the divisor.
    pub count_padding: bool,
    /// Rows below and columns to the right that windows reach further than the padding; fewer if negative. These never
    /// count.
    #[serde(default, skip_serializing_if = "is_even")]
    pub beyond: [i32; 2],
}

impl Pool {
    /// A pool with the same padding on all sides, which does not count.
    pub const fn new(kernel: usize, stride: usize, padding: usize) -> Self {
        Self { kernel, stride, padding, count_padding: false, beyond: [0; 2] }
    }
}

/// Whether windows reach equally far in all directions.
fn is_even(beyond: &[i32; 2]) -> bool {
    *beyond == [0; 2]
}
