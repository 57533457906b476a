//! What a controller does with the states it has made: collects, scores and recalls them.

use super::*;
use crate::autograd::gradients::scale as record_scale;
use crate::kernels::additive_attention as kernels;

/// The elements of x from `first` on, in another shape; they are not copied.
///
/// # Errors
/// [`Error::Shape`] if they lie outside of x.
pub fn part(tape: &mut Tape, x: &Var, first: usize, shape: &[usize]) -> Result<Var, Error> {
    let count: usize = shape.iter().product();
    if first + count > x.tensor().count() {
        return Err(Error::shape("part", format!("{shape:?} from {first} on lies outside {:?}", x.shape())));
    }
    let y = x.tensor().view(first, shape);
    Ok(tape.push("part", &[x], y, || Part { x: x.id(), shape: x.shape().to_vec(), first }))
}

#[derive(Debug)]
struct Part {
    x: Option<usize>,
    shape: Vec<usize>,
    first: usize,
}

impl Backward for Part {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, shape, first } = *self;
        gradients.add(x, &shape, |recorder, dx, accumulate| {
            if !accumulate {
                recorder.clear(dx.buffer(), dx.at() as usize, dx.count())?;
            }
            record_scale(recorder, dy, &dx.view(first, dy.shape()), 1.0, true)
        })
    }
}

/// `stack` with another item behind it: its items, `[n, …]`, are the first of `memory` (`[capacity, …]`), where the
/// new one is put, too, if it does not lie there already ([`Tape::write_next_to`]). Without a stack: the first item.
///
/// # Errors
/// [`Error::Shape`] if the memory is full, or holds items of another shape.
pub fn append(tape: &mut Tape, stack: Option<&Var>, memory: &Tensor, item: &Var) -> Result<Var, Error> {
    let slot = stack.map_or(0, |stack| stack.shape()[0]);
    let elsewhere =
        stack.is_some_and(|stack| !stack.tensor().buffer().same(memory.buffer()) || stack.tensor().at() != memory.at());
    let Some((&capacity, shape)) = memory.shape().split_first() else {
        return Err(Error::shape("append", "a memory without a shape"));
    };
    if elsewhere || slot >= capacity || item.shape() != shape {
        let problem = format!("{:?} as number {slot} of a memory {:?}", item.shape(), memory.shape());
        return Err(Error::shape("append", problem));
    }
    let (place, from) = (memory.view(slot * item.tensor().count(), shape), item.tensor());
    if !from.buffer().same(place.buffer()) || from.at() != place.at() {
        let words = from.count();
        tape.recorder().copy(from.buffer(), from.at() as usize, place.buffer(), place.at() as usize, words)?;
    }
    let mut grown = vec![slot + 1];
    grown.extend_from_slice(shape);
    let parents: Vec<&Var> = stack.into_iter().chain([item]).collect();
    let undo = || Append { stack: stack.and_then(Var::id), item: item.id(), slot };
    Ok(tape.push("append", &parents, memory.view(0, &grown), undo))
}

#[derive(Debug)]
struct Append {
    stack: Option<usize>,
    item: Option<usize>,
    slot: usize,
}

impl Backward for Append {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let mut shape = dy.shape().to_vec();
        shape[0] = self.slot;
        gradients.pass(self.stack, &dy.view(0, &shape))?;
        let item = &dy.shape()[1..];
        gradients.pass(self.item, &dy.view(self.slot * item.iter().product::<usize>(), item))
    }
}

/// Additive attention (Bahdanau et al. 2015): `vᵀ·tanh(key_j + query)`, `[rows, states]`, of keys
/// `[states, rows, units]`, a query `[rows, units]` and v `[units]`.
///
/// # Errors
/// [`Error::Shape`] if the sizes do not fit.
pub fn additive_attention(tape: &mut Tape, keys: &Var, query: &Var, vector: &Var) -> Result<Var, Error> {
    let &[states, rows, units] = keys.shape() else {
        return Err(Error::shape(
            "additive_attention",
            format!("keys {:?} are not [states, rows, units]", keys.shape()),
        ));
    };
    if query.shape() != [rows, units] || vector.tensor().count() != units {
        let problem = format!("keys {:?}, a query {:?}, v {:?}", keys.shape(), query.shape(), vector.shape());
        return Err(Error::shape("additive_attention", problem));
    }
    let scores = tape.output(&[rows, states])?;
    let params = kernels::Forward {
        keys: keys.tensor().at(),
        query: query.tensor().at(),
        vector: vector.tensor().at(),
        scores: scores.at(),
        states: states as u32,
        rows: rows as u32,
        units: units as u32,
    };
    let read = [keys, query, vector].map(|v| v.tensor().binding());
    tape.recorder().dispatch(&kernels::FORWARD, &params, &read, &[scores.binding()])?;
    Ok(tape.push("additive_attention", &[keys, query, vector], scores, || Attention {
        ids: [keys.id(), query.id(), vector.id()],
        values: [keys, query, vector].map(|v| v.tensor().clone()),
    }))
}

