//! One source of a configuration, a file or an option, with every setting at its present place.

use super::config::FORMAT;
use super::config_error::{ConfigError, value_error};
use toml::{Table, Value};

/// A key with more parts than any setting has is none: tables as deep as a text is long would end the program.
const DEEPEST: usize = 16;

/// What names each group: its key outside of the group, and within.
const NAMES: [(&str, &str, &str); 4] = [
    ("space", "space", "name"),
    ("strategy", "search", "strategy"),
    ("data", "data", "name"),
    ("device", "device", "name"),
];

/// Groups of format 1 that are part of another now.
const MOVED: [(&str, &str); 2] = [("space_settings", "space"), ("images", "data")];

/// Settings of those groups that have another name now, and the space that they belonged to.
const RENAMED: [(&str, &str, &str); 2] = [("macro_layers", "layers", "enas-macro"), ("chain", "layers", "chain")];

/// A setting of format 1 that never did anything.
const GONE: (&str, &str) = ("supernet", "auxiliary");

/// Groups of format 1 that belonged to some strategies; the others' was `search`.
const OF_STRATEGIES: [(&str, &[&str]); 2] = [("one_shot", &["rsps", "spos"]), ("enas", &["enas"])];

/// What one source says.
#[derive(Debug)]
pub(super) struct Source {
    /// File or option, for messages.
    pub place: String,
    /// Whether it is a file.
    pub is_file: bool,
    /// What it sets, at present places once [`Source::settle`] was called.
    pub table: Table,
    /// Whether it is of format 1.
    pub is_old: bool,
}

impl Source {
    /// A file.
    pub fn file(place: &str, text: &str) -> Result<Self, ConfigError> {
        let mut table: Table = text.parse().map_err(|error| value_error(place, format!("not valid TOML: {error}")))?;
        match table.remove("format") {
            None => {}
            Some(Value::Integer(format)) if format > i64::from(FORMAT) => {
                return Err(ConfigError::Format { place: place.to_owned(), format, known: FORMAT });
            }
            Some(Value::Integer(1..)) => {}
            Some(other) => return Err(value_error(place, format!("format = {other}: is a number from 1"))),
        }
        Self::new(place, true, table)
    }

    /// `KEY=VALUE`. A value that is not TOML is a text.
    pub fn setting(place: &str, text: &str) -> Result<Self, ConfigError> {
        let wrong = |problem: &str| value_error(place, problem);
        let (key, value) =
            text.split_once('=').ok_or_else(|| wrong("write KEY=VALUE, for instance search.epochs=20"))?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || key.split('.').any(str::is_empty) {
            return Err(wrong("the key is empty"));
        }
        if key.split('.').count() > DEEPEST {
            return Err(wrong("no key has so many parts"));
        }
        let parsed = format!("v = {value}").parse::<Table>().ok();
        let parsed = parsed.filter(|table| table.len() == 1).and_then(|mut table| table.remove("v"));
        let mut value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
        let mut parts: Vec<&str> = key.split('.').collect();
        let first = parts.remove(0);
        for part in parts.into_iter().rev() {
            value = Value::Table(Table::from_iter([(part.to_owned(), value)]));
        }
        Self::new(place, false, Table::from_iter([(first.to_owned(), value)]))
    }

    fn new(place: &str, is_file: bool, mut table: Table) -> Result<Self, ConfigError> {
        // An architecture may be the parts of its JSON as a table.
        if let Some(parts @ Value::Table(_)) = table.get("architecture") {
            let json = serde_json::to_string(parts).map_err(|error| value_error(place, error.to_string()))?;
            table.insert("architecture".to_owned(), Value::String(json));
        }
        let mut source = Self { place: place.to_owned(), is_file, table, is_old: false };
        for (outside, group, within) in NAMES {
            match source.table.remove(outside) {
                Some(name @ Value::String(_)) => source.set(group, within, name)?,
                Some(other) if outside == group => _ = source.table.insert(group.to_owned(), other),
                Some(other) => return Err(value_error(place, format!("{outside} = {other}: is a name"))),
                None => {}
            }
        }
        if let Some(dir) = source.table.remove("data_dir") {
            source.is_old = true;
            source.set("data", "dir", dir)?;
        }
        Ok(source)
    }

    /// Sets what a group has not.
    fn set(&mut self, group: &str, key: &str, value: Value) -> Result<(), ConfigError> {
        let entry = self.table.entry(group).or_insert_with(|| Value::Table(Table::new()));
        let twice = match entry.as_table_mut() {
            Some(table) => table.insert(key.to_owned(), value).is_some(),
            None => true,
        };
        let said = || value_error(&self.place, format!("`{group}.{key}` is said twice"));
        if twice { Err(said()) } else { Ok(()) }
    }

    /// The name that it gives a group.
    pub fn name(&self, group: &str) -> Option<&str> {
        let (_, _, within) = NAMES.iter().find(|(_, name, _)| *name == group)?;
        self.group(group)?.get(*within)?.as_str()
    }

    /// What it sets in a group.
    pub fn group(&self, group: &str) -> Option<&Table> {
        self.table.get(group)?.as_table()
    }

    /// The same, to be changed.
    pub fn group_mut(&mut self, group: &str) -> Option<&mut Table> {
        self.table.get_mut(group)?.as_table_mut()
    }

    /// Puts what stands where format 1 had it where it is now, given the strategy and the space that are chosen. What
    /// belongs to others is left out of a file, and refused of an option.
    pub fn settle(&mut self, strategy: &str, space: &str) -> Result<(), ConfigError> {
        for (old, new) in MOVED {
            for (key, value) in self.take(old)? {
                match RENAMED.iter().find(|(from, _, _)| *from == key).filter(|_| new == "space") {
                    Some((_, _, owner)) if self.is_file && *owner != space => {}
                    renamed => self.set(new, renamed.map_or(key.as_str(), |(_, to, _)| to), value)?,
                }
            }
        }
        let groups = OF_STRATEGIES.map(|(group, owners)| (group, owners, self.take(group)));
        for (old, owners, settings) in groups {
            let settings = settings?;
            let is_chosen = owners.contains(&strategy);
            if is_chosen && !settings.is_empty() {
                // What stood there was that of the other strategies.
                if let Some(group) = self.group_mut("search") {
                    group.retain(|key, _| key == "strategy");
                }
            }
            if let (false, false, Some((key, _))) = (is_chosen, self.is_file, settings.iter().next()) {
                let (by, readers) = (format!("the strategy `{strategy}`"), owners.join(", "));
                let (place, key) = (self.place.clone(), format!("{old}.{key}"));
                return Err(ConfigError::Unread { place, key, by, readers });
            }
            for (key, value) in settings.into_iter().filter(|_| is_chosen) {
                self.set("search", &key, value)?;
            }
        }
        if self.is_file && self.is_old {
            let (group, key) = GONE;
            self.group_mut(group).and_then(|group| group.remove(key));
        }
        Ok(())
    }

    /// Takes out a group of format 1.
    fn take(&mut self, group: &str) -> Result<Table, ConfigError> {
        match self.table.remove(group) {
            None => Ok(Table::new()),
            Some(Value::Table(table)) => {
                self.is_old = true;
                Ok(table)
            }
            Some(_) => {
                Err(value_error(&self.place, format!("`{group}` is a group of settings, not one: set its keys")))
            }
        }
    }
}
