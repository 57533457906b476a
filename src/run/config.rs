//! The configuration of an experiment: a TOML file, every key of which is also `--set key=value`.

use super::config_error::{ConfigError, value_error};
use super::files;
use super::images::ImagesConfig;
use crate::data::Scale;
use crate::estimate::TrainingConfig;
use crate::graph::Rows;
use crate::search::study::{Objective, StudyConfig};
use crate::search::{Strategy, Task};
use crate::settings::Settings;
use crate::space::{NetworkSettings, Size, Space, SpaceConfig, Stem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The form of configurations and summaries. 1 had the settings of all strategies and spaces side by side.
pub const FORMAT: u32 = 2;

/// Size of a supernet: group `supernet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupernetSize {
    /// Channels of the first cells.
    pub channels: usize,
    /// Number of cells.
    pub layers: usize,
    /// What stands before the first cell: `cifar` or `imagenet`.
    pub stem: Stem,
}

/// Size of a network that is trained from scratch: group `network`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSize {
    /// Channels of the first cells.
    pub channels: usize,
    /// Number of cells.
    pub layers: usize,
    /// What stands before the first cell: `cifar` or `imagenet`.
    pub stem: Stem,
    /// Whether it is trained with an auxiliary head.
    pub auxiliary: bool,
}

/// The search: group `search`.
#[derive(Clone)]
pub struct SearchConfig {
    /// What searches.
    pub strategy: &'static dyn Strategy,
    /// All of its settings.
    pub settings: Settings,
}

impl SearchConfig {
    /// Name of the strategy.
    pub fn name(&self) -> &'static str {
        self.strategy.about().name
    }

    /// Whether its search is a study of trials.
    pub fn is_study(&self) -> bool {
        self.strategy.sampler(&self.settings, 0).is_some()
    }

    /// Whether it is a study that looks its trials up in the table of their benchmark.
    pub fn looks_up(&self) -> bool {
        self.is_study() && self.settings.get("estimator.kind").and_then(Value::as_str) == Some("table")
    }
}

impl PartialEq for SearchConfig {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.settings == other.settings
    }
}

impl fmt::Debug for SearchConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchConfig").field("strategy", &self.name()).field("settings", &self.settings).finish()
    }
}

/// The dataset: group `data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataConfig {
    /// Its name.
    pub name: String,
    /// Where its files lie, if it needs any.
    pub dir: Option<PathBuf>,
    /// How they are read.
    pub images: ImagesConfig,
}

/// Where it is computed: group `device`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    /// `auto`, `cpu`, `gpu`, `software`, or a number or name that `cellwright devices` lists. Several, for the trials of a study,
    /// are separated by commas.
    pub name: String,
    /// How often a device that was lost is opened again, to go on from the last checkpoint.
    pub retry: u32,
    /// Whether a run may go on on another device than it began on, whose bits differ.
    #[serde(skip)]
    pub allow_other: bool,
}

/// How often a run writes down where it stands: group `checkpoint`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointConfig {
    /// Seconds from one checkpoint to the next; 0: after every step.
    pub seconds: f64,
}

/// The table that says how good what was found is, and how good random search would have been: group `benchmark`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkConfig {
    /// Directory of the table's files.
    pub dir: PathBuf,
    /// Which of its datasets.
    #[serde(default = "cifar10")]
    pub dataset: String,
}

fn cifar10() -> String {
    "cifar10".to_owned()
}

/// An experiment.
///
/// ```
/// use cellwright::run::Config;
///
/// let config = Config::with(&["space=chain", "strategy=gdas", "search.epochs=3"])?;
/// assert_eq!(config.search.settings.get("epochs").and_then(|epochs| epochs.as_integer()), Some(3));
/// assert!(config.to_toml()?.contains("strategy = \"gdas\""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Seed of everything random.
    pub seed: u64,
    /// Number of random architectures to compare with.
    pub random: usize,
    /// Whether to compare with a hand-designed network.
    pub baseline: bool,
    /// The architecture that is trained, as [`super::architecture::read`] takes it; in a file also a table of the parts of its JSON.
    pub architecture: Option<String>,
    /// The run, or the directory of an imported network, whose network is trained further instead of an architecture's.
    pub model: Option<PathBuf>,
    /// Search space.
    pub space: SpaceConfig,
    /// Search strategy.
    pub search: SearchConfig,
    /// Dataset.
    pub data: DataConfig,
    /// Size of the supernet.
    pub supernet: SupernetSize,
    /// Size of the network that is trained from scratch.
    pub network: NetworkSize,
    /// Training from scratch.
    pub train: TrainingConfig,
    /// Where it is computed.
    pub device: DeviceConfig,
    /// How often it writes down where it stands.
    pub checkpoint: CheckpointConfig,
    /// The table in which what was found is looked up, if it is.
    pub benchmark: Option<BenchmarkConfig>,
}

