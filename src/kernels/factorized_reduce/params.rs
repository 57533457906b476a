//! Parameters of the kernels, and what follows from them alone.

use crate::kernels::cpu::parallel;
use crate::params;
use std::ops::Range;

params! {
    /// Parameters of [`FORWARD`](super::FORWARD), [`BACKWARD_INPUT`](super::BACKWARD_INPUT) and [`BACKWARD_WEIGHT`](super::BACKWARD_WEIGHT).
    pub struct Params {
        /// Offset of x.
        pub input: u32,
        /// Offset of dx.
        pub gradient: u32,
        /// Offset of w or dw, [outputs, inputs].
        pub weight: u32,
        /// Offset of y or dy.
        pub output: u32,
        /// Number of images.
        pub batch: u32,
        /// Channels of x.
        pub inputs: u32,
        /// Channels of y, a multiple of 2 · block.
        pub outputs: u32,
        /// Neighbouring channels of y that come from the same convolution.
        pub block: u32,
        /// Height of x.
        pub height: u32,
        /// Width of x.
        pub width: u32,
        /// Whether results are added to (1) or overwrite (0) what is there.
        pub accumulate: u32,
    }
}

impl Params {
    pub(super) fn of(params: &[u8]) -> Self {
        bytemuck::pod_read_unaligned(params)
    }

    pub(super) fn pixels(&self) -> usize {
        self.height as usize * self.width as usize
    }

    pub(super) fn out_pixels(&self) -> usize {
        self.height.div_ceil(2) as usize * self.width.div_ceil(2) as usize
    }

    pub(super) fn x(&self) -> Range<usize> {
        parallel::range(self.input, (self.batch * self.inputs) as usize * self.pixels())
    }

    pub(super) fn dx(&self) -> Range<usize> {
        parallel::range(self.gradient, self.x().len())
    }

    pub(super) fn w(&self) -> Range<usize> {
        parallel::range(self.weight, (self.inputs * self.outputs) as usize)
    }

    pub(super) fn y(&self) -> Range<usize> {
        parallel::range(self.output, (self.batch * self.outputs) as usize * self.out_pixels())
    }

    pub(super) fn flops(&self) -> u64 {
        2 * self.y().len() as u64 * u64::from(self.inputs)
    }

    /// Images that fill `width` columns together, where one does not.
    pub(super) fn images(&self, width: usize) -> usize {
        (width / self.out_pixels().max(1)).clamp(1, self.batch.max(1) as usize)
    }
}
