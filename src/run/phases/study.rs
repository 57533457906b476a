//! How a study is driven, what is heard of it, and its journal `trials.jsonl`: an object for each thing that happens to a trial.

use crate::estimate::measured::PARAMETERS;
use crate::estimate::{EstimateError, Fidelity, Measured, SharedWeights};
use crate::run::directory::Log;
use crate::run::error::RunError;
use crate::run::setup::{Listener, Searching, Setup};
use crate::run::supernet::CALIBRATION;
use crate::run::workers::Workers;
use crate::search::study::{BEYOND, Inline, StudyConfig, estimator};
use crate::search::{self, Bench, Event, Stepper, Tried};
use crate::space::Space;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::thread;

/// The journal's file.
pub(super) const JOURNAL: &str = "trials.jsonl";

/// Settings of the study that the configuration's search is.
pub(super) fn config(setup: &Setup<'_>) -> Result<StudyConfig, EstimateError> {
    let (mut config, _) = StudyConfig::read(&setup.config.search.settings)?;
    // None need be idle.
    config.workers = config.workers.max(1 + setup.others.len() as u32);
    Ok(config)
}

/// Drives it, each trial in a thread of its own.
pub(super) fn drive<L: Listener<Event>>(name: &str, setup: &mut Setup<'_>, listener: &mut L) -> Result<(), RunError> {
    let config = config(setup)?;
    let (device, space, seed, directory) = (setup.device, setup.space, setup.config.seed, setup.directory);
    let search = &setup.config.search;
    let nothing = || EstimateError::Settings(format!("{} is no study", search.name()));
    let sampler = search.strategy.sampler(&search.settings, seed).ok_or_else(nothing)??;
    let (images, network, table) = (setup.train.clone(), setup.settings.clone(), setup.table.clone());
    if let Some(supernet) = &setup.supernet {
        if config.workers > 1 {
            let problem = "shared weights measure one trial at a time: name one device";
            return Err(EstimateError::Settings(problem.into()).into());
        }
        let mut paths = supernet.paths(device, space, &network, &images)?;
        let rest = supernet.rest.clone();
        let estimator = SharedWeights::new(space, &mut paths, &rest, CALIBRATION).counting(network);
        let crew = Box::new(Inline::new(Box::new(estimator)));
        let study = search::study::Study::by(device, space, crew, config, sampler);
        return setup.drive(name, &mut Searching::from(Box::new(study) as Box<dyn Stepper>), listener);
    }
    let others = setup.others.clone();
    let bench = Bench {
        device,
        space,
        settings: &network,
        images: &images,
        labels: setup.labels,
        seed,
        network: &network,
        train: &setup.config.train,
        table: table.as_ref(),
    };
    let on_others = others.iter().map(|(device, images)| Bench { device, images, ..bench });
    let estimators: Vec<_> =
        std::iter::once(bench).chain(on_others).map(|bench| estimator(bench, &config)).collect::<Result<_, _>>()?;
    thread::scope(|scope| {
        let crew = Workers::new(scope, &estimators, config.trial_seconds, directory);
        let study = search::study::Study::by(device, space, Box::new(crew), config.clone(), sampler);
        setup.drive(name, &mut Searching::from(Box::new(study) as Box<dyn Stepper>), listener)
    })
}

/// What was heard of a study.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Study {
    /// The trials that have ended, in the order in which they did.
    pub trials: Vec<Tried>,
    /// Epochs that all trials were trained for, also those that have not ended.
    #[serde(default)]
    pub epochs: u64,
    /// Seconds from when a trial was begun until it was known what it came to, by its number.
    #[serde(default)]
    pub seconds: BTreeMap<usize, f64>,
    /// When those under way were begun, in seconds of the phase.
    #[serde(default)]
    began: BTreeMap<usize, f64>,
    /// What was decided beside the architecture found.
    pub settings: Vec<(String, toml::Value)>,
    /// Bytes of the journal.
    length: u64,
    #[serde(skip)]
    journal: Option<Log>,
}

