//! Concatenation, slices and shuffling along the channels.

use super::*;
use crate::device::Recorder;
use crate::kernels::{channels as kernels, join, shuffle};

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
    record_join(tape.recorder(), &inputs.iter().map(|v| v.tensor()).collect::<Vec<_>>(), &y)?;
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

/// Interleaves `groups` groups of neighbouring channels (Zhang et al. 2018): channel g·(C/groups) + c of x becomes
/// channel c·groups + g.
///
/// # Errors
/// [`Error::Shape`] if the channels cannot be divided so.
pub fn shuffle_channels(tape: &mut Tape, x: &Var, groups: usize) -> Result<Var, Error> {
    let [_, channels, ..] = image("shuffle_channels", x)?;
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Err(Error::shape("shuffle_channels", format!("{groups} groups of {:?}", x.shape())));
    }
    let y = tape.output(x.shape())?;
    record_shuffle(tape.recorder(), x.tensor(), &y, groups, false)?;
    // Shuffling the other way round undoes it.
    Ok(tape.push("shuffle_channels", &[x], y, || Shuffle { x: x.id(), groups: channels / groups }))
}

#[derive(Debug)]
struct Shuffle {
    x: Option<usize>,
    groups: usize,
}

impl Backward for Shuffle {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        gradients.add(self.x, dy.shape(), |recorder, dx, accumulate| {
            record_shuffle(recorder, dy, dx, self.groups, accumulate)
        })
    }
}

fn record_shuffle(
    recorder: &mut Recorder,
    x: &Tensor,
    y: &Tensor,
    groups: usize,
    accumulate: bool,
) -> Result<(), Error> {
    let [batch, channels, height, width] = image_shape("shuffle_channels", x.shape())?;
    let params = shuffle::Shuffle {
        x: x.at(),
        y: y.at(),
        batch: batch as u32,
        channels: channels as u32,
        pixels: (height * width) as u32,
        groups: groups as u32,
        accumulate: accumulate.into(),
    };
    Ok(recorder.dispatch(&shuffle::SHUFFLE, &params, &[x.binding()], &[y.binding()])?)
}

/// Records y = the x's one after another along the channels, several of the same shape at a time.
pub(super) fn record_join(recorder: &mut Recorder, mut x: &[&Tensor], y: &Tensor) -> Result<(), Error> {
    let mut place = 0;
    while let [first, rest @ ..] = x {
        let channels = first.shape()[1];
        match x {
            [a, b, c, d, rest @ ..] if [b, c, d].iter().all(|t| t.shape() == first.shape()) => {
                let parts = [*a, *b, *c, *d];
                let params = join_params(parts, y, place);
                recorder.dispatch(&join::JOIN, &params, &parts.map(Tensor::binding), &[y.binding()])?;
                (x, place) = (rest, place + join::PARTS * channels);
            }
            _ => {
                record_copy(recorder, first, 0, y, place, channels, false)?;
                (x, place) = (rest, place + channels);
            }
        }
    }
    Ok(())
}

/// Records the reverse: y cut along the channels into `count` tensors of `shape`.
pub(super) fn record_split(
    recorder: &mut Recorder,
    y: &Tensor,
    count: usize,
    shape: &[usize],
) -> Result<Vec<Tensor>, Error> {
    let parts = (0..count).map(|_| Tensor::scratch(recorder, shape)).collect::<Result<Vec<_>, _>>()?;
    let (chunks, rest) = parts.as_chunks::<{ join::PARTS }>();
    for (chunk, parts) in chunks.iter().enumerate() {
        let parts = parts.each_ref();
        let params = join_params(parts, y, chunk * join::PARTS * shape[1]);
        recorder.dispatch(&join::SPLIT, &params, &[y.binding()], &parts.map(Tensor::binding))?;
    }
    for (slot, part) in rest.iter().enumerate() {
        record_copy(recorder, y, (chunks.len() * join::PARTS + slot) * shape[1], part, 0, shape[1], false)?;
    }
    Ok(parts)
}

fn join_params(parts: [&Tensor; join::PARTS], y: &Tensor, first: usize) -> join::Join {
    let [x0, x1, x2, x3] = parts.map(Tensor::at);
    let shape = parts[0].shape();
    join::Join {
        x0,
        x1,
        x2,
        x3,
        y: y.at(),
        batch: shape[0] as u32,
        channels: shape[1] as u32,
        pixels: shape[2..].iter().product::<usize>() as u32,
        y_channels: y.shape()[1] as u32,
        first: first as u32,
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
