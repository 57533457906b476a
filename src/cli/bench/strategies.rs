//! `cellwright bench strategies`.

use super::super::output::{self, print_json};
use cellwright::estimate::Lookup;
use cellwright::report::strategies::{markdown, picture, rows};
use cellwright::run::read_table;
use cellwright::run::tabular::{Course, course};
use cellwright::search::{ALL, Strategy};
use indicatif::ProgressBar;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

/// Samplers that are left out unless asked for, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("grid", "it tries the first combinations in order, whatever they are worth"),
    ("nasnet", "training its controller takes seconds a seed"),
    ("successive-halving", ONE_LENGTH),
    ("hyperband", ONE_LENGTH),
    ("asha", ONE_LENGTH),
    ("bohb", ONE_LENGTH),
];
/// Why samplers that begin with brief trainings have nothing to do here.
const ONE_LENGTH: &str = "it begins with brief trainings, and the table has one length of each";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each strategy asks for --budget architectures, chooses by the accuracy on validation images after 12 epochs, and is judged\n\
    by that on test images after 200. Multi-fidelity strategies are left out: the table has one training of each."
)]
pub struct Args {
    /// Directory of the table's files: nb201_accuracy.csv.gz, or without .gz.
    #[arg(long, value_name = "DIR")]
    table: PathBuf,
    /// The benchmark.
    #[arg(long, default_value = "nas-bench-201", value_parser = ["nas-bench-201"])]
    benchmark: String,
    /// Which of its datasets.
    #[arg(long, default_value = "cifar10", value_parser = ["cifar10", "cifar100", "imagenet16-120"])]
    dataset: String,
    /// Seeds, from 0.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    seeds: u64,
    /// Evaluations of each.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    budget: u32,
    /// Strategies [default: all samplers that make sense on a table].
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    strategies: Option<Vec<String>>,
    /// Write the anytime curves (median and quartiles) to this file, as SVG.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> output::Outcome {
    let strategies = chosen(args.strategies.as_deref())?;
    let lookup = Lookup::new(Arc::new(read_table(&args.table)?), &args.dataset)?;
    let mut courses: Vec<Course> = Vec::new();
    let bar = ProgressBar::new(strategies.len() as u64);
    for strategy in strategies {
        bar.set_message(strategy.about().name);
        let asked = args.strategies.is_some();
        match course(strategy, &lookup, args.seeds, args.budget as usize) {
            Ok(Some(course)) => courses.push(course),
            Ok(None) if asked => {
                return Err(format!(
                    "{} is no sampler: it cannot be asked for one architecture after the other",
                    strategy.about().name
                )
                .into());
            }
            Ok(None) => {}
            Err(error) => return Err(format!("{}: {error}", strategy.about().name).into()),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let rows = rows(&courses);
    if let Some(path) = &args.svg {
        let title = format!("{} on {}, {} seeds", args.benchmark, args.dataset, args.seeds);
        output::write_file(path, &picture(&rows, &title)?)?;
    }
    if args.json {
        return print_json(&json!({
            "benchmark": args.benchmark, "dataset": args.dataset, "seeds": args.seeds, "budget": args.budget, "strategies": rows,
        }));
    }
    let what = format!("{} on {}, {} evaluations, {} seeds", args.benchmark, args.dataset, args.budget, args.seeds);
    let mut text = format!("{what}\n\n{}", markdown(&rows));
    if args.strategies.is_none() {
        for (name, why) in LEFT_OUT {
            text += &format!("\nLeft out: {name} ({why}); ask for it by --strategies.");
        }
        text += "\n";
    }
    output::print(&text)
}

/// The strategies that were asked for, or all samplers of which it is not said why they are left out.
fn chosen(names: Option<&[String]>) -> Result<Vec<&'static dyn Strategy>, Box<dyn std::error::Error>> {
    let Some(names) = names else {
        let is_left_out = |name: &str| LEFT_OUT.iter().any(|(other, _)| *other == name);
        return Ok(ALL.iter().copied().filter(|strategy| !is_left_out(strategy.about().name)).collect());
    };
    let find = |name: &String| {
        let known = ALL.iter().copied().find(|strategy| strategy.about().name == name);
        known.ok_or_else(|| {
            let all: Vec<&str> = ALL.iter().map(|strategy| strategy.about().name).collect();
            format!("there is no strategy `{name}`: there are {}", all.join(", ")).into()
        })
    };
    names.iter().map(find).collect()
}
