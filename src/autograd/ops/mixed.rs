//! The mixed operation of DARTS (Liu et al. 2019, equation 2): candidates weighed by a softmax.

use super::*;
use crate::kernels::{elementwise, reduce, softmax as softmax_kernels, vector_jacobian, weighted_sum as kernels};

/// Most options that one dispatch weighs: it is told of them by the bits of a word.
const PART: usize = 32;

/// Softmax of each row of `[rows, columns]`.
///
/// # Errors
/// [`Error::Shape`] if `x` is not a matrix.
pub fn softmax(tape: &mut Tape, x: &Var) -> Result<Var, Error> {
    let &[rows, columns] = x.shape() else {
        return Err(Error::shape("softmax", format!("takes a matrix, got {:?}", x.shape())));
    };
    let y = tape.output(x.shape())?;
    let params = softmax_kernels::Forward { x: x.tensor().at(), y: y.at(), rows: rows as u32, columns: columns as u32 };
    tape.recorder().dispatch(&softmax_kernels::FORWARD, &params, &[x.tensor().binding()], &[y.binding()])?;
    Ok(tape.push("softmax", &[x], y.clone(), || Softmax { x: x.id(), y }))
}

#[derive(Debug)]
struct Softmax {
    x: Option<usize>,
    y: Tensor,
}

impl Backward for Softmax {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, y } = *self;
        gradients.add(x, y.shape(), |recorder, dx, accumulate| {
            let params = softmax_kernels::Backward {
                y: y.at(),
                dy: dy.at(),
                dx: dx.at(),
                rows: y.shape()[0] as u32,
                columns: y.shape()[1] as u32,
                accumulate: accumulate.into(),
            };
            let inputs = [y.binding(), dy.binding()];
            Ok(recorder.dispatch(&softmax_kernels::BACKWARD, &params, &inputs, &[dx.binding()])?)
        })
    }

    fn saved_bytes(&self) -> usize {
        bytes(&self.y)
    }
}

/// Weights that the host has computed from x (`[rows, columns]`): y = `weights`, and on the way back dx = Jᵀ dy of each
/// row, with the row's Jacobian in `jacobian` (`[rows, columns, columns]`, ∂y\[i\]/∂x\[j\] at i · columns + j). Both
/// may be written anew before each run.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not belong together.
pub fn relaxed(tape: &mut Tape, x: &Var, weights: &Tensor, jacobian: &Tensor) -> Result<Var, Error> {
    let matched = match *x.shape() {
        [rows, columns] => weights.shape() == [rows, columns] && jacobian.shape() == [rows, columns, columns],
        _ => false,
    };
    if !matched {
        let shapes = format!("{:?}, weights {:?}, Jacobian {:?}", x.shape(), weights.shape(), jacobian.shape());
        return Err(Error::shape("relaxed", shapes));
    }
    Ok(tape.push("relaxed", &[x], weights.clone(), || Relaxed { x: x.id(), jacobian: jacobian.clone() }))
}

#[derive(Debug)]
struct Relaxed {
    x: Option<usize>,
    jacobian: Tensor,
}

impl Backward for Relaxed {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, jacobian } = *self;
        gradients.add(x, dy.shape(), |recorder, dx, accumulate| {
            let params = vector_jacobian::Product {
                jacobian: jacobian.at(),
                dy: dy.at(),
                dx: dx.at(),
                rows: jacobian.shape()[0] as u32,
                columns: jacobian.shape()[1] as u32,
                accumulate: accumulate.into(),
            };
            let inputs = [jacobian.binding(), dy.binding()];
            Ok(recorder.dispatch(&vector_jacobian::PRODUCT, &params, &inputs, &[dx.binding()])?)
        })
    }

    fn saved_bytes(&self) -> usize {
        bytes(&self.jacobian)
    }
}