impl Study {
    /// Writes down what happened; how it stands, if that is worth a word.
    pub fn hear(&mut self, setup: &mut Setup<'_>, event: Event) -> Result<Option<String>, RunError> {
        let state = match event {
            Event::Began { trial, candidate, settings, fidelity, continues } => {
                self.began.insert(trial, setup.ledger.phase_seconds());
                let mut line = json!({
                    "trial": trial, "state": "began", "architecture": setup.space.print(&candidate.answers),
                    "answers": candidate.answers,
                });
                let table: serde_json::Map<String, Value> =
                    settings.into_iter().map(|(key, value)| (key, json!(value))).collect();
                if !table.is_empty() {
                    line["settings"] = Value::Object(table);
                    line["coordinates"] = json!(candidate.beside);
                }
                if let Fidelity::Epochs(epochs) = fidelity {
                    line["epochs"] = epochs.into();
                }
                if let Some(before) = continues {
                    line["continues"] = before.into();
                }
                self.write(setup, &line, false)?;
                Some(format!("trial {}", trial + 1))
            }
            Event::Trained { trial, epoch } => {
                self.epochs += 1;
                let mut line = json!(epoch);
                line["trial"] = trial.into();
                line["state"] = "epoch".into();
                self.write(setup, &line, false)?;
                Some(format!("trial {}, epoch {}: {:.1} %", trial + 1, epoch.epoch + 1, 100.0 * epoch.train_accuracy))
            }
            Event::Tried(tried) => {
                let line = match &tried.measured {
                    Measured::Worth { objectives, .. } => {
                        json!({ "trial": tried.trial, "state": "finished", "objectives": objectives, "best": tried.is_best })
                    }
                    Measured::Failed { reason } => json!({ "trial": tried.trial, "state": "failed", "reason": reason }),
                };
                self.write(setup, &line, true)?;
                if let Some(began) = self.began.remove(&tried.trial) {
                    let seconds = setup.ledger.phase_seconds() - began;
                    // A trial that is carried out again after its checkpoint was lost has another line: the last one counts.
                    setup.timing.append(&json!({ "trial": tried.trial, "trial_seconds": seconds }))?;
                    self.seconds.insert(tried.trial, seconds);
                }
                let said = said(&tried, self.seconds.get(&tried.trial).copied());
                // Of what is beyond a limit there may be thousands.
                let failed = matches!(&tried.measured, Measured::Failed { reason } if !reason.starts_with(BEYOND));
                if tried.is_best || failed {
                    setup.observer.say(&said);
                }
                self.trials.push(*tried);
                Some(said)
            }
            Event::Settled { settings } => {
                self.settings = settings;
                None
            }
            _ => None,
        };
        Ok(state)
    }

    /// Appends a line; what a checkpoint counts on is there after a loss of power.
    fn write(&mut self, setup: &mut Setup<'_>, line: &Value, is_last: bool) -> Result<(), RunError> {
        let journal = match &mut self.journal {
            Some(journal) => journal,
            None => {
                let mut journal = setup.directory.log(JOURNAL)?;
                if journal.length() < self.length {
                    return Err(setup
                        .ledger
                        .unusable(format!("{JOURNAL} has less than the {} bytes it had then", self.length)));
                }
                journal.cut(self.length)?;
                setup.tell_found(JOURNAL);
                self.journal.insert(journal)
            }
        };
        journal.append(line)?;
        if is_last {
            journal.sync()?;
        }
        self.length = journal.length();
        setup.observer.wrote(line);
        Ok(())
    }

    /// A row for each trial, comma-separated.
    pub fn csv(&self, space: &dyn Space) -> String {
        let names: BTreeSet<&String> = self
            .trials
            .iter()
            .filter_map(|tried| match &tried.measured {
                Measured::Worth { objectives, .. } => Some(objectives.keys()),
                Measured::Failed { .. } => None,
            })
            .flatten()
            .collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let keys: Vec<&String> =
            self.trials.first().map(|tried| tried.settings.iter().map(|(key, _)| key).collect()).unwrap_or_default();
        let fixed = ["trial", "state", "epochs", "architecture"].map(str::to_owned);
        let header = fixed.into_iter().chain(keys.iter().map(ToString::to_string));
        let header = header.chain(names.iter().map(ToString::to_string)).chain(["reason".to_owned()]);
        // Writing to memory does not fail.
        let _ = writer.write_record(header);
        for tried in &self.trials {
            let (state, reason) = match &tried.measured {
                Measured::Worth { .. } => ("finished", ""),
                Measured::Failed { reason } => ("failed", reason.as_str()),
            };
            let epochs = match tried.fidelity {
                Fidelity::Full => String::new(),
                Fidelity::Epochs(epochs) => epochs.to_string(),
            };
            let mut row =
                vec![tried.trial.to_string(), state.to_owned(), epochs, space.print(&tried.candidate.answers)];
            row.extend(tried.settings.iter().map(|(_, value)| value.to_string()));
            row.extend(
                names.iter().map(|name| tried.measured.objective(name).map_or(String::new(), |v| v.to_string())),
            );
            row.push(reason.to_owned());
            let _ = writer.write_record(row);
        }
        String::from_utf8_lossy(&writer.into_inner().unwrap_or_default()).into_owned()
    }
}

/// A trial that has ended, in a line: accuracy, size, seconds.
fn said(tried: &Tried, seconds: Option<f64>) -> String {
    let number = tried.trial + 1;
    let mut facts = match (&tried.measured, tried.measured.accuracy()) {
        (Measured::Failed { reason }, _) => return format!("trial {number} failed: {reason}"),
        (_, Some(accuracy)) => format!("trial {number}: accuracy {:.2} %", 100.0 * accuracy),
        (_, None) => format!("trial {number} ended"),
    };
    if let Some(parameters) = tried.measured.objective(PARAMETERS) {
        facts += &format!(", {parameters:.0} parameters");
    }
    if let Some(seconds) = seconds {
        facts += &format!(", {seconds:.1} s");
    }
    facts + if tried.is_best { ", the best so far" } else { "" }
}
