//! The tuned twins: a plane of x (or of dy) is padded, rectified and normalised once, for all branches that read it.

use super::{Kind, Params, reference};
use crate::device::Call;
use crate::kernels::parallel;
use crate::kernels::vector::scratch;
use crate::kernels::windows::block::{LANES, SIZE, Source};
use crate::kernels::windows::run::{Entry, Results, convolve, correlate, prepare};
use crate::kernels::windows::spread::{Spread, spread};
use crate::kernels::windows::{Axis, Fill, Layout, Plan, tile, tiles};
use rayon::prelude::*;
use std::ops::Range;

/// Results in one piece of work, about.
const PIECE: usize = 1 << 15;
/// Results to be summed in one chain at most, for accuracy.
const CHAIN: usize = 256 * LANES;

/// Channels whose weights' gradients are summed in one piece of work, at most.
const CHANNELS: usize = 8;

/// What the three twins need to know.
struct Bank {
    p: Params,
    kinds: Vec<Kind>,
    /// Rows and columns of each kind's windows.
    windows: Vec<[Axis; 2]>,
    /// [mean, factor, bias] of each channel that is read, if it is normalised.
    norms: Vec<[f32; 3]>,
}

impl Bank {
    fn new(p: Params, saved: &[f32], parameters: &[f32]) -> Self {
        let kinds = p.kinds();
        let axis = |kind: &Kind, size: u32, out: u32| Axis {
            size: size as usize,
            out: out as usize,
            kernel: kind.kernel,
            stride: p.stride as usize,
            dilation: kind.dilation,
            pad: kind.pad() as i64,
        };
        let windows = kinds.iter().map(|k| [axis(k, p.height, p.out_height), axis(k, p.width, p.out_width)]).collect();
        let norm = |ch: usize| {
            let saved = &saved[p.saved as usize..];
            let at = |offset: u32| parameters[offset as usize + ch];
            let (scale, bias) = if p.affine != 0 { (at(p.scale), at(p.bias)) } else { (1.0, 0.0) };
            [saved[ch], saved[p.norm as usize + ch] * scale, bias]
        };
        let norms = if p.norm == 0 { Vec::new() } else { (0..p.read()).map(norm).collect() };
        Self { p, kinds, windows, norms }
    }

    fn entry(&self, channels: Range<usize>) -> Entry<'_> {
        if self.norms.is_empty() { Entry::Rectified } else { Entry::Normalised(&self.norms[channels]) }
    }

    /// Planes `channels` of image `n` of x, which begins at `x`.
    fn planes<'a>(&self, x: &'a [f32], n: usize, channels: Range<usize>) -> &'a [f32] {
        let pixels = self.p.pixels();
        &x[(n * self.p.in_channels as usize + channels.start) * pixels..][..channels.len() * pixels]
    }

    /// The kind and number in it of each branch.
    fn branches(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.kinds.iter().enumerate().flat_map(|(k, kind)| (0..kind.branches).map(move |b| (k, b)))
    }

    /// Offset of a branch's weights.
    fn weights(&self, kind: usize, branch: usize) -> usize {
        let kind = &self.kinds[kind];
        kind.weight + branch * self.p.channels as usize * kind.taps()
    }

    /// Channels in one piece of work.
    fn together(&self, results: usize) -> usize {
        (PIECE / results.max(1)).clamp(1, self.p.channels as usize)
    }

    fn results(&self) -> [usize; 2] {
        [self.p.out_height as usize, self.p.out_width as usize]
    }

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

/// A tile of the results of all kinds.
struct Tile {
    first: [usize; 2],
    layout: Layout,
    fills: Vec<Fill>,
    plans: Vec<Plan>,
}

/// A piece of work: some channels of an image.
struct Work<'a> {
    n: usize,
    channels: Range<usize>,
    /// Their planes of each branch.
    y: Vec<&'a mut [f32]>,
}

