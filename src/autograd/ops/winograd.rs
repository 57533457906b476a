//! Convolution with windows of 3×3 that keeps the size, by [`winograd`]: half of the multiplications.

use super::*;
use crate::device::Recorder;
use crate::kernels::winograd::{self, FilterParams, Params, VALUES};

/// Rows of an image from which on it takes fewer products than the convolution as it is defined.
const FEWEST_ROWS: usize = 3;
/// Channels on either side from which on it is taken. (Its benches have 16 and more; with few, transforms outweigh products.)
const FEWEST_CHANNELS: usize = 8;

/// Whether a convolution of this shape, with windows of 3×3 that keep the size, is faster so.
pub(super) fn suits([_, inputs, height, _]: [usize; 4], outputs: usize) -> bool {
    height >= FEWEST_ROWS && inputs.min(outputs) >= FEWEST_CHANNELS
}

/// y[n, o] = Σ w[o, i] ⋆ x[n, i] + b\[o\], padded by 1.
pub(super) fn conv(
    tape: &mut Tape,
    x: &Var,
    weight: &Var,
    bias: Option<&Var>,
    input: [usize; 4],
) -> Result<Var, Error> {
    let geometry = Geometry { input, outputs: weight.shape()[0] };
    let y = tape.output(&geometry.output())?;
    let filters = Filters { w: weight.tensor(), bias: bias.map(Var::tensor), turned: false };
    geometry.record(tape.recorder(), x.tensor(), filters, &y, false)?;
    let parents: Vec<&Var> = [Some(x), Some(weight), bias].into_iter().flatten().collect();
    Ok(tape.push("conv", &parents, y, || Undo {
        parents: [x.id(), weight.id(), bias.and_then(Var::id)],
        // The gradient of the weight needs x, that of x the weight: what nobody asks for is not kept.
        x: weight.wants_gradient().then(|| x.tensor().clone()),
        weight: weight.tensor().clone(),
        geometry,
    }))
}

#[derive(Debug)]
struct Undo {
    parents: [Option<usize>; 3],
    x: Option<Tensor>,
    weight: Tensor,
    geometry: Geometry,
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { parents: [x, weight, bias], x: value, weight: w, geometry } = *self;
        if let Some(value) = value {
            gradients.add(weight, w.shape(), |recorder, dw, accumulate| {
                let places = Params { input: value.at(), weight: dw.at(), output: dy.at(), ..geometry.params() };
                let params = Params { accumulate: accumulate.into(), ..places };
                let inputs = [value.binding(), dy.binding()];
                Ok(recorder.dispatch(&winograd::BACKWARD_WEIGHT, &params, &inputs, &[dw.binding()])?)
            })?;
        }
        let [batch, outputs, height, width] = geometry.output();
        gradients.add(bias, &[outputs], |recorder, db, accumulate| {
            channel_sum::record(recorder, dy, db, [batch, outputs, height * width], accumulate)
        })?;
        gradients.add(x, &geometry.input, |recorder, dx, accumulate| {
            geometry.turned().record(recorder, dy, Filters { w: &w, bias: None, turned: true }, dx, accumulate)
        })
    }

    fn saved_bytes(&self) -> usize {
        self.x.as_ref().map_or(0, bytes)
    }
}

#[derive(Clone, Copy, Debug)]
struct Geometry {
    input: [usize; 4],
    outputs: usize,
}

impl Geometry {
    fn output(&self) -> [usize; 4] {
        let [batch, _, height, width] = self.input;
        [batch, self.outputs, height, width]
    }

    /// That of the gradient of x.
    fn turned(&self) -> Self {
        Self { input: self.output(), outputs: self.input[1] }
    }

    fn params(&self) -> Params {
        let [batch, inputs, height, width] = self.input.map(|size| size as u32);
        Params { batch, inputs, outputs: self.outputs as u32, height, width, ..Params::default() }
    }

    /// Records y (+)= w ∗ x + bias. The filters are turned round where that is the gradient of x.
    fn record(
        &self,
        recorder: &mut Recorder,
        x: &Tensor,
        filters: Filters<'_>,
        y: &Tensor,
        accumulate: bool,
    ) -> Result<(), Error> {
        let Filters { w, bias, turned } = filters;
        let [outputs, inputs, ..] = w.shape() else { return Err(Error::shape("conv", "filters have four dimensions")) };
        let u = Tensor::scratch(recorder, &[VALUES, w.count() / 3])?;
        let [outputs, inputs] = [*outputs as u32, *inputs as u32];
        let params = FilterParams { weight: w.at(), transformed: u.at(), outputs, inputs, turned: turned.into() };
        recorder.dispatch(&winograd::FILTER, &params, &[w.binding()], &[u.binding()])?;
        let params = Params {
            input: x.at(),
            weight: u.at(),
            bias: bias.map_or(0, Tensor::at),
            output: y.at(),
            has_bias: bias.is_some().into(),
            accumulate: accumulate.into(),
            ..self.params()
        };
        let read = [x.binding(), u.binding(), bias.unwrap_or(&u).binding()];
        Ok(recorder.dispatch(&winograd::FORWARD, &params, &read, &[y.binding()])?)
    }
}

/// What a convolution is by.
#[derive(Clone, Copy)]
struct Filters<'a> {
    w: &'a Tensor,
    bias: Option<&'a Tensor>,
    turned: bool,
}
