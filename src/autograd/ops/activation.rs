//! ReLU, sigmoid, tanh, ramps.

use super::*;
use crate::kernels::activation as kernels;

/// max(x, 0), elementwise.
///
/// # Errors
/// As recording does.
pub fn relu(tape: &mut Tape, x: &Var) -> Result<Var, Error> {
    activation(tape, "relu", kernels::RELU, NO_RAMP, x)
}

/// 1 / (1 + e⁻ˣ), elementwise.
///
/// # Errors
/// As recording does.
pub fn sigmoid(tape: &mut Tape, x: &Var) -> Result<Var, Error> {
    activation(tape, "sigmoid", kernels::SIGMOID, NO_RAMP, x)
}

/// Hyperbolic tangent, elementwise.
///
/// # Errors
/// As recording does.
pub fn tanh(tape: &mut Tape, x: &Var) -> Result<Var, Error> {
    activation(tape, "tanh", kernels::TANH, NO_RAMP, x)
}

/// A line between two bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// What x is multiplied by.
    pub slope: f32,
    /// What is added.
    pub shift: f32,
    /// No value is smaller; −∞ for no bound.
    pub low: f32,
    /// No value is larger; ∞ for no bound.
    pub high: f32,
}

/// What functions get that are no ramps.
const NO_RAMP: Ramp = Ramp { slope: 0.0, shift: 0.0, low: 0.0, high: 0.0 };

/// slope · x + shift, not below `low` and not above `high`, elementwise. Where a bound holds, the gradient is 0.
///
/// # Errors
/// As recording does.
pub fn ramp(tape: &mut Tape, x: &Var, ramp: Ramp) -> Result<Var, Error> {
    activation(tape, "ramp", kernels::RAMP, ramp, x)
}

fn activation(tape: &mut Tape, name: &'static str, function: u32, ramp: Ramp, x: &Var) -> Result<Var, Error> {
    let y = tape.output(x.shape())?;
    let Ramp { slope, shift, low, high } = ramp;
    let (at, count) = (x.tensor().at(), y.count() as u32);
    let params = kernels::Forward { x: at, y: y.at(), count, function, slope, shift, low, high };
    tape.recorder().dispatch(&kernels::FORWARD, &params, &[x.tensor().binding()], &[y.binding()])?;
    Ok(tape.push(name, &[x], y.clone(), || Undo { x: x.id(), y, function, ramp }))
}

#[derive(Debug)]
struct Undo {
    x: Option<usize>,
    y: Tensor,
    function: u32,
    ramp: Ramp,
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, y, function, ramp: Ramp { slope, low, high, .. } } = *self;
        gradients.add(x, y.shape(), |recorder, dx, accumulate| {
            let params = kernels::Backward {
                y: y.at(),
                dy: dy.at(),
                dx: dx.at(),
                count: y.count() as u32,
                function,
                accumulate: accumulate.into(),
                slope,
                low,
                high,
            };
            Ok(recorder.dispatch(&kernels::BACKWARD, &params, &[y.binding(), dy.binding()], &[dx.binding()])?)
        })
    }

    fn saved_bytes(&self) -> usize {
        bytes(&self.y)
    }
}
