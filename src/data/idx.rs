//! The IDX format of MNIST and its kin, gzipped or not.
//!
//! A big-endian header (two zero bytes, the type of a value, the number of dimensions, then each
//! dimension as 32 bits) and the values. Images have three dimensions (count, height, width) and
//! labels one, of bytes; QMNIST's labels are a table of 32-bit numbers, a row an image.

use super::archive::is_gzip;
use super::gzip::Unpack;
use super::{DataError, Images, MAX_BYTES};

/// The type of a value: unsigned bytes.
const BYTES: u8 = 8;
/// The type of a value: 32 bits with sign.
const WORDS: u8 = 12;

/// Reads the images in `images` with the labels in `labels`, both the bytes of an IDX file, gzipped
/// or not. The images have one channel.
///
/// # Errors
/// If either is no IDX file of its kind, its size is not what its header declares (checked before
/// memory is taken), or images and labels do not belong together.
pub fn images(images: &[u8], labels: &[u8], classes: &[&str]) -> Result<Images, DataError> {
    let (shape, pixels) = read_images(images)?;
    let labels = read_labels(labels)?;
    Images::new(shape, pixels, labels, classes.iter().map(ToString::to_string).collect())
}

/// Shape (1, height, width) and pixels in the bytes of an IDX file of images, gzipped or not.
///
/// # Errors
/// If it is no such file, or its size is not what its header declares.
pub fn read_images(bytes: &[u8]) -> Result<([usize; 3], Vec<u8>), DataError> {
    let ([_, height, width], pixels) = read(bytes, "images", BYTES)?;
    Ok(([1, height as usize, width as usize], pixels))
}

/// The labels in the bytes of an IDX file of labels, gzipped or not.
///
/// # Errors
/// If it is no such file, or its size is not what its header declares.
pub fn read_labels(bytes: &[u8]) -> Result<Vec<u32>, DataError> {
    let ([_], labels) = read(bytes, "labels", BYTES)?;
    Ok(labels.into_iter().map(u32::from).collect())
}

/// The labels in the bytes of an IDX file of a table of numbers, gzipped or not: QMNIST's, whose first column is the
/// class, the others who wrote the digit, when and where.
///
/// # Errors
/// If it is no such file, or its size is not what its header declares.
pub fn read_label_table(bytes: &[u8]) -> Result<Vec<u32>, DataError> {
    let ([_, columns], values) = read(bytes, "label tables", WORDS)?;
    let rows = values.chunks_exact(4 * columns as usize);
    // A negative one is beyond any number of classes.
    Ok(rows.map(|row| row.iter().take(4).fold(0, |label, &byte| label << 8 | u32::from(byte))).collect())
}

/// Dimensions and the bytes of the values of an IDX file of `RANK` dimensions.
fn read<const RANK: usize>(bytes: &[u8], kind: &'static str, value: u8) -> Result<([u32; RANK], Vec<u8>), DataError> {
    let header = 4 + 4 * RANK;
    if !is_gzip(bytes) {
        let (dimensions, declared) = read_header(&bytes[..header.min(bytes.len())], kind, value)?;
        let values = &bytes[header..];
        check_size(kind, &dimensions, declared, values.len())?;
        return Ok((dimensions, values.to_vec()));
    }
    let mut unpack = Unpack::new(bytes);
    let (dimensions, declared) = read_header(&unpack.up_to(header as u64)?, kind, value)?;
    // One byte more than declared is enough to know that there are too many.
    let values = unpack.up_to(declared + 1)?;
    check_size(kind, &dimensions, declared, values.len())?;
    Ok((dimensions, values))
}

/// Dimensions, and how many bytes their values take.
fn read_header<const RANK: usize>(
    header: &[u8],
    kind: &'static str,
    value: u8,
) -> Result<([u32; RANK], u64), DataError> {
    let length = 4 + 4 * RANK;
    let expected = [0, 0, value, RANK as u8];
    if let Some(&found) = header.first_chunk::<4>()
        && found != expected
    {
        return Err(DataError::IdxMagic { kind, expected, found });
    }
    if header.len() < length {
        return Err(DataError::IdxHeader { kind, header: length, found: header.len() });
    }
    let word = |i: usize| header[4 + 4 * i..8 + 4 * i].iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
    let dimensions: [u32; RANK] = std::array::from_fn(word);
    let size = if value == WORDS { 4 } else { 1 };
    // At most three factors of 32 bits, and a small one.
    let declared = size * dimensions.iter().map(|&d| u128::from(d)).product::<u128>();
    if declared == 0 {
        return Err(DataError::Empty);
    }
    match u64::try_from(declared) {
        Ok(declared) if declared <= MAX_BYTES => Ok((dimensions, declared)),
        _ => Err(DataError::TooLarge { needed: declared, limit: MAX_BYTES }),
    }
}

fn check_size(kind: &'static str, dimensions: &[u32], declared: u64, found: usize) -> Result<(), DataError> {
    if found as u64 == declared {
        return Ok(());
    }
    let more = found as u64 > declared;
    Err(DataError::IdxSize { kind, dimensions: dimensions.to_vec(), declared: declared.into(), found, more })
}

