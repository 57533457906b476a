//! What `search` and `train` share: where a run's configuration comes from, where it writes, and how it goes on.

use super::common::{open_devices, read_text, space_help, space_of};
use super::followers::Followers;
use super::output::Interrupted;
use super::progress::warn_if_slow;
use cellwright::device::Device;
use cellwright::report::page::{Document, html};
use cellwright::report::{self, card::Card};
use cellwright::run::files::NAMES;
use cellwright::run::trace::Trace;
use cellwright::run::{self, Config, Directory, Model, Observer, Purpose, Read, RunError, Setting, Sources};
use cellwright::space::SpaceConfig;
use std::error::Error;
use std::path::{Path, PathBuf};

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
    /// Use so many training images, of each class its first ones; with few of them searches and trainings have more epochs.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit_images: Option<u32>,
    /// Bring pictures to one size: a side in pixels, or height and width as in 32x48 (`--data folder`).
    #[arg(long, value_name = "SIDE|HxW")]
    resize: Option<String>,
    /// Leave pictures out that cannot be read, and count them (`--data folder`).
    #[arg(long)]
    skip_bad: bool,
    /// Seed of everything random.
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Directory of the run; by default a new one below `runs`. A run that was begun there by the same command goes on.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Go on with the run of this directory, to the same bits as if it had never stopped. `--set` may only make it longer.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "space", "data", "data_dir", "limit_images", "resize", "skip_bad", "seed", "out"])]
    resume: Option<PathBuf>,
    /// Change one setting of the configuration, e.g. `--set search.epochs=30` (repeatable).
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// `auto`, `cpu`, `gpu`, `software`, or a number or name that `cellwright devices` lists; for a study several, separated
    /// by commas (`gpu:0,gpu:1`): trial k runs on device k mod their number [default: auto, or the run's].
    #[arg(long)]
    device: Option<String>,
    /// Go on on another device than the run began on: its bits differ.
    #[arg(long, requires = "resume")]
    allow_other_device: bool,
    /// Follow the run on the whole terminal: progress, curves, architecture weights, the best. `q` saves and stops, as Ctrl-C does.
    #[cfg(feature = "tui")]
    #[arg(long)]
    tui: bool,
    /// Write event files for TensorBoard while the run goes on, to `tensorboard` in its directory or to DIR (with `=`).
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    tensorboard: Option<Option<PathBuf>>,
    /// Keep the last checkpoints of a run that has come to its end.
    #[arg(long)]
    keep_checkpoints: bool,
}

/// A run about to begin, or to go on.
pub struct Begun {
    pub directory: Directory,
    pub followers: Followers,
    keep_checkpoints: bool,
    /// Whether it was begun before.
    resumed: bool,
}

