//! Reads a configuration: a TOML text over a preset, `KEY=VALUE` settings over both. What would do nothing is refused.

use super::config::{Config, FORMAT};
use super::config_error::{ConfigError, value_error};
use super::files;
use super::foreign::{self, Foreign};
use super::owners::{self, Purpose, Unread};
use super::source::Source;
use super::tables::{get, keys, merge, remove, unknown};
use crate::data::Scale;
use crate::names::nearest;
use crate::search::{self, Strategy};
use crate::space::{self, Space, SpaceConfig};
use toml::{Table, Value};

/// What is trained: absent by default, and for nothing but a training.
const OF_TRAININGS: [&str; 2] = ["architecture", "model"];

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

    /// That of an option; `value` is TOML.
    pub fn option(option: &str, key: &str, value: &str) -> Self {
        Self { place: option.to_owned(), text: format!("{key}={value}") }
    }
}

/// What a configuration is read from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// What the text is called in errors: the name of its file.
    pub place: &'a str,
    /// TOML.
    pub text: &'a str,
    /// What goes over it, the last of the same key first.
    pub settings: &'a [Setting],
    /// Epochs of search that take the place of the text's, whatever the strategy; a setting still wins.
    pub budget: Option<u32>,
    /// What the data are taken to allow, where that is not what is known of the dataset: presets go by it.
    pub scale: Option<Scale>,
    /// What it is read for.
    pub purpose: Purpose,
    /// The strategies there are: [`search::ALL`], or those and one's own.
    pub strategies: &'a [&'static dyn Strategy],
}

impl Default for Sources<'_> {
    /// Nothing that is said, for a search by what is part of the program.
    fn default() -> Self {
        Self {
            place: "configuration",
            text: "",
            settings: &[],
            budget: None,
            scale: None,
            purpose: Purpose::Search,
            strategies: search::ALL,
        }
    }
}

/// A configuration as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The configuration.
    pub config: Config,
    /// What the user should know: what has moved, or was left out.
    pub notes: Vec<String>,
}

impl Config {
    /// The configuration that settings describe, as `cellwright search --set …` takes them. What they leave open is the preset
    /// of the dataset, the space and the strategy they name, `digits`, `darts` and `darts` if they name none.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting.
    pub fn with(settings: &[&str]) -> Result<Self, ConfigError> {
        let settings: Vec<Setting> = settings.iter().map(|text| Setting::set(text)).collect();
        let sources = Sources { settings: &settings, ..Sources::default() };
        Ok(Self::read(&sources, |name| Ok(SpaceConfig::of(name.unwrap_or("darts"))))?.config)
    }

    /// The configuration that a TOML text and `KEY=VALUE` settings describe. What they leave open is the preset of the
    /// dataset, the space and the strategy they name (`digits`, `darts` and `darts` if they name none). `find_space` is given
    /// the name of the space, if there is one: it may be that of a file.
    ///
    /// A setting that nothing in the configuration reads is refused. Where a setting renames a group, the text's settings of
    /// what it names itself are left out; so is what nothing reads of a text of an older form.
    ///
    /// # Errors
    /// [`ConfigError`] naming the text's place or the setting.
    pub fn read(
        sources: &Sources<'_>,
        find_space: impl FnOnce(Option<&str>) -> Result<SpaceConfig, String>,
    ) -> Result<Read, ConfigError> {
        let mut given = vec![Source::file(sources.place, sources.text)?];
        for Setting { place, text } in sources.settings {
            given.push(Source::setting(place, text)?);
        }
        let name = |group: &str| given.iter().rev().find_map(|source| source.name(group)).map(str::to_owned);
        let (data, space, strategy) = (name("data").unwrap_or_else(|| "digits".into()), name("space"), name("search"));
        let strategy = find_strategy(strategy.as_deref().unwrap_or("darts"), sources.strategies)?;
        if !files::NAMES.contains(&data.as_str()) {
            let nearest = nearest(&data, files::NAMES);
            return Err(ConfigError::UnknownName { kind: "dataset", name: data, nearest });
        }
        let mut notes = Vec::new();
        for source in &mut given {
            source.settle(strategy.about().name, space.as_deref().unwrap_or("darts"))?;
        }
        let chosen =
            [("data", Some(data.as_str())), ("space", space.as_deref()), ("search", Some(strategy.about().name))];
        let renamed = set_aside(&mut given[0], &chosen, &mut notes);
        if let (Some(_), Some(search)) = (sources.budget, given[0].group_mut("search")) {
            search.remove("epochs");
        }
        // What a strategy counts in epochs goes by those asked for.
        let said = |source: &Source| source.group("search")?.get("epochs")?.as_integer()?.try_into().ok();
        let epochs = given.iter().rev().find_map(said).or(sources.budget);

        let found = find_space(space.as_deref()).map_err(ConfigError::SpaceFile)?;
        let (defaults, built) = chosen_space(found, &given, strategy)?;
        let limit = given.iter().rev().find_map(|source| source.group("data")?.get("limit")?.as_integer());
        let scale = sources.scale.unwrap_or_else(|| files::scale_of(&data, limit.unwrap_or(0)));
        let preset = Self::preset(&data, scale, defaults, &*built, strategy, epochs)?;

        let reading = Reading { sources, preset, space: &*built, lenient: renamed || given[0].is_old };
        let mut left_out = Vec::new();
        reading.check_keys(&mut given, &mut left_out)?;
        let mut config = reading.over(&given)?;
        reading.refuse_unread(&config, &mut given, &mut left_out)?;
        config = reading.over(&given)?;
        config.check().map_err(|error| match error {
            ConfigError::Value { problem, .. } => Reading::placed(problem, &given),
            other => other,
        })?;
        if !left_out.is_empty() && !given[0].is_old {
            notes.push(format!("{}: left out, for nothing here reads it: {}", sources.place, left_out.join(", ")));
        }
        let moved = "of an older form, and read as such: `space_settings` is part of `space` now, `images` and `data_dir` of \
                     `data`, `one_shot` and `enas` of `search`; what nothing here reads is left out";
        notes.extend(given.iter().filter(|source| source.is_old).map(|source| format!("{}: {moved}", source.place)));
        Ok(Read { config, notes })
    }

