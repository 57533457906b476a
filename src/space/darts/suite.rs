//! The spaces of DARTS-Bench-Suite: the primitives of DARTS in networks that are wide, deep, or one large cell, with skip
//! connections among the primitives, without, or with one more of weight 1 beside each edge.
//!
//! Sizes and training are those of the published code (automl/ConfigurableOptimizer, `scripts/benchsuite_experiments`): of
//! its nine regimes of training the second, whose rate and decay are those of DARTS. Its networks have no auxiliary head.

use super::cell::PUBLISHED_NODES;
use super::{Darts, Primitive};
use crate::optim::{Schedule, SgdConfig};
use crate::settings::Settings;
use crate::space::entry::{Entry, defaults, read};
use crate::space::{Recipe, Regime, Size, Space, SpaceError};
use serde::{Deserialize, Serialize};

/// The space `darts-wide`: four cells of 18 channels, the second and the third of which reduce.
pub static WIDE: Entry = Entry { name: "darts-wide", defaults: defaults::<SuiteConfig>, build: |s| build(wide, s) };
/// The space `darts-deep`: 18 cells of 7 channels, of which those at 6 and 12 reduce.
pub static DEEP: Entry = Entry { name: "darts-deep", defaults: defaults::<SuiteConfig>, build: |s| build(deep, s) };
/// The space `darts-single-cell`: one reduction cell of eight nodes and 2·26 channels, which joins the last four.
pub static SINGLE_CELL: Entry =
    Entry { name: "darts-single-cell", defaults: defaults::<SuiteConfig>, build: |s| build(single_cell, s) };

/// Settings of the three spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SuiteConfig {
    /// What is on the edges.
    pub operations: Operations,
}

/// What is on the edges of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operations {
    /// The eight primitives of DARTS.
    #[default]
    Regular,
    /// All of them but `skip_connect`.
    NoSkip,
    /// The eight, and a skip connection of weight 1 beside each edge: that of DARTS- (Chu et al. 2021) with β = 1, in
    /// networks trained from scratch, too. Where the map is halved it is a factorised reduction of its own. A path of the
    /// supernet keeps the skips beside edges that it does not take; the network of an architecture has none there.
    AllSkip,
}

/// The space `darts-wide`.
pub fn wide(operations: Operations) -> Darts {
    of(&WIDE, PUBLISHED_NODES, Size { channels: 18, layers: 4 }, operations)
}

/// The space `darts-deep`.
pub fn deep(operations: Operations) -> Darts {
    of(&DEEP, PUBLISHED_NODES, Size { channels: 7, layers: 18 }, operations)
}

/// The space `darts-single-cell`. Its only cell reduces: in a genotype that is `reduce`, and `normal`, which does not
/// occur, is written as the same and may be read as anything.
pub fn single_cell(operations: Operations) -> Darts {
    let mut space = of(&SINGLE_CELL, 2 * JOINED, Size { channels: 26, layers: 1 }, operations);
    space.cells.retain(|sets| sets.reduction);
    Darts { joined: JOINED, ..space }
}

/// Nodes that the single cell joins.
const JOINED: usize = 4;

fn of(entry: &Entry, nodes: usize, size: Size, operations: Operations) -> Darts {
    let without = |&primitive: &Primitive| operations != Operations::NoSkip || primitive != Primitive::SkipConnect;
    let primitives: Vec<Primitive> = Primitive::DARTS.into_iter().filter(without).collect();
    let training = Regime {
        epochs: 300,
        batch: 512,
        sgd: SgdConfig::default(),
        rate: Schedule::Cosine { from: 0.025, to: 0.0 },
        cutout: 16,
        drop_path: 0.3,
    };
    let published = Recipe { supernet: size, network: size, shared: None, training: Some(training) };
    let auxiliary = operations == Operations::AllSkip;
    Darts { auxiliary, published, ..Darts::uniform(entry.name, nodes, &primitives) }
}

fn build(space: fn(Operations) -> Darts, settings: &Settings) -> Result<Box<dyn Space>, SpaceError> {
    let name = space(Operations::Regular).name;
    let SuiteConfig { operations } = read(name, settings)?;
    Ok(Box::new(space(operations)))
}
