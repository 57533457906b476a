//! Reads a configuration: a TOML text over a preset, `KEY=VALUE` settings over both. What would do nothing is refused.

use super::owners::{self, Purpose, Unread};
use super::{Config, ConfigError};
use crate::names::nearest;
use crate::search::METHODS;
use crate::space::{self, Space, SpaceSettings};
use toml::{Table, Value};

/// A key with more parts than any setting has is none: tables as deep as a text is long would end the program.
const DEEPEST: usize = 16;

/// A setting that goes over what a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The option that gave it.
    place: String,
    /// `KEY=VALUE`.
    text: String,
}

impl Setting {
    /// That of `--set KEY=VALUE`.
    pub fn set(text: &str) -> Self {
        Self { place: format!("--set {text}"), text: text.to_owned() }
    }

    /// That of an option of its own, called as the last part of its key is; `value` is TOML.
    pub fn option(key: &str, value: &str) -> Self {
        let name = key.rsplit('.').next().unwrap_or(key).replace('_', "-");
        Self { place: format!("--{name}"), text: format!("{key}={value}") }
    }
}

/// What a configuration is read from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// What the text is called in errors: the name of its file.
    pub place: &'a str,
    /// TOML.
    pub text: &'a str,
    /// What goes over it, the last of the same key first.
    pub settings: &'a [Setting],
    /// Epochs of search that take the place of the text's, whatever the strategy; a setting still wins.
    pub budget: Option<u32>,
    /// What it is read for.
    pub purpose: Purpose,
}

impl Config {
    /// The configuration that a TOML text and `KEY=VALUE` settings describe. What they leave open is the preset of the
    /// dataset, the space and the strategy they name (`digits`, `darts` and `darts` if they name none). `find_space` is given
    /// the name of the space: where that is the name of a file, it puts what the file holds into the settings and gives the
    /// name that the space has there.
    ///
    /// A setting that nothing in the configuration reads is refused. In the text it may stand with its default, that of
    /// the preset of what is named there or in the settings; it is then set to the latter.
    ///
    /// # Errors
    /// [`ConfigError`] naming the text's place or the setting.
    pub fn read(
        sources: &Sources<'_>,
        find_space: impl FnOnce(&str, &mut SpaceSettings) -> Result<String, String>,
    ) -> Result<Self, ConfigError> {
        let Sources { place, text, settings, budget, purpose } = *sources;
        let mut given: Table = text.parse().map_err(|error| value_error(place, format!("not valid TOML: {error}")))?;
        // An architecture may be the parts of its JSON as a table.
        if let Some(parts @ Value::Table(_)) = given.get("architecture") {
            let json = serde_json::to_string(parts).map_err(|error| value_error(place, error.to_string()))?;
            given.insert("architecture".to_owned(), Value::String(json));
        }
        let in_text = given.clone();
        for group in budget.map_or(&[][..], |_| &["search", "one_shot", "enas"]) {
            given.get_mut(*group).and_then(Value::as_table_mut).and_then(|table| table.remove("epochs"));
        }
        let set: Vec<(&Setting, Table)> =
            settings.iter().map(|setting| Ok((setting, assignment(setting)?))).collect::<Result<_, ConfigError>>()?;
        let tables = || set.iter().rev().map(|(_, table)| table).chain([&given]);
        let named = |key: &str| tables().find_map(|table| table.get(key)?.as_str());
        let names = ["data", "space", "strategy"].map(named);
        // What a strategy counts in epochs goes by those asked for.
        let epochs = tables().find_map(|t| t.get("search")?.get("epochs")?.as_integer()?.try_into().ok());
        let preset = preset(names, budget, epochs);
        let mut all = table(&preset)?;
        // A setting that is absent by default has no key in the table to be checked against.
        let mut known = all.clone();
        for key in ["data_dir", "architecture"] {
            known.entry(key).or_insert_with(|| Value::String(String::new()));
        }
        check_keys(place, &given, &known, "")?;
        for (setting, table) in &set {
            check_keys(&setting.place, table, &known, "")?;
        }
        let mut merged = given;
        for (_, table) in &set {
            merge(&mut merged, table.clone());
        }
        merge(&mut all, merged.clone());
        let mut config = config(all, place)?;
        config.check_strategy()?;
        config.space = find_space(&config.space, &mut config.space_settings).map_err(ConfigError::SpaceFile)?;
        let space = space::find(&config.space, &config.space_settings)?;
        if config.architecture.is_some() && purpose == Purpose::Search {
            let (by, readers) = ("`search`".to_owned(), "`train`".to_owned());
            let given = set.iter().find(|(_, table)| table.contains_key("architecture"));
            let place = given.map_or(place, |(setting, _)| &setting.place).to_owned();
            return Err(ConfigError::Unread { place, key: "architecture".into(), by, readers });
        }
        let unread = owners::unread(&config, space.as_ref());
        let of_searches = if purpose == Purpose::Training { owners::of_searches() } else { Vec::new() };
        for (setting, table) in &set {
            refuse(&of_searches, table, &setting.place, |_| false)?;
            refuse(&unread, table, &setting.place, |_| false)?;
        }
        let place_of = |key: &str| {
            let last = set.iter().rev().find(|(_, table)| owners::value(table, key).is_some());
            last.map_or(place, |(setting, _)| setting.place.as_str())
        };
        check_kinds(&merged, &table(&config)?, place_of)?;
        let names = ["data", "space", "strategy"].map(|key| in_text.get(key).and_then(Value::as_str));
        let defaults = [table(&config.defaults())?, table(&self::preset(names, None, None))?];
        // Read and written again, numbers are as those of the defaults.
        let mut said = defaults[1].clone();
        merge(&mut said, only(in_text.clone(), "", &|key| unread.iter().any(|u| owners::is_within(key, u.key))));
        let said = table(&self::config(said, place)?)?;
        refuse(&unread, &in_text, place, |key| {
            defaults.iter().any(|defaults| owners::value(defaults, key) == owners::value(&said, key))
        })?;
        let config = config.without(&unread)?;
        config.check()?;
        Ok(config)
    }

