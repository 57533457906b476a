//! Who reads which setting of the groups that all experiments have. What nothing reads is refused rather than taken in
//! silence. (The groups `space`, `search` and `data` hold the settings of what they name, and no others.)
//!
//! [`OWNERS`] is the one list. A setting is read if every entry that names it says so; what stands in no entry is read by
//! all.

use super::config::Config;
use super::config_error::ConfigError;
use crate::settings::Settings;
use crate::space::{self, Reads, Space, nas_bench_201};
use toml::Table;

/// What a setting is read by.
enum Owner {
    /// By spaces whose networks depend on it.
    Networks(fn(Reads) -> bool),
    /// Where other settings have it so: what does not read it, what does, whether it is so.
    Where(&'static str, &'static str, fn(&Config) -> bool),
}

use Owner::{Networks, Where};

/// Who reads what, by key.
const OWNERS: &[(&str, Owner)] = &[
    ("supernet.channels", Networks(|reads| reads.channels)),
    ("supernet.layers", Networks(|reads| reads.layers)),
    ("supernet.stem", Networks(|reads| reads.stem)),
    ("network.channels", Networks(|reads| reads.channels)),
    ("network.layers", Networks(|reads| reads.layers)),
    ("network.stem", Networks(|reads| reads.stem)),
    ("network.auxiliary", Networks(|reads| reads.auxiliary)),
    ("train.drop_path", Networks(|reads| reads.drop_path)),
    (
        "train.auxiliary_weight",
        Where("a network without auxiliary head", "networks with `network.auxiliary = true`", |c| c.network.auxiliary),
    ),
    (
        "supernet",
        Where("a study, whose trials are networks of their own", "strategies with shared weights", |c| {
            !c.search.is_study()
        }),
    ),
    // What is fused are the mixed cells of a supernet.
    ("train.fusion", Where("a network trained from scratch", "supernets, as `search.fusion`", |_| false)),
    ("benchmark", Where("a space that has no table", nas_bench_201::NAME, |c| c.space.name == nas_bench_201::NAME)),
    (
        "benchmark",
        Where("a study that looks its trials up in the table", "searches that train", |c| !c.search.looks_up()),
    ),
    ("data.fit", Where("what is not resized", "`data.resize`", |c| c.data.images.resize.0.is_some())),
];

/// What only a search reads: one training has neither strategy nor supernet nor anything to be held against, and its
/// architecture says its own nodes and primitives.
const OF_SEARCHES: &[&str] =
    &["search", "random", "baseline", "supernet", "benchmark", "space.nodes", "space.primitives"];

/// What a network that is given with what it has learned brings along.
const OF_ARCHITECTURES: &[&str] = &["architecture", "space", "network"];

/// What random architectures do without: they are of a space, and held against others of it.
const OF_STRATEGIES: &[&str] = &["search", "baseline", "supernet", "benchmark"];

/// What a configuration is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A search and all that follows it.
    Search,
    /// The training of one architecture.
    Training,
    /// The training of random architectures.
    Random,
}

impl Purpose {
    /// What a configuration that a run wrote was for.
    pub fn of(table: &Table) -> Self {
        let says = |key: &str| table.contains_key(key);
        match (says("architecture") || says("model"), says("search") || says("strategy")) {
            (true, _) => Self::Training,
            (false, true) => Self::Search,
            (false, false) => Self::Random,
        }
    }
}

/// A setting or group that a configuration does not read.
pub(super) struct Unread {
    /// The setting or group.
    pub key: &'static str,
    /// What does not read it.
    by: String,
    /// What does.
    readers: String,
}

impl Unread {
    /// The error for a key of this group.
    pub fn error(&self, place: &str, key: &str) -> ConfigError {
        let (by, readers) = (self.by.clone(), self.readers.clone());
        ConfigError::Unread { place: place.to_owned(), key: key.to_owned(), by, readers }
    }

    /// Whether a key is this setting or one of this group.
    pub fn holds(&self, key: &str) -> bool {
        key.strip_prefix(self.key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl Owner {
    /// What of a configuration does not read it, and what does, if it is not read.
    fn misses(&self, config: &Config, space: &dyn Space) -> Option<(String, String)> {
        match self {
            Networks(reads) => {
                (!reads(space.reads())).then(|| (format!("the space `{}`", space.name()), spaces_that_read(*reads)))
            }
            Where(by, readers, is_so) => (!is_so(config)).then(|| ((*by).to_owned(), (*readers).to_owned())),
        }
    }
}

/// What a configuration that names this space does not read.
pub(super) fn unread(config: &Config, space: &dyn Space) -> Vec<Unread> {
    let entry = |(key, owner): &'static (&'static str, Owner)| {
        let (by, readers) = owner.misses(config, space)?;
        Some(Unread { key, by, readers })
    };
    OWNERS.iter().filter_map(entry).collect()
}

/// What `train` leaves to `search`, and to architectures where it is given a network, of what is given as an option. A file
/// describes a whole experiment, so that the configuration of a search can be trained by.
pub(super) fn not_of_training(config: &Config) -> Vec<Unread> {
    let entry =
        |by: &str, readers: &str, key: &&'static str| Unread { key, by: by.to_owned(), readers: readers.to_owned() };
    let of_searches = OF_SEARCHES.iter().map(|key| entry("`train`", "`search`", key));
    let built = OF_ARCHITECTURES.iter().filter(|_| config.model.is_some());
    let of_architectures = built.map(|key| entry("a network that is trained further", "`train --architecture`", key));
    of_searches.chain(of_architectures).collect()
}

/// A configuration's table as it is written: what is read, for a purpose.
pub(super) fn read_part(config: &Config, space: &dyn Space, purpose: Purpose) -> Result<Settings, ConfigError> {
    let mut left_out: Vec<&str> = unread(config, space).iter().map(|entry| entry.key).collect();
    left_out.extend(match purpose {
        Purpose::Search => &[],
        Purpose::Training => OF_SEARCHES,
        Purpose::Random => OF_STRATEGIES,
    });
    if purpose == Purpose::Training && config.model.is_some() {
        left_out.extend(OF_ARCHITECTURES);
    }
    Ok(Settings::from(config.table()?).without(&left_out))
}

/// The spaces whose networks depend on a setting, for those who give it to another.
pub fn spaces_that_read(reads: fn(Reads) -> bool) -> String {
    let is_one = |name: &&str| space::find(name).is_ok_and(|space| reads(space.reads()));
    space::names().filter(is_one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::config::BenchmarkConfig;

    #[test]
    fn every_entry_is_a_setting_and_no_group_is_read_by_nobody() {
        let mut config = Config::with(&["data=folder"]).unwrap();
        config.benchmark = Some(BenchmarkConfig { dir: "x".into(), dataset: "cifar10".into() });
        let all = Settings::from(config.table().unwrap());
        for key in OWNERS.iter().map(|(key, _)| *key).chain(OF_SEARCHES.iter().chain(OF_STRATEGIES).copied()) {
            assert!(all.get(key).is_some(), "{key}");
        }
        for entry in unread(&config, &*space::find("chain-mlp").unwrap()) {
            assert!(!entry.readers.is_empty() && entry.holds(entry.key), "{}", entry.key);
            assert!(entry.holds(&format!("{}.part", entry.key)) && !entry.holds(&format!("{}s", entry.key)));
        }
    }
}
