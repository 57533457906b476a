//! dx (+)= the gradient of f's argument, all branches added up.

use super::tiny_maps::Dense;
use super::{Bank, pieces, with_sources};
use crate::kernels::cpu::parallel;
use crate::kernels::depthwise::windows::convolve::{Entry, Exit, Results, convolve, prepare};
use crate::kernels::depthwise::windows::register_block::LANES;
use crate::kernels::depthwise::windows::scatter::{Spread, spread};
use crate::kernels::depthwise::windows::{Fill, Layout, Plan, tile, tiles};
use rayon::prelude::*;

/// A tile of the gradients of x, in every phase.
struct Tile {
    layout: Layout,
    fills: Vec<Fill>,
    phases: Vec<Phase>,
}

struct Phase {
    first: [usize; 2],
    results: [usize; 2],
    plans: Vec<Plan>,
}

impl Bank {
    /// Only a ReLU needs x, which may be empty otherwise. dx has no gaps; w begins with the buffer, the others with the
    /// first plane.
    pub fn backward_input(&self, x: &[f32], w: &[f32], dy: &[f32], dx: &mut [f32]) {
        if let Some(dense) = Dense::of(self, true) {
            return self.backward_input_tiny(&dense, x, w, dy, dx);
        }
        let (stride, size, windows) = (self.stride, self.size, self.windows());
        let all = [0, 1].map(|a| size[a].div_ceil(stride[a]));
        if dx.is_empty() {
            return;
        }
        let Some(most) = tile(all, self.taps(), |tile| Layout::of_gradients(&windows, tile).length()) else {
            return self.backward_input_large(x, w, dy, dx);
        };
        let (pitch, pixels, out_pixels) = (most[1].next_multiple_of(LANES), self.pixels(), self.out_pixels());
        let phases = stride[0] * stride[1];
        let tile = |(first, tile): ([usize; 2], [usize; 2])| {
            let layout = Layout::of_gradients(&windows, tile);
            let phase = |place: usize| {
                let phase = [place / stride[1], place % stride[1]];
                // The last phases may have fewer rows and columns.
                let results = [0, 1].map(|a| {
                    let pixels = size[a].saturating_sub(phase[a]).div_ceil(stride[a]);
                    pixels.saturating_sub(first[a]).min(tile[a])
                });
                let plan = |window| Plan::backward(window, &layout, phase, results, pitch);
                let first = [0, 1].map(|a| phase[a] + first[a] * stride[a]);
                Phase { first, results, plans: windows.iter().map(plan).collect() }
            };
            Tile { fills: layout.fills(first), phases: (0..phases).map(phase).collect(), layout }
        };
        let tiles: Vec<Tile> = tiles(all, most).into_iter().map(tile).collect();
        let (channels, groups) = (self.channels, self.read() / self.channels);
        let plane = most[0] * pitch;
        let length = tiles.iter().map(|tile| tile.layout.together()).max().unwrap_or(1) * plane;
        let longest = tiles.iter().map(|tile| tile.layout.together() * tile.layout.length()).max().unwrap_or(0);
        let together = self.together(if self.shared { self.branches() } else { 1 } * pixels);
        let blocks = parallel::blocks(dx, channels * pixels, together * pixels).into_par_iter();
        blocks.with_min_len(parallel::least(self.work())).for_each(|(group, at, dx)| {
            let (n, own, piece) = (group / groups, group % groups, at / pixels..(at + dx.len()) / pixels);
            with_sources([longest, 0], phases * length, |source, _, sums| {
                let runs = tiles.iter().flat_map(|t| pieces(piece.clone(), t.layout.together()).map(move |r| (t, r)));
                for (tile, run) in runs {
                    let mut first = true;
                    for (branch, (k, b)) in self.each_branch().enumerate().filter(|(b, _)| self.shared || *b == own) {
                        if tiles.len() > 1 {
                            source.fill(0.0);
                        }
                        let planes = (n * self.out_channels + branch * channels + run.start) * out_pixels;
                        let dy = &dy[planes..][..run.len() * out_pixels];
                        prepare(&tile.layout, &tile.fills, Entry::Plain, dy, source);
                        let taps = self.kinds[k].taps();
                        let w = &w[self.weights(k, b) + run.start * taps..][..run.len() * taps];
                        for (phase, sums) in tile.phases.iter().zip(sums.chunks_exact_mut(length)) {
                            let plan = &phase.plans[k];
                            if first && plan.is_empty() {
                                sums.fill(0.0);
                            }
                            convolve(
                                &tile.layout,
                                plan,
                                source,
                                w,
                                taps,
                                Results { to: sums, plane, add: !first, exit: Exit::default() },
                            );
                        }
                        first = false;
                    }
                    for (phase, sums) in tile.phases.iter().zip(sums.chunks_exact(length)) {
                        let to = Spread {
                            size,
                            first: phase.first,
                            stride,
                            results: phase.results,
                            pitch,
                            plane,
                            add: self.accumulate,
                        };
                        let read = own * channels + run.start..own * channels + run.end;
                        let x = if self.rectified { self.planes(x, n, read.clone()) } else { &[] };
                        let dx = &mut dx[(run.start - piece.start) * pixels..][..run.len() * pixels];
                        spread(&to, self.entry(read), x, sums, dx);
                    }
                }
            });
        });
    }
}
