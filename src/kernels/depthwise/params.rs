//! Parameters of the kernels, and what follows from them alone.

use super::super::parallel;
use crate::params;
use std::ops::Range;

params! {
    /// Parameters of [`FORWARD`](super::FORWARD), [`BACKWARD_INPUT`](super::BACKWARD_INPUT) and [`BACKWARD_WEIGHT`](super::BACKWARD_WEIGHT).
    pub struct Params {
        /// Offset of x or dx.
        pub input: u32,
        /// Offset of w or dw, [channels, 1, kernel_rows, kernel_columns].
        pub weight: u32,
        /// Offset of y or dy.
        pub output: u32,
        /// Number of images.
        pub batch: u32,
        /// Channels of x and y.
        pub channels: u32,
        /// Height of x.
        pub height: u32,
        /// Width of x.
        pub width: u32,
        /// Height of y.
        pub out_height: u32,
        /// Width of y.
        pub out_width: u32,
        /// Height of the window.
        pub kernel_rows: u32,
        /// Width of the window.
        pub kernel_columns: u32,
        /// Rows from one window to the next.
        pub stride_rows: u32,
        /// Columns from one window to the next.
        pub stride_columns: u32,
        /// Rows from one tap to the next.
        pub dilation_rows: u32,
        /// Columns from one tap to the next.
        pub dilation_columns: u32,
        /// Rows of zeros above x; negative: rows left out.
        pub pad_top: i32,
        /// Columns of zeros left of x; negative: columns left out.
        pub pad_left: i32,
        /// Whether results are added to (1) or overwrite (0) what is there.
        pub accumulate: u32,
    }
}

impl Params {
    pub(super) fn of(params: &[u8]) -> Self {
        bytemuck::pod_read_unaligned(params)
    }

    pub(super) fn planes(&self) -> usize {
        self.batch as usize * self.channels as usize
    }

    pub(super) fn pixels(&self) -> usize {
        self.height as usize * self.width as usize
    }

    pub(super) fn out_pixels(&self) -> usize {
        self.out_height as usize * self.out_width as usize
    }

    pub(super) fn taps(&self) -> usize {
        self.kernel_rows as usize * self.kernel_columns as usize
    }

    pub(super) fn x(&self) -> Range<usize> {
        parallel::range(self.input, self.planes() * self.pixels())
    }

    pub(super) fn w(&self) -> Range<usize> {
        parallel::range(self.weight, self.channels as usize * self.taps())
    }

    pub(super) fn y(&self) -> Range<usize> {
        parallel::range(self.output, self.planes() * self.out_pixels())
    }

    pub(super) fn flops(&self) -> u64 {
        2 * (self.planes() * self.out_pixels() * self.taps()) as u64
    }

    /// For rows and for columns: the fewest taps, and the fewest results, that lie a multiple of both stride
    /// and dilation apart.
    pub(super) fn steps(&self) -> [[u32; 2]; 2] {
        let step = |stride: u32, dilation: u32| {
            let (mut common, mut rest) = (stride, dilation);
            while rest != 0 {
                (common, rest) = (rest, common % rest);
            }
            [stride / common, dilation / common]
        };
        [step(self.stride_rows, self.dilation_rows), step(self.stride_columns, self.dilation_columns)]
    }
}
