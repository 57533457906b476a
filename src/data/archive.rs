//! Archives: tar, gzipped or not, and zip. What lies in them is listed, and single members are
//! unpacked.
//!
//! Nothing is believed: memory grows with what arrives, no member is unpacked beyond a limit, and no
//! name becomes a path.

use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::io::{self, BufReader, Read, Seek};
use tar::{EntryType, Header};
use thiserror::Error;
use zip::ZipArchive;
use zip::result::ZipError;

/// More members than any archive of a dataset has.
const MOST_MEMBERS: usize = 200_000;
/// The longest name that is kept.
const MOST_NAME: u64 = 1 << 12;
const BLOCK: usize = 512;

/// An archive that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// A tar archive is damaged.
    #[error("the archive is damaged or cut off ({source}); fetch it again")]
    Tar {
        /// What the reader said.
        source: io::Error,
    },
    /// A zip archive is damaged, encrypted or packed in a way that is not read.
    #[error("the archive cannot be read ({source}); fetch it again, or unpack it")]
    Zip {
        /// What the reader said.
        source: ZipError,
    },
    /// More than the limit.
    #[error("{what} unpacks to more than {limit} bytes; if that is right, raise `data.most_bytes`")]
    TooLarge {
        /// The member, or the archive.
        what: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// Too many members.
    #[error("the archive has more than {MOST_MEMBERS} members, which no dataset known has; unpack it")]
    TooMany,
}

/// Whether the bytes begin as gzip data do.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// What an archive is packed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Zip.
    Zip,
    /// Tar.
    Tar,
    /// Tar, gzipped.
    TarGz,
}

impl Kind {
    /// Tells the kind by content; `None` if it is no archive.
    pub fn of(reader: impl Read) -> io::Result<Option<Self>> {
        let start = up_to(reader, 16 << 10)?;
        if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            return Ok(Some(Self::Zip));
        }
        if is_gzip(&start) {
            // The beginning ends somewhere, and so does what can be unpacked of it.
            let mut unpacked = vec![0; BLOCK];
            let whole = MultiGzDecoder::new(&start[..]).read_exact(&mut unpacked).is_ok();
            return Ok((whole && is_tar(&unpacked)).then_some(Self::TarGz));
        }
        Ok(is_tar(&start).then_some(Self::Tar))
    }
}

/// Whether the first block is a header whose checksum is right.
fn is_tar(start: &[u8]) -> bool {
    let Some(block) = start.first_chunk::<BLOCK>() else { return false };
    // The sum over the block, with blanks in the place of the sum.
    let sum: u32 = block[..148].iter().chain(&block[156..]).map(|&byte| u32::from(byte)).sum();
    Header::from_byte_slice(block).cksum().is_ok_and(|declared| declared == sum + 8 * 32)
}

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name with the folders it lies in, divided by `/`.
    pub path: String,
    /// Its number, for [`read`].
    pub index: usize,
}

/// The regular files of an archive. A gzipped tar is unpacked for that, up to `limit` bytes.
///
/// # Errors
/// If the archive is damaged, or has too much in it.
pub fn list<R: Read + Seek>(kind: Kind, reader: R, limit: u64) -> Result<Vec<Member>, ArchiveError> {
    let mut members = Vec::new();
    match kind {
        Kind::Zip => {
            let archive = open_zip(reader)?;
            for index in 0..archive.len() {
                let path = archive.name_for_index(index).and_then(Result::ok).and_then(|name| clean(&name));
                members.extend(path.map(|path| Member { path, index }));
            }
        }
        Kind::Tar | Kind::TarGz => walk_tar(kind, reader, limit, |index, path, _| {
            members.push(Member { path, index });
            Ok(())
        })?,
    }
    Ok(members)
}

/// Unpacks the members with these numbers, each of at most `limit` bytes.
///
/// # Errors
/// If the archive is damaged, or a member is larger than `limit`.
pub fn read<R: Read + Seek>(
    kind: Kind,
    reader: R,
    indices: &[usize],
    limit: u64,
) -> Result<Vec<Vec<u8>>, ArchiveError> {
    let mut unpacked = vec![Vec::new(); indices.len()];
    match kind {
        Kind::Zip => {
            let mut archive = open_zip(reader)?;
            for (place, &index) in unpacked.iter_mut().zip(indices) {
                let member = archive.by_index(index).map_err(|source| ArchiveError::Zip { source })?;
                let what = clean_name(&member, index);
                // To the end, where the checksum is verified, or one byte past the limit.
                *place = up_to(member, limit.saturating_add(1))
                    .map_err(|source| ArchiveError::Zip { source: ZipError::Io(source) })?;
                check_size(place, what, limit)?;
            }
        }
        Kind::Tar | Kind::TarGz => walk_tar(kind, reader, limit, |number, path, entry| {
            let Some(place) = indices.iter().position(|&index| index == number) else { return Ok(()) };
            unpacked[place] = up_to(entry, limit.saturating_add(1)).map_err(|source| ArchiveError::Tar { source })?;
            check_size(&unpacked[place], path, limit)
        })?,
    }
    Ok(unpacked)
}

