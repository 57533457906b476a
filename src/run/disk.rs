//! How a run's files get onto a disk: the one place where writing can fail.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// What a run writes through. What fails leaves the files as they were, or, of a log, longer than it should be.
pub trait Disk: Send + Sync {
    /// Writes bytes at the end of an open file.
    ///
    /// # Errors
    /// What the system says; some of the bytes may have been written.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    /// Makes sure that what was written is there after a loss of power.
    ///
    /// # Errors
    /// What the system says.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    /// Moves a file to its place, over what may be there.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    /// Makes sure that the names in a directory are there after a loss of power, where the system can.
    ///
    /// # Errors
    /// What the system says.
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        // Only Unix opens directories as files.
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }

    /// Cuts a file.
    ///
    /// # Errors
    /// What the system says.
    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }
}

/// The system's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

impl Disk for SystemDisk {}
