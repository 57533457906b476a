//! What was read of one run, and what is shown of it.
//!
//! Files are read where they are not as they were, of logs only what has come. A document that took long to make is made again the later.

use super::list;
use super::place::Signature;
use super::progress::Pace;
use super::row::{Row, State};
use crate::report::page::Document;
use crate::run::trace::Trace;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How long what was looked at counts as it was.
pub(super) const FRESH: Duration = Duration::from_secs(1);
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

/// A document that is kept, and what files were like when it was made.
pub(super) struct Made<L> {
    pub revision: Revision,
    pub of: L,
    pub at: Instant,
    pub took: Duration,
}

impl<L> Made<L> {
    /// Whether it need not be asked whether there is anything new.
    pub fn is_fresh(&self) -> bool {
        self.at.elapsed() < (self.took * REST).max(FRESH)
    }
}

/// A run.
pub(super) struct Known {
    path: PathBuf,
    /// What its files were like when they were read, or could not be.
    read: Option<Signature>,
    pub row: Row,
    pub trace: Option<Trace>,
    pace: Pace,
    /// The document of its page.
    pub made: Option<Made<Signature>>,
    /// When its files were looked at last.
    pub looked: Option<Instant>,
    /// When it was asked for, or read, last.
    pub used: Instant,
}

impl Known {
    pub fn new(path: PathBuf) -> Self {
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
    pub fn look(&mut self) -> Option<Signature> {
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
    pub fn left(&self, now: SystemTime) -> Option<f64> {
        self.pace.left(self.row.progress.as_ref().filter(|_| self.row.state == State::Running)?, now)
    }

    /// The document of its page. Where it cannot be read there is one that says so.
    pub fn page(&mut self) -> Revision {
        self.used = Instant::now();
        if let Some(made) = self.made.as_ref().filter(|made| made.is_fresh()) {
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
        let subtitle = self.subtitle();
        let Some(trace) = self.trace(now.is_some()) else {
            let name = self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            return Revision::of(list::unreadable(&name, &self.row.words));
        };
        let mut document = Document::of(std::slice::from_ref(trace));
        document.subtitle = subtitle;
        let revision = Revision::of(document);
        if let Some(of) = now {
            self.made = Some(Made { revision: revision.clone(), of, at: Instant::now(), took: begun.elapsed() });
        }
        revision
    }

    /// What its files tell, read again where it was forgotten; not where they may not be read.
    pub fn trace(&mut self, may: bool) -> Option<&Trace> {
        if self.trace.is_none() && may && self.row.state != State::Unreadable {
            self.trace = Trace::read(&self.path).ok();
        }
        self.trace.as_ref().filter(|_| may)
    }

    fn subtitle(&self) -> String {
        let name = self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut parts = vec![name, self.row.state.word().to_owned()];
        parts.extend(Some(self.row.words.clone()).filter(|words| !words.is_empty()));
        parts.join(" · ")
    }
}

impl Revision {
    pub fn of(document: Document) -> Self {
        // Strings, numbers and lists cannot fail to be written.
        let json = serde_json::to_vec(&document).unwrap_or_default();
        let tag = blake3::hash(&json).to_hex()[..32].to_owned();
        Self { document: Arc::new(document), json: json.into(), tag }
    }
}
