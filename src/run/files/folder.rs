//! A directory of pictures, a folder a class.

use super::{LoadError, Place, data, list, read};
use crate::data::{Dataset, Folder, Part};
use std::path::Path;

/// Loads `CLASS/*.png` and `*.jpg`, or `train/CLASS/…` and `test/CLASS/…`. Hidden files, and files
/// beside the classes' folders, are left alone.
pub(super) fn load(place: &Place) -> Result<Dataset, LoadError> {
    let mut folder = Folder::new();
    let top = folders(place.directory)?;
    // `train` may also be a class: it is a part only where no folder but `test` stands beside it.
    if top == ["train"] || top == ["test", "train"] {
        for (name, part) in [("train", Part::Train), ("test", Part::Test)] {
            if top.iter().any(|folder| folder == name) {
                let directory = place.directory.join(name);
                let classes = folders(&directory)?;
                if classes.is_empty() {
                    return Err(place.missing(vec![format!("{name}/CLASS/*.png"), format!("{name}/CLASS/*.jpg")]));
                }
                add_classes(&mut folder, &directory, &classes, part)?;
            }
        }
    } else if top.is_empty() {
        return Err(place.missing(vec!["CLASS/*.png".into(), "CLASS/*.jpg".into(), "train/CLASS/*.png".into()]));
    } else {
        add_classes(&mut folder, place.directory, &top, Part::Train)?;
    }
    folder.finish(place.name, &place.source()).map_err(data(place.directory.display().to_string()))
}

/// Names of the folders in a directory, sorted, without hidden ones.
fn folders(directory: &Path) -> Result<Vec<String>, LoadError> {
    let mut names = list(directory)?;
    names.retain(|name| !name.starts_with('.') && directory.join(name).is_dir());
    Ok(names)
}

fn add_classes(folder: &mut Folder, directory: &Path, classes: &[String], part: Part) -> Result<(), LoadError> {
    for class in classes {
        let directory = directory.join(class);
        for name in list(&directory)? {
            if name.starts_with('.') {
                continue;
            }
            let path = directory.join(&name);
            let stray = |problem| LoadError::Stray { path: path.clone(), problem };
            if path.is_dir() {
                return Err(stray("a folder within a class"));
            }
            let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
            if !matches!(extension.as_deref(), Some("png" | "jpg" | "jpeg")) {
                return Err(stray("not named like a PNG or JPEG file"));
            }
            // The errors of pictures name their file themselves, some two of them.
            let shown = path.display().to_string();
            folder.add(part, class, &shown, &read(&path)?).map_err(data("folder"))?;
        }
    }
    Ok(())
}
