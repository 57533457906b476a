//! What a suite is to do: the file `suite.toml`.

use super::cell::RANDOM;
use super::scale::{SuiteScale, default_spaces, default_strategies};
use crate::data::Scale;
use crate::names::nearest;
use crate::run::config_error::{ConfigError, value_error};
use crate::run::directory::Directory;
use crate::run::error::RunError;
use crate::run::files::{self, NAMES};
use crate::{search, space};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The file that holds the plan.
pub const PLAN: &str = "suite.toml";
/// The form of plans.
const FORMAT: u32 = 1;
/// The most seeds: more than anybody has had patience for, and few enough for exact tests.
const MOST_SEEDS: u32 = 50;
/// What a suite says of each run itself, so that `--set` may not.
const OWN: &[&str] = &[
    "seed",
    "baseline",
    "architecture",
    "space",
    "strategy",
    "search",
    "data",
    "device",
    "space.name",
    "search.strategy",
];
/// The same of groups whose other keys may be set.
const OWN_OPTIONS: &[(&str, &str)] =
    &[("data.name", "--data"), ("data.dir", "--data-dir"), ("device.name", "--device")];

/// What is asked of a suite; what is not said is none, and is that of the plan or the default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// Names of strategies.
    pub strategies: Option<Vec<String>>,
    /// Names of spaces.
    pub spaces: Option<Vec<String>>,
    /// How many seeds, from 0.
    pub seeds: Option<u32>,
    /// How much work.
    pub scale: Option<SuiteScale>,
    /// The dataset.
    pub data: Option<String>,
    /// Where its files lie.
    pub data_dir: Option<PathBuf>,
    /// The device.
    pub device: Option<String>,
    /// Settings of all runs that read them, `KEY=VALUE`.
    pub set: Vec<String>,
}

/// What a suite is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    format: u32,
    /// Names of strategies, in the order in which they run.
    pub strategies: Vec<String>,
    /// Names of spaces.
    pub spaces: Vec<String>,
    /// How many seeds, from 0.
    pub seeds: u32,
    /// How much work.
    pub scale: SuiteScale,
    /// The dataset.
    pub data: String,
    /// Where its files lie, if it needs any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// The device.
    pub device: String,
    /// Settings of all runs that read them, `KEY=VALUE`.
    #[serde(default)]
    pub set: Vec<String>,
}

impl Plan {
    /// The plan of a suite that is begun.
    ///
    /// # Errors
    /// [`RunError::Config`] for names that there are not, and settings that the suite says itself.
    pub fn new(asked: &Asked) -> Result<Self, RunError> {
        let asked = asked.clone();
        let scale = asked.scale.unwrap_or_default();
        let plan = Self {
            format: FORMAT,
            strategies: asked.strategies.unwrap_or_else(default_strategies),
            spaces: asked.spaces.unwrap_or_else(|| default_spaces(scale)),
            seeds: asked.seeds.unwrap_or(3),
            scale,
            data: asked.data.unwrap_or_else(|| "digits".to_owned()),
            data_dir: absolute(asked.data_dir),
            device: asked.device.unwrap_or_else(|| "auto".to_owned()),
            set: asked.set,
        };
        plan.check()?;
        Ok(plan)
    }

    /// The plan in a suite's directory.
    ///
    /// # Errors
    /// [`RunError::History`] if it is not there, or is none.
    pub fn read(directory: &Path) -> Result<Self, RunError> {
        let path = directory.join(PLAN);
        let wrong = |problem: String| RunError::History { path: path.clone(), problem };
        let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let plan: Self = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        match plan.format {
            FORMAT => {}
            other => return Err(wrong(format!("of format {other}; this program reads {FORMAT}"))),
        }
        plan.check().map_err(|error| wrong(error.to_string()))?;
        Ok(plan)
    }

    /// Writes it down: it is there after a loss of power.
    ///
    /// # Errors
    /// [`RunError::Write`]; a value that TOML cannot hold.
    pub fn write(&self, directory: &Directory) -> Result<(), RunError> {
        let text = toml::to_string(self).map_err(|error| value_error(PLAN, error.to_string()))?;
        directory.write(PLAN, text.as_bytes())
    }

