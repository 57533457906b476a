//! Which folders are parts, and which are classes.

use super::super::LoadError;
use super::error::PicturesError;
use super::found::{Found, Item};
use super::read::{self, Kind};
use super::tree::{self, Entry};
use crate::data::{Role, class_name};
use std::path::{Path, PathBuf};

/// Finds pictures in folders of classes, in parts or not. A file in a class is a picture by its first bytes; what is
/// none is in [`Found::others`], as is what lies beside the classes.
///
/// # Errors
/// If folders cannot be read, or it cannot be told what they are.
pub(super) fn find(root: &Path) -> Result<Found, LoadError> {
    let top = tree::entries(root)?;
    let folders: Vec<&Entry> = top.iter().filter(|entry| entry.directory).collect();
    let named: Vec<(Role, &Entry)> = folders.iter().filter_map(|&f| Role::of(&f.name).map(|role| (role, f))).collect();
    let mut files: Vec<(Role, Option<String>, PathBuf)> = Vec::new();
    let mut found = Found::default();
    let loose = |entries: &[Entry]| {
        let files = entries.iter().filter(|entry| !entry.directory).map(|entry| entry.path.clone());
        files.map(|path| (Role::Train, None, path)).collect::<Vec<_>>()
    };
    files.extend(loose(&top));
    if are_parts(&folders, &named)? {
        for role in [Role::Train, Role::Validation, Role::Test] {
            let of: Vec<&Entry> = named.iter().filter(|(r, _)| *r == role).map(|(_, entry)| *entry).collect();
            if of.len() > 1 {
                let (names, what) = (of.iter().map(|entry| entry.name.clone()).collect(), part(role));
                return Err(PicturesError::Several { directory: root.into(), names, what }.into());
            }
            for entry in of {
                let within = tree::entries(&tree::unwrapped(&entry.path, true)?)?;
                files.extend(loose(&within));
                add(&mut files, &mut found, role, within.iter().filter(|entry| entry.directory))?;
                found.places.push(entry.name.clone());
            }
        }
        let beside: Vec<String> =
            folders.iter().filter(|f| Role::of(&f.name).is_none()).map(|f| f.name.clone()).collect();
        if !beside.is_empty() {
            let names = super::error::listing(&beside, ", ");
            found.notes.push(format!("left alone beside the folders of the parts: {names}"));
        }
    } else {
        add(&mut files, &mut found, Role::Train, folders.into_iter())?;
    }
    let paths: Vec<&Path> = files.iter().map(|(_, _, path)| path.as_path()).collect();
    let kinds = read::kinds(&paths);
    for ((role, class, path), kind) in files.into_iter().zip(kinds) {
        let (format, bad) = match kind {
            Kind::Picture(format) => (Some(format), None),
            Kind::Bad(problem) => (None, Some(problem)),
            Kind::Other => {
                found.others.push(path);
                continue;
            }
        };
        match class {
            Some(class) => {
                let place = path.display().to_string();
                found.items.push(Item { role, class, path, place, format, bad });
            }
            None => found.loose.push(path),
        }
    }
    Ok(found)
}

/// What a role is called.
fn part(role: Role) -> &'static str {
    match role {
        Role::Train => "the training part",
        Role::Validation => "the validation part",
        Role::Test => "the test part",
    }
}

/// Whether folders of such names are parts and no classes. `train` may also be a class, where others stand beside it:
/// then it is a part only if a test or validation folder is there too, and all of these hold folders of classes.
fn are_parts(folders: &[&Entry], named: &[(Role, &Entry)]) -> Result<bool, LoadError> {
    let trained = named.iter().any(|(role, _)| *role == Role::Train);
    if named.is_empty() || trained && named.len() == folders.len() {
        return Ok(trained);
    }
    for (_, entry) in named {
        if !holds_classes(&entry.path)? {
            return Ok(false);
        }
    }
    match trained {
        true => Ok(named.iter().any(|(role, _)| *role != Role::Train)),
        false if named.len() == folders.len() => {
            let directory = named[0].1.path.parent().unwrap_or(&named[0].1.path).into();
            Err(PicturesError::NoTraining { directory }.into())
        }
        false => Ok(false),
    }
}

/// Whether there are folders in it, and no pictures beside them.
fn holds_classes(directory: &Path) -> Result<bool, LoadError> {
    let within = tree::entries(directory)?;
    let picture = |entry: &Entry| !entry.directory && matches!(read::kind(&entry.path), Kind::Picture(_));
    Ok(within.iter().any(|entry| entry.directory) && !within.iter().any(picture))
}

/// Adds all files of the folders, each a class.
fn add<'a>(
    files: &mut Vec<(Role, Option<String>, PathBuf)>,
    found: &mut Found,
    role: Role,
    folders: impl Iterator<Item = &'a Entry>,
) -> Result<(), LoadError> {
    for folder in folders {
        let class = class_name(&folder.name);
        files.extend(tree::files(&folder.path)?.into_iter().map(|path| (role, Some(class.clone()), path)));
        found.classes.insert(class);
    }
    Ok(())
}
