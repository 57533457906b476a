//! What the checklist's answers go by, of several runs at once.

use crate::run::record::{CameTo, Record};
use crate::run::{RandomSummary, Summary};
use crate::settings::Settings;
use std::collections::{BTreeMap, BTreeSet};

/// Runs, as far as the answers go by them.
pub(super) struct Facts<'a> {
    /// All of them.
    pub records: &'a [Record],
    settings: Vec<Settings>,
}

impl<'a> Facts<'a> {
    pub fn of(records: &'a [Record]) -> Self {
        let settings = records.iter().map(|record| record.config.clone().into()).collect();
        Self { records, settings }
    }

    /// The searches that are over.
    pub fn summaries(&self) -> impl Iterator<Item = &'a Summary> + use<'a> {
        self.records.iter().filter_map(|record| match &record.came_to {
            CameTo::Search(summary) => Some(&**summary),
            _ => None,
        })
    }

    /// The trainings of random architectures that are over.
    pub fn randoms(&self) -> impl Iterator<Item = &'a RandomSummary> + use<'a> {
        self.records.iter().filter_map(|record| match &record.came_to {
            CameTo::Random(summary) => Some(&**summary),
            _ => None,
        })
    }

    /// The first run that has not come to its end, and how to bring it there.
    pub fn unfinished(&self) -> Option<(String, String)> {
        let mut runs = self.records.iter().zip(self.strategies());
        let (record, strategy) = runs.find(|(record, _)| record.came_to == CameTo::Nothing)?;
        let path = quoted(&record.path.display().to_string());
        let remedy = match strategy {
            Some(_) => format!("`cellwright search --resume {path}`"),
            None => "`cellwright suite DIR`, as it was begun".to_owned(),
        };
        Some((format!("{path} has not come to its end"), remedy))
    }

    /// How many numbers of all networks trained are those of random architectures, and the seconds of training these.
    pub fn random_networks(&self) -> (usize, f64) {
        let own = self.summaries().flat_map(|summary| &summary.networks);
        let own = own.filter(|network| network.name.starts_with("random "));
        let seconds: Vec<f64> = own
            .chain(self.randoms().flat_map(|summary| &summary.networks))
            .map(|network| network.train_seconds)
            .collect();
        (seconds.len(), seconds.iter().sum())
    }

    /// A text of a run's configuration.
    fn text(settings: &Settings, keys: [&str; 2]) -> Option<String> {
        keys.into_iter().find_map(|key| settings.get(key)?.as_str().map(str::to_owned))
    }

    /// Names of the strategies that search, by run; none for random architectures.
    pub fn strategies(&self) -> Vec<Option<String>> {
        self.settings.iter().map(|settings| Self::text(settings, ["search.strategy", "strategy"])).collect()
    }

    /// The names of the strategies.
    pub fn methods(&self) -> BTreeSet<String> {
        self.strategies().into_iter().flatten().collect()
    }

    /// The names of the spaces.
    pub fn spaces(&self) -> BTreeSet<String> {
        self.settings.iter().filter_map(|settings| Self::text(settings, ["space.name", "space"])).collect()
    }

    /// Seeds of the searches that are over, by strategy.
    pub fn seeds(&self) -> BTreeMap<String, BTreeSet<u64>> {
        let mut seeds: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for summary in self.summaries() {
            seeds.entry(summary.strategy.clone()).or_default().insert(summary.seed);
        }
        seeds
    }

    /// Whether all runs say a setting or group.
    pub fn all_say(&self, key: &str) -> bool {
        self.settings.iter().all(|settings| settings.get(key).is_some())
    }

    /// How many settings the first search has in groups.
    pub fn count(&self, groups: &[&str]) -> usize {
        let mut searches = self.settings.iter().zip(self.strategies()).filter(|(_, strategy)| strategy.is_some());
        let keys = searches.next().or(self.settings.first().map(|first| (first, None)));
        let keys = keys.map(|(settings, _)| settings.keys()).unwrap_or_default();
        keys.iter().filter(|key| is_in(key, groups)).count()
    }

    /// A setting in some groups that is not the same in all runs, with two of its values and where they are.
    pub fn differs(&self, groups: &[&str], except: &[&str]) -> Option<String> {
        let (first, others) = self.settings.split_first()?;
        others.iter().zip(&self.records[1..]).find_map(|(other, record)| {
            let key = different(first, other)
                .into_iter()
                .find(|key| is_in(key, groups) && !except.contains(&key.as_str()))?;
            let said = |settings: &Settings| settings.get(&key).map_or("nothing".to_owned(), ToString::to_string);
            let places = [&self.records[0], record].map(|record| record.path.display().to_string());
            Some(format!("`{key}` is {} in {} and {} in {}", said(first), places[0], said(other), places[1]))
        })
    }

    /// Settings of the search that are all that two runs of one strategy differ in, the seed aside.
    pub fn ablated(&self) -> BTreeSet<String> {
        let strategies = self.strategies();
        let mut found = BTreeSet::new();
        for (at, first) in self.settings.iter().enumerate() {
            for (other_at, other) in self.settings.iter().enumerate().skip(at + 1) {
                if strategies[at].is_none() || strategies[at] != strategies[other_at] {
                    continue;
                }
                let keys: Vec<String> = different(first, other).into_iter().filter(|key| matters(key)).collect();
                if keys.iter().all(|key| is_in(key, &["search"])) {
                    found.extend(keys);
                }
            }
        }
        found
    }

    /// The file of the first search to begin others by.
    pub fn config(&self) -> String {
        let first = self.records.iter().zip(self.strategies()).find(|(_, strategy)| strategy.is_some());
        let path = first.map(|(record, _)| record.path.join("config.toml"));
        path.map_or("CONFIG".to_owned(), |path| quoted(&path.display().to_string()))
    }
}

/// Whether a setting says anything of what is searched and found, but for the seed.
fn matters(key: &str) -> bool {
    !is_in(key, &["seed", "device", "checkpoint", "random", "baseline", "benchmark"]) && key != "data.dir"
}

/// Whether a key is one of some groups, or of their settings.
fn is_in(key: &str, groups: &[&str]) -> bool {
    groups.iter().any(|group| key.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// The settings that are not the same in two configurations.
fn different(first: &Settings, second: &Settings) -> BTreeSet<String> {
    first.keys().into_iter().chain(second.keys()).filter(|key| first.get(key) != second.get(key)).collect()
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=,:@%".contains(c);
    if !path.is_empty() && path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

/// Names side by side.
pub(super) fn listed<S: ToString>(all: impl IntoIterator<Item = S>) -> String {
    all.into_iter().map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}
