//! Records groups of options that share weights: one graph, whose kernels are mixed.

use super::build::Layer;
use super::choice::first;
use super::forward::Run;
use crate::autograd::{Tape, Var, ops};
use crate::graph::{Conv, Entangled, Graph};
use crate::tensor::{Error, Tensor};

/// How the convolutions of a group share their kernels.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    weights: Var,
    row: usize,
    /// Columns of the row, and sizes.
    kernels: Vec<(usize, usize)>,
    /// The size of the windows that are mixed.
    size: usize,
}

impl Shared {
    /// Weighed by a row of a table; only the option `taken`, if there is one.
    pub fn weighed(group: &Entangled, weights: &Var, row: usize, taken: Option<usize>) -> Self {
        let mut kernels = group.kernels.clone();
        kernels.retain(|(option, _)| taken.is_none_or(|taken| taken == *option));
        Self { weights: weights.clone(), row, kernels, size: group.size() }
    }

    /// One option as it is.
    pub fn alone(tape: &mut Tape, group: &Entangled, option: usize) -> Result<Self, Error> {
        let one = Tensor::scratch(tape.recorder(), &[1, 1])?;
        tape.recorder().upload(one.buffer(), one.at() as usize, &[1f32.to_bits()])?;
        let sizes = group.kernels.iter().filter(|(member, _)| *member == option);
        let kernels = sizes.map(|(_, size)| (0, *size)).collect();
        Ok(Self { weights: Var::constant(one), row: 0, kernels, size: group.size() })
    }
}

impl Run<'_> {
    /// The result of a group of options: that of the largest one's graph with mixed kernels.
    pub(super) fn group(
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

    /// The kernel of a convolution as the group that it belongs to mixes it, if it does.
    pub(super) fn mixed_kernel(&self, tape: &mut Tape, conv: &Conv, kernel: Var) -> Result<Var, Error> {
        match &self.shared {
            Some(shared) if conv.kernel == [shared.size; 2] => {
                ops::entangle(tape, &kernel, &shared.weights, shared.row, &shared.kernels)
            }
            _ => Ok(kernel),
        }
    }
}
