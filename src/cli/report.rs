//! `cellwright report`: what runs' directories say, side by side.

use super::output::Outcome;
use super::output::{print, print_json, write_file};
use cellwright::report::checklist::{Checklist, markdown};
use cellwright::report::collapse::collapse;
use cellwright::run::History;
use cellwright::run::record::Record;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directories of searches by gradient methods; with `--checklist` of any searches, or one that holds those of several seeds.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Draw skip connections by epoch, a line for each run.
    #[arg(long, value_name = "FILE.svg")]
    collapse: Option<PathBuf>,
    /// Heading of the picture.
    #[arg(long, default_value = "", requires = "collapse")]
    title: String,
    /// Hold the runs against the best practices of Lindauer and Hutter (2020), item by item: what their files show, and what is
    /// still to be done. Runs that differ in the seed alone are repetitions.
    #[arg(long, conflicts_with = "collapse")]
    checklist: bool,
    /// Print the checklist as JSON.
    #[arg(long, requires = "checklist")]
    json: bool,
}

pub fn run(args: &Args) -> Outcome {
    if args.checklist {
        let checklist = Checklist::of(&Record::read_all(&args.runs)?);
        return if args.json { print_json(&checklist) } else { print(&markdown(&checklist)) };
    }
    let searches = args.runs.iter().map(|run| History::read(run)).collect::<Result<Vec<_>, _>>()?;
    if let Some(file) = &args.collapse {
        write_file(file, &collapse(&args.title, &searches)?)?;
    }
    let mut text = String::new();
    for (run, history) in args.runs.iter().zip(&searches) {
        let last = history.skips.last().copied().unwrap_or_default();
        let (strategy, epochs) = (&history.strategy, history.skips.len());
        text += &format!("{}: {strategy}, {epochs} epochs, {last} skip connections after the last\n", run.display());
        for line in [&history.found.as_ref().map(|found| format!("found {found}")), &history.collapse] {
            text += &line.as_ref().map_or(String::new(), |line| format!("  {line}\n"));
        }
    }
    print(text.trim_end())
}
