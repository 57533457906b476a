//! `search`: search → derive → train from scratch → compare → pictures.

use super::common::{DeviceArg, read_text, space_help, space_of};
use super::output::{self, Outcome};
use super::progress::Bars;
use cellwright::report;
use cellwright::run::files::NAMES;
use cellwright::run::{self, Config, Directory, Observer, Purpose, Read, Setting, Sources};
use cellwright::search;
use cellwright::space::SpaceConfig;
use std::path::{Path, PathBuf};

/// What to search, on what, and where to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configuration (TOML); without it, what suits the dataset.
    config: Option<PathBuf>,
    #[command(flatten)]
    experiment: ExperimentArgs,
    #[arg(long, help = strategy_help())]
    strategy: Option<String>,
    /// List the strategies and what sets them apart, as a table in Markdown.
    #[arg(long, exclusive = true)]
    list: bool,
    /// Epochs of search, or of training the shared weights.
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u32).range(1..))]
    budget: Option<u32>,
    /// Compute every operation by itself: slower, the same results but for rounding. Strategies that compute one path do
    /// so anyway.
    #[arg(long)]
    no_fusion: bool,
    #[command(flatten)]
    device: DeviceArg,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

fn strategy_help() -> String {
    let names: Vec<&str> = search::ALL.iter().map(|strategy| strategy.about().name).collect();
    format!("Search strategy: {} (`--list` says what sets them apart)", names.join(", "))
}

/// Options that `search` and `train` share.
#[derive(Debug, clap::Args)]
pub struct ExperimentArgs {
    #[arg(long, value_name = "NAME|FILE", help = space_help(""))]
    space: Option<String>,
    #[arg(long, help = format!("Dataset: {}", NAMES.join(", ")))]
    data: Option<String>,
    /// Directory of the dataset's files, which may lie some folders down or in an archive; or the archive itself.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Bring pictures to one size: a side in pixels, or height and width as in 32x48 (`--data folder`).
    #[arg(long, value_name = "SIDE|HxW")]
    resize: Option<String>,
    /// Leave pictures out that cannot be read, and count them (`--data folder`).
    #[arg(long)]
    skip_bad: bool,
    /// Seed of everything random.
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Directory of the run; by default a new one below `runs`.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Change one setting of the configuration, e.g. `--set search.epochs=30` (repeatable).
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl ExperimentArgs {
    /// The configuration of a file, `--set` and the other options, the last of which win. Where none of them names a space
    /// it is that of `otherwise`.
    pub fn config(
        &self,
        file: Option<&Path>,
        more: &[(&str, &str, Option<String>)],
        budget: Option<u32>,
        purpose: Purpose,
        otherwise: Option<&SpaceConfig>,
    ) -> Result<Read, Box<dyn std::error::Error>> {
        let (place, text) = match file {
            Some(path) => {
                let text = read_text(path).map_err(|problem| format!("{}: {problem}", path.display()))?;
                (path.display().to_string(), text)
            }
            None => ("configuration".to_owned(), String::new()),
        };
        let mut settings: Vec<Setting> = Vec::new();
        settings.extend(self.set.iter().map(|text| Setting::set(text)));
        let text_value = |value: &str| toml_text(value);
        let data_dir = match &self.data_dir {
            // Shown as text it would be another path.
            Some(path) => {
                let problem = || format!("--data-dir {}: the path is not valid Unicode", path.display());
                Some(path.to_str().ok_or_else(problem)?)
            }
            None => None,
        };
        let own = [
            ("--space", "space.name", self.space.as_deref().map(text_value)),
            ("--data", "data.name", self.data.as_deref().map(text_value)),
            ("--data-dir", "data.dir", data_dir.map(text_value)),
            ("--resize", "data.resize", self.resize.as_deref().map(text_value)),
            ("--skip-bad", "data.skip_bad", self.skip_bad.then(|| "true".to_owned())),
            ("--seed", "seed", self.seed.map(|seed| seed.to_string())),
        ];
        for (option, key, value) in own.iter().chain(more) {
            settings.extend(value.as_ref().map(|value| Setting::option(option, key, value)));
        }
        let sources =
            Sources { place: &place, text: &text, settings: &settings, budget, purpose, ..Sources::default() };
        // The run's own configuration then holds the space itself, not the name of a file.
        Ok(Config::read(&sources, |name| match (name, otherwise) {
            (None, Some(own)) => Ok(own.clone()),
            (name, _) => space_of(name.unwrap_or("darts")),
        })?)
    }

    /// Makes the run's directory.
    pub fn directory(&self, name: &str) -> Result<Directory, run::RunError> {
        match &self.out {
            Some(path) => Directory::create(path),
            None => Directory::create_numbered(Path::new("runs"), name),
        }
    }
}

/// A text as a TOML string, so that a name like `1` stays a name.
pub fn toml_text(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

pub fn run(args: &Args) -> Outcome {
    if args.list {
        return output::print(search::table().trim_end());
    }
    let more = [("--strategy", "search.strategy", args.strategy.as_deref().map(toml_text))];
    let Read { mut config, notes } =
        args.experiment.config(args.config.as_deref(), &more, args.budget, Purpose::Search, None)?;
    if args.no_fusion {
        config = config.without_fusion();
    }
    let device = args.device.open()?;
    let name = format!("{}-{}-{}-seed{}", config.data.name, config.space.name, config.search.name(), config.seed);
    let directory = args.experiment.directory(&name)?;
    let mut bars = Bars::new();
    bars.warn_if_slow(&device);
    notes.iter().for_each(|note| bars.say(note));
    let outcome = match run::search(&device, &config, &directory, &mut bars) {
        Ok(outcome) => outcome,
        Err(error) => {
            bars.end();
            // A directory in which nothing was measured is of no use to anybody.
            directory.remove_if_unused();
            return Err(error.into());
        }
    };
    for (name, picture) in report::run::pictures(&outcome, &config)? {
        directory.write(&name, picture.as_bytes())?;
    }
    if args.json {
        output::print_json(&outcome.summary)
    } else {
        output::print(&report::run::text(&outcome, directory.path()))
    }
}
