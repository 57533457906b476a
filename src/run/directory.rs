//! The directory of a run. Whole files are written beside their place and then renamed, so that none
//! is ever half there; logs grow by whole lines.

use super::RunError;
use serde::Serialize;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where one run writes.
///
/// ```
/// use cellwright::run::Directory;
///
/// # let place = tempfile::tempdir()?;
/// # let parent = place.path();
/// let directory = Directory::create_numbered(parent, "run")?;
/// directory.write("note.txt", b"whole or not at all")?;
/// assert_eq!(std::fs::read(directory.path().join("note.txt"))?, b"whole or not at all");
/// assert!(Directory::create(directory.path()).is_err(), "there is something in it");
/// assert!(Directory::create_numbered(parent, "run")?.path().ends_with("run-2"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Makes the directory, or takes an empty one.
    ///
    /// # Errors
    /// [`RunError::Occupied`] if it holds something; [`RunError::Write`] if it cannot be made.
    pub fn create(path: &Path) -> Result<Self, RunError> {
        let failed = |source| RunError::Write { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
        if fs::read_dir(path).map_err(failed)?.next().is_some() {
            return Err(RunError::Occupied { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Makes a new directory `NAME`, `NAME-2`, `NAME-3`, … below `parent`.
    ///
    /// # Errors
    /// [`RunError::Write`] if none can be made.
    pub fn create_numbered(parent: &Path, name: &str) -> Result<Self, RunError> {
        fs::create_dir_all(parent).map_err(|source| RunError::Write { path: parent.to_owned(), source })?;
        let mut number = 1u32;
        loop {
            let path = parent.join(if number == 1 { name.to_owned() } else { format!("{name}-{number}") });
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < u32::MAX => number += 1,
                Err(source) => return Err(RunError::Write { path, source }),
            }
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the directory again if nothing was written but the configuration and empty logs.
    pub fn remove_if_unused(&self) {
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        let worthless = |entry: &fs::DirEntry| {
            entry.file_name() == "config.toml" || entry.metadata().is_ok_and(|m| m.is_file() && m.len() == 0)
        };
        let entries: Vec<fs::DirEntry> = entries.flatten().collect();
        if entries.iter().all(worthless) {
            // Failing to tidy up is not worth a second error message.
            entries.iter().for_each(|entry| drop(fs::remove_file(entry.path())));
            let _ = fs::remove_dir(&self.path);
        }
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// [`RunError::Write`]; the file is then as it was before.
    pub fn write(&self, name: &str, contents: &[u8]) -> Result<(), RunError> {
        let path = self.path.join(name);
        let failed = |source| RunError::Write { path: path.clone(), source };
        let mut beside = tempfile::NamedTempFile::new_in(&self.path).map_err(failed)?;
        beside.write_all(contents).map_err(failed)?;
        beside.as_file().sync_all().map_err(failed)?;
        // Temporary files are private; results are for everybody who may read the directory.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            beside.as_file().set_permissions(fs::Permissions::from_mode(0o644)).map_err(failed)?;
        }
        beside.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// As [`Directory::write`].
    pub fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), RunError> {
        let mut text = serde_json::to_vec_pretty(value)
            .map_err(|error| RunError::Write { path: self.path.join(name), source: error.into() })?;
        text.push(b'\n');
        self.write(name, &text)
    }

    /// Opens a log of JSON objects, one a line.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub fn log(&self, name: &str) -> Result<Log, RunError> {
        let path = self.path.join(name);
        match OpenOptions::new().create(true).append(true).open(&path) {
            Ok(file) => Ok(Log { path, file }),
            Err(source) => Err(RunError::Write { path, source }),
        }
    }
}

/// A file that grows by JSON objects, one a line.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Appends one object as a line. A line that could not be written whole is taken back.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub fn append<T: Serialize>(&mut self, value: &T) -> Result<(), RunError> {
        let failed = |source| RunError::Write { path: self.path.clone(), source };
        let mut line = serde_json::to_vec(value).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        let before = self.file.metadata().map_err(failed)?.len();
        self.file.write_all(&line).map_err(|source| {
            let _ = self.file.set_len(before);
            failed(source)
        })
    }
}
