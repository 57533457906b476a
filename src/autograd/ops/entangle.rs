//! The kernel that options of several window sizes share, mixed.

use super::*;
use crate::device::Recorder;
use crate::kernels::entangle as kernels;

/// W · Σ_k weights[row, column_k] · \[the entry lies in the middle `size_k` × `size_k`\], for the kernel W (`[…, size, size]`) of the
/// largest option: what the kernels of all `options` (column and size of each), centred in it, weigh together.
///
/// # Errors
/// [`Error::Shape`] if there are more than eight options, one has no place in the kernel or the row, or numbers beyond 255.
pub fn entangle(
    tape: &mut Tape,
    kernel: &Var,
    weights: &Var,
    row: usize,
    options: &[(usize, usize)],
) -> Result<Var, Error> {
    let wrong = |problem: String| Err(Error::shape("entangle", problem));
    let (&[.., high, wide], &[rows, columns]) = (kernel.shape(), weights.shape()) else {
        return wrong(format!("takes a kernel and a table, got {:?} and {:?}", kernel.shape(), weights.shape()));
    };
    let fits =
        |&(column, size): &(usize, usize)| column < columns.min(256) && size > 0 && size <= high && size % 2 == 1;
    let square = high == wide && !high.is_multiple_of(2) && high < 256;
    if !square || row >= rows || options.is_empty() || options.len() > kernels::MOST || !options.iter().all(fits) {
        return wrong(format!(
            "options {options:?} (column, size; at most {}) of row {row} of weights {:?} for a kernel {:?}",
            kernels::MOST,
            weights.shape(),
            kernel.shape()
        ));
    }
    let made = Entangled {
        weights: weights.tensor().view(row * columns, &[columns]),
        columns: kernels::packed(options.iter().map(|(column, _)| *column)),
        sizes: kernels::packed(options.iter().map(|(_, size)| *size)),
        options: options.len() as u32,
        size: high as u32,
    };
    let y = tape.output(kernel.shape())?;
    made.record(tape.recorder(), kernel.tensor(), &y, false)?;
    Ok(tape.push("entangle", &[kernel, weights], y, || Undo {
        kernel: kernel.id(),
        weights: weights.id(),
        value: weights.wants_gradient().then(|| kernel.tensor().clone()),
        table: weights.shape().to_vec(),
        row,
        made,
    }))
}

/// What mixes a kernel.
#[derive(Debug)]
struct Entangled {
    weights: Tensor,
    columns: [u32; 2],
    sizes: [u32; 2],
    options: u32,
    size: u32,
}

impl Entangled {
    fn planes(&self, kernel: &Tensor) -> u32 {
        kernel.count() as u32 / (self.size * self.size)
    }

    fn record(&self, recorder: &mut Recorder, x: &Tensor, y: &Tensor, accumulate: bool) -> Result<(), Error> {
        let params = kernels::Entangle {
            weights: self.weights.at(),
            x: x.at(),
            y: y.at(),
            planes: self.planes(x),
            size: self.size,
            options: self.options,
            columns0: self.columns[0],
            columns1: self.columns[1],
            sizes0: self.sizes[0],
            sizes1: self.sizes[1],
            accumulate: accumulate.into(),
        };
        Ok(recorder.dispatch(&kernels::FORWARD, &params, &[self.weights.binding(), x.binding()], &[y.binding()])?)
    }

    fn record_weights(&self, recorder: &mut Recorder, x: &Tensor, dy: &Tensor, row: &Tensor) -> Result<(), Error> {
        let params = kernels::EntangleBackward {
            x: x.at(),
            dy: dy.at(),
            dweights: row.at(),
            planes: self.planes(x),
            size: self.size,
            options: self.options,
            columns0: self.columns[0],
            columns1: self.columns[1],
            sizes0: self.sizes[0],
            sizes1: self.sizes[1],
        };
        let inputs = [x.binding(), dy.binding()];
        Ok(recorder.dispatch(&kernels::BACKWARD_WEIGHTS, &params, &inputs, &[row.binding()])?)
    }
}

#[derive(Debug)]
struct Undo {
    kernel: Option<usize>,
    weights: Option<usize>,
    value: Option<Tensor>,
    table: Vec<usize>,
    row: usize,
    made: Entangled,
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { kernel, weights, value, table, row, made } = *self;
        gradients.add(kernel, dy.shape(), |recorder, dx, accumulate| made.record(recorder, dy, dx, accumulate))?;
        let Some(value) = value else { return Ok(()) };
        gradients.add(weights, &table, |recorder, dw, accumulate| {
            if !accumulate {
                recorder.clear(dw.buffer(), dw.at() as usize, dw.count())?;
            }
            made.record_weights(recorder, &value, dy, &dw.view(row * table[1], &[table[1]]))
        })
    }

    fn saved_bytes(&self) -> usize {
        // The kernel is the network's.
        0
    }
}
