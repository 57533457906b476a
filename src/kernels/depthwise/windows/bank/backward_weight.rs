//! dw (+)= the gradients of the weights.

use super::tiny_maps::Dense;
use super::{Bank, PIECE, pieces, with_sources};
use crate::kernels::cpu::parallel;
use crate::kernels::cpu::store::put;
use crate::kernels::depthwise::windows::convolve::{Entry, correlate, prepare};
use crate::kernels::depthwise::windows::register_block::{LANES, SIZE};
use crate::kernels::depthwise::windows::{Fill, Layout, Plan, tile, tiles};
use rayon::prelude::*;
use std::ops::Range;

/// Results to be summed in one chain at most, for accuracy.
const CHAIN: usize = 256 * LANES;
/// Channels whose weights' gradients are summed in one piece of work, at most.
const CHANNELS: usize = 8;

/// A tile of the gradients of y.
struct Tile {
    layouts: [Layout; 2],
    fills: [Vec<Fill>; 2],
    plans: Vec<Plan>,
    /// Products of a weight in one lane, at most.
    chain: usize,
}

impl Bank {
    /// x and dy begin with the first plane, dw with the buffer.
    pub fn backward_weight(&self, x: &[f32], dy: &[f32], dw: &mut [f32]) {
        if let Some(dense) = Dense::of(self, false) {
            return self.backward_weight_tiny(&dense, x, dy, dw);
        }
        let (out, windows) = (self.out, self.windows());
        let layouts = |tile| [Layout::of(&windows, tile), Layout::of_results(out, tile, &windows)];
        let length = |tile| layouts(tile).iter().map(Layout::length).max().unwrap_or(0);
        let Some(size) = tile(out, self.taps(), length) else {
            return self.backward_weight_large(x, dy, dw);
        };
        let tile = |(first, size): ([usize; 2], [usize; 2])| {
            let layouts = layouts(size);
            Tile {
                fills: [layouts[0].fills(first), layouts[1].tile(first, size)],
                plans: windows.iter().map(|w| Plan::forward(w, &layouts[0], size, layouts[1].pitch())).collect(),
                chain: size[0] * size[1].next_multiple_of(LANES / 2).max(LANES),
                layouts,
            }
        };
        let tiles: Vec<Tile> = tiles(out, size).into_iter().map(tile).collect();
        let (channels, pixels) = (self.channels, self.out_pixels());
        // Sums of one channel: of every branch, tap after tap.
        let sums: usize = self.kinds.iter().map(|kind| kind.branches * kind.taps()).sum();
        // Sums over a fixed number of images and channels are one piece of work, whatever the number of threads.
        let images = (4 * PIECE / (pixels * self.branches()).max(1)).clamp(1, self.batch.max(1));
        let together = tiles.iter().map(run_of).min().unwrap_or(1).min(self.together(pixels * images)).min(CHANNELS);
        let work: Vec<(Range<usize>, Range<usize>)> = pieces(0..channels, together)
            .flat_map(|channels| pieces(0..self.batch, images).map(move |images| (channels.clone(), images)))
            .collect();
        let add = |(piece, images): (Range<usize>, Range<usize>)| {
            let mut totals = vec![0.0f64; piece.len() * sums];
            // Blocks read behind the planes: what they meet there, 0, must not be multiplied with a NaN.
            let zeros = [0, 1].map(|side| tiles.iter().map(|tile| tile.reach(side, piece.len())).max().unwrap_or(0));
            with_sources(zeros, piece.len() * sums * LANES, |source, held, chains| {
                let chains = chains.as_chunks_mut::<LANES>().0;
                chains.fill([0.0; LANES]);
                let mut length = 0;
                for (n, tile) in images.flat_map(|n| tiles.iter().map(move |tile| (n, tile))) {
                    if length + tile.chain > CHAIN {
                        flush(chains, &mut totals);
                        length = 0;
                    }
                    length += tile.chain;
                    if tiles.len() > 1 {
                        held.fill(0.0);
                    }
                    let mut rest = &mut *chains;
                    for (branch, (k, _)) in self.each_branch().enumerate() {
                        if !self.shared || branch == 0 {
                            if tiles.len() > 1 {
                                source.fill(0.0);
                            }
                            let first = if self.shared { 0 } else { branch * channels };
                            let read = first + piece.start..first + piece.end;
                            let planes = self.planes(x, n, read.clone());
                            prepare(&tile.layouts[0], &tile.fills[0], self.entry(read), planes, source);
                        }
                        let planes = (n * self.out_channels + branch * channels + piece.start) * pixels;
                        let dy = &dy[planes..][..piece.len() * pixels];
                        prepare(&tile.layouts[1], &tile.fills[1], Entry::Plain, dy, held);
                        let taps = self.kinds[k].taps();
                        let (these, others) = std::mem::take(&mut rest).split_at_mut(piece.len() * taps);
                        rest = others;
                        correlate([&tile.layouts[0], &tile.layouts[1]], &tile.plans[k], source, held, these, taps);
                    }
                }
                flush(chains, &mut totals);
            });
            totals
        };
        let parts: Vec<Vec<f64>> =
            work.clone().into_par_iter().with_min_len(parallel::least(self.work())).map(add).collect();
        let per_piece = self.batch.div_ceil(images).max(1);
        for ((piece, _), parts) in work.iter().step_by(per_piece).zip(parts.chunks(per_piece)) {
            let mut at = 0;
            for (k, b) in self.each_branch() {
                let taps = self.kinds[k].taps();
                let first = self.weights(k, b) + piece.start * taps;
                for dw in &mut dw[first..first + piece.len() * taps] {
                    put(dw, parts.iter().map(|part| part[at]).sum(), u32::from(self.accumulate));
                    at += 1;
                }
            }
        }
    }
}

impl Tile {
    /// Elements of so many planes of the source (0) or of the gradients (1) that blocks read.
    fn reach(&self, side: usize, planes: usize) -> usize {
        let last = self.plans.iter().map(|plan| plan.reach()[side]).max().unwrap_or(0);
        let length = self.layouts[side].length();
        ((planes - 1) * length + last.max(length)).min(SIZE + LANES)
    }
}

/// Planes that both sources hold.
fn run_of(tile: &Tile) -> usize {
    tile.layouts.iter().map(Layout::together).min().unwrap_or(1)
}

/// Adds the chains' lanes to the totals and begins anew.
fn flush(chains: &mut [[f32; LANES]], totals: &mut [f64]) {
    for (total, chain) in totals.iter_mut().zip(chains) {
        *total += std::mem::take(chain).iter().map(|&value| f64::from(value)).sum::<f64>();
    }
}
