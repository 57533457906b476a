//! Whatever the bytes, a parser returns: it never panics and never believes a size it has not seen.

mod archives;

use super::gzip::pack;
use super::{Folder, Part, cifar, digits, folder, idx};
use proptest::prelude::*;

/// Gives the bytes to every parser, as they are and gzipped.
fn feed(bytes: &[u8]) {
    for bytes in [bytes, &pack(bytes)] {
        let _ = idx::read_images(bytes);
        let _ = idx::read_labels(bytes);
        let _ = idx::images(bytes, bytes, &["a"]);
        let _ = cifar::images(bytes);
        let _ = digits::images(bytes);
        let mut folder = Folder::new();
        let _ = folder.add(Part::Train, "a", "x", bytes);
        let _ = folder.finish("x", "");
    }
}

/// A whole file of each format, to be damaged.
fn whole() -> Vec<Vec<u8>> {
    let labels = idx::write(&[6], &[0, 1, 2, 0, 1, 2]);
    let row = format!("{}3\n", "16,".repeat(64)).repeat(3).into_bytes();
    let images = idx::write(&[6, 2, 2], &[7; 24]);
    vec![pack(&images), pack(&row), images, labels, vec![3; 3073 * 2], row, folder::png(5, 4, [1, 2, 3])]
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        feed(&bytes);
    }

    #[test]
    fn random_bytes_after_a_right_beginning_never_panic(
        kind in 0usize..7, keep in 2usize..20, tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let file = &whole()[kind];
        feed(&[&file[..keep.min(file.len())], &tail].concat());
    }

    #[test]
    fn a_damaged_file_never_panics(
        kind in 0usize..7, place: prop::sample::Index, value: u8, cut: prop::sample::Index, shorten: bool,
    ) {
        let mut file = whole().swap_remove(kind);
        let place = place.index(file.len());
        file[place] = value;
        if shorten {
            file.truncate(cut.index(file.len()));
        }
        feed(&file);
    }
}
