//! Noise that nothing but chance determines: a constant of the tape, with new values in each run.

use super::*;
use crate::kernels::noise as kernels;

/// Numbers of N(0, 1) of the given shape: a pure function of the randomness and the step's number. No gradient goes
/// through them.
///
/// # Errors
/// As recording does.
pub fn noise(tape: &mut Tape, shape: &[usize], randomness: &Randomness) -> Result<Var, Error> {
    let y = tape.output(shape)?;
    let Randomness { seed, stream, step, counter } = randomness;
    let params = kernels::Params {
        y: y.at(),
        count: y.count() as u32,
        stream: *stream,
        seed_low: *seed as u32,
        seed_high: (*seed >> 32) as u32,
        counter: step.at() + counter,
    };
    tape.recorder().dispatch(&kernels::NOISE, &params, &[step.binding()], &[y.binding()])?;
    Ok(Var::constant(y))
}