/// What stands in no group.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ungrouped {
    seed: u64,
    random: usize,
    baseline: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    architecture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<PathBuf>,
}

impl Config {
    /// What suits a dataset that allows so much, a space and a strategy that counts by so many epochs, if they are known.
    pub(super) fn preset(
        data: &str,
        scale: Scale,
        config: SpaceConfig,
        space: &dyn Space,
        strategy: &'static dyn Strategy,
        epochs: Option<u32>,
    ) -> Result<Self, ConfigError> {
        let task = Task { scale, augmentation: files::augmentation(data), space, epochs };
        let settings = strategy.preset(&task).map_err(|error| value_error("configuration", error.0))?;
        let published = space.published();
        let (supernet, network) = match task.scale {
            Scale::Tiny => (Size { channels: 4, layers: 3 }, Size { channels: 8, layers: 3 }),
            Scale::Small => (Size { channels: 4, layers: 3 }, Size { channels: 8, layers: 4 }),
            Scale::Published => (published.supernet, published.network),
        };
        let channels = supernet.channels.next_multiple_of(strategy.parts(&settings));
        Ok(Self {
            seed: 0,
            random: 3,
            baseline: true,
            architecture: None,
            model: None,
            space: config,
            search: SearchConfig { strategy, settings },
            data: DataConfig { name: data.to_owned(), dir: None, images: ImagesConfig::default() },
            supernet: SupernetSize { channels, layers: supernet.layers, stem: Stem::Cifar },
            network: NetworkSize {
                channels: network.channels,
                layers: network.layers,
                stem: Stem::Cifar,
                auxiliary: false,
            },
            train: TrainingConfig::preset(task.scale, task.augmentation, published.training.as_ref()),
            device: DeviceConfig { name: "auto".to_owned(), retry: 0, allow_other: false },
            checkpoint: CheckpointConfig { seconds: 60.0 },
            benchmark: None,
        })
    }

    /// All settings as a table, also those that nothing reads.
    pub(super) fn table(&self) -> Result<Table, ConfigError> {
        let failed = |error: crate::settings::SettingsError| value_error("configuration", error.0);
        let Self { seed, random, baseline, space, search, data, supernet, network, train, .. } = self;
        let (device, checkpoint) = (Settings::of(&self.device), Settings::of(&self.checkpoint));
        let (seed, random, baseline, architecture) = (*seed, *random, *baseline, self.architecture.clone());
        let ungrouped = Ungrouped { seed, random, baseline, architecture, model: None };
        let mut all: Table = Settings::of(&ungrouped).map_err(failed)?.into();
        if let Some(model) = &self.model {
            all.insert("model".to_owned(), path("model", model)?);
        }
        let named = |key: &str, name: &str, settings: &Settings| {
            let mut group = Table::from_iter([(key.to_owned(), Value::String(name.to_owned()))]);
            group.extend(settings.table().clone());
            Value::Table(group)
        };
        let mut reading = Settings::of(&data.images).map_err(failed)?;
        reading.table_mut().retain(|key, _| files::reads(&data.name, key));
        if let Some(dir) = &data.dir {
            reading.table_mut().insert("dir".to_owned(), path("data.dir", dir)?);
        }
        all.insert("space".to_owned(), named("name", &space.name, &space.settings));
        all.insert("data".to_owned(), named("name", &data.name, &reading));
        all.insert("search".to_owned(), named("strategy", search.name(), &search.settings));
        for (key, group) in [
            ("supernet", Settings::of(supernet)),
            ("network", Settings::of(network)),
            ("train", Settings::of(train)),
            ("device", device),
            ("checkpoint", checkpoint),
        ] {
            all.insert(key.to_owned(), Value::Table(group.map_err(failed)?.into()));
        }
        if let Some(BenchmarkConfig { dir, dataset }) = &self.benchmark {
            let (dir, dataset) = (path("benchmark.dir", dir)?, Value::String(dataset.clone()));
            let group = Table::from_iter([("dir".to_owned(), dir), ("dataset".to_owned(), dataset)]);
            all.insert("benchmark".to_owned(), Value::Table(group));
        }
        Ok(all)
    }

