//! Maps times one number for each channel of each image, as squeeze-and-excitation gates them (Hu et al. 2018).

use super::*;
use crate::device::Recorder;
use crate::kernels::width as kernels;

/// x · gate for x `[batch, channels, height, width]` and gate `[batch, channels, 1, 1]`.
///
/// # Errors
/// [`Error::Shape`] if the shapes are others.
pub fn gate(tape: &mut Tape, x: &Var, gate: &Var) -> Result<Var, Error> {
    let [batch, channels, ..] = image("gate", x)?;
    if gate.shape() != [batch, channels, 1, 1] {
        return Err(Error::shape("gate", format!("{:?} does not gate {:?}", gate.shape(), x.shape())));
    }
    let y = tape.output(x.shape())?;
    record_scale(tape.recorder(), x.tensor(), gate.tensor(), &y, false)?;
    Ok(tape.push("gate", &[x, gate], y, || Undo {
        ids: [x.id(), gate.id()],
        x: gate.wants_gradient().then(|| x.tensor().clone()),
        gate: gate.tensor().clone(),
    }))
}

/// Planes and pixels of a map: each channel of each image has its own factor.
fn planes(x: &Tensor, gate: &Tensor) -> [u32; 2] {
    [gate.count() as u32, (x.count() / gate.count().max(1)) as u32]
}

fn record_scale(recorder: &mut Recorder, x: &Tensor, gate: &Tensor, y: &Tensor, accumulate: bool) -> Result<(), Error> {
    let [channels, pixels] = planes(x, gate);
    let params = kernels::Scale {
        x: x.at(),
        scale: gate.at(),
        y: y.at(),
        batch: 1,
        channels,
        pixels,
        accumulate: accumulate.into(),
    };
    Ok(recorder.dispatch(&kernels::SCALE, &params, &[x.binding(), gate.binding()], &[y.binding()])?)
}

#[derive(Debug)]
struct Undo {
    ids: [Option<usize>; 2],
    x: Option<Tensor>,
    gate: Tensor,
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { ids: [to_x, to_gate], x, gate } = *self;
        gradients
            .add(to_x, dy.shape(), |recorder, dx, accumulate| record_scale(recorder, dy, &gate, dx, accumulate))?;
        let Some(x) = x else { return Ok(()) };
        gradients.add(to_gate, gate.shape(), |recorder, dgate, accumulate| {
            let [channels, pixels] = planes(dy, &gate);
            let params = kernels::Dot {
                x: x.at(),
                dy: dy.at(),
                dscale: dgate.at(),
                batch: 1,
                channels,
                pixels,
                accumulate: accumulate.into(),
            };
            Ok(recorder.dispatch(&kernels::DOT, &params, &[x.binding(), dy.binding()], &[dgate.binding()])?)
        })
    }

    fn saved_bytes(&self) -> usize {
        self.x.as_ref().map_or(0, bytes) + bytes(&self.gate)
    }
}
