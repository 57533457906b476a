//! A fan's way back: from the gradients of the states it leads to.

use super::bank::Bank;
use super::beside::{Beside, Leaves};
use super::fan::{Block, Candidates, Fan, Source};
use super::flow::Flow;
use super::recording::{Recording, table};
use crate::autograd::Gradients;
use crate::device::Recorder;
use crate::kernels::normalised_sum::{NONE, TERM, Term};
use crate::kernels::{factorized_reduce, normalised_sum};
use crate::tensor::{Error, Tensor};

/// Where a fan's terms put Σ dy·x̂ and Σ dy of each channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums<'a> {
    /// `[terms, 2, channels]`, of all fans of a cell.
    pub sums: &'a Tensor,
    /// The fan's first.
    pub first: usize,
    /// Whether the architecture weights' gradient is wanted.
    pub learns: bool,
}

impl Fan {
    /// Candidates of all edges: as many sums as [`Fan::record_backward`] writes, at most.
    pub(super) fn terms_count(&self) -> usize {
        self.edges.iter().map(|edge| edge.candidates.len()).sum()
    }

    /// Records what the way back needs of this fan before the gradient of its state: gradients of its weights
    /// go to `gradients`. `states` holds the gradients of later states. Gives what the state's own gradient is recorded from, if it is wanted, and, if
    /// the architecture weights learn, which terms have a share in their gradient.
    pub(super) fn record_backward(
        self,
        gradients: &mut Gradients<'_>,
        made: Option<Candidates>,
        record: &Recording<'_>,
        states: &[Option<Tensor>],
        wanted: bool,
        sums: Sums<'_>,
    ) -> Result<(Option<Flow>, Vec<Term>), Error> {
        let Some(mut made) = made else { return Ok((None, Vec::new())) };
        let beside = made.beside.take();
        let through = wanted || self.learns() || beside.as_ref().is_some_and(Beside::wants_gradient);
        let shares = self.record_mixtures(gradients.recorder(), &made, record, states, through, sums)?;
        if !through {
            return Ok((None, shares));
        }
        let [first, second] = self.reads(record, &made);
        if let Some(bank) = &self.second {
            let block = self.block(1, record, &made.candidates, &made.saved);
            let dmiddle = bank.record_weights(gradients, &second, record, made.middles[1].as_ref(), &block.z)?;
            let [batch, channels, height, width] = record.shape;
            let shape = [batch, bank.branches() * channels, height, width];
            let dnormed = Tensor::scratch(gradients.recorder(), &shape)?;
            bank.record_input(gradients.recorder(), &second, record, &dmiddle, &dnormed, false)?;
            drop(dmiddle);
            self.record_normalised(gradients.recorder(), &made, record, &dnormed)?;
        }
        let mut dmiddle = None;
        if let Some(bank) = &self.first {
            let block = self.block(0, record, &made.candidates, &made.saved);
            dmiddle = Some(bank.record_weights(gradients, &first, record, made.middles[0].as_ref(), &block.z)?);
        }
        if let Some(reduce) = &self.reduce {
            let block = self.block(2, record, &made.candidates, &made.saved);
            gradients.add(reduce.weights.id(), reduce.weights.shape(), |recorder, dw, accumulate| {
                let params = reduce.params(&made.x, record, dw.at(), block.z.at());
                let params = factorized_reduce::Params { accumulate: accumulate.into(), ..params };
                let inputs = [made.x.binding(), block.z.binding()];
                Ok(recorder.dispatch(&factorized_reduce::BACKWARD_WEIGHT, &params, &inputs, &[dw.binding()])?)
            })?;
        }
        let leaves = match beside {
            Some(beside) => self.record_beside_backward(gradients, beside, &made, record, states)?,
            None => Leaves::default(),
        };
        Ok((wanted.then(|| Flow { fan: self, made, dmiddle, leaves }), shares))
    }

