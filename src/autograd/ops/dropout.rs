//! Dropout (Srivastava et al. 2014) and drop-path (Larsson et al. 2017; per sample, as DARTS uses it).

use super::*;
use crate::kernels::dropout as kernels;

/// Where random decisions come from: a pure function of these and of the element's place.
#[derive(Clone, Debug)]
pub struct Randomness {
    /// Key of the generator.
    pub seed: u64,
    /// Distinguishes the operations of one network.
    pub stream: u32,
    /// Words that change from step to step.
    pub step: Tensor,
    /// Index in `step` of the step's number.
    pub counter: u32,
}

/// Zeroes elements with the given probability and divides the others by the keep probability.
///
/// # Errors
/// As recording does.
pub fn dropout(tape: &mut Tape, x: &Var, probability: f32, randomness: &Randomness) -> Result<Var, Error> {
    drop_groups(tape, "dropout", x, 1, Probability::Fixed(probability), randomness)
}

/// As [`dropout`], with the probability at index `probability_at` of the step words.
///
/// # Errors
/// As recording does.
pub fn scheduled_dropout(tape: &mut Tape, x: &Var, probability_at: u32, randomness: &Randomness) -> Result<Var, Error> {
    drop_groups(tape, "scheduled_dropout", x, 1, Probability::At(probability_at), randomness)
}

/// Zeroes whole samples of a batch with the probability at index `probability_at` of the step words,
/// and divides the others by the keep probability.
///
/// # Errors
/// As recording does.
pub fn drop_path(tape: &mut Tape, x: &Var, probability_at: u32, randomness: &Randomness) -> Result<Var, Error> {
    let group = x.tensor().count() / x.shape().first().copied().unwrap_or(1).max(1);
    drop_groups(tape, "drop_path", x, group, Probability::At(probability_at), randomness)
}

#[derive(Clone, Copy, Debug)]
enum Probability {
    Fixed(f32),
    At(u32),
}

fn drop_groups(
    tape: &mut Tape,
    name: &'static str,
    x: &Var,
    group: usize,
    probability: Probability,
    randomness: &Randomness,
) -> Result<Var, Error> {
    let y = tape.output(x.shape())?;
    let undo = Undo { x: x.id(), group, probability, randomness: randomness.clone() };
    undo.record(tape.recorder(), x.tensor(), &y, false)?;
    Ok(tape.push(name, &[x], y, || undo))
}

#[derive(Debug)]
struct Undo {
    x: Option<usize>,
    group: usize,
    probability: Probability,
    randomness: Randomness,
}

impl Undo {
    fn record(
        &self,
        recorder: &mut crate::device::Recorder,
        x: &Tensor,
        y: &Tensor,
        accumulate: bool,
    ) -> Result<(), Error> {
        let Randomness { seed, stream, step, counter } = &self.randomness;
        let (probability, probability_at) = match self.probability {
            Probability::Fixed(probability) => (probability, u32::MAX),
            Probability::At(index) => (0.0, step.at() + index),
        };
        let params = kernels::Params {
            x: x.at(),
            y: y.at(),
            count: x.count() as u32,
            group: self.group.max(1) as u32,
            stream: *stream,
            seed_low: *seed as u32,
            seed_high: (*seed >> 32) as u32,
            counter: step.at() + counter,
            probability_at,
            accumulate: accumulate.into(),
            probability,
        };
        Ok(recorder.dispatch(&kernels::DROPOUT, &params, &[x.binding(), step.binding()], &[y.binding()])?)
    }
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        gradients.add(self.x, dy.shape(), |recorder, dx, accumulate| self.record(recorder, dy, dx, accumulate))
    }
}
