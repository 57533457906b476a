//! CIFAR-10 and CIFAR-100: binary files, pickled ones, or numpy's arrays.

use super::error::data;
use super::layout::{self, Family, Layout, or_gzipped};
use super::place::{Place, line};
use super::tree::Tree;
use super::{LoadError, Loaded};
use crate::data::cifar::{self, Set};
use crate::data::{ArrayError, DataError, Dataset, Images, npy};

/// How the files of a layout are read: the last one is for testing.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Binary,
    Pickled,
    /// One file of four arrays.
    Arrays,
}

/// The set and labels that a dataset's name means.
pub(super) fn set(name: &str) -> Option<Set> {
    Some(match name {
        "cifar10" => Set::Ten,
        "cifar100" => Set::Fine,
        "cifar100-coarse" => Set::Coarse,
        _ => return None,
    })
}

/// How to get the files.
pub(super) fn hint(set: Set) -> &'static str {
    match set {
        Set::Ten => {
            "name the official `cifar-10-binary.tar.gz` or `cifar-10-python.tar.gz`, or a directory in which or \
             in whose folders it or its files lie"
        }
        _ => {
            "name the official `cifar-100-binary.tar.gz` or `cifar-100-python.tar.gz`, or a directory in which or \
             in whose folders it or its files lie"
        }
    }
}

fn layouts(set: Set) -> Vec<Layout<Form>> {
    let arrays = |named: bool, names: &[&str]| Layout::new(Form::Arrays, "numpy's arrays", named, &[names]);
    let files = |form, what, roles| Layout { form, what, roles, named: false };
    let (pickled, binary) = ("pickled files", "binary files");
    match set {
        Set::Ten => {
            let batches: Vec<String> =
                (1..=5).map(|batch| format!("data_batch_{batch}")).chain(["test_batch".into()]).collect();
            let plain = batches.iter().map(|name| vec![name.clone()]).collect();
            let bin = batches.iter().map(|name| vec![format!("{name}.bin"), format!("{name}.bin.gz")]).collect();
            vec![
                files(Form::Binary, binary, bin),
                files(Form::Pickled, pickled, plain),
                arrays(true, &["cifar-10.npz", "cifar10.npz", "cifar_10.npz"]),
                arrays(false, &["*.npz"]),
            ]
        }
        Set::Fine | Set::Coarse => {
            let mut layouts = vec![
                files(Form::Binary, binary, or_gzipped(&[&["train.bin"], &["test.bin"]])),
                Layout::new(Form::Pickled, pickled, false, &[&["train"], &["test"]]),
            ];
            if set == Set::Fine {
                layouts.push(arrays(true, &["cifar-100.npz", "cifar100.npz", "cifar_100.npz"]));
            }
            layouts
        }
    }
}

/// Loads it from what lies in `place`. No file is unpacked to more than `limit` bytes.
pub(super) fn load(place: &Place, set: Set, limit: u64) -> Result<Loaded, LoadError> {
    let family = if set == Set::Ten { Family::Cifar10 } else { Family::Cifar100 };
    let layouts = layouts(set);
    let found = match layout::find(place, &layouts, family, limit) {
        Ok(found) => found,
        Err(missing @ LoadError::Missing { .. }) if set == Set::Ten => return load_parts(place, limit, missing),
        Err(error) => return Err(error),
    };
    let files = found.read(limit)?;
    let (train, test) = match found.layout.form {
        Form::Arrays => {
            let part = |wanted| arrays(&files[0], wanted, set, limit).map_err(data(found.shown(0)));
            (part(["x_train", "y_train"])?, part(["x_test", "y_test"])?)
        }
        form => {
            let read = if form == Form::Binary { cifar::records } else { cifar::pickled };
            let named: Vec<(String, Vec<u8>)> =
                files.into_iter().enumerate().map(|(role, bytes)| (found.shown(role), bytes)).collect();
            let (train, test) = named.split_at(named.len() - 1);
            (join(train, set, read)?, join(test, set, read)?)
        }
    };
    finish(place, &format!("{} in {}", found.layout.what, found.place), train, test)
}

/// Any `train_*.bin` and `test_*.bin` of CIFAR-10's records, gzipped or not; of a file that is there both ways only the
/// first. `missing` says that there is nothing more usual.
fn load_parts(place: &Place, limit: u64, missing: LoadError) -> Result<Loaded, LoadError> {
    let Some(tree) = Tree::open(place.directory, limit)? else { return Err(missing) };
    let part = |prefix: &str| -> Vec<usize> {
        let name = |number: &usize| tree.members[*number].path.as_str();
        let is_part = |path: &str| path.starts_with(prefix) && (path.ends_with(".bin") || path.ends_with(".bin.gz"));
        let mut files: Vec<usize> =
            (0..tree.members.len()).filter(|n| !name(n).contains('/') && is_part(name(n))).collect();
        files.dedup_by(|later, kept| name(later).strip_suffix(".gz") == Some(name(kept)));
        files
    };
    let (train, test) = (part("train_"), part("test_"));
    if train.is_empty() || test.is_empty() {
        let LoadError::Missing { name, directory, mut looked_for, lies, hint } = missing else { return Err(missing) };
        looked_for.push("binary files (train_*.bin with test_*.bin, each also with .gz)".into());
        return Err(LoadError::Missing { name, directory, looked_for, lies, hint });
    }
    let images = |numbers: &[usize]| {
        let names = numbers.iter().map(|&number| tree.shown(&tree.members[number].path));
        let named: Vec<(String, Vec<u8>)> = names.zip(tree.read(numbers, limit)?).collect();
        join(&named, Set::Ten, cifar::records)
    };
    finish(place, &format!("binary files train_* and test_* in {}", tree.shown("")), images(&train)?, images(&test)?)
}

fn finish(place: &Place, how: &str, train: Images, test: Images) -> Result<Loaded, LoadError> {
    let source = line(place.name, &train, &test, how);
    let dataset =
        Dataset::new(place.name, &source, train, test).map_err(data(place.directory.display().to_string()))?;
    Ok(Loaded { dataset, notes: Vec::new(), left_out: 0 })
}

type Reader = fn(&[u8], Set) -> Result<Images, DataError>;

/// The images of all files, in their order.
fn join(files: &[(String, Vec<u8>)], set: Set, read: Reader) -> Result<Images, LoadError> {
    let mut all: Option<Images> = None;
    for (name, bytes) in files {
        let images = read(bytes, set).map_err(data(name.clone()))?;
        all = Some(match all {
            None => images,
            Some(before) => before.join(images).map_err(data(name.clone()))?,
        });
    }
    all.ok_or_else(|| data("no files")(DataError::Empty))
}

/// Pictures and labels in two arrays of these names.
fn arrays(npz: &[u8], wanted: [&'static str; 2], set: Set, limit: u64) -> Result<Images, DataError> {
    let [pictures, labels] = npy::arrays(npz, wanted, limit)?;
    let wrong = |name: &str| {
        let name = name.to_owned();
        move |source| DataError::Array { name, source }
    };
    let found = pictures.shape().to_vec();
    let (shape, pixels) = pictures.pictures().map_err(wrong(wanted[0]))?;
    if shape != [3, 32, 32] {
        let wanted_shape = "(count, 32, 32, 3) or (count, 3, 32, 32)";
        return Err(wrong(wanted[0])(ArrayError::Pictures { shape: found, wanted: wanted_shape }));
    }
    set.images(pixels, labels.labels().map_err(wrong(wanted[1]))?)
}
