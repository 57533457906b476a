//! What a pass over a network is asked for.

use crate::autograd::{Var, ops};
use std::collections::HashMap;

/// For each choice point's table and row, the option taken, or [`NOTHING`].
pub type Path = HashMap<(String, usize), usize>;

/// What a path takes where it takes none of the options: zeros, which a sum leaves out.
pub const NOTHING: usize = usize::MAX;

/// What becomes of choice points.
#[derive(Clone, Copy, Debug)]
pub enum Choices<'a> {
    /// There are none.
    None,
    /// Each computes all its options and weighs them by its row of the named table
    /// (`[rows, options]`).
    Mixed(&'a HashMap<String, Var>),
    /// Each computes only the option taken.
    Path(&'a Path),
    /// Each computes only the option taken, times its weight (GDAS; Dong & Yang 2019, equation 5).
    Sampled {
        /// The options taken.
        path: &'a Path,
        /// Weights by table, `[rows, options]`.
        tables: &'a HashMap<String, Var>,
        /// Whether the weights of the other options, which are 0, are added as they are: for their gradient alone.
        others: bool,
    },
}

/// How a network is run.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// Batch statistics, and dropout if `randomness` is given (true), or running statistics and no
    /// dropout (false).
    pub training: bool,
    /// Whether the parameters' gradients are wanted.
    pub gradients: bool,
    /// What becomes of choice points.
    pub choices: Choices<'a>,
    /// Where dropout's decisions come from; without it nothing is dropped.
    pub randomness: Option<&'a ops::Randomness>,
    /// Where noise comes from. Without it noise comes from `randomness` and, without that, from
    /// [`Network::noise`](super::Network::noise).
    pub noise: Option<&'a ops::Randomness>,
    /// Index in the step's words of the probability of dropping a path.
    pub drop_path: Option<u32>,
}

impl Pass<'_> {
    /// Whether all options of choice points are computed, and gradients asked for in training only: what
    /// fused cells do.
    pub(super) fn mixes(&self, x: &Var) -> bool {
        let Choices::Mixed(tables) = self.choices else { return false };
        let gradients = self.gradients || x.wants_gradient() || tables.values().any(Var::wants_gradient);
        self.training || !gradients
    }

    /// Evaluation of a plain network: running statistics, no gradients.
    pub const fn evaluation() -> Self {
        Self {
            training: false,
            gradients: false,
            choices: Choices::None,
            randomness: None,
            noise: None,
            drop_path: None,
        }
    }
}
