//! Shape of one sample's features.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Channels × height × width of one sample, without the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Features {
    /// Number of channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Features {
    /// Shape `channels` × `height` × `width`.
    pub const fn new(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width }
    }

    /// Number of values.
    pub const fn count(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Number of values, or `None` where it cannot be addressed.
    pub fn checked_count(&self) -> Option<usize> {
        self.channels.checked_mul(self.height)?.checked_mul(self.width).filter(|&n| n <= isize::MAX as usize)
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}

impl FromStr for Features {
    type Err = String;

    /// Reads `CHANNELSxHEIGHTxWIDTH`, e.g. `3x32x32`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not an image size: write CHANNELSxHEIGHTxWIDTH, for instance 3x32x32");
        let numbers: Vec<usize> =
            text.split(['x', '×']).map(|part| part.trim().parse()).collect::<Result<_, _>>().map_err(|_| wrong())?;
        match numbers[..] {
            [channels, height, width]
                if channels > 0 && height > 0 && width > 0 && channels.max(height).max(width) <= 65_536 =>
            {
                Ok(Self { channels, height, width })
            }
            _ => Err(wrong()),
        }
    }
}
