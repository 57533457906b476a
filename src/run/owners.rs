//! Who reads which setting. A configuration holds the settings of every strategy, space and dataset; those of what it does
//! not name do nothing, and are refused rather than taken in silence.
//!
//! [`OWNERS`] is the one list. A setting is read if every entry that names it, or a group around it, says so; what stands in
//! no entry is read by all.

use super::files;
use super::{Config, ConfigError};
use crate::search::{METHODS, Method};
use crate::space::{self, Reads, Space, SpaceSettings};
use toml::{Table, Value};

/// What a setting, or a group of them, is read by.
enum Owner {
    /// By some strategies, which have a name together if there are many.
    Strategies(&'static str, fn(&Method) -> bool),
    /// By some built-in spaces, or (`None`) by those of one's own.
    Spaces(Option<fn(&str) -> bool>),
    /// By spaces whose networks depend on it.
    Networks(fn(Reads) -> bool),
    /// By some datasets.
    Data(fn(&str) -> bool),
    /// Where other settings have it so: what does not read it, what does, whether it is so.
    Where(&'static str, &'static str, fn(&Config) -> bool),
}

use Owner::{Data, Networks, Spaces, Strategies, Where};

/// Who reads what, by key.
const OWNERS: &[(&str, Owner)] = &[
    ("search", Strategies("the gradient methods", is_gradient)),
    ("search.parts", Where("a search in stages", "searches without `search.stages`", |c| c.search.stages.is_empty())),
    // Only there can a derivation leave out an edge.
    ("search.threshold", Spaces(Some(is_darts))),
    ("one_shot", Strategies("", |m| matches!(m.name, "rsps" | "spos"))),
    ("one_shot.samples", Strategies("", |m| m.name == "rsps")),
    ("one_shot.evolution", Strategies("", |m| m.name == "spos")),
    ("enas", Strategies("", |m| m.name == "enas")),
    // A controller is asked about skips only there.
    ("enas.controller.skip_weight", Spaces(Some(is_enas_macro))),
    ("enas.controller.skip_target", Spaces(Some(is_enas_macro))),
    ("space_settings.nodes", Spaces(Some(is_darts))),
    ("space_settings.primitives", Spaces(Some(is_darts))),
    ("space_settings.kernels", Spaces(Some(|name| name == "chain-vgg16"))),
    ("space_settings.hidden_layers", Spaces(Some(|name| name == "chain-mlp"))),
    ("space_settings.units", Spaces(Some(|name| name == "chain-mlp"))),
    ("space_settings.chain", Spaces(Some(|name| name == "chain"))),
    ("space_settings.macro_layers", Spaces(Some(is_enas_macro))),
    ("space_settings.stages", Spaces(None)),
    ("supernet.channels", Networks(|reads| reads.channels)),
    ("supernet.layers", Networks(|reads| reads.layers)),
    ("supernet.stem", Networks(|reads| reads.stem)),
    ("supernet.auxiliary", Where("a supernet", "`network.auxiliary`", |_| false)),
    ("network.channels", Networks(|reads| reads.channels)),
    ("network.layers", Networks(|reads| reads.layers)),
    ("network.stem", Networks(|reads| reads.stem)),
    ("network.auxiliary", Networks(|reads| reads.auxiliary)),
    ("train.drop_path", Networks(|reads| reads.drop_path)),
    (
        "train.auxiliary_weight",
        Where("a network without auxiliary head", "networks with `network.auxiliary = true`", |c| c.network.auxiliary),
    ),
    // What is fused are the mixed cells of a supernet.
    ("train.fusion", Where("a network trained from scratch", "supernets, as `search.fusion`", |_| false)),
    ("images", Data(|name| name != "digits")),
    ("images.most_pixels", Data(is_folder)),
    ("images.resize", Data(is_folder)),
    ("images.fit", Data(is_folder)),
    ("images.fit", Where("what is not resized", "`images.resize`", |c| c.images.resize.0.is_some())),
    ("images.background", Data(is_folder)),
    ("images.skip_bad", Data(is_folder)),
    ("images.most_bytes", Data(|name| !matches!(name, "digits" | "folder"))),
];

/// What only a search reads: one training has neither strategy nor supernet nor anything to be held against, and its
/// architecture says its own nodes and primitives.
const OF_SEARCHES: &[&str] = &[
    "strategy",
    "random",
    "baseline",
    "supernet",
    "search",
    "one_shot",
    "enas",
    "space_settings.nodes",
    "space_settings.primitives",
];

fn is_gradient(method: &Method) -> bool {
    method.settings.is_some()
}

fn is_darts(name: &str) -> bool {
    name == "darts"
}

fn is_enas_macro(name: &str) -> bool {
    name == space::enas_macro::NAME
}

fn is_folder(name: &str) -> bool {
    name == "folder"
}

/// What a configuration is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A search and all that follows it.
    Search,
    /// The training of one architecture.
    Training,
}

