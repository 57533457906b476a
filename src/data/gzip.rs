//! Unpacking of gzip data whose size is not to be trusted.

use super::DataError;
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// Reads gzip data step by step, with a limit at each step.
pub(super) struct Unpack<'a>(MultiGzDecoder<&'a [u8]>);

impl<'a> Unpack<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(MultiGzDecoder::new(bytes))
    }

    /// Up to `limit` unpacked bytes more; fewer only at the end, whose checksum is then verified.
    /// Memory grows with what arrives, never with what a header promises.
    pub(super) fn up_to(&mut self, limit: u64) -> Result<Vec<u8>, DataError> {
        let mut unpacked = Vec::new();
        self.0.by_ref().take(limit).read_to_end(&mut unpacked).map_err(|source| DataError::Gzip { source })?;
        Ok(unpacked)
    }
}

/// Unpacks all of `bytes`.
///
/// # Errors
/// If they are damaged, or unpack to more than `limit` bytes (found out without unpacking more).
pub(crate) fn gunzip(bytes: &[u8], limit: u64) -> Result<Vec<u8>, DataError> {
    let unpacked = Unpack::new(bytes).up_to(limit.saturating_add(1))?;
    if unpacked.len() as u64 > limit {
        return Err(DataError::GzipTooLarge { limit });
    }
    Ok(unpacked)
}

/// Packs bytes, for tests.
#[cfg(test)]
pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[cfg(test)]
mod tests {
    use super::super::archive::is_gzip;
    use super::*;

    #[test]
    fn what_was_packed_unpacks_within_its_limit() {
        let packed = pack(b"four");
        assert!(is_gzip(&packed));
        assert_eq!(gunzip(&packed, 4).unwrap(), b"four");
        assert!(matches!(gunzip(&packed, 3), Err(DataError::GzipTooLarge { limit: 3 })));
    }

    #[test]
    fn damage_is_noticed() {
        let packed = pack(&[3; 1000]);
        for cut in 2..packed.len() {
            assert!(matches!(gunzip(&packed[..cut], 1 << 20), Err(DataError::Gzip { .. })), "cut at {cut}");
        }
        let mut wrong = packed.clone();
        let checksum = wrong.len() - 8;
        wrong[checksum] ^= 1;
        assert!(gunzip(&wrong, 1 << 20).is_err(), "the checksum must be looked at");
        assert!(gunzip(&[packed, vec![9; 5]].concat(), 1 << 20).is_err(), "bytes appended must not pass");
    }
}
