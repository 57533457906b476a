//! Parameters of the kernels, and what follows from them alone.

use super::super::conv::Window;
use crate::kernels::cpu::parallel;
use crate::numbers::common_divisor;
use crate::params;
use std::ops::Range;

params! {
    /// Parameters of [`FORWARD`](super::FORWARD), [`BACKWARD_INPUT`](super::BACKWARD_INPUT) and [`BACKWARD_WEIGHT`](super::BACKWARD_WEIGHT).
    pub struct Params {
        /// Offset of x or dx.
        pub input: u32,
        /// Offset of w or dw, [channels, 1, kernel_rows, kernel_columns].
        pub weight: u32,
        /// Offset of the bias, \[channels\].
        pub bias: u32,
        /// Offset of y or dy.
        pub output: u32,
        /// Number of images.
        pub batch: u32,
        /// Channels of x and y.
        pub channels: u32,
        /// Where the windows read and write.
        pub window: Window,
        /// Whether there is a bias (1) or not (0).
        pub has_bias: u32,
        /// Whether results are added to (1) or overwrite (0) what is there.
        pub accumulate: u32,
        /// Whether results are held within bounds (1) or not (0): ReLU, ReLU6; of [`FORWARD`](super::FORWARD) alone.
        pub bounded: u32,
        /// The lower bound.
        pub low: f32,
        /// The upper bound; ∞ for none.
        pub high: f32,
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
        self.window.pixels()
    }

    pub(super) fn out_pixels(&self) -> usize {
        self.window.out_pixels()
    }

    pub(super) fn taps(&self) -> usize {
        self.window.taps()
    }

    pub(super) fn x(&self) -> Range<usize> {
        parallel::range(self.input, self.planes() * self.pixels())
    }

    pub(super) fn w(&self) -> Range<usize> {
        parallel::range(self.weight, self.channels as usize * self.taps())
    }

    pub(super) fn bias(&self) -> Range<usize> {
        parallel::range(self.bias, self.channels as usize)
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
            let common = common_divisor(stride as usize, dilation as usize) as u32;
            [stride / common, dilation / common]
        };
        [
            step(self.window.stride_rows, self.window.dilation_rows),
            step(self.window.stride_columns, self.window.dilation_columns),
        ]
    }
}
