//! The directory of a run. Whole files are written beside their place and then renamed, so that none
//! is ever half there; logs grow by whole lines. One process works in it at a time.

use super::disk::{Disk, SystemDisk};
use super::error::RunError;
use serde::Serialize;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// The file that is locked while a process works in the directory. Nothing is ever read from it.
const LOCK: &str = ".lock";
/// How often a lock that another holds is tried again, and after how long.
const TRIES: usize = 10;
const MOMENT: Duration = Duration::from_millis(10);
/// What files beside their place begin with.
const BESIDE: &str = ".writing";
/// The folder of checkpoints.
pub(super) const CHECKPOINTS: &str = "checkpoint";
/// When each phase began, how it ended, and what each trial of a study took.
pub(super) const TIMING: &str = "timing.jsonl";
/// What is measured, step by step and epoch by epoch.
pub(super) const METRICS: &str = "metrics.jsonl";
/// What a run is made by.
pub const CONFIG: &str = "config.toml";
/// What a run came to: it is there once the run has come to its end.
pub(super) const SUMMARY: &str = "summary.json";

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
#[derive(Clone)]
pub struct Directory {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    /// Unlocked when the last owner goes, or its process ends.
    _lock: Arc<File>,
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Directory {
    /// Makes the directory, or takes an empty one.
    ///
    /// # Errors
    /// [`RunError::Occupied`] if it holds something; [`RunError::InUse`] if another process works in it; [`RunError::Write`] if
    /// it cannot be made.
    pub fn create(path: &Path) -> Result<Self, RunError> {
        Self::holding(path, |_| false)
    }

    /// Makes the directory, or takes one that holds nothing but what is known by its name.
    ///
    /// # Errors
    /// As [`Directory::create`].
    pub(super) fn holding(path: &Path, is_known: impl Fn(&str) -> bool) -> Result<Self, RunError> {
        let failed = |source| RunError::Write { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if !is_nothing(&entry) && !is_known(&entry.file_name().to_string_lossy()) {
                return Err(RunError::Occupied { path: path.to_owned() });
            }
        }
        Self::locked(path.to_owned())
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
                Ok(()) => return Self::locked(path),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < u32::MAX => number += 1,
                Err(source) => return Err(RunError::Write { path, source }),
            }
        }
    }

    /// Takes the directory of a run that was begun, to go on with it.
    ///
    /// # Errors
    /// [`RunError::NoRun`] if it is none's; [`RunError::InUse`] if another process works in it.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        if !path.join(CONFIG).is_file() {
            return Err(RunError::NoRun { path: path.to_owned() });
        }
        Self::locked(path.to_owned())
    }

    /// Takes a directory that is known for holding a file of this name, or makes one that is yet to get it.
    ///
    /// # Errors
    /// As [`Directory::create`].
    pub(super) fn with(path: &Path, name: &str) -> Result<Self, RunError> {
        match path.join(name).is_file() {
            true => Self::locked(path.to_owned()),
            false => Self::create(path),
        }
    }

    /// Whether a run has come to its end in a directory that nobody need work in.
    pub(super) fn has_ended(path: &Path) -> bool {
        path.join(SUMMARY).is_file() && !path.join(CHECKPOINTS).exists()
    }

    /// Whether a process works in a directory, as far as its file system tells. Nothing is written.
    pub fn is_in_use(path: &Path) -> bool {
        let lock = path.join(LOCK);
        // A link, or a pipe that would be waited for, is no lock.
        if !lock.symlink_metadata().is_ok_and(|facts| facts.is_file()) {
            return false;
        }
        // Several may ask at a time, and let go at once.
        File::open(lock).is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    fn locked(path: PathBuf) -> Result<Self, RunError> {
        let failed = |source| RunError::Write { path: path.join(LOCK), source };
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK)).map_err(failed)?;
        let mut tries = 0;
        let mut locked = lock.try_lock();
        // Who only asks whether it is locked holds it for a moment.
        while matches!(locked, Err(TryLockError::WouldBlock)) && tries < TRIES {
            tries += 1;
            thread::sleep(MOMENT);
            locked = lock.try_lock();
        }
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RunError::InUse { path }),
            // A file system without locks cannot be asked.
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // What a process was writing when it was killed.
        for entry in fs::read_dir(&path).into_iter().flatten().flatten() {
            if is_beside(&entry) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(Self { path, disk: Arc::new(SystemDisk), _lock: Arc::new(lock) })
    }

    /// The same, written through another disk: to see what becomes of a run where writing fails.
    pub fn on(self, disk: Arc<dyn Disk>) -> Self {
        Self { disk, ..self }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the run has come to its end, pictures and all.
    pub fn is_finished(&self) -> bool {
        Self::has_ended(&self.path)
    }

    /// Tidies up after a run that has come to its end: removes its checkpoints, unless they are to be kept.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub fn finish(&self, keep_checkpoints: bool) -> Result<(), RunError> {
        if keep_checkpoints {
            return Ok(());
        }
        let path = self.path.join(CHECKPOINTS);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(RunError::Write { path, source: error }),
            _ => Ok(()),
        }
    }

    /// Makes the directory for a run by this configuration, or goes on with one that was begun by it there.
    ///
    /// # Errors
    /// As [`Directory::create`]: a run that is finished, or another's, is not touched.
    pub(super) fn begin(path: &Path, config: &str) -> Result<Self, RunError> {
        let same = fs::read_to_string(path.join(CONFIG)).is_ok_and(|found| found == config);
        match same {
            true => Self::open(path).and_then(|directory| match directory.is_finished() {
                true => Err(RunError::Occupied { path: path.to_owned() }),
                false => Ok(directory),
            }),
            false => Self::create(path),
        }
    }

    /// Removes the directory again if nothing was written but the configuration, empty logs, and how it ended.
    pub fn remove_if_unused(&self) {
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        let worthless = |entry: &fs::DirEntry| {
            let name = entry.file_name();
            [CONFIG, LOCK, TIMING].iter().any(|worthless| name == *worthless)
                || entry.metadata().is_ok_and(|m| m.is_file() && m.len() == 0)
        };
        let entries: Vec<fs::DirEntry> = entries.flatten().collect();
        if entries.iter().all(worthless) {
            // Failing to tidy up is not worth a second error message.
            entries.iter().for_each(|entry| drop(fs::remove_file(entry.path())));
            let _ = fs::remove_dir(&self.path);
        }
    }

    /// Makes a folder in it, if it is not there.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, RunError> {
        let path = self.path.join(name);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(RunError::Write { path, source: error })
            }
            _ => Ok(path),
        }
    }

    /// Writes a whole file: beside its place, then moved there. It is there after a loss of power.
    ///
    /// # Errors
    /// [`RunError::Write`]; the file is then as it was before.
    pub fn write(&self, name: &str, contents: &[u8]) -> Result<(), RunError> {
        let path = self.path.join(name);
        let failed = |source| RunError::Write { path: path.clone(), source };
        let folder = path.parent().unwrap_or(&self.path);
        let mut builder = tempfile::Builder::new();
        // Results are for everybody who may read the directory.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        // In the run's directory, whatever the file's own: folders hold nothing but what they are for.
        let mut beside = builder.prefix(BESIDE).tempfile_in(&self.path).map_err(failed)?;
        self.disk.write(beside.as_file_mut(), contents).map_err(failed)?;
        self.disk.sync(beside.as_file()).map_err(failed)?;
        // Where that fails the file beside is removed with its owner.
        self.disk.rename(beside.path(), &path).map_err(failed)?;
        // What is gone from its place cannot be removed there.
        let _ = beside.into_temp_path().keep();
        self.disk.sync_directory(folder).map_err(failed)
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
        let failed = |source| RunError::Write { path: path.clone(), source };
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        Ok(Log { path, file, disk: self.disk.clone(), length })
    }
}

