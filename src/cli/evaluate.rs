//! `evaluate`: how well a trained network does on test images.

use super::common::DeviceArg;
use super::experiment::toml_text;
use super::output::{self, Outcome};
use super::progress::{Bars, warn_if_slow};
use super::signals::Signals;
use cellwright::report::evaluation;
use cellwright::run::evaluate::{evaluate, write};
use cellwright::run::files::NAMES;
use cellwright::run::{Config, Directory, Model, Purpose, RunError, Sources};
use cellwright::space::SpaceConfig;
use std::path::PathBuf;

/// Which network, and on what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of a search or a training: its trained network is measured.
    run: PathBuf,
    #[arg(long, help = format!("Dataset with the same classes [default: the run's]: {}", NAMES.join(", ")))]
    data: Option<String>,
    /// Directory of the dataset's files.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Leave pictures out that cannot be read, and count them (`--data folder`).
    #[arg(long)]
    skip_bad: bool,
    /// Directory for `evaluation.json`, `classes.csv`, `confusion.csv` and their pictures.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArg,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Outcome {
    let model = Model::read(&args.run)?;
    let place = args.run.join("config.toml");
    let text = match (super::common::read_text(&place), &args.data) {
        // What was imported has no run: the dataset is said.
        (Err(_), Some(name)) if !place.exists() => format!("data = {}\n", toml_text(name)),
        (Err(_), None) if !place.exists() => return Err(RunError::NoRun { path: args.run.clone() }.into()),
        (text, _) => text.map_err(|problem| format!("{}: {problem}", place.display()))?,
    };
    // The configuration of a search can be trained by, too.
    let purpose = Purpose::Training;
    let sources = Sources { place: &place.display().to_string(), text: &text, purpose, ..Sources::default() };
    let mut data = Config::read(&sources, |name| Ok(SpaceConfig::of(name.unwrap_or("darts"))))?.config.data;
    if let Some(name) = &args.data {
        (data.name, data.dir) = (name.clone(), None);
    }
    data.dir = args.data_dir.clone().or(data.dir);
    data.images.skip_bad |= args.skip_bad;
    let directory = args.out.as_deref().map(Directory::create).transpose()?;
    let device = args.device.open()?;
    let mut bars = Bars::new(Signals::listen()?);
    warn_if_slow(&device, &mut bars);
    let evaluated = evaluate(&model, &device, &data, &mut bars)?;
    if let Some(directory) = directory {
        write(&directory, &evaluated)?;
        for (name, picture) in evaluation::pictures(&evaluated)? {
            directory.write(name, picture.as_bytes())?;
        }
    }
    match args.json {
        true => output::print_json(&evaluated),
        false => output::print(&evaluation::text(&evaluated)),
    }
}
