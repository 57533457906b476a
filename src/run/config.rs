//! The configuration of an experiment: a TOML file, every key of which is also `--set key=value`.

use super::{ArchitectureText, ImagesConfig};
use crate::estimate::TrainingConfig;
use crate::search::METHODS;
use crate::search::bilevel::BilevelConfig;
use crate::search::enas::EnasConfig;
use crate::search::one_shot::OneShotConfig;
use crate::space::{SpaceSettings, Stem};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use toml::{Table, Value};

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
    pub architecture: Option<ArchitectureText>,
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
    /// The configuration that a TOML text and `key=value` settings describe. What they leave open is
    /// the preset of the dataset and the space they name (`default_data` and `darts` if they name none).
    /// A `budget` of epochs of search takes the place of the text's, whatever the strategy; a setting still wins.
    ///
    /// # Errors
    /// [`ConfigError`] naming `place` (the file) or the setting.
    pub fn read(
        place: &str,
        text: &str,
        settings: &[String],
        default_data: &str,
        budget: Option<u32>,
    ) -> Result<Self, ConfigError> {
        let value = |place: &str, problem: String| ConfigError::Value { place: place.to_owned(), problem };
        let mut given: Table = text.parse().map_err(|error| value(place, format!("not valid TOML: {error}")))?;
        for group in budget.map_or(&[][..], |_| &["search", "one_shot", "enas"]) {
            given.get_mut(*group).and_then(Value::as_table_mut).and_then(|table| table.remove("epochs"));
        }
        let set: Vec<(String, Table)> = settings.iter().map(|s| assignment(s)).collect::<Result<_, _>>()?;
        let named = |key: &str| set.iter().rev().map(|(_, t)| t).chain([&given]).find_map(|t| t.get(key)?.as_str());
        let mut preset = Self::preset(named("data").unwrap_or(default_data));
        if let Some(space) = named("space") {
            preset = preset.for_space(space);
        }
        if let Some(epochs) = budget {
            preset = preset.with_budget(epochs);
        }
        if let Some(strategy) = named("strategy") {
            // What a strategy counts in epochs goes by those asked for.
            let epochs = |t: &Table| t.get("search")?.get("epochs")?.as_integer()?.try_into().ok();
            let given = set.iter().rev().map(|(_, t)| t).chain([&given]).find_map(epochs);
            preset.search.epochs = given.unwrap_or(preset.search.epochs);
            preset = preset.for_strategy(strategy);
        }
        let mut all = Table::try_from(&preset).map_err(|error| value(place, error.to_string()))?;
        // A setting that is absent by default has no key in the table to be checked against.
        let mut known = all.clone();
        for key in ["data_dir", "architecture"] {
            known.entry(key).or_insert_with(|| Value::String(String::new()));
        }
        check_keys(place, &given, &known, "")?;
        for (setting, table) in set {
            check_keys(&format!("--set {setting}"), &table, &known, "")?;
            merge(&mut given, table);
        }
        merge(&mut all, given);
        let config: Self = all.try_into().map_err(|error: toml::de::Error| value(place, error.message().to_owned()))?;
        config.check()?;
        Ok(config)
    }

    /// The configuration as TOML.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for a number that TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string_pretty(self)
            .map_err(|error| ConfigError::Value { place: "configuration".into(), problem: error.to_string() })
    }
}

/// A table with the one key that `KEY=VALUE` sets. A value that is not TOML is a text.
fn assignment(setting: &str) -> Result<(String, Table), ConfigError> {
    let wrong = |problem: &str| ConfigError::Value { place: format!("--set {setting}"), problem: problem.to_owned() };
    let (key, value) =
        setting.split_once('=').ok_or_else(|| wrong("write KEY=VALUE, for instance search.epochs=20"))?;
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() || key.split('.').any(str::is_empty) {
        return Err(wrong("the key is empty"));
    }
    let parsed = format!("v = {value}").parse::<Table>().ok().and_then(|mut t| t.remove("v"));
    let mut value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    let mut parts: Vec<&str> = key.split('.').collect();
    let first = parts.remove(0);
    for part in parts.into_iter().rev() {
        value = Value::Table(Table::from_iter([(part.to_owned(), value)]));
    }
    Ok((setting.to_owned(), Table::from_iter([(first.to_owned(), value)])))
}

fn check_keys(place: &str, given: &Table, known: &Table, prefix: &str) -> Result<(), ConfigError> {
    for (key, value) in given {
        let full = format!("{prefix}{key}");
        match (known.get(key), value) {
            // A schedule's keys depend on its kind.
            (Some(Value::Table(inner)), Value::Table(value)) if !inner.contains_key("kind") => {
                check_keys(place, value, inner, &format!("{full}."))?;
            }
            (Some(Value::Table(_)), Value::Table(_)) => {}
            (Some(Value::Table(_)), _) => {
                let problem = format!("`{full}` is a group of settings, not one: set its keys");
                return Err(ConfigError::Value { place: place.to_owned(), problem });
            }
            (Some(_), _) => {}
            (None, _) => {
                let nearest = nearest(key, known.keys().map(String::as_str));
                return Err(ConfigError::UnknownKey {
                    place: place.to_owned(),
                    key: full,
                    nearest: format!("{prefix}{nearest}"),
                });
            }
        }
    }
    Ok(())
}

fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(into)), Value::Table(from)) => {
                // Another kind of schedule replaces the whole.
                if from.get("kind").is_some_and(|kind| into.get("kind") != Some(kind)) {
                    *into = from;
                } else {
                    merge(into, from);
                }
            }
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> &'a str {
    let distance = |k: &&str| strsim::damerau_levenshtein(&name.to_lowercase(), k);
    known.into_iter().min_by_key(distance).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::Schedule;

    fn read(text: &str, settings: &[&str]) -> Result<Config, String> {
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        Config::read("x.toml", text, &settings, "digits", None).map_err(|error| error.to_string())
    }

    #[test]
    fn a_budget_is_that_of_all_stages_and_what_is_set_by_hand_stays() {
        let read = |text: &str, settings: &[&str]| {
            let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
            Config::read("x.toml", text, &settings, "digits", Some(12)).unwrap()
        };
        let staged = read("strategy = \"p-darts\"\n[search]\nepochs = 9", &[]);
        assert_eq!((staged.search.epochs, staged.search.all_epochs(), staged.search.warmup), (4, 12, 1));
        assert_eq!(read("", &["strategy=spos"]).one_shot.epochs, 12);
        assert_eq!(read("", &["search.epochs=3"]).search.epochs, 3);
        // As published, where no budget is asked for.
        let published = Config::preset("cifar10").for_strategy("p-darts").search;
        assert_eq!((published.epochs, published.all_epochs(), published.warmup), (25, 75, 10));
    }

    #[test]
    fn channels_can_be_divided_as_a_strategy_does() {
        let channels = |data: &str, strategy: &str| Config::preset(data).for_strategy(strategy).supernet.channels;
        assert_eq!((channels("cifar10", "darts"), channels("cifar10", "pc-darts")), (16, 16));
        // Sixths, then quarters.
        assert_eq!(channels("cifar10", "drnas"), 24);
        assert_eq!(channels("digits", "drnas"), channels("digits", "darts"));
    }

    #[test]
    fn every_preset_is_read_back_as_it_was_written() {
        for data in ["digits", "mnist", "cifar10"] {
            let config = Config::preset(data);
            assert_eq!(read(&config.to_toml().unwrap(), &[]).unwrap(), config, "{data}");
        }
    }

    #[test]
    fn settings_override_the_file_which_overrides_the_preset() {
        let config =
            read("seed = 3\n[search]\nepochs = 9\n", &["search.epochs=4", "data = mnist", "data_dir=some dir"]);
        let config = config.unwrap();
        assert_eq!((config.seed, config.search.epochs), (3, 4));
        assert_eq!(config.train, Config::preset("mnist").train);
        assert_eq!(config.data_dir, Some("some dir".into()));
        let config = read("", &["train.rate.kind=\"constant\"", "train.rate.rate=0.1"]).unwrap();
        assert_eq!(config.train.rate, Schedule::Constant { rate: 0.1 });
    }

    #[test]
    fn a_space_brings_the_sizes_it_was_published_with_unless_the_data_are_small() {
        let sizes = |c: &Config| [c.supernet, c.network].map(|n| (n.channels, n.layers));
        let large = read("space = \"nas-bench-201\"\ndata = \"cifar10\"", &[]).unwrap();
        assert_eq!((sizes(&large), large.train.batch, large.train.epochs), ([(16, 15); 2], 256, 200));
        let chosen = read("data = \"cifar10\"", &["space=nas-bench-201", "network.layers=6"]).unwrap();
        assert_eq!(sizes(&chosen), [(16, 15), (16, 6)]);
        let micro = read("data = \"cifar10\"", &["space=enas-micro"]).unwrap();
        assert_eq!((sizes(&micro), micro.one_shot.batch, micro.train.epochs), ([(20, 8), (36, 17)], 160, 630));
        let macros = read("data = \"cifar10\"", &["space=enas-macro"]).unwrap();
        assert_eq!((macros.supernet.channels, macros.one_shot.epochs, macros.train.batch), (36, 310, 100));
        assert_eq!(read(&macros.to_toml().unwrap(), &[]).unwrap(), macros);
        let small = read("", &["space=nas-bench-201"]).unwrap();
        assert_eq!(small, Config { space: "nas-bench-201".into(), ..Config::preset("digits") });
        assert_eq!(read("", &["space=darts"]).unwrap(), Config::preset("digits"));
    }

    #[test]
    fn mistakes_are_named_with_what_was_meant() {
        assert_eq!(
            read("[serach]\nepochs = 1", &[]).unwrap_err(),
            "x.toml: there is no setting `serach`; did you mean `search`?"
        );
        let error = read("", &["search.epoch=1"]).unwrap_err();
        assert_eq!(error, "--set search.epoch=1: there is no setting `search.epoch`; did you mean `search.epochs`?");
        assert!(read("", &["search.epochs=many"]).unwrap_err().contains("invalid type"));
        assert!(read("", &["search.order=3"]).unwrap_err().contains("order 3 does not exist"));
        assert!(read("", &["search=3"]).unwrap_err().contains("group of settings"));
        assert!(read("", &["seed"]).unwrap_err().contains("KEY=VALUE"));
        assert!(read("", &["strategy=dart"]).unwrap_err().contains("did you mean `darts`"));
        for setting in [
            "train.rate.from=nan",
            "search.rate.to=-1.0",
            "search.adam.beta1=1.0",
            "enas.controller.adam.epsilon=0.0",
            "enas.controller.temperature=-1.0",
            "enas.rate.from=nan",
            "search.sgd.clip=nan",
            "train.sgd.momentum=1.5",
            "train.augmentation.padding=4294967296",
        ] {
            let error = read("", &[setting]).unwrap_err();
            let key = setting.split('=').next().unwrap().rsplit_once('.').unwrap().0;
            assert!(error.contains(key), "{setting}: {error}");
        }
        assert!(read("a = ", &[]).unwrap_err().contains("not valid TOML"));
    }
}
