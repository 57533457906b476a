//! Where runs lie below a directory, and whether their files may be read.
//!
//! Links are not followed, neither to directories nor to files: what is read lies below the directory. Pipes and devices are not opened.

use crate::run::suite::PLAN;
use crate::run::{CONFIG, Directory};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How deep runs may lie: suites keep theirs two deep.
const DEPTH: usize = 5;
/// The most directories that are looked into.
const MOST_DIRECTORIES: usize = 20_000;
/// The most runs that are shown.
pub(super) const MOST_RUNS: usize = 2_000;
/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 30;
/// What a run's files are called that pages tell of, but for its configuration.
const FILES: [&str; 7] =
    ["metrics.jsonl", "trials.jsonl", "timing.jsonl", "summary.json", "classes.csv", "confusion.csv", "failed.json"];

/// What lies below a directory, by its path from there with `/` between its parts.
///
/// A name that is no Unicode is told with U+FFFD; of two that are then the same, one is left out.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The directories of runs.
    pub runs: BTreeMap<String, PathBuf>,
    /// Those of suites; the directory itself has no name.
    pub suites: BTreeMap<String, PathBuf>,
    /// Whether there are more.
    pub more: bool,
}

/// What lies below `root`.
pub(super) fn find(root: &Path) -> Found {
    let Found { mut runs, mut suites, .. } = Found::default();
    let own_name = || root.file_name().map_or("run".into(), |name| name.to_string_lossy().into_owned());
    if is_run(root) {
        return Found { runs: BTreeMap::from([(own_name(), root.to_owned())]), ..Found::default() };
    }
    let (mut left, mut seen) = (vec![(String::new(), root.to_owned(), 0)], 0);
    while let Some((name, path, depth)) = left.pop() {
        if path.join(PLAN).symlink_metadata().is_ok() {
            suites.insert(name.clone(), path.clone());
        }
        // What cannot be read, or is gone meanwhile, has no runs.
        for entry in fs::read_dir(&path).into_iter().flatten().flatten() {
            // Says of a link that it is one.
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let own = entry.file_name().to_string_lossy().into_owned();
            if !is_directory || own.starts_with('.') {
                continue;
            }
            seen += 1;
            if seen > MOST_DIRECTORIES || runs.len() == MOST_RUNS {
                return Found { runs, suites, more: true };
            }
            let name = if name.is_empty() { own } else { format!("{name}/{own}") };
            if is_run(&entry.path()) {
                runs.insert(name, entry.path());
            } else if depth + 1 < DEPTH {
                left.push((name, entry.path(), depth + 1));
            }
        }
    }
    Found { runs, suites, more: false }
}

fn is_run(path: &Path) -> bool {
    path.join(CONFIG).symlink_metadata().is_ok()
}

/// What a file was like when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    length: u64,
    written: Option<SystemTime>,
}

/// What the files of a run were like when they were looked at: where that is the same, there is nothing new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    config: Option<Facts>,
    files: Vec<Option<Facts>>,
    /// Whether a process works in the directory.
    pub in_use: bool,
}

impl Signature {
    /// Looks at the files of a run.
    ///
    /// # Errors
    /// Why they are not read, in words.
    pub fn of(path: &Path) -> Result<Self, String> {
        // A directory above it may have become a link since it was found.
        let real = fs::canonicalize(path).map_err(|error| format!("cannot be read: {error}"))?;
        if real != path {
            return Err("is a link: links are not followed".to_owned());
        }
        let config = facts(path, CONFIG)?;
        let files = FILES.iter().map(|name| facts(path, name)).collect::<Result<_, _>>()?;
        Ok(Self { config, files, in_use: Directory::is_in_use(path) })
    }

    /// Whether the configuration is the same.
    pub fn same_config(&self, other: &Self) -> bool {
        self.config == other.config
    }

    /// When the run was begun: its configuration keeps its date.
    pub fn begun(&self) -> Option<SystemTime> {
        self.config?.written
    }

