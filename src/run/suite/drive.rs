//! One run after the other, from where an earlier process has left them.

use super::cell::{Cell, RANDOM};
use super::grid::Grid;
use super::plan::{Asked, PLAN, Plan};
use crate::device::{self, Device};
use crate::run::complete::{Member, failed, is_over};
use crate::run::config::Config;
use crate::run::directory::Directory;
use crate::run::error::RunError;
use crate::run::experiment::{begin_at, begin_random_at};
use crate::run::failure::Failure;
use crate::run::files::{self, Request};
use crate::run::observer::Observer;
use crate::run::outcome::Outcome;
use std::path::Path;

/// What a suite tells of itself while it runs.
#[derive(Debug)]
pub enum Step<'a> {
    /// A run begins, or goes on: the how manieth of how many that were to be done.
    Begins(&'a Cell, [usize; 2]),
    /// A search has found something; its directory is not tidied up yet. (Random architectures have none.)
    Found(&'a Config, &'a Directory, &'a Outcome),
    /// A run is over, or has failed, in the suite of this directory.
    Ended(&'a Cell, Result<(), &'a Failure>, &'a Directory),
}

/// Runs what is left of the suite in the directory `path`: of the plan that lies there, which may grow, or of a new one. A run
/// that fails for a reason of its own is written down as such in its directory, and the suite goes on; what would befall
/// the others too ends it.
///
/// `open` opens the device of a name, for each run anew. `told` hears of each step. The plan is whole on the disk before
/// anything is computed. Gives the suite's directory, in which nobody else works as long as it is held.
///
/// # Errors
/// Those of `open` and `told`; [`RunError::Config`] and [`RunError::Load`] before anything is written; [`RunError::Resume`] where
/// the plan is another; [`RunError::Stopped`] if the observer asked for it; [`RunError::InUse`]; [`RunError::Write`]; the
/// loss of the device.
pub fn go_on<E: From<RunError>>(
    path: &Path,
    asked: &Asked,
    observer: &mut dyn Observer,
    open: impl Fn(&str) -> Result<Vec<Device>, E>,
    mut told: impl FnMut(Step<'_>, &mut dyn Observer) -> Result<(), E>,
) -> Result<Directory, E> {
    let before = if path.join(PLAN).exists() { Some(Plan::read(path)?) } else { None };
    let plan = match &before {
        Some(before) => before.extended(path, asked)?,
        None => Plan::new(asked)?,
    };
    let grid = Grid::of(&plan).map_err(RunError::from)?;
    let cells = grid.cells();
    if before.is_none() {
        check_data(&grid, &cells, observer)?;
    }
    let directory = Directory::with(path, PLAN)?;
    if before.as_ref() != Some(&plan) {
        plan.write(&directory)?;
    }
    let left: Vec<&Cell> = cells.iter().filter(|cell| !is_over(&cell.path(path))).collect();
    for (number, cell) in left.iter().enumerate() {
        if observer.stops() {
            let (taken, total) = (number as u64, left.len() as u64);
            return Err(RunError::Stopped { phase: "suite".to_owned(), taken, total }.into());
        }
        told(Step::Begins(cell, [number + 1, left.len()]), observer)?;
        let of_cell = Of { cell, path: &cell.path(path), grid: &grid };
        let ended = of_cell.run(observer, &open, &mut told)?;
        told(Step::Ended(cell, ended.as_ref().copied(), &directory), observer)?;
    }
    Ok(directory)
}

/// What is wrong with the data is found out before the plan is written down.
fn check_data(grid: &Grid, cells: &[Cell], observer: &mut dyn Observer) -> Result<(), RunError> {
    let Some(Config { data, .. }) = cells.iter().find_map(|cell| grid.config(cell).ok()) else { return Ok(()) };
    let request = Request { name: &data.name, directory: data.dir.as_deref(), images: &data.images, room: None };
    files::load(&request, observer)?;
    Ok(())
}

/// One run.
struct Of<'a> {
    cell: &'a Cell,
    path: &'a Path,
    grid: &'a Grid,
}

impl Of<'_> {
    /// Runs it to its end. Inside is why it failed, if it did for a reason of its own.
    fn run<E: From<RunError>>(
        &self,
        observer: &mut dyn Observer,
        open: &impl Fn(&str) -> Result<Vec<Device>, E>,
        told: &mut impl FnMut(Step<'_>, &mut dyn Observer) -> Result<(), E>,
    ) -> Result<Result<(), Failure>, E> {
        let config = match self.grid.config(self.cell) {
            Ok(config) => config,
            Err(reason) => return Ok(Err(failed(&Directory::create(self.path)?, Failure::new(reason))?)),
        };
        let Cell { space, strategy, seed } = self.cell;
        let searches = strategy != RANDOM;
        let directory =
            if searches { begin_at(self.path, &config, None)? } else { begin_random_at(self.path, &config)? };
        let member = Member {
            name: format!("{space}, {strategy}, seed {seed}"),
            config: &config,
            directory: &directory,
            searches,
            keeps_checkpoints: false,
            is_its_own,
        };
        member.complete(observer, open, |outcome, observer| told(Step::Found(&config, &directory, outcome), observer))
    }
}

/// Whether an error is of this run, and says nothing of the others: not of the data, the disk, the device or the user.
fn is_its_own(error: &RunError) -> bool {
    let out_of_memory = matches!(error.device(), Some(device::Error::OutOfMemory { .. }));
    let of_device = error.device().is_some() && !out_of_memory;
    let of_suite = matches!(
        error,
        RunError::Load(_)
            | RunError::History { .. }
            | RunError::Stopped { .. }
            | RunError::InUse { .. }
            | RunError::NoRun { .. }
            | RunError::Resume { .. }
            | RunError::Occupied { .. }
            | RunError::Write { .. }
    );
    !of_device && !of_suite
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::EstimateError;

    #[test]
    fn what_befalls_all_runs_ends_the_suite() {
        let of_device = |error: device::Error| RunError::Device(error);
        assert!(is_its_own(&EstimateError::Settings("not in this space".into()).into()));
        assert!(is_its_own(&of_device(device::Error::OutOfMemory { asked: 1, in_use: 0 })));
        assert!(!is_its_own(&of_device(device::Error::Lost { message: "gone".into() })));
        assert!(!is_its_own(&RunError::Stopped { phase: "search".into(), taken: 1, total: 2 }));
        let source = std::io::Error::other("the disk is full");
        assert!(!is_its_own(&RunError::Write { path: "x".into(), source }));
    }
}