fn check_size(bytes: &[u8], what: String, limit: u64) -> Result<(), ArchiveError> {
    if bytes.len() as u64 > limit {
        return Err(ArchiveError::TooLarge { what, limit });
    }
    Ok(())
}

fn up_to(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn open_zip<R: Read + Seek>(reader: R) -> Result<ZipArchive<R>, ArchiveError> {
    let archive = ZipArchive::new(reader).map_err(|source| ArchiveError::Zip { source })?;
    if archive.len() > MOST_MEMBERS { Err(ArchiveError::TooMany) } else { Ok(archive) }
}

/// A member's name as its parts joined by `/`; `None` for a folder and for what points out of the archive.
fn clean(name: &str) -> Option<String> {
    if name.ends_with(['/', '\\']) || name.len() as u64 > MOST_NAME {
        return None;
    }
    let parts: Vec<&str> = name.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

/// What a member of a zip archive is called in an error.
fn clean_name<R: Read + ?Sized>(member: &zip::read::ZipFile<'_, R>, index: usize) -> String {
    member.name().ok().and_then(|name| clean(&name)).unwrap_or_else(|| format!("member {index}"))
}

/// Counts what is unpacked and stops at a limit.
struct Limited<'a, R> {
    reader: R,
    left: u64,
    exceeded: &'a Cell<bool>,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => {
                self.exceeded.set(true);
                return Err(io::Error::other("more than the limit"));
            }
        }
        Ok(read)
    }
}

type Visit<'v> = dyn FnMut(usize, String, &mut dyn Read) -> Result<(), ArchiveError> + 'v;

/// Visits each regular file of a tar archive: its number, its name, its bytes.
fn walk_tar(
    kind: Kind,
    reader: impl Read,
    limit: u64,
    mut visit: impl FnMut(usize, String, &mut dyn Read) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let reader = BufReader::new(reader);
    let exceeded = Cell::new(false);
    let walked = match kind {
        Kind::TarGz => {
            let reader = Limited { reader: MultiGzDecoder::new(reader), left: limit, exceeded: &exceeded };
            walk(reader, &mut visit)
        }
        // As large as its file, which is there.
        _ => walk(reader, &mut visit),
    };
    if exceeded.get() { Err(ArchiveError::TooLarge { what: "the archive".into(), limit }) } else { walked }
}

