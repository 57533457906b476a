//! Event files as bytes: records one behind the other, each as its length (8 bytes), a checksum of that, the message, and a checksum of
//! that, all little-endian. A record that was cut off is thereby told from a whole one.

use super::proto::Event;
use prost::Message as _;
use std::ops::Range;

/// The longest message that is read, in bytes.
const LONGEST: u64 = 1 << 28;

/// What is wrong with an event file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It ends within a record.
    #[error("the record at byte {at} is cut off")]
    Cut {
        /// Where the record begins.
        at: usize,
    },
    /// A checksum differs.
    #[error("the record at byte {at} is damaged: its checksum differs")]
    Checksum {
        /// Where the record begins.
        at: usize,
    },
    /// A record is no event.
    #[error("the record at byte {at} is no event: {problem}")]
    Message {
        /// Where the record begins.
        at: usize,
        /// Why.
        problem: String,
    },
}

/// An event as a record.
pub fn record(event: &Event) -> Vec<u8> {
    let message = event.encode_to_vec();
    let length = (message.len() as u64).to_le_bytes();
    let mut bytes = Vec::with_capacity(message.len() + 16);
    bytes.extend(length);
    bytes.extend(masked(&length).to_le_bytes());
    bytes.extend(&message);
    bytes.extend(masked(&message).to_le_bytes());
    bytes
}

/// The events of a file.
///
/// # Errors
/// [`RecordError`] of the first record that is not whole.
pub fn events(file: &[u8]) -> Result<Vec<Event>, RecordError> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < file.len() {
        let cut = RecordError::Cut { at };
        let part = |range: Range<usize>| file.get(range).ok_or_else(|| cut.clone());
        let number = |range| part(range).map(|bytes| bytes.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte)));
        if number(at + 8..at + 12)? != u64::from(masked(part(at..at + 8)?)) {
            return Err(RecordError::Checksum { at });
        }
        let length = number(at..at + 8)?;
        if length > LONGEST {
            let problem = format!("it has {length} bytes, and at most {LONGEST} are read");
            return Err(RecordError::Message { at, problem });
        }
        let end = at + 12 + length as usize;
        let message = part(at + 12..end)?;
        if number(end..end + 4)? != u64::from(masked(message)) {
            return Err(RecordError::Checksum { at });
        }
        let event = Event::decode(message);
        found.push(event.map_err(|error| RecordError::Message { at, problem: error.to_string() })?);
        at = end + 4;
    }
    Ok(found)
}

/// The checksum of a record: CRC-32C, rotated and shifted, as a checksum of what holds checksums is no good.
fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// CRC-32C (Castagnoli), byte by byte.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| TABLE[((crc ^ u32::from(byte)) & 0xff) as usize] ^ (crc >> 8))
}

/// What each byte does to the checksum.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte as u32, 0);
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82F6_3B78 } else { 0 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::super::proto::{SessionLog, What};
    use super::*;

    #[test]
    fn checksums_are_those_of_rfc_3720() {
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xff; 32]), 0x62A8_AB43);
    }

    #[test]
    fn what_is_written_is_read_and_what_is_not_whole_is_refused() {
        let event = |step| Event { wall_time: 2.5, step, what: Some(What::SessionLog(SessionLog { status: 1 })) };
        let file: Vec<u8> = (0..3).flat_map(|step| record(&event(step))).collect();
        assert_eq!(events(&file).unwrap(), (0..3).map(event).collect::<Vec<_>>());
        let first = record(&event(0)).len();
        for cut in first + 1..file.len() - 1 {
            let error = events(&file[..cut]).err();
            assert!(matches!(error, Some(RecordError::Cut { .. })) || cut == first + record(&event(1)).len(), "{cut}");
        }
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 4;
            let error = events(&damaged).unwrap_err();
            assert!(matches!(error, RecordError::Checksum { .. } | RecordError::Cut { .. }), "byte {at}: {error}");
        }
        let mut long = u64::MAX.to_le_bytes().to_vec();
        long.extend(masked(&long).to_le_bytes());
        assert!(events(&long).unwrap_err().to_string().contains("at most"));
    }
}
