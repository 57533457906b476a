//! How options that share weights share the kernels of their convolutions.

use crate::autograd::{Tape, Var, ops};
use crate::graph::{Conv, Entangled};
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

    /// The kernel of a convolution as the group mixes it, if it is one of those that the options share.
    pub fn mixed(&self, tape: &mut Tape, conv: &Conv, kernel: Var) -> Result<Var, Error> {
        match conv.kernel == [self.size; 2] {
            true => ops::entangle(tape, &kernel, &self.weights, self.row, &self.kernels),
            false => Ok(kernel),
        }
    }
}
