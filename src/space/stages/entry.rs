//! The spaces of stages by name: `mobile`, and those of one's own, which their settings describe.

use super::Stages;
use crate::settings::Settings;
use crate::space::entry::{Entry, NoSettings, defaults, read};
use crate::space::{Space, SpaceError};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

const NAME: &str = "mobile";
/// The key of a description, in the settings of the space that it describes.
const KEY: &str = "stages";

/// The space `mobile`.
pub static ENTRY: Entry = Entry { name: NAME, defaults: defaults::<NoSettings>, build };

/// Settings of a space of one's own: of one that is called as they say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StagesConfig {
    /// Its description in TOML, as [`super`] reads it.
    pub stages: String,
}

/// The settings of the space that a text describes; of an empty text, which keys they are.
pub fn settings(text: &str) -> Settings {
    // Not by way of a TOML text, in which line ends would become those of TOML.
    Table::from_iter([(KEY.to_owned(), Value::String(text.to_owned()))]).into()
}

/// Whether settings describe a space.
pub(in crate::space) fn is_described(settings: &Settings) -> bool {
    settings.get(KEY).is_some_and(|text| text.as_str() != Some(""))
}

/// The space that settings describe, if it is called `name`.
pub(in crate::space) fn described(name: &str, settings: &Settings) -> Result<Box<dyn Space>, SpaceError> {
    let StagesConfig { stages } = read(name, settings)?;
    Ok(Box::new(Stages::named(name, &stages)?))
}

fn build(settings: &Settings) -> Result<Box<dyn Space>, SpaceError> {
    let NoSettings {} = read(NAME, settings)?;
    Ok(Box::new(Stages::mobile()?))
}
