//! One step of a long short-term memory, as ENAS' controller takes it: no bias, gates in the order i, f, o, g.

use super::linear::record_matmul;
use super::*;
use crate::kernels::lstm as kernels;

/// The state after x (`[rows, inputs]`) from the state before (`[2, rows, units]`: h, then c). Weights are
/// `[4 · units, inputs]` for x and `[4 · units, units]` for h.
///
/// # Errors
/// [`Error::Shape`] if the sizes do not fit.
pub fn lstm(tape: &mut Tape, x: &Var, state: &Var, weights: [&Var; 2]) -> Result<Var, Error> {
    let (&[rows, inputs], &[2, state_rows, units]) = (x.shape(), state.shape()) else {
        return Err(Error::shape("lstm", format!("an input {:?} and a state {:?}", x.shape(), state.shape())));
    };
    let fits = weights[0].shape() == [4 * units, inputs] && weights[1].shape() == [4 * units, units];
    if rows != state_rows || !fits {
        let [of_x, of_h] = weights.map(Var::shape);
        let problem =
            format!("an input {:?}, a state {:?}, weights {of_x:?} and {of_h:?} do not fit", x.shape(), state.shape());
        return Err(Error::shape("lstm", problem));
    }
    let after = tape.output(state.shape())?;
    let gates = Tensor::scratch(tape.recorder(), &[rows, 4 * units])?;
    let [wx, wh] = weights.map(Var::tensor);
    let h = state.tensor().view(0, &[rows, units]);
    let recorder = tape.recorder();
    record_matmul(recorder, x.tensor(), wx, None, &gates, [rows, 4 * units, inputs], [false, true], false)?;
    record_matmul(recorder, &h, wh, None, &gates, [rows, 4 * units, units], [false, true], true)?;
    let params = kernels::Forward {
        gates: gates.at(),
        previous: state.tensor().at(),
        state: after.at(),
        rows: rows as u32,
        units: units as u32,
    };
    let bound = [gates.binding(), state.tensor().binding()];
    recorder.dispatch(&kernels::FORWARD, &params, &bound, &[after.binding()])?;
    Ok(tape.push("lstm", &[x, state, weights[0], weights[1]], after, || Undo {
        ids: [x.id(), state.id(), weights[0].id(), weights[1].id()],
        x: x.tensor().clone(),
        state: state.tensor().clone(),
        gates,
        weights: weights.map(|w| w.tensor().clone()),
        size: [rows, inputs, units],
    }))
}

#[derive(Debug)]
struct Undo {
    ids: [Option<usize>; 4],
    x: Tensor,
    state: Tensor,
    gates: Tensor,
    weights: [Tensor; 2],
    size: [usize; 3],
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dstate: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { ids: [to_x, to_state, to_wx, to_wh], x, state, gates, weights: [wx, wh], size } = *self;
        let [rows, inputs, units] = size;
        let dgates = Tensor::scratch(gradients.recorder(), gates.shape())?;
        let half = [rows, units];
        let cell = |recorder: &mut crate::device::Recorder, dprevious: &Tensor, accumulate: bool| {
            let params = kernels::Backward {
                gates: gates.at(),
                previous: state.at(),
                dstate: dstate.at(),
                dgates: dgates.at(),
                dprevious: dprevious.at(),
                rows: rows as u32,
                units: units as u32,
                accumulate: accumulate.into(),
            };
            let read = [gates.binding(), state.binding(), dstate.binding()];
            recorder.dispatch(&kernels::BACKWARD, &params, &read, &[dgates.binding(), dprevious.binding()])
        };
        if to_state.is_none() {
            let nobody = Tensor::scratch(gradients.recorder(), state.shape())?;
            cell(gradients.recorder(), &nobody, false)?;
        }
        gradients.add(to_state, state.shape(), |recorder, dprevious, accumulate| {
            cell(recorder, dprevious, accumulate)?;
            let dh = dprevious.view(0, &half);
            record_matmul(recorder, &dgates, &wh, None, &dh, [rows, units, 4 * units], [false; 2], accumulate)
        })?;
        let h = state.view(0, &half);
        for (to, weight, entered) in [(to_wx, &wx, &x), (to_wh, &wh, &h)] {
            gradients.add(to, weight.shape(), |recorder, dw, accumulate| {
                let size = [4 * units, weight.shape()[1], rows];
                record_matmul(recorder, &dgates, entered, None, dw, size, [true, false], accumulate)
            })?;
        }
        gradients.add(to_x, x.shape(), |recorder, dx, accumulate| {
            record_matmul(recorder, &dgates, &wx, None, dx, [rows, inputs, 4 * units], [false; 2], accumulate)
        })
    }

    fn saved_bytes(&self) -> usize {
        bytes(&self.x) + bytes(&self.state) + bytes(&self.gates)
    }
}