    /// The same with its default for what nothing in it reads, so that it can be written and read again.
    ///
    /// # Errors
    /// [`ConfigError`] if its space or strategy does not exist.
    pub(super) fn settled(&self) -> Result<Self, ConfigError> {
        let space: Box<dyn Space> = space::find(&self.space, &self.space_settings)?;
        self.without(&owners::unread(self, space.as_ref()))
    }

    /// The same with defaults for what is not read.
    fn without(&self, unread: &[Unread]) -> Result<Self, ConfigError> {
        let (mut all, defaults) = (table(self)?, table(&self.defaults())?);
        for Unread { key, .. } in unread {
            if let (Some(at), Some(default)) = (owners::value_mut(&mut all, key), owners::value(&defaults, key)) {
                *at = default.clone();
            }
        }
        config(all, "configuration")
    }

    /// The preset of what it names.
    fn defaults(&self) -> Self {
        Self::preset(&self.data).for_space(&self.space).for_strategy(&self.strategy)
    }

    /// Whether there is such a strategy.
    pub(super) fn check_strategy(&self) -> Result<(), ConfigError> {
        if METHODS.iter().any(|method| method.name == self.strategy) {
            return Ok(());
        }
        let nearest = nearest(&self.strategy, super::config::strategies());
        Err(ConfigError::UnknownName { kind: "search strategy", name: self.strategy.clone(), nearest })
    }

    /// Has every operation computed by itself, where any would be fused: in the supernets of gradient methods. The
    /// other strategies compute one path, of which nothing is fused.
    pub fn without_fusion(mut self) -> Self {
        let is_gradient = METHODS.iter().any(|m| m.name == self.strategy && m.settings.is_some());
        self.search.fusion &= !is_gradient;
        self
    }
}

