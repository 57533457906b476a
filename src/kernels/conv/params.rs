//! Parameters of the kernels, and what follows from them alone.

use super::Window;
use crate::kernels::cpu::parallel;
use crate::params;
use std::ops::Range;

params! {
    /// Parameters of [`FORWARD`](super::FORWARD), [`BACKWARD_INPUT`](super::BACKWARD_INPUT) and [`BACKWARD_WEIGHT`](super::BACKWARD_WEIGHT).
    pub struct Params {
        /// Offset of x or dx.
        pub input: u32,
        /// Offset of w or dw, [outputs, inputs / groups, kernel_rows, kernel_columns].
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
        /// Groups, each with its share of inputs and outputs.
        pub groups: u32,
        /// Where the window reads and writes.
        pub window: Window,
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
        self.window.pixels()
    }

    pub(super) fn out_pixels(&self) -> usize {
        self.window.out_pixels()
    }

    pub(super) fn taps(&self) -> usize {
        self.window.taps()
    }

    /// Inputs of a group.
    pub(super) fn group_inputs(&self) -> usize {
        (self.inputs / self.groups) as usize
    }

    /// Outputs of a group.
    pub(super) fn group_outputs(&self) -> usize {
        (self.outputs / self.groups) as usize
    }

    /// Weights of one output.
    pub(super) fn depth(&self) -> usize {
        self.group_inputs() * self.taps()
    }

    pub(super) fn x(&self) -> Range<usize> {
        parallel::range(self.input, (self.batch * self.inputs) as usize * self.pixels())
    }

    pub(super) fn w(&self) -> Range<usize> {
        parallel::range(self.weight, self.outputs as usize * self.depth())
    }

    pub(super) fn y(&self) -> Range<usize> {
        parallel::range(self.output, (self.batch * self.outputs) as usize * self.out_pixels())
    }

    pub(super) fn flops(&self) -> u64 {
        2 * self.y().len() as u64 * self.depth() as u64
    }

    /// Images that fill `width` columns together, where one does not.
    pub(super) fn images(&self, width: usize) -> usize {
        (width / self.out_pixels().max(1)).clamp(1, self.batch.max(1) as usize)
    }
}
