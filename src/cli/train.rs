//! `train`: one architecture from scratch.

use super::common::{DeviceArg, architecture_text};
use super::progress::Bars;
use super::search::ExperimentArgs;
use super::{Outcome, output};
use cellwright::report;
use cellwright::run::{self, Observer as _, Purpose};
use std::path::PathBuf;

/// What to train, on what, and where to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configuration (TOML); without it, what suits the dataset.
    config: Option<PathBuf>,
    /// The architecture: a name (DARTS_V2), its text, or a file that holds it.
    #[arg(long)]
    architecture: String,
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Channels of the first cells.
    #[arg(long)]
    channels: Option<usize>,
    /// Number of cells, in spaces that have cells.
    #[arg(long)]
    layers: Option<usize>,
    /// Train with an auxiliary head (`darts`, `nasnet`).
    #[arg(long)]
    auxiliary: bool,
    /// Epochs.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    #[command(flatten)]
    device: DeviceArg,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Outcome {
    let more = [
        ("network.channels", args.channels.map(|n| n.to_string())),
        ("network.layers", args.layers.map(|n| n.to_string())),
        ("network.auxiliary", args.auxiliary.then(|| "true".to_owned())),
        ("train.epochs", args.epochs.map(|n| n.to_string())),
    ];
    let config = args.experiment.config(args.config.as_deref(), &more, None, Purpose::Training)?;
    let architecture = architecture_text(&args.architecture)?;
    let device = args.device.open()?;
    let directory = args.experiment.directory(&format!("{}-train-seed{}", config.data, config.seed))?;
    let mut bars = Bars::new();
    bars.warn_if_slow(&device);
    let trained = match run::train(&device, &config, &architecture, &directory, &mut bars) {
        Ok(trained) => trained,
        Err(error) => {
            bars.end();
            directory.remove_if_unused();
            return Err(error.into());
        }
    };
    directory.write("curves.svg", report::run::training_curves(&[&trained])?.as_bytes())?;
    if args.json {
        output::print(&std::fs::read_to_string(directory.path().join("summary.json"))?)
    } else {
        output::print(&report::run::training_text(&trained, directory.path()))
    }
}
