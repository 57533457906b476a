//! Sums, products, multiples and shapes.

use super::*;
use crate::autograd::gradients::scale as record_scale;
use crate::kernels::{elementwise as kernels, reduce};
use std::ops::Range;

fn same_shape(operation: &'static str, a: &Var, b: &Var) -> Result<(), Error> {
    if a.shape() == b.shape() {
        return Ok(());
    }
    Err(Error::shape(operation, format!("{:?} and {:?} differ", a.shape(), b.shape())))
}

/// a + b for equal shapes.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ.
pub fn add(tape: &mut Tape, a: &Var, b: &Var) -> Result<Var, Error> {
    same_shape("add", a, b)?;
    let z = tape.output(a.shape())?;
    let params = kernels::Add { a: a.tensor().at(), b: b.tensor().at(), z: z.at(), count: z.count() as u32 };
    let inputs = [a.tensor().binding(), b.tensor().binding()];
    tape.recorder().dispatch(&kernels::ADD, &params, &inputs, &[z.binding()])?;
    Ok(tape.push("add", &[a, b], z, || Add { inputs: [a.id(), b.id()] }))
}

#[derive(Debug)]
struct Add {
    inputs: [Option<usize>; 2],
}

impl Backward for Add {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        self.inputs.into_iter().try_for_each(|input| gradients.pass(input, dy))
    }
}

/// a · b, elementwise, for equal shapes.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ.
pub fn multiply(tape: &mut Tape, a: &Var, b: &Var) -> Result<Var, Error> {
    same_shape("multiply", a, b)?;
    let z = tape.output(a.shape())?;
    record_multiply(tape.recorder(), a.tensor(), b.tensor(), &z, false)?;
    let undo = || Multiply { a: a.id(), b: b.id(), values: [a.tensor().clone(), b.tensor().clone()] };
    Ok(tape.push("multiply", &[a, b], z, undo))
}

fn record_multiply(
    recorder: &mut crate::device::Recorder,
    a: &Tensor,
    b: &Tensor,
    z: &Tensor,
    accumulate: bool,
) -> Result<(), Error> {
    let params =
        kernels::Multiply { a: a.at(), b: b.at(), z: z.at(), count: z.count() as u32, accumulate: accumulate.into() };
    Ok(recorder.dispatch(&kernels::MULTIPLY, &params, &[a.binding(), b.binding()], &[z.binding()])?)
}

#[derive(Debug)]
struct Multiply {
    a: Option<usize>,
    b: Option<usize>,
    values: [Tensor; 2],
}

impl Backward for Multiply {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let [a, b] = &self.values;
        gradients
            .add(self.a, a.shape(), |recorder, da, accumulate| record_multiply(recorder, b, dy, da, accumulate))?;
        gradients.add(self.b, b.shape(), |recorder, db, accumulate| record_multiply(recorder, a, dy, db, accumulate))
    }

    fn saved_bytes(&self) -> usize {
        self.values.iter().map(bytes).sum()
    }
}

/// factor · x. With factor 1 a copy, for instance into a slice of a larger tensor.
///
/// # Errors
/// As recording does.
pub fn scale(tape: &mut Tape, x: &Var, factor: f32) -> Result<Var, Error> {
    let y = tape.output(x.shape())?;
    record_scale(tape.recorder(), x.tensor(), &y, factor, false)?;
    Ok(tape.push("scale", &[x], y, || Scale { x: x.id(), factor }))
}

#[derive(Debug)]
struct Scale {
    x: Option<usize>,
    factor: f32,
}

impl Backward for Scale {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, factor } = *self;
        if factor == 1.0 {
            return gradients.pass(x, dy);
        }
        gradients.add(x, dy.shape(), |recorder, dx, accumulate| record_scale(recorder, dy, dx, factor, accumulate))
    }
}

