//! Where a dataset is looked for, and how its files are read.

use super::error::{LoadError, MAX_FILE};
use crate::data::{Dataset, Images};
use crate::run::ImagesConfig;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What is to be loaded, and how.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// One of [`NAMES`](super::NAMES).
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

/// Where a dataset is looked for, with what errors about it need.
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) directory: &'a Path,
    pub(super) hint: &'static str,
}

impl<'a> Place<'a> {
    pub(super) fn new(name: &'a str, directory: Option<&'a Path>, hint: &'static str) -> Result<Self, LoadError> {
        let Some(directory) = directory else { return Err(LoadError::NoDirectory { name: name.into(), hint }) };
        if !directory.is_dir() {
            return Err(LoadError::NotADirectory { name: name.into(), directory: directory.into(), hint });
        }
        Ok(Self { name, directory, hint })
    }

    /// The same where an archive will do too.
    pub(super) fn any(name: &'a str, directory: Option<&'a Path>, hint: &'static str) -> Result<Self, LoadError> {
        match directory {
            Some(directory) if directory.exists() => Ok(Self { name, directory, hint }),
            _ => Self::new(name, directory, hint),
        }
    }

    #[cfg(feature = "images")]
    pub(super) fn missing(&self, looked_for: Vec<String>) -> LoadError {
        let lies = list(self.directory).unwrap_or_default().into_iter().take(20).collect();
        let (name, directory) = (self.name.into(), self.directory.into());
        LoadError::Missing { name, directory, looked_for, lies, hint: self.hint }
    }
}

/// The bytes of a file, whose size is checked before any are read.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
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

/// Names of what is in a directory, sorted.
#[cfg(feature = "images")]
pub(super) fn list(directory: &Path) -> Result<Vec<String>, LoadError> {
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

/// What was found and how it was read, in one line: a dataset's `source`.
pub(super) fn line(name: &str, train: &Images, test: &Images, how: &str) -> String {
    let [channels, height, width] = train.shape();
    let colour = if channels == 3 { "colour " } else { "" };
    let (train, test) = (thousands(train.count()), thousands(test.count()));
    format!("{name}: {train} + {test} {colour}pictures of {height}×{width}, {how}")
}

/// A count with commas between thousands.
fn thousands(count: usize) -> String {
    if count < 1000 { count.to_string() } else { format!("{},{:03}", thousands(count / 1000), count % 1000) }
}
