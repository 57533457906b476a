//! What the depthwise twins have in common, whether of a bank of filters or of a single one: windows of several kinds
//! over planes of images. A plane of x (or of dy) is prepared once, for all branches that read it. There are three ways:
//! tiny maps become matrices, windows of usual size go in blocks, and what is too large for these goes row by row; which
//! it is follows from the sizes alone, before anything is written.

use super::convolve::Entry;
use super::register_block::{SIZE, Source};
use super::tiny_matrix::enter;
use super::{Axis, LANES};
use crate::kernels::cpu::scratch::scratch;
use std::ops::Range;

mod backward_input;
mod backward_weight;
mod forward;
mod large_windows;
mod tiny_maps;

/// Results in one piece of work, about.
const PIECE: usize = 1 << 15;
/// Pieces of work that there are at least, so that all threads have some.
const FEWEST: usize = 8;

/// Branches with windows of the same kind.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Kind {
    pub branches: usize,
    /// Offset of the weights, [branches, channels, rows, columns].
    pub weight: usize,
    /// Rows and columns.
    pub window: [Axis; 2],
}

impl Kind {
    fn taps(&self) -> usize {
        self.window.iter().map(|axis| axis.kernel).product()
    }
}

/// Depthwise convolutions of the same planes, or of planes of the same size.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct Bank {
    /// Number of images.
    pub batch: usize,
    /// Channels of each branch.
    pub channels: usize,
    /// Planes from one image of x to the next; those of dx have no gaps.
    pub in_channels: usize,
    /// Planes from one image of y to the next.
    pub out_channels: usize,
    /// Height and width of x.
    pub size: [usize; 2],
    /// Height and width of y.
    pub out: [usize; 2],
    /// Distance of windows.
    pub stride: [usize; 2],
    /// Branches are numbered kind after kind; sizes and strides are the bank's.
    pub kinds: Vec<Kind>,
    /// Whether all branches read the same channels, or each its own.
    pub shared: bool,
    /// Whether x goes through a ReLU.
    pub rectified: bool,
    /// [mean, factor, bias] of each channel that is read, if it is normalised (before the ReLU).
    pub norms: Vec<[f32; 3]>,
    /// Whether results are added to what is there.
    pub accumulate: bool,
}

impl Bank {
    fn windows(&self) -> Vec<[Axis; 2]> {
        self.kinds.iter().map(|kind| kind.window).collect()
    }

    fn entry(&self, channels: Range<usize>) -> Entry<'_> {
        match (self.rectified, self.norms.is_empty()) {
            (false, _) => Entry::Plain,
            (true, true) => Entry::Rectified,
            (true, false) => Entry::Normalised(&self.norms[channels]),
        }
    }

    /// Planes `channels` of image `n` of x.
    fn planes<'a>(&self, x: &'a [f32], n: usize, channels: Range<usize>) -> &'a [f32] {
        let pixels = self.pixels();
        &x[(n * self.in_channels + channels.start) * pixels..][..channels.len() * pixels]
    }

    /// The planes that `channels` of a branch read.
    fn own(&self, branch: usize, channels: Range<usize>) -> Range<usize> {
        let first = if self.shared { 0 } else { branch * self.channels };
        first + channels.start..first + channels.end
    }

    /// f of the planes `channels` of some images: where it is and how far apart images are.
    fn entered<'a>(
        &self,
        x: &'a [f32],
        images: &Range<usize>,
        channels: Range<usize>,
        held: &'a mut [f32],
    ) -> (&'a [f32], usize) {
        let (pixels, distance, planes) = (self.pixels(), self.in_channels * self.pixels(), channels.len());
        let from = &x[images.start * distance + channels.start * pixels..];
        match self.entry(channels) {
            Entry::Plain => (from, distance),
            entry => {
                let held = &mut held[..images.len() * planes * pixels];
                enter(entry, from, distance, pixels, planes, held);
                (held, planes * pixels)
            }
        }
    }

    /// The kind and number in it of each branch.
    fn each_branch(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.kinds.iter().enumerate().flat_map(|(k, kind)| (0..kind.branches).map(move |b| (k, b)))
    }

    fn branches(&self) -> usize {
        self.kinds.iter().map(|kind| kind.branches).sum()
    }

    /// Channels of an image of x that are read.
    fn read(&self) -> usize {
        self.channels * if self.shared { 1 } else { self.branches() }
    }

    /// Offset of a branch's weights.
    fn weights(&self, kind: usize, branch: usize) -> usize {
        let kind = &self.kinds[kind];
        kind.weight + branch * self.channels * kind.taps()
    }

    /// Channels in one piece of work; of a few images so many that there are [`FEWEST`] pieces.
    fn together(&self, results: usize) -> usize {
        let share = (self.batch * self.channels).div_ceil(FEWEST);
        (PIECE / results.max(1)).min(share).clamp(1, self.channels.max(1))
    }

    /// About how much work there is, in products of vectors.
    fn work(&self) -> usize {
        let taps: usize = self.kinds.iter().map(|kind| kind.branches * kind.taps()).sum();
        self.batch * self.channels * self.out_pixels() * taps / 2
    }

    fn pixels(&self) -> usize {
        self.size.iter().product()
    }

    fn out_pixels(&self) -> usize {
        self.out.iter().product()
    }

    /// Of the largest window.
    fn taps(&self) -> usize {
        self.kinds.iter().map(Kind::taps).max().unwrap_or(0)
    }
}

/// `range` in pieces of `length`.
fn pieces(range: Range<usize>, length: usize) -> impl Iterator<Item = Range<usize>> {
    range.clone().step_by(length).map(move |first| first..range.end.min(first + length))
}

/// Lends `f` two sources that begin with so many zeros, and `rest` more elements.
fn with_sources(zeros: [usize; 2], rest: usize, f: impl FnOnce(&mut Source, &mut Source, &mut [f32])) {
    scratch([SIZE + LANES, SIZE + LANES, rest], |[a, b, rest]| {
        a[..zeros[0]].fill(0.0);
        b[..zeros[1]].fill(0.0);
        // They have just this length.
        if let (Some(a), Some(b)) = (a.first_chunk_mut(), b.first_chunk_mut()) {
            f(a, b, rest);
        }
    });
}
