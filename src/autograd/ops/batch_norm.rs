//! Batch normalisation (Ioffe & Szegedy 2015) over batch, rows and columns of each channel.

use super::*;
use crate::kernels::batch_norm as kernels;

/// Mean and variance of each channel: two places in one buffer.
#[derive(Clone, Debug)]
pub struct Moments {
    /// Means, `[channels]`.
    pub mean: Tensor,
    /// Variances, `[channels]`.
    pub variance: Tensor,
}

/// Where the mean and variance come from.
#[derive(Clone, Copy, Debug)]
pub enum Statistics<'a> {
    /// From the batch itself (training); mean and unbiased variance are written to `moments`, from which
    /// running statistics are updated later.
    Batch {
        /// Receives mean and unbiased variance.
        moments: &'a Moments,
    },
    /// From running mean and variance (evaluation).
    Running {
        /// Mean and variance.
        running: &'a Moments,
    },
}

/// What batch normalisation needs beside its input.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm<'a> {
    /// Learned scale and shift, `[channels]` each, neighbours in one buffer; none if not affine.
    pub affine: Option<(&'a Var, &'a Var)>,
    /// Mean and variance.
    pub statistics: Statistics<'a>,
    /// Added to the variance.
    pub epsilon: f32,
    /// What results are held within: [0, ∞] for ReLU, [0, 6] for ReLU6.
    pub bounds: Option<[f32; 2]>,
}

/// y = (x − mean) / √(variance + ε) · weight + bias, channel by channel of
/// `[batch, channels, height, width]`, within bounds if there are any. Where a bound holds, the gradient is 0.
///
/// # Errors
/// [`Error::Shape`] if parameters or statistics do not have one value a channel, or if statistics are to
/// come from a batch with a single value a channel.
pub fn batch_norm(tape: &mut Tape, x: &Var, norm: BatchNorm<'_>) -> Result<Var, Error> {
    let shape @ [batch, channels, height, width] = image("batch_norm", x)?;
    let stored = match norm.statistics {
        Statistics::Batch { moments } => moments,
        Statistics::Running { running } => running,
    };
    let of_channels = |v: &Var| v.tensor().count() == channels;
    if stored.mean.count() != channels
        || stored.variance.count() != channels
        || norm.affine.is_some_and(|(w, b)| !of_channels(w) || !of_channels(b))
    {
        return Err(Error::shape("batch_norm", format!("parameters or statistics do not fit {shape:?}")));
    }
    if norm.affine.is_some_and(|(w, b)| !w.tensor().buffer().same(b.tensor().buffer())) {
        return Err(Error::shape("batch_norm", "weight and bias lie in different buffers"));
    }
    if matches!(norm.statistics, Statistics::Batch { .. }) && batch * height * width < 2 {
        let problem = format!("{shape:?} has one value a channel, which has no variance: use a larger batch");
        return Err(Error::shape("batch_norm", problem));
    }
    let y = tape.output(&shape)?;
    let saved = Tensor::scratch(tape.recorder(), &[2, channels])?;
    let pixels = (height * width) as u32;
    let (batch, channels) = (batch as u32, channels as u32);
    let training = match norm.statistics {
        Statistics::Batch { moments } => {
            let params = kernels::Statistics {
                x: x.tensor().at(),
                saved: saved.at(),
                mean: moments.mean.at(),
                variance: moments.variance.at(),
                batch,
                channels,
                pixels,
                epsilon: norm.epsilon,
            };
            let outputs = [saved.binding(), moments.mean.binding()];
            tape.recorder().dispatch(&kernels::STATISTICS, &params, &[x.tensor().binding()], &outputs)?;
            true
        }
        Statistics::Running { running } => {
            let params = kernels::Fold {
                mean: running.mean.at(),
                variance: running.variance.at(),
                saved: saved.at(),
                channels,
                epsilon: norm.epsilon,
            };
            tape.recorder().dispatch(&kernels::FOLD, &params, &[running.mean.binding()], &[saved.binding()])?;
            false
        }
    };
    let affine = norm.affine.map(|(w, b)| [w, b]);
    let (weight, bias) = affine.map_or((0, 0), |[w, b]| (w.tensor().at(), b.tensor().at()));
    let params = kernels::Forward {
        x: x.tensor().at(),
        saved: saved.at(),
        weight,
        bias,
        y: y.at(),
        batch,
        channels,
        pixels,
        affine: affine.is_some().into(),
        bounded: norm.bounds.is_some().into(),
        low: norm.bounds.map_or(0.0, |[low, _]| low),
        high: norm.bounds.map_or(0.0, |[_, high]| high),
    };
    let parameters = affine.map_or(saved.binding(), |[w, _]| w.tensor().binding());
    let inputs = [x.tensor().binding(), saved.binding(), parameters];
    tape.recorder().dispatch(&kernels::FORWARD, &params, &inputs, &[y.binding()])?;
    let parents: Vec<&Var> = std::iter::once(x).chain(affine.into_iter().flatten()).collect();
    Ok(tape.push("batch_norm", &parents, y, || Undo {
        x: x.id(),
        value: x.tensor().clone(),
        saved,
        parameters: affine.map(|[w, b]| [w.tensor().clone(), b.tensor().clone()]),
        affine: affine.map_or([None; 2], |[w, b]| [w.id(), b.id()]),
        bounds: norm.bounds,
        training,
    }))
}

