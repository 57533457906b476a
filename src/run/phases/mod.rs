//! A run is a list of phases, each of which has a result: a search, trainings, a summary.

mod search;
mod summarise;
mod train;

pub(super) use search::Search;
pub(super) use summarise::{SummariseSearch, SummariseTraining};
pub(super) use train::{Train, Who, random};

use super::error::RunError;
use super::outcome::{Searched, Trained};
use super::setup::Setup;
use super::summary::Summary;
use jiff::Timestamp;
use serde_json::json;
use std::time::Instant;

/// What the phases have come to so far.
#[derive(Default)]
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

/// Does one phase after the other, and writes down how long each took.
pub(super) fn run(phases: &[Box<dyn Phase>], setup: &mut Setup<'_>) -> Result<Results, RunError> {
    let mut results = Results::default();
    for phase in phases {
        let (began, start) = (Timestamp::now(), Instant::now());
        phase.run(setup, &mut results)?;
        setup.device.trim();
        setup.timing.append(&json!({
            "phase": phase.name(),
            "began": format!("{began:.3}"),
            "phase_seconds": start.elapsed().as_secs_f64(),
        }))?;
    }
    Ok(results)
}
