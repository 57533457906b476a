//! The samplers, a file each: which trial of a study comes next.

pub(super) mod bayes;
pub(super) mod evolution;
pub(super) mod grid;
pub(super) mod local_search;
pub(super) mod random;
pub(super) mod reinforce;

pub use bayes::{Bayes, BayesConfig};
pub use evolution::{Evolution, EvolutionConfig};
pub use grid::{Grid, GridConfig};
pub use local_search::{LocalSearch, LocalSearchConfig};
pub use random::RandomSearch;
pub use reinforce::{Reinforce, ReinforceConfig};
