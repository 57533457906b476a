//! Finds the files of a benchmark's table.

use super::config::{BenchmarkConfig, Config};
use super::error::RunError;
use crate::estimate::{Lookup, Table, TableError};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

/// Names of the files, plain or with `.gz` behind.
const ACCURACY: &str = "nb201_accuracy.csv";
const LATENCY: &str = "nb201_latency_ms.csv";
/// Bytes that a file may have.
const MOST_BYTES: u64 = 64 << 20;

/// Reads the table of NAS-Bench-201 from a directory: `nb201_accuracy.csv` and, if it is there, `nb201_latency_ms.csv`, either also with
/// `.gz` behind.
///
/// # Errors
/// [`RunError::Table`] naming the file and what is wrong with it.
pub fn read_table(directory: &Path) -> Result<Table, RunError> {
    let accuracy = find(directory, ACCURACY)?.ok_or_else(|| TableError {
        file: directory.display().to_string(),
        problem: format!(
            "there is no {ACCURACY} and no {ACCURACY}.gz: name the directory that holds the benchmark's files"
        ),
    })?;
    let latency = find(directory, LATENCY)?;
    let borrowed = latency.as_ref().map(|(name, bytes)| (name.as_str(), &bytes[..]));
    Ok(Table::read((&accuracy.0, &accuracy.1), borrowed)?)
}

/// What looks up what a search finds, if its configuration asks for that.
///
/// # Errors
/// [`RunError::Table`]; a dataset that the table does not have.
pub(super) fn lookup(config: &Config) -> Result<Option<Lookup>, RunError> {
    let Some(BenchmarkConfig { dir, dataset }) = &config.benchmark else { return Ok(None) };
    Ok(Some(Lookup::new(Arc::new(read_table(dir)?), dataset)?))
}

/// Name and bytes of a file, if it is there.
fn find(directory: &Path, name: &str) -> Result<Option<(String, Vec<u8>)>, TableError> {
    for name in [name.to_owned(), format!("{name}.gz")] {
        let path = directory.join(&name);
        let wrong = |problem: String| TableError { file: path.display().to_string(), problem };
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            other => other.map_err(|error| wrong(error.to_string()))?,
        };
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(wrong(format!("has more than {MOST_BYTES} bytes")));
        }
        return Ok(Some((path.display().to_string(), bytes)));
    }
    Ok(None)
}
