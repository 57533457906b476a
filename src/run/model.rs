//! A trained network as a run keeps it, with all that is needed to use it: `model.json` beside `weights.safetensors`.

use super::directory::Directory;
use super::error::RunError;
use super::images::{ImagesConfig, Resize};
use crate::data::Images;
use crate::device::Device;
use crate::estimate::Inference;
use crate::graph::Graph;
use crate::nn::{Array, Value, from_safetensors, to_safetensors};
use crate::space;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What a network is, but for its weights.
const FILE: &str = "model.json";
/// Its weights.
pub(super) const WEIGHTS: &str = "weights.safetensors";
/// Form of the file.
const FORMAT: u32 = 1;
/// The longest files that are read, in bytes.
const LONGEST: u64 = 256 << 20;
const LONGEST_WEIGHTS: u64 = 16 << 30;

/// A trained network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Form of the file.
    format: u32,
    /// Search space that it is of, if it is of one.
    pub space: Option<String>,
    /// Its architecture in one line, if it was decided by a search.
    pub genotype: Option<String>,
    /// Names of the classes, in the order of its answers.
    pub classes: Vec<String>,
    /// Mean and standard deviation of each channel, in [0, 1] units, by which images are normalised.
    pub mean: Vec<f32>,
    /// The standard deviations.
    pub std: Vec<f32>,
    /// How pictures are read.
    pub images: ImagesConfig,
    /// What it computes.
    pub graph: Graph,
    /// What it has learned, by the names that PyTorch has for it.
    #[serde(skip)]
    pub arrays: BTreeMap<String, Array>,
}

impl Model {
    /// A network with what it is for. `images` says how the pictures were read that it was trained on.
    pub fn new(graph: Graph, arrays: BTreeMap<String, Array>, classes: Vec<String>, normal: [Vec<f32>; 2]) -> Self {
        let [mean, std] = normal;
        let images = ImagesConfig::default();
        Self { format: FORMAT, space: None, genotype: None, classes, mean, std, images, graph, arrays }
    }

    /// `[channels, height, width]` of the images that it is given.
    pub fn shape(&self) -> [usize; 3] {
        let shape = self.graph.shape(0);
        [shape.channels, shape.height, shape.width]
    }

    /// How a picture of any size is read for it.
    pub fn reading(&self) -> crate::data::Reading {
        let [_, height, width] = self.shape().map(|size| size as u32);
        ImagesConfig { resize: Resize(Some([height, width])), ..self.images.clone() }.reading()
    }

    /// A dataset's images as it takes them. (Pictures that all are grey may be for a network of colours.)
    ///
    /// # Errors
    /// That they are of another shape.
    pub fn fitting(&self, images: Images) -> Result<Images, String> {
        let (wanted, found) = (self.shape(), images.shape());
        if found == wanted {
            return Ok(images);
        }
        let in_colour = if wanted[0] == 3 { images.in_colour().ok() } else { None };
        in_colour
            .filter(|images| images.shape() == wanted)
            .ok_or_else(|| format!("its images are {found:?} (channels, rows, columns), the network takes {wanted:?}"))
    }

    /// Settings of reading a dataset's files for it: pictures of any size are brought to its own.
    pub fn reading_of(&self, dataset: &str, images: &ImagesConfig) -> ImagesConfig {
        let [_, height, width] = self.shape().map(|size| size as u32);
        let resize = if dataset == "folder" { Resize(Some([height, width])) } else { images.resize };
        ImagesConfig { resize, ..images.clone() }
    }

    /// Pixels of images (`[images, channels, height, width]`, from 0 to 255) as it is given them.
    pub fn normalised(&self, pixels: &[u8]) -> Vec<f32> {
        let [channels, height, width] = self.shape();
        let planes = pixels.chunks(height * width).enumerate();
        let normalised = planes.flat_map(|(plane, pixels)| {
            let (mean, scale) = (self.mean[plane % channels], 1.0 / self.std[plane % channels]);
            pixels.iter().map(move |&pixel| (f32::from(pixel) / 255.0 - mean) * scale)
        });
        normalised.collect()
    }

    /// What it has learned, by the names that the published code of its space has for a network trained from scratch.
    pub fn published(&self) -> BTreeMap<String, Array> {
        let names: HashMap<String, String> = self.published_layers().collect();
        renamed(&self.arrays, &names)
    }

    /// Its layers, and what the published code calls them.
    fn published_layers(&self) -> impl Iterator<Item = (String, String)> {
        let space = self.space.as_deref().and_then(|name| space::find(name).ok());
        let layers = self.graph.nodes.iter().map(|node| node.name.clone()).filter(|name| !name.is_empty());
        layers.filter_map(move |layer| Some((layer.clone(), space.as_ref()?.published_layer(&layer))))
    }

