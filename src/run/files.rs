//! Datasets by name: which files each is made of, where they are looked for, and reading them.

mod cifar;
mod error;
#[cfg(feature = "images")]
mod folder;
mod layout;
mod mnist;
mod place;
mod tree;
#[cfg(not(feature = "images"))]
mod without_images;

#[cfg(not(feature = "images"))]
use without_images as folder;

pub use error::{LoadError, MAX_FILE, NAMES};
pub use folder::PicturesError;
pub use place::{Loaded, Request};

use super::{ImagesConfig, Observer};
use crate::data::split::first;
use crate::data::{Augmentation, Dataset, Scale, digits};
use crate::names::nearest;
use error::data;
use place::{Place, line};

/// As many training images as ask for many epochs.
const FEW: i64 = 2000;

/// How much work a dataset asks for.
pub fn scale(name: &str) -> Scale {
    match name {
        "digits" => Scale::Tiny,
        _ if mnist::kin(name).is_some() => Scale::Small,
        _ => Scale::Published,
    }
}

/// The same where so many of its training images are used (0: all): a few of them are as few as those of the digits.
pub fn scale_of(name: &str, limit: i64) -> Scale {
    if (1..=FEW).contains(&limit) { Scale::Tiny } else { scale(name) }
}

/// How the pictures of a dataset may be varied. Letters and digits mean something else the other way round.
pub fn augmentation(name: &str) -> Augmentation {
    let (padding, flip) = match scale(name) {
        Scale::Tiny => (1, false),
        Scale::Small => (2, name == "fashion-mnist"),
        Scale::Published => (4, true),
    };
    Augmentation { padding, flip, cutout: 0 }
}

/// Whether a setting of [`ImagesConfig`] changes how a dataset is read.
pub fn reads(name: &str, setting: &str) -> bool {
    match name {
        _ if setting == "limit" => true,
        "digits" => false,
        "folder" => setting != "most_bytes",
        _ => setting == "most_bytes",
    }
}

/// Loads a dataset. What takes long is a stage of `observer`.
///
/// # Errors
/// If the name is unknown, a file is missing, cannot be read or is not what it should be.
pub fn load(request: &Request<'_>, observer: &mut dyn Observer) -> Result<Loaded, LoadError> {
    let loaded = load_all(request, observer)?;
    match request.images.limit {
        0 => Ok(loaded),
        limit => limited(loaded, limit),
    }
}

/// A dataset with no more than `limit` training images. Those for testing are all there: accuracies stay comparable.
fn limited(loaded: Loaded, limit: u32) -> Result<Loaded, LoadError> {
    let Dataset { name, source, train, test, .. } = loaded.dataset;
    let (classes, count) = (train.classes().len(), train.count());
    if (limit as usize) < classes {
        return Err(LoadError::Limit { name, limit, classes });
    }
    let train = train.subset(&first(train.labels(), limit as usize)).map_err(data(name.clone()))?;
    let source = match train.count() < count {
        true => format!("{source}; the first {limit} for training, of each class its share"),
        false => source,
    };
    // Mean and deviation are those of the images that are left.
    let dataset = Dataset::new(&name, &source, train, test).map_err(data(name.clone()))?;
    Ok(Loaded { dataset, ..loaded })
}

fn load_all(request: &Request<'_>, observer: &mut dyn Observer) -> Result<Loaded, LoadError> {
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

#[cfg(test)]
mod tests;
