//! What can be wrong with a dataset's files.

use super::folder::PicturesError;
use crate::data::DataError;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// The datasets that [`load`](super::load) knows.
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
    /// Fewer images are to be used than there are classes.
    #[error("data.limit = {limit}: dataset `{name}` has {classes} classes, each of which needs an image")]
    Limit {
        /// The dataset.
        name: String,
        /// Images asked for.
        limit: u32,
        /// Classes that there are.
        classes: usize,
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

/// Adds to an error of the data where they were.
pub(super) fn data(place: impl Into<String>) -> impl FnOnce(DataError) -> LoadError {
    |source| LoadError::Data { place: place.into(), source }
}
