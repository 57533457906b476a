//! Parameters of the kernels, and what follows from them alone.

use super::transform::{ROWS, TAPS, VALUES};
use crate::kernels::cpu::parallel;
use crate::params;
use std::ops::Range;

params! {
    /// Parameters of [`FILTER`](super::FILTER).
    pub struct FilterParams {
        /// Offset of w, [outputs, inputs, 3, 3].
        pub weight: u32,
        /// Offset of u: [6, 3, inputs, outputs], or turned round [6, 3, outputs, inputs].
        pub transformed: u32,
        /// Channels of y.
        pub outputs: u32,
        /// Channels of x.
        pub inputs: u32,
        /// Whether the filters are turned round, for the gradient of x.
        pub turned: u32,
    }
}

impl FilterParams {
    pub(super) fn of(params: &[u8]) -> Self {
        bytemuck::pod_read_unaligned(params)
    }

    /// Columns of filters, each of three taps.
    pub(super) fn columns(&self) -> usize {
        (self.outputs * self.inputs) as usize * TAPS
    }

    pub(super) fn w(&self) -> Range<usize> {
        parallel::range(self.weight, self.columns() * TAPS)
    }

    pub(super) fn u(&self) -> Range<usize> {
        parallel::range(self.transformed, self.columns() * VALUES)
    }
}

params! {
    /// Parameters of [`FORWARD`](super::FORWARD) and [`BACKWARD_WEIGHT`](super::BACKWARD_WEIGHT).
    pub struct Params {
        /// Offset of x.
        pub input: u32,
        /// Offset of u, or of dw, [outputs, inputs, 3, 3].
        pub weight: u32,
        /// Offset of the bias.
        pub bias: u32,
        /// Offset of y or dy.
        pub output: u32,
        /// Number of images.
        pub batch: u32,
        /// Channels of x.
        pub inputs: u32,
        /// Channels of y.
        pub outputs: u32,
        /// Height of x and of y.
        pub height: u32,
        /// Width of x and of y.
        pub width: u32,
        /// Whether there is a bias (1) or not (0).
        pub has_bias: u32,
        /// Whether results are added to (1) or overwrite (0) what is there.
        pub accumulate: u32,
    }
}

impl Params {
    pub(super) fn of(params: &[u8]) -> Self {
        bytemuck::pod_read_unaligned(params)
    }

    pub(super) fn pixels(&self) -> usize {
        (self.height * self.width) as usize
    }

    /// Columns of an image, of [`ROWS`] pixels each (the last ones may reach beyond it).
    pub(super) fn columns(&self) -> usize {
        (self.height as usize).div_ceil(ROWS) * self.width as usize
    }

    /// Products of one result in each of the sums.
    pub(super) fn depth(&self) -> usize {
        self.inputs as usize * TAPS
    }

    pub(super) fn x(&self) -> Range<usize> {
        parallel::range(self.input, (self.batch * self.inputs) as usize * self.pixels())
    }

    pub(super) fn u(&self) -> Range<usize> {
        parallel::range(self.weight, self.outputs as usize * self.depth() * VALUES)
    }

    pub(super) fn dw(&self) -> Range<usize> {
        parallel::range(self.weight, self.outputs as usize * self.depth() * TAPS)
    }

    pub(super) fn y(&self) -> Range<usize> {
        parallel::range(self.output, (self.batch * self.outputs) as usize * self.pixels())
    }

    /// Those of the convolution as it is defined, so that rates compare.
    pub(super) fn flops(&self) -> u64 {
        2 * self.y().len() as u64 * (self.depth() * TAPS) as u64
    }
}