/// A setting or group that a configuration does not read.
pub(super) struct Unread {
    /// The setting or group.
    pub key: &'static str,
    /// What does not read it.
    by: String,
    /// What does; nothing for what only searches read.
    owner: Option<&'static Owner>,
}

impl Unread {
    /// The error for a key of this group.
    pub fn error(&self, place: &str, key: &str) -> ConfigError {
        let readers = self.owner.map_or_else(|| "`search`".to_owned(), Owner::readers);
        ConfigError::Unread { place: place.to_owned(), key: key.to_owned(), by: self.by.clone(), readers }
    }
}

impl Owner {
    /// Whether a configuration that names this space is among the readers, and if not, what of it is not.
    fn misses(&self, config: &Config, space: &dyn Space) -> Option<String> {
        let own_space = || !space::NAMES.contains(&space.name());
        let (is_read, by) = match self {
            Strategies(_, reads) => {
                let method = METHODS.iter().find(|m| m.name == config.strategy);
                (method.is_some_and(reads), format!("the strategy `{}`", config.strategy))
            }
            Spaces(reads) => {
                (reads.map_or_else(own_space, |reads| reads(space.name())), format!("the space `{}`", space.name()))
            }
            Networks(reads) => (reads(space.reads()), format!("the space `{}`", space.name())),
            Data(reads) => (reads(&config.data), format!("the dataset `{}`", config.data)),
            Where(by, _, is_so) => (is_so(config), (*by).to_owned()),
        };
        (!is_read).then_some(by)
    }

    /// All readers, in words.
    fn readers(&self) -> String {
        match self {
            Strategies(together, reads) => {
                let names = listed(METHODS.iter().filter(|m| reads(m)).map(|m| m.name));
                if together.is_empty() { names } else { format!("{together} ({names})") }
            }
            Spaces(Some(reads)) => of_spaces(|space| reads(space.name())),
            Spaces(None) => "spaces of your own".to_owned(),
            Networks(reads) => spaces_that_read(*reads),
            Data(reads) => listed(files::NAMES.iter().copied().filter(|name| reads(name))),
            Where(_, readers, _) => (*readers).to_owned(),
        }
    }
}

/// Whether `key` is `group` or part of it.
pub(super) fn is_within(key: &str, group: &str) -> bool {
    key.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What a configuration that names this space does not read.
pub(super) fn unread(config: &Config, space: &dyn Space) -> Vec<Unread> {
    let entry = |(key, owner): &'static (&'static str, Owner)| {
        Some(Unread { key, by: owner.misses(config, space)?, owner: Some(owner) })
    };
    OWNERS.iter().filter_map(entry).collect()
}

/// What `train` leaves to `search`, of what is given as an option. A file describes a whole experiment, so that the
/// configuration of a search can be trained by.
pub(super) fn of_searches() -> Vec<Unread> {
    OF_SEARCHES.iter().map(|key| Unread { key, by: "`train`".to_owned(), owner: None }).collect()
}

/// Names of the built-in spaces of which something holds, as the settings' defaults build them.
fn of_spaces(holds: impl Fn(&dyn Space) -> bool) -> String {
    let settings = SpaceSettings::default();
    let is_one = |name: &&str| space::find(name, &settings).is_ok_and(|space| holds(space.as_ref()));
    listed(space::NAMES.into_iter().filter(is_one))
}

/// The spaces whose networks depend on a setting, for those who give it to another.
pub fn spaces_that_read(reads: fn(Reads) -> bool) -> String {
    of_spaces(|space| reads(space.reads()))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The value at a key with dots.
pub(super) fn value<'t>(table: &'t Table, key: &str) -> Option<&'t Value> {
    match key.split_once('.') {
        None => table.get(key),
        Some((group, rest)) => value(table.get(group)?.as_table()?, rest),
    }
}

/// The value at a key with dots, to be changed.
pub(super) fn value_mut<'t>(table: &'t mut Table, key: &str) -> Option<&'t mut Value> {
    match key.split_once('.') {
        None => table.get_mut(key),
        Some((group, rest)) => value_mut(table.get_mut(group)?.as_table_mut()?, rest),
    }
}

/// The keys with dots of all that a table sets.
pub(super) fn keys(table: &Table) -> Vec<String> {
    let mut all = Vec::new();
    for (key, value) in table {
        match value.as_table() {
            Some(inner) => all.extend(keys(inner).into_iter().map(|rest| format!("{key}.{rest}"))),
            None => all.push(key.clone()),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_a_setting_and_no_group_is_read_by_nobody() {
        let all = Table::try_from(Config::preset("folder")).unwrap();
        for key in OWNERS.iter().map(|(key, _)| *key).chain(OF_SEARCHES.iter().copied()) {
            assert!(value(&all, key).is_some(), "{key}");
        }
        for (key, owner) in OWNERS {
            assert!(!owner.readers().is_empty(), "{key}");
        }
    }

    #[test]
    fn a_group_holds_its_keys_and_no_others() {
        assert!(is_within("search.order", "search") && is_within("search", "search"));
        assert!(!is_within("searching", "search") && !is_within("search", "search.order"));
    }
}
