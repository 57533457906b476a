//! Windows that the blocks are not made for: with more taps than [`WEIGHTS`](super::super::register_block::WEIGHTS), or so
//! spread out that not even one result's surroundings fit into a source. Here a row of results grows tap after tap,
//! straight from the planes. Each row of taps is summed by itself first: a long chain of additions loses accuracy.

use super::{Bank, Kind};
use crate::kernels::cpu::contiguous::bound;
use crate::kernels::cpu::parallel;
use crate::kernels::cpu::scratch::scratch;
use crate::kernels::cpu::store::{put, store};
use crate::kernels::cpu::vector::{fma, vectorised};
use crate::kernels::cpu::window_rows::inside;
use crate::kernels::depthwise::windows::convolve::{Entry, Exit, normal};
use crate::kernels::depthwise::windows::register_block::Ends;
use rayon::prelude::*;

/// `to[j] += factor · from[first + j · stride]`, where that lies in `from`.
#[inline(always)]
fn gather<const FUSED: bool>(to: &mut [f32], factor: f32, from: &[f32], first: i64, stride: usize) {
    let met = inside(first, stride, from.len(), to.len());
    if met.is_empty() {
        return;
    }
    let from = &from[(first + (met.start * stride) as i64) as usize..];
    let add = |(to, &value): (&mut f32, &f32)| *to = fma::<FUSED>(factor, value, *to);
    match stride {
        1 => to[met].iter_mut().zip(from).for_each(add),
        _ => to[met].iter_mut().zip(from.iter().step_by(stride)).for_each(add),
    }
}

/// `to[first + j · stride] += factor · from[j]`, where that lies in `to`.
#[inline(always)]
fn spread<const FUSED: bool>(to: &mut [f32], factor: f32, from: &[f32], first: i64, stride: usize) {
    let met = inside(first, stride, to.len(), from.len());
    if met.is_empty() {
        return;
    }
    let to = &mut to[(first + (met.start * stride) as i64) as usize..];
    let add = |(to, &value): (&mut f32, &f32)| *to = fma::<FUSED>(factor, value, *to);
    match stride {
        1 => to.iter_mut().zip(&from[met]).for_each(add),
        _ => to.iter_mut().step_by(stride).zip(&from[met]).for_each(add),
    }
}

/// `to[i] += from[i]`; `from` is 0 afterwards.
#[inline(always)]
fn pour(from: &mut [f32], to: &mut [f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += std::mem::take(from));
}

/// Where result `out` meets tap `tap` of an axis, in pixels; outside of the plane, too.
fn met(axis: &super::Axis, out: usize, tap: usize) -> i64 {
    (out * axis.stride + tap * axis.dilation) as i64 - axis.pad
}

vectorised! {
    /// A plane of results: `y (+)= w ∗ x + bias`. `row` and `sums` have room for a row of results.
    fn forward_plane(kind: &Kind, w: &[f32], x: &[f32], y: &mut [f32], row: &mut [f32], sums: &mut [f32], ends: Ends)
        = forward_body
}

#[inline(always)]
fn forward_body<const FUSED: bool>(
    kind: &Kind,
    w: &[f32],
    x: &[f32],
    y: &mut [f32],
    row: &mut [f32],
    sums: &mut [f32],
    ends: Ends,
) {
    let [down, right] = &kind.window;
    row.fill(0.0);
    for (i, y) in y.chunks_exact_mut(right.out).enumerate() {
        sums.fill(0.0);
        for (r, w) in w.chunks_exact(right.kernel).enumerate() {
            let at = met(down, i, r);
            let Some(line) = usize::try_from(at).ok().filter(|&at| at < down.size) else { continue };
            let x = &x[line * right.size..][..right.size];
            for (s, &w) in w.iter().enumerate() {
                gather::<FUSED>(row, w, x, met(right, 0, s), right.stride);
            }
            pour(row, sums);
        }
        store(y, sums, ends.bias, ends.add);
        if let Some(bounds) = ends.bounds {
            bound(y, bounds);
        }
    }
}

vectorised! {
    /// `dx += ` what one window's plane of gradients `dy` gives. `row` has room for a row of dx.
    fn backward_plane(kind: &Kind, w: &[f32], dy: &[f32], dx: &mut [f32], row: &mut [f32]) = backward_body
}

#[inline(always)]
fn backward_body<const FUSED: bool>(kind: &Kind, w: &[f32], dy: &[f32], dx: &mut [f32], row: &mut [f32]) {
    let [down, right] = &kind.window;
    row.fill(0.0);
    for (i, dy) in dy.chunks_exact(right.out).enumerate() {
        for (r, w) in w.chunks_exact(right.kernel).enumerate() {
            let at = met(down, i, r);
            let Some(to) = usize::try_from(at).ok().filter(|&at| at < down.size) else { continue };
            for (s, &w) in w.iter().enumerate() {
                spread::<FUSED>(row, w, dy, met(right, 0, s), right.stride);
            }
            pour(row, &mut dx[to * right.size..][..right.size]);
        }
    }
}

vectorised! {
    /// `totals += ` the gradients of a window's weights from one plane of x and of dy. `row` has room for a row of taps.
    fn weight_plane(kind: &Kind, x: &[f32], dy: &[f32], totals: &mut [f64], row: &mut [f32]) = weight_body
}

