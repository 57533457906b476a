//! Directories of pictures, made on the fly.

use super::super::{LoadError, Loaded, Request, load};
use crate::data::{Fit, folder_png as png};
use crate::run::images::{Background, Resize};
use crate::run::{ImagesConfig, Observer, Silent};
use std::path::Path;
use tempfile::TempDir;

mod layouts;
mod reading;
mod tables;

/// A directory with the given files.
fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, bytes) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    directory
}

fn request<'a>(directory: &'a Path, images: &'a ImagesConfig) -> Request<'a> {
    Request { name: "folder", directory: Some(directory), images, room: None }
}

fn load_with(directory: &Path, images: &ImagesConfig) -> Result<Loaded, LoadError> {
    load(&request(directory, images), &mut Silent)
}

fn load_from(files: &[(&str, &[u8])]) -> Result<Loaded, LoadError> {
    load_with(directory(files).path(), &ImagesConfig::default())
}

fn error(files: &[(&str, &[u8])]) -> String {
    load_from(files).unwrap_err().to_string()
}

/// A grey picture of 2×2.
fn grey(value: u8) -> Vec<u8> {
    png(2, 2, [value; 3])
}

/// Files of these names, all the same grey picture.
fn all_grey(names: &[&str]) -> TempDir {
    let picture = grey(7);
    directory(&names.iter().map(|&name| (name, picture.as_slice())).collect::<Vec<_>>())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Whether a note holds all of `parts`.
fn noted(loaded: &Loaded, parts: &[&str]) -> bool {
    loaded.notes.iter().any(|note| parts.iter().all(|part| note.contains(part)))
}