/// y = Σ weights[row, option] · candidate over the given candidates, each an option's number and its
/// value. The candidates are the consecutive slices of `stack` (`[candidates, …]`), written there by
/// [`Tape::write_next_to`]. Options without a candidate are zeros: they take part in the softmax only.
///
/// # Errors
/// [`Error::Shape`] if a candidate is not the slice it should be, or the row does not exist.
pub fn mixed(
    tape: &mut Tape,
    weights: &Var,
    row: usize,
    stack: &Tensor,
    candidates: &[(usize, Var)],
) -> Result<Var, Error> {
    let wrong = |problem: String| Err(Error::shape("mixed", problem));
    let &[rows, options] = weights.shape() else {
        return wrong(format!("weights {:?} are not [rows, options]", weights.shape()));
    };
    if row >= rows {
        return wrong(format!("row {row} of weights {:?}", weights.shape()));
    }
    if candidates.is_empty() || stack.shape().first() != Some(&candidates.len()) {
        return wrong(format!("{} candidates in a stack {:?}", candidates.len(), stack.shape()));
    }
    let shape = &stack.shape()[1..];
    let stride: usize = shape.iter().product();
    for (slot, (option, candidate)) in candidates.iter().enumerate() {
        let tensor = candidate.tensor();
        let placed = tensor.buffer().same(stack.buffer()) && tensor.at() == stack.at() + (slot * stride) as u32;
        let in_order = slot == 0 || candidates[slot - 1].0 < *option;
        if !placed || candidate.shape() != shape || *option >= options || !in_order {
            return wrong(format!(
                "candidate {slot} (option {option}, {:?}) is not slice {slot} of the stack",
                tensor.shape()
            ));
        }
    }
    let y = tape.output(shape)?;
    let row_of = weights.tensor().view(row * options, &[options]);
    let parts = parts(candidates.iter().map(|(option, _)| *option), options);
    for (number, part) in parts.iter().enumerate() {
        let params = kernels::Forward {
            weights: row_of.at() + part.option as u32,
            x: stack.at() + (part.slot * stride) as u32,
            y: y.at(),
            active_options: part.active,
            stride: stride as u32,
            count: stride as u32,
            accumulate: u32::from(number > 0),
        };
        tape.recorder().dispatch(&kernels::FORWARD, &params, &[row_of.binding(), stack.binding()], &[y.binding()])?;
    }
    let parents: Vec<&Var> = candidates.iter().map(|(_, v)| v).chain([weights]).collect();
    Ok(tape.push("mixed", &parents, y, || Mixed {
        weights: weights.id(),
        row: row_of,
        place: row * options,
        table: weights.shape().to_vec(),
        stack: weights.wants_gradient().then(|| stack.clone()),
        candidates: candidates.iter().map(|(_, v)| v.id()).collect(),
        parts,
    }))
}

/// What one dispatch weighs: up to 32 options.
#[derive(Debug)]
struct Part {
    /// The first option, and the number of options.
    option: usize,
    options: usize,
    /// The first candidate.
    slot: usize,
    /// Which of the options have one.
    active: u32,
}

/// The parts of a row of `options`, of which those in `given` have candidates. A part without any is left out,
/// unless it is the first, which writes what the others add to.
fn parts(given: impl Iterator<Item = usize> + Clone, options: usize) -> Vec<Part> {
    let part = |option: usize| {
        let inside = given.clone().filter(|k| (option..option + PART).contains(k));
        let active = inside.fold(0, |active, k| active | 1 << (k - option));
        let slot = given.clone().filter(|&k| k < option).count();
        Part { option, options: PART.min(options - option), slot, active }
    };
    (0..options).step_by(PART).map(part).filter(|part| part.option == 0 || part.active != 0).collect()
}

#[derive(Debug)]
struct Mixed {
    weights: Option<usize>,
    row: Tensor,
    place: usize,
    table: Vec<usize>,
    stack: Option<Tensor>,
    candidates: Vec<Option<usize>>,
    parts: Vec<Part>,
}

