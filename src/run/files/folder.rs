//! A directory of pictures: in folders of classes, in parts or not, or listed in a table.

mod error;
mod found;
mod labels;
mod layout;
mod read;
mod tree;

pub use error::PicturesError;

use super::error::data;
use super::place::Place;
use super::{LoadError, Loaded, Request};
use crate::data::{Folder, Format, Header, MAX_BYTES, Part, Reading, Role};
use crate::run::Observer;
use error::{grouped, listing};
use found::{Found, Item};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const HINT: &str = "make one folder a class, with pictures in each (PNG, JPEG, BMP, WebP, GIF, TIFF, PNM); or the \
    folders `train` and `test` with such folders in both; or a table `labels.csv` of `path,label` beside the pictures";

/// Loads pictures in folders, each a class, with pictures at any depth; in `train`, `val` and `test` with such folders
/// in each; or, where there are no two classes so, those that a table of paths and labels lists.
pub(super) fn load(request: &Request<'_>, observer: &mut dyn Observer) -> Result<Loaded, LoadError> {
    let place = Place::new(request.name, request.directory, HINT)?;
    let root = tree::unwrapped(place.directory, false)?;
    let mut found = layout::find(&root)?;
    let classes: BTreeSet<&String> = found.items.iter().map(|item| &item.class).collect();
    let folders = classes.len() > 1;
    if !folders && let Some(listed) = labels::find(&root)? {
        found = listed;
    } else if found.items.is_empty() {
        let forms = ["CLASS/*", "train/CLASS/*", "labels.csv"].map(str::to_owned).to_vec();
        return Err(place.missing(forms));
    }
    let how = settle_parts(&mut found);
    if !found.items.iter().any(|item| item.role == Role::Train) {
        return Err(PicturesError::NoTraining { directory: root }.into());
    }
    note_strays(&mut found, &root);

    let images = request.images;
    let reading = images.reading();
    let room = Room::new(&found.items, request.room);
    // With a size given, headers matter only where grey pictures would fit and coloured ones would not.
    let shape = |size: [u32; 2], channels: usize| [channels, size[0] as usize, size[1] as usize];
    let shape = match reading.resize {
        Some(size) if room.holds(shape(size, 3)) || !room.holds(shape(size, 1)) => shape(size, 3),
        resize => {
            let headers = read::headers(&mut found.items, &reading, observer);
            let channels = if headers.iter().flatten().all(|header| header.grey) { 1 } else { 3 };
            match resize {
                Some(size) => shape(size, channels),
                None => shape(one_size(&found.items, &headers)?, channels),
            }
        }
    };
    Room::new(&found.items, request.room).check(shape)?;

    let directory = || data(root.display().to_string());
    let mut folder = Folder::new();
    let mut failed = None;
    read::pictures(&mut found.items, &reading, observer, |item, picture| {
        if failed.is_none() {
            failed = folder.push(part(item.role), &item.class, &item.place, &picture).err();
        }
    });
    let total = found.items.len();
    let bad: Vec<String> =
        found.items.iter().filter_map(|item| Some(format!("{}: {}", item.place, item.bad.as_ref()?))).collect();
    if !bad.is_empty() && !images.skip_bad {
        return Err(PicturesError::Unreadable { bad, total }.into());
    }
    if let Some(error) = failed {
        return Err(directory()(error));
    }
    let left_out = bad.len();
    if left_out > 0 {
        let text = listing(&bad, "; ");
        found.notes.push(format!(
            "{} of {} pictures cannot be read and are left out: {text}",
            grouped(left_out),
            grouped(total)
        ));
    }
    note_classes(&mut found);
    let source = source(&found, &folder, &root, &how, &reading);
    let dataset = folder.finish(place.name, &source).map_err(directory())?;
    Ok(Loaded { dataset, notes: found.notes, left_out })
}

/// To which part a picture of a role belongs, once [`settle_parts`] has been here.
fn part(role: Role) -> Part {
    if role == Role::Test { Part::Test } else { Part::Train }
}

/// Makes validation pictures the test part where there is none, else part of the training part. Says how it is now.
fn settle_parts(found: &mut Found) -> String {
    let has = |role| found.items.iter().any(|item| item.role == role);
    let (validated, tested) = (has(Role::Validation), has(Role::Test));
    if validated {
        let (role, note) = match tested {
            true => (Role::Train, "validation pictures join the training part: a search holds out pictures by itself"),
            false => (Role::Test, "there are no test pictures: the validation pictures are the test set"),
        };
        found.notes.push(note.into());
        found.items.iter_mut().filter(|item| item.role == Role::Validation).for_each(|item| item.role = role);
    }
    let place = match found.places.as_slice() {
        [] => "class folders".to_owned(),
        [only] => format!("from {only}"),
        [all @ .., last] => format!("from {} and {last}", all.join(", ")),
    };
    match (validated, tested) {
        (true, true) => format!("{place}; validation pictures are trained on"),
        (true, false) => format!("{place}; tested on the validation pictures"),
        (false, true) => place,
        (false, false) => format!("{place}; a fifth is split off for testing"),
    }
}

