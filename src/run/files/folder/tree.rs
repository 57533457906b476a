//! Walking directories: links are followed, what systems leave behind is passed over.

use super::super::LoadError;
use super::error::PicturesError;
use super::read::{self, Kind};
use crate::data::Role;
use std::path::{Path, PathBuf};

/// Folders may lie so deep in each other.
const DEEPEST: usize = 32;

/// What is passed over without a word, besides hidden files and folders.
const IGNORED: [&str; 3] = ["thumbs.db", "desktop.ini", "__macosx"];

/// Something in a directory.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// A directory, or a link to one. What is neither that nor a file counts as a file, and is no picture.
    pub(super) directory: bool,
}

/// What is in a directory, sorted by name, without what is passed over.
pub(super) fn entries(directory: &Path) -> Result<Vec<Entry>, LoadError> {
    let failed = |source| LoadError::Io { path: directory.into(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let shown = name.to_string_lossy().to_lowercase();
        if shown.starts_with('.') || IGNORED.contains(&shown.as_str()) {
            continue;
        }
        let path = directory.join(&name);
        // Shown or compared as text, and to be found again by it.
        let Ok(name) = name.into_string() else { return Err(PicturesError::NotUnicode { path }.into()) };
        let directory = path.is_dir();
        found.push(Entry { name, path, directory });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// All files in a directory at any depth, in the order of their paths, step by step.
///
/// # Errors
/// If a link leads back to where the walk comes from, or above it.
pub(super) fn files(directory: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut found = Vec::new();
    let above = directory.parent().unwrap_or(directory);
    walk(directory, &mut vec![canonical(above)?], &mut found)?;
    Ok(found)
}

fn walk(directory: &Path, above: &mut Vec<PathBuf>, found: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let own = canonical(directory)?;
    if above.iter().any(|above| above.starts_with(&own)) {
        return Err(PicturesError::Cycle { path: directory.into(), target: own }.into());
    }
    if above.len() > DEEPEST {
        return Err(PicturesError::Deep { path: directory.into(), limit: DEEPEST }.into());
    }
    above.push(own);
    for entry in entries(directory)? {
        if entry.directory {
            walk(&entry.path, above, found)?;
        } else {
            found.push(entry.path);
        }
    }
    above.pop();
    Ok(())
}

fn canonical(directory: &Path) -> Result<PathBuf, LoadError> {
    directory.canonicalize().map_err(|source| LoadError::Io { path: directory.into(), source })
}

/// Where the dataset lies that is looked for in `directory`: there, or in the only folder that an archive was unpacked
/// to, or its only folder. Of a `part` that is looked for, only a folder that bears a part's name again is opened: any
/// other could be a class.
pub(super) fn unwrapped(directory: &Path, part: bool) -> Result<PathBuf, LoadError> {
    let mut at = directory.to_owned();
    for _ in 0..DEEPEST {
        let here = entries(&at)?;
        let folders: Vec<&Entry> = here.iter().filter(|entry| entry.directory).collect();
        let [only] = folders[..] else { break };
        if part != Role::of(&only.name).is_some() || here.iter().any(|entry| is_table(entry) || is_picture(entry)) {
            break;
        }
        let within = entries(&only.path)?;
        let classes = within.iter().any(|entry| entry.directory) && !within.iter().any(is_picture);
        if !classes && !within.iter().any(is_table) {
            break;
        }
        at.clone_from(&only.path);
    }
    Ok(at)
}

/// Whether it is a file named like a table.
pub(super) fn is_table(entry: &Entry) -> bool {
    let ending = entry.name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    !entry.directory && matches!(ending.as_deref(), Some("csv" | "tsv"))
}

fn is_picture(entry: &Entry) -> bool {
    !entry.directory && matches!(read::kind(&entry.path), Kind::Picture(_))
}
