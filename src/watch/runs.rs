//! What was read of all runs, and what is shown of them.
//!
//! Files are looked at once a second at most, and read where they are not as they were; of logs only what has come. Reading ends for this time after
//! [`READING`]: what is left is read the next time. A document that took long to make is made again the later.

use super::list::{self, Entry};
use super::place::{self, Signature};
use super::progress::Pace;
use super::row::{Row, State};
use crate::report::page::Document;
use crate::run::trace::Trace;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How long what was looked at counts as it was.
const FRESH: Duration = Duration::from_secs(1);
/// How long is read before the list is answered.
const READING: Duration = Duration::from_millis(500);
/// The most runs whose logs are kept in memory.
const TRACES: usize = 32;
/// The most documents that are kept.
const DOCUMENTS: usize = 8;
/// A document is as old as this many times what it took to make it before it is made again: a page takes a hundredth of a core.
const REST: u32 = 100;

/// A document, and what tells it from another.
#[derive(Clone, Debug)]
pub(super) struct Revision {
    pub document: Arc<Document>,
    /// The same as JSON.
    pub json: Arc<[u8]>,
    /// Of hexadecimal digits.
    pub tag: String,
}

/// A run.
struct Known {
    path: PathBuf,
    /// What its files were like when they were read, or could not be.
    read: Option<Signature>,
    row: Row,
    trace: Option<Trace>,
    pace: Pace,
    /// The document of its page.
    made: Option<Made>,
    /// When its files were looked at last.
    looked: Option<Instant>,
    /// When it was asked for, or read, last.
    used: Instant,
}

struct Made {
    revision: Revision,
    of: Signature,
    at: Instant,
    took: Duration,
}

/// All runs below a directory.
pub(super) struct Runs {
    root: PathBuf,
    name: String,
    known: BTreeMap<String, Known>,
    more: bool,
    looked: Option<Instant>,
    list: Option<Revision>,
}

impl Runs {
    /// The runs below a directory, which is given without links in it; `name` is what it is told by.
    pub fn new(root: PathBuf, name: String) -> Self {
        Self { root, name, known: BTreeMap::new(), more: false, looked: None, list: None }
    }

    /// The list of all.
    pub fn list(&mut self) -> Revision {
        let is_fresh = self.looked.is_some_and(|looked| looked.elapsed() < FRESH);
        if let (true, Some(list)) = (is_fresh, &self.list) {
            return list.clone();
        }
        self.find();
        let begun = Instant::now();
        // What was not looked at for longest comes first, so that everything has its turn.
        let mut names: Vec<(Option<Instant>, String)> =
            self.known.iter().map(|(name, known)| (known.looked, name.clone())).collect();
        names.sort();
        for (_, name) in names {
            if begun.elapsed() > READING {
                break;
            }
            if let Some(known) = self.known.get_mut(&name) {
                known.look();
            }
            self.forget();
        }
        let now = SystemTime::now();
        let entries = self.known.iter().map(|(name, known)| Entry { name, row: &known.row, left: known.left(now) });
        let revision = Revision::of(list::document(&self.name, entries.collect(), self.more));
        (self.looked, self.list) = (Some(Instant::now()), Some(revision.clone()));
        revision
    }

    /// The document of a run's page, if there is a run of this name.
    pub fn page(&mut self, name: &str) -> Option<Revision> {
        if !self.known.contains_key(name) {
            self.find();
        }
        let revision = self.known.get_mut(name)?.page();
        self.forget();
        Some(revision)
    }

    /// Looks for runs.
    fn find(&mut self) {
        let (found, more) = place::find(&self.root);
        self.known.retain(|name, _| found.contains_key(name));
        for (name, path) in found {
            self.known.entry(name).or_insert_with(|| Known::new(path));
        }
        self.more = more;
    }

    /// Forgets what was not used for longest.
    fn forget(&mut self) {
        fn oldest<'k>(known: impl Iterator<Item = &'k mut Known>, most: usize, drop: impl Fn(&mut Known)) {
            let mut kept: Vec<&mut Known> = known.collect();
            let extra = kept.len().saturating_sub(most);
            kept.sort_by_key(|known| known.used);
            kept.into_iter().take(extra).for_each(drop);
        }
        oldest(self.known.values_mut().filter(|known| known.trace.is_some()), TRACES, |known| known.trace = None);
        oldest(self.known.values_mut().filter(|known| known.made.is_some()), DOCUMENTS, |known| known.made = None);
    }
}

