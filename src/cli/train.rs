//! `train`: one architecture from scratch.

use super::common::DeviceArg;
use super::output::{self, Outcome};
use super::progress::Bars;
use super::search::{ExperimentArgs, toml_text};
use cellwright::report;
use cellwright::run::{self, Observer as _, Purpose, Read, architecture};
use cellwright::space::Stem;
use std::path::PathBuf;

/// What to train, on what, and where to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configuration (TOML); without it, what suits the dataset.
    config: Option<PathBuf>,
    /// The architecture: a published name (DARTS_V2), its text, a file that holds it (FILE:NAME takes one of several), or a
    /// run's directory [default: that of the configuration].
    #[arg(long, value_name = "NAME|TEXT|FILE|RUN")]
    architecture: Option<String>,
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Channels of the first cells.
    #[arg(long)]
    channels: Option<usize>,
    /// Number of cells, in spaces that have cells.
    #[arg(long)]
    layers: Option<usize>,
    /// What stands before the first cell (`darts`, `nasnet`): `cifar`, one convolution, or `imagenet`, three of stride 2.
    #[arg(long, value_parser = str::parse::<Stem>, value_name = "cifar|imagenet")]
    stem: Option<Stem>,
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
        ("--channels", "network.channels", args.channels.map(|n| n.to_string())),
        ("--layers", "network.layers", args.layers.map(|n| n.to_string())),
        (
            "--stem",
            "network.stem",
            args.stem.map(|stem| toml_text(if stem == Stem::ImageNet { "imagenet" } else { "cifar" })),
        ),
        ("--auxiliary", "network.auxiliary", args.auxiliary.then(|| "true".to_owned())),
        ("--epochs", "train.epochs", args.epochs.map(|n| n.to_string())),
    ];
    let read = |otherwise| args.experiment.config(args.config.as_deref(), &more, None, Purpose::Training, otherwise);
    let given = match &args.architecture {
        Some(given) => architecture::read(given)?,
        None => match read(None)?.config.architecture {
            Some(given) => architecture::read(&given)?,
            None => {
                return Err(
                    "say what to train: --architecture NAME|TEXT|FILE|RUN, or `architecture` in the file".into()
                );
            }
        },
    };
    let Read { config, notes } = read(Some(&given.space))?;
    let architecture = given.text;
    let device = args.device.open()?;
    let directory = args.experiment.directory(&format!("{}-train-seed{}", config.data.name, config.seed))?;
    let mut bars = Bars::new();
    bars.warn_if_slow(&device);
    notes.iter().for_each(|note| bars.say(note));
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
