//! Tiny maps: results of at most one vector. Blocks of results would be mostly empty there, so each channel's window
//! becomes a dense matrix, [pixels read] × [pixels written], built once from the taps that meet the map and applied to
//! that channel's planes of all images; transposed for the gradients of x. The gradients of a window's weights are
//! those of its matrix, outer products summed over the images, folded back onto the taps. Of maps of four pixels, one
//! vector takes the planes of four neighbouring channels. (A NaN or an infinity in a plane so reaches all its results.)

use super::{Bank, Kind, pieces};
use crate::kernels::cpu::parallel;
use crate::kernels::cpu::scratch::scratch;
use crate::kernels::cpu::store::put;
use crate::kernels::cpu::vector::LANES;
use crate::kernels::depthwise::windows::convolve::{Entry, Exit};
use crate::kernels::depthwise::windows::tiny_matrix::{HELD, Outer, Product, multiply, outer};
use rayon::prelude::*;
use std::ops::Range;

/// Most pixels of a plane of x: more would take more time than blocks do.
const MOST: usize = 64;
/// Products of vectors in one piece of work, about.
const PIECE: usize = 1 << 14;
/// Images to be summed in one chain at most, for accuracy.
const CHAIN: usize = 256;

/// Matrices of all kinds' windows: how large they are, and where each tap stands in them.
pub(super) struct Dense {
    /// Pixels of a plane that is read: rows of a matrix.
    rows: usize,
    /// Pixels of a plane that is written.
    written: usize,
    /// Vectors that hold them.
    vectors: usize,
    /// Channels in one matrix.
    group: usize,
    /// Places of each tap of each kind in the matrix of a channel (of the first of a group).
    places: Vec<Vec<Vec<usize>>>,
}

impl Dense {
    /// `None` if the maps aren't tiny.
    pub(super) fn of(bank: &Bank, transposed: bool) -> Option<Self> {
        let [pixels, results] = [bank.pixels(), bank.out_pixels()];
        if results > LANES || pixels > MOST || results == 0 || pixels == 0 {
            return None;
        }
        let [rows, written] = if transposed { [results, pixels] } else { [pixels, results] };
        let place = |pixel: usize, result: usize| {
            let [row, lane] = if transposed { [result, pixel] } else { [pixel, result] };
            (lane / LANES * rows + row) * LANES + lane % LANES
        };
        let places = |kind: &Kind| {
            let [down, right] = kind.window.map(|axis| {
                let reads = move |tap: usize, result: usize| {
                    let at = (result * axis.stride + tap * axis.dilation) as i64 - axis.pad;
                    usize::try_from(at).ok().filter(|&at| at < axis.size)
                };
                // [result, pixel] of each tap that meets the map.
                let pairs = move |tap: usize| (0..axis.out).filter_map(move |o| reads(tap, o).map(|i| [o, i]));
                (0..axis.kernel).map(|tap| pairs(tap).collect::<Vec<_>>()).collect::<Vec<_>>()
            });
            let taps = down.iter().flat_map(|down| right.iter().map(move |right| (down, right)));
            taps.map(|(down, right)| {
                let pairs = down.iter().flat_map(|&down| right.iter().map(move |&right| (down, right)));
                pairs.map(|([y, i], [x, j])| place(i * bank.size[1] + j, y * bank.out[1] + x)).collect()
            })
            .collect()
        };
        Some(Self {
            rows,
            written,
            vectors: written.div_ceil(LANES),
            group: if rows == 4 && written == 4 { 4 } else { 1 },
            places: bank.kinds.iter().map(places).collect(),
        })
    }

    /// Rows of all vectors of a matrix.
    fn length(&self) -> usize {
        self.rows * self.vectors
    }