    /// Records the sums of each edge's mixture and, with `through`, replaces each convolved candidate by its
    /// gradient.
    fn record_mixtures(
        &self,
        recorder: &mut Recorder,
        made: &Candidates,
        record: &Recording<'_>,
        states: &[Option<Tensor>],
        through: bool,
        Sums { sums, first, learns }: Sums<'_>,
    ) -> Result<Vec<Term>, Error> {
        let [batch, channels, ..] = record.shape;
        let mut edges = Vec::with_capacity(self.edges.len());
        let mut all: Vec<Term> = Vec::new();
        let mut shares = Vec::new();
        for edge in &self.edges {
            let dy = self.gradient_of(edge, states)?;
            let convolved = edge.candidates.iter().filter(|(_, s)| s.convolved()).count();
            let outside = edge.candidates.iter().filter(|(_, s)| *s == Source::Identity).count();
            let mut terms = self.terms(edge, record, made);
            terms.truncate(if learns { terms.len() } else { convolved });
            let begin = all.len();
            for mut term in terms {
                term.dy = dy.at();
                term.dy_image = (channels * record.pixels()) as u32;
                term.sums = (2 * (first + all.len()) * channels) as u32;
                if learns {
                    shares.push(Term { weight: term.weight - record.weights.at(), ..term });
                }
                all.push(term);
            }
            edges.push((begin..all.len(), convolved, outside, dy));
        }
        if all.is_empty() {
            return Ok(shares);
        }
        let words = table(recorder, &all)?;
        let [batch, channels] = [batch as u32, channels as u32];
        let pixels = record.pixels() as u32;
        for (range, convolved, outside, dy) in edges {
            let at = words.at() + (range.start * TERM) as u32;
            if range.is_empty() {
                continue;
            }
            let inside = if learns { range.len() - outside } else { range.len() };
            let params = normalised_sum::Sums {
                table: at,
                terms: range.len() as u32,
                inside: inside as u32,
                batch,
                channels,
                pixels,
            };
            let inputs =
                [words.binding(), made.candidates.binding(), made.x.binding(), made.saved.binding(), dy.binding()];
            recorder.dispatch_moving(&normalised_sum::SUMS, &params, &inputs, &[sums.binding()], params.bytes())?;
            if through && convolved > 0 {
                let params = normalised_sum::Backward { table: at, terms: convolved as u32, batch, channels, pixels };
                let inputs =
                    [words.binding(), made.saved.binding(), record.weights.binding(), sums.binding(), dy.binding()];
                recorder.dispatch_moving(
                    &normalised_sum::BACKWARD,
                    &params,
                    &inputs,
                    &[made.candidates.binding()],
                    params.bytes(),
                )?;
            }
        }
        Ok(shares)
    }

    /// Replaces the first results that the second bank read by their gradients, from those of their
    /// normalised values.
    fn record_normalised(
        &self,
        recorder: &mut Recorder,
        made: &Candidates,
        record: &Recording<'_>,
        dnormed: &Tensor,
    ) -> Result<(), Error> {
        let [batch, channels, ..] = record.shape.map(|n| n as u32);
        let pixels = record.pixels() as u32;
        let Block { z, saved, branches } = self.block(0, record, &made.candidates, &made.saved);
        let read = self.second.as_ref().map_or(0, Bank::branches) as u32;
        let of = |branch: u32| Term {
            at: z.at() + branch * channels * pixels,
            image: branches as u32 * channels * pixels,
            mean: saved.at() + branch * channels,
            inverse: saved.at() + (branches as u32 + branch) * channels,
            weight: NONE,
            dy: dnormed.at() + branch * channels * pixels,
            dy_image: read * channels * pixels,
            sums: 2 * branch * channels,
        };
        let words = table(recorder, &(0..read).map(of).collect::<Vec<_>>())?;
        let sums = Tensor::scratch(recorder, &[read as usize, 2, channels as usize])?;
        let candidates = made.candidates.binding();
        let params = normalised_sum::Sums { table: words.at(), terms: read, inside: read, batch, channels, pixels };
        let inputs = [words.binding(), candidates, made.x.binding(), made.saved.binding(), dnormed.binding()];
        recorder.dispatch_moving(&normalised_sum::SUMS, &params, &inputs, &[sums.binding()], params.bytes())?;
        let params = normalised_sum::Backward { table: words.at(), terms: read, batch, channels, pixels };
        let inputs =
            [words.binding(), made.saved.binding(), record.weights.binding(), sums.binding(), dnormed.binding()];
        Ok(recorder.dispatch_moving(&normalised_sum::BACKWARD, &params, &inputs, &[candidates], params.bytes())?)
    }
}
