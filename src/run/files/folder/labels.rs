//! Pictures with their labels in a table beside them.

use super::super::LoadError;
use super::super::error::data;
use super::super::place::read;
use super::error::PicturesError;
use super::found::{Found, Item};
use super::read::{Kind, kinds};
use super::tree::{self, Entry, is_table};
use crate::data::{Format, Role, Row, Table, class_name};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use unicode_normalization::UnicodeNormalization;

/// Folders beside a table in which its pictures are looked for too, besides one that bears the table's name.
const FOLDERS: [&str; 4] = ["images", "imgs", "pictures", "data"];

/// A table with the columns it needs.
struct Labelled {
    name: String,
    path: PathBuf,
    role: Option<Role>,
    table: Table,
}

/// Finds the pictures that a table in `root` lists: `train.csv` with, perhaps, `val.csv` and `test.csv`; else
/// `labels.csv`; else the only one with columns for files and labels. `None` if there is none.
///
/// # Errors
/// If a table cannot be read, has rows that cannot be used, or it cannot be told which table is meant.
pub(super) fn find(root: &Path) -> Result<Option<Found>, LoadError> {
    let top = tree::entries(root)?;
    let mut tables = Vec::new();
    for entry in top.iter().filter(|entry| is_table(entry)) {
        let stem = entry.name.rsplit_once('.').map_or("", |(stem, _)| stem);
        // What is to be sent in lists files with made-up labels.
        if stem.to_lowercase().contains("submission") {
            continue;
        }
        let place = || data(entry.path.display().to_string());
        if let Some(table) = Table::read(&read(&entry.path)?).map_err(place())? {
            let (name, path) = (entry.name.clone(), entry.path.clone());
            tables.push(Labelled { name, path, role: Role::of(stem), table });
        }
    }
    let Some(tables) = chosen(root, tables)? else { return Ok(None) };
    let mut found = Found::default();
    let mut wrong = Vec::new();
    for labelled in &tables {
        let own = labelled.name.rsplit_once('.').map_or("", |(stem, _)| stem);
        let role = labelled.role.unwrap_or(Role::Train);
        let beside = |entry: &&Entry| {
            let name = entry.name.to_lowercase();
            entry.directory
                && (name == own.to_lowercase() || Role::of(&name) == Some(role) || FOLDERS.contains(&&*name))
        };
        let folders: Vec<&Path> =
            std::iter::once(root).chain(top.iter().filter(beside).map(|entry| entry.path.as_path())).collect();
        let mut files = Files { folders, stems: HashMap::new() };
        let line = |line: u64| format!("{} line {line}", labelled.name);
        wrong.extend(labelled.table.wrong.iter().map(|(at, problem)| format!("{}: {problem}", line(*at))));
        for row in &labelled.table.rows {
            let (path, bad) = match files.find(row) {
                Ok(path) => (path, None),
                Err(problem) => (root.join(&row.path), Some(problem)),
            };
            let place = format!("{} ({})", path.display(), line(row.line));
            let (class, role) = (class_name(&row.label), row.role.unwrap_or(role));
            found.classes.insert(class.clone());
            found.items.push(Item { role, class, path, place, format: None, bad });
        }
        found.places.push(format!("{} ({})", labelled.name, labelled.table.columns.join(", ")));
    }
    if !wrong.is_empty() {
        return Err(PicturesError::Rows { table: tables[0].path.clone(), wrong }.into());
    }
    let paths: Vec<&Path> = found.items.iter().map(|item| item.path.as_path()).collect();
    let kinds = kinds(&paths);
    for (item, kind) in found.items.iter_mut().zip(kinds).filter(|(item, _)| item.bad.is_none()) {
        match kind {
            Kind::Picture(format) => item.format = Some(format),
            Kind::Bad(problem) => item.bad = Some(problem),
            Kind::Other => item.bad = Some(crate::data::PictureError::Unknown.to_string()),
        }
    }
    Ok(Some(found))
}

/// Which tables are meant.
fn chosen(root: &Path, tables: Vec<Labelled>) -> Result<Option<Vec<Labelled>>, LoadError> {
    let several = |tables: &[Labelled], what| {
        let names = tables.iter().map(|labelled| labelled.name.clone()).collect();
        LoadError::from(PicturesError::Several { directory: root.into(), names, what })
    };
    let (parts, mut whole): (Vec<_>, Vec<_>) = tables.into_iter().partition(|labelled| labelled.role.is_some());
    if parts.iter().any(|labelled| labelled.role == Some(Role::Train)) {
        for role in [Role::Train, Role::Validation, Role::Test] {
            if parts.iter().filter(|labelled| labelled.role == Some(role)).count() > 1 {
                return Err(several(&parts, "the table of one part"));
            }
        }
        return Ok(Some(parts));
    }
    if whole.len() > 1 {
        let called = |labelled: &Labelled| labelled.name.to_lowercase().starts_with("labels.");
        match whole.iter().position(called) {
            Some(at) => whole = vec![whole.swap_remove(at)],
            None => return Err(several(&whole, "the table of labels")),
        }
    }
    match whole.is_empty() {
        true if !parts.is_empty() => Err(PicturesError::NoTraining { directory: root.into() }.into()),
        true => Ok(None),
        false => Ok(Some(whole)),
    }
}

/// Where the files of a table are looked for.
struct Files<'a> {
    folders: Vec<&'a Path>,
    /// For a directory that was listed, the names of pictures without their endings, and the names.
    stems: HashMap<PathBuf, HashMap<String, Vec<String>>>,
}

impl Files<'_> {
    /// The file that a row means: one of that name, or the only picture whose name is that with an ending.
    fn find(&mut self, row: &Row) -> Result<PathBuf, String> {
        // Archives made on macOS hold names in the decomposed form.
        let spelt = [row.path.clone(), row.path.nfc().collect(), row.path.nfd().collect()];
        for folder in &self.folders {
            if let Some(path) = spelt.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
                return Ok(path);
            }
        }
        for folder in &self.folders {
            for name in &spelt {
                let path = folder.join(name);
                let (Some(parent), Some(stem)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
                else {
                    continue;
                };
                let listed = self.stems.entry(parent.to_owned()).or_insert_with(|| stems(parent));
                match listed.get(stem).map(Vec::as_slice) {
                    Some([only]) => return Ok(parent.join(only)),
                    Some(several) => return Err(format!("could be any of {}", several.join(", "))),
                    None => {}
                }
            }
        }
        Err("there is no such file".into())
    }
}

/// Names of the pictures in a directory by what they are without their endings; nothing if it cannot be listed.
fn stems(directory: &Path) -> HashMap<String, Vec<String>> {
    let mut stems: HashMap<String, Vec<String>> = HashMap::new();
    for entry in tree::entries(directory).unwrap_or_default() {
        if let Some((stem, _)) = entry.name.rsplit_once('.').filter(|_| Format::promised_by(&entry.name)) {
            stems.entry(stem.to_owned()).or_default().push(entry.name.clone());
        }
    }
    stems
}
