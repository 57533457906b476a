//! One run of several that are driven by one command, from where an earlier process has left it to its end.

use super::config::Config;
use super::directory::Directory;
use super::error::RunError;
use super::experiment::{search_on, train_random};
use super::failure::{FAILED, Failure};
use super::observer::Observer;
use super::outcome::Outcome;
use super::retry::with_retries;
use super::setup::first;
use crate::device::Device;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;

/// One run of several.
pub(super) struct Member<'a> {
    /// What it is told by.
    pub name: String,
    pub config: &'a Config,
    pub directory: &'a Directory,
    /// Whether it searches; else it trains random architectures.
    pub searches: bool,
    /// Whether its last checkpoints stay when it is over.
    pub keeps_checkpoints: bool,
    /// Whether an error is of this run alone, so that the others go on.
    pub is_its_own: fn(&RunError) -> bool,
}

impl Member<'_> {
    /// Runs it to its end. Inside is why it failed, if it did for a reason of its own: that is written down in its directory.
    ///
    /// `found` hears of what a search has found before the directory is tidied up.
    pub fn complete<E: From<RunError>>(
        &self,
        observer: &mut dyn Observer,
        open: &impl Fn(&str) -> Result<Vec<Device>, E>,
        found: impl FnOnce(&Outcome, &mut dyn Observer) -> Result<(), E>,
    ) -> Result<Result<(), Failure>, E> {
        let Self { name, config, directory, .. } = self;
        let named = &mut Named { name, observer: &mut *observer };
        let ended = with_retries(
            config.device.retry,
            named,
            || open(&config.device.name),
            |devices, observer| {
                let ended = match self.searches {
                    true => search_on(devices, config, directory, observer).map(Some),
                    false => first(devices)
                        .map_err(RunError::from)
                        .and_then(|(device, _)| train_random(device, config, directory, observer))
                        .map(|_| None),
                };
                match ended {
                    Err(error) if (self.is_its_own)(&error) => Ok(Err(error)),
                    ended => ended.map(Ok),
                }
            },
        )?;
        match ended {
            Ok(outcome) => {
                if let Some(outcome) = outcome {
                    found(&outcome, observer)?;
                }
                directory.finish(self.keeps_checkpoints)?;
                Ok(Ok(()))
            }
            Err(error) => {
                observer.end();
                Ok(Err(failed(directory, Failure::of(&error))?))
            }
        }
    }
}

/// Writes down in a run's directory why it failed.
pub(super) fn failed(directory: &Directory, failure: Failure) -> Result<Failure, RunError> {
    directory.write_json(FAILED, &failure)?;
    Ok(failure)
}

/// Whether nothing is left to be done in a run's directory.
pub(super) fn is_over(path: &Path) -> bool {
    Directory::has_ended(path) || path.join(FAILED).is_file()
}

/// Why the run of a directory failed, if it did.
pub(super) fn failure_in(path: &Path) -> Result<Option<Failure>, RunError> {
    let path = path.join(FAILED);
    if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
}

/// What a file of a run holds.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let wrong = |problem: String| RunError::History { path: path.to_owned(), problem };
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

/// Who follows several runs, told of the stages of one by its name. What each says of the same data is left out.
struct Named<'a> {
    name: &'a str,
    observer: &'a mut dyn Observer,
}

impl Observer for Named<'_> {
    fn begin(&mut self, stage: &str, steps: u64) {
        self.observer.begin(&format!("{}: {stage}", self.name), steps);
    }

    fn step(&mut self, taken: u64, state: Option<&str>) {
        self.observer.step(taken, state);
    }

    fn end(&mut self) {
        self.observer.end();
    }

    fn stops(&mut self) -> bool {
        self.observer.stops()
    }

    fn warn(&mut self, message: &str) {
        self.observer.warn(&format!("{}: {message}", self.name));
    }
}
