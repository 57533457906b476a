//! A choice of width as a mask over channels: the mixed operation of weight-sharing widths.

use super::*;
use crate::kernels::width as kernels;

/// Most widths one choice can have: they travel as parameters.
pub const MAX_WIDTHS: usize = 8;

/// x · mask with mask\[c\] = Σ weights[row, k] over the widths k that are larger than c: what the
/// outputs of all widths, sharing the widest one's parameters and padded with zeros, weigh together.
///
/// # Errors
/// [`Error::Shape`] if there are more than eight widths or the row does not exist.
pub fn width_mask(tape: &mut Tape, x: &Var, weights: &Var, row: usize, widths: &[usize]) -> Result<Var, Error> {
    let shape = image("width_mask", x)?;
    let options = widths.len();
    if options > MAX_WIDTHS || weights.shape().len() != 2 || weights.shape()[1] != options || row >= weights.shape()[0]
    {
        let problem = format!("{options} widths (at most {MAX_WIDTHS}) for row {row} of weights {:?}", weights.shape());
        return Err(Error::shape("width_mask", problem));
    }
    let channels = shape[1];
    let mut w = [0u32; MAX_WIDTHS];
    for (to, &from) in w.iter_mut().zip(widths) {
        *to = from as u32;
    }
    let row_of = weights.tensor().view(row * options, &[options]);
    let mask = Tensor::scratch(tape.recorder(), &[channels])?;
    let params = kernels::Mask {
        weights: row_of.at(),
        mask: mask.at(),
        channels: channels as u32,
        options: options as u32,
        width0: w[0],
        width1: w[1],
        width2: w[2],
        width3: w[3],
        width4: w[4],
        width5: w[5],
        width6: w[6],
        width7: w[7],
    };
    tape.recorder().dispatch(&kernels::MASK_FORWARD, &params, &[row_of.binding()], &[mask.binding()])?;
    let y = tape.output(&shape)?;
    record_scale(tape.recorder(), x.tensor(), &mask, &y, false)?;
    Ok(tape.push("width_mask", &[x, weights], y, || Undo {
        x: x.id(),
        weights: weights.id(),
        value: weights.wants_gradient().then(|| x.tensor().clone()),
        mask,
        table: weights.shape().to_vec(),
        row,
        widths: w,
    }))
}

fn record_scale(
    recorder: &mut crate::device::Recorder,
    x: &Tensor,
    mask: &Tensor,
    y: &Tensor,
    accumulate: bool,
) -> Result<(), Error> {
    let params = kernels::Scale {
        x: x.at(),
        scale: mask.at(),
        y: y.at(),
        batch: x.shape()[0] as u32,
        channels: x.shape()[1] as u32,
        pixels: (x.shape()[2] * x.shape()[3]) as u32,
        accumulate: accumulate.into(),
    };
    Ok(recorder.dispatch(&kernels::SCALE, &params, &[x.binding(), mask.binding()], &[y.binding()])?)
}

#[derive(Debug)]
struct Undo {
    x: Option<usize>,
    weights: Option<usize>,
    value: Option<Tensor>,
    mask: Tensor,
    table: Vec<usize>,
    row: usize,
    widths: [u32; MAX_WIDTHS],
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, weights, value, mask, table, row, widths: w } = *self;
        gradients.add(x, dy.shape(), |recorder, dx, accumulate| record_scale(recorder, dy, &mask, dx, accumulate))?;
        let Some(value) = value else { return Ok(()) };
        let (channels, options) = (mask.count(), table[1]);
        gradients.add(weights, &table, |recorder, dw, accumulate| {
            if !accumulate {
                recorder.clear(dw.buffer(), dw.at() as usize, dw.count())?;
            }
            let dmask = Tensor::scratch(recorder, &[channels])?;
            let params = kernels::Dot {
                x: value.at(),
                dy: dy.at(),
                dscale: dmask.at(),
                batch: dy.shape()[0] as u32,
                channels: channels as u32,
                pixels: (dy.shape()[2] * dy.shape()[3]) as u32,
                accumulate: 0,
            };
            recorder.dispatch(&kernels::DOT, &params, &[value.binding(), dy.binding()], &[dmask.binding()])?;
            let target = dw.view(row * options, &[options]);
            let params = kernels::MaskBackward {
                dmask: dmask.at(),
                dweights: target.at(),
                channels: channels as u32,
                options: options as u32,
                width0: w[0],
                width1: w[1],
                width2: w[2],
                width3: w[3],
                width4: w[4],
                width5: w[5],
                width6: w[6],
                width7: w[7],
                accumulate: 1,
            };
            Ok(recorder.dispatch(&kernels::MASK_BACKWARD, &params, &[dmask.binding()], &[target.binding()])?)
        })
    }

    fn saved_bytes(&self) -> usize {
        self.value.as_ref().map_or(0, bytes) + bytes(&self.mask)
    }
}
