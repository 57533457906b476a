//! What the files of one run tell, however far it is: what pages show of it while it runs, and after.
//!
//! A trace is read once and then followed: [`Trace::follow`] reads only what logs have grown by. A line that is not whole yet is left
//! for the next time. A log that has become shorter was cut by a run that went on from its last checkpoint: it is read anew.

mod lines;
mod log;

pub use lines::{ControllerEpoch, Course, Network, Phase, SearchEpoch, State, Step, Timing, TrainEpoch, Trial};

use super::complete::{failure_in, read_json};
use super::config::Config;
use super::directory::{CONFIG, SUMMARY, TIMING};
use super::error::RunError;
use super::failure::{FAILED, Failure};
use super::owners::Purpose;
use super::read::Sources;
use super::summary::{RandomSummary, Summary};
use crate::space::SpaceConfig;
use log::Log;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use toml::{Table, Value};

/// The longest `config.toml`, `summary.json` or CSV that is read, in bytes.
const LONGEST: u64 = 64 << 20;

/// What a run has come to, by its `summary.json`.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// It is a search.
    Search(Box<Summary>),
    /// It trained random architectures for a suite.
    Random(Box<RandomSummary>),
    /// It trained one architecture.
    Training(Box<serde_json::Value>),
}

/// What the directory of a run tells.
#[derive(Debug)]
pub struct Trace {
    /// The directory.
    pub path: PathBuf,
    /// The text of `config.toml`.
    pub text: String,
    /// The same, read.
    pub table: Table,
    /// The same, if this version of the program knows all that it names.
    pub config: Option<Config>,
    /// `metrics.jsonl` and `trials.jsonl`.
    pub course: Course,
    /// `timing.jsonl`.
    pub timing: Timing,
    /// `summary.json`, once it is there.
    pub came: Option<Came>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// The rows of `classes.csv`: name and number of test images.
    pub classes: Vec<(String, u64)>,
    /// The rows of `confusion.csv`: class, what it was taken for, how often.
    pub confusion: Vec<(String, String, u64)>,
    logs: [Log; 3],
    /// When the files that are replaced as a whole were written last.
    written: Vec<Option<SystemTime>>,
}

impl Trace {
    /// Reads the directory of a run.
    ///
    /// # Errors
    /// [`RunError::NoRun`] where there is no `config.toml`; [`RunError::History`] naming a file and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        if !path.join(CONFIG).is_file() {
            return Err(RunError::NoRun { path: path.to_owned() });
        }
        let text = whole(&path.join(CONFIG))?;
        let table: Table = text.parse().map_err(|error| wrong(&path.join(CONFIG), format!("{error}")))?;
        let mut trace = Self {
            path: path.to_owned(),
            config: config(&text, &table),
            text,
            table,
            course: Course::default(),
            timing: Timing::default(),
            came: None,
            failure: None,
            classes: Vec::new(),
            confusion: Vec::new(),
            logs: ["metrics.jsonl", "trials.jsonl", TIMING].map(|name| Log::new(&path.join(name))),
            written: Vec::new(),
        };
        trace.follow()?;
        Ok(trace)
    }

    /// Reads what has come since it was read last; whether anything has.
    ///
    /// # Errors
    /// [`RunError::History`] naming a file and what is wrong with it.
    pub fn follow(&mut self) -> Result<bool, RunError> {
        let Self { course, timing: times, logs: [metrics, trials, timing], .. } = self;
        let mut grown = metrics.follow(course, Course::clear_metrics, Course::metric)?;
        grown |= trials.follow(course, Course::clear_trials, Course::trial)?;
        grown |= timing.follow(times, Timing::clear, Timing::line)?;
        let written: Vec<_> = [SUMMARY, "classes.csv", "confusion.csv", FAILED]
            .iter()
            .map(|name| fs::metadata(self.path.join(name)).and_then(|facts| facts.modified()).ok())
            .collect();
        if written == self.written {
            return Ok(grown);
        }
        self.came = self.summary()?;
        self.failure = failure_in(&self.path)?;
        self.classes =
            rows(&self.path.join("classes.csv"), |row| Some((row.get(0)?.to_owned(), row.get(1)?.parse().ok()?)))?;
        self.confusion = rows(&self.path.join("confusion.csv"), |row| {
            Some((row.get(0)?.to_owned(), row.get(1)?.to_owned(), row.get(2)?.parse().ok()?))
        })?;
        self.written = written;
        Ok(true)
    }

    /// What it is for, by its configuration.
    pub fn purpose(&self) -> Purpose {
        Purpose::of(&self.table)
    }

    /// A text of its configuration, such as `space.name`: a group that is plain text is a name.
    pub fn said(&self, group: &str, key: &str) -> Option<&str> {
        match self.table.get(group)? {
            Value::String(name) => Some(name),
            Value::Table(group) => group.get(key)?.as_str(),
            _ => None,
        }
    }

    fn summary(&self) -> Result<Option<Came>, RunError> {
        let path = self.path.join(SUMMARY);
        if !path.is_file() {
            return Ok(None);
        }
        check_length(&path)?;
        Ok(Some(match self.purpose() {
            Purpose::Training => Came::Training(read_json(&path)?),
            Purpose::Search => Came::Search(read_json(&path)?),
            Purpose::Random => Came::Random(read_json(&path)?),
        }))
    }
}

/// The configuration, if all that it names is known here.
fn config(text: &str, table: &Table) -> Option<Config> {
    let sources = Sources { text, purpose: Purpose::of(table), ..Sources::default() };
    Config::read(&sources, |name| Ok(SpaceConfig::of(name.unwrap_or("darts")))).ok().map(|read| read.config)
}

fn wrong(path: &Path, problem: String) -> RunError {
    RunError::History { path: path.to_owned(), problem }
}

fn check_length(path: &Path) -> Result<(), RunError> {
    match fs::metadata(path) {
        Ok(facts) if facts.len() > LONGEST => Err(wrong(path, format!("is larger than {LONGEST} bytes"))),
        _ => Ok(()),
    }
}

fn whole(path: &Path) -> Result<String, RunError> {
    check_length(path)?;
    fs::read_to_string(path).map_err(|error| wrong(path, error.to_string()))
}

/// The rows of a CSV file, if it is there.
fn rows<T>(path: &Path, read: impl Fn(&csv::StringRecord) -> Option<T>) -> Result<Vec<T>, RunError> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = whole(path)?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let of = |(number, row): (usize, csv::Result<csv::StringRecord>)| {
        let row = row.map_err(|error| wrong(path, error.to_string()))?;
        read(&row).ok_or_else(|| wrong(path, format!("row {} is not what it should be", number + 1)))
    };
    reader.records().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests;
