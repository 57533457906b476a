//! The samplers, a file each: which trial of a study comes next.

pub(super) mod asha;
pub(super) mod bayes;
pub(super) mod bohb;
pub(super) mod evolution;
pub(super) mod greedy;
pub(super) mod grid;
pub(super) mod halving;
pub(super) mod hyperband;
pub(super) mod local_search;
pub(super) mod nasnet;
mod near_good;
pub(super) mod nsga2;
pub(super) mod random;
pub(super) mod reinforce;
pub(super) mod successive_halving;
pub(super) mod tpe;

pub use asha::Asha;
pub use bayes::{Bayes, BayesConfig};
pub use evolution::{Evolution, EvolutionConfig};
pub use grid::{Grid, GridConfig};
pub use halving::{Brackets, Halving, HalvingConfig};
pub use local_search::{LocalSearch, LocalSearchConfig};
pub use near_good::{Model, ModelConfig};
pub use nsga2::{Nsga2, Nsga2Config};
pub use random::RandomSearch;
pub use reinforce::{Reinforce, ReinforceConfig};
pub use tpe::{Tpe, TpeConfig};
