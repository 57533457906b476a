//! The bundled digits: 1,797 handwritten digits of 8 × 8 pixels (`data/README.md` says whose).
//!
//! Small enough to search in minutes on a processor, and real.

use super::gzip::gunzip;
use super::{DataError, Dataset, Images, split};

const BUNDLED: &[u8] = include_bytes!("../../data/digits.csv.gz");
/// Ten times the bundled table.
const MAX_TABLE: u64 = 4 << 20;
const SIDE: usize = 8;
/// The brightest pixel in the table.
const BRIGHTEST: u16 = 16;

/// The bundled digits; a stratified fifth, the same for every seed, is the test part.
///
/// ```
/// use cellwright::data::digits;
///
/// let digits = digits::dataset()?;
/// assert_eq!((digits.train.count(), digits.test.count()), (1438, 359));
/// assert_eq!((digits.train.shape(), digits.train.classes().len()), ([1, 8, 8], 10));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Only if the table in the program were damaged.
pub fn dataset() -> Result<Dataset, DataError> {
    let (train, test) = split::test_fifth(&images(BUNDLED)?)?;
    let source = "Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, UCI, CC BY 4.0), \
                  by way of scikit-learn (BSD-3-Clause)";
    Dataset::new("digits", source, train, test)
}

/// Reads a gzipped table of digits: a line is 64 pixels from 0 to 16 (8 × 8, row by row) and a label
/// from 0 to 9. Pixels are scaled to 0–255.
///
/// # Errors
/// If the gzip data are damaged, or a line is not as described; the error names the line.
pub fn images(gzipped: &[u8]) -> Result<Images, DataError> {
    let table = gunzip(gzipped, MAX_TABLE)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(table.as_slice());
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    let mut record = csv::ByteRecord::new();
    loop {
        let line = reader.position().line();
        let wrong = |problem: String| DataError::Digits { line, problem };
        if !reader.read_byte_record(&mut record).map_err(|error| wrong(error.to_string()))? {
            break;
        }
        if record.len() != SIDE * SIDE + 1 {
            return Err(wrong(format!("{} values", record.len())));
        }
        for (column, field) in record.iter().enumerate() {
            let is_label = column == SIDE * SIDE;
            let most = if is_label { 9 } else { BRIGHTEST };
            let value = std::str::from_utf8(field).ok().and_then(|text| text.parse::<u16>().ok());
            match value {
                Some(value) if value > most => return Err(wrong(format!("value {column} is {value}, above {most}"))),
                Some(value) if is_label => labels.push(u32::from(value)),
                Some(value) => pixels.push(((value * 255 + BRIGHTEST / 2) / BRIGHTEST) as u8),
                None => {
                    let text = String::from_utf8_lossy(field);
                    return Err(wrong(format!("value {column}, `{text}`, is not a whole number")));
                }
            }
        }
    }
    Images::new([1, SIDE, SIDE], pixels, labels, (0..10).map(|digit| digit.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::super::gzip::pack;
    use super::*;

    #[test]
    fn the_bundled_digits_are_whole() {
        let digits = dataset().unwrap();
        assert_eq!((digits.train.count(), digits.test.count()), (1438, 359));
        let counts = images(BUNDLED).unwrap().class_counts();
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert_eq!(digits.train.shape(), [1, 8, 8]);
        assert!((digits.mean[0] - 0.305).abs() < 0.005 && (digits.std[0] - 0.376).abs() < 0.005);
        assert!(digits.test.class_counts().iter().all(|n| (35..=37).contains(n)));
    }

    #[test]
    fn pixels_are_scaled_to_the_whole_byte() {
        let first = images(BUNDLED).unwrap();
        // The first line begins 0,0,5,13,9,1,0,0.
        assert_eq!(first.image(0).unwrap()[..8], [0, 0, 80, 207, 143, 16, 0, 0]);
        assert_eq!(first.pixels().iter().max(), Some(&255));
    }

    #[test]
    fn a_bad_line_is_named() {
        let row = |pixel: &str, label: &str| format!("{}{label}\n", format!("{pixel},").repeat(64));
        let error = |text: String| images(&pack(text.as_bytes())).unwrap_err().to_string();
        assert!(images(&pack(row("16", "9").as_bytes())).is_ok());
        assert!(error(row("0", "1") + &row("17", "1")).starts_with("line 2 of the digits: value 0 is 17, above 16"));
        assert!(error(row("0", "10")).contains("value 64 is 10, above 9"));
        assert!(error(row("x", "1")).contains("`x`, is not a whole number"));
        assert!(error(row("0", "1,1")).contains("66 values"));
        assert!(matches!(images(&pack(b"")), Err(DataError::Empty)));
        assert!(matches!(images(b"0,1"), Err(DataError::Gzip { .. })));
    }
}