pub(super) fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let bank = Bank::new(p, call.input(2), call.input(3));
    let out = bank.results();
    let Some(size) = tile(out, bank.taps(), |tile| Layout::of(&bank.windows, tile).length()) else {
        return reference::forward(call);
    };
    let (x, w, y) = (&call.input(0)[p.x()], call.input(1), &mut call.output(0)[p.y()]);
    if y.is_empty() {
        return;
    }
    let tile = |(first, size): ([usize; 2], [usize; 2])| {
        let layout = Layout::of(&bank.windows, size);
        let plans = bank.windows.iter().map(|w| Plan::forward(w, &layout, size, out[1])).collect();
        Tile { first, fills: layout.fills(first), layout, plans }
    };
    let tiles: Vec<Tile> = tiles(out, size).into_iter().map(tile).collect();
    let longest = tiles.iter().map(|tile| tile.layout.together() * tile.layout.length()).max().unwrap_or(0);
    let (channels, pixels) = (p.channels as usize, p.out_pixels());
    let together = bank.together(p.branches() * pixels);
    let mut work: Vec<Work<'_>> = Vec::new();
    for (n, image) in y.chunks_mut(p.out_channels as usize * pixels).enumerate() {
        let first = work.len();
        let piece = |channels| Work { n, channels, y: Vec::with_capacity(p.branches()) };
        work.extend(pieces(0..channels, together).map(piece));
        for planes in image.chunks_mut(channels * pixels).take(p.branches()) {
            for (work, planes) in work[first..].iter_mut().zip(planes.chunks_mut(together * pixels)) {
                work.y.push(planes);
            }
        }
    }
    work.into_par_iter().for_each(|Work { n, channels: piece, mut y }| {
        with_sources([longest, 0], 0, |source, _, _| {
            for tile in &tiles {
                let run = tile.layout.together();
                let enter = |channels: Range<usize>, source: &mut Source| {
                    if tiles.len() > 1 {
                        source.fill(0.0);
                    }
                    let planes = bank.planes(x, n, channels.clone());
                    prepare(&tile.layout, &tile.fills, bank.entry(channels), planes, source);
                };
                let leave = |k: usize, b: usize, run: Range<usize>, y: &mut [f32], source: &Source| {
                    let taps = bank.kinds[k].taps();
                    let w = &w[bank.weights(k, b) + run.start * taps..][..run.len() * taps];
                    let first = (run.start - piece.start) * pixels + tile.first[0] * out[1] + tile.first[1];
                    let to = Results { to: &mut y[first..], plane: pixels, add: p.accumulate != 0 };
                    convolve(&tile.layout, &tile.plans[k], source, w, taps, to);
                };
                if p.shared != 0 {
                    for run in pieces(piece.clone(), run) {
                        enter(run.clone(), source);
                        bank.branches().zip(&mut y).for_each(|((k, b), y)| leave(k, b, run.clone(), y, source));
                    }
                } else {
                    for (branch, ((k, b), y)) in bank.branches().zip(&mut y).enumerate() {
                        for run in pieces(piece.clone(), run) {
                            enter(branch * channels + run.start..branch * channels + run.end, source);
                            leave(k, b, run, y, source);
                        }
                    }
                }
            }
        });
    });
}

/// A tile of the gradients of x, in every phase.
struct GradientTile {
    layout: Layout,
    fills: Vec<Fill>,
    phases: Vec<Phase>,
}

struct Phase {
    first: [usize; 2],
    results: [usize; 2],
    plans: Vec<Plan>,
}

