//! Parameters of the kernels, and what follows from them alone.

use crate::params;
use std::ops::Range;

params! {
    /// Parameters of [`FORWARD`](super::FORWARD), [`BACKWARD_INPUT`](super::BACKWARD_INPUT) and [`BACKWARD_WEIGHT`](super::BACKWARD_WEIGHT).
    pub struct Params {
        /// Offset of x.
        pub input: u32,
        /// Offset of y or dy.
        pub output: u32,
        /// Offset of dx, [batch, channels read, height, width] without gaps.
        pub gradient: u32,
        /// Offset of the first kind's weights (or their gradients), [branches, channels, kernel, kernel].
        pub weight0: u32,
        /// The same of the second kind.
        pub weight1: u32,
        /// The same of the third kind.
        pub weight2: u32,
        /// The same of the fourth kind.
        pub weight3: u32,
        /// Offset of [mean | inverse deviation] of x, `norm` channels each.
        pub saved: u32,
        /// Offset of γ.
        pub scale: u32,
        /// Offset of β.
        pub bias: u32,
        /// Number of images.
        pub batch: u32,
        /// Channels of each branch.
        pub channels: u32,
        /// Height of x.
        pub height: u32,
        /// Width of x.
        pub width: u32,
        /// Height of y: (height − 1)/stride + 1.
        pub out_height: u32,
        /// Width of y: (width − 1)/stride + 1.
        pub out_width: u32,
        /// Rows, and columns, from one window to the next.
        pub stride: u32,
        /// Planes from one image of x to the next.
        pub in_channels: u32,
        /// Planes from one image of y to the next.
        pub out_channels: u32,
        /// Branches of the first kind. A kind without branches makes no results; its window still counts where shaders
        /// are specialised, so that banks that differ in this only share one.
        pub branches0: u32,
        /// Branches of the second kind.
        pub branches1: u32,
        /// Branches of the third kind.
        pub branches2: u32,
        /// Branches of the fourth kind.
        pub branches3: u32,
        /// Height and width of the first kind's windows, odd; 0: there is no such kind, nor branches of it.
        pub kernel0: u32,
        /// The same of the second kind.
        pub kernel1: u32,
        /// The same of the third kind.
        pub kernel2: u32,
        /// The same of the fourth kind.
        pub kernel3: u32,
        /// Distance of the taps of the first kind's windows.
        pub dilation0: u32,
        /// The same of the second kind.
        pub dilation1: u32,
        /// The same of the third kind.
        pub dilation2: u32,
        /// The same of the fourth kind.
        pub dilation3: u32,
        /// Whether all branches read the same channels (1) or each its own (0).
        pub shared_input: u32,
        /// Channels in `saved`; 0: x is not normalised.
        pub norm: u32,
        /// Whether there are γ and β (only with `norm`).
        pub affine: u32,
        /// Whether results are added to (1) or overwrite (0) what is there.
        pub accumulate: u32,
    }
}

/// Branches with windows of the same kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// Number of the first branch.
    pub(super) first: usize,
    pub(super) branches: usize,
    pub(super) kernel: usize,
    pub(super) dilation: usize,
    /// Offset of the weights.
    pub(super) weight: usize,
}

impl Kind {
    pub(super) fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    pub(super) fn pad(&self) -> usize {
        self.dilation * (self.kernel - 1) / 2
    }
}

impl Params {
    pub(super) fn of(params: &[u8]) -> Self {
        bytemuck::pod_read_unaligned(params)
    }

    /// [branches, kernel, dilation, offset of the weights] of each kind, whether it is there or not.
    pub(super) fn slots(&self) -> [[u32; 4]; 4] {
        [
            [self.branches0, self.kernel0, self.dilation0, self.weight0],
            [self.branches1, self.kernel1, self.dilation1, self.weight1],
            [self.branches2, self.kernel2, self.dilation2, self.weight2],
            [self.branches3, self.kernel3, self.dilation3, self.weight3],
        ]
    }

    /// The kinds that are there.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let mut first = 0;
        let mut kinds = Vec::new();
        for slot in self.slots().into_iter().filter(|slot| slot[0] > 0) {
            let [branches, kernel, dilation, weight] = slot.map(|value| value as usize);
            kinds.push(Kind { first, branches, kernel, dilation, weight });
            first += branches;
        }
        kinds
    }

    pub(super) fn branches(&self) -> usize {
        self.slots().iter().map(|slot| slot[0] as usize).sum()
    }

    /// Channels of an image of x that are read.
    pub(super) fn read(&self) -> usize {
        self.channels as usize * if self.shared_input != 0 { 1 } else { self.branches() }
    }

    pub(super) fn pixels(&self) -> usize {
        self.height as usize * self.width as usize
    }

    pub(super) fn out_pixels(&self) -> usize {
        self.out_height as usize * self.out_width as usize
    }

    /// The elements from the first plane to the last, of images so far apart.
    pub(super) fn span(&self, offset: u32, distance: u32, planes: usize, pixels: usize) -> Range<usize> {
        let last = (self.batch as usize).checked_sub(1).map_or(0, |n| n * distance as usize + planes);
        offset as usize..offset as usize + last * pixels
    }

    pub(super) fn x(&self) -> Range<usize> {
        self.span(self.input, self.in_channels, self.read(), self.pixels())
    }

    pub(super) fn y(&self) -> Range<usize> {
        self.span(self.output, self.out_channels, self.branches() * self.channels as usize, self.out_pixels())
    }

    pub(super) fn dx(&self) -> Range<usize> {
        self.span(self.gradient, self.read() as u32, self.read(), self.pixels())
    }

    pub(super) fn flops(&self) -> u64 {
        let taps: usize = self.kinds().iter().map(|kind| kind.branches * kind.taps()).sum();
        2 * (self.batch as usize * self.channels as usize * self.out_pixels() * taps) as u64
    }
}