    /// The plan of a suite that goes on: it may get more strategies, spaces and seeds.
    ///
    /// # Errors
    /// [`RunError::Resume`] naming the first thing that is otherwise.
    pub fn extended(&self, path: &Path, asked: &Asked) -> Result<Self, RunError> {
        let other = |key: &str, before: &dyn std::fmt::Display, now: &dyn std::fmt::Display| RunError::Resume {
            path: path.join(PLAN),
            problem: format!(
                "{key} was {before} and is {now} now; a suite may only get more strategies, spaces and seeds: leave it out, \
                 or begin another in a directory of its own"
            ),
        };
        let said = |dir: &Option<PathBuf>| dir.as_ref().map_or("nothing".to_owned(), |dir| dir.display().to_string());
        if let Some(now) = asked.scale.filter(|now| *now != self.scale) {
            return Err(other("scale", &self.scale.name(), &now.name()));
        }
        if let Some(now) = asked.data.as_ref().filter(|now| **now != self.data) {
            return Err(other("data", &self.data, now));
        }
        let now = absolute(asked.data_dir.clone());
        if now.is_some() && now != self.data_dir {
            return Err(other("data_dir", &said(&self.data_dir), &said(&now)));
        }
        if let Some(now) = asked.device.as_ref().filter(|now| **now != self.device) {
            return Err(other("device", &self.device, now));
        }
        if !asked.set.is_empty() && asked.set != self.set {
            return Err(other("set", &format!("{:?}", self.set), &format!("{:?}", asked.set)));
        }
        if let Some(now) = asked.seeds.filter(|now| *now < self.seeds) {
            return Err(other("seeds", &self.seeds, &now));
        }
        let longer = |key: &str, before: &[String], now: &Option<Vec<String>>| match now {
            None => Ok(before.to_vec()),
            Some(now) if before.iter().all(|name| now.contains(name)) => Ok(now.clone()),
            Some(now) => Err(other(key, &before.join(","), &now.join(","))),
        };
        let plan = Self {
            strategies: longer("strategies", &self.strategies, &asked.strategies)?,
            spaces: longer("spaces", &self.spaces, &asked.spaces)?,
            seeds: asked.seeds.unwrap_or(self.seeds),
            ..self.clone()
        };
        plan.check()?;
        Ok(plan)
    }

    /// Whether all that it names is there.
    fn check(&self) -> Result<(), ConfigError> {
        let named = |kind: &'static str, given: &[String], known: &[&str]| {
            if given.is_empty() {
                return Err(value_error("suite", format!("there is no {kind} in it: name one")));
            }
            for (at, name) in given.iter().enumerate() {
                if !known.contains(&name.as_str()) {
                    let nearest = nearest(name, known);
                    return Err(ConfigError::UnknownName { kind, name: name.clone(), nearest });
                }
                if given[..at].contains(name) {
                    return Err(value_error("suite", format!("the {kind} `{name}` is named twice")));
                }
            }
            Ok(())
        };
        let strategies: Vec<&str> = search::ALL.iter().map(|strategy| strategy.about().name).collect();
        let spaces: Vec<&str> = space::names().collect();
        if self.strategies.iter().any(|name| name == RANDOM) {
            let problem = "random architectures are trained in every suite: leave `random` out of the strategies";
            return Err(value_error("suite", problem));
        }
        named("search strategy", &self.strategies, &strategies)?;
        named("search space", &self.spaces, &spaces)?;
        named("dataset", std::slice::from_ref(&self.data), &NAMES)?;
        if !(1..=MOST_SEEDS).contains(&self.seeds) {
            return Err(value_error("suite", format!("seeds = {}: is a number from 1 to {MOST_SEEDS}", self.seeds)));
        }
        if self.scale == SuiteScale::Published && files::scale(&self.data) != Scale::Published {
            let problem =
                format!("the published scale is that of CIFAR-10, and `{}` is smaller: take `small`", self.data);
            return Err(value_error("suite", problem));
        }
        for text in &self.set {
            let key = text.split('=').next().unwrap_or_default().trim();
            let place = format!("--set {text}");
            if let Some((_, option)) = OWN_OPTIONS.iter().find(|(own, _)| *own == key) {
                return Err(value_error(&place, format!("say it with {option}")));
            }
            if OWN.contains(&key) {
                return Err(value_error(&place, format!("a suite says `{key}` of each run itself")));
            }
        }
        Ok(())
    }
}