#[inline(always)]
fn weight_body<const FUSED: bool>(kind: &Kind, x: &[f32], dy: &[f32], totals: &mut [f64], row: &mut [f32]) {
    let [down, right] = &kind.window;
    row.fill(0.0);
    for (i, dy) in dy.chunks_exact(right.out).enumerate() {
        for (r, totals) in totals.chunks_exact_mut(right.kernel).enumerate() {
            let at = met(down, i, r);
            let Some(line) = usize::try_from(at).ok().filter(|&at| at < down.size) else { continue };
            let x = &x[line * right.size..][..right.size];
            for (j, &g) in dy.iter().enumerate() {
                gather::<FUSED>(row, g, x, met(right, j, 0), right.dilation);
            }
            totals.iter_mut().zip(&mut *row).for_each(|(total, sum)| *total += f64::from(std::mem::take(sum)));
        }
    }
}

impl Bank {
    /// [`Self::forward`] for windows of any size.
    pub(super) fn forward_large(&self, x: &[f32], w: &[f32], exit: Exit<'_>, y: &mut [f32]) {
        let (channels, pixels, width) = (self.channels, self.out_pixels(), self.out[1]);
        if y.is_empty() {
            return;
        }
        let branches: Vec<(usize, usize)> = self.each_branch().collect();
        let images = y.chunks_mut(self.out_channels * pixels).enumerate();
        let planes: Vec<(usize, usize, &mut [f32])> = images
            .flat_map(|(n, image)| {
                let planes = image.chunks_mut(pixels).take(branches.len() * channels).enumerate();
                planes.map(move |(plane, y)| (n, plane, y))
            })
            .collect();
        planes.into_par_iter().with_min_len(parallel::least(self.work())).for_each(|(n, plane, y)| {
            let (branch, c) = (plane / channels, plane % channels);
            let (k, b) = branches[branch];
            let kind = &self.kinds[k];
            scratch([self.pixels(), width, width], |[held, row, sums]| {
                let (x, _) = self.entered(x, &(n..n + 1), self.own(branch, c..c + 1), held);
                let w = &w[self.weights(k, b) + c * kind.taps()..][..kind.taps()];
                let ends = Ends { add: self.accumulate, bias: exit.bias(plane), bounds: exit.bounds };
                forward_plane(kind, w, x, y, row, sums, ends);
            });
        });
    }

    /// [`Self::backward_input`] for windows of any size.
    pub(super) fn backward_input_large(&self, x: &[f32], w: &[f32], dy: &[f32], dx: &mut [f32]) {
        let (channels, pixels, out_pixels, read) = (self.channels, self.pixels(), self.out_pixels(), self.read());
        if dx.is_empty() {
            return;
        }
        let branches: Vec<(usize, usize)> = self.each_branch().collect();
        let planes = dx.par_chunks_mut(pixels).enumerate().with_min_len(parallel::least(self.work()));
        planes.for_each(|(plane, dx)| {
            let (n, ch) = (plane / read, plane % read);
            let own = if self.shared { 0..branches.len() } else { ch / channels..ch / channels + 1 };
            let c = ch % channels;
            scratch([pixels, self.size[1]], |[sums, row]| {
                sums.fill(0.0);
                for branch in own {
                    let (k, b) = branches[branch];
                    let kind = &self.kinds[k];
                    let w = &w[self.weights(k, b) + c * kind.taps()..][..kind.taps()];
                    let first = (n * self.out_channels + branch * channels + c) * out_pixels;
                    backward_plane(kind, w, &dy[first..first + out_pixels], sums, row);
                }
                let argument: &dyn Fn(f32) -> f32 = match self.entry(ch..ch + 1) {
                    Entry::Plain => return store(dx, sums, 0.0, self.accumulate),
                    Entry::Rectified => &|value| value,
                    Entry::Normalised(norms) => &|value| normal(norms[0], value),
                };
                for (sum, &x) in sums.iter_mut().zip(self.planes(x, n, ch..ch + 1)) {
                    *sum = if argument(x) > 0.0 { *sum } else { 0.0 };
                }
                store(dx, sums, 0.0, self.accumulate);
            });
        });
    }

    /// [`Self::backward_weight`] for windows of any size.
    pub(super) fn backward_weight_large(&self, x: &[f32], dy: &[f32], dw: &mut [f32]) {
        let (channels, out_pixels) = (self.channels, self.out_pixels());
        let add = |(branch, k, c): (usize, usize, usize)| {
            let kind = &self.kinds[k];
            let mut totals = vec![0.0f64; kind.taps()];
            scratch([self.pixels(), kind.window[1].kernel], |[held, row]| {
                for n in 0..self.batch {
                    let (x, _) = self.entered(x, &(n..n + 1), self.own(branch, c..c + 1), held);
                    let first = (n * self.out_channels + branch * channels + c) * out_pixels;
                    weight_plane(kind, x, &dy[first..first + out_pixels], &mut totals, row);
                }
            });
            totals
        };
        let work: Vec<(usize, usize, usize)> = self
            .each_branch()
            .enumerate()
            .flat_map(|(branch, (k, _))| (0..channels).map(move |c| (branch, k, c)))
            .collect();
        let all: Vec<Vec<f64>> = work.into_par_iter().with_min_len(parallel::least(self.work())).map(add).collect();
        let mut all = all.into_iter();
        for (k, b) in self.each_branch() {
            let taps = self.kinds[k].taps();
            let to = &mut dw[self.weights(k, b)..][..channels * taps];
            for (to, totals) in to.chunks_exact_mut(taps).zip(&mut all) {
                to.iter_mut().zip(totals).for_each(|(to, total)| put(to, total, self.accumulate.into()));
            }
        }
    }
}