impl Backward for Mixed {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { weights, row, place, table, stack, candidates, parts } = *self;
        let count = dy.count();
        if let Some(stack) = stack {
            gradients.add(weights, &table, |recorder, dw, accumulate| {
                if !accumulate {
                    recorder.clear(dw.buffer(), dw.at() as usize, dw.count())?;
                }
                for part in &parts {
                    let target = dw.view(place + part.option, &[part.options]);
                    let params = kernels::BackwardWeights {
                        x: stack.at() + (part.slot * count) as u32,
                        dy: dy.at(),
                        dw: target.at(),
                        active_options: part.active,
                        stride: count as u32,
                        count: count as u32,
                        options: part.options as u32,
                        accumulate: 1,
                    };
                    let inputs = [stack.binding(), dy.binding()];
                    recorder.dispatch(&kernels::BACKWARD_WEIGHTS, &params, &inputs, &[target.binding()])?;
                }
                Ok(())
            })?;
        }
        if candidates.iter().all(Option::is_none) {
            return Ok(());
        }
        let mut shape = vec![candidates.len()];
        shape.extend_from_slice(dy.shape());
        let dx = Tensor::scratch(gradients.recorder(), &shape)?;
        for part in &parts {
            let params = kernels::BackwardCandidates {
                weights: row.at() + part.option as u32,
                dy: dy.at(),
                dx: dx.at() + (part.slot * count) as u32,
                active_options: part.active,
                stride: count as u32,
                count: count as u32,
            };
            let inputs = [row.binding(), dy.binding()];
            gradients.recorder().dispatch(&kernels::BACKWARD_CANDIDATES, &params, &inputs, &[dx.binding()])?;
        }
        for (slot, candidate) in candidates.into_iter().enumerate() {
            gradients.pass(candidate, &dx.view(slot * count, dy.shape()))?;
        }
        Ok(())
    }

    fn saved_bytes(&self) -> usize {
        self.stack.as_ref().map_or(0, bytes)
    }
}

/// x, to which all weights of a row but that of option `taken` are added as they are. They are 0, so this computes
/// nothing; on the way back each gets the sum of dy (GDAS, as its authors' code does it).
///
/// # Errors
/// [`Error::Shape`] if the row or the option does not exist.
pub fn bystanders(tape: &mut Tape, x: &Var, weights: &Var, row: usize, taken: usize) -> Result<Var, Error> {
    match *weights.shape() {
        [rows, options] if row < rows && taken < options => {}
        _ => {
            let problem = format!("option {taken} of row {row} of weights {:?}", weights.shape());
            return Err(Error::shape("bystanders", problem));
        }
    }
    Ok(tape.push("bystanders", &[x, weights], x.tensor().clone(), || Bystanders {
        x: x.id(),
        weights: weights.id(),
        table: weights.shape().to_vec(),
        row,
        taken,
    }))
}

#[derive(Debug)]
struct Bystanders {
    x: Option<usize>,
    weights: Option<usize>,
    table: Vec<usize>,
    row: usize,
    taken: usize,
}

impl Backward for Bystanders {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, weights, table, row, taken } = *self;
        gradients.add(weights, &table, |recorder, dw, accumulate| {
            if !accumulate {
                recorder.clear(dw.buffer(), dw.at() as usize, dw.count())?;
            }
            let sum = Tensor::scratch(recorder, &[1])?;
            record_reduce(recorder, reduce::SUM, dy, &sum)?;
            for option in (0..table[1]).filter(|&option| option != taken) {
                let weight = dw.view(row * table[1] + option, &[1]);
                let params = elementwise::Scale { x: sum.at(), y: weight.at(), count: 1, factor: 1.0, accumulate: 1 };
                recorder.dispatch(&elementwise::SCALE, &params, &[sum.binding()], &[weight.binding()])?;
            }
            Ok(())
        })?;
        gradients.pass(x, dy)
    }
}
