//! Records choice points: all options weighed, or only the one taken.

use super::entangled::Shared;
use super::forward::{Run, not_settled, zeros};
use super::layer::Layer;
use super::reading::is_zero;
use super::{Choices, NOTHING};
use crate::autograd::{Tape, Var, ops};
use crate::graph::{Choice, Entangled, Graph, Options};
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
        let missing = || not_settled(&choice.table, choice.row);
        match (&choice.options, layer, self.pass.choices) {
            (Options::Operations(candidates), Layer::Choice(layers), Choices::Path(path)) => {
                let &taken = path.get(&(choice.table.clone(), choice.row)).ok_or_else(missing)?;
                let computed = candidates.iter().find(|candidate| !candidate.graph.outputs.is_empty());
                if let (NOTHING, Some(any), Some(x)) = (taken, computed, inputs.first()) {
                    let shape = any.graph.shape(any.graph.outputs[0].node);
                    if let Some(target) = target {
                        tape.write_next_to(target.clone());
                    }
                    return zeros(tape, &[x.shape()[0], shape.channels, shape.height, shape.width]);
                }
                let computed = choice.computed(taken);
                let graph = &candidates.get(computed).ok_or_else(missing)?.graph;
                match choice.group(taken) {
                    Some(group) => {
                        let alone = Shared::alone(tape, group, taken)?;
                        self.group(tape, alone, (graph, &layers[computed]), inputs, target)
                    }
                    None => first(self.graph(tape, graph, &layers[taken], inputs, target)?),
                }
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
                let live: Vec<usize> =
                    (0..candidates.len()).filter(|&k| choice.group(k).is_none() && runs(k)).collect();
                let groups = choice.entangled.iter();
                let groups: Vec<&Entangled> =
                    groups.filter(|group| taken.is_none_or(|k| choice.computed(k) == group.largest)).collect();
                // The last of what is added up lies where the reader looks for it.
                let last = |is_last: bool| target.filter(|_| is_last);
                let mut mixed = match live.first() {
                    Some(&any) => {
                        let output = &candidates[any].graph.outputs[0];
                        let shape = candidates[any].graph.shape(output.node);
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
                        if let Some(target) = last(groups.is_empty()) {
                            tape.write_next_to(target.clone());
                        }
                        Some(ops::mixed(tape, weights, choice.row, &stack, &made)?)
                    }
                    None if groups.is_empty() => {
                        let zeros = taken.unwrap_or(0);
                        first(self.graph(tape, &candidates[zeros].graph, &layers[zeros], inputs, target)?).map(Some)?
                    }
                    None => None,
                };
                for (at, group) in groups.iter().enumerate() {
                    let shared = Shared::weighed(group, weights, choice.row, taken);
                    let k = group.largest;
                    let target = last(at + 1 == groups.len());
                    let own = target.filter(|_| mixed.is_none());
                    let made = self.group(tape, shared, (&candidates[k].graph, &layers[k]), inputs, own)?;
                    mixed = Some(match mixed {
                        Some(others) => {
                            if let Some(target) = target {
                                tape.write_next_to(target.clone());
                            }
                            ops::add(tape, &others, &made)?
                        }
                        None => made,
                    });
                }
                let mixed = mixed.ok_or_else(missing)?;
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

    /// The result of a group of options: that of the largest one's graph with mixed kernels.
    fn group(
        &mut self,
        tape: &mut Tape,
        shared: Shared,
        (graph, layers): (&Graph, &[Layer]),
        inputs: &[Var],
        target: Option<&Tensor>,
    ) -> Result<Var, Error> {
        let around = self.shared.replace(shared);
        let made = self.graph(tape, graph, layers, inputs, target);
        self.shared = around;
        first(made?)
    }
}

fn first(outputs: Vec<Var>) -> Result<Var, Error> {
    outputs.into_iter().next().ok_or_else(|| Error::shape("network", "a candidate has no output"))
}
