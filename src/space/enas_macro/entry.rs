//! The macro space of ENAS by name, and what it is built with.

use super::{EnasMacro, LAYERS, NAME};
use crate::settings::Settings;
use crate::space::entry::{Entry, defaults, read};
use crate::space::{Space, SpaceError};
use serde::{Deserialize, Serialize};

/// The space `enas-macro`.
pub static ENTRY: Entry = Entry { name: NAME, defaults: defaults::<MacroConfig>, build };

/// Settings of the space `enas-macro`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MacroConfig {
    /// Number of layers. They are what is decided, so networks have as many, whatever
    /// [`NetworkSettings::layers`](crate::space::NetworkSettings::layers) says.
    pub layers: usize,
}

impl Default for MacroConfig {
    /// As published.
    fn default() -> Self {
        Self { layers: LAYERS }
    }
}

fn build(settings: &Settings) -> Result<Box<dyn Space>, SpaceError> {
    let MacroConfig { layers } = read(NAME, settings)?;
    Ok(Box::new(EnasMacro::new(layers)?))
}
