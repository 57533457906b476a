//! All edges that leave one state.

use super::bank::{Bank, Reads};
use super::beside::{Beside, Dense, RecordPlain};
use super::recording::{Recording, record_statistics, table};
use crate::autograd::ops::{Moments, Window, pool::Geometry};
use crate::autograd::{Tape, Var};
use crate::device::Recorder;
use crate::kernels::normalised_sum::{NONE, TERM, Term};
use crate::kernels::{factorized_reduce, normalised_sum, pool as pool_kernels};
use crate::tensor::{Error, Tensor};

/// A candidate without weights, computed once for all edges.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Whether the largest value counts (true) or the mean.
    pub max: bool,
    /// Its window.
    pub window: Window,
    /// Mean and variance, if batch norm follows.
    pub moments: Option<Moments>,
}

/// Factorised reductions side by side.
#[derive(Clone, Debug)]
pub struct Reduce {
    /// Weights, `[edges, 2, channels / 2, channels]`.
    pub weights: Var,
    /// Number of reductions.
    pub branches: usize,
    /// Mean and variance, branch after branch.
    pub moments: Moments,
}

/// Where an option of an edge is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A branch of the first bank.
    First(usize),
    /// A branch of the second bank.
    Second(usize),
    /// A factorised reduction.
    Reduce(usize),
    /// A convolution over all channels: a branch of a bank.
    Dense {
        /// The bank.
        bank: usize,
        /// The branch.
        branch: usize,
    },
    /// What the caller records.
    Plain(usize),
    /// A pool.
    Pool(usize),
    /// The state itself.
    Identity,
}

/// One edge: the mixture of its options is added to a later state.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The later state.
    pub to: usize,
    /// Row of the weights.
    pub row: usize,
    /// Option and source of each candidate that is not zero.
    pub candidates: Vec<(usize, Source)>,
}

/// The edges that leave a state, and what their candidates consist of.
#[derive(Clone, Debug, Default)]
pub struct Fan {
    /// Step of all edges.
    pub stride: usize,
    /// The edges.
    pub edges: Vec<Edge>,
    /// First convolutions of all branches.
    pub first: Option<Bank>,
    /// Second convolutions of the first bank's first branches.
    pub second: Option<Bank>,
    /// Factorised reductions.
    pub reduce: Option<Reduce>,
    /// Convolutions over all channels, a bank for each size of window.
    pub dense: Vec<Dense>,
    /// Number of candidates that the caller records.
    pub plain: usize,
    /// Pools.
    pub pools: Vec<Pool>,
}

/// What the forward pass leaves for the way back.
#[derive(Debug)]
pub(super) struct Candidates {
    pub x: Tensor,
    /// All un-normalised candidates, block after block as [`Fan::branches`] says.
    pub candidates: Tensor,
    /// For each of these blocks, mean and inverse deviation.
    pub saved: Tensor,
    /// Results of the depthwise convolutions, if weights learn.
    pub middles: [Option<Tensor>; 2],
    /// Places of the maxima.
    pub indices: Vec<Option<Tensor>>,
    pub beside: Option<Beside>,
}

impl Candidates {
    pub fn bytes(&self) -> usize {
        let middles = self.middles.iter().chain(&self.indices).flatten();
        let own: usize =
            [&self.x, &self.candidates, &self.saved].into_iter().chain(middles).map(|t| 4 * t.count()).sum();
        own + self.beside.as_ref().map_or(0, Beside::bytes)
    }

    /// What the caller has recorded.
    pub fn recorded(&self) -> impl Iterator<Item = &Var> {
        self.beside.iter().flat_map(|beside| &beside.plain)
    }
}

/// A block of candidates: the tensor `[batch, branches · channels, height, width]` and its statistics.
#[derive(Debug)]
pub(super) struct Block {
    pub z: Tensor,
    pub saved: Tensor,
    pub branches: usize,
}

impl Fan {
    /// All that learns.
    pub(super) fn learned(&self) -> impl Iterator<Item = &Var> {
        let banks = [&self.first, &self.second].into_iter().flatten().flat_map(|b| [&b.depthwise, &b.pointwise]);
        let dense = self.dense.iter().flat_map(|d| [Some(&d.weights), d.biases.as_ref()]).flatten();
        banks.chain(self.reduce.iter().map(|r| &r.weights)).chain(dense)
    }

    pub(super) fn learns(&self) -> bool {
        self.learned().any(Var::wants_gradient)
    }

    /// The first block of convolutions over all channels.
    pub(super) const DENSE: usize = 3;

    /// The block of a candidate of the caller's.
    pub(super) fn plain_block(&self, index: usize) -> usize {
        Self::DENSE + self.dense.len() + index
    }

    /// The block of a pool.
    pub(super) fn pool_block(&self, index: usize) -> usize {
        self.plain_block(self.plain) + index
    }

