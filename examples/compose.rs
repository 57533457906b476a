//! Any strategy on any space: what `--space`, `--strategy` and `--budget` compose, in ten lines.
//!
//! Run it with `cargo run --release --example compose`, or say what to compose:
//! `cargo run --release --example compose -- --space nas-bench-201 --strategy gdas --budget 5`.

use cellwright::device::{Device, Selector};
use cellwright::run::{Config, Directory, Silent, search};
use clap::Parser;
use std::path::PathBuf;

#[derive(Parser)]
struct Args {
    /// Search space, as `cellwright search --space` names it.
    #[arg(long, default_value = "enas-micro")]
    space: String,
    /// Strategy, as `cellwright search --list` names it.
    #[arg(long, default_value = "rsps")]
    strategy: String,
    /// Epochs of the search.
    #[arg(long, default_value_t = 10)]
    budget: u32,
    /// Which device computes: `auto`, `cpu`, `gpu`, `software`, a number or a name.
    #[arg(long, default_value = "auto")]
    device: String,
    /// Where the run is kept; by default in a numbered directory among those for temporary files.
    #[arg(long)]
    out: Option<PathBuf>,
    /// One epoch only, of search and of training.
    #[arg(long)]
    quick: bool,
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    // The ten lines. A configuration begins with what suits what it names; the rest is as on the command line.
    let device = Device::open(&args.device.parse::<Selector>()?).await?;
    let budget = if args.quick { 1 } else { args.budget };
    let [space, strategy] = [format!("space={}", args.space), format!("strategy={}", args.strategy)];
    let mut config =
        Config::with(&[&space, &strategy, &format!("search.epochs={budget}"), "random=1", "baseline=false"])?;
    config.train.epochs = if args.quick { 1 } else { config.train.epochs };
    let directory = match &args.out {
        Some(out) => Directory::create(out)?,
        None => Directory::create_numbered(&std::env::temp_dir(), "compose")?,
    };
    let outcome = search(&device, &config, &directory, &mut Silent)?;

    println!("{} found {} on {}", args.strategy, outcome.summary.genotype, device.name());
    for network in &outcome.trained {
        println!("{:>9}: {:.2} % of the test images", network.facts.name, 100.0 * network.facts.test_accuracy);
    }
    println!("all of it is in {}", directory.path().display());
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    pollster::block_on(run(Args::parse()))
}
