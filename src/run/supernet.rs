//! The file `supernet.safetensors` of a search that trains shared weights: what a study can measure its trials with.

use super::config::Config;
use super::directory::{CONFIG, Directory};
use super::error::RunError;
use super::model::Model;
use super::read::Sources;
use crate::data::Resident;
use crate::device::Device;
use crate::estimate::{PathConfig, PathTraining};
use crate::network::{Network, part, settled};
use crate::nn::{Array, from_safetensors, to_safetensors};
use crate::optim::{Schedule, SgdConfig};
use crate::search::Shared;
use crate::space::{NetworkSettings, Space, SpaceConfig};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The file.
const FILE: &str = "supernet.safetensors";
/// The longest that is read, in bytes.
const LONGEST: u64 = 4 << 30;
/// Images of a batch.
const BATCH: usize = 64;
/// Batches that running statistics are collected over for each trial.
pub(super) const CALIBRATION: u32 = 8;

/// What the file says of itself beside the weights.
#[derive(Serialize, Deserialize)]
struct Facts {
    strategy: String,
    space: String,
    /// A hash of the dataset.
    data: String,
    /// Training images that trained none of the weights.
    rest: Vec<u32>,
}

/// A supernet as a search has left it.
pub(super) struct Supernet {
    path: PathBuf,
    arrays: BTreeMap<String, Array>,
    /// Settings of the search that trained it.
    config: Config,
    images: usize,
    /// Training images that measure.
    pub rest: Vec<u32>,
}

/// Writes the weights that a search has trained.
pub(super) fn write(directory: &Directory, config: &Config, data: &str, shared: Shared<'_>) -> Result<(), RunError> {
    let wrong = |problem: String| RunError::Supernet { path: directory.path().join(FILE), problem };
    let state = pollster::block_on(shared.network.state()).map_err(|error| wrong(error.to_string()))?;
    let facts = Facts {
        strategy: config.search.name().to_owned(),
        space: config.space.name.clone(),
        data: data.to_owned(),
        rest: shared.rest.to_vec(),
    };
    let facts = serde_json::to_string(&facts).map_err(|error| wrong(error.to_string()))?;
    // One key: a map of several has no order, and the same run would write other bytes.
    let metadata = HashMap::from([("cellwright".to_owned(), facts)]);
    let bytes = to_safetensors(&state, metadata).map_err(|error| wrong(error.to_string()))?;
    directory.write(FILE, &bytes)
}

/// What a run has of its supernet: its configuration, the weights, and what the file says beside them.
fn open(run: &Path) -> Result<(Config, BTreeMap<String, Array>, Facts), RunError> {
    let path = run.join(FILE);
    let wrong = |problem: String| RunError::Supernet { path: path.clone(), problem };
    let file = File::open(&path).map_err(|error| {
        wrong(format!("{error}: name the directory of a search with shared weights that has come to its end"))
    })?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
    if bytes.len() as u64 > LONGEST {
        return Err(wrong(format!("has more than {LONGEST} bytes")));
    }
    let (arrays, metadata) = from_safetensors(&bytes).map_err(|error| wrong(error.to_string()))?;
    let own = metadata.get("cellwright").ok_or_else(|| wrong("is not of a search by cellwright".into()))?;
    let facts = serde_json::from_str(own).map_err(|error| wrong(format!("its description: {error}")))?;
    let place = run.join(CONFIG);
    let text = std::fs::read_to_string(&place).map_err(|error| wrong(format!("{}: {error}", place.display())))?;
    let sources = Sources { place: &place.display().to_string(), text: &text, ..Sources::default() };
    let config = Config::read(&sources, |name| Ok(SpaceConfig::of(name.unwrap_or("darts"))))?.config;
    Ok((config, arrays, facts))
}

/// The path of an architecture, given as text, through the supernet of a run: a network with the weights that it has there.
///
/// # Errors
/// [`RunError::Supernet`] if the run has left none, or one without such a path; an architecture of another space.
pub fn path_model(run: &Path, architecture: &str) -> Result<Model, RunError> {
    let wrong = |problem: String| RunError::Supernet { path: run.join(FILE), problem };
    let (config, arrays, _) = open(run)?;
    let mut model = Model::read(run)?;
    let space = config.space.build()?;
    let data =
        NetworkSettings { image: model.graph.shape(0), classes: model.classes.len(), ..NetworkSettings::default() };
    let supernet = Network::new(&Device::cpu(), space.supernet(&config.supernet(&data))?, 0)?;
    let decided = space.parse(architecture)?;
    let path = supernet.path(&space.settle(&decided)?)?;
    let graph = settled(supernet.graph(), &path)?;
    let arrays = part(&graph, &arrays).map_err(|error| {
        wrong(format!("{error}: the supernet of {} has no such path for each architecture", config.search.name()))
    })?;
    (model.graph, model.arrays, model.genotype) = (graph, arrays, Some(space.print(&decided)));
    Ok(model)
}

impl Supernet {
    /// The one of a run, for a study of the same space on the same data, of so many training images.
    pub fn read(run: &Path, of: &Config, data: &str, images: usize) -> Result<Self, RunError> {
        let path = run.join(FILE);
        let wrong = |problem: String| RunError::Supernet { path: path.clone(), problem };
        let (config, arrays, Facts { strategy, data: its, rest, .. }) = open(run)?;
        if config.space != of.space {
            let problem = format!("is of the space {}, or of one with other settings", config.space.name);
            return Err(wrong(problem));
        }
        if its != data {
            return Err(wrong("was trained on other images: those that measure must not have trained it".into()));
        }
        if rest.is_empty() {
            return Err(wrong(format!("{strategy} trained it on all images: none is left to measure with")));
        }
        if let Some(image) = rest.iter().find(|image| **image as usize >= images) {
            return Err(wrong(format!("names image {image}, where there are {images}")));
        }
        Ok(Self { path, arrays, config, images, rest })
    }

    /// Its weights on a device, for networks of `network` and images of `data`.
    pub fn paths(
        &self,
        device: &Device,
        space: &dyn Space,
        network: &NetworkSettings,
        data: &Resident,
    ) -> Result<PathTraining, RunError> {
        let measuring: HashSet<u32> = self.rest.iter().copied().collect();
        let trained: Vec<u32> = (0..self.images as u32).filter(|image| !measuring.contains(image)).collect();
        let config = PathConfig {
            epochs: 1,
            batch: BATCH.min(trained.len()),
            sgd: SgdConfig::default(),
            rate: Schedule::Cosine { from: 0.0, to: 0.0 },
            augmentation: self.config.train.augmentation,
            dropout: false,
        };
        let graph = space.supernet(&self.config.supernet(network))?;
        let mut paths = PathTraining::new(device, graph, data, trained, config, self.config.seed)?;
        paths.load(&self.arrays).map_err(|error| {
            let strategy = self.config.search.name();
            let problem = format!("{error}: the supernet of {strategy} has no such path for each architecture");
            RunError::Supernet { path: self.path.clone(), problem }
        })?;
        Ok(paths)
    }
}
