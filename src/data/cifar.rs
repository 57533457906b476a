//! The binary format of CIFAR-10, gzipped or not: records of one label and 3 × 32 × 32 pixels, red,
//! green and blue one after the other.

use super::gzip::{gunzip, is_gzip};
use super::{DataError, Images};
use std::borrow::Cow;

/// Names of the ten classes, in the order of the labels.
pub const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

const PIXELS: usize = 3 * 32 * 32;
const RECORD: usize = 1 + PIXELS;
/// Training and test images together: no file of CIFAR-10 holds more.
const MAX_RECORDS: usize = 60_000;

/// Reads the bytes of one batch file, gzipped or not.
///
/// # Errors
/// If the length is no whole number of records, or zero, or more than all of CIFAR-10; if a label
/// is greater than 9; if gzip data are damaged.
pub fn images(bytes: &[u8]) -> Result<Images, DataError> {
    let limit = MAX_RECORDS * RECORD;
    let bytes = match is_gzip(bytes) {
        // A label is at most 9, so the first byte of plain records is never gzip's.
        true => Cow::Owned(gunzip(bytes, limit as u64)?),
        false => Cow::Borrowed(bytes),
    };
    let (length, over) = (bytes.len(), bytes.len() % RECORD);
    if over != 0 {
        return Err(DataError::CifarLength { length, over });
    }
    if length > limit {
        return Err(DataError::CifarCount { limit: MAX_RECORDS });
    }
    let mut pixels = Vec::with_capacity(length / RECORD * PIXELS);
    let mut labels = Vec::with_capacity(length / RECORD);
    for record in bytes.chunks_exact(RECORD) {
        labels.push(u32::from(record[0]));
        pixels.extend_from_slice(&record[1..]);
    }
    Images::new([3, 32, 32], pixels, labels, CLASSES.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::super::gzip::pack;
    use super::*;

    fn record(label: u8) -> Vec<u8> {
        let planes = [10, 20, 30].map(|value| vec![value + label; 1024]).concat();
        [vec![label], planes].concat()
    }

    #[test]
    fn records_become_planes_and_labels() {
        let bytes = [record(3), record(9)].concat();
        let read = images(&bytes).unwrap();
        assert_eq!((read.shape(), read.labels()), ([3, 32, 32], &[3, 9][..]));
        let image = read.image(1).unwrap();
        assert_eq!((image[0], image[1023], image[1024], image[3071]), (19, 19, 29, 39));
        assert_eq!(images(&pack(&bytes)).unwrap(), read);
    }

    #[test]
    fn bad_files_are_refused() {
        let bytes = [record(0), record(1)].concat();
        assert!(matches!(images(&bytes[..6000]), Err(DataError::CifarLength { length: 6000, over: 2927 })));
        assert!(images(&pack(&bytes[..6000])).is_err());
        assert!(matches!(images(&[]), Err(DataError::Empty)));
        let error = images(&[record(0), record(10)].concat()).unwrap_err();
        assert!(matches!(error, DataError::Label { index: 1, label: 10, classes: 10 }));
        let bomb = pack(&vec![0; MAX_RECORDS * RECORD + 1]);
        assert!(matches!(images(&bomb), Err(DataError::GzipTooLarge { .. })));
    }
}
