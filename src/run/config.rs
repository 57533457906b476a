//! The configuration of an experiment: a TOML file, every key of which is also `--set key=value`.

use crate::estimate::TrainingConfig;
use crate::optim::Schedule;
use crate::search::METHODS;
use crate::search::bilevel::{BilevelConfig, Order, Penalty, Perturbation, Selection, Stop, Weighing};
use crate::search::enas::EnasConfig;
use crate::search::one_shot::OneShotConfig;
use crate::space::SpaceSettings;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use toml::{Table, Value};

/// Names of the strategies.
pub fn strategies() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|method| method.name)
}

/// Largest shift or blanked square of an augmentation.
const MOST_PIXELS: usize = 65_536;

/// Sizes of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// Channels of the first cells.
    pub channels: usize,
    /// Number of cells.
    pub layers: usize,
    /// Whether it is trained with an auxiliary head.
    pub auxiliary: bool,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self { channels: 16, layers: 8, auxiliary: false }
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
    /// Seed of everything random.
    pub seed: u64,
    /// Number of random architectures to compare with.
    pub random: usize,
    /// Whether to compare with a hand-designed network.
    pub baseline: bool,
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
    ///
    /// # Errors
    /// [`ConfigError`] naming `place` (the file) or the setting.
    pub fn read(place: &str, text: &str, settings: &[String], default_data: &str) -> Result<Self, ConfigError> {
        let value = |place: &str, problem: String| ConfigError::Value { place: place.to_owned(), problem };
        let mut given: Table = text.parse().map_err(|error| value(place, format!("not valid TOML: {error}")))?;
        let set: Vec<(String, Table)> = settings.iter().map(|s| assignment(s)).collect::<Result<_, _>>()?;
        let named = |key: &str| set.iter().rev().map(|(_, t)| t).chain([&given]).find_map(|t| t.get(key)?.as_str());
        let mut preset = Self::preset(named("data").unwrap_or(default_data));
        if let Some(space) = named("space") {
            preset = preset.for_space(space);
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
        known.entry("data_dir").or_insert_with(|| Value::String(String::new()));
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

    fn check(&self) -> Result<(), ConfigError> {
        if !strategies().any(|name| name == self.strategy) {
            return Err(ConfigError::UnknownName {
                kind: "search strategy",
                name: self.strategy.clone(),
                nearest: nearest(&self.strategy, strategies()).to_owned(),
            });
        }
        let wrong = |key: &str, problem: &str| {
            Err(ConfigError::Value { place: "configuration".into(), problem: format!("{key} {problem}") })
        };
        let probability = |p: f32| (0.0..1.0).contains(&p);
        if self.search.batch == 0 || self.train.batch == 0 || self.one_shot.batch == 0 {
            return wrong("batch", "must be at least 1");
        }
        if !probability(self.train.drop_path) || !probability(self.train.label_smoothing) {
            return wrong("train.drop_path and train.label_smoothing", "must be at least 0 and less than 1");
        }
        let usable = |value: f32| value >= 0.0 && value.is_finite();
        if !usable(self.search.alpha_rate) || !usable(self.train.auxiliary_weight) {
            return wrong("search.alpha_rate and train.auxiliary_weight", "must not be negative");
        }
        for (group, sgd, rate, augmentation) in [
            ("search", &self.search.sgd, &self.search.rate, &self.search.augmentation),
            ("one_shot", &self.one_shot.sgd, &self.one_shot.rate, &self.one_shot.augmentation),
            ("enas", &self.enas.sgd, &self.enas.rate, &self.enas.augmentation),
            ("train", &self.train.sgd, &self.train.rate, &self.train.augmentation),
        ] {
            if !rate.is_usable() {
                return wrong(&format!("{group}.rate"), "must hold rates of at least 0 and periods of at least 1");
            }
            if !probability(sgd.momentum) {
                return wrong(&format!("{group}.sgd.momentum"), "must be at least 0 and less than 1");
            }
            if !usable(sgd.weight_decay) || !usable(sgd.clip) {
                return wrong(&format!("{group}.sgd.weight_decay and clip"), "must not be negative");
            }
            if augmentation.padding > MOST_PIXELS || augmentation.cutout > MOST_PIXELS {
                return wrong(
                    &format!("{group}.augmentation"),
                    &format!("can move or blank at most {MOST_PIXELS} pixels"),
                );
            }
        }
        self.check_search()?;
        for (group, adam) in [("search.adam", &self.search.adam), ("enas.controller.adam", &self.enas.controller.adam)]
        {
            if !probability(adam.beta1) || !probability(adam.beta2) {
                return wrong(&format!("{group}.beta1 and beta2"), "must be at least 0 and less than 1");
            }
            if !(adam.epsilon > 0.0 && adam.epsilon.is_finite() && usable(adam.weight_decay)) {
                return wrong(&format!("{group}.epsilon"), "must be positive, and weight_decay not negative");
            }
        }
        self.enas.check().map_err(|problem| ConfigError::Value { place: "configuration".into(), problem })
    }
}

impl Config {
    /// What only gradient methods have.
    fn check_search(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, problem: &str| {
            let problem = format!("search.{key} {problem}");
            Err(ConfigError::Value { place: "configuration".into(), problem })
        };
        let search = &self.search;
        // A schedule has its extremes at its ends, or falls.
        let from_to = |s: &Schedule| [0, search.epochs.max(1) - 1].map(|epoch| s.rate(epoch, search.epochs));
        if let Weighing::Gumbel { temperature } | Weighing::GumbelPath { temperature, .. } = &search.weighing
            && !(temperature.is_usable() && from_to(temperature).iter().all(|&t| t > 0.0))
        {
            return wrong("weighing.temperature", "must stay above 0");
        }
        if let Perturbation::Random { epsilon } | Perturbation::Adversarial { epsilon, .. } = &search.perturbation
            && !epsilon.is_usable()
        {
            return wrong("perturbation.epsilon", "must not be negative");
        }
        if let Penalty::ZeroOne { weight } | Penalty::Anchor { weight } = search.penalty
            && !weight.is_finite()
        {
            return wrong("penalty.weight", "must be a finite number");
        }
        if let Stop::Eigenvalue { every, window, back, ratio, .. } = search.stop
            && (every == 0 || window == 0 || back == 0 || !ratio.is_finite())
        {
            return wrong("stop", "needs every, window and back of at least 1 and a finite ratio");
        }
        if let Selection::Masking { divisor, .. } = search.selection
            && !(divisor > 0.0 && divisor.is_finite())
        {
            return wrong("selection.divisor", "must be positive");
        }
        if search.parts == 0 || search.stages.iter().any(|s| s.parts == 0 || !(0.0..1.0).contains(&s.dropout)) {
            return wrong(
                "parts and stages",
                "need at least one part of the channels, and a dropout from 0 to below 1",
            );
        }
        if search.warmup > 0 && search.warmup >= search.epochs {
            let all = search.epochs;
            let problem = format!("must be less than search.epochs ({all}), or the architecture weights never move");
            return wrong("warmup", &problem);
        }
        let paths = search.weighing.is_path();
        if paths && search.order == Order::Second {
            return wrong("order", "must be 1 where paths are sampled");
        }
        if paths && (search.selection != Selection::Weights || search.perturbation != Perturbation::None) {
            return wrong("selection and perturbation", "need all options, not sampled paths");
        }
        if paths && matches!(search.stop, Stop::Eigenvalue { .. }) {
            return wrong("stop", "by eigenvalues needs all options, not sampled paths");
        }
        Ok(())
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

fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> &'a str {
    let distance = |k: &&str| strsim::damerau_levenshtein(&name.to_lowercase(), k);
    known.into_iter().min_by_key(distance).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, settings: &[&str]) -> Result<Config, String> {
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        Config::read("x.toml", text, &settings, "digits").map_err(|error| error.to_string())
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
