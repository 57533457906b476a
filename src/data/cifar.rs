//! CIFAR-10 and CIFAR-100 in their own two forms: binary, records of labels and 3 × 32 × 32 pixels
//! (red, green and blue one after the other), gzipped or not; and Python, a pickled dictionary.

mod names;

use super::archive::is_gzip;
use super::gzip::gunzip;
use super::pickle::Pickle;
use super::{DataError, Images};
use std::borrow::Cow;

pub use names::{COARSE, FINE};

/// Names of CIFAR-10's ten classes, in the order of the labels.
pub const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

const PIXELS: usize = 3 * 32 * 32;
/// Training and test images together: no file holds more.
const MAX_RECORDS: usize = 60_000;

/// Which of the sets, with which labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// CIFAR-10.
    Ten,
    /// CIFAR-100 with its 100 classes.
    Fine,
    /// CIFAR-100 with the 20 kinds that those are grouped into.
    Coarse,
}

impl Set {
    /// Names of the classes, in the order of the labels.
    pub fn classes(self) -> &'static [&'static str] {
        match self {
            Self::Ten => &CLASSES,
            Self::Fine => &FINE,
            Self::Coarse => &COARSE,
        }
    }

    fn name(self) -> &'static str {
        if self == Self::Ten { "CIFAR-10" } else { "CIFAR-100" }
    }

    /// Bytes before the pixels of a record: the label; of CIFAR-100 first the coarse one, then the fine one.
    fn labels(self) -> usize {
        if self == Self::Ten { 1 } else { 2 }
    }

    /// The key of the labels in a pickle.
    fn key(self) -> &'static str {
        match self {
            Self::Ten => "labels",
            Self::Fine => "fine_labels",
            Self::Coarse => "coarse_labels",
        }
    }

    /// Images of 3 × 32 × 32 pixels with labels of this set.
    ///
    /// # Errors
    /// As [`Images::new`].
    pub fn images(self, pixels: Vec<u8>, labels: Vec<u32>) -> Result<Images, DataError> {
        Images::new([3, 32, 32], pixels, labels, self.classes().iter().map(ToString::to_string).collect())
    }
}

/// Reads the bytes of one binary batch file of CIFAR-10, gzipped or not.
///
/// # Errors
/// As [`records`].
pub fn images(bytes: &[u8]) -> Result<Images, DataError> {
    records(bytes, Set::Ten)
}

/// Reads the bytes of one binary file, gzipped or not.
///
/// # Errors
/// If the length is no whole number of records, or zero, or more than the whole dataset; if there is no class for a
/// label; if gzip data are damaged.
pub fn records(bytes: &[u8], set: Set) -> Result<Images, DataError> {
    let header = set.labels();
    let record = header + PIXELS;
    let limit = MAX_RECORDS * record;
    let bytes = match is_gzip(bytes) {
        // A label is at most 19, so the first byte of plain records is never gzip's.
        true => Cow::Owned(gunzip(bytes, limit as u64)?),
        false => Cow::Borrowed(bytes),
    };
    let (length, over) = (bytes.len(), bytes.len() % record);
    if over != 0 {
        return Err(DataError::CifarLength { set: set.name(), record, length, over });
    }
    if length > limit {
        return Err(DataError::CifarCount { limit: MAX_RECORDS });
    }
    let mut pixels = Vec::with_capacity(length / record * PIXELS);
    let mut labels = Vec::with_capacity(length / record);
    for record in bytes.chunks_exact(record) {
        labels.push(u32::from(record[if set == Set::Fine { 1 } else { 0 }]));
        pixels.extend_from_slice(&record[header..]);
    }
    set.images(pixels, labels)
}

/// Reads the bytes of one pickled file: `data_batch_1` and the like of CIFAR-10, `train` and `test` of CIFAR-100.
///
/// # Errors
/// If it is no pickle of an array of 3072 bytes an image and a list of labels, or there is no class for a label.
pub fn pickled(bytes: &[u8], set: Set) -> Result<Images, DataError> {
    let pickle = Pickle::read(bytes)?;
    let labels = pickle.labels(set.key())?;
    let data = pickle.array("data")?;
    let pixels = data.rows(PIXELS).map_err(|source| DataError::Array { name: "data".into(), source })?;
    set.images(pixels, labels)
}

