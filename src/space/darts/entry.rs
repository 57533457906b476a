//! The space of DARTS by name, and what it is built with.

use super::cell::PUBLISHED_NODES;
use super::decisions::NAME;
use super::{Darts, Primitive};
use crate::settings::Settings;
use crate::space::entry::{Entry, defaults, read};
use crate::space::{Space, SpaceError};
use serde::{Deserialize, Serialize};

/// The space `darts`.
pub static ENTRY: Entry = Entry { name: NAME, defaults: defaults::<DartsConfig>, build };

/// Settings of the space `darts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DartsConfig {
    /// Intermediate nodes of a cell.
    pub nodes: usize,
    /// Names of the primitives on every edge, in order.
    pub primitives: Vec<String>,
}

impl Default for DartsConfig {
    /// As published.
    fn default() -> Self {
        Self { nodes: PUBLISHED_NODES, primitives: Primitive::DARTS.iter().map(ToString::to_string).collect() }
    }
}

fn build(settings: &Settings) -> Result<Box<dyn Space>, SpaceError> {
    let DartsConfig { nodes, primitives } = read(NAME, settings)?;
    let primitives = primitives.iter().map(|primitive| primitive.parse()).collect::<Result<_, _>>()?;
    Ok(Box::new(Darts::new(nodes, primitives)?))
}
