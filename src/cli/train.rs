//! `train`: one architecture from scratch.

use super::experiment::{CARD, ExperimentArgs, read_summary, toml_text, write_page};
use super::output::{self, Outcome};
use cellwright::estimate::EstimateError;
use cellwright::report::{self, card::Card};
use cellwright::run::{self, Model, Purpose, architecture};
use cellwright::space::Stem;
use std::path::PathBuf;

/// What to train, on what, and where to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configuration (TOML); without it, what suits the dataset.
    config: Option<PathBuf>,
    /// The architecture: a published name (DARTS_V2), its text, a file that holds it (FILE:NAME takes one of several), or a
    /// run's directory [default: that of the configuration].
    #[arg(long, value_name = "NAME|TEXT|FILE|RUN", conflicts_with = "resume")]
    architecture: Option<String>,
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Channels of the first cells.
    #[arg(long, conflicts_with = "resume")]
    channels: Option<usize>,
    /// Number of cells, in spaces that have cells.
    #[arg(long, conflicts_with = "resume")]
    layers: Option<usize>,
    /// What stands before the first cell (`darts`, `nasnet`): `cifar`, one convolution, or `imagenet`, three of stride 2.
    #[arg(long, value_parser = str::parse::<Stem>, value_name = "cifar|imagenet", conflicts_with = "resume")]
    stem: Option<Stem>,
    /// Train with an auxiliary head (`darts`, `nasnet`).
    #[arg(long, conflicts_with = "resume")]
    auxiliary: bool,
    /// Epochs.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Outcome {
    if let Some(directory) = args.experiment.finished()? {
        let summary = read_summary(&directory)?;
        if summary.get("strategy").is_some() {
            return Err("this is the run of a search: `cellwright search --resume` tells what it came to".into());
        }
        return match args.json {
            true => output::print_json(&summary),
            false => output::print(&report::run::training_summary_text(&summary, directory.path())),
        };
    }
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
            None if args.experiment.resumes() => {
                return Err("this is the run of a search: go on with `cellwright search --resume`".into());
            }
            None => {
                return Err(
                    "say what to train: --architecture NAME|TEXT|FILE|RUN, or `architecture` in the file".into()
                );
            }
        },
    };
    let read = read(Some(&given.space))?;
    let (config, architecture) = (read.config.clone(), given.text);
    let name = format!("{}-train-seed{}", config.data.name, config.seed);
    let mut begun = args.experiment.begin(&name, &read, Some(&architecture))?;
    let trained = begun.run(&config, |devices, directory, bars| match devices {
        [device] => run::train(device, &config, &architecture, directory, bars),
        _ => Err(EstimateError::Settings("several devices are for studies: a training runs on one".into()).into()),
    })?;
    begun.directory.write("curves.svg", report::run::training_curves(&[&trained])?.as_bytes())?;
    let (model, source) = (Model::read(begun.directory.path())?, read_summary(&begun.directory)?);
    let text = |key: &str| source.get(key).and_then(|value| value.as_str()).unwrap_or_default();
    let card = Card {
        classes: &model.classes,
        image: model.shape(),
        space: &config.space.name,
        genotype: trained.facts.genotype.as_deref(),
        data: [&config.data.name, text("data_source")],
        networks: std::slice::from_ref(&trained.facts),
        origin: format!(
            "The architecture was given; trained in {:.1} s, seed {}.",
            trained.facts.train_seconds, config.seed
        ),
        version: Some(env!("CARGO_PKG_VERSION")),
        command: "cellwright train config.toml",
        directory: config.data.dir.as_deref(),
    };
    begun.directory.write(CARD, card.render().as_bytes())?;
    write_page(&begun.directory)?;
    begun.finish()?;
    let directory = begun.directory.path();
    if args.json {
        output::print(&std::fs::read_to_string(directory.join("summary.json"))?)
    } else {
        output::print(&report::run::training_text(&trained, directory))
    }
}