    /// The matrices of each branch, group of channels after group.
    fn matrices(&self, bank: &Bank, w: &[f32]) -> Vec<[f32; LANES]> {
        let groups = bank.channels.div_ceil(self.group);
        let mut matrices = vec![[0.0; LANES]; bank.branches() * groups * self.length()];
        let branches: Vec<(usize, usize)> = bank.each_branch().collect();
        let fill = |(at, matrix): (usize, &mut [[f32; LANES]])| {
            let (k, b) = branches[at / groups];
            let (taps, channels) = (bank.kinds[k].taps(), self.channels(bank, at % groups));
            let weights = &w[bank.weights(k, b)..][channels.start * taps..channels.end * taps];
            for (c, weights) in weights.chunks_exact(taps).enumerate() {
                let matrix = &mut matrix.as_flattened_mut()[c * self.written..];
                for (&weight, places) in weights.iter().zip(&self.places[k]) {
                    places.iter().for_each(|&place| matrix[place] = weight);
                }
            }
        };
        let least = parallel::least(LANES * matrices.len());
        matrices.par_chunks_exact_mut(self.length()).enumerate().with_min_len(least).for_each(fill);
        matrices
    }

    /// Channels of a group.
    fn channels(&self, bank: &Bank, group: usize) -> Range<usize> {
        group * self.group..bank.channels.min((group + 1) * self.group)
    }

    /// Images in one piece of work that multiplies with so many matrices each: not fewer than share a matrix while it is near.
    fn images(&self, matrices: usize) -> usize {
        (PIECE / (matrices * self.length()).max(1)).max(HELD)
    }
}

impl Bank {
    /// Branches that read the same planes.
    fn reads(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let all = self.branches();
        let each = if self.shared { all } else { 1 };
        (0..all).step_by(each.max(1)).map(move |first| first..first + each)
    }

    /// [`Self::forward`] of tiny maps.
    pub(super) fn forward_tiny(&self, dense: &Dense, x: &[f32], w: &[f32], exit: Exit<'_>, y: &mut [f32]) {
        let (matrices, groups) = (dense.matrices(self, w), self.channels.div_ceil(dense.group));
        let distance = self.out_channels * dense.written;
        let images = dense.images(self.branches() * groups);
        let work = 2 * self.batch * matrices.len();
        parallel::pieces_of(images * distance, work, y, |first, y| {
            let images = first / distance..self.batch.min(first / distance + images);
            scratch([images.len() * self.channels * dense.rows], |[held]| {
                for read in self.reads() {
                    let channels = self.own(read.start, 0..self.channels);
                    let (from, from_distance) = self.entered(x, &images, channels, held);
                    for (branch, group) in read.flat_map(|branch| (0..groups).map(move |group| (branch, group))) {
                        let channels = dense.channels(self, group);
                        let first = branch * self.channels;
                        let matrix = &matrices[(branch * groups + group) * dense.length()..][..dense.length()];
                        let product = Product {
                            rows: dense.rows,
                            images: images.len(),
                            from: &from[channels.start * dense.rows..],
                            from_distance,
                            terms: &[(0, matrix)],
                            written: channels.len() * dense.written,
                            to_distance: distance,
                            add: self.accumulate,
                            exit: exit.of(first + channels.start..first + channels.end),
                            together: dense.group > 1,
                        };
                        let to = &mut y[(first + channels.start) * dense.written..];
                        multiply(&product, Entry::Plain, &[], 0, to);
                    }
                }
            });
        });
    }

