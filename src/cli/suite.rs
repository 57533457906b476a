//! `suite`: strategies × spaces × seeds, one run after the other, held against random architectures.

use super::common::open_devices;
use super::experiment::write_reports;
use super::output::{self, Interrupted, Outcome};
use super::progress::Bars;
use super::signals::Signals;
use cellwright::report::suite::{Figures, markdown, picture};
use cellwright::run::files::NAMES;
use cellwright::run::suite::{Asked, Cell, Results, Step, SuiteScale, default_spaces, default_strategies, go_on};
use cellwright::run::{Directory, Observer, RunError};
use std::error::Error;
use std::path::PathBuf;

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
            if let Err(failure) = ended {
                observer.warn(&format!("{} failed: {}", name(cell), failure.reason));
            }
            write_down(suite)?;
        }
    }
    Ok(())
}

/// Writes what there is by now as JSON, in words and as a picture.
fn write_down(suite: &Directory) -> Result<Figures, Box<dyn Error>> {
    let figures = Figures::of(&Results::read(suite.path())?);
    suite.write_json("suite.json", &figures)?;
    suite.write("suite.md", markdown(&figures).as_bytes())?;
    suite.write("suite.svg", picture(&figures)?.as_bytes())?;
    Ok(figures)
}
