//! Records what stands beside a fan's banks: operations of the tape, kept aside from it.

use super::beside::{Beside, Leaves, RecordPlain};
use super::fan::{Candidates, Fan, Source};
use super::recording::{Recording, record_statistics, table};
use crate::autograd::ops::{ConvArgs, conv2d, relu};
use crate::autograd::{Gradients, Tape, Var};
use crate::device::Recorder;
use crate::kernels::normalised_sum::{self, NONE, Term};
use crate::tensor::{Error, Tensor};

impl Fan {
    /// Records what is beside the banks; nothing if there is nothing. `wanted` says whether the state has a gradient.
    pub(super) fn record_beside(
        &self,
        tape: &mut Tape,
        number: usize,
        wanted: bool,
        made: &Candidates,
        record: &Recording<'_>,
        plain: &mut RecordPlain<'_>,
    ) -> Result<Option<Beside>, Error> {
        if self.dense.is_empty() && self.plain == 0 {
            return Ok(None);
        }
        let leaf = |tape: &mut Tape, value: Tensor| if wanted { tape.leaf(value) } else { Var::constant(value) };
        let state = leaf(tape, made.x.clone());
        let rectified = if self.dense.is_empty() {
            None
        } else {
            let rectified = relu(tape, &Var::constant(made.x.clone()))?;
            Some(leaf(tape, rectified.tensor().clone()))
        };
        let (results, aside) = tape.aside(|tape| {
            let mut dense = Vec::with_capacity(self.dense.len());
            for (index, bank) in self.dense.iter().enumerate() {
                let Some(x) = &rectified else { break };
                let block = self.block(Self::DENSE + index, record, &made.candidates, &made.saved);
                let padding = bank.weights.shape().last().map_or(0, |kernel| kernel / 2);
                let args = ConvArgs { padding: [padding as i32; 4], ..ConvArgs::default() };
                let biases = bank.biases.as_ref().map(|biases| Var::constant(biases.tensor().clone()));
                tape.write_next_to(block.z.clone());
                dense.push(conv2d(tape, x, &bank.weights, biases.as_ref(), args)?);
                let channels = block.branches * record.shape[1];
                record_statistics(tape.recorder(), &block.z, &block.saved, channels, record, &bank.moments)?;
            }
            let own = (0..self.plain).map(|index| {
                let block = self.block(self.plain_block(index), record, &made.candidates, &made.saved);
                plain(tape, [number, index], &state, &block.z)
            });
            Ok::<_, Error>((dense, own.collect::<Result<Vec<_>, _>>()?))
        })?;
        let (dense, plain) = results;
        Ok(Some(Beside { aside, state, rectified, dense, plain }))
    }

    /// Records the way back of what is beside the banks, once the convolutions have been replaced by their gradients.
    pub(super) fn record_beside_backward(
        &self,
        gradients: &mut Gradients<'_>,
        beside: Beside,
        made: &Candidates,
        record: &Recording<'_>,
        states: &[Option<Tensor>],
    ) -> Result<Leaves, Error> {
        let Beside { aside, state, rectified, dense, plain } = beside;
        for (index, (bank, z)) in self.dense.iter().zip(&dense).enumerate() {
            let block = self.block(Self::DENSE + index, record, &made.candidates, &made.saved);
            gradients.pass(z.id(), &block.z)?;
            if let Some(biases) = &bank.biases {
                gradients.add(biases.id(), biases.shape(), |recorder, db, accumulate| match accumulate {
                    true => Ok(()),
                    false => Ok(recorder.clear(db.buffer(), db.at() as usize, db.count())?),
                })?;
            }
        }
        for (index, y) in plain.iter().enumerate() {
            if y.wants_gradient() {
                let dy = self.record_plain_gradient(gradients.recorder(), index, made, record, states)?;
                gradients.pass(y.id(), &dy)?;
            }
        }
        aside.backward(gradients)?;
        let mut gradient = |value: &Var| value.id().and_then(|id| gradients.take(id));
        let rectified = rectified.and_then(|value| Some([value.tensor().clone(), gradient(&value)?]));
        Ok(Leaves { state: gradient(&state), rectified })
    }

    /// The gradient of a candidate of the caller's: that of the edge's mixture, weighed.
    fn record_plain_gradient(
        &self,
        recorder: &mut Recorder,
        index: usize,
        made: &Candidates,
        record: &Recording<'_>,
        states: &[Option<Tensor>],
    ) -> Result<Tensor, Error> {
        let dz = Tensor::scratch(recorder, &record.shape)?;
        let candidates = self.edges.iter().flat_map(|e| e.candidates.iter().map(move |candidate| (e, candidate)));
        let own = candidates.into_iter().find(|(_, (_, source))| *source == Source::Plain(index));
        let Some((edge, (option, _))) = own else {
            return Err(Error::shape("fused_cell", format!("no edge has candidate {index}")));
        };
        let dy = self.gradient_of(edge, states)?;
        let [batch, channels] = [record.shape[0] as u32, record.shape[1] as u32];
        let pixels = record.pixels() as u32;
        let term = Term {
            at: dz.at(),
            image: channels * pixels,
            mean: NONE,
            weight: record.weights.at() + (edge.row * record.options + option) as u32,
            dy: dy.at(),
            dy_image: channels * pixels,
            ..Term::default()
        };
        let words = table(recorder, &[term])?;
        let params = normalised_sum::Backward { table: words.at(), terms: 1, batch, channels, pixels };
        // It has no mean: neither "saved" nor "sums" is read.
        let saved = made.saved.binding();
        let inputs = [words.binding(), saved, record.weights.binding(), saved, dy.binding()];
        recorder.dispatch_moving(&normalised_sum::BACKWARD, &params, &inputs, &[dz.binding()], params.bytes())?;
        Ok(dz)
    }
}
