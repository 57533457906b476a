//! The spaces by name.

use super::entry::Entry;
use super::{Space, SpaceError};
use super::{chain, darts, enas_macro, enas_micro, nas_bench_201, nasnet, notation, stages};
use crate::settings::Settings;

/// All spaces that have a name.
pub static ALL: &[&Entry] = &[
    &darts::ENTRY,
    &chain::ENTRY,
    &chain::VGG16,
    &chain::MLP,
    &nas_bench_201::ENTRY,
    &stages::ENTRY,
    &enas_micro::ENTRY,
    &enas_macro::ENTRY,
    &nasnet::ENTRY,
    &darts::robust::S1,
    &darts::robust::S2,
    &darts::robust::S3,
    &darts::robust::S4,
    &darts::suite::WIDE,
    &darts::suite::DEEP,
    &darts::suite::SINGLE_CELL,
];

/// Names of the spaces that [`find`] knows.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|entry| entry.name)
}

/// The entry of [`ALL`] that has a name.
pub fn entry(name: &str) -> Option<&'static Entry> {
    ALL.iter().copied().find(|entry| entry.name == name)
}

/// The space called `name`, one of [`names`], built with its default settings.
///
/// ```
/// use cellwright::cost;
/// use cellwright::space::{self, NetworkSettings};
///
/// // The supernet of DARTS on CIFAR-10, and its published size.
/// let supernet = space::find("darts")?.supernet(&NetworkSettings::default())?;
/// assert_eq!(cost::parameters(&supernet)?, 1_930_618);
/// let error = space::find("dart").err().expect("there is no such space");
/// assert!(error.to_string().contains("darts"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SpaceError::Unknown`] for any other name.
pub fn find(name: &str) -> Result<Box<dyn Space>, SpaceError> {
    SpaceConfig::of(name).build()
}

/// A space and what it is built with: the group `[space]` of a configuration.
///
/// ```
/// use cellwright::space::SpaceConfig;
///
/// let config = SpaceConfig { name: "chain-mlp".into(), settings: "units = [8, 16]".parse()? };
/// assert_eq!(config.build()?.size(), Some(2 * 2 * 2));
/// let config = SpaceConfig { settings: "nodes = 3".parse()?, ..config };
/// assert!(config.build().err().is_some_and(|error| error.to_string().contains("chain-mlp: unknown field `nodes`")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceConfig {
    /// One of [`names`], or that of the space which the setting `stages` describes.
    pub name: String,
    /// Settings of the space's own: those that [`Entry::defaults`] lists, or `stages`.
    pub settings: Settings,
}

impl SpaceConfig {
    /// A space with its default settings; none if the name is not known.
    pub fn of(name: &str) -> Self {
        let settings = entry(name).map(|entry| (entry.defaults)()).unwrap_or_default();
        Self { name: name.to_owned(), settings }
    }

    /// The space that a text in the format of [`stages`] describes.
    ///
    /// # Errors
    /// [`SpaceError::Description`] if it describes none.
    pub fn described(text: &str) -> Result<Self, SpaceError> {
        let space = stages::Stages::read(text)?;
        Ok(Self { name: space.name().to_owned(), settings: stages::settings(text) })
    }

    /// The space: that of the name, or that which the setting `stages` describes.
    ///
    /// # Errors
    /// [`SpaceError::Unknown`] if there is no such space and none is described, [`SpaceError::Settings`] for settings that are
    /// not the space's, and what the space says of their values.
    pub fn build(&self) -> Result<Box<dyn Space>, SpaceError> {
        match entry(&self.name) {
            Some(entry) => (entry.build)(&self.settings),
            None if stages::is_described(&self.settings) => stages::described(&self.name, &self.settings),
            None => Err(SpaceError::unknown("search space", &self.name, names())),
        }
    }
}

/// The name of the built-in space that a text is an architecture of: the first of [`names`] that can read it, else the one
/// whose error will say most.
pub fn of_text(text: &str) -> &'static str {
    let reads = |name: &&'static str| find(name).is_ok_and(|space| space.sketch(text).is_ok());
    let resembles_benchmark = || {
        let numbers = notation::numbers(text).is_some_and(|numbers| numbers.split(' ').count() == nas_bench_201::EDGES);
        let text = text.to_lowercase();
        numbers || text.contains("naslib:") || (text.contains('|') && text.contains('~')) || text.contains("\"0_1\"")
    };
    let otherwise = || if resembles_benchmark() { nas_bench_201::NAME } else { darts::NAME };
    names().find(reads).unwrap_or_else(otherwise)
}
