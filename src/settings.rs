//! Settings of one thing among several (a space, a strategy): a table of a configuration, which the type that the thing
//! itself defines is read from and written to.
//!
//! Whoever carries settings from a file to their owner need not know the type.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::str::FromStr;
use toml::{Table, Value};

/// Settings by name, as TOML holds them.
///
/// ```
/// use cellwright::settings::Settings;
/// use cellwright::optim::SgdConfig;
///
/// let settings = Settings::of(&SgdConfig { momentum: 0.8, ..SgdConfig::default() })?;
/// assert_eq!(settings.get("momentum").and_then(|value| value.as_float()), Some(0.8));
/// assert_eq!(settings.read::<SgdConfig>()?.momentum, 0.8);
/// assert!("momentum = 'much'".parse::<Settings>()?.read::<SgdConfig>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(Table);

/// Why settings are not those of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub String);

impl Settings {
    /// The settings that a value holds. Numbers of single precision are those that their shortest text stands for, so that
    /// 0.1 stays 0.1.
    ///
    /// # Errors
    /// For what TOML cannot hold: a number of more than 63 bits.
    pub fn of(value: &impl Serialize) -> Result<Self, SettingsError> {
        toml::to_string(value).map_err(|error| SettingsError(error.to_string()))?.parse()
    }

    /// What the settings say. What they leave out has its type's default, if there is one.
    ///
    /// # Errors
    /// A value of another type, or a setting that the type, or the kind that a group is of, does not have. The problem begins
    /// with the key.
    pub fn read<T: Serialize + DeserializeOwned>(&self) -> Result<T, SettingsError> {
        let value: T = self.0.clone().try_into().map_err(told)?;
        // Of a kind without settings serde takes any. What is not written again was not read.
        let has = Self::of(&value)?;
        match missing(&self.0, &has.0) {
            None => Ok(value),
            Some(key) => Err(SettingsError(has.not_read(&key))),
        }
    }

    /// What to say of a key that these settings do not have.
    fn not_read(&self, key: &str) -> String {
        let group = key.rsplit_once('.').map_or("", |(group, _)| group);
        match self.get(group).and_then(|group| group.get("kind")).and_then(Value::as_str) {
            Some(kind) => format!("{key} is no setting of the kind `{kind}`: set the kind too, or leave it out"),
            None => format!("{key} says nothing here: leave it out"),
        }
    }

    /// The setting at a key, whose parts are divided by dots.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let mut parts = key.split('.');
        let first = self.0.get(parts.next()?);
        parts.fold(first, |value, part| value?.as_table()?.get(part))
    }

    /// The setting at a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let mut parts = key.split('.');
        let first = self.0.get_mut(parts.next()?);
        parts.fold(first, |value, part| value?.as_table_mut()?.get_mut(part))
    }

    /// The same without what stands at some keys.
    #[must_use]
    pub fn without(mut self, keys: &[&str]) -> Self {
        for key in keys {
            match key.rsplit_once('.') {
                None => self.0.remove(*key),
                Some((group, last)) => {
                    self.get_mut(group).and_then(Value::as_table_mut).and_then(|group| group.remove(last))
                }
            };
        }
        self
    }

    /// The keys with dots of all that is set.
    pub fn keys(&self) -> Vec<String> {
        keys(&self.0)
    }

    /// The table.
    pub fn table(&self) -> &Table {
        &self.0
    }

    /// The table, to be changed.
    pub fn table_mut(&mut self) -> &mut Table {
        &mut self.0
    }
}

/// The key at which a value is wrong, and what is.
fn told(error: toml::de::Error) -> SettingsError {
    let whole = error.to_string();
    let place = whole.rsplit_once("\nin `").and_then(|(_, rest)| rest.split_once('`')).map(|(key, _)| key);
    SettingsError(place.map_or_else(|| error.message().to_owned(), |key| format!("{key}: {}", error.message())))
}