pub(super) fn backward_input(call: &mut Call<'_>) {
    let p: Params = call.params();
    let bank = Bank::new(p, call.input(2), call.input(3));
    let (stride, size) = (p.stride as usize, [p.height as usize, p.width as usize]);
    let all = size.map(|size| size.div_ceil(stride));
    let Some(most) = tile(all, bank.taps(), |tile| Layout::of_gradients(&bank.windows, tile).length()) else {
        return reference::backward_input(call);
    };
    let (x, w, dy) = (&call.input(0)[p.x()], call.input(1), &call.input(4)[p.y()]);
    let dx = &mut call.output(0)[p.dx()];
    if dx.is_empty() {
        return;
    }
    let (pitch, pixels, out_pixels) = (most[1].next_multiple_of(LANES), p.pixels(), p.out_pixels());
    let tile = |(first, tile): ([usize; 2], [usize; 2])| {
        let layout = Layout::of_gradients(&bank.windows, tile);
        let phase = |place: usize| {
            let phase = [place / stride, place % stride];
            // The last phases may have fewer rows and columns.
            let results = [0, 1].map(|a| {
                let pixels = size[a].saturating_sub(phase[a]).div_ceil(stride);
                pixels.saturating_sub(first[a]).min(tile[a])
            });
            let plan = |window| Plan::backward(window, &layout, phase, results, pitch);
            let first = [0, 1].map(|a| phase[a] + first[a] * stride);
            Phase { first, results, plans: bank.windows.iter().map(plan).collect() }
        };
        GradientTile { fills: layout.fills(first), phases: (0..stride * stride).map(phase).collect(), layout }
    };
    let tiles: Vec<GradientTile> = tiles(all, most).into_iter().map(tile).collect();
    let (channels, groups) = (p.channels as usize, p.read() / p.channels as usize);
    let plane = most[0] * pitch;
    let length = tiles.iter().map(|tile| tile.layout.together()).max().unwrap_or(1) * plane;
    let longest = tiles.iter().map(|tile| tile.layout.together() * tile.layout.length()).max().unwrap_or(0);
    let together = bank.together(if p.shared != 0 { p.branches() } else { 1 } * pixels);
    parallel::blocks(dx, channels * pixels, together * pixels).into_par_iter().for_each(|(group, at, dx)| {
        let (n, own, piece) = (group / groups, group % groups, at / pixels..(at + dx.len()) / pixels);
        with_sources([longest, 0], stride * stride * length, |source, _, sums| {
            for (tile, run) in
                tiles.iter().flat_map(|t| pieces(piece.clone(), t.layout.together()).map(move |r| (t, r)))
            {
                let mut first = true;
                for (branch, (k, b)) in bank.branches().enumerate().filter(|(b, _)| p.shared != 0 || *b == own) {
                    if tiles.len() > 1 {
                        source.fill(0.0);
                    }
                    let planes = (n * p.out_channels as usize + branch * channels + run.start) * out_pixels;
                    let dy = &dy[planes..][..run.len() * out_pixels];
                    prepare(&tile.layout, &tile.fills, Entry::Plain, dy, source);
                    let taps = bank.kinds[k].taps();
                    let w = &w[bank.weights(k, b) + run.start * taps..][..run.len() * taps];
                    for (phase, sums) in tile.phases.iter().zip(sums.chunks_exact_mut(length)) {
                        let plan = &phase.plans[k];
                        if first && plan.is_empty() {
                            sums.fill(0.0);
                        }
                        convolve(&tile.layout, plan, source, w, taps, Results { to: sums, plane, add: !first });
                    }
                    first = false;
                }
                for (phase, sums) in tile.phases.iter().zip(sums.chunks_exact(length)) {
                    let to = Spread {
                        size,
                        first: phase.first,
                        stride: [stride; 2],
                        results: phase.results,
                        pitch,
                        plane,
                        add: p.accumulate != 0,
                    };
                    let read = own * channels + run.start..own * channels + run.end;
                    let dx = &mut dx[(run.start - piece.start) * pixels..][..run.len() * pixels];
                    spread(&to, bank.entry(read.clone()), bank.planes(x, n, read), sums, dx);
                }
            }
        });
    });
}

/// A tile of the gradients of y.
struct HeldTile {
    layouts: [Layout; 2],
    fills: [Vec<Fill>; 2],
    plans: Vec<Plan>,
    /// Products of a weight in one lane, at most.
    chain: usize,
}

