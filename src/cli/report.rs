//! `cellwright report`: what runs' directories say, side by side.

use super::output::Outcome;
use super::output::{print, print_json, write_file};
use super::suite::page_for;
use cellwright::report::checklist::{Checklist, markdown};
use cellwright::report::collapse::collapse;
use cellwright::report::page::{Document, html};
use cellwright::run::History;
use cellwright::run::record::{Record, runs_of};
use cellwright::run::suite::PLAN;
use cellwright::run::trace::Trace;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directories of searches by gradient methods; with `--html` or `--checklist` of any, or one that holds those of several
    /// seeds; with `--html` also that of a suite.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Write a page that shows one run, finished or not, or holds several side by side: mean, deviation and significance over
    /// seeds, curves. One file, which reaches for nothing outside it.
    #[arg(long, value_name = "FILE.html", conflicts_with_all = ["collapse", "checklist"])]
    html: Option<PathBuf>,
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
    if let Some(file) = &args.html {
        if let [suite] = &args.runs[..]
            && suite.join(PLAN).is_file()
        {
            write_file(file, html(&page_for(suite, file)?))?;
            return print(&format!("{}: a page of a suite\n", file.display()));
        }
        let traces = runs_of(&args.runs)?.iter().map(|run| Trace::read(run)).collect::<Result<Vec<_>, _>>()?;
        write_file(file, html(&Document::of(&traces)))?;
        let count = traces.len();
        return print(&format!("{}: a page of {count} run{}\n", file.display(), if count == 1 { "" } else { "s" }));
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