/// A suite goes on wherever it is asked to.
fn absolute(dir: Option<PathBuf>) -> Option<PathBuf> {
    dir.map(|dir| std::path::absolute(&dir).unwrap_or(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn asked() -> Asked {
        Asked { strategies: names(&["darts", "gdas"]), spaces: names(&["darts"]), ..Asked::default() }
    }

    #[test]
    fn what_is_not_there_is_refused_by_name() {
        let error = |asked: Asked| Plan::new(&asked).unwrap_err().to_string();
        let with = |strategies: &[&str]| Asked { strategies: names(strategies), ..asked() };
        assert!(error(with(&["dart"])).contains("unknown search strategy `dart`: did you mean `darts`?"));
        assert!(error(with(&["darts", "darts"])).contains("named twice"));
        assert!(error(with(&["random"])).contains("in every suite"));
        assert!(error(with(&[])).contains("there is no search strategy"));
        assert!(error(Asked { spaces: names(&["dart"]), ..asked() }).contains("unknown search space `dart`"));
        assert!(error(Asked { data: Some("digit".into()), ..asked() }).contains("unknown dataset `digit`"));
        assert!(error(Asked { seeds: Some(0), ..asked() }).contains("1 to 50"));
        assert!(error(Asked { scale: Some(SuiteScale::Published), ..asked() }).contains("CIFAR-10"));
        for (set, part) in [("seed=3", "itself"), ("space.name='darts'", "itself"), ("data.dir='x'", "--data-dir")] {
            let error = error(Asked { set: vec![set.into()], ..asked() });
            assert!(error.contains(part), "{set}: {error}");
        }
    }

    #[test]
    fn a_plan_is_read_as_it_was_written_and_only_grows() {
        let place = tempfile::tempdir().unwrap();
        let set = vec!["train.epochs=1".to_owned()];
        let plan =
            Plan::new(&Asked { data_dir: Some("x".into()), data: Some("mnist".into()), set, ..asked() }).unwrap();
        plan.write(&Directory::create(place.path()).unwrap()).unwrap();
        assert_eq!(Plan::read(place.path()).unwrap(), plan);
        let extended = |asked: Asked| plan.extended(place.path(), &asked).map_err(|error| error.to_string());
        assert_eq!(extended(Asked::default()).unwrap(), plan);
        let more = Asked {
            strategies: names(&["snas", "darts", "gdas"]),
            spaces: names(&["darts", "chain"]),
            seeds: Some(5),
            data_dir: Some("x".into()),
            ..Asked::default()
        };
        let longer = extended(more).unwrap();
        assert_eq!((longer.strategies.len(), longer.spaces.len(), longer.seeds), (3, 2, 5));
        for (less, key) in [
            (Asked { strategies: names(&["darts"]), ..Asked::default() }, "strategies was darts,gdas and is darts now"),
            (Asked { spaces: names(&["chain"]), ..Asked::default() }, "spaces was darts"),
            (Asked { seeds: Some(2), ..Asked::default() }, "seeds was 3 and is 2 now"),
            (Asked { data: Some("digits".into()), ..Asked::default() }, "data was mnist"),
            (Asked { data_dir: Some("y".into()), ..Asked::default() }, "data_dir was"),
            (Asked { scale: Some(SuiteScale::Published), ..Asked::default() }, "scale was small"),
            (Asked { device: Some("cpu".into()), ..Asked::default() }, "device was auto"),
            (Asked { set: vec!["random=2".into()], ..Asked::default() }, "set was"),
        ] {
            let error = extended(less).unwrap_err();
            assert!(error.contains(key) && error.contains("only get more"), "{key}: {error}");
        }
        fs::write(place.path().join(PLAN), "format = 7").unwrap();
        assert!(Plan::read(place.path()).is_err());
    }
}
