//! A run is a list of phases, each of which has a result: a search, trainings, a summary.

mod search;
mod study;
mod summarise;
mod train;

pub(super) use search::Search;
pub(super) use summarise::{SummariseRandom, SummariseSearch, SummariseTraining};
pub(super) use train::{Train, Who, random};

use super::directory::{CONFIG, METRICS};
use super::error::RunError;
use super::identity::Identity;
use super::ledger::{Ledger, Written};
use super::outcome::{Searched, Trained};
use super::setup::Setup;
use super::summary::Summary;
use crate::state::State;
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

    /// What the network is called that it trains, if it trains one.
    fn trains(&self) -> Option<String> {
        None
    }

    /// After it: the name of the phase that comes next and how far it is, where this one has begun it.
    fn has_begun(&self, _setup: &Setup<'_>) -> Result<Option<(String, State)>, RunError> {
        Ok(None)
    }

    /// Does it, and adds what it came to.
    fn run(&self, setup: &mut Setup<'_>, results: &mut Results) -> Result<(), RunError>;
}

/// The phase that comes next: the one that is under way, else the first that is not done.
fn next<'p>(phases: &'p [Box<dyn Phase>], ledger: &Ledger<'_>) -> Option<&'p dyn Phase> {
    let left = || phases.iter().map(|phase| &**phase).filter(|phase| !ledger.done.contains(&phase.name()));
    let under_way = ledger.begun.as_ref().and_then(|(name, _)| left().find(|phase| *name == phase.name()));
    under_way.or(left().next())
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
    if let Some(problem) = before.as_ref().and_then(|before| identity.differs_from_config(before, &[])) {
        return Err(RunError::Resume { path, problem });
    }
    let notes = setup.ledger.damaged().to_vec();
    let found = setup.ledger.resume::<Results>(identity, other_device)?;
    // Before anything is computed. What is there already keeps its date.
    if before.as_ref() != Some(&written) {
        setup.directory.write(CONFIG, written.as_bytes())?;
    }
    notes.iter().for_each(|note| setup.observer.warn(note));
    setup.observer.starts();
    let mut results = match found {
        Some((results, metrics)) => {
            let results: Results = results;
            let name = next(phases, &setup.ledger).map_or("its end".to_owned(), |phase| phase.name());
            setup.observer.say(&format!("going on from {name}"));
            setup.timing.append(&json!({ "resumed": format!("{:.3}", Timestamp::now()), "phase": name }))?;
            setup.cut_metrics(metrics)?;
            setup.tell_found(METRICS);
            // Of a study under way the journal has yet to be cut.
            if results.searched.is_some() {
                setup.tell_found(study::JOURNAL);
            }
            results
        }
        None => {
            setup.cut_metrics(0)?;
            Results::default()
        }
    };
    // More may be to be done than when the run was begun: what was under way then comes first.
    while let Some(phase) = next(phases, &setup.ledger) {
        let (name, began, before) = (phase.name(), Timestamp::now(), dispatches(setup));
        let ended = phase.run(setup, &mut results);
        if let Err(error) = ended {
            let line = json!({ "phase": name, "began": format!("{began:.3}"), "ended_by": error.to_string() });
            let line = with_costs(line, setup, before);
            // The error itself is what matters.
            let _ = setup.timing.append(&line);
            return Err(error);
        }
        let place = |trained: &Trained| phases.iter().position(|p| p.trains().as_ref() == Some(&trained.facts.name));
        results.trained.sort_by_key(place);
        setup.device.trim();
        let seconds = setup.ledger.phase_seconds();
        setup.ledger.finish_phase(name.clone(), &results)?;
        let gathering = Instant::now();
        let (next, state) = phase.has_begun(setup)?.unzip();
        setup.save(next.as_deref().zip(state), gathering)?;
        let line = json!({ "phase": name, "began": format!("{began:.3}"), "phase_seconds": seconds });
        let line = with_costs(line, setup, before);
        setup.timing.append(&line)?;
    }
    Ok(results)
}

/// Dispatches that were run on the run's devices by now.
fn dispatches(setup: &Setup<'_>) -> u64 {
    let others = setup.others.iter().map(|(device, _)| device.usage().dispatches());
    setup.device.usage().dispatches() + others.sum::<u64>()
}

/// A line of `timing.jsonl` with what the phase's checkpoints took, the dispatches since there were `before`, and the most bytes
/// that a device has held in this process by now.
fn with_costs(mut line: serde_json::Value, setup: &mut Setup<'_>, before: u64) -> serde_json::Value {
    let Written { number, bytes, seconds } = setup.ledger.written();
    line["checkpoints"] = number.into();
    line["checkpoint_bytes"] = bytes.into();
    line["checkpoint_seconds"] = seconds.into();
    line["dispatches"] = (dispatches(setup) - before).into();
    let peaks = setup.others.iter().map(|(device, _)| device.usage().peak());
    line["device_bytes"] = peaks.fold(setup.device.usage().peak(), u64::max).into();
    line
}