impl ExperimentArgs {
    /// The configuration of a file, or of the run to go on with; `--set` and the other options over it, the last of which
    /// win. Where none of them names a space it is that of `otherwise`.
    pub fn config(
        &self,
        file: Option<&Path>,
        more: &[(&str, &str, Option<String>)],
        budget: Option<u32>,
        purpose: Purpose,
        otherwise: Option<&SpaceConfig>,
    ) -> Result<Read, Box<dyn Error>> {
        let of_run = self.resume.as_ref().map(|run| run.join("config.toml"));
        let (place, text) = match of_run.as_deref().or(file) {
            Some(path) => {
                let text = read_text(path).map_err(|problem| match &self.resume {
                    Some(run) if !path.is_file() => RunError::NoRun { path: run.clone() }.to_string(),
                    _ => format!("{}: {problem}", path.display()),
                })?;
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
            ("--limit-images", "data.limit", self.limit_images.map(|limit| limit.to_string())),
            ("--resize", "data.resize", self.resize.as_deref().map(text_value)),
            ("--skip-bad", "data.skip_bad", self.skip_bad.then(|| "true".to_owned())),
            ("--seed", "seed", self.seed.map(|seed| seed.to_string())),
            ("--device", "device.name", self.device.as_deref().map(text_value)),
        ];
        for (option, key, value) in own.iter().chain(more) {
            settings.extend(value.as_ref().map(|value| Setting::option(option, key, value)));
        }
        let sources =
            Sources { place: &place, text: &text, settings: &settings, budget, purpose, ..Sources::default() };
        // The run's own configuration then holds the space itself, not the name of a file.
        let mut read = Config::read(&sources, |name| match (name, otherwise) {
            (None, Some(own)) => Ok(own.clone()),
            (name, _) => space_of(name.unwrap_or("darts")),
        })?;
        read.config.device.allow_other = self.allow_other_device;
        Ok(read)
    }

    /// Whether a run is to be gone on with.
    pub fn resumes(&self) -> bool {
        self.resume.is_some()
    }

    /// Where to write, if that was said.
    pub fn out(&self) -> Option<&Path> {
        self.out.as_deref()
    }

    /// Whether the last checkpoints of a run that has come to its end stay.
    pub fn keeps_checkpoints(&self) -> bool {
        self.keep_checkpoints
    }

    /// The directory of the run that is to be gone on with, if it has come to its end.
    pub fn finished(&self) -> Result<Option<Directory>, RunError> {
        let Some(path) = &self.resume else { return Ok(None) };
        let directory = Directory::open(path)?;
        if !directory.is_finished() {
            return Ok(None);
        }
        match self.set.is_empty() {
            true => Ok(Some(directory)),
            false => {
                let problem = "it has come to its end, and --set cannot make it longer: begin another".to_owned();
                Err(RunError::Resume { path: path.clone(), problem })
            }
        }
    }

    /// Makes the run's directory, called `name` if no other was said, or takes the one to go on with.
    pub fn begin(
        &self,
        name: &str,
        Read { config, notes }: &Read,
        architecture: Option<&str>,
    ) -> Result<Begun, Box<dyn Error>> {
        let directory = match (&self.resume, &self.out) {
            (Some(path), _) => Directory::open(path)?,
            (None, Some(path)) => run::begin_at(path, config, architecture)?,
            (None, None) => Directory::create_numbered(Path::new("runs"), name)?,
        };
        let mut followers = self.followers(&directory, config)?;
        if let Some(folder) = &self.tensorboard {
            let own = directory.path().join(TENSORBOARD);
            followers.write_events(folder.as_deref().unwrap_or(&own), config)?;
        }
        notes.iter().for_each(|note| followers.say(note));
        Ok(Begun { directory, followers, keep_checkpoints: self.keep_checkpoints, resumed: self.resumes() })
    }

    #[cfg(feature = "tui")]
    fn followers(&self, directory: &Directory, config: &Config) -> Result<Followers, Box<dyn Error>> {
        match self.tui {
            true => Followers::screen(&directory.path().display().to_string(), config),
            false => Ok(Followers::bars()?),
        }
    }

    #[cfg(not(feature = "tui"))]
    fn followers(&self, _: &Directory, _: &Config) -> Result<Followers, Box<dyn Error>> {
        Ok(Followers::bars()?)
    }
}

impl Begun {
    /// Runs something on the configuration's devices. Where one is lost, they are opened again and the run goes on from its
    /// last checkpoint, as often as the configuration has it.
    pub fn run<T>(
        &mut self,
        config: &Config,
        work: impl Fn(&[Device], &Directory, &mut dyn Observer) -> Result<T, RunError>,
    ) -> Result<T, Box<dyn Error>> {
        let Self { directory, followers, .. } = self;
        let ended = run::with_retries(
            config.device.retry,
            followers,
            || open_devices(&config.device.name),
            |devices, observer| {
                devices.iter().for_each(|device| warn_if_slow(device, observer));
                work(devices, directory, observer)
            },
        );
        ended.map_err(|error| {
            self.followers.close();
            // A new directory in which nothing was measured is of no use to anybody.
            if !self.resumed {
                self.directory.remove_if_unused();
            }
            let go_on = format!("go on with --resume {}", self.directory.path().display());
            match (error.downcast_ref::<RunError>(), self.followers.signals().status()) {
                (Some(RunError::Stopped { .. }), Some(status)) => {
                    Interrupted { status, message: format!("{error}: all is saved; {go_on}") }.into()
                }
                (Some(of_run), _) if of_run.is_of_lost_device() => format!("{error}; {go_on}").into(),
                _ => error,
            }
        })
    }

    /// Tidies up when all is written.
    pub fn finish(&mut self) -> Result<(), Box<dyn Error>> {
        self.followers.finish(&read_summary(&self.directory)?);
        self.directory.finish(self.keep_checkpoints)?;
        self.followers.close();
        Ok(())
    }
}

/// Pictures of a search's run, a card of the network that was found, and the page.
pub fn write_reports(directory: &Directory, outcome: &run::Outcome, config: &Config) -> Result<(), Box<dyn Error>> {
    for (name, picture) in report::run::pictures(outcome, config)? {
        directory.write(&name, picture.as_bytes())?;
    }
    let model = Model::read(directory.path())?;
    let card = Card::of_search(&outcome.summary, config, &model.classes, model.shape());
    directory.write(CARD, card.render().as_bytes())?;
    write_page(directory)
}

/// The folder of event files.
const TENSORBOARD: &str = "tensorboard";

/// The page of what lies in a run's directory.
pub fn write_page(directory: &Directory) -> Result<(), Box<dyn Error>> {
    let document = Document::of(&[Trace::read(directory.path())?]);
    Ok(directory.write(PAGE, html(&document).as_bytes())?)
}

/// The file of a run's page.
pub const PAGE: &str = "report.html";

/// The file of a network's card.
pub const CARD: &str = "model.md";

/// What a finished run came to.
pub fn read_summary(directory: &Directory) -> Result<serde_json::Value, Box<dyn Error>> {
    let path = directory.path().join("summary.json");
    let wrong = |problem: String| format!("{}: {problem}", path.display());
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    Ok(serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?)
}

/// A text as a TOML string, so that a name like `1` stays a name, and whatever a path holds.
pub fn toml_text(value: &str) -> String {
    let mut text = String::from("\"");
    for character in value.chars() {
        match character {
            '\\' | '"' => text.extend(['\\', character]),
            control if control.is_control() => text += &format!("\\u{:04X}", u32::from(control)),
            other => text.push(other),
        }
    }
    text + "\""
}