#[derive(Debug)]
struct Attention {
    ids: [Option<usize>; 3],
    values: [Tensor; 3],
}

impl Backward for Attention {
    fn backward(self: Box<Self>, dscores: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { ids: [to_keys, to_query, to_vector], values: [keys, query, vector] } = *self;
        let [states, rows, units] = [0, 1, 2].map(|axis| keys.shape()[axis]);
        let [dquery, dvector] = [
            Tensor::scratch(gradients.recorder(), query.shape())?,
            Tensor::scratch(gradients.recorder(), query.shape())?,
        ];
        let record = |recorder: &mut crate::device::Recorder, dkeys: &Tensor, accumulate: bool| {
            let params = kernels::Backward {
                keys: keys.at(),
                query: query.at(),
                vector: vector.at(),
                dscores: dscores.at(),
                dkeys: dkeys.at(),
                dquery: dquery.at(),
                dvector: dvector.at(),
                states: states as u32,
                rows: rows as u32,
                units: units as u32,
                accumulate: accumulate.into(),
            };
            let read = [&keys, &query, &vector, dscores].map(Tensor::binding);
            let written = [dkeys, &dquery, &dvector].map(Tensor::binding);
            Ok(recorder.dispatch(&kernels::BACKWARD, &params, &read, &written)?)
        };
        if to_keys.is_none() {
            let nobody = Tensor::scratch(gradients.recorder(), keys.shape())?;
            record(gradients.recorder(), &nobody, false)?;
        }
        gradients.add(to_keys, keys.shape(), record)?;
        gradients.pass(to_query, &dquery)?;
        gradients.add(to_vector, vector.shape(), |recorder, dv, accumulate| {
            channel_sum::record(recorder, &dvector, dv, [rows, units, 1], accumulate)
        })
    }

    fn saved_bytes(&self) -> usize {
        self.values.iter().map(bytes).sum()
    }
}

/// `Σ_j weights[row, j] · state_j`, `[rows, units]`, of states `[states, rows, units]`; weights `[rows, states]` are
/// what was decided and get no gradient.
///
/// # Errors
/// [`Error::Shape`] if the sizes do not fit.
pub fn recall(tape: &mut Tape, weights: &Tensor, states: &Var) -> Result<Var, Error> {
    let &[count, rows, units] = states.shape() else {
        return Err(Error::shape("recall", format!("states {:?} are not [states, rows, units]", states.shape())));
    };
    if weights.shape() != [rows, count] {
        let problem = format!("weights {:?} of states {:?}", weights.shape(), states.shape());
        return Err(Error::shape("recall", problem));
    }
    let y = tape.output(&[rows, units])?;
    let params = kernels::Recall {
        weights: weights.at(),
        states: states.tensor().at(),
        y: y.at(),
        count: count as u32,
        rows: rows as u32,
        units: units as u32,
    };
    let read = [weights.binding(), states.tensor().binding()];
    tape.recorder().dispatch(&kernels::RECALL, &params, &read, &[y.binding()])?;
    let undo = || Recall { states: states.id(), weights: weights.clone(), shape: states.shape().to_vec() };
    Ok(tape.push("recall", &[states], y, undo))
}

#[derive(Debug)]
struct Recall {
    states: Option<usize>,
    weights: Tensor,
    shape: Vec<usize>,
}

impl Backward for Recall {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { states, weights, shape } = *self;
        let [count, rows, units] = [0, 1, 2].map(|axis| shape[axis] as u32);
        gradients.add(states, &shape, |recorder, dstates, accumulate| {
            let params = kernels::RecallBackward {
                weights: weights.at(),
                dy: dy.at(),
                dstates: dstates.at(),
                count,
                rows,
                units,
                accumulate: accumulate.into(),
            };
            let read = [weights.binding(), dy.binding()];
            Ok(recorder.dispatch(&kernels::RECALL_BACKWARD, &params, &read, &[dstates.binding()])?)
        })
    }

    fn saved_bytes(&self) -> usize {
        bytes(&self.weights)
    }
}
