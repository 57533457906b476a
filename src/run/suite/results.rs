//! What the runs of a suite have come to, as their directories tell.

use super::cell::{Cell, RANDOM};
use super::grid::Grid;
use super::plan::Plan;
use crate::run::complete::{failure_in, read_json};
use crate::run::directory::{Directory, SUMMARY};
use crate::run::error::RunError;
use crate::run::failure::Failure;
use crate::run::summary::{NetworkFacts, RandomSummary, Summary};
use crate::space::Space;
use std::path::Path;

/// A network that was trained from scratch.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Size, accuracy, and seconds of training.
    pub facts: NetworkFacts,
    /// The operations that its architecture repeats most; none if it could not be read.
    pub operations: Vec<String>,
}

/// What has become of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// It has not come to its end.
    Missing,
    /// It failed.
    Failed(Failure),
    /// It is over.
    Done {
        /// What was trained: the one network found, or those of random architectures.
        networks: Vec<Network>,
        /// Seconds of search; 0 for random architectures.
        search_seconds: f64,
        /// What the collapse monitor said.
        warnings: Vec<String>,
    },
}

/// What the runs of a suite have come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// The plan.
    pub plan: Plan,
    /// The dataset, in one line, and the device: those of the first run that is over.
    pub ran_on: Option<[String; 2]>,
    /// The runs in their order.
    pub runs: Vec<(Cell, Ended)>,
}

impl Results {
    /// Reads a suite's directory.
    ///
    /// # Errors
    /// [`RunError::History`] naming the file and what is wrong with it.
    pub fn read(directory: &Path) -> Result<Self, RunError> {
        let plan = Plan::read(directory)?;
        let grid = Grid::of(&plan)?;
        let mut results = Self { plan, ran_on: None, runs: Vec::new() };
        for cell in grid.cells() {
            let path = cell.path(directory);
            let space = grid.config(&cell).ok().and_then(|config| config.space.build().ok());
            let ended = results.of(&cell, &path, space.as_deref())?;
            results.runs.push((cell, ended));
        }
        Ok(results)
    }

    fn of(&mut self, cell: &Cell, path: &Path, space: Option<&dyn Space>) -> Result<Ended, RunError> {
        if let Some(failure) = failure_in(path)? {
            return Ok(Ended::Failed(failure));
        }
        if !Directory::has_ended(path) {
            return Ok(Ended::Missing);
        }
        let network = |facts: NetworkFacts| {
            let read = facts.genotype.as_ref().zip(space).and_then(|(text, space)| {
                let architecture = space.parse(text).ok()?;
                Some(space.operations(&architecture))
            });
            Network { facts, operations: read.unwrap_or_default() }
        };
        let file = path.join(SUMMARY);
        let (ran_on, ended) = if cell.strategy == RANDOM {
            let summary: RandomSummary = read_json(&file)?;
            let networks = summary.networks.into_iter().map(network).collect();
            let ended = Ended::Done { networks, search_seconds: 0.0, warnings: Vec::new() };
            ([summary.data_source, summary.device], ended)
        } else {
            let Summary { networks, search_seconds, warnings, data_source, device, .. } = read_json(&file)?;
            let networks = networks.into_iter().take(1).map(network).collect();
            ([data_source, device], Ended::Done { networks, search_seconds, warnings })
        };
        self.ran_on.get_or_insert(ran_on);
        Ok(ended)
    }
}
