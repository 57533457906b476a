//! Pictures as a table: a line is a label, then the pixels, with commas between.

use super::DataError;
use super::archive::is_gzip;
use super::gzip::gunzip;
use std::borrow::Cow;

/// Labels and pixels in a table of pictures of `pixels` pixels, gzipped or not (then unpacked to `limit` bytes at
/// most). A first line that begins with a word names the columns and is left out.
///
/// # Errors
/// If gzip data are damaged, or a line is not as described; the error names the line.
pub fn read(bytes: &[u8], pixels: usize, limit: u64) -> Result<(Vec<u32>, Vec<u8>), DataError> {
    let bytes = if is_gzip(bytes) { Cow::Owned(gunzip(bytes, limit)?) } else { Cow::Borrowed(bytes) };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&bytes[..]);
    let (mut labels, mut values) = (Vec::new(), Vec::new());
    let mut record = csv::ByteRecord::new();
    loop {
        let line = reader.position().line();
        let wrong = |problem: String| DataError::PixelRow { line, problem, pixels };
        if !reader.read_byte_record(&mut record).map_err(|error| wrong(error.to_string()))? {
            break;
        }
        let is_name = record.get(0).and_then(|field| field.first()).is_some_and(u8::is_ascii_alphabetic);
        if labels.is_empty() && is_name {
            continue;
        }
        if record.len() != pixels + 1 {
            return Err(wrong(format!("{} values", record.len())));
        }
        for (column, field) in record.iter().enumerate() {
            let text = std::str::from_utf8(field).unwrap_or("").trim();
            let value: u8 = text.parse().map_err(|_| {
                let shown: String = String::from_utf8_lossy(field).chars().take(20).collect();
                wrong(format!("value {column}, `{shown}`, is not a whole number from 0 to 255"))
            })?;
            if column == 0 {
                labels.push(u32::from(value));
            } else {
                values.push(value);
            }
        }
    }
    Ok((labels, values))
}

#[cfg(test)]
mod tests {
    use super::super::gzip::pack;
    use super::*;

    #[test]
    fn tables_are_read_with_and_without_names_of_columns() {
        let wanted = (vec![7, 0], vec![0, 255, 1, 2]);
        assert_eq!(read(b"7,0,255\n0,1,2\n", 2, 99).unwrap(), wanted);
        assert_eq!(read(b"label,1x1,1x2\r\n7,0,255\r\n0,1,2", 2, 99).unwrap(), wanted);
        assert_eq!(read(&pack(b"7,0,255\n0,1,2\n"), 2, 99).unwrap(), wanted);
        assert!(read(&pack(b"7,0,255\n0,1,2\n"), 2, 9).is_err());
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = |text: &str| read(text.as_bytes(), 2, 99).unwrap_err().to_string();
        assert!(error("1,0,0\n1,0,256\n").starts_with("line 2: value 2, `256`, is not a whole number"));
        assert!(error("1,0,0\n1,0\n").starts_with("line 2: 2 values; a line is a label, then 2 pixels"));
        assert!(error("1,0,0\nlabel,a,b\n").contains("`label`"));
    }
}