/// The first key of a table, with dots, that another does not have. (A key may have dots of its own.)
fn missing(table: &Table, other: &Table) -> Option<String> {
    table.iter().find_map(|(key, value)| match (value.as_table(), other.get(key)) {
        (Some(inner), Some(Value::Table(other))) => missing(inner, other).map(|rest| format!("{key}.{rest}")),
        (_, Some(_)) => None,
        (Some(inner), None) if inner.is_empty() => None,
        (_, None) => Some(key.clone()),
    })
}

fn keys(table: &Table) -> Vec<String> {
    let mut all = Vec::new();
    for (key, value) in table {
        match value.as_table() {
            Some(inner) => all.extend(keys(inner).into_iter().map(|rest| format!("{key}.{rest}"))),
            None => all.push(key.clone()),
        }
    }
    all
}

impl From<Table> for Settings {
    fn from(table: Table) -> Self {
        Self(table)
    }
}

impl From<Settings> for Table {
    fn from(settings: Settings) -> Self {
        settings.0
    }
}

impl FromStr for Settings {
    type Err = SettingsError;

    /// Reads TOML.
    fn from_str(text: &str) -> Result<Self, SettingsError> {
        text.parse().map(Self).map_err(|error: toml::de::Error| SettingsError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_to_what_is_set_and_are_left_out() {
        let mut settings: Settings = "a = 1\nb = { c = 2, d = { e = 0.1 } }".parse().unwrap();
        assert_eq!(settings.keys(), ["a", "b.c", "b.d.e"]);
        assert_eq!(settings.get("b.d.e").and_then(Value::as_float), Some(0.1));
        for key in ["", "b.", "a.b", "b.d.e.f", "c"] {
            assert_eq!(settings.get(key), None, "{key}");
        }
        *settings.get_mut("b.c").unwrap() = Value::Integer(3);
        assert_eq!(settings.without(&["b.d", "x.y", "a"]).to_string_pretty(), "[b]\nc = 3\n");
    }

    #[test]
    fn single_precision_keeps_its_shortest_text() {
        #[derive(Serialize, serde::Deserialize, PartialEq, Debug)]
        struct Rates {
            rates: Vec<f32>,
            count: u64,
        }
        let rates = Rates { rates: vec![0.1, 3e-4, 1.0 / 3.0], count: 7 };
        let settings = Settings::of(&rates).unwrap();
        assert_eq!(settings.get("rates.0"), None);
        assert_eq!(settings.get("rates").unwrap().to_string(), "[0.1, 0.0003, 0.33333334]");
        assert_eq!(settings.read::<Rates>().unwrap(), rates);
        assert!(Settings::of(&Rates { count: u64::MAX, ..rates }).is_err());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_key() {
        #[derive(Serialize, serde::Deserialize, PartialEq, Debug)]
        #[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
        enum Kind {
            Plain,
            Round { radius: f32 },
        }
        #[derive(Serialize, serde::Deserialize, PartialEq, Debug)]
        #[serde(deny_unknown_fields)]
        struct Shape {
            sides: u32,
            kind_of: Kind,
        }
        let read = |text: &str| text.parse::<Settings>().unwrap().read::<Shape>();
        let said = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(read("sides = 1\nkind_of = { kind = 'round', radius = 2 }").unwrap().sides, 1);
        assert_eq!(said("sides = -1"), "sides: invalid value: integer `-1`, expected u32");
        assert_eq!(
            said("sides = 1\nkind_of = { kind = 'plain', radius = 2 }"),
            "kind_of.radius is no setting of the kind `plain`: set the kind too, or leave it out"
        );
        assert!(said("sides = 1\nkind_of = { kind = 'round' }").starts_with("kind_of: missing field"));
        assert!(said("side = 1").contains("unknown field `side`"));
    }

    impl Settings {
        fn to_string_pretty(&self) -> String {
            toml::to_string_pretty(&self.0).unwrap()
        }
    }
}