pub(super) fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let bank = Bank::new(p, call.input(2), call.input(3));
    let out = bank.results();
    let layouts = |tile| [Layout::of(&bank.windows, tile), Layout::of_results(out, tile, &bank.windows)];
    let length = |tile| layouts(tile).iter().map(Layout::length).max().unwrap_or(0);
    let Some(size) = tile(out, bank.taps(), length) else {
        return reference::backward_weight(call);
    };
    let (x, dy, dw) = (&call.input(0)[p.x()], &call.input(1)[p.y()], call.output(0));
    let tile = |(first, size): ([usize; 2], [usize; 2])| {
        let layouts = layouts(size);
        HeldTile {
            fills: [layouts[0].fills(first), layouts[1].tile(first, size)],
            plans: bank.windows.iter().map(|w| Plan::forward(w, &layouts[0], size, layouts[1].pitch())).collect(),
            chain: size[0] * size[1].next_multiple_of(LANES / 2).max(LANES),
            layouts,
        }
    };
    let tiles: Vec<HeldTile> = tiles(out, size).into_iter().map(tile).collect();
    let (channels, pixels) = (p.channels as usize, p.out_pixels());
    // Sums of one channel: of every branch, tap after tap.
    let sums: usize = bank.kinds.iter().map(|kind| kind.branches * kind.taps()).sum();
    // Sums over a fixed number of images and channels are one piece of work, whatever the number of threads.
    let images = (4 * PIECE / (pixels * p.branches()).max(1)).clamp(1, p.batch.max(1) as usize);
    let together = tiles.iter().map(run_of).min().unwrap_or(1).min(bank.together(pixels * images)).min(CHANNELS);
    let work: Vec<(Range<usize>, Range<usize>)> = pieces(0..channels, together)
        .flat_map(|channels| pieces(0..p.batch as usize, images).map(move |images| (channels.clone(), images)))
        .collect();
    let add = |(piece, images): (Range<usize>, Range<usize>)| {
        let mut totals = vec![0.0f64; piece.len() * sums];
        // Blocks read behind the planes: what they meet there, 0, must not be multiplied with a NaN.
        with_sources([SIZE + LANES; 2], piece.len() * sums * LANES, |source, held, chains| {
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
                for (branch, (k, _)) in bank.branches().enumerate() {
                    if p.shared == 0 || branch == 0 {
                        if tiles.len() > 1 {
                            source.fill(0.0);
                        }
                        let first = if p.shared != 0 { 0 } else { branch * channels };
                        let read = first + piece.start..first + piece.end;
                        let planes = bank.planes(x, n, read.clone());
                        prepare(&tile.layouts[0], &tile.fills[0], bank.entry(read), planes, source);
                    }
                    let planes = (n * p.out_channels as usize + branch * channels + piece.start) * pixels;
                    let dy = &dy[planes..][..piece.len() * pixels];
                    prepare(&tile.layouts[1], &tile.fills[1], Entry::Plain, dy, held);
                    let taps = bank.kinds[k].taps();
                    let (these, others) = std::mem::take(&mut rest).split_at_mut(piece.len() * taps);
                    rest = others;
                    correlate([&tile.layouts[0], &tile.layouts[1]], &tile.plans[k], source, held, these, taps);
                }
            }
            flush(chains, &mut totals);
        });
        totals
    };
    let parts: Vec<Vec<f64>> = work.clone().into_par_iter().map(add).collect();
    let per_piece = (p.batch as usize).div_ceil(images).max(1);
    for ((piece, _), parts) in work.iter().step_by(per_piece).zip(parts.chunks(per_piece)) {
        let mut at = 0;
        for (k, b) in bank.branches() {
            let taps = bank.kinds[k].taps();
            let first = bank.weights(k, b) + piece.start * taps;
            for dw in &mut dw[first..first + piece.len() * taps] {
                parallel::put(dw, parts.iter().map(|part| part[at]).sum(), p.accumulate);
                at += 1;
            }
        }
    }
}

/// Planes that both sources hold.
fn run_of(tile: &HeldTile) -> usize {
    tile.layouts.iter().map(Layout::together).min().unwrap_or(1)
}

/// Adds the chains' lanes to the totals and begins anew.
fn flush(chains: &mut [[f32; LANES]], totals: &mut [f64]) {
    for (total, chain) in totals.iter_mut().zip(chains) {
        *total += std::mem::take(chain).iter().map(|&value| f64::from(value)).sum::<f64>();
    }
}
