//! Whose a setting is that the chosen space, strategy or dataset does not have.

use super::config::Config;
use super::files;
use crate::search::{Strategy, Task};
use crate::space::{self, Space, SpaceConfig};

/// A setting that the configuration's groups do not have: what does not read it, and what does.
pub(super) struct Foreign {
    pub by: String,
    pub readers: String,
}

/// Whose the setting `key` of a group is, if it is anyone's.
pub(super) fn owners(
    key: &str,
    config: &Config,
    space: &dyn Space,
    strategies: &[&'static dyn Strategy],
) -> Option<Foreign> {
    let (group, key) = key.split_once('.')?;
    let named = |by: &str, name: &str, readers: Vec<&str>| {
        (!readers.is_empty()).then(|| Foreign { by: format!("the {by} `{name}`"), readers: readers.join(", ") })
    };
    match group {
        "space" => {
            let has = |name: &&str| SpaceConfig::of(name).settings.get(key).is_some();
            let readers: Vec<&str> = space::names().filter(has).collect();
            let own = if key == "stages" { vec!["spaces of your own"] } else { readers };
            named("space", &config.space.name, own)
        }
        "data" => {
            let is_setting = crate::settings::Settings::of(&config.data.images).is_ok_and(|all| all.get(key).is_some());
            let reads = |name: &&str| is_setting && files::reads(name, key);
            named("dataset", &config.data.name, files::NAMES.into_iter().filter(reads).collect())
        }
        "search" => {
            let (scale, augmentation) = (files::scale(&config.data.name), files::augmentation(&config.data.name));
            let has = |strategy: &dyn Strategy, space: &dyn Space| {
                let task = Task { scale, augmentation, space, epochs: None };
                strategy.preset(&task).is_ok_and(|settings| settings.get(key).is_some())
            };
            let chosen = config.search.strategy;
            let others: Vec<&str> =
                strategies.iter().filter(|other| has(**other, space)).map(|other| other.about().name).collect();
            // The strategy may have it in other spaces.
            let elsewhere = || {
                let spaces = space::names().filter(|name| space::find(name).is_ok_and(|space| has(chosen, &*space)));
                named("space", &config.space.name, spaces.collect())
            };
            named("strategy", config.search.name(), others).or_else(elsewhere)
        }
        _ => None,
    }
}
