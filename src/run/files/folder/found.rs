//! What was found in a directory of pictures.

use crate::data::{Format, Role};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A picture that was found.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub role: Role,
    /// The class's name, composed.
    pub class: String,
    pub path: PathBuf,
    /// What messages call it.
    pub place: String,
    /// Its format; known where it is not bad.
    pub format: Option<Format>,
    /// Why it cannot be read.
    pub bad: Option<String>,
}

/// What was found in a directory.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Pictures, part by part and class by class.
    pub items: Vec<Item>,
    /// Names of all classes, those without pictures too.
    pub classes: BTreeSet<String>,
    /// Names of the folders that are parts, or of the tables read.
    pub places: Vec<String>,
    /// Pictures beside the folders of classes.
    pub loose: Vec<PathBuf>,
    /// Files that are no pictures.
    pub others: Vec<PathBuf>,
    /// What the user should know.
    pub notes: Vec<String>,
}
