//! Archives, arrays, pickles and tables that are damaged or lie: every reader returns, and none takes
//! more memory than its limits allow.

use super::super::gzip::pack;
use super::super::pickle::tests::{batch, batch_4};
use super::super::{archive, cifar, idx, npy, pickle, pixel_rows};
use crate::random::Random;
use std::io::Cursor;

/// The most that any archive may unpack to here.
const LIMIT: u64 = 1 << 16;
/// The keys looked up in pickles.
const KEYS: [&str; 4] = ["data", "labels", "fine_labels", "coarse_labels"];

/// A small file, and what reads files of its kind.
type Case = (&'static str, Vec<u8>, fn(&[u8]));

fn read_archive(bytes: &[u8]) {
    use archive::Kind;
    // What it seems to be, and what it is told to be.
    let seems = Kind::of(bytes).ok().flatten();
    for kind in [Kind::Zip, Kind::Tar, Kind::TarGz].into_iter().chain(seems) {
        let Ok(members) = archive::list(kind, Cursor::new(bytes), LIMIT) else { continue };
        let indices: Vec<usize> = members.iter().map(|member| member.index).collect();
        if let Ok(files) = archive::read(kind, Cursor::new(bytes), &indices, LIMIT) {
            assert!(files.iter().all(|file| file.len() as u64 <= LIMIT));
        }
        for member in members {
            assert!(!member.path.split('/').any(|part| part == ".." || part.is_empty()), "{}", member.path);
        }
    }
}

fn read_array(bytes: &[u8]) {
    if let Ok(array) = npy::array(bytes.to_vec()) {
        let _ = array.labels();
        let _ = array.pictures();
    }
}

fn read_arrays(bytes: &[u8]) {
    let _ = npy::names(bytes);
    let _ = npy::arrays(bytes, ["x_train", "y_train"], LIMIT);
}

fn read_pickle(bytes: &[u8]) {
    if let Ok(pickle) = pickle::Pickle::read(bytes) {
        for key in KEYS {
            let _ = pickle.labels(key);
            if let Ok(array) = pickle.array(key) {
                let _ = array.pictures();
            }
        }
    }
    for set in [cifar::Set::Ten, cifar::Set::Fine, cifar::Set::Coarse] {
        let _ = cifar::pickled(bytes, set);
    }
}

fn read_idx(bytes: &[u8]) {
    let _ = idx::read_images(bytes);
    let _ = idx::read_labels(bytes);
    let _ = idx::read_label_table(bytes);
}

fn read_cifar(bytes: &[u8]) {
    for set in [cifar::Set::Ten, cifar::Set::Fine, cifar::Set::Coarse] {
        let _ = cifar::records(bytes, set);
    }
}

fn read_table(bytes: &[u8]) {
    let _ = pixel_rows::read(bytes, 4, LIMIT);
}

/// A whole file of each kind.
fn cases() -> Vec<Case> {
    let long = format!("{}name", "long/".repeat(40));
    let files: [(&str, &[u8]); 3] = [("a/x_train", &[1; 700]), ("b", b"text"), (&long, &[2; 9])];
    let (zipped, tarred) = (archive::tests::zip(&files), archive::tests::tar(&files));
    let array = npy::write("<i2", true, &[2, 2, 3], &[0; 24]);
    let labels = npy::write("|u1", false, &[2], &[1, 2]);
    let npz = archive::tests::zip(&[("x_train.npy", &array), ("y_train.npy", &labels)]);
    let old = batch(&[("labels", &[3, 1]), ("fine_labels", &[3, 1])], 3, &[0, 1, 2, 250, 251, 252]);
    let new = batch_4("labels", &[3, 1], 3, &[0, 1, 2, 250, 251, 252]);
    let mut words = vec![0, 0, 12, 2, 0, 0, 0, 2, 0, 0, 0, 8];
    words.extend([0; 64]);
    let images = idx::write(&[6, 2, 2], &[7; 24]);
    vec![
        ("zip", zipped, read_archive),
        ("tar.gz", pack(&tarred), read_archive),
        ("tar", tarred, read_archive),
        ("npy", array, read_array),
        ("npz", npz, read_arrays),
        ("pickle of Python 2", old, read_pickle),
        ("pickle of Python 3", new, read_pickle),
        ("idx", words, read_idx),
        ("idx.gz", pack(&images), read_idx),
        ("idx of images", images, read_idx),
        ("cifar", [vec![3; 3074 * 2]].concat(), read_cifar),
        ("cifar.gz", pack(&vec![3; 3073 * 2]), read_cifar),
        ("table", b"label,a,b,c,d\n1,2,3,4,5\n255,0,0,0,1\n".to_vec(), read_table),
    ]
}

/// Changes a file in one to eight places: bytes set, bits flipped, numbers made extreme, parts cut out, doubled or
/// swapped in from another file.
fn mutate(file: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let mut below = |n: usize| random.below(n.max(1));
    for _ in 0..=below(8) {
        if file.is_empty() {
            return;
        }
        let at = below(file.len());
        let length = below(16).min(file.len() - at);
        match below(8) {
            0 => file[at] = below(256) as u8,
            1 => file[at] ^= 1 << below(8),
            2 => file[at..at + length].fill([0, 0xff, 0x7f, 0x80][below(4)]),
            3 => file.truncate(at),
            4 => drop(file.drain(at..at + length)),
            5 => {
                let part = file[at..at + length].to_vec();
                let place = below(file.len());
                file.splice(place..place, part);
            }
            6 => {
                let from = below(other.len());
                let part = &other[from..(from + length).min(other.len())];
                file.splice(at..at + part.len().min(file.len() - at), part.iter().copied());
            }
            // Digits, which sizes and counts in text are made of.
            _ => file[at] = b"0179(){}.-"[below(10)],
        }
    }
}

/// So many mutations of each kind of file, always the same ones.
fn run(count: u32) {
    let cases = cases();
    for (number, (name, whole, read)) in cases.iter().enumerate() {
        read(whole);
        let mut random = Random::new(11, number as u64);
        for round in 0..count {
            let mut file = whole.clone();
            let other = &cases[(number + round as usize) % cases.len()].1;
            mutate(&mut file, other, &mut random);
            let result = std::panic::catch_unwind(|| read(&file));
            assert!(result.is_ok(), "mutation {round} of {name} panics: {file:02x?}");
        }
    }
}

#[test]
fn mutated_archives_arrays_and_pickles_never_panic() {
    run(3000);
}

#[test]
#[ignore = "long: scripts/test --full"]
fn many_mutated_archives_arrays_and_pickles_never_panic() {
    run(100_000);
}

#[test]
fn the_files_that_are_mutated_are_whole() {
    for (name, file, _) in cases() {
        let is_read = match name {
            "zip" | "tar" | "tar.gz" => {
                let kind = archive::Kind::of(&file[..]).unwrap().unwrap();
                archive::list(kind, Cursor::new(&file), LIMIT).unwrap().len() == 3
            }
            "npy" => npy::array(file).is_ok(),
            "npz" => npy::arrays(&file, ["x_train", "y_train"], LIMIT).is_ok(),
            "pickle of Python 2" | "pickle of Python 3" => pickle::Pickle::read(&file).unwrap().array("data").is_ok(),
            "idx" => idx::read_label_table(&file).is_ok(),
            "idx.gz" | "idx of images" => idx::read_images(&file).is_ok(),
            "cifar" => cifar::records(&file, cifar::Set::Fine).is_ok(),
            "cifar.gz" => cifar::images(&file).is_ok(),
            _ => pixel_rows::read(&file, 4, LIMIT).is_ok(),
        };
        assert!(is_read, "{name}");
    }
}
