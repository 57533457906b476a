//! What lies in a place: the files in a directory and a few folders down, or those in an archive.

use super::LoadError;
use super::error::data;
use super::place::read;
use crate::data::{DataError, archive};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Folders below the directory named that are looked into.
const DEPTH: usize = 4;
/// Files and folders looked at in all.
const MOST_ENTRIES: usize = 100_000;
/// How many of them an error shows.
const SHOWN: usize = 20;

/// Files with names, to be read one by one.
#[derive(Debug)]
pub(super) struct Tree {
    /// The directory or archive.
    pub root: PathBuf,
    /// Nearer ones first, then by name.
    pub members: Vec<Member>,
    /// What the archive is packed with, if it is one.
    pub packed: Option<archive::Kind>,
    /// What should be known of what is not among the members.
    remarks: Vec<String>,
}

/// A file of a tree.
#[derive(Debug)]
pub(super) struct Member {
    /// Its path from the root, divided by `/`.
    pub path: String,
    /// Its number in the archive.
    index: usize,
}

impl Member {
    /// The folders above it, joined by `/`; empty at the root.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Its name alone.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit_once('/').map_or(&self.path, |(_, name)| name)
    }
}

impl Tree {
    /// The tree at `root`: a directory, an archive, told by content, or an `.npz` file, which is its only member.
    /// `None` if it is a file of another kind. No more than `limit` bytes are unpacked.
    pub(super) fn open(root: &Path, limit: u64) -> Result<Option<Self>, LoadError> {
        let failed = |source| LoadError::Io { path: root.into(), source };
        if fs::metadata(root).map_err(failed)?.is_dir() {
            return Self::walk(root).map(Some);
        }
        match Self::archive(root, limit)? {
            Some(tree) if tree.is_npz() => {
                let (Some(folder), Some(name)) = (root.parent(), root.file_name().and_then(|name| name.to_str()))
                else {
                    return Ok(None);
                };
                let members = vec![Member { path: name.to_owned(), index: 0 }];
                Ok(Some(Self { root: folder.into(), members, packed: None, remarks: Vec::new() }))
            }
            other => Ok(other),
        }
    }

    /// Whether this is an archive of arrays and nothing else.
    fn is_npz(&self) -> bool {
        !self.members.is_empty() && self.members.iter().all(|member| member.path.ends_with(".npy"))
    }

    /// What is in an archive; `None` if the file is none.
    pub(super) fn archive(root: &Path, limit: u64) -> Result<Option<Self>, LoadError> {
        let failed = |source| LoadError::Io { path: root.into(), source };
        // A pipe or a device may wait for ever.
        if !fs::metadata(root).map_err(failed)?.is_file() {
            return Ok(None);
        }
        let open = || File::open(root).map_err(failed);
        let Some(kind) = archive::Kind::of(open()?).map_err(failed)? else { return Ok(None) };
        let listed = archive::list(kind, open()?, limit).map_err(|error| data(shown(root))(error.into()))?;
        let mut members: Vec<Member> = listed
            .into_iter()
            .filter(|member| !member.path.split('/').any(is_hidden))
            .map(|archive::Member { path, index }| Member { path, index })
            .collect();
        sort(&mut members);
        Ok(Some(Self { root: root.into(), members, packed: Some(kind), remarks: Vec::new() }))
    }

    fn walk(root: &Path) -> Result<Self, LoadError> {
        let (mut members, mut remarks, mut seen) = (Vec::new(), Vec::new(), 0);
        let mut folders = vec![String::new()];
        'levels: for _ in 0..=DEPTH {
            let mut below = Vec::new();
            for folder in &folders {
                let entries = match names(&root.join(folder)) {
                    Ok(entries) => entries,
                    Err(source) if folder.is_empty() => return Err(LoadError::Io { path: root.into(), source }),
                    Err(error) => {
                        remarks.push(format!("{folder} ({error})"));
                        continue;
                    }
                };
                for name in entries {
                    let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                    seen += 1;
                    if seen > MOST_ENTRIES {
                        remarks.push(format!("more, of which only the first {MOST_ENTRIES} were looked at"));
                        break 'levels;
                    }
                    if root.join(&path).is_dir() { below.push(path) } else { members.push(Member { path, index: 0 }) }
                }
            }
            folders = below;
        }
        remarks.extend(folders.into_iter().map(|folder| format!("{folder}/")));
        sort(&mut members);
        Ok(Self { root: root.into(), members, packed: None, remarks })
    }

    /// The bytes of the members with these numbers.
    pub(super) fn read(&self, members: &[usize], limit: u64) -> Result<Vec<Vec<u8>>, LoadError> {
        let members: Vec<&Member> = members.iter().filter_map(|&number| self.members.get(number)).collect();
        let Some(kind) = self.packed else {
            return members.iter().map(|member| read(&self.root.join(&member.path))).collect();
        };
        let file = File::open(&self.root).map_err(|source| LoadError::Io { path: self.root.clone(), source })?;
        let indices: Vec<usize> = members.iter().map(|member| member.index).collect();
        archive::read(kind, file, &indices, limit).map_err(|error| data(shown(&self.root))(DataError::from(error)))
    }

    /// What to call the folder or file `path` of this tree.
    pub(super) fn shown(&self, path: &str) -> String {
        if path.is_empty() { shown(&self.root) } else { shown(&self.root.join(path)) }
    }

    /// The first names of what is here, for an error.
    pub(super) fn names(&self) -> Vec<String> {
        let all = self.members.iter().map(|member| member.path.clone()).chain(self.remarks.iter().cloned());
        let count = self.members.len() + self.remarks.len();
        let more = (count > SHOWN).then(|| format!("{} more", count - SHOWN));
        all.take(SHOWN).chain(more).collect()
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn sort(members: &mut [Member]) {
    members.sort_by(|a, b| {
        let depth = |member: &Member| member.path.matches('/').count();
        depth(a).cmp(&depth(b)).then_with(|| a.path.cmp(&b.path))
    });
}

/// Names in a directory, sorted, without hidden ones. A name that is not Unicode is that of no file looked for.
fn names(directory: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.extend(entry?.file_name().into_string().ok().filter(|name| !is_hidden(name)));
    }
    names.sort();
    Ok(names)
}

/// What systems leave behind.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name == "__MACOSX"
}