fn walk(reader: impl Read, visit: &mut Visit<'_>) -> Result<(), ArchiveError> {
    let damaged = |source| ArchiveError::Tar { source };
    let mut archive = tar::Archive::new(reader);
    // Raw, since long names and attributes are otherwise read whatever size they declare.
    let entries = archive.entries().map_err(damaged)?.raw(true);
    let mut long_name: Option<String> = None;
    let mut members = 0;
    for (number, entry) in entries.enumerate() {
        if number >= 2 * MOST_MEMBERS {
            return Err(ArchiveError::TooMany);
        }
        let mut entry = entry.map_err(damaged)?;
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let name = up_to(&mut entry, MOST_NAME).map_err(damaged)?;
                long_name = Some(String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned());
            }
            EntryType::XHeader => {
                let attributes = up_to(&mut entry, 4 * MOST_NAME).map_err(damaged)?;
                let path = tar::PaxExtensions::new(&attributes)
                    .filter_map(Result::ok)
                    .find(|attribute| attribute.key_bytes() == b"path");
                long_name = path.map(|path| String::from_utf8_lossy(path.value_bytes()).into_owned()).or(long_name);
            }
            EntryType::Regular | EntryType::Continuous => {
                let name = long_name.take();
                let name = name.unwrap_or_else(|| String::from_utf8_lossy(&entry.path_bytes()).into_owned());
                if let Some(path) = clean(&name) {
                    members += 1;
                    if members > MOST_MEMBERS {
                        return Err(ArchiveError::TooMany);
                    }
                    visit(number, path, &mut entry)?;
                }
            }
            // Folders, links, sparse files.
            _ => long_name = None,
        }
    }
    // What follows the last member ends in gzip's checksum.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(damaged)?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::gzip::pack;
    use super::*;
    use std::io::{Cursor, Write};

    /// A zip archive, deflated.
    pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// A tar archive.
    pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn whole(kind: Kind, bytes: &[u8], limit: u64) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
        assert_eq!(Kind::of(bytes).unwrap(), Some(kind));
        let members = list(kind, Cursor::new(bytes), limit)?;
        let indices: Vec<usize> = members.iter().map(|member| member.index).collect();
        let files = read(kind, Cursor::new(bytes), &indices, limit)?;
        Ok(members.into_iter().map(|member| member.path).zip(files).collect())
    }

    #[test]
    fn each_kind_gives_back_what_was_packed() {
        let long = format!("{}/x", "folder".repeat(30));
        let files: &[(&str, &[u8])] = &[("a/b.bin", b"bytes"), ("empty", b""), (&long, &[7; 3000])];
        let wanted: Vec<(String, Vec<u8>)> = files.iter().map(|(n, b)| ((*n).to_owned(), b.to_vec())).collect();
        assert_eq!(whole(Kind::Zip, &zip(files), 1 << 20).unwrap(), wanted);
        assert_eq!(whole(Kind::Tar, &tar(files), 1 << 20).unwrap(), wanted);
        assert_eq!(whole(Kind::TarGz, &pack(&tar(files)), 1 << 20).unwrap(), wanted);
        assert_eq!(Kind::of(&b"no archive"[..]).unwrap(), None);
        assert_eq!(Kind::of(&pack(b"no tar")[..]).unwrap(), None);
    }

    #[test]
    fn a_name_in_an_attribute_counts() {
        let attribute = "16 path=long/er\n";
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::XHeader);
        header.set_size(attribute.len() as u64);
        builder.append_data(&mut header, "PaxHeaders", attribute.as_bytes()).unwrap();
        let mut header = Header::new_ustar();
        header.set_size(1);
        builder.append_data(&mut header, "short", &b"x"[..]).unwrap();
        let listed = whole(Kind::Tar, &builder.into_inner().unwrap(), 99).unwrap();
        assert_eq!(listed, [("long/er".to_owned(), b"x".to_vec())]);
    }

    #[test]
    fn names_that_point_outside_are_no_members() {
        for (name, wanted) in
            [("../x", None), ("a/", None), ("a\\b", Some("a/b")), ("/a/./b", Some("a/b")), ("", None), ("a/../b", None)]
        {
            assert_eq!(clean(name).as_deref(), wanted, "{name}");
        }
    }

    #[test]
    fn bombs_are_left_at_the_limit() {
        let zeros = vec![0; 8 << 20];
        let files: &[(&str, &[u8])] = &[("bomb", &zeros)];
        for (kind, bytes) in [(Kind::Zip, zip(files)), (Kind::Tar, tar(files)), (Kind::TarGz, pack(&tar(files)))] {
            let error = whole(kind, &bytes, 1 << 20).unwrap_err();
            assert!(matches!(error, ArchiveError::TooLarge { limit: 1_048_576, .. }), "{error}");
            assert!(error.to_string().contains("data.most_bytes"), "{error}");
        }
    }

    #[test]
    fn cut_archives_are_noticed() {
        let files: &[(&str, &[u8])] = &[("a", &[1; 700]), ("b", &[2; 700])];
        let (zipped, tarred, packed) = (zip(files), tar(files), pack(&tar(files)));
        for cut in (64..zipped.len()).step_by(7) {
            assert!(list(Kind::Zip, Cursor::new(&zipped[..cut]), 1 << 20).is_err(), "zip cut at {cut}");
        }
        for cut in (20..packed.len()).step_by(3) {
            assert!(list(Kind::TarGz, Cursor::new(&packed[..cut]), 1 << 20).is_err(), "tar.gz cut at {cut}");
        }
        for cut in (600..2 * 1536).step_by(101) {
            let read = list(Kind::Tar, Cursor::new(&tarred[..cut]), 1 << 20).map(|members| members.len());
            assert!(read.is_err() || read.is_ok_and(|n| n < 2 || cut >= 512 + 1024 + 512 + 700), "tar cut at {cut}");
        }
    }
}
