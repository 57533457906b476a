//! How much work a suite is: what is laid over the presets of datasets, spaces and strategies.

use crate::data::Scale;
use crate::run::files;
use crate::{search, space};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The strategies of a suite that names none, as far as this build has them.
const STRATEGIES: &[&str] =
    &["darts", "gdas", "pc-darts", "drnas", "fair-darts", "sdarts-rs", "robust-darts", "darts-pt"];
/// The spaces of a small suite that names none, likewise.
const SMALL_SPACES: &[&str] = &["darts", "nas-bench-201"];
/// The spaces of a suite of published size that names none, likewise.
const PUBLISHED_SPACES: &[&str] = &["darts-wide", "darts-deep", "darts-single-cell"];

/// Epochs of search in a small suite.
const SMALL_EPOCHS: u32 = 8;
/// Channels of the first cells of a small suite's supernets, or the next number that the strategy can divide.
const SMALL_CHANNELS: usize = 4;
/// What else a small suite sets, where it is read: with eight strategies, two spaces and three seeds an evening on two cores.
const SMALL: &[(&str, &str)] = &[
    ("data.limit", "5000"),
    ("supernet.layers", "3"),
    ("network.channels", "8"),
    ("network.layers", "4"),
    ("train.epochs", "10"),
    ("train.batch", "64"),
    ("train.rate", "{ kind = 'cosine', from = 0.1, to = 0.0 }"),
    ("train.sgd.nesterov", "true"),
    ("train.augmentation.cutout", "0"),
    ("train.drop_path", "0.0"),
    ("search.batch", "64"),
    // Strategies that rank architectures with shared weights rank few.
    ("search.samples", "20"),
    ("search.calibration", "8"),
    ("search.evolution.population", "10"),
    ("search.evolution.generations", "4"),
    ("search.evolution.parents", "4"),
    ("search.evolution.mutations", "5"),
    ("search.evolution.crossovers", "5"),
    ("search.candidates", "20"),
];
/// Random architectures that are trained with each seed. With three seeds these are twelve, against which three accuracies
/// can come to p = 2/455: small enough to remain significant among ten strategies.
pub(super) const RANDOM_ARCHITECTURES: usize = 4;

/// How much work a suite is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SuiteScale {
    /// An evening on two cores; with the digits that are part of the program, which have presets of their own, minutes.
    #[default]
    Small,
    /// What spaces and strategies were published with: days on a GPU.
    Published,
}

impl SuiteScale {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Published => "published",
        }
    }

    /// Whether anything is laid over the presets, for a dataset.
    fn changes(self, data: &str) -> bool {
        self == Self::Small && files::scale(data) != Scale::Tiny
    }

    /// Epochs of search, if it says how many.
    pub(super) fn epochs(self, data: &str) -> Option<u32> {
        self.changes(data).then_some(SMALL_EPOCHS)
    }

    /// Channels of supernets for a strategy that divides them into so many parts, if it says how many.
    pub(super) fn channels(self, data: &str, parts: usize) -> Option<usize> {
        self.changes(data).then(|| SMALL_CHANNELS.next_multiple_of(parts.max(1)))
    }

    /// What else it sets: keys and values in TOML.
    pub(super) fn settings(self, data: &str) -> &'static [(&'static str, &'static str)] {
        if self.changes(data) { SMALL } else { &[] }
    }
}

impl FromStr for SuiteScale {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Small, Self::Published]
            .into_iter()
            .find(|scale| scale.name() == text)
            .ok_or_else(|| format!("`{text}` is no scale: write small or published"))
    }
}

/// The strategies of a suite that names none.
pub fn default_strategies() -> Vec<String> {
    let is_known = |name: &&&str| search::ALL.iter().any(|strategy| strategy.about().name == **name);
    STRATEGIES.iter().filter(is_known).map(|name| (*name).to_owned()).collect()
}

/// The spaces of a suite that names none; empty where this build has none of them.
pub fn default_spaces(scale: SuiteScale) -> Vec<String> {
    let all = if scale == SuiteScale::Small { SMALL_SPACES } else { PUBLISHED_SPACES };
    all.iter().filter(|name| space::entry(name).is_some()).map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Config;

    #[test]
    fn what_a_small_suite_sets_is_a_setting_of_some_strategy_and_space() {
        let reads = |key: &str, value: &str| {
            let pairs = search::ALL.iter().flat_map(|strategy| space::names().map(move |space| (strategy, space)));
            pairs.into_iter().any(|(strategy, space)| {
                let strategy = format!("strategy={}", strategy.about().name);
                let space = format!("space={space}");
                Config::with(&["data=cifar10", &strategy, &space, &format!("{key}={value}")]).is_ok()
            })
        };
        for (key, value) in SMALL {
            assert!(reads(key, value), "{key} = {value}");
        }
        assert_eq!(SuiteScale::Small.settings("digits"), []);
        assert_eq!(SuiteScale::Published.settings("cifar10"), []);
    }

    #[test]
    fn channels_can_be_divided() {
        assert_eq!([1, 4, 6].map(|parts| SuiteScale::Small.channels("mnist", parts)), [Some(4), Some(4), Some(6)]);
        assert_eq!(SuiteScale::Small.channels("digits", 4), None);
    }

    #[test]
    fn there_are_defaults_and_scales_have_names() {
        assert_eq!(default_strategies().len(), STRATEGIES.len());
        assert_eq!(default_spaces(SuiteScale::Small).len(), SMALL_SPACES.len());
        for scale in [SuiteScale::Small, SuiteScale::Published] {
            assert_eq!(scale.name().parse(), Ok(scale));
        }
        assert!("large".parse::<SuiteScale>().unwrap_err().contains("small or published"));
    }
}
