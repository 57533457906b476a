//! What the directory of a search says of it, for reports that look at several.

use super::complete::read_json;
use super::directory::{CONFIG, SUMMARY, TIMING};
use super::error::RunError;
use super::owners::Purpose;
use super::seeds::{path_of, seeds_in};
use super::summary::{RandomSummary, Summary};
use serde::Deserialize;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use toml::Table;

/// What a run has come to.
#[derive(Clone, Debug, PartialEq)]
pub enum CameTo {
    /// It has not come to its end.
    Nothing,
    /// It is a search.
    Search(Box<Summary>),
    /// It trained random architectures for a suite.
    Random(Box<RandomSummary>),
}

/// What the directory of a run says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The directory.
    pub path: PathBuf,
    /// `config.toml`.
    pub config: Table,
    /// `summary.json`.
    pub came_to: CameTo,
    /// Epochs of search in `metrics.jsonl`.
    pub search_epochs: usize,
    /// Architectures ranked in `metrics.jsonl`.
    pub ranked: usize,
    /// Trials that have ended in `trials.jsonl`.
    pub trials: usize,
    /// Whether `timing.jsonl` says when each phase began.
    pub is_timed: bool,
}

/// The one key of a line of a log that tells what it is of.
#[derive(Deserialize)]
struct Line {
    kind: Option<String>,
    state: Option<String>,
}

impl Record {
    /// Reads the directories of runs; of a directory that holds a run for each of several seeds, all of these.
    ///
    /// # Errors
    /// [`RunError::NoRun`] where there is none; [`RunError::History`] naming the file and what is wrong with it, and for the run
    /// of one training.
    pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Self>, RunError> {
        runs_of(paths)?.iter().map(|run| Self::read(run)).collect()
    }

    fn read(path: &Path) -> Result<Self, RunError> {
        let wrong = |name: &str, problem: String| RunError::History { path: path.join(name), problem };
        let text = fs::read_to_string(path.join(CONFIG)).map_err(|error| wrong(CONFIG, error.to_string()))?;
        let config: Table = text.parse().map_err(|error| wrong(CONFIG, format!("{error}")))?;
        let came_to = match (path.join(SUMMARY).is_file(), Purpose::of(&config)) {
            (_, Purpose::Training) => {
                return Err(wrong(CONFIG, "is that of one training: the checklist is of searches".to_owned()));
            }
            (false, _) => CameTo::Nothing,
            (true, Purpose::Search) => CameTo::Search(read_json(&path.join(SUMMARY))?),
            (true, Purpose::Random) => CameTo::Random(read_json(&path.join(SUMMARY))?),
        };
        let mut record = Self {
            path: path.to_owned(),
            config,
            came_to,
            search_epochs: 0,
            ranked: 0,
            trials: 0,
            is_timed: path.join(TIMING).metadata().is_ok_and(|facts| facts.len() > 0),
        };
        each_line(&path.join("metrics.jsonl"), |line| match line.kind.as_deref() {
            Some("search epoch" | "controller epoch") => record.search_epochs += 1,
            Some("ranked") => record.ranked += 1,
            _ => {}
        })?;
        each_line(&path.join("trials.jsonl"), |line| {
            record.trials += usize::from(matches!(line.state.as_deref(), Some("finished" | "failed")));
        })?;
        Ok(record)
    }
}

/// The directories of runs that paths name, each once; of a directory that holds a run for each of several seeds, all of these.
///
/// # Errors
/// [`RunError::NoRun`] where there is none.
pub fn runs_of(paths: &[PathBuf]) -> Result<Vec<PathBuf>, RunError> {
    let mut all: Vec<PathBuf> = Vec::new();
    for path in paths {
        let runs = match path.join(CONFIG).is_file() {
            true => vec![path.clone()],
            false => {
                let places = seeds_in(path).into_iter().map(|seed| path_of(path, seed));
                places.filter(|place| place.join(CONFIG).is_file()).collect()
            }
        };
        if runs.is_empty() {
            return Err(RunError::NoRun { path: path.clone() });
        }
        for run in runs {
            // Named twice, it is not two runs.
            if !all.contains(&run) {
                all.push(run);
            }
        }
    }
    Ok(all)
}

/// Reads a log line by line, if it is there.
fn each_line(path: &Path, mut take: impl FnMut(Line)) -> Result<(), RunError> {
    let wrong = |problem: String| RunError::History { path: path.to_owned(), problem };
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(|error| wrong(error.to_string()))?,
    };
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| wrong(error.to_string()))?;
        take(serde_json::from_str(&line).map_err(|error| wrong(format!("line {}: {error}", number + 1)))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_of_seeds_are_read_once_each_and_what_is_wrong_is_named() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let read = |names: &[&str]| {
            let paths: Vec<PathBuf> = names.iter().map(|name| place.path().join(name)).collect();
            Record::read_all(&paths).map_err(|error| error.to_string())
        };
        write("seed-1/config.toml", "seed = 1\n[search]\nstrategy = \"tpe\"\n");
        write(
            "seed-1/metrics.jsonl",
            "{\"kind\":\"search step\"}\n{\"kind\":\"search epoch\"}\n{\"kind\":\"ranked\"}\n",
        );
        write("seed-1/trials.jsonl", "{\"state\":\"began\"}\n{\"state\":\"finished\"}\n{\"state\":\"failed\"}\n");
        write("seed-0/config.toml", "seed = 0\n[search]\nstrategy = \"tpe\"\n");
        let all = read(&["", "seed-1"]).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].config["seed"].as_integer(), &all[0].came_to), (Some(0), &CameTo::Nothing));
        assert_eq!((all[1].search_epochs, all[1].ranked, all[1].trials, all[1].is_timed), (1, 1, 2, false));
        assert!(read(&["none"]).unwrap_err().contains("holds no run"));
        write("seed-1/trials.jsonl", "{\"state\":\"began\"}\nnonsense\n");
        assert!(read(&["seed-1"]).unwrap_err().contains("trials.jsonl: line 2"));
        write("seed-0/summary.json", "{}");
        assert!(read(&["seed-0"]).unwrap_err().contains("summary.json: missing field"));
        write("one/config.toml", "architecture = \"DARTS_V2\"\n");
        assert!(read(&["one"]).unwrap_err().contains("one training"));
    }
}