/// The bytes of an IDX file of bytes, for tests.
#[cfg(test)]
pub(crate) fn write(dimensions: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, BYTES, dimensions.len() as u8];
    dimensions.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend_from_slice(values);
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::gzip::pack;
    use super::*;

    const CLASSES: [&str; 3] = ["a", "b", "c"];

    #[test]
    fn images_and_labels_are_read_gzipped_or_not() {
        let pixels: Vec<u8> = (0..24).collect();
        let (pictures, labels) = (write(&[4, 2, 3], &pixels), write(&[4], &[2, 0, 1, 2]));
        let plain = images(&pictures, &labels, &CLASSES).unwrap();
        assert_eq!((plain.shape(), plain.labels(), plain.pixels()), ([1, 2, 3], &[2, 0, 1, 2][..], &pixels[..]));
        assert_eq!(images(&pack(&pictures), &pack(&labels), &CLASSES).unwrap(), plain);
    }

    #[test]
    fn the_first_column_of_a_table_is_the_class() {
        let mut table = vec![0, 0, WORDS, 2, 0, 0, 0, 2, 0, 0, 0, 3];
        [7i32, 1, 2, -1, 4, 5].iter().for_each(|value| table.extend(value.to_be_bytes()));
        assert_eq!(read_label_table(&table).unwrap(), [7, u32::MAX]);
        assert_eq!(read_label_table(&pack(&table)).unwrap(), [7, u32::MAX]);
        assert!(read_label_table(&table[..table.len() - 1]).is_err());
        assert!(read_label_table(&write(&[2, 3], &[0; 6])).is_err(), "of bytes");
    }

    #[test]
    fn labels_are_not_taken_for_images() {
        let error = read_images(&write(&[3], &[0; 30])).unwrap_err().to_string();
        assert_eq!(error, "not IDX images: the first four bytes should be [00, 00, 08, 03] but are [00, 00, 08, 01]");
        assert!(matches!(read_labels(b"\x89PNG\r\n\x1a\n"), Err(DataError::IdxMagic { .. })));
        assert!(read_images(&pack(&write(&[3], &[0; 3]))).is_err());
    }

    #[test]
    fn every_cut_and_every_appended_byte_is_noticed() {
        let whole = write(&[2, 2, 2], &[1; 8]);
        for cut in 0..whole.len() {
            assert!(read_images(&whole[..cut]).is_err(), "cut at {cut}");
            assert!(read_images(&pack(&whole[..cut])).is_err(), "cut at {cut}, then gzipped");
        }
        let long = [whole, vec![0]].concat();
        assert!(matches!(read_images(&long), Err(DataError::IdxSize { more: true, .. })));
        assert!(matches!(read_images(&pack(&long)), Err(DataError::IdxSize { more: true, .. })));
        let cut = read_labels(&write(&[9], &[0; 4])).unwrap_err().to_string();
        assert!(cut.contains("declares [9] = 9 bytes of labels, but 4 follow it"), "{cut}");
    }

    #[test]
    fn a_header_that_declares_the_moon_takes_no_memory() {
        for bytes in [write(&[u32::MAX; 3], &[0; 8]), pack(&write(&[u32::MAX; 3], &[0; 8]))] {
            let Err(DataError::TooLarge { needed, .. }) = read_images(&bytes) else { panic!("must be refused") };
            assert_eq!(needed, u128::from(u32::MAX).pow(3));
        }
        // Within the limit, yet a lie: only what is there is read.
        assert!(matches!(
            read_labels(&pack(&write(&[1 << 30], &[0; 8]))),
            Err(DataError::IdxSize { found: 8, more: false, .. })
        ));
    }

    #[test]
    fn a_gzip_bomb_is_left_at_the_declared_size() {
        // 64 MiB of zeros in some 300 kB, under a header that declares eight.
        let bomb = pack(&write(&[2, 2, 2], &vec![0; 64 << 20]));
        assert!(bomb.len() < 1 << 20);
        assert!(matches!(read_images(&bomb), Err(DataError::IdxSize { found: 9, more: true, .. })));
    }

    #[test]
    fn no_images_and_mismatched_counts_are_refused() {
        assert!(matches!(read_images(&write(&[0, 28, 28], &[])), Err(DataError::Empty)));
        assert!(matches!(read_images(&write(&[5, 0, 28], &[])), Err(DataError::Empty)));
        let error = images(&write(&[2, 1, 1], &[0; 2]), &write(&[3], &[0; 3]), &CLASSES);
        assert!(matches!(error, Err(DataError::PixelCount { labels: 3, expected: 3, found: 2 })));
        let error = images(&write(&[2, 1, 1], &[0; 2]), &write(&[2], &[0, 3]), &CLASSES);
        assert!(matches!(error, Err(DataError::Label { index: 1, label: 3, classes: 3 })));
    }
}
