//! A log that grows, read line by line from where it was left.

use crate::run::error::RunError;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The longest line that is read, in bytes: α of a large supernet, many times over.
const LONGEST: u64 = 64 << 20;

/// Where the reading of a log stands.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// Bytes that were read.
    read: u64,
    /// Lines in them.
    lines: usize,
}

impl Log {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), read: 0, lines: 0 }
    }

    /// Reads the whole lines that have come, if the log is there; whether any have. What was told of a log that has become shorter is
    /// cleared first.
    pub fn follow<T>(
        &mut self,
        told: &mut T,
        clear: impl FnOnce(&mut T),
        take: impl Fn(&mut T, &str) -> Result<(), serde_json::Error>,
    ) -> Result<bool, RunError> {
        let wrong = |problem: String| RunError::History { path: self.path.clone(), problem };
        let failed = |error: std::io::Error| wrong(error.to_string());
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(failed)?,
        };
        let length = file.metadata().map_err(failed)?.len();
        let mut grown = false;
        if length < self.read {
            clear(told);
            (self.read, self.lines, grown) = (0, 0, true);
        }
        file.seek(SeekFrom::Start(self.read)).map_err(failed)?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut limited = std::io::Read::take(&mut reader, LONGEST);
            let bytes = limited.read_until(b'\n', &mut line).map_err(failed)?;
            let number = self.lines + 1;
            if line.last() != Some(&b'\n') {
                return match bytes as u64 {
                    LONGEST => Err(wrong(format!("line {number} is longer than {LONGEST} bytes"))),
                    _ => Ok(grown),
                };
            }
            let text = std::str::from_utf8(&line).map_err(|error| wrong(format!("line {number}: {error}")))?;
            take(told, text).map_err(|error| wrong(format!("line {number}: {error}")))?;
            (self.read, self.lines, grown) = (self.read + bytes as u64, number, true);
        }
    }
}