    /// A hash of what it is and has learned.
    pub(super) fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        // Without the weights; it cannot fail, having been read or made here.
        hasher.update(&serde_json::to_vec(self).unwrap_or_default());
        for (name, array) in &self.arrays {
            hasher.update(name.as_bytes()).update(&[0]);
            match &array.value {
                Value::F32(values) => values.iter().for_each(|value| _ = hasher.update(&value.to_le_bytes())),
                Value::I64(values) => values.iter().for_each(|value| _ = hasher.update(&value.to_le_bytes())),
            }
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The network ready to answer.
    ///
    /// # Errors
    /// [`RunError::Model`] for weights of another network; out of memory.
    pub fn inference(&self, device: &Device) -> Result<Inference, RunError> {
        let wrong = |problem: String| RunError::Model { path: PathBuf::from(WEIGHTS), problem };
        Inference::new(device, &self.graph, &self.arrays).map_err(|error| wrong(error.to_string()))
    }

    /// Reads the one of a run's directory. Nothing in it is trusted.
    ///
    /// # Errors
    /// [`RunError::Model`] naming the file and what is wrong with it.
    pub fn read(run: &Path) -> Result<Self, RunError> {
        let path = run.join(FILE);
        let wrong = |problem: String| RunError::Model { path: path.clone(), problem };
        let bytes = bytes(&path, LONGEST)?;
        let mut model: Self = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if model.format != FORMAT {
            return Err(wrong(format!("is of form {}, this program reads form {FORMAT}", model.format)));
        }
        model.graph = model.graph.checked().map_err(&wrong)?;
        model.check().map_err(wrong)?;
        let path = run.join(WEIGHTS);
        let weights = self::bytes(&path, LONGEST_WEIGHTS)?;
        let (arrays, _) = from_safetensors(&weights)
            .map_err(|error| RunError::Model { path: path.clone(), problem: error.to_string() })?;
        // As they are kept here, or as others have them.
        let own = model.published_layers().map(|(own, published)| (published, own)).collect();
        Ok(Self { arrays: renamed(&arrays, &own), ..model })
    }

    /// Whether all of it fits together.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self) -> Result<(), String> {
        if self.graph.input_count() != 1 {
            return Err(format!("its network has {} inputs, not one", self.graph.input_count()));
        }
        let [channels, ..] = self.shape();
        if self.mean.len() != channels || self.std.len() != channels {
            let (mean, std) = (self.mean.len(), self.std.len());
            return Err(format!("{mean} means and {std} standard deviations for {channels} channels"));
        }
        if !self.mean.iter().all(|mean| mean.is_finite()) || !self.std.iter().all(|std| std.is_finite() && *std > 0.0) {
            return Err("means must be finite, standard deviations above 0".to_owned());
        }
        let answers = self.graph.outputs.first().map(|output| self.graph.shape(output.node).count());
        if answers != Some(self.classes.len()) {
            return Err(format!("{} classes, where its network answers with {answers:?}", self.classes.len()));
        }
        Ok(())
    }

    /// Writes both files.
    ///
    /// # Errors
    /// [`RunError::Write`]; [`RunError::Model`] for arrays that do not fill their shapes.
    pub fn write(&self, directory: &Directory) -> Result<(), RunError> {
        // One key: a map of several has no order, and the same run would write other bytes.
        let own = serde_json::json!({ "genotype": self.genotype, "space": self.space }).to_string();
        let metadata = HashMap::from([("cellwright".to_owned(), own)]);
        let path = directory.path().join(WEIGHTS);
        let weights = to_safetensors(&self.arrays, metadata)
            .map_err(|error| RunError::Model { path, problem: error.to_string() })?;
        directory.write(WEIGHTS, &weights)?;
        let path = directory.path().join(FILE);
        let text = serde_json::to_vec(self).map_err(|error| RunError::Model { path, problem: error.to_string() })?;
        directory.write(FILE, &text)
    }
}

/// Arrays whose layers have other names.
fn renamed(arrays: &BTreeMap<String, Array>, layers: &HashMap<String, String>) -> BTreeMap<String, Array> {
    let named = |name: &String| {
        let (layer, part) = name.rsplit_once('.')?;
        Some(format!("{}.{part}", layers.get(layer)?))
    };
    arrays.iter().map(|(name, array)| (named(name).unwrap_or_else(|| name.clone()), array.clone())).collect()
}

/// What a file holds, if it is no longer than that.
fn bytes(path: &Path, longest: u64) -> Result<Vec<u8>, RunError> {
    let wrong = |problem: String| RunError::Model { path: path.to_owned(), problem };
    let file = File::open(path).map_err(|error| {
        wrong(format!("{error}: name the directory of a search or a training that has come to its end"))
    })?;
    let mut bytes = Vec::new();
    file.take(longest + 1).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
    if bytes.len() as u64 > longest {
        return Err(wrong(format!("has more than {longest} bytes")));
    }
    Ok(bytes)
}
