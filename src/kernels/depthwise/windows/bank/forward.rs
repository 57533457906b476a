//! y (+)= w ∗ f(x) + bias, within bounds.

use super::tiny_maps::Dense;
use super::{Bank, pieces, with_sources};
use crate::kernels::cpu::parallel;
use crate::kernels::depthwise::windows::convolve::{Exit, Results, convolve, prepare};
use crate::kernels::depthwise::windows::register_block::Source;
use crate::kernels::depthwise::windows::{Fill, Layout, Plan, tile, tiles};
use rayon::prelude::*;
use std::ops::Range;

/// Images from which on matrices are made for tiny maps.
const FEWEST_IMAGES: usize = 8;

/// A tile of the results of all kinds.
struct Tile {
    first: [usize; 2],
    layout: Layout,
    fills: Vec<Fill>,
    plans: Vec<Plan>,
}

/// Its number of all, its kind, and its number of those.
type Branch = (usize, usize, usize);

/// A piece of work: some channels of an image.
struct Work<'a> {
    n: usize,
    channels: Range<usize>,
    /// Their planes of each branch.
    y: Vec<&'a mut [f32]>,
}

impl Bank {
    /// x and y begin with the first plane, w with the buffer, the biases with those of the first branch.
    pub fn forward(&self, x: &[f32], w: &[f32], exit: Exit<'_>, y: &mut [f32]) {
        // Of a few images it would take longer to make matrices than to read them.
        if let Some(dense) = Dense::of(self, false).filter(|_| self.batch >= FEWEST_IMAGES) {
            return self.forward_tiny(&dense, x, w, exit, y);
        }
        let (out, windows) = (self.out, self.windows());
        if y.is_empty() {
            return;
        }
        let Some(size) = tile(out, self.taps(), |tile| Layout::of(&windows, tile).length()) else {
            return self.forward_large(x, w, exit, y);
        };
        let tile = |(first, size): ([usize; 2], [usize; 2])| {
            let layout = Layout::of(&windows, size);
            let plans = windows.iter().map(|w| Plan::forward(w, &layout, size, out[1])).collect();
            Tile { first, fills: layout.fills(first), layout, plans }
        };
        let tiles: Vec<Tile> = tiles(out, size).into_iter().map(tile).collect();
        let longest = tiles.iter().map(|tile| tile.layout.together() * tile.layout.length()).max().unwrap_or(0);
        let (channels, pixels) = (self.channels, self.out_pixels());
        let together = self.together(self.branches() * pixels);
        let mut work: Vec<Work<'_>> = Vec::new();
        for (n, image) in y.chunks_mut(self.out_channels * pixels).enumerate() {
            let first = work.len();
            let piece = |channels| Work { n, channels, y: Vec::with_capacity(self.branches()) };
            work.extend(pieces(0..channels, together).map(piece));
            for planes in image.chunks_mut(channels * pixels).take(self.branches()) {
                for (work, planes) in work[first..].iter_mut().zip(planes.chunks_mut(together * pixels)) {
                    work.y.push(planes);
                }
            }
        }
        work.into_par_iter().with_min_len(parallel::least(self.work())).for_each(
            |Work { n, channels: piece, mut y }| {
                with_sources([longest, 0], 0, |source, _, _| {
                    for tile in &tiles {
                        let run = tile.layout.together();
                        let enter = |channels: Range<usize>, source: &mut Source| {
                            if tiles.len() > 1 {
                                source.fill(0.0);
                            }
                            let planes = self.planes(x, n, channels.clone());
                            prepare(&tile.layout, &tile.fills, self.entry(channels), planes, source);
                        };
                        let leave = |(branch, k, b): Branch, run: Range<usize>, y: &mut [f32], source: &Source| {
                            let exit = exit.of(branch * channels + run.start..branch * channels + run.end);
                            let taps = self.kinds[k].taps();
                            let w = &w[self.weights(k, b) + run.start * taps..][..run.len() * taps];
                            let first = (run.start - piece.start) * pixels + tile.first[0] * out[1] + tile.first[1];
                            let to = Results { to: &mut y[first..], plane: pixels, add: self.accumulate, exit };
                            convolve(&tile.layout, &tile.plans[k], source, w, taps, to);
                        };
                        if self.shared {
                            for run in pieces(piece.clone(), run) {
                                enter(run.clone(), source);
                                let branches = self.each_branch().enumerate().zip(&mut y);
                                branches
                                    .for_each(|((branch, (k, b)), y)| leave((branch, k, b), run.clone(), y, source));
                            }
                        } else {
                            for (branch, ((k, b), y)) in self.each_branch().zip(&mut y).enumerate() {
                                for run in pieces(piece.clone(), run) {
                                    enter(branch * channels + run.start..branch * channels + run.end, source);
                                    leave((branch, k, b), run, y, source);
                                }
                            }
                        }
                    }
                });
            },
        );
    }
}
