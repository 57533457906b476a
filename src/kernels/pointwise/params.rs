//! Parameters of the kernels, and what follows from them alone.

use crate::kernels::cpu::parallel;
use crate::params;
use std::ops::Range;

params! {
    /// Parameters of [`FORWARD`](super::FORWARD), [`BACKWARD_INPUT`](super::BACKWARD_INPUT) and [`BACKWARD_WEIGHT`](super::BACKWARD_WEIGHT).
    pub struct Params {
        /// Offset of x or dx.
        pub input: u32,
        /// Offset of w or dw, [groups, outputs, inputs].
        pub weight: u32,
        /// Offset of the bias, [groups, outputs].
        pub bias: u32,
        /// Offset of y or dy.
        pub output: u32,
        /// Number of images.
        pub batch: u32,
        /// Channels of a group of x.
        pub inputs: u32,
        /// Channels of a group of y.
        pub outputs: u32,
        /// Groups, each with its own weights.
        pub groups: u32,
        /// Height times width.
        pub pixels: u32,
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
    /// For `with_min_len`.
    pub(super) fn least(&self) -> usize {
        parallel::products(2 * self.multiply_adds())
    }

    pub(super) fn of(params: &[u8]) -> Self {
        bytemuck::pod_read_unaligned(params)
    }

    pub(super) fn multiply_adds(&self) -> u64 {
        [self.batch, self.groups, self.inputs, self.outputs, self.pixels].iter().map(|&n| u64::from(n)).product()
    }

    /// Columns of a group's product.
    pub(super) fn columns(&self) -> u64 {
        u64::from(self.batch) * u64::from(self.pixels)
    }

    pub(super) fn x(&self) -> Range<usize> {
        parallel::range(self.input, self.columns() as usize * (self.groups * self.inputs) as usize)
    }

    pub(super) fn w(&self) -> Range<usize> {
        parallel::range(self.weight, (self.groups * self.outputs) as usize * self.inputs as usize)
    }

    pub(super) fn bias(&self) -> Range<usize> {
        parallel::range(self.bias, (self.groups * self.outputs) as usize)
    }

    pub(super) fn y(&self) -> Range<usize> {
        parallel::range(self.output, self.columns() as usize * (self.groups * self.outputs) as usize)
    }
}
