//! Why a configuration cannot be used.

use crate::space::SpaceError;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key that does not exist.
    #[error("{place}: there is no setting `{key}`; did you mean `{nearest}`?")]
    UnknownKey {
        /// File or option.
        place: String,
        /// The key as given.
        key: String,
        /// The valid key most like it.
        nearest: String,
    },
    /// A value of the wrong type or outside what is allowed.
    #[error("{place}: {problem}")]
    Value {
        /// File or option.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A setting that nothing in the configuration reads.
    #[error("{place}: {by} does not read `{key}`: leave it out; it belongs to {readers}")]
    Unread {
        /// File or option.
        place: String,
        /// The setting.
        key: String,
        /// What does not read it.
        by: String,
        /// What does.
        readers: String,
    },
    /// A file of a later form.
    #[error("{place}: of format {format}, later than this program's ({known}): use a newer one")]
    Format {
        /// The file.
        place: String,
        /// Its form.
        format: i64,
        /// The latest that is known.
        known: u32,
    },
    /// A space that there is not, or that cannot be built with its settings.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// A file that should describe a space.
    #[error("{0}")]
    SpaceFile(String),
    /// A name that does not exist.
    #[error("unknown {kind} `{name}`: did you mean `{nearest}`?")]
    UnknownName {
        /// What was named.
        kind: &'static str,
        /// The name as given.
        name: String,
        /// The valid name most like it.
        nearest: String,
    },
}

pub(super) fn value_error(place: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError::Value { place: place.to_owned(), problem: problem.into() }
}
