//! Concatenation and slices along the channels.

use super::*;
use crate::device::Recorder;
use crate::kernels::channels as kernels;

/// Inputs `[batch, channelsᵢ, height, width]` one after another along the channels.
///
/// # Errors
/// [`Error::Shape`] if anything but the channels differs.
pub fn concat(tape: &mut Tape, inputs: &[&Var]) -> Result<Var, Error> {
    let [first, ..] = inputs else { return Err(Error::shape("concat", "needs an input")) };
    let [batch, _, height, width] = image("concat", first)?;
    let mut channels = Vec::with_capacity(inputs.len());
    for input in inputs {
        let shape = image("concat", input)?;
        if [shape[0], shape[2], shape[3]] != [batch, height, width] {
            let problem = format!("cannot join {:?} and {:?}", first.shape(), input.shape());
            return Err(Error::shape("concat", problem));
        }
        channels.push(shape[1]);
    }
    let y = tape.output(&[batch, channels.iter().sum(), height, width])?;
    let mut place = 0;
    for (input, &count) in inputs.iter().zip(&channels) {
        record_copy(tape.recorder(), input.tensor(), 0, &y, place, count, false)?;
        place += count;
    }
    let undo = || Concat { inputs: inputs.iter().zip(channels).map(|(v, count)| (v.id(), count)).collect() };
    Ok(tape.push("concat", inputs, y, undo))
}

#[derive(Debug)]
struct Concat {
    inputs: Vec<(Option<usize>, usize)>,
}

impl Backward for Concat {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let &[batch, _, height, width] = dy.shape() else { return Err(Error::shape("concat", "takes images")) };
        let mut place = 0;
        for &(input, count) in &self.inputs {
            gradients.add(input, &[batch, count, height, width], |recorder, dx, accumulate| {
                record_copy(recorder, dy, place, dx, 0, count, accumulate)
            })?;
            place += count;
        }
        Ok(())
    }
}

/// Channels `first .. first + count` of `[batch, channels, height, width]`.
///
/// # Errors
/// [`Error::Shape`] if they lie outside.
pub fn slice_channels(tape: &mut Tape, x: &Var, first: usize, count: usize) -> Result<Var, Error> {
    let [batch, channels, height, width] = image("slice_channels", x)?;
    if first + count > channels || count == 0 {
        return Err(Error::shape("slice_channels", format!("channels {first}..{} of {:?}", first + count, x.shape())));
    }
    let y = tape.output(&[batch, count, height, width])?;
    record_copy(tape.recorder(), x.tensor(), first, &y, 0, count, false)?;
    Ok(tape.push("slice_channels", &[x], y, || Slice { x: x.id(), shape: x.shape().to_vec(), first, count }))
}

#[derive(Debug)]
struct Slice {
    x: Option<usize>,
    shape: Vec<usize>,
    first: usize,
    count: usize,
}

impl Backward for Slice {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, shape, first, count } = *self;
        gradients.add(x, &shape, |recorder, dx, accumulate| {
            if !accumulate {
                recorder.clear(dx.buffer(), dx.at() as usize, dx.count())?;
            }
            record_copy(recorder, dy, 0, dx, first, count, true)
        })
    }
}

pub(super) fn record_copy(
    recorder: &mut Recorder,
    x: &Tensor,
    x_first: usize,
    y: &Tensor,
    y_first: usize,
    channels: usize,
    accumulate: bool,
) -> Result<(), Error> {
    let params = kernels::Copy {
        x: x.at(),
        y: y.at(),
        batch: x.shape()[0] as u32,
        pixels: x.shape()[2..].iter().product::<usize>() as u32,
        channels: channels as u32,
        x_channels: x.shape()[1] as u32,
        x_first: x_first as u32,
        y_channels: y.shape()[1] as u32,
        y_first: y_first as u32,
        accumulate: accumulate.into(),
    };
    Ok(recorder.dispatch(&kernels::COPY, &params, &[x.binding()], &[y.binding()])?)
}
