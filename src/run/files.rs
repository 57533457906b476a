//! Datasets by name: which files each is made of, where they are looked for, and reading them.

mod cifar;
#[cfg(feature = "images")]
mod folder;
mod layout;
mod mnist;
mod tree;
#[cfg(not(feature = "images"))]
mod without_images;

#[cfg(not(feature = "images"))]
use without_images as folder;

pub use folder::PicturesError;

use super::{ImagesConfig, Observer};
use crate::data::{DataError, Dataset, Images, digits};
use crate::names::nearest;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The datasets that [`load`] knows.
pub const NAMES: [&str; 12] = [
    "digits",
    "mnist",
    "fashion-mnist",
    "kmnist",
    "qmnist",
    "emnist-letters",
    "emnist-balanced",
    "emnist-digits",
    "cifar10",
    "cifar100",
    "cifar100-coarse",
    "folder",
];

/// Whether a dataset is MNIST or of its kind: grey pictures of 28 × 28.
pub(super) fn is_like_mnist(name: &str) -> bool {
    mnist::kin(name).is_some()
}

/// Whether a dataset is small enough for two CPU cores.
pub(super) fn is_small(name: &str) -> bool {
    name == "digits" || is_like_mnist(name)
}

/// The largest file read: 4 GiB. Every dataset known is far smaller.
pub const MAX_FILE: u64 = 4 << 30;

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
        nearest: String,
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
    /// A file was given that is no archive.
    #[error("dataset `{name}`: {} is neither a directory nor an archive (.zip, .tar, .tar.gz) nor an .npz file; \
        name the directory that its files lie in", .path.display())]
    NoArchive {
        /// The dataset.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The only files found are in a folder named after another dataset.
    #[error("dataset `{name}`: {} is named after another dataset, and its files are named alike, so that only the \
        folder tells them apart: take `--data {other}`, or name another directory", .path)]
    Other {
        /// The dataset asked for.
        name: String,
        /// The folder.
        path: String,
        /// The dataset it is named after.
        other: &'static str,
    },
    /// Two places would do.
    #[error("the dataset is in {} and in {}: name the one that is meant", .places[0], .places[1])]
    Ambiguous {
        /// The first two.
        places: [String; 2],
    },
    /// Some files of a dataset are there and others are not.
    #[error("dataset `{name}`: {} holds only a part of it: there is no {}; what lies there: {}; to get the files: {hint}",
        .directory.display(), .missing.join(", "), .lies.join(", "))]
    Incomplete {
        /// The dataset.
        name: String,
        /// Where the others are.
        directory: PathBuf,
        /// Those that are missing, each with its other names.
        missing: Vec<String>,
        /// The first names of what is there.
        lies: Vec<String>,
        /// How to get its files.
        hint: &'static str,
    },
    /// Nothing of a dataset is in the directory.
    #[error("dataset `{name}`: in {} there is none of {}; {}; to get the files: {hint}", .directory.display(),
        .looked_for.join(", "),
        if .lies.is_empty() { "nothing lies there".into() } else { format!("what lies there: {}", .lies.join(", ")) })]
    Missing {
        /// The dataset.
        name: String,
        /// Where was looked.
        directory: PathBuf,
        /// What was looked for: any one of these would have done.
        looked_for: Vec<String>,
        /// The first names of what is there.
        lies: Vec<String>,
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
    let &Request { name, directory, images: &ImagesConfig { most_bytes, .. }, .. } = request;
    if name == "folder" {
        return folder::load(request, observer);
    }
    let mut stage = |load: &dyn Fn() -> Result<Loaded, LoadError>| {
        observer.begin(&format!("read {name}"), 1);
        let loaded = load();
        observer.end();
        loaded
    };
    if let Some(kin) = mnist::kin(name) {
        let place = Place::any(name, directory, kin.hint())?;
        return stage(&|| kin.load(&place, most_bytes));
    }
    if let Some(set) = cifar::set(name) {
        let place = Place::any(name, directory, cifar::hint(set))?;
        return stage(&|| cifar::load(&place, set, most_bytes));
    }
    let dataset = match name {
        "digits" => match directory {
            None => {
                let mut dataset = digits::dataset().map_err(data("the bundled digits"))?;
                let how = format!("part of the program: {}", dataset.source);
                dataset.source = line(name, &dataset.train, &dataset.test, &how);
                dataset
            }
            Some(directory) => return Err(LoadError::NeedlessDirectory { directory: directory.into() }),
        },
        _ => return Err(LoadError::Unknown { name: name.into(), nearest: nearest(name, NAMES) }),
    };
    Ok(Loaded { dataset, notes: Vec::new(), left_out: 0 })
}

/// What was found and how it was read, in one line: a dataset's `source`.
fn line(name: &str, train: &Images, test: &Images, how: &str) -> String {
    let [channels, height, width] = train.shape();
    let colour = if channels == 3 { "colour " } else { "" };
    let (train, test) = (thousands(train.count()), thousands(test.count()));
    format!("{name}: {train} + {test} {colour}pictures of {height}×{width}, {how}")
}

/// A count with commas between thousands.
fn thousands(count: usize) -> String {
    if count < 1000 { count.to_string() } else { format!("{},{:03}", thousands(count / 1000), count % 1000) }
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

    /// The same where an archive will do too.
    fn any(name: &'a str, directory: Option<&'a Path>, hint: &'static str) -> Result<Self, LoadError> {
        match directory {
            Some(directory) if directory.exists() => Ok(Self { name, directory, hint }),
            _ => Self::new(name, directory, hint),
        }
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

#[cfg(test)]
mod tests;