/// The same values in another shape.
///
/// # Errors
/// [`Error::Shape`] if the number of elements differs.
pub fn reshape(tape: &mut Tape, x: &Var, shape: &[usize]) -> Result<Var, Error> {
    let y = x.tensor().reshape(shape)?;
    Ok(tape.push("reshape", &[x], y, || Reshape { x: x.id(), shape: x.shape().to_vec() }))
}

#[derive(Debug)]
struct Reshape {
    x: Option<usize>,
    shape: Vec<usize>,
}

impl Backward for Reshape {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        gradients.pass(self.x, &dy.reshape(&self.shape)?)
    }
}

/// Sum of all elements, shape `[1]`.
///
/// # Errors
/// As recording does.
pub fn sum(tape: &mut Tape, x: &Var) -> Result<Var, Error> {
    total(tape, "sum", reduce::SUM, x, 1.0)
}

/// Mean of all elements, shape `[1]`.
///
/// # Errors
/// As recording does.
pub fn mean(tape: &mut Tape, x: &Var) -> Result<Var, Error> {
    total(tape, "mean", reduce::MEAN, x, 1.0 / x.tensor().count().max(1) as f32)
}

fn total(tape: &mut Tape, name: &'static str, operation: u32, x: &Var, slope: f32) -> Result<Var, Error> {
    let y = tape.output(&[1])?;
    record_reduce(tape.recorder(), operation, x.tensor(), &y)?;
    Ok(tape.push(name, &[x], y, || Total { x: x.id(), shape: x.shape().to_vec(), slope }))
}

/// Records `y[0] = reduction of x`; `operation` is one of [`crate::kernels::reduce`]'s.
///
/// # Errors
/// As recording does.
pub fn record_reduce(
    recorder: &mut crate::device::Recorder,
    operation: u32,
    x: &Tensor,
    y: &Tensor,
) -> Result<(), Error> {
    record_reduce_ranges(recorder, operation, x, std::slice::from_ref(&(0..x.count())), y)
}

/// As [`record_reduce`], of those `ranges` of `x` only.
///
/// # Errors
/// As recording does.
pub fn record_reduce_ranges(
    recorder: &mut crate::device::Recorder,
    operation: u32,
    x: &Tensor,
    ranges: &[Range<usize>],
    y: &Tensor,
) -> Result<(), Error> {
    let pieces_of = |range: &Range<usize>| range.len().div_ceil(reduce::CHUNK as usize).max(1);
    let pieces: usize = ranges.iter().map(pieces_of).sum();
    let partial = Tensor::scratch(recorder, &[pieces])?;
    let mut first = 0;
    for range in ranges {
        let (x, partial) = (x.view(range.start, &[range.len()]), partial.view(first, &[pieces_of(range)]));
        let params = reduce::Partial { x: x.at(), y: partial.at(), count: range.len() as u32, operation };
        recorder.dispatch(&reduce::PARTIAL, &params, &[x.binding()], &[partial.binding()])?;
        first += pieces_of(range);
    }
    let total = ranges.iter().map(|range| range.len() as u32).sum();
    let params = reduce::Final { x: partial.at(), y: y.at(), count: pieces as u32, operation, total, accumulate: 0 };
    Ok(recorder.dispatch(&reduce::FINAL, &params, &[partial.binding()], &[y.binding()])?)
}

#[derive(Debug)]
struct Total {
    x: Option<usize>,
    shape: Vec<usize>,
    slope: f32,
}

impl Backward for Total {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        // Every element gets slope · dy: the way back of a mean over one plane, times count · slope.
        let Self { x, shape, slope } = *self;
        let count: usize = shape.iter().product();
        gradients.add(x, &shape, |recorder, dx, accumulate| {
            let scaled = Tensor::scratch(recorder, &[1])?;
            record_scale(recorder, dy, &scaled, slope * count as f32, false)?;
            super::pool::record_global_backward(recorder, &scaled, dx, 1, count, accumulate)
        })
    }
}
