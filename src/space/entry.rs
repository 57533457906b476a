//! What a space says of itself to be found by name and built from a configuration.

use super::{Space, SpaceError};
use crate::settings::Settings;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A space that can be named: its settings are a type of its own, which nobody else needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Name, as the command line has it.
    pub name: &'static str,
    /// All settings it is built with, as they are if nothing is said.
    pub defaults: fn() -> Settings,
    /// Builds it. What the settings leave out is as in the defaults.
    pub build: fn(&Settings) -> Result<Box<dyn Space>, SpaceError>,
}

/// The settings of a space that is built in one way only.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NoSettings {}

/// What a type of settings holds by default.
pub(super) fn defaults<T: Default + Serialize>() -> Settings {
    Settings::of(&T::default()).expect("small numbers, names, and lists of them are TOML")
}

/// What settings say to the space that has the type.
pub(super) fn read<T: Serialize + DeserializeOwned>(space: &str, settings: &Settings) -> Result<T, SpaceError> {
    settings.read().map_err(|error| SpaceError::Settings { space: space.to_owned(), problem: error.to_string() })
}
