//! The configuration of an experiment: a TOML file, every key of which is also `--set key=value`.

use super::ImagesConfig;
use crate::estimate::TrainingConfig;
use crate::search::METHODS;
use crate::search::bilevel::BilevelConfig;
use crate::search::enas::EnasConfig;
use crate::search::one_shot::OneShotConfig;
use crate::space::{SpaceError, SpaceSettings, Stem};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Names of the strategies.
pub fn strategies() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|method| method.name)
}

/// Sizes of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// Channels of the first cells.
    pub channels: usize,
    /// Number of cells.
    pub layers: usize,
    /// What stands before the first cell: `cifar` or `imagenet`.
    pub stem: Stem,
    /// Whether it is trained with an auxiliary head.
    pub auxiliary: bool,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self { channels: 16, layers: 8, stem: Stem::Cifar, auxiliary: false }
    }
}

/// An experiment.
///
/// ```
/// use cellwright::run::Config;
///
/// let config = Config { seed: 7, ..Config::preset("digits") };
/// assert!(config.to_toml()?.contains("seed = 7"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Search space.
    pub space: String,
    /// Search strategy.
    pub strategy: String,
    /// Dataset.
    pub data: String,
    /// Directory of the dataset's files, where it needs any.
    pub data_dir: Option<PathBuf>,
    /// The architecture that is trained, as [`super::architecture::read`] takes it; in a file also a table of the parts of its JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Seed of everything random.
    pub seed: u64,
    /// Number of random architectures to compare with.
    pub random: usize,
    /// Whether to compare with a hand-designed network.
    pub baseline: bool,
    /// How the dataset's files are read.
    pub images: ImagesConfig,
    /// What the space is built with.
    pub space_settings: SpaceSettings,
    /// Size of the supernet.
    pub supernet: NetworkConfig,
    /// Size of the network that is trained from scratch.
    pub network: NetworkConfig,
    /// The search: gradient methods.
    pub search: BilevelConfig,
    /// The search: strategies `rsps` and `spos`.
    pub one_shot: OneShotConfig,
    /// The search: strategy `enas`.
    pub enas: EnasConfig,
    /// Training from scratch.
    pub train: TrainingConfig,
}

impl Default for Config {
    /// The digits that are part of the program: small enough for two CPU cores and three minutes.
    fn default() -> Self {
        Self::preset("digits")
    }
}

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

impl Config {
    /// The configuration as TOML.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for a number that TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string_pretty(self)
            .map_err(|error| ConfigError::Value { place: "configuration".into(), problem: error.to_string() })
    }
}
