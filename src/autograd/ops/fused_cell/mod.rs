//! A cell of mixed operations as one operation, fused: every state is a sum of mixtures of operations on earlier ones
//! (Liu et al. 2019, equations 1 and 2).
//!
//! All edges that leave a state are computed together: one bank of depthwise filters, one grouped
//! pointwise product, one convolution over all channels for each size of window, each parameter-free candidate once; what
//! else there is the caller records. Candidates are stored un-normalised and
//! normalised where they are weighed and added; on the way back each one is replaced in place by its
//! own gradient. The gradient of an architecture weight, Σ dy·x̂, is one of the sums that the gradient of
//! batch normalisation needs anyway.

mod aside;
mod backward;
mod bank;
mod beside;
mod fan;
mod flow;
mod recording;

pub use bank::{Bank, Filter};
pub use beside::{Dense, RecordPlain};
pub use fan::{Edge, Fan, Pool, Reduce, Source};

use super::*;
use crate::kernels::normalised_sum;
use fan::Candidates;
use recording::{Recording, table};

/// A cell.
#[derive(Clone, Debug)]
pub struct FusedCell {
    /// The edges that leave each state: those of the inputs first, then those of the sums.
    pub fans: Vec<Fan>,
    /// The sums that are joined along the channels to make the result, as numbers of states.
    pub joined: Vec<usize>,
    /// Whether batch norms take mean and variance from the batch, and write them (the variance unbiased) to
    /// their moments, or take the moments as they are: then there is no way back.
    pub training: bool,
    /// Added to variances.
    pub epsilon: f32,
}

/// The cell's result `[batch, joined · channels, height, width]` for `inputs` `[batch, channels, …]` and the
/// weights of all options, `[rows, options]`. `plain` records the candidates that a fan only counts.
///
/// # Errors
/// [`Error::Shape`] if shapes do not fit one another; else as recording does.
pub fn fused_cell(
    tape: &mut Tape,
    inputs: &[&Var],
    weights: &Var,
    cell: FusedCell,
    plain: &mut RecordPlain<'_>,
) -> Result<Var, Error> {
    let &[_, options] = weights.shape() else {
        return Err(Error::shape("fused_cell", format!("weights {:?} are not [rows, options]", weights.shape())));
    };
    let Some(first) = inputs.first() else { return Err(Error::shape("fused_cell", "needs an input")) };
    let [batch, channels, ..] = image("fused_cell", first)?;
    let shape = cell.shape(inputs)?;
    if cell.training && batch * shape[2] * shape[3] < 2 {
        let problem = format!("{shape:?} has one value a channel, which has no variance: use a larger batch");
        return Err(Error::shape("fused_cell", problem));
    }
    let mut states: Vec<Option<Tensor>> = inputs.iter().map(|v| Some(v.tensor().clone())).collect();
    states.resize(cell.fans.len(), None);
    let learned = cell.fans.iter().flat_map(Fan::learned);
    let parents: Vec<&Var> = inputs.iter().copied().chain(learned).chain([weights]).collect();
    if !cell.training && parents.iter().any(|v| v.wants_gradient()) {
        return Err(Error::shape("fused_cell", "has gradients only where batch norms use the batch's statistics"));
    }
    if let Some(state) = cell.joined.iter().find(|&&state| state < inputs.len()) {
        return Err(Error::shape("fused_cell", format!("joins state {state}, an input: only sums can be joined")));
    }
    let FusedCell { epsilon, training, .. } = cell;
    let [.., height, width] = shape;
    let y = tape.output(&[batch, cell.joined.len() * channels, height, width])?;
    // A single sum is the result: nothing to join.
    let single = single(&cell.joined, |state| cell.fans.get(state)).map(|state| (state, &y));
    let record = Recording { weights: weights.tensor(), options, epsilon, training, shape, single };
    let mut made = Vec::with_capacity(cell.fans.len());
    let mut flows = parents.iter().any(|v| v.wants_gradient());
    for (state, fan) in cell.fans.iter().enumerate() {
        let missing = || Error::shape("fused_cell", format!("state {state} is read before it is computed"));
        let x = states[state].clone().ok_or_else(missing)?;
        let wanted = inputs.get(state).map_or(flows, |input| input.wants_gradient());
        made.push(fan.record(tape, (state, &x, wanted), &record, &mut states, plain)?);
        flows |= made.iter().flatten().flat_map(Candidates::recorded).any(Var::wants_gradient);
    }
    let mut joined = Vec::with_capacity(cell.joined.len());
    for &state in &cell.joined {
        let missing = || Error::shape("fused_cell", format!("state {state} is joined but never computed"));
        joined.push(states.get(state).and_then(Option::as_ref).ok_or_else(missing)?);
    }
    if single.is_none() {
        channels::record_join(tape.recorder(), &joined, &y)?;
    }
    let recorded: Vec<Var> = made.iter().flatten().flat_map(Candidates::recorded).cloned().collect();
    let parents: Vec<&Var> = parents.into_iter().chain(&recorded).collect();
    Ok(tape.push("fused_cell", &parents, y, || Undo {
        inputs: inputs.iter().map(|v| (v.id(), v.shape().to_vec())).collect(),
        weights: weights.clone(),
        shape,
        joined: cell.joined.clone(),
        epsilon: cell.epsilon,
        fans: cell.fans.iter().cloned().zip(made).collect(),
    }))
}