    /// The gradient of the state that an edge leads to.
    pub(super) fn gradient_of<'a>(&self, edge: &Edge, states: &'a [Option<Tensor>]) -> Result<&'a Tensor, Error> {
        states[edge.to].as_ref().ok_or_else(|| {
            Error::shape("fused_cell", format!("state {} is never read, but has edges into it", edge.to))
        })
    }

    /// Branches of each block, in order: first bank, second bank, reductions, banks of convolutions over all channels, what
    /// the caller records, each pool.
    fn branches(&self) -> Vec<usize> {
        let bank = |bank: &Option<Bank>| bank.as_ref().map_or(0, Bank::branches);
        let convolved = [bank(&self.first), bank(&self.second), self.reduce.as_ref().map_or(0, |r| r.branches)];
        let alone = std::iter::repeat_n(1, self.plain + self.pools.len());
        convolved.into_iter().chain(self.dense.iter().map(|d| d.branches)).chain(alone).collect()
    }

    pub(super) fn block(&self, index: usize, record: &Recording<'_>, candidates: &Tensor, saved: &Tensor) -> Block {
        let branches = self.branches();
        let before: usize = branches[..index].iter().sum();
        let [batch, channels, height, width] = record.shape;
        let own = branches[index];
        Block {
            z: candidates.view(before * record.unit(), &[batch, own * channels, height, width]),
            saved: saved.view(2 * before * channels, &[2, own * channels]),
            branches: own,
        }
    }

    /// What the first bank reads, and what the second does.
    pub(super) fn reads(&self, record: &Recording<'_>, made: &Candidates) -> [Reads; 2] {
        let [_, channels, height, width] = record.shape;
        let x = &made.x;
        let first = self.block(0, record, &made.candidates, &made.saved);
        [
            Reads {
                x: x.clone(),
                planes: channels,
                height: x.shape()[2],
                width: x.shape()[3],
                stride: self.stride,
                saved: None,
            },
            Reads { x: first.z, planes: first.branches * channels, height, width, stride: 1, saved: Some(first.saved) },
        ]
    }

    /// Records all candidates of `x`, and adds each edge's mixture to the state it leads to.
    pub(super) fn record(
        &self,
        tape: &mut Tape,
        (number, x, wanted): (usize, &Tensor, bool),
        record: &Recording<'_>,
        states: &mut [Option<Tensor>],
        plain: &mut RecordPlain<'_>,
    ) -> Result<Option<Candidates>, Error> {
        if self.edges.is_empty() {
            return Ok(None);
        }
        let blocks: usize = self.branches().iter().sum();
        let [batch, channels, height, width] = record.shape;
        let recorder = tape.recorder();
        let mut made = Candidates {
            x: x.clone(),
            candidates: Tensor::scratch(recorder, &[blocks * record.unit()])?,
            saved: Tensor::scratch(recorder, &[2 * blocks * channels])?,
            middles: [None, None],
            indices: Vec::new(),
            beside: None,
        };
        for (index, bank) in [&self.first, &self.second].into_iter().enumerate() {
            let Some(bank) = bank else { continue };
            let block = self.block(index, record, &made.candidates, &made.saved);
            let middle = bank.record(recorder, &self.reads(record, &made)[index], record, &block.z, &block.saved)?;
            made.middles[index] = bank.pointwise.wants_gradient().then_some(middle);
        }
        if let Some(reduce) = &self.reduce {
            let block = self.block(2, record, &made.candidates, &made.saved);
            let params = reduce.params(x, record, reduce.weights.tensor().at(), block.z.at());
            let inputs = [x.binding(), reduce.weights.tensor().binding()];
            recorder.dispatch(&factorized_reduce::FORWARD, &params, &inputs, &[block.z.binding()])?;
            let channels = reduce.branches * channels;
            record_statistics(recorder, &block.z, &block.saved, channels, record, &reduce.moments)?;
        }
        made.beside = self.record_beside(tape, number, wanted, &made, record, plain)?;
        let recorder = tape.recorder();
        for (index, pool) in self.pools.iter().enumerate() {
            let block = self.block(self.pool_block(index), record, &made.candidates, &made.saved);
            let indices = pool.record(recorder, x, &block.z)?;
            made.indices.push(indices);
            if let Some(moments) = &pool.moments {
                record_statistics(recorder, &block.z, &block.saved, channels, record, moments)?;
            }
        }
        let terms: Vec<Vec<Term>> = self.edges.iter().map(|e| self.terms(e, record, &made)).collect();
        let words = table(recorder, &terms.concat())?;
        let mut before = 0;
        for (edge, terms) in self.edges.iter().zip(&terms) {
            let accumulate = states[edge.to].is_some();
            let single = record.single.filter(|(state, _)| *state == edge.to).map(|(_, y)| y);
            let y = match states[edge.to].as_ref().or(single) {
                Some(y) => y.clone(),
                None => Tensor::scratch(recorder, &[batch, channels, height, width])?,
            };
            if terms.is_empty() {
                if !accumulate {
                    recorder.clear(y.buffer(), y.at() as usize, y.count())?;
                }
            } else {
                let outside = edge.candidates.iter().filter(|(_, s)| *s == Source::Identity).count();
                let inside = terms.len() - outside;
                let params = normalised_sum::Forward {
                    table: words.at() + (before * TERM) as u32,
                    terms: terms.len() as u32,
                    inside: inside as u32,
                    y: y.at(),
                    batch: batch as u32,
                    channels: channels as u32,
                    pixels: record.pixels() as u32,
                    accumulate: accumulate.into(),
                };
                let inputs = [
                    words.binding(),
                    made.candidates.binding(),
                    x.binding(),
                    made.saved.binding(),
                    record.weights.binding(),
                ];
                recorder.dispatch_moving(&normalised_sum::FORWARD, &params, &inputs, &[y.binding()], params.bytes())?;
            }
            states[edge.to] = Some(y);
            before += terms.len();
        }
        Ok(Some(made))
    }

    /// The terms of an edge's normalised_sum, convolutions first, the state itself last; gradients and sums are not
    /// filled in.
    pub(super) fn terms(&self, edge: &Edge, record: &Recording<'_>, made: &Candidates) -> Vec<Term> {
        let mut candidates = edge.candidates.clone();
        candidates.sort_by_key(|(_, source)| match source {
            Source::First(_) | Source::Second(_) | Source::Reduce(_) | Source::Dense { .. } => 0,
            Source::Plain(_) | Source::Pool(_) => 1,
            Source::Identity => 2,
        });
        let channels = record.shape[1] as u32;
        let plane = record.pixels() as u32;
        let of = |&(option, source): &(usize, Source)| {
            let weight = record.weights.at() + (edge.row * record.options + option) as u32;
            let (block, branch) = match source {
                Source::First(branch) => (0, branch),
                Source::Second(branch) => (1, branch),
                Source::Reduce(branch) => (2, branch),
                Source::Dense { bank, branch } => (Self::DENSE + bank, branch),
                Source::Plain(index) => (self.plain_block(index), 0),
                Source::Pool(index) => (self.pool_block(index), 0),
                Source::Identity => {
                    return Term { at: made.x.at(), image: channels * plane, mean: NONE, weight, ..Term::default() };
                }
            };
            let normed = match source {
                Source::Plain(_) => false,
                Source::Pool(index) => self.pools[index].moments.is_some(),
                _ => true,
            };
            let Block { z, saved, branches } = self.block(block, record, &made.candidates, &made.saved);
            let first = branch as u32 * channels;
            let mean = if normed { saved.at() + first } else { NONE };
            Term {
                at: z.at() + first * plane,
                image: branches as u32 * channels * plane,
                mean,
                inverse: saved.at() + branches as u32 * channels + first,
                weight,
                ..Term::default()
            }
        };
        candidates.iter().map(of).collect()
    }
}