#[cfg(test)]
mod tests {
    use super::super::gzip::pack;
    use super::super::pickle::tests::{batch, batch_4};
    use super::*;

    fn record(label: u8) -> Vec<u8> {
        [vec![label], pixels(label)].concat()
    }

    fn pixels(label: u8) -> Vec<u8> {
        [10, 20, 30].map(|value| vec![value + label; 1024]).concat()
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
    fn cifar_100_has_a_coarse_and_a_fine_label() {
        let bytes = [vec![11], record(19), vec![4], record(0)].concat();
        let (fine, coarse) = (records(&bytes, Set::Fine).unwrap(), records(&bytes, Set::Coarse).unwrap());
        assert_eq!((fine.labels(), coarse.labels()), (&[19, 0][..], &[11, 4][..]));
        assert_eq!(fine.pixels(), coarse.pixels());
        assert_eq!((fine.classes().len(), fine.classes()[19].as_str()), (100, "cattle"));
        assert_eq!((coarse.classes().len(), coarse.classes()[4].as_str()), (20, "fruit_and_vegetables"));
        let error = records(&bytes, Set::Ten).unwrap_err().to_string();
        assert!(error.contains("not a whole number of CIFAR-10 records of 3073"), "{error}");
        assert!(records(&[vec![20], record(0)].concat(), Set::Coarse).is_err());
    }

    #[test]
    fn names_of_classes_are_sorted_as_the_labels_are() {
        for set in [Set::Ten, Set::Fine, Set::Coarse] {
            assert!(set.classes().is_sorted(), "{set:?}");
        }
        assert_eq!((FINE.len(), COARSE.len()), (100, 20));
    }

    #[test]
    fn pickled_files_are_read_as_the_binary_ones() {
        let wanted = images(&[record(3), record(9)].concat()).unwrap();
        let both = [pixels(3), pixels(9)].concat();
        assert_eq!(pickled(&batch(&[("labels", &[3, 9])], 3072, &both), Set::Ten).unwrap(), wanted);
        assert_eq!(pickled(&batch_4("labels", &[3, 9], 3072, &both), Set::Ten).unwrap(), wanted);
        let hundred = batch(&[("coarse_labels", &[1, 2]), ("fine_labels", &[98, 99])], 3072, &both);
        assert_eq!(pickled(&hundred, Set::Fine).unwrap().labels(), [98, 99]);
        assert_eq!(pickled(&hundred, Set::Coarse).unwrap().labels(), [1, 2]);
        let error = pickled(&hundred, Set::Ten).unwrap_err().to_string();
        assert!(error.contains("no `labels`; it holds data, coarse_labels, fine_labels"), "{error}");
        assert!(pickled(&batch(&[("labels", &[3])], 3072, &both), Set::Ten).is_err(), "two pictures, one label");
        assert!(pickled(&batch(&[("labels", &[3, 9])], 1536, &both), Set::Ten).is_err(), "rows of another width");
    }

    #[test]
    fn bad_files_are_refused() {
        let bytes = [record(0), record(1)].concat();
        assert!(matches!(images(&bytes[..6000]), Err(DataError::CifarLength { length: 6000, over: 2927, .. })));
        assert!(images(&pack(&bytes[..6000])).is_err());
        assert!(matches!(images(&[]), Err(DataError::Empty)));
        let error = images(&[record(0), record(10)].concat()).unwrap_err();
        assert!(matches!(error, DataError::Label { index: 1, label: 10, classes: 10 }));
        let bomb = pack(&vec![0; MAX_RECORDS * 3073 + 1]);
        assert!(matches!(images(&bomb), Err(DataError::GzipTooLarge { .. })));
    }
}