    /// [`Self::backward_input`] of tiny maps.
    pub(super) fn backward_input_tiny(&self, dense: &Dense, x: &[f32], w: &[f32], dy: &[f32], dx: &mut [f32]) {
        let (matrices, groups) = (dense.matrices(self, w), self.channels.div_ceil(dense.group));
        let (distance, x_distance) = (self.read() * dense.written, self.in_channels * dense.written);
        let images = dense.images(self.branches() * groups);
        let work = 2 * self.batch * matrices.len();
        parallel::pieces_of(images * distance, work, dx, |first, dx| {
            let first = first / distance;
            let from_distance = self.out_channels * dense.rows;
            let from = &dy[first * from_distance..];
            for (read, group) in self.reads().flat_map(|read| (0..groups).map(move |group| (read.clone(), group))) {
                let channels = dense.channels(self, group);
                let own = self.own(read.start, channels.clone());
                let term = |branch: usize| {
                    let matrix = &matrices[(branch * groups + group) * dense.length()..][..dense.length()];
                    ((branch * self.channels + channels.start) * dense.rows, matrix)
                };
                let terms: Vec<(usize, &[[f32; LANES]])> = read.map(term).collect();
                let product = Product {
                    rows: dense.rows,
                    images: dx.len() / distance,
                    from,
                    from_distance,
                    terms: &terms,
                    written: channels.len() * dense.written,
                    to_distance: distance,
                    add: self.accumulate,
                    exit: Exit::default(),
                    together: dense.group > 1,
                };
                let at = own.start * dense.written;
                let x = if self.rectified { &x[first * x_distance + at..] } else { &[] };
                multiply(&product, self.entry(own), x, x_distance, &mut dx[at..]);
            }
        });
    }

    /// [`Self::backward_weight`] of tiny maps.
    pub(super) fn backward_weight_tiny(&self, dense: &Dense, x: &[f32], dy: &[f32], dw: &mut [f32]) {
        let sums: usize = self.kinds.iter().map(|kind| kind.branches * kind.taps()).sum();
        let distance = self.out_channels * dense.written;
        let add = |group: usize| {
            let channels = dense.channels(self, group);
            // Of each channel, branch and tap.
            let mut totals = vec![0.0f64; channels.len() * sums];
            let most = CHAIN.min(self.batch);
            scratch([most * channels.len() * dense.rows, dense.rows * LANES], |[held, matrix]| {
                let matrix = matrix.as_chunks_mut::<LANES>().0;
                for images in pieces(0..self.batch, most) {
                    let mut totals = totals.as_mut_slice();
                    for read in self.reads() {
                        let own = self.own(read.start, channels.clone());
                        let (from, from_distance) = self.entered(x, &images, own, held);
                        for (branch, (k, _)) in self.each_branch().enumerate().filter(|(b, _)| read.contains(b)) {
                            let at = (branch * self.channels + channels.start) * dense.written;
                            let product = Outer {
                                images: images.len(),
                                from,
                                from_distance,
                                gradients: &dy[images.start * distance + at..],
                                gradients_distance: distance,
                                written: channels.len() * dense.written,
                                together: dense.group > 1,
                            };
                            outer(&product, matrix);
                            let places = &dense.places[k];
                            let (these, rest) = totals.split_at_mut(channels.len() * places.len());
                            totals = rest;
                            for (c, totals) in these.chunks_exact_mut(places.len()).enumerate() {
                                let sums = &matrix.as_flattened()[c * dense.written..];
                                for (total, places) in totals.iter_mut().zip(places) {
                                    *total += places.iter().map(|&place| f64::from(sums[place])).sum::<f64>();
                                }
                            }
                        }
                    }
                }
            });
            totals
        };
        let groups = self.channels.div_ceil(dense.group);
        let work = self.batch * self.branches() * groups * dense.length();
        let groups = (0..groups).into_par_iter().with_min_len(parallel::least(2 * work));
        let all: Vec<Vec<f64>> = groups.map(add).collect();
        for (group, totals) in all.into_iter().enumerate() {
            let (channels, mut totals) = (dense.channels(self, group), totals.into_iter());
            for (k, b) in self.each_branch() {
                let taps = self.kinds[k].taps();
                let dw = &mut dw[self.weights(k, b) + channels.start * taps..][..channels.len() * taps];
                dw.iter_mut().zip(&mut totals).for_each(|(dw, t)| put(dw, t, self.accumulate.into()));
            }
        }
    }
}
