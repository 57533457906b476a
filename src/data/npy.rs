//! Numpy's files: `.npy` (one array) and `.npz` (a zip archive of them).

use super::DataError;
use super::archive;
use super::array::{Array, ArrayError, Element};
use std::io::Cursor;

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Longest header read. Those of plain arrays have a hundred bytes.
const MOST_HEADER: usize = 1 << 16;

/// Names of the arrays of an `.npz` file, without `.npy`.
///
/// # Errors
/// If it is no zip archive.
pub fn names(npz: &[u8]) -> Result<Vec<String>, DataError> {
    let members = archive::list(archive::Kind::Zip, Cursor::new(npz), u64::MAX)?;
    Ok(members.iter().filter_map(|member| member.path.strip_suffix(".npy")).map(str::to_owned).collect())
}

/// The arrays `wanted` of an `.npz` file, in that order. None is unpacked to more than `limit` bytes.
///
/// # Errors
/// If it is no zip archive, an array is missing, too large, damaged, or of another type than whole numbers.
pub fn arrays<const N: usize>(
    npz: &[u8],
    wanted: [&'static str; N],
    limit: u64,
) -> Result<[Array<'static>; N], DataError> {
    let members = archive::list(archive::Kind::Zip, Cursor::new(npz), limit)?;
    let mut indices = Vec::new();
    for name in wanted {
        let found = members.iter().find(|member| member.path.strip_suffix(".npy") == Some(name));
        let Some(member) = found else {
            let found = members.iter().take(10).map(|member| member.path.clone()).collect();
            return Err(DataError::NoArray { name, found });
        };
        indices.push(member.index);
    }
    let files = archive::read(archive::Kind::Zip, Cursor::new(npz), &indices, limit)?;
    let arrays = files
        .into_iter()
        .zip(wanted)
        .map(|(file, name)| array(file).map_err(|source| DataError::Array { name: name.to_owned(), source }));
    let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
    // One was read for each that was wanted.
    <[Array<'static>; N]>::try_from(arrays).map_err(|_| DataError::Empty)
}

/// The array in the bytes of an `.npy` file.
///
/// # Errors
/// If it is none, is cut off, or holds anything but whole numbers.
pub fn array(mut file: Vec<u8>) -> Result<Array<'static>, ArrayError> {
    let cut = ArrayError::Header { problem: "it is cut off" };
    if !file.starts_with(MAGIC) {
        return Err(ArrayError::Magic);
    }
    let Some(&version) = file.get(6) else { return Err(cut) };
    // The header's length has two bytes in version 1 and four in 2 and 3.
    let begin = match version {
        1 => 10,
        2 | 3 => 12,
        _ => return Err(ArrayError::Header { problem: "its version is none of 1, 2 and 3" }),
    };
    let Some(length) = file.get(8..begin) else { return Err(cut) };
    let length = length.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
    if length > MOST_HEADER {
        return Err(ArrayError::Header { problem: "it is longer than 64 KiB" });
    }
    let Some(header) = file.get(begin..begin + length) else { return Err(cut) };
    let Ok(header) = std::str::from_utf8(header) else {
        return Err(ArrayError::Header { problem: "it is not text" });
    };
    let (shape, element, fortran) = read_header(header)?;
    file.drain(..begin + length);
    Array::new(shape, element, fortran, file.into())
}

/// Reads `{'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }`.
fn read_header(header: &str) -> Result<(Vec<usize>, Element, bool), ArrayError> {
    let missing = |problem| ArrayError::Header { problem };
    let after = |key: &str| {
        let quoted = header.find(&format!("'{key}'")).or_else(|| header.find(&format!("\"{key}\"")))?;
        header[quoted + key.len() + 2..].trim_start().strip_prefix(':').map(str::trim_start)
    };
    let kind = after("descr").ok_or(missing("it has no `descr`"))?;
    let quote = kind.chars().next().filter(|c| matches!(c, '\'' | '"'));
    // A list instead of a text: records of several fields.
    let Some(quote) = quote else { return Err(ArrayError::Kind { kind: kind.chars().take(40).collect() }) };
    let kind = kind[1..].split(quote).next().unwrap_or("");
    let fortran = match after("fortran_order") {
        Some(text) if text.starts_with("True") => true,
        Some(text) if text.starts_with("False") => false,
        _ => return Err(missing("`fortran_order` is neither True nor False")),
    };
    let shape = after("shape").and_then(|text| text.strip_prefix('(')).and_then(|text| text.split_once(')'));
    let Some((shape, _)) = shape else { return Err(missing("it has no `shape`")) };
    let lengths = shape.split(',').map(|n| n.trim().trim_end_matches('L')).filter(|n| !n.is_empty());
    let shape = lengths.map(|n| n.parse().map_err(|_| missing("its `shape` is not of whole numbers")));
    Ok((shape.collect::<Result<_, _>>()?, Element::parse(kind)?, fortran))
}

/// The bytes of an `.npy` file of version 1, for tests.
#[cfg(test)]
pub(crate) fn write(kind: &str, fortran: bool, shape: &[usize], values: &[u8]) -> Vec<u8> {
    let lengths: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': ({lengths}), }}\n");
    let mut file = MAGIC.to_vec();
    file.extend([1, 0]);
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(values);
    file
}

#[cfg(test)]
mod tests {
    use super::super::archive::tests::zip;
    use super::*;

    #[test]
    fn every_version_of_the_header_is_read() {
        let first = write("|u1", false, &[2, 1, 2], &[1, 2, 3, 4]);
        let (shape, pixels) = array(first.clone()).unwrap().pictures().unwrap();
        assert_eq!((shape, pixels), ([1, 1, 2], vec![1, 2, 3, 4]));
        for version in [2, 3] {
            let mut file = MAGIC.to_vec();
            file.extend([version, 0, first[8], first[9], 0, 0]);
            file.extend(&first[10..]);
            assert_eq!(array(file).unwrap(), array(first.clone()).unwrap());
        }
        assert!(array(b"\x93NUMPY\x04\0\0\0".to_vec()).is_err());
        let python2 = String::from_utf8_lossy(&write("<i8", false, &[], &[])[10..]).replace("()", "(3L, 1L)");
        assert_eq!(read_header(&python2).unwrap().0, [3, 1]);
    }

    #[test]
    fn what_is_no_array_of_whole_numbers_is_named() {
        let error = |kind: &str| array(write(kind, false, &[1], &[0; 4])).unwrap_err().to_string();
        assert!(error("<f4").contains("`<f4`"));
        assert!(error("|O").contains("`|O`"));
        assert_eq!(array(b"PK".to_vec()), Err(ArrayError::Magic));
        let whole = write("|u1", false, &[2, 2], &[0; 4]);
        for cut in 0..whole.len() {
            assert!(array(whole[..cut].to_vec()).is_err(), "cut at {cut}");
        }
        assert!(array([whole, vec![0]].concat()).is_err(), "a byte appended must not pass");
        assert!(read_header("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,)}").is_err());
    }

    #[test]
    fn arrays_are_found_by_name() {
        let (a, b) = (write("|u1", false, &[1], &[5]), write("<i4", false, &[1], &[6, 0, 0, 0]));
        let npz = zip(&[("b.npy", &b), ("a.npy", &a)]);
        let [first, second] = arrays(&npz, ["a", "b"], 1 << 20).unwrap();
        assert_eq!((first.labels().unwrap(), second.labels().unwrap()), (vec![5], vec![6]));
        assert_eq!(names(&npz).unwrap(), ["b", "a"]);
        let error = arrays(&npz, ["a", "c"], 1 << 20).unwrap_err().to_string();
        assert!(error.contains("`c`") && error.contains("b.npy, a.npy"), "{error}");
        let error = arrays(&npz, ["a"], 8).unwrap_err().to_string();
        assert!(error.contains("data.most_bytes"), "{error}");
    }
}
