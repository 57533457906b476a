//! A run is a list of phases, each of which has a result: a search, trainings, a summary.

mod search;
mod summarise;
mod train;

pub(super) use search::Search;
pub(super) use summarise::{SummariseSearch, SummariseTraining};
pub(super) use train::{Train, Who, random};

use super::directory::CONFIG;
use super::error::RunError;
use super::identity::Identity;
use super::outcome::{Searched, Trained};
use super::setup::Setup;
use super::summary::Summary;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Instant;

/// What the phases have come to so far.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Results {
    pub searched: Option<Searched>,
    pub trained: Vec<Trained>,
    pub summary: Option<Summary>,
}

/// A part of a run.
pub(super) trait Phase {
    /// What it is called.
    fn name(&self) -> String;

    /// Does it, and adds what it came to.
    fn run(&self, setup: &mut Setup<'_>, results: &mut Results) -> Result<(), RunError>;
}

/// Does one phase after the other, from where an earlier run has left them, and writes down how long each took.
pub(super) fn run(
    phases: &[Box<dyn Phase>],
    setup: &mut Setup<'_>,
    identity: Identity,
    other_device: bool,
) -> Result<Results, RunError> {
    let written = identity.config.clone();
    let path = setup.directory.path().join(CONFIG);
    let before = std::fs::read_to_string(&path).ok();
    // Also where it was stopped before its first checkpoint.
    if let Some(problem) = before.as_ref().and_then(|before| identity.differs_from_config(before)) {
        return Err(RunError::Resume { path, problem });
    }
    let notes = setup.ledger.damaged().to_vec();
    let found = setup.ledger.resume::<Results>(identity, other_device)?;
    // Before anything is computed. What is there already keeps its date.
    if before.as_ref() != Some(&written) {
        setup.directory.write(CONFIG, written.as_bytes())?;
    }
    notes.iter().for_each(|note| setup.observer.warn(note));
    let mut results = match found {
        Some((results, metrics)) => {
            let name = phases.get(setup.ledger.done as usize).map_or("its end".to_owned(), |phase| phase.name());
            setup.observer.say(&format!("going on from {name}"));
            setup.timing.append(&json!({ "resumed": format!("{:.3}", Timestamp::now()), "phase": name }))?;
            setup.cut_metrics(metrics)?;
            results
        }
        None => {
            setup.cut_metrics(0)?;
            Results::default()
        }
    };
    for phase in &phases[(setup.ledger.done as usize).min(phases.len())..] {
        let began = Timestamp::now();
        phase.run(setup, &mut results)?;
        setup.device.trim();
        setup.timing.append(&json!({
            "phase": phase.name(),
            "began": format!("{began:.3}"),
            "phase_seconds": setup.ledger.phase_seconds(),
        }))?;
        setup.ledger.finish_phase(&results)?;
        setup.save(None, Instant::now())?;
    }
    Ok(results)
}