    /// The configuration of a search as TOML: what is read, and nothing else.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for a number that TOML cannot hold; a space that cannot be built.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        self.written(Purpose::Search)
    }

    /// The configuration as TOML for a purpose.
    pub(super) fn written(&self, purpose: Purpose) -> Result<String, ConfigError> {
        let space = self.space.build()?;
        let mut all = Table::from_iter([("format".to_owned(), Value::Integer(FORMAT.into()))]);
        all.extend(Table::from(owners::read_part(self, &*space, purpose)?));
        toml::to_string_pretty(&all).map_err(|error| value_error("configuration", error.to_string()))
    }
}

/// The space that was found by its name: its default settings for a strategy, and the space as it is given.
fn chosen_space(
    found: SpaceConfig,
    given: &[Source],
    strategy: &dyn Strategy,
) -> Result<(SpaceConfig, Box<dyn Space>), ConfigError> {
    let mut defaults = found;
    // A space of one's own may be described in place.
    let described = given.iter().rev().find_map(|source| source.group("space")?.get("stages"));
    if let (None, Some(stages)) = (space::entry(&defaults.name), described) {
        defaults.settings.table_mut().insert("stages".to_owned(), stages.clone());
    }
    // An unknown name is the first thing to hear of.
    defaults.build()?;
    if let Some(Value::Array(primitives)) = defaults.settings.get_mut("primitives") {
        primitives.retain(|name| !name.as_str().is_some_and(|name| strategy.without().contains(&name)));
    }
    let mut space = defaults.clone();
    for (key, value) in given.iter().filter_map(|source| source.group("space")).flatten() {
        // What the space does not have is refused with its place, later.
        if let Some(setting) = space.settings.get_mut(key) {
            *setting = value.clone();
        }
    }
    let built = space.build()?;
    Ok((defaults, built))
}

/// The space that a configuration's text names, with its settings there, whatever else it says.
pub(super) fn space_in(place: &str, text: &str) -> Result<SpaceConfig, ConfigError> {
    let mut source = Source::file(place, text)?;
    let name = source.name("space").unwrap_or("darts").to_owned();
    source.settle("", &name)?;
    let mut space = SpaceConfig::of(&name);
    let own = source.group("space").cloned().unwrap_or_default();
    space.settings.table_mut().extend(own.into_iter().filter(|(key, _)| key != "name"));
    space.build()?;
    Ok(space)
}