    /// The same with what a table, such as [`Config::table`] makes them, says. Names of groups stay.
    ///
    /// # Errors
    /// What cannot be read, and why.
    pub(super) fn with_table(&self, mut all: Table) -> Result<Self, String> {
        let mut group = |name: &str| match all.remove(name) {
            Some(Value::Table(table)) => Ok(Settings::from(table)),
            _ => Err(format!("`{name}` is a group of settings, not one: set its keys")),
        };
        fn read<T: Serialize + DeserializeOwned>(name: &str, settings: &Settings) -> Result<T, String> {
            settings.read().map_err(|error| format!("{name}.{error}"))
        }
        let space = SpaceConfig { settings: group("space")?.without(&["name"]), ..self.space.clone() };
        let search = SearchConfig { settings: group("search")?.without(&["strategy"]), ..self.search.clone() };
        let mut data = group("data")?.without(&["name"]);
        let dir = match data.table_mut().remove("dir") {
            None => None,
            Some(Value::String(dir)) => Some(PathBuf::from(dir)),
            Some(other) => return Err(format!("data.dir is a path, not {other}")),
        };
        let data = DataConfig { name: self.data.name.clone(), dir, images: read("data", &data)? };
        let supernet = read("supernet", &group("supernet")?)?;
        let network = read("network", &group("network")?)?;
        let train = read("train", &group("train")?)?;
        let device: DeviceConfig = read("device", &group("device")?)?;
        let device = DeviceConfig { allow_other: self.device.allow_other, ..device };
        let checkpoint = read("checkpoint", &group("checkpoint")?)?;
        let benchmark = match all.remove("benchmark") {
            None => None,
            Some(Value::Table(table)) if !table.contains_key("dir") => {
                return Err("benchmark.dir is missing: it names the directory of the table's files".to_owned());
            }
            Some(Value::Table(table)) => Some(read("benchmark", &table.into())?),
            Some(_) => return Err("`benchmark` is a group of settings, not one: set its keys".to_owned()),
        };
        let Ungrouped { seed, random, baseline, architecture, model } =
            Settings::from(all).read().map_err(|error| error.to_string())?;
        Ok(Self {
            seed,
            random,
            baseline,
            architecture,
            model,
            space,
            search,
            data,
            supernet,
            network,
            train,
            device,
            checkpoint,
            benchmark,
        })
    }

    /// Has every operation computed by itself, where a strategy has any fused: in its supernets.
    pub fn without_fusion(mut self) -> Self {
        if let Some(fusion) = self.search.settings.get_mut("fusion") {
            *fusion = Value::Boolean(false);
        }
        self
    }

    /// What the supernet is built for, for images and classes of `data`.
    pub fn supernet(&self, data: &NetworkSettings) -> NetworkSettings {
        let SupernetSize { channels, layers, stem } = self.supernet;
        NetworkSettings { channels, layers, stem, auxiliary: false, ..data.clone() }
    }

    /// What its study looks for, the most important first; nothing where it is none.
    pub fn objectives(&self) -> Vec<Objective> {
        match self.search.is_study() {
            true => StudyConfig::read(&self.search.settings).map(|(study, _)| study.objectives()).unwrap_or_default(),
            false => Vec::new(),
        }
    }

    /// What the architecture weights that its search tells of decide, in words; nothing where there is no supernet. `space` is the one
    /// that it names.
    pub fn rows(&self, space: &dyn Space) -> Vec<Rows> {
        // Names depend on no image.
        let graph = space.supernet(&self.supernet(&NetworkSettings::default()));
        graph.ok().and_then(|graph| graph.rows().ok()).unwrap_or_default()
    }
}

/// A path as a configuration holds it: a run goes on wherever it is asked to. What is no text could not be read again.
fn path(key: &str, path: &Path) -> Result<Value, ConfigError> {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let problem = || format!("{key}: the path {} is not valid Unicode", whole.display());
    let text = whole.to_str().ok_or_else(|| value_error("configuration", problem()))?;
    Ok(Value::String(text.to_owned()))
}
