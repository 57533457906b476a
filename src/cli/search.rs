//! `search`: search → derive → train from scratch → compare → pictures.

use super::experiment::{ExperimentArgs, read_summary, toml_text};
use super::output::{self, Outcome};
use cellwright::report;
use cellwright::run::{self, Purpose, Summary};
use cellwright::search;
use serde::Deserialize as _;
use std::path::PathBuf;

/// What to search, on what, and where to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configuration (TOML); without it, what suits the dataset.
    config: Option<PathBuf>,
    #[command(flatten)]
    experiment: ExperimentArgs,
    #[arg(long, help = strategy_help(), conflicts_with = "resume")]
    strategy: Option<String>,
    /// List the strategies and what sets them apart, as a table in Markdown.
    #[arg(long, exclusive = true)]
    list: bool,
    /// Epochs of search, or of training the shared weights.
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "resume")]
    budget: Option<u32>,
    /// Compute every operation by itself: slower, the same results but for rounding. Strategies that compute one path do
    /// so anyway.
    #[arg(long, conflicts_with = "resume")]
    no_fusion: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

fn strategy_help() -> String {
    let names: Vec<&str> = search::ALL.iter().map(|strategy| strategy.about().name).collect();
    format!("Search strategy: {} (`--list` says what sets them apart)", names.join(", "))
}

pub fn run(args: &Args) -> Outcome {
    if args.list {
        return output::print(search::table().trim_end());
    }
    if let Some(directory) = args.experiment.finished()? {
        let summary = read_summary(&directory)?;
        if summary.get("strategy").is_none() {
            return Err("this is the run of one training: `cellwright train --resume` tells what it came to".into());
        }
        let summary = Summary::deserialize(summary);
        let summary = summary.map_err(|error| format!("{}: summary.json: {error}", directory.path().display()))?;
        return match args.json {
            true => output::print_json(&summary),
            false => output::print(&report::run::summary_text(&summary, directory.path())),
        };
    }
    let more = [("--strategy", "search.strategy", args.strategy.as_deref().map(toml_text))];
    let mut read = args.experiment.config(args.config.as_deref(), &more, args.budget, Purpose::Search, None)?;
    if args.no_fusion {
        read.config = read.config.without_fusion();
    }
    let config = read.config.clone();
    let name = format!("{}-{}-{}-seed{}", config.data.name, config.space.name, config.search.name(), config.seed);
    let mut begun = args.experiment.begin(&name, &read, None)?;
    let outcome = begun.run(&config, |device, directory, bars| run::search(device, &config, directory, bars))?;
    for (name, picture) in report::run::pictures(&outcome, &config)? {
        begun.directory.write(&name, picture.as_bytes())?;
    }
    begun.finish()?;
    if args.json {
        output::print_json(&outcome.summary)
    } else {
        output::print(&report::run::text(&outcome, begun.directory.path()))
    }
}
