//! `train`: one architecture from scratch, or a network that has learned something further.

use super::experiment::{CARD, ExperimentArgs, read_summary, toml_text, write_page};
use super::output::{self, Outcome};
use cellwright::estimate::EstimateError;
use cellwright::report::{self, card::Card};
use cellwright::run::{self, Config, Model, Purpose, architecture};
use cellwright::space::{self, SpaceConfig, Stem};
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
    /// Train the network of a run, or one that was imported, further, from what it has learned. Pictures are read and normalised
    /// as they were for it; classes that it does not know get new rows in its last layer.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["resume", "architecture"])]
    model: Option<PathBuf>,
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
    let model = match &args.model {
        // Shown as text it would be another path.
        Some(path) => Some(path.to_str().ok_or("--model: the path is not valid Unicode")?),
        None => None,
    };
    let more = [
        ("--channels", "network.channels", args.channels.map(|n| n.to_string())),
        ("--layers", "network.layers", args.layers.map(|n| n.to_string())),
        (
            "--stem",
            "network.stem",
            args.stem.map(|stem| toml_text(if stem == Stem::ImageNet { "imagenet" } else { "cifar" })),
        ),
        ("--auxiliary", "network.auxiliary", args.auxiliary.then(|| "true".to_owned())),
        ("--model", "model", model.map(toml_text)),
        ("--epochs", "train.epochs", args.epochs.map(|n| n.to_string())),
    ];
    let read = |otherwise| args.experiment.config(args.config.as_deref(), &more, None, Purpose::Training, otherwise);
    let said = read(None)?;
    let (read, architecture) = match (&args.architecture, &said.config) {
        (None, Config { model: Some(model), .. }) => {
            // Trained as suits its own space, if it is of one that is known here.
            let space = Model::read(model)?.space.filter(|name| space::entry(name).is_some());
            (read(space.map(|name| SpaceConfig::of(&name)).as_ref())?, None)
        }
        (given, config) => {
            let given = architecture::read(given.as_ref().or(config.architecture.as_ref()).ok_or_else(|| {
                match args.experiment.resumes() {
                    true => "this is the run of a search: go on with `cellwright search --resume`",
                    false => {
                        "say what to train: --architecture NAME|TEXT|FILE|RUN or --model RUN, or `architecture` or `model` in the file"
                    }
                }
            })?)?;
            (read(Some(&given.space))?, Some(given.text))
        }
    };
    let config = read.config.clone();
    let name = format!("{}-train-seed{}", config.data.name, config.seed);
    let mut begun = args.experiment.begin(&name, &read, architecture.as_deref())?;
    let trained = begun.run(&config, |devices, directory, bars| match (devices, &architecture) {
        ([device], Some(architecture)) => run::train(device, &config, architecture, directory, bars),
        ([device], None) => run::train_further(device, &config, directory, bars),
        _ => Err(EstimateError::Settings("several devices are for studies: a training runs on one".into()).into()),
    })?;
    begun.directory.write("curves.svg", report::run::training_curves(&[&trained])?.as_bytes())?;
    let (model, source) = (Model::read(begun.directory.path())?, read_summary(&begun.directory)?);
    let text = |key: &str| source.get(key).and_then(|value| value.as_str()).unwrap_or_default();
    let card = Card {
        classes: &model.classes,
        image: model.shape(),
        space: model.space.as_deref().unwrap_or_default(),
        genotype: trained.facts.genotype.as_deref(),
        data: [&config.data.name, text("data_source")],
        networks: std::slice::from_ref(&trained.facts),
        origin: format!(
            "The {}; trained in {:.1} s, seed {}.",
            if config.model.is_some() {
                "network was given, with what it had learned"
            } else {
                "architecture was given"
            },
            trained.facts.train_seconds,
            config.seed
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