    /// When a log was written last.
    pub fn logged(&self) -> Option<SystemTime> {
        self.files[..2].iter().flatten().filter_map(|facts| facts.written).max()
    }
}

/// What a file of a directory is like, if it is there.
///
/// # Errors
/// Why it is not read, in words.
pub(super) fn facts(path: &Path, name: &str) -> Result<Option<Facts>, String> {
    match path.join(name).symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{name} cannot be read: {error}")),
        Ok(facts) if !facts.is_file() => Err(format!("{name} is no plain file: links are not followed")),
        Ok(facts) if facts.len() > LONGEST => Err(format!("{name} is larger than {LONGEST} bytes")),
        Ok(facts) => Ok(Some(Facts { length: facts.len(), written: facts.modified().ok() })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(path: &Path) {
        fs::create_dir_all(path).unwrap();
        fs::write(path.join(CONFIG), "seed = 1\n").unwrap();
    }

    #[test]
    fn runs_are_found_at_any_depth_and_none_within_another() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap();
        for name in ["b", "a/seed-1", "suite/runs/darts/seed-0", "a/seed-1/within", ".hidden", "1/2/3/4/5/too-deep"] {
            run(&root.join(name));
        }
        fs::write(root.join("suite/suite.toml"), "").unwrap();
        let Found { runs, suites, more } = find(&root);
        assert_eq!(suites.into_iter().collect::<Vec<_>>(), [("suite".to_owned(), root.join("suite"))]);
        assert_eq!(runs.keys().collect::<Vec<_>>(), ["a/seed-1", "b", "suite/runs/darts/seed-0"]);
        assert!(!more);
        let alone = find(&root.join("b"));
        assert_eq!(alone.runs.into_iter().collect::<Vec<_>>(), [("b".to_owned(), root.join("b"))]);
        assert!(find(&root.join("nowhere")).runs.is_empty());
    }

    #[test]
    fn a_run_goes_on_while_its_lock_is_held_and_who_asks_keeps_nobody_away() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().canonicalize().unwrap();
        run(&path);
        assert!(!Signature::of(&path).unwrap().in_use, "there is no lock");
        let held = Directory::open(&path).unwrap();
        assert!(Signature::of(&path).unwrap().in_use);
        assert!(Directory::open(&path).is_err(), "held in earnest");
        drop(held);
        assert!(!Signature::of(&path).unwrap().in_use);
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    Directory::is_in_use(&path);
                    std::thread::sleep(std::time::Duration::from_micros(200));
                }
            });
            let opened: Vec<bool> = (0..200).map(|_| Directory::open(&path).is_ok()).collect();
            over.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(opened.iter().all(|opened| *opened), "{opened:?}");
        });
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        use std::os::unix::fs::symlink;
        let place = tempfile::tempdir().unwrap();
        let place = place.path().canonicalize().unwrap();
        let root = place.join("runs");
        run(&place.join("outside"));
        run(&root.join("inside"));
        symlink(place.join("outside"), root.join("link")).unwrap();
        symlink(root.join("inside"), root.join("another")).unwrap();
        assert_eq!(find(&root).runs.keys().collect::<Vec<_>>(), ["inside"]);
        assert!(Signature::of(&root.join("link")).unwrap_err().contains("is a link"));

        let before = Signature::of(&root.join("inside")).unwrap();
        symlink(place.join("outside").join(CONFIG), root.join("inside/metrics.jsonl")).unwrap();
        let problem = Signature::of(&root.join("inside")).unwrap_err();
        assert!(problem.contains("metrics.jsonl is no plain file"), "{problem}");
        fs::remove_file(root.join("inside/metrics.jsonl")).unwrap();
        assert_eq!(Signature::of(&root.join("inside")).unwrap(), before);
        fs::write(root.join("inside/metrics.jsonl"), "{}\n").unwrap();
        assert_ne!(Signature::of(&root.join("inside")).unwrap(), before);
    }
}