impl Source {
    /// Whether it is convolved here: its own gradient takes its place on the way back.
    pub(super) fn convolved(self) -> bool {
        matches!(self, Self::First(_) | Self::Second(_) | Self::Reduce(_) | Self::Dense { .. })
    }
}

impl Reduce {
    pub(super) fn params(
        &self,
        x: &Tensor,
        record: &Recording<'_>,
        weight: u32,
        output: u32,
    ) -> factorized_reduce::Params {
        let [batch, channels, ..] = record.shape.map(|n| n as u32);
        factorized_reduce::Params {
            input: x.at(),
            gradient: 0,
            weight,
            output,
            batch,
            inputs: channels,
            outputs: self.branches as u32 * channels,
            block: channels / 2,
            height: x.shape()[2] as u32,
            width: x.shape()[3] as u32,
            accumulate: 0,
        }
    }
}

impl Pool {
    /// Records the pool; gives the places of the maxima.
    fn record(&self, recorder: &mut Recorder, x: &Tensor, y: &Tensor) -> Result<Option<Tensor>, Error> {
        let geometry = Geometry::new("fused_cell", x.shape(), self.window)?;
        if self.max {
            let indices = Tensor::scratch(recorder, y.shape())?;
            let params = geometry.params(x.at(), y.at(), indices.at(), false);
            let outputs = [y.binding(), indices.binding()];
            recorder.dispatch(&pool_kernels::MAX_FORWARD, &params, &[x.binding()], &outputs)?;
            return Ok(Some(indices));
        }
        let params = geometry.params(x.at(), y.at(), 0, false);
        recorder.dispatch(&pool_kernels::AVG_FORWARD, &params, &[x.binding()], &[y.binding()])?;
        Ok(None)
    }

    /// Records dx (+)= the gradient of the pool's input.
    pub(super) fn record_backward(
        &self,
        recorder: &mut Recorder,
        indices: Option<&Tensor>,
        dy: &Tensor,
        dx: &Tensor,
        accumulate: bool,
    ) -> Result<(), Error> {
        let geometry = Geometry::new("fused_cell", dx.shape(), self.window)?;
        match indices {
            Some(indices) => {
                let params = geometry.params(dx.at(), dy.at(), indices.at(), accumulate);
                let inputs = [indices.binding(), dy.binding()];
                Ok(recorder.dispatch(&pool_kernels::MAX_BACKWARD, &params, &inputs, &[dx.binding()])?)
            }
            None => {
                let params = geometry.params(dx.at(), dy.at(), 0, accumulate);
                Ok(recorder.dispatch(&pool_kernels::AVG_BACKWARD, &params, &[dy.binding()], &[dx.binding()])?)
            }
        }
    }
}
