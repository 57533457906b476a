//! A suite: searches by several strategies in several spaces with several seeds, one after the other, held against random
//! architectures that are trained alike.
//!
//! Every cell of the grid is a run of its own, in `SPACE/STRATEGY/seed-N` below the suite's directory, and goes on as such.
//! Random architectures depend on space and seed alone: they are trained once for all strategies, in `SPACE/random/seed-N`.
//! `suite.toml` is the plan; it is written before anything is computed, so that the directory alone says what is left.

mod cell;
mod drive;
mod grid;
mod plan;
mod results;
mod scale;

pub use cell::{Cell, RANDOM};
pub use drive::{Step, go_on};
pub use grid::Grid;
pub use plan::{Asked, PLAN, Plan};
pub use results::{Ended, Network, Results};
pub use scale::{SuiteScale, default_spaces, default_strategies};
