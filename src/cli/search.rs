//! `search`: search → derive → train from scratch → compare → pictures.

use super::experiment::{ExperimentArgs, read_summary, toml_text, write_reports};
use super::output::{self, Outcome};
use super::seeds;
use cellwright::report;
use cellwright::run::{self, Purpose, Summary};
use cellwright::search::{self, study::about};
use serde::Deserialize as _;
use std::path::{Path, PathBuf};

/// The most seeds: more than anybody has had patience for.
const MOST_SEEDS: i64 = 10_000;

/// Options of a single run.
const ONE_RUN: &[&str] =
    if cfg!(feature = "tui") { &["resume", "tensorboard", "tui"] } else { &["resume", "tensorboard"] };

/// What to search, on what, and where to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configuration (TOML); without it, what suits the dataset.
    config: Option<PathBuf>,
    #[command(flatten)]
    experiment: ExperimentArgs,
    #[arg(long, help = strategy_help(), conflicts_with = "resume")]
    strategy: Option<String>,
    /// List the strategies, estimators and rules by which trials are given up, as tables in Markdown.
    #[arg(long, exclusive = true)]
    list: bool,
    /// Epochs of search, or of training the shared weights.
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "resume")]
    budget: Option<u32>,
    /// Repeat the search with so many seeds, from `--seed` on, each a run of its own in `seed-N` below `--out`. The same command
    /// with the same `--out` goes on.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_SEEDS), conflicts_with_all = ONE_RUN)]
    seeds: Option<u32>,
    /// Trials of a study, at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "resume")]
    trials: Option<u32>,
    /// Seconds after which a study ends with what it has found. What is tried does not depend on it.
    #[arg(long, value_name = "S", conflicts_with = "resume")]
    seconds: Option<f64>,
    /// Trials of a study at a time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "resume")]
    workers: Option<u32>,
    /// Enter what trials came to when it is known, not in the order in which they were begun: no worker waits for another, but
    /// the study depends on which is faster.
    #[arg(long, conflicts_with = "resume")]
    unordered: bool,
    /// What a study looks for, the most important first: accuracy, balanced_accuracy, loss, parameters, multiply_adds, activation_bytes.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', conflicts_with = "resume")]
    objective: Vec<String>,
    /// What a trial's network may have at most, e.g. `parameters=3e6` (repeatable).
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "resume")]
    limit: Vec<String>,
    /// How a study measures its trials: `training`; `table`, that of their benchmark; or `shared`, the weights of a supernet.
    #[arg(long, value_parser = ["training", "table", "shared"], conflicts_with = "resume")]
    estimator: Option<String>,
    /// Directory of the files of NAS-Bench-201's table: what was found is looked up in it, and its rank and what random search
    /// comes to at the same cost are said; with `--estimator table` trials are looked up instead of trained.
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    table: Option<PathBuf>,
    /// Run of a search whose shared weights measure the trials.
    #[arg(long, value_name = "RUN", requires = "estimator")]
    supernet: Option<PathBuf>,
    /// Which of the table's datasets.
    #[arg(long, value_name = "NAME", default_value = "cifar10", requires = "table")]
    table_dataset: String,
    /// Share of the training images that measure a study's trials, and do not train.
    #[arg(long, value_name = "SHARE", conflicts_with = "resume")]
    validation: Option<f64>,
    /// Compute every operation by itself: slower, the same results but for rounding. Strategies that compute one path do
    /// so anyway.
    #[arg(long, conflicts_with = "resume")]
    no_fusion: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

/// An option, the setting that it stands for, and its value as TOML.
type Given = (&'static str, &'static str, Option<String>);