impl Known {
    fn new(path: PathBuf) -> Self {
        let row = Row::bare(State::Unread, String::new());
        Self {
            path,
            read: None,
            row,
            trace: None,
            pace: Pace::default(),
            made: None,
            looked: None,
            used: Instant::now(),
        }
    }

    /// Looks at the files, and reads what has come.
    fn look(&mut self) -> Option<Signature> {
        self.looked = Some(Instant::now());
        match Signature::of(&self.path) {
            Err(problem) => self.unreadable(problem),
            Ok(now) => {
                if self.read.as_ref() != Some(&now) {
                    self.read(now.clone());
                }
                return Some(now);
            }
        }
        None
    }

    /// Reads what has come.
    fn read(&mut self, now: Signature) {
        self.used = Instant::now();
        if self.read.as_ref().is_none_or(|before| !before.same_config(&now)) {
            self.trace = None;
        }
        let read = match self.trace.take() {
            Some(mut trace) => trace.follow().map(|_| trace),
            None => Trace::read(&self.path),
        };
        match read {
            Ok(trace) => {
                self.row = Row::of(&trace, now.begun(), now.in_use);
                if let Some(progress) = &self.row.progress {
                    self.pace.see(progress, now.logged().or(now.begun()).unwrap_or_else(SystemTime::now));
                }
                // Of one that is over a row is enough, unless somebody asks.
                self.trace = (self.row.state != State::Finished).then_some(trace);
            }
            Err(error) => {
                let path = format!("{}{}", self.path.display(), std::path::MAIN_SEPARATOR);
                self.unreadable(error.to_string().replace(&path, ""));
            }
        }
        self.read = Some(now);
    }

    fn unreadable(&mut self, problem: String) {
        (self.trace, self.read) = (None, None);
        self.row = Row::bare(State::Unreadable, problem);
    }

    /// Seconds left of a run that goes on.
    fn left(&self, now: SystemTime) -> Option<f64> {
        self.pace.left(self.row.progress.as_ref().filter(|_| self.row.state == State::Running)?, now)
    }

    /// The document of its page. Where it cannot be read there is one that says so.
    fn page(&mut self) -> Revision {
        self.used = Instant::now();
        if let Some(made) = &self.made
            && made.at.elapsed() < (made.took * REST).max(FRESH)
        {
            return made.revision.clone();
        }
        let now = self.look();
        if let (Some(made), Some(now)) = (&mut self.made, &now)
            && made.of == *now
        {
            (made.at, made.took) = (Instant::now(), Duration::ZERO);
            return made.revision.clone();
        }
        let begun = Instant::now();
        let read = match (self.trace.take(), &now) {
            (Some(trace), _) => Some(trace),
            (None, Some(_)) if self.row.state != State::Unreadable => Trace::read(&self.path).ok(),
            _ => None,
        };
        let Some(trace) = read else {
            let name = self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            return Revision::of(list::unreadable(&name, &self.row.words));
        };
        let mut document = Document::of(std::slice::from_ref(&trace));
        self.trace = Some(trace);
        document.subtitle = self.subtitle();
        let revision = Revision::of(document);
        if let Some(of) = now {
            self.made = Some(Made { revision: revision.clone(), of, at: Instant::now(), took: begun.elapsed() });
        }
        revision
    }

    fn subtitle(&self) -> String {
        let name = self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut parts = vec![name, self.row.state.word().to_owned()];
        parts.extend(Some(self.row.words.clone()).filter(|words| !words.is_empty()));
        parts.join(" · ")
    }
}

impl Revision {
    fn of(document: Document) -> Self {
        // Strings, numbers and lists cannot fail to be written.
        let json = serde_json::to_vec(&document).unwrap_or_default();
        let tag = blake3::hash(&json).to_hex()[..32].to_owned();
        Self { document: Arc::new(document), json: json.into(), tag }
    }
}
