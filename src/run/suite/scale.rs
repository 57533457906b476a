//! How much work a suite is: what is laid over the presets of datasets, spaces and strategies.

use crate::data::Scale;
use crate::run::files;
use crate::{search, space};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The strategies of a suite that names none, as far as this build has them.
const STRATEGIES: &[&str] = &["darts", "gdas", "pc-darts", "darts-minus", "beta-darts", "lambda-darts", "oles", "gaea"];
/// The spaces of a small suite that names none, likewise.
const SMALL_SPACES: &[&str] = &["robust-darts-s2", "robust-darts-s4"];
/// The spaces of a suite of published size that names none, likewise.
const PUBLISHED_SPACES: &[&str] = &["darts-wide", "darts-deep", "darts-single-cell"];

/// What the data of a small suite are taken to allow: the presets are those of MNIST, also for pictures as of CIFAR-10.
const SMALL_DATA: Scale = Scale::Small;
/// Epochs of search in a small suite: so many passes over so few images that a supernet learns its half by heart, as those of the
/// published searches do, which is when searches collapse.
const SMALL_EPOCHS: u32 = 60;
/// What else a small suite sets. Eight strategies, two spaces and three seeds are estimated at an evening on two cores.
const SMALL: &[(&str, &str)] =
    &[("data.limit", "1000"), ("supernet.layers", "5"), ("train.epochs", "40"), ("train.batch", "64")];
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

    /// What the data are taken to allow, if not what is known of them.
    pub(super) fn data(self, data: &str) -> Option<Scale> {
        self.changes(data).then_some(SMALL_DATA)
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

    #[test]
    fn the_digits_have_presets_of_their_own_and_published_sizes_are_left() {
        assert_eq!((SuiteScale::Small.settings("digits"), SuiteScale::Small.epochs("digits")), (&[][..], None));
        assert_eq!((SuiteScale::Small.settings("mnist"), SuiteScale::Small.epochs("cifar10")), (SMALL, Some(60)));
        assert_eq!(
            (SuiteScale::Small.data("cifar10"), SuiteScale::Published.data("cifar10")),
            (Some(SMALL_DATA), None)
        );
        assert_eq!(SuiteScale::Published.settings("cifar10"), []);
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