/// The strategy of a name.
fn find_strategy(name: &str, all: &[&'static dyn Strategy]) -> Result<&'static dyn Strategy, ConfigError> {
    let found = all.iter().find(|strategy| strategy.about().name == name).copied();
    found.ok_or_else(|| {
        let nearest = nearest(name, all.iter().map(|strategy| strategy.about().name));
        ConfigError::UnknownName { kind: "search strategy", name: name.to_owned(), nearest }
    })
}

/// Leaves out what a file says of a space, a strategy or a dataset that is not the chosen one; gives whether there was any.
fn set_aside(file: &mut Source, chosen: &[(&str, Option<&str>)], notes: &mut Vec<String>) -> bool {
    let mut any = false;
    for (group, name) in chosen {
        let Some(name) = name else { continue };
        let Some(own) = file.name(group).filter(|own| own != name).map(str::to_owned) else { continue };
        any = true;
        if file.table.remove(*group).and_then(|group| group.as_table().map(Table::len)) > Some(1) {
            notes.push(format!("{}: its settings of `{own}` are left out, for `{name}` was chosen", file.place));
        }
    }
    any
}

/// A configuration that is being read, once its preset is known.
struct Reading<'a> {
    sources: &'a Sources<'a>,
    preset: Config,
    space: &'a dyn Space,
    /// Whether what nothing reads is left out of the file rather than refused.
    lenient: bool,
}

impl Reading<'_> {
    /// The preset with all that is given over it.
    fn over(&self, given: &[Source]) -> Result<Config, ConfigError> {
        let mut all = self.preset.table()?;
        given.iter().for_each(|source| merge(&mut all, source.table.clone()));
        self.preset.with_table(all).map_err(|problem| Self::placed(problem, given))
    }

    /// An error with the place that gave the setting it begins with.
    fn placed(problem: String, given: &[Source]) -> ConfigError {
        let is_key = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let key = problem.split(|c| !is_key(c)).next().unwrap_or_default().trim_matches('.');
        let source = given.iter().rev().find(|source| !key.is_empty() && get(&source.table, key).is_some());
        value_error(source.map_or("configuration", |source| &source.place), problem)
    }

    /// Refuses keys that there are not, or that belong to what was not chosen.
    fn check_keys(&self, given: &mut [Source], left_out: &mut Vec<String>) -> Result<(), ConfigError> {
        let mut known = self.preset.table()?;
        // A setting that is absent by default has no key in the table to be checked against.
        let text = || Value::String(String::new());
        for key in OF_TRAININGS {
            known.entry(key).or_insert_with(text);
        }
        let benchmark = ["dir", "dataset"].map(|key| (key.to_owned(), text()));
        known.entry("benchmark").or_insert_with(|| Value::Table(Table::from_iter(benchmark)));
        if let Some(Value::Table(data)) = known.get_mut("data") {
            data.entry("dir").or_insert_with(text);
            data.entry("limit").or_insert(Value::Integer(0));
        }
        for source in given {
            let is_group = |key: String| {
                value_error(&source.place, format!("`{key}` is a group of settings, not one: set its keys"))
            };
            while let Some((key, nearest)) = unknown(&source.table, &known, "").map_err(is_group)? {
                let place = source.place.clone();
                match foreign::owners(&key, &self.preset, self.space, self.sources.strategies) {
                    Some(_) if source.is_file && self.lenient => {
                        remove(&mut source.table, &key);
                        left_out.push(key);
                    }
                    Some(Foreign { by, readers }) => return Err(ConfigError::Unread { place, key, by, readers }),
                    None => return Err(ConfigError::UnknownKey { place, key, nearest }),
                }
            }
        }
        Ok(())
    }

    /// Refuses what is set but not read.
    fn refuse_unread(
        &self,
        config: &Config,
        given: &mut [Source],
        left_out: &mut Vec<String>,
    ) -> Result<(), ConfigError> {
        let of_search = self.sources.purpose == Purpose::Search;
        let unread = owners::unread(config, self.space);
        let not_trained = match self.sources.purpose {
            Purpose::Training => owners::not_of_training(config),
            Purpose::Search | Purpose::Random => Vec::new(),
        };
        for source in given {
            for key in keys(&source.table) {
                let place = source.place.clone();
                if of_search && OF_TRAININGS.contains(&key.as_str()) {
                    let (by, readers) = ("`search`".to_owned(), "`train`".to_owned());
                    return Err(ConfigError::Unread { place, key, by, readers });
                }
                let entry =
                    |list: &[Unread]| list.iter().find(|entry| entry.holds(&key)).map(|e| e.error(&place, &key));
                if let Some(error) = entry(&not_trained).filter(|_| !source.is_file) {
                    return Err(error);
                }
                match entry(&unread) {
                    Some(_) if source.is_file && self.lenient => {
                        remove(&mut source.table, &key);
                        left_out.push(key);
                    }
                    Some(error) => return Err(error),
                    None => {}
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