impl Args {
    /// The settings that its options stand for.
    fn settings(&self) -> Result<Vec<Given>, Box<dyn std::error::Error>> {
        let objectives: Vec<String> = self.objective.iter().map(|name| toml_text(name)).collect();
        let mut limits = Vec::new();
        for limit in &self.limit {
            let wrong = || format!("--limit {limit}: write NAME=VALUE, for instance parameters=3e6");
            let (name, value) = limit.split_once('=').ok_or_else(wrong)?;
            let value: f64 = value.trim().parse().map_err(|_| wrong())?;
            limits.push(format!("{} = {value:?}", toml_text(name.trim())));
        }
        let absolute = |option: &str, path: &Path| -> Result<String, Box<dyn std::error::Error>> {
            let path = std::path::absolute(path)?;
            Ok(toml_text(path.to_str().ok_or_else(|| format!("{option}: the path is not valid Unicode"))?))
        };
        let table = match &self.table {
            Some(dir) => {
                Some(format!("dataset = {}, dir = {}", toml_text(&self.table_dataset), absolute("--table", dir)?))
            }
            None => None,
        };
        let (estimator, benchmark) = match (self.estimator.as_deref(), table, &self.supernet) {
            (Some("table"), Some(table), None) => (Some(format!("{{ kind = \"table\", {table} }}")), None),
            (Some("table"), None, _) => return Err("--estimator table needs --table DIR, where its files lie".into()),
            (Some("shared"), table, Some(run)) => {
                let run = absolute("--supernet", run)?;
                (Some(format!("{{ kind = \"shared\", run = {run} }}")), table.map(|table| format!("{{ {table} }}")))
            }
            (Some("shared"), _, None) => {
                return Err(
                    "--estimator shared needs --supernet RUN, a search with shared weights that has ended".into()
                );
            }
            (_, _, Some(_)) => return Err("--supernet says nothing unless with --estimator shared".into()),
            (kind, table, None) => {
                let kind = kind.map(|kind| format!("{{ kind = {} }}", toml_text(kind)));
                (kind, table.map(|table| format!("{{ {table} }}")))
            }
        };
        // TOML tells a number that has a point from one that has not.
        let number = |value: f64| format!("{value:?}");
        Ok(vec![
            ("--strategy", "search.strategy", self.strategy.as_deref().map(toml_text)),
            ("--trials", "search.trials", self.trials.map(|trials| trials.to_string())),
            ("--seconds", "search.seconds", self.seconds.map(number)),
            ("--workers", "search.workers", self.workers.map(|workers| workers.to_string())),
            ("--unordered", "search.unordered", self.unordered.then(|| "true".to_owned())),
            (
                "--objective",
                "search.objectives",
                (!objectives.is_empty()).then(|| format!("[{}]", objectives.join(", "))),
            ),
            ("--limit", "search.limits", (!limits.is_empty()).then(|| format!("{{ {} }}", limits.join(", ")))),
            ("--estimator", "search.estimator", estimator),
            ("--table", "benchmark", benchmark),
            ("--validation", "search.validation", self.validation.map(number)),
        ])
    }
}

fn strategy_help() -> String {
    let names: Vec<&str> = search::ALL.iter().map(|strategy| strategy.about().name).collect();
    format!("Search strategy: {} (`--list` says what sets them apart)", names.join(", "))
}

pub fn run(args: &Args) -> Outcome {
    if args.list {
        let tables = [search::table(), about::estimators(), about::stopping()];
        return output::print(tables.join("\n").trim_end());
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
    let more = args.settings()?;
    let mut read = args.experiment.config(args.config.as_deref(), &more, args.budget, Purpose::Search, None)?;
    if args.no_fusion {
        read.config = read.config.without_fusion();
    }
    let config = read.config.clone();
    let of = format!("{}-{}-{}", config.data.name, config.space.name, config.search.name());
    if let Some(count) = args.seeds {
        let (out, keeps_checkpoints) = (args.experiment.out(), args.experiment.keeps_checkpoints());
        let name = &format!("{of}-seeds{}-{}", config.seed, config.seed.saturating_add(u64::from(count - 1)));
        return seeds::run(&seeds::Asked { seeds: count, out, name, keeps_checkpoints, json: args.json }, &read);
    }
    let name = format!("{of}-seed{}", config.seed);
    let mut begun = args.experiment.begin(&name, &read, None)?;
    let outcome = begun.run(&config, |devices, directory, bars| run::search_on(devices, &config, directory, bars))?;
    write_reports(&begun.directory, &outcome, &config)?;
    begun.finish()?;
    if args.json {
        output::print_json(&outcome.summary)
    } else {
        output::print(&report::run::text(&outcome, &config, begun.directory.path()))
    }
}
