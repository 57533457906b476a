//! The directory of a suite, looked at before anything in it is read.

use super::place::{self, Facts, Signature};
use crate::report::page::{Document, RunShown};
use crate::report::suite::Figures;
use crate::run::RunError;
use crate::run::suite::{Cell, Grid, PLAN, Plan, Results};
use std::fs;
use std::path::{MAIN_SEPARATOR, Path};

/// What a suite's files were like when they were looked at: where that is the same, there is nothing new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    plan: Option<Facts>,
    /// Its runs, and the files of those that are there.
    runs: Vec<(Cell, Option<Signature>)>,
}

impl Look {
    /// Its runs.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.runs.iter().map(|(cell, _)| cell)
    }
}

/// Looks at the files of a suite.
///
/// # Errors
/// Why they are not read, in words.
pub(super) fn look(path: &Path) -> Result<Look, String> {
    let plan = place::facts(path, PLAN)?;
    let cells = Plan::read(path).and_then(|plan| Ok(Grid::of(&plan)?.cells())).map_err(|error| words(path, &error))?;
    let look = |cell: Cell| {
        let place = cell.path(path);
        // Nothing is there of a run that is yet to be done.
        let signature = match fs::symlink_metadata(&place) {
            Ok(_) => Some(Signature::of(&place).map_err(|problem| format!("{}: {problem}", relative(path, &place)))?),
            Err(_) => None,
        };
        Ok((cell, signature))
    };
    Ok(Look { plan, runs: cells.into_iter().map(look).collect::<Result<_, String>>()? })
}

/// The document of a suite that was looked at.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn document(path: &Path, shown: impl Fn(&Cell) -> RunShown) -> Result<Document, String> {
    let results = Results::read(path).map_err(|error| words(path, &error))?;
    Ok(Document::of_suite(&Figures::of(&results), &results, shown))
}

/// An error without the directory's path.
fn words(path: &Path, error: &RunError) -> String {
    error.to_string().replace(&format!("{}{MAIN_SEPARATOR}", path.display()), "")
}

fn relative(path: &Path, place: &Path) -> String {
    place.strip_prefix(path).unwrap_or(place).display().to_string()
}