/// The state that is the result by itself, if there is one that nothing reads.
fn single<'a>(joined: &[usize], fan: impl Fn(usize) -> Option<&'a Fan>) -> Option<usize> {
    match *joined {
        [state] if fan(state).is_some_and(|fan| fan.edges.is_empty()) => Some(state),
        _ => None,
    }
}

impl FusedCell {
    /// Shape of a sum.
    fn shape(&self, inputs: &[&Var]) -> Result<[usize; 4], Error> {
        let mut found: Option<[usize; 4]> = None;
        for (input, fan) in inputs.iter().zip(&self.fans) {
            let [batch, channels, height, width] = image("fused_cell", input)?;
            let shape = [batch, channels, height.div_ceil(fan.stride), width.div_ceil(fan.stride)];
            if *found.get_or_insert(shape) != shape {
                let problem =
                    format!("inputs {:?} and {:?} do not give the same shape", inputs[0].shape(), input.shape());
                return Err(Error::shape("fused_cell", problem));
            }
        }
        found.ok_or_else(|| Error::shape("fused_cell", "needs an input"))
    }
}

#[derive(Debug)]
struct Undo {
    inputs: Vec<(Option<usize>, Vec<usize>)>,
    weights: Var,
    shape: [usize; 4],
    joined: Vec<usize>,
    epsilon: f32,
    fans: Vec<(Fan, Option<Candidates>)>,
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { inputs, weights, shape, joined, epsilon, mut fans } = *self;
        let [_, channels, ..] = shape;
        let options = weights.shape()[1];
        let record = Recording { weights: weights.tensor(), options, epsilon, training: true, shape, single: None };
        let mut states: Vec<Option<Tensor>> = vec![None; fans.len()];
        let slices = match single(&joined, |state| fans.get(state).map(|(fan, _)| fan)) {
            // Nothing is added to it.
            Some(_) => vec![dy.clone()],
            None => channels::record_split(gradients.recorder(), dy, joined.len(), &shape)?,
        };
        joined.iter().zip(slices).for_each(|(&state, slice)| states[state] = Some(slice));
        let terms: usize = fans.iter().map(|(fan, _)| fan.terms_count()).sum();
        let sums = Tensor::scratch(gradients.recorder(), &[terms.max(1), 2, channels])?;
        let mut first = terms;
        let mut shares = Vec::new();
        for state in (0..fans.len()).rev() {
            let Some((fan, made)) = fans.pop() else { break };
            let input = inputs.get(state);
            let wanted = input.is_none_or(|(id, _)| id.is_some());
            first -= fan.terms_count();
            let sums = backward::Sums { sums: &sums, first, learns: weights.wants_gradient() };
            let (flow, share) = fan.record_backward(gradients, made, &record, &states, wanted, sums)?;
            shares.extend(share);
            let Some(flow) = flow else { continue };
            match input {
                Some((id, shape)) => {
                    gradients.add(*id, shape, |recorder, dx, add| flow.record(recorder, &record, &states, dx, add))?;
                }
                None => {
                    let add = states[state].is_some();
                    let dx = match states[state].take() {
                        Some(dx) => dx,
                        None => Tensor::scratch(gradients.recorder(), &shape)?,
                    };
                    flow.record(gradients.recorder(), &record, &states, &dx, add)?;
                    states[state] = Some(dx);
                }
            }
        }
        gradients.add(weights.id(), weights.shape(), |recorder, dw, accumulate| {
            if !accumulate {
                recorder.clear(dw.buffer(), dw.at() as usize, dw.count())?;
            }
            if shares.is_empty() {
                return Ok(());
            }
            let table = table(recorder, &shares)?;
            let params = normalised_sum::BackwardWeights {
                table: table.at(),
                terms: shares.len() as u32,
                channels: channels as u32,
                dweights: dw.at(),
            };
            let inputs = [table.binding(), sums.binding()];
            Ok(recorder.dispatch(&normalised_sum::BACKWARD_WEIGHTS, &params, &inputs, &[dw.binding()])?)
        })
    }

    fn saved_bytes(&self) -> usize {
        self.fans.iter().filter_map(|(_, made)| made.as_ref()).map(Candidates::bytes).sum()
    }
}