#[derive(Debug)]
struct Undo {
    x: Option<usize>,
    value: Tensor,
    saved: Tensor,
    parameters: Option<[Tensor; 2]>,
    affine: [Option<usize>; 2],
    bounds: Option<[f32; 2]>,
    training: bool,
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, value, saved, parameters, affine, bounds, training } = *self;
        let &[batch, channels, height, width] = dy.shape() else {
            return Err(Error::shape("batch_norm", "takes images"));
        };
        let size = [batch as u32, channels as u32, (height * width) as u32];
        let sums = Tensor::scratch(gradients.recorder(), &[2, channels])?;
        let [weight, bias] = parameters.as_ref().map_or([0; 2], |both| both.each_ref().map(Tensor::at));
        let read = parameters.as_ref().map_or(&saved, |[weight, _]| weight).binding();
        let [low, high] = bounds.unwrap_or_default();
        let (has, bounded) = (u32::from(parameters.is_some()), u32::from(bounds.is_some()));
        if training || affine.iter().any(Option::is_some) {
            let params = kernels::Sums {
                x: value.at(),
                saved: saved.at(),
                weight,
                bias,
                dy: dy.at(),
                sums: sums.at(),
                batch: size[0],
                channels: size[1],
                pixels: size[2],
                affine: has,
                bounded,
                low,
                high,
            };
            let inputs = [value.binding(), saved.binding(), read, dy.binding()];
            gradients.recorder().dispatch(&kernels::BACKWARD_SUMS, &params, &inputs, &[sums.binding()])?;
        }
        for (index, parameter) in affine.into_iter().enumerate() {
            let sum = sums.view(index * channels, &[channels]);
            gradients.add(parameter, &[channels], |recorder, d, accumulate| {
                crate::autograd::gradients::scale(recorder, &sum, d, 1.0, accumulate)
            })?;
        }
        gradients.add(x, dy.shape(), |recorder, dx, accumulate| {
            let params = kernels::BackwardInput {
                x: value.at(),
                saved: saved.at(),
                weight,
                bias,
                dy: dy.at(),
                sums: sums.at(),
                dx: dx.at(),
                batch: size[0],
                channels: size[1],
                pixels: size[2],
                affine: has,
                training: training.into(),
                accumulate: accumulate.into(),
                bounded,
                low,
                high,
            };
            let inputs = [value.binding(), saved.binding(), read, dy.binding(), sums.binding()];
            Ok(recorder.dispatch(&kernels::BACKWARD_INPUT, &params, &inputs, &[dx.binding()])?)
        })
    }

    fn saved_bytes(&self) -> usize {
        bytes(&self.value) + bytes(&self.saved)
    }
}
