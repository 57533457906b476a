//! ReLU, sigmoid, tanh.

use super::*;
use crate::kernels::activation as kernels;

/// max(x, 0), elementwise.
///
/// # Errors
/// As recording does.
pub fn relu(tape: &mut Tape, x: &Var) -> Result<Var, Error> {
    activation(tape, "relu", kernels::RELU, x)
}

/// 1 / (1 + e⁻ˣ), elementwise.
///
/// # Errors
/// As recording does.
pub fn sigmoid(tape: &mut Tape, x: &Var) -> Result<Var, Error> {
    activation(tape, "sigmoid", kernels::SIGMOID, x)
}

/// Hyperbolic tangent, elementwise.
///
/// # Errors
/// As recording does.
pub fn tanh(tape: &mut Tape, x: &Var) -> Result<Var, Error> {
    activation(tape, "tanh", kernels::TANH, x)
}

fn activation(tape: &mut Tape, name: &'static str, function: u32, x: &Var) -> Result<Var, Error> {
    let y = tape.output(x.shape())?;
    let params = kernels::Forward { x: x.tensor().at(), y: y.at(), count: y.count() as u32, function };
    tape.recorder().dispatch(&kernels::FORWARD, &params, &[x.tensor().binding()], &[y.binding()])?;
    Ok(tape.push(name, &[x], y.clone(), || Undo { x: x.id(), y, function }))
}

#[derive(Debug)]
struct Undo {
    x: Option<usize>,
    y: Tensor,
    function: u32,
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, y, function } = *self;
        gradients.add(x, y.shape(), |recorder, dx, accumulate| {
            let params = kernels::Backward {
                y: y.at(),
                dy: dy.at(),
                dx: dx.at(),
                count: y.count() as u32,
                function,
                accumulate: accumulate.into(),
            };
            Ok(recorder.dispatch(&kernels::BACKWARD, &params, &[y.binding(), dy.binding()], &[dx.binding()])?)
        })
    }

    fn saved_bytes(&self) -> usize {
        bytes(&self.y)
    }
}