/// Whether a file is one that was to be moved to its place.
fn is_beside(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with(BESIDE)
}

/// Whether a file is worth nothing: what a run leaves that ended before it began.
fn is_nothing(entry: &fs::DirEntry) -> bool {
    let is_empty = || entry.metadata().is_ok_and(|facts| facts.is_file() && facts.len() == 0);
    entry.file_name() == LOCK
        || is_beside(entry)
        || (entry.file_name().to_string_lossy().ends_with(".jsonl") && is_empty())
}

/// A file that grows by JSON objects, one a line.
pub struct Log {
    path: PathBuf,
    file: File,
    disk: Arc<dyn Disk>,
    length: u64,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("path", &self.path).field("length", &self.length).finish_non_exhaustive()
    }
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
        match self.disk.write(&mut self.file, &line) {
            Ok(()) => self.length += line.len() as u64,
            Err(source) => {
                let _ = self.disk.cut(&self.file, self.length);
                return Err(failed(source));
            }
        }
        Ok(())
    }

    /// Its length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Makes sure that all lines are there after a loss of power.
    pub(super) fn sync(&self) -> Result<(), RunError> {
        self.disk.sync(&self.file).map_err(|source| RunError::Write { path: self.path.clone(), source })
    }

    /// Cuts it to a length that it had.
    pub(super) fn cut(&mut self, length: u64) -> Result<(), RunError> {
        let failed = |source| RunError::Write { path: self.path.clone(), source };
        self.disk.cut(&self.file, length).map_err(failed)?;
        self.length = length;
        Ok(())
    }
}
