//! One run of a suite: what it is of, and where it lies.

use std::path::{Path, PathBuf};

/// What stands in the place of a strategy where random architectures are trained.
pub const RANDOM: &str = "random";

/// One run of a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The space.
    pub space: String,
    /// The strategy, or [`RANDOM`].
    pub strategy: String,
    /// The seed.
    pub seed: u32,
}

impl Cell {
    /// Its directory below that of the suite.
    pub fn path(&self, suite: &Path) -> PathBuf {
        suite.join(&self.space).join(&self.strategy).join(format!("seed-{}", self.seed))
    }
}
