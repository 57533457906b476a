//! `suite`: strategies × spaces × seeds, one run after the other, held against random architectures.

use super::common::open_devices;
use super::experiment::{PAGE, write_reports};
use super::output::{self, Interrupted, Outcome, write_file};
use super::progress::Bars;
use super::signals::Signals;
use cellwright::export::markup::address;
use cellwright::report::page::{Document, RunShown, html};
use cellwright::report::suite::{Figures, markdown, picture};
use cellwright::run::files::NAMES;
use cellwright::run::suite::{
    Asked, Cell, RANDOM, Results, Step, SuiteScale, default_spaces, default_strategies, go_on,
};
use cellwright::run::trace::Trace;
use cellwright::run::{Directory, Observer, RunError};
use std::error::Error;
use std::path::{Component, Path, PathBuf};

/// What to run, and where to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of the suite: a new one, or one to go on with, which needs no options.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', help = strategies_help())]
    strategies: Option<Vec<String>>,
    #[arg(long, value_name = "X,Y,…", value_delimiter = ',', help = spaces_help())]
    spaces: Option<Vec<String>>,
    /// Number of seeds, from 0 [default: 3].
    #[arg(long)]
    seeds: Option<u32>,
    /// How much work each run is: `small`, an evening on two cores (minutes with the digits), or `published` [default: small].
    #[arg(long, value_name = "small|published")]
    scale: Option<SuiteScale>,
    #[arg(long, help = format!("Dataset: {} [default: digits]", NAMES.join(", ")))]
    data: Option<String>,
    /// Directory of the dataset's files, or the archive that holds them.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// `auto`, `cpu`, `gpu`, `software`, or a number or name that `cellwright devices` lists [default: auto].
    #[arg(long)]
    device: Option<String>,
    /// Change one setting of all runs that read it, e.g. `--set random=8` (repeatable).
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

fn strategies_help() -> String {
    format!("Search strategies, as `cellwright search --list` has them [default: {}]", default_strategies().join(","))
}

fn spaces_help() -> String {
    let named = |scale| match default_spaces(scale).join(",") {
        none if none.is_empty() => "none".to_owned(),
        some => some,
    };
    let [small, published] = [SuiteScale::Small, SuiteScale::Published].map(named);
    format!("Search spaces that are part of the program [default: {small}; of published scale: {published}]")
}

pub fn run(args: &Args) -> Outcome {
    let asked = Asked {
        strategies: args.strategies.clone(),
        spaces: args.spaces.clone(),
        seeds: args.seeds,
        scale: args.scale,
        data: args.data.clone(),
        data_dir: args.data_dir.clone(),
        device: args.device.clone(),
        set: args.set.clone(),
    };
    let signals = Signals::listen()?;
    let mut bars = Bars::new(signals.clone());
    let path = &args.directory;
    let ended = go_on::<Box<dyn Error>>(path, &asked, &mut bars, open_devices, told);
    bars.end();
    let directory = ended.map_err(|error| match (error.downcast_ref::<RunError>(), signals.status()) {
        (Some(RunError::Stopped { .. }), Some(status)) => {
            let message = format!("{error}: all is saved; go on with `cellwright suite {}`", path.display());
            Interrupted { status, message }.into()
        }
        _ => error,
    })?;
    let figures = write_down(&directory)?;
    match args.json {
        true => output::print_json(&figures),
        false => output::print(&markdown(&figures)),
    }
}

/// Says which run it is and how it went, and leaves the pictures that a search leaves.
fn told(step: Step<'_>, observer: &mut dyn Observer) -> Outcome {
    let name = |Cell { space, strategy, seed }: &Cell| format!("{space}, {strategy}, seed {seed}");
    match step {
        Step::Begins(cell, [number, all]) => observer.say(&format!("{number} of {all}: {}", name(cell))),
        Step::Found(config, directory, found) => {
            write_reports(directory, found, config)?;
        }
        Step::Ended(cell, ended, suite) => {
            match ended {
                Err(failure) => observer.warn(&format!("{} failed: {}", name(cell), failure.reason)),
                // Nothing else makes a page of random architectures.
                Ok(()) if cell.strategy == RANDOM => {
                    let path = cell.path(suite.path());
                    write_file(&path.join(PAGE), html(&Document::of(&[Trace::read(&path)?])))?;
                }
                Ok(()) => {}
            }
            write_down(suite)?;
        }
    }
    Ok(())
}

/// Writes what there is by now as JSON, in words, as a picture and as a page.
fn write_down(suite: &Directory) -> Result<Figures, Box<dyn Error>> {
    let results = Results::read(suite.path())?;
    let figures = Figures::of(&results);
    suite.write_json("suite.json", &figures)?;
    suite.write("suite.md", markdown(&figures).as_bytes())?;
    suite.write("suite.svg", picture(&figures)?.as_bytes())?;
    suite.write(PAGE, html(&page(suite.path(), &figures, &results, Some(""))).as_bytes())?;
    Ok(figures)
}

/// The page of the suite in a directory, to be written to a file.
///
/// # Errors
/// [`RunError::History`] naming a file of the suite and what is wrong with it.
pub fn page_for(directory: &Path, file: &Path) -> Result<Document, RunError> {
    let results = Results::read(directory)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let way = folder.canonicalize().ok().zip(directory.canonicalize().ok()).and_then(|(from, to)| way(&from, &to));
    Ok(page(directory, &Figures::of(&results), &results, way.as_deref()))
}

/// The page of a suite. `way` leads from the page to the suite's directory; without one runs have no links, and neither have those whose
/// own page is not there.
fn page(directory: &Path, figures: &Figures, results: &Results, way: Option<&str>) -> Document {
    let link = |cell: &Cell| {
        let Cell { space, strategy, seed } = cell;
        let is_there = cell.path(directory).join(PAGE).is_file();
        let page = || address(&format!("{space}/{strategy}/seed-{seed}/{PAGE}"));
        way.filter(|_| is_there).map(|way| format!("{way}{}", page())).unwrap_or_default()
    };
    Document::of_suite(figures, results, |cell| RunShown { link: link(cell), state: None })
}

/// The way from one directory to another, both without links in them, as an address with `/` at its end: nothing, from a directory to itself.
fn way(from: &Path, to: &Path) -> Option<String> {
    let [mut from, mut to] = [from, to].map(|path| path.components().peekable());
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let mut way = String::new();
    for part in from {
        // On another drive there is no way.
        matches!(part, Component::Normal(_)).then_some(())?;
        way += "../";
    }
    for part in to {
        let Component::Normal(part) = part else { return None };
        // What is no Unicode has no address here.
        way += &(address(part.to_str()?) + "/");
    }
    Some(way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_leads_up_and_down_in_plain_letters() {
        let of = |from: &str, to: &str| way(Path::new(from), Path::new(to)).unwrap();
        assert_eq!(of("/a/b", "/a/b"), "");
        assert_eq!(of("/a/b", "/a/b/c d/<e>"), "c%20d/%3Ce%3E/");
        assert_eq!(of("/a/x/y", "/a/b:c"), "../../b%3Ac/");
    }
}
