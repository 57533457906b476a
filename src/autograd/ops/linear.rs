//! Matrix product and the fully connected layer.

use super::*;
use crate::device::Recorder;
use crate::kernels::matmul as kernels;

/// a · b for matrices `[rows, inner]` and `[inner, columns]`.
///
/// # Errors
/// [`Error::Shape`] if the inner sizes differ.
pub fn matmul(tape: &mut Tape, a: &Var, b: &Var) -> Result<Var, Error> {
    let (&[rows, inner], &[other, columns]) = (a.shape(), b.shape()) else {
        return Err(Error::shape("matmul", format!("takes matrices, got {:?} and {:?}", a.shape(), b.shape())));
    };
    if inner != other {
        return Err(Error::shape("matmul", format!("{:?} and {:?} do not fit", a.shape(), b.shape())));
    }
    product(tape, "matmul", a, b, None, [rows, columns, inner], false)
}

/// x · weightᵀ + bias for x `[batch, inputs]` (or any shape whose rows hold `inputs` values),
/// weight `[outputs, inputs]`, bias `[outputs]`; gives `[batch, outputs]`.
///
/// # Errors
/// [`Error::Shape`] if the sizes do not fit.
pub fn linear(tape: &mut Tape, x: &Var, weight: &Var, bias: Option<&Var>) -> Result<Var, Error> {
    let &[outputs, inputs] = weight.shape() else {
        return Err(Error::shape("linear", format!("weight {:?} is not [outputs, inputs]", weight.shape())));
    };
    let batch = x.shape().first().copied().unwrap_or(0);
    if batch * inputs != x.tensor().count() || bias.is_some_and(|b| b.tensor().count() != outputs) {
        return Err(Error::shape("linear", format!("weight {:?} does not fit {:?}", weight.shape(), x.shape())));
    }
    let flat = reshape(tape, x, &[batch, inputs])?;
    product(tape, "linear", &flat, weight, bias, [batch, outputs, inputs], true)
}

fn product(
    tape: &mut Tape,
    name: &'static str,
    a: &Var,
    b: &Var,
    bias: Option<&Var>,
    size: [usize; 3],
    transpose_b: bool,
) -> Result<Var, Error> {
    let c = tape.output(&[size[0], size[1]])?;
    let added = bias.map(Var::tensor);
    record_matmul(tape.recorder(), a.tensor(), b.tensor(), added, &c, size, [false, transpose_b], false)?;
    let parents: Vec<&Var> = [Some(a), Some(b), bias].into_iter().flatten().collect();
    Ok(tape.push(name, &parents, c, || Undo {
        parents: [a.id(), b.id(), bias.and_then(Var::id)],
        a: b.wants_gradient().then(|| a.tensor().clone()),
        b: a.wants_gradient().then(|| b.tensor().clone()),
        shapes: [a.shape().to_vec(), b.shape().to_vec()],
        size,
        transpose_b,
    }))
}

#[derive(Debug)]
struct Undo {
    parents: [Option<usize>; 3],
    a: Option<Tensor>,
    b: Option<Tensor>,
    shapes: [Vec<usize>; 2],
    size: [usize; 3],
    transpose_b: bool,
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dc: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { parents: [pa, pb, bias], a, b, shapes: [sa, sb], size: [rows, columns, inner], transpose_b } = *self;
        if let Some(a) = a {
            gradients.add(pb, &sb, |recorder, db, accumulate| {
                if transpose_b {
                    // b is [columns, inner]: db = dcᵀ · a.
                    record_matmul(recorder, dc, &a, None, db, [columns, inner, rows], [true, false], accumulate)
                } else {
                    record_matmul(recorder, &a, dc, None, db, [inner, columns, rows], [true, false], accumulate)
                }
            })?;
        }
        gradients.add(bias, &[columns], |recorder, d, accumulate| {
            channel_sum::record(recorder, dc, d, [rows, columns, 1], accumulate)
        })?;
        if let Some(b) = b {
            gradients.add(pa, &sa, |recorder, da, accumulate| {
                record_matmul(recorder, dc, &b, None, da, [rows, inner, columns], [false, !transpose_b], accumulate)
            })?;
        }
        Ok(())
    }

    fn saved_bytes(&self) -> usize {
        self.a.iter().chain(&self.b).map(bytes).sum()
    }
}

/// Records `c[rows, columns] (+)= op(a) · op(b) + bias`.
#[allow(clippy::too_many_arguments, reason = "the arguments of a general matrix product")]
pub(super) fn record_matmul(
    recorder: &mut Recorder,
    a: &Tensor,
    b: &Tensor,
    bias: Option<&Tensor>,
    c: &Tensor,
    [rows, columns, inner]: [usize; 3],
    [transpose_a, transpose_b]: [bool; 2],
    accumulate: bool,
) -> Result<(), Error> {
    let params = kernels::Params {
        a: a.at(),
        b: b.at(),
        bias: bias.map_or(0, Tensor::at),
        c: c.at(),
        rows: rows as u32,
        columns: columns as u32,
        inner: inner as u32,
        transpose_a: transpose_a.into(),
        transpose_b: transpose_b.into(),
        has_bias: bias.is_some().into(),
        accumulate: accumulate.into(),
    };
    let inputs = [a.binding(), b.binding(), bias.unwrap_or(b).binding()];
    Ok(recorder.dispatch(&kernels::MATMUL, &params, &inputs, &[c.binding()])?)
}