/// The preset of a dataset, a space and a strategy.
fn preset([data, space, strategy]: [Option<&str>; 3], budget: Option<u32>, epochs: Option<u32>) -> Config {
    let mut preset = Config::preset(data.unwrap_or("digits"));
    if let Some(space) = space {
        preset = preset.for_space(space);
    }
    if let Some(epochs) = budget {
        preset = preset.with_budget(epochs);
    }
    if let Some(strategy) = strategy {
        preset.search.epochs = epochs.unwrap_or(preset.search.epochs);
        preset = preset.for_strategy(strategy);
    }
    preset
}

fn value_error(place: &str, problem: String) -> ConfigError {
    ConfigError::Value { place: place.to_owned(), problem }
}

fn table(config: &Config) -> Result<Table, ConfigError> {
    Table::try_from(config).map_err(|error| value_error("configuration", error.to_string()))
}

fn config(table: Table, place: &str) -> Result<Config, ConfigError> {
    table.try_into().map_err(|error: toml::de::Error| value_error(place, error.message().to_owned()))
}

/// Refuses what a table sets that is not read, but for keys that may stand.
fn refuse(unread: &[Unread], given: &Table, place: &str, may_stand: impl Fn(&str) -> bool) -> Result<(), ConfigError> {
    for key in owners::keys(given) {
        // The entry that says most of it.
        let entries = unread.iter().filter(|entry| owners::is_within(&key, entry.key));
        let entry = entries.max_by_key(|entry| entry.key.len());
        if let Some(entry) = entry.filter(|_| !may_stand(&key)) {
            return Err(entry.error(place, &key));
        }
    }
    Ok(())
}

/// What a table sets of keys for which something holds.
fn only(table: Table, prefix: &str, holds: &dyn Fn(&str) -> bool) -> Table {
    let mut kept = Table::new();
    for (key, value) in table {
        let full = format!("{prefix}{key}");
        match value {
            Value::Table(inner) if !holds(&full) => {
                kept.insert(key, Value::Table(only(inner, &format!("{full}."), holds)));
            }
            value if holds(&full) => {
                kept.insert(key, value);
            }
            _ => {}
        }
    }
    kept
}

/// Refuses a key that the kind of its group does not have: nothing would become of it.
fn check_kinds<'p>(given: &Table, has: &Table, place_of: impl Fn(&str) -> &'p str) -> Result<(), ConfigError> {
    let Some(key) = owners::keys(given).into_iter().find(|key| owners::value(has, key).is_none()) else {
        return Ok(());
    };
    let (group, name) = key.rsplit_once('.').unwrap_or(("", &key));
    let kind = owners::value(has, group).and_then(|group| group.get("kind")).and_then(Value::as_str);
    let problem = match kind {
        Some(kind) => {
            format!("`{group}` of the kind `{kind}` has no `{name}`: set `{group}.kind` too, or leave it out")
        }
        None => format!("`{key}` says nothing here: leave it out"),
    };
    Err(value_error(place_of(&key), problem))
}

/// A table with the one key that `KEY=VALUE` sets. A value that is not TOML is a text.
fn assignment(Setting { place, text }: &Setting) -> Result<Table, ConfigError> {
    let wrong = |problem: &str| value_error(place, problem.to_owned());
    let (key, value) = text.split_once('=').ok_or_else(|| wrong("write KEY=VALUE, for instance search.epochs=20"))?;
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() || key.split('.').any(str::is_empty) {
        return Err(wrong("the key is empty"));
    }
    if key.split('.').count() > DEEPEST {
        return Err(wrong("no key has so many parts"));
    }
    let parsed = format!("v = {value}").parse::<Table>().ok().filter(|t| t.len() == 1).and_then(|mut t| t.remove("v"));
    let mut value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    let mut parts: Vec<&str> = key.split('.').collect();
    let first = parts.remove(0);
    for part in parts.into_iter().rev() {
        value = Value::Table(Table::from_iter([(part.to_owned(), value)]));
    }
    Ok(Table::from_iter([(first.to_owned(), value)]))
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

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