/// Notes what lies in the directory and is not used.
fn note_strays(found: &mut Found, root: &Path) {
    let names = |paths: &[PathBuf]| {
        let names: Vec<String> =
            paths.iter().map(|path| path.strip_prefix(root).unwrap_or(path).display().to_string()).collect();
        let first = names[..names.len().min(5)].join(", ");
        if names.len() > 5 { format!("{first} and {} more", grouped(names.len() - 5)) } else { first }
    };
    for (paths, what) in
        [(&found.others, "files that are no pictures"), (&found.loose, "pictures beside the folders of classes")]
    {
        if !paths.is_empty() {
            found.notes.push(format!("skipped {what}: {} ({})", grouped(paths.len()), names(paths)));
        }
    }
}

/// Notes classes without pictures, or without test pictures where others have some.
fn note_classes(found: &mut Found) {
    let of = |wanted: Part| -> BTreeSet<&String> {
        let good = found.items.iter().filter(|item| item.bad.is_none() && part(item.role) == wanted);
        good.map(|item| &item.class).collect()
    };
    let (trained, tested) = (of(Part::Train), of(Part::Test));
    let mut notes = Vec::new();
    let quoted = |classes: Vec<&String>| listing(&classes.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>(), ", ");
    let empty: Vec<&String> = found.classes.iter().filter(|c| !trained.contains(c) && !tested.contains(c)).collect();
    if !empty.is_empty() {
        notes.push(format!("classes without pictures are left out: {}", quoted(empty)));
    }
    let untested: Vec<&String> = trained.iter().copied().filter(|c| !tested.contains(c)).collect();
    if !tested.is_empty() && !untested.is_empty() {
        notes.push(format!("classes without test pictures: {}", quoted(untested)));
    }
    found.notes.extend(notes);
}

/// Height and width of all pictures.
fn one_size(items: &[Item], headers: &[Option<Header>]) -> Result<[u32; 2], LoadError> {
    let sized = || items.iter().zip(headers).filter_map(|(item, header)| Some((item, header.as_ref()?.size)));
    let area = |size: [u32; 2]| (u64::from(size[0]) * u64::from(size[1]), size);
    let smallest = sized().min_by_key(|(_, size)| area(*size));
    let largest = sized().max_by_key(|(_, size)| area(*size));
    let (Some((small, smallest)), Some((large, largest))) = (smallest, largest) else { return Ok([1, 1]) };
    let sizes = sized().map(|(_, size)| size).collect::<BTreeSet<_>>().len();
    if sizes > 1 {
        return Err(PicturesError::Sizes {
            total: sized().count(),
            sizes,
            smallest,
            smallest_file: small.place.clone(),
            largest,
            largest_file: large.place.clone(),
        }
        .into());
    }
    Ok([smallest[1], smallest[0]])
}

/// How many pictures there are, and how many bytes they may take: all together, and the larger part.
struct Room {
    limits: Vec<(usize, u128)>,
}

impl Room {
    fn new(items: &[Item], device: Option<u64>) -> Self {
        let good = items.iter().filter(|item| item.bad.is_none());
        let total = good.clone().count();
        let tested = good.filter(|item| part(item.role) == Part::Test).count();
        let tested = if tested == 0 { total / 5 } else { tested };
        let larger = tested.max(total - tested);
        let device = device.map(|room| (larger, u128::from(room)));
        Self { limits: [(total, u128::from(MAX_BYTES))].into_iter().chain(device).collect() }
    }

    fn holds(&self, shape: [usize; 3]) -> bool {
        self.limits.iter().all(|&(count, limit)| bytes(count, shape) <= limit)
    }

    fn check(&self, shape: [usize; 3]) -> Result<(), LoadError> {
        let Some(&(total, limit)) = self.limits.iter().find(|&&(count, limit)| bytes(count, shape) > limit) else {
            return Ok(());
        };
        let fits = |&(count, limit): &(usize, u128)| (limit / (count * shape[0]).max(1) as u128).isqrt();
        let side = self.limits.iter().map(fits).min().unwrap_or(0);
        let side = u32::try_from(side).ok().filter(|&side| side > 0);
        Err(PicturesError::Room { total, shape, needed: bytes(total, shape), limit, side }.into())
    }
}

fn bytes(count: usize, shape: [usize; 3]) -> u128 {
    shape.iter().fold(count as u128, |product, &side| product.saturating_mul(side as u128))
}

/// What was found and how it was read, in one line.
fn source(found: &Found, folder: &Folder, root: &Path, how: &str, reading: &Reading) -> String {
    let mut formats: BTreeMap<Format, usize> = BTreeMap::new();
    for format in found.items.iter().filter(|item| item.bad.is_none()).filter_map(|item| item.format) {
        *formats.entry(format).or_default() += 1;
    }
    let mut formats: Vec<(Format, usize)> = formats.into_iter().collect();
    formats.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let names: Vec<&str> = formats.iter().map(|(format, _)| format.name()).collect();
    let names = match names.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        names => names.concat(),
    };
    let (count, classes) = (grouped(folder.count()), grouped(folder.classes()));
    let size = match reading.resize {
        Some([height, width]) => format!("; resized to {height}x{width} ({})", reading.fit.name()),
        None => String::new(),
    };
    format!("{count} {names} pictures of {classes} classes in {}: {how}{size}", root.display())
}

#[cfg(test)]
mod tests;
