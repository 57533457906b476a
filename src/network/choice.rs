//! Records choice points: all options weighed, or only the one taken.

use super::build::Layer;
use super::forward::{Run, zeros};
use super::reading::is_zero;
use super::{Choices, NOTHING};
use crate::autograd::{Tape, Var, ops};
use crate::graph::{Choice, Options};
use crate::tensor::{Error, Tensor};

impl Run<'_> {
    pub(super) fn choice(
        &mut self,
        tape: &mut Tape,
        choice: &Choice,
        layer: &Layer,
        inputs: &[Var],
        target: Option<&Tensor>,
    ) -> Result<Var, Error> {
        let missing = || {
            let problem = format!("choice point `{}`, row {} is not settled", choice.table, choice.row);
            Error::shape("network", problem)
        };
        match (&choice.options, layer, self.pass.choices) {
            (Options::Operations(candidates), Layer::Choice(layers), Choices::Path(path)) => {
                let &taken = path.get(&(choice.table.clone(), choice.row)).ok_or_else(missing)?;
                if let (NOTHING, Some(any), Some(x)) = (taken, candidates.first(), inputs.first()) {
                    let shape = any.graph.shape(any.graph.outputs[0].node);
                    if let Some(target) = target {
                        tape.write_next_to(target.clone());
                    }
                    return zeros(tape, &[x.shape()[0], shape.channels, shape.height, shape.width]);
                }
                let candidate = candidates.get(taken).ok_or_else(missing)?;
                first(self.graph(tape, &candidate.graph, &layers[taken], inputs, target)?)
            }
            (
                Options::Operations(candidates),
                Layer::Choice(layers),
                Choices::Mixed(tables) | Choices::Sampled { tables, .. },
            ) => {
                let weights = tables.get(&choice.table).ok_or_else(missing)?;
                let Some(x) = inputs.first() else { return Err(missing()) };
                let (taken, others) = match self.pass.choices {
                    Choices::Sampled { path, others, .. } => {
                        (Some(*path.get(&(choice.table.clone(), choice.row)).ok_or_else(missing)?), others)
                    }
                    _ => (None, false),
                };
                let runs = |k: usize| taken.is_none_or(|taken| taken == k) && !is_zero(&candidates[k].graph);
                let live: Vec<usize> = (0..candidates.len()).filter(|&k| runs(k)).collect();
                let Some(&any) = live.first() else {
                    let zeros = taken.unwrap_or(0);
                    let made = self.graph(tape, &candidates[zeros].graph, &layers[zeros], inputs, target)?;
                    return match taken.filter(|_| others) {
                        Some(taken) => ops::bystanders(tape, &first(made)?, weights, choice.row, taken),
                        None => first(made),
                    };
                };
                let shape = candidates[any].graph.shape(candidates[any].graph.outputs[0].node);
                let slice = [x.shape()[0], shape.channels, shape.height, shape.width];
                let mut stacked = vec![live.len()];
                stacked.extend(slice);
                let stack = Tensor::scratch(tape.recorder(), &stacked)?;
                let mut made = Vec::with_capacity(live.len());
                for (slot, &k) in live.iter().enumerate() {
                    let place = stack.view(slot * slice.iter().product::<usize>(), &slice);
                    let y = self.graph(tape, &candidates[k].graph, &layers[k], inputs, Some(&place))?;
                    made.push((k, first(y)?));
                }
                if let Some(target) = target {
                    tape.write_next_to(target.clone());
                }
                let mixed = ops::mixed(tape, weights, choice.row, &stack, &made)?;
                match taken.filter(|_| others) {
                    Some(taken) => ops::bystanders(tape, &mixed, weights, choice.row, taken),
                    None => Ok(mixed),
                }
            }
            (Options::Widths(widths), _, choices) => {
                let Some(x) = inputs.first() else { return Err(missing()) };
                let one_hot;
                let (weights, row) = match choices {
                    Choices::Mixed(tables) | Choices::Sampled { tables, .. } => {
                        (tables.get(&choice.table).ok_or_else(missing)?, choice.row)
                    }
                    Choices::Path(path) => {
                        let &taken = path.get(&(choice.table.clone(), choice.row)).ok_or_else(missing)?;
                        let values: Vec<u32> =
                            (0..widths.len()).map(|k| f32::from(u8::from(k == taken)).to_bits()).collect();
                        let tensor = Tensor::scratch(tape.recorder(), &[1, widths.len()])?;
                        tape.recorder().upload(tensor.buffer(), 0, &values)?;
                        one_hot = Var::constant(tensor);
                        (&one_hot, 0)
                    }
                    Choices::None => return Err(missing()),
                };
                if let Some(target) = target {
                    tape.write_next_to(target.clone());
                }
                ops::width_mask(tape, x, weights, row, widths)
            }
            _ => Err(missing()),
        }
    }
}

fn first(outputs: Vec<Var>) -> Result<Var, Error> {
    outputs.into_iter().next().ok_or_else(|| Error::shape("network", "a candidate has no output"))
}
