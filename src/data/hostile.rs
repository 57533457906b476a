//! Whatever the bytes, a parser returns: it never panics and never believes a size it has not seen.

mod archives;

use super::folder::samples;
use super::gzip::pack;
use super::{Fit, Folder, Part, Reading, Table, cifar, digits, folder, idx};
use proptest::prelude::*;
use std::sync::LazyLock;

/// Gives the bytes to every parser, as they are and gzipped.
fn feed(bytes: &[u8]) {
    for bytes in [bytes, &pack(bytes)] {
        let _ = idx::read_images(bytes);
        let _ = idx::read_labels(bytes);
        let _ = idx::images(bytes, bytes, &["a"]);
        let _ = cifar::images(bytes);
        let _ = digits::images(bytes);
    }
}

/// Gives the bytes to what reads pictures and the tables beside them: as they are, and brought to a size.
fn feed_pictures(bytes: &[u8]) {
    let _ = Table::read(bytes);
    for resize in [None, Some([3, 2])] {
        // What a header may make us allocate is bounded by this.
        let reading = Reading { most_pixels: 1 << 16, resize, fit: Fit::Pad, ..Reading::default() };
        if let Ok(header) = reading.header(bytes) {
            assert!(header.size.iter().map(|&side| u64::from(side)).product::<u64>() <= reading.most_pixels);
        }
        let mut folder = Folder::new();
        let _ = folder.add(Part::Train, "a", "x", bytes, &reading);
        let _ = folder.finish("x", "");
    }
}

/// A whole file of each format, to be damaged.
static WHOLE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let labels = idx::write(&[6], &[0, 1, 2, 0, 1, 2]);
    let row = format!("{}3\n", "16,".repeat(64)).repeat(3).into_bytes();
    let images = idx::write(&[6, 2, 2], &[7; 24]);
    vec![pack(&images), pack(&row), images, labels, vec![3; 3073 * 2], row]
});

/// The same of pictures, of usual and unusual kinds, and a table.
static PICTURES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut all: Vec<Vec<u8>> = samples::each().into_iter().map(|(_, bytes)| bytes).collect();
    let (png, jpeg) = (all[0].clone(), all[1].clone());
    all.extend([samples::turned_png(&png, 6, true), samples::turned_jpeg(&jpeg, 6), folder::png(5, 4, [1, 2, 3])]);
    all.extend([4, 8].map(samples::palette_tiff));
    all.extend([Some(0), Some(2)].map(|adobe| samples::ink_jpeg([1, 80, 160, 250], adobe)));
    all.extend(
        [&b"P3 2 1 15\n0 1 2 3 4 5\n"[..], b"P4\n9 1\n\xaa\x80", b"P5 2 1 1023\n\x03\xff\0\0"].map(<[u8]>::to_vec),
    );
    all.push(b"path,label,split\na/1.png,a,train\n\"b/2.png\",b,val\n../x,c,test\n".to_vec());
    all
});

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        feed(&bytes);
    }

    #[test]
    fn random_bytes_after_a_right_beginning_never_panic(
        kind in 0..WHOLE.len(), keep in 2usize..20, tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let file = &WHOLE[kind];
        feed(&[&file[..keep.min(file.len())], &tail].concat());
    }

    #[test]
    fn a_damaged_file_never_panics(
        kind in 0..WHOLE.len(), place: prop::sample::Index, value: u8, cut: prop::sample::Index, shorten: bool,
    ) {
        let mut file = WHOLE[kind].clone();
        let place = place.index(file.len());
        file[place] = value;
        if shorten {
            file.truncate(cut.index(file.len()));
        }
        feed(&file);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_damaged_picture_never_panics(
        kind in 0..PICTURES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut: prop::sample::Index,
        shorten in prop::bool::weighted(0.2),
    ) {
        let mut file = PICTURES[kind].clone();
        for (place, value) in changes {
            let place = place.index(file.len());
            file[place] = value;
        }
        if shorten {
            file.truncate(cut.index(file.len()));
        }
        feed_pictures(&file);
    }

    #[test]
    fn what_begins_like_a_picture_never_panics(
        kind in 0..PICTURES.len(), keep in 2usize..60, tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let file = &PICTURES[kind];
        feed_pictures(&[&file[..keep.min(file.len())], &tail].concat());
    }
}
