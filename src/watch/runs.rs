//! All runs below a directory, and what is shown of several.
//!
//! Files are looked at once a second at most. Reading ends for this time after [`READING`]: what is left is read the next time.

use super::door::{MOST_TOGETHER, Subject};
use super::known::{FRESH, Known, Made, Revision};
use super::list::{self, Entry, Group};
use super::place::{self, Signature};
use super::row::{Row, State};
use super::suite;
use crate::export::markup::address;
use crate::report::page::RunShown;
use crate::report::page::document::{Block, Document};
use crate::run::suite::Cell;
use crate::run::trace::Trace;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

/// How long is read before an answer is given.
const READING: Duration = Duration::from_millis(500);
/// The most runs whose logs are kept in memory: those of a page of several, and others beside.
const TRACES: usize = MOST_TOGETHER + 32;
/// The most documents that are kept, of single runs and of several.
const DOCUMENTS: usize = 8;

/// Runs by name, each with what its files were like when they were looked at; nothing where they may not be read.
type Looks = Vec<(String, Option<Signature>)>;

/// All runs below a directory.
pub(super) struct Runs {
    root: PathBuf,
    name: String,
    known: BTreeMap<String, Known>,
    /// The directories of suites, by name.
    suites: BTreeMap<String, PathBuf>,
    more: bool,
    /// When runs were looked for last.
    found: Option<Instant>,
    looked: Option<Instant>,
    list: Option<Revision>,
    /// Documents of runs side by side, by their pages, and those of suites by name.
    side_by_side: BTreeMap<Subject, Made<Looks>>,
    of_suites: BTreeMap<String, Made<suite::Look>>,
}

impl Runs {
    /// The runs below a directory, which is given without links in it; `name` is what it is told by.
    pub fn new(root: PathBuf, name: String) -> Self {
        Self {
            root,
            name,
            known: BTreeMap::new(),
            suites: BTreeMap::new(),
            more: false,
            found: None,
            looked: None,
            list: None,
            side_by_side: BTreeMap::new(),
            of_suites: BTreeMap::new(),
        }
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
        let groups = self.groups();
        let revision = Revision::of(list::document(&self.name, entries.collect(), &groups, self.more));
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

    /// The document of several runs side by side.
    ///
    /// # Errors
    /// The first name that no run has.
    pub fn several<'n>(&mut self, names: &'n [String]) -> Result<Revision, &'n str> {
        if names.iter().any(|name| !self.known.contains_key(name)) {
            self.find();
        }
        match names.iter().find(|name| !self.known.contains_key(*name)) {
            Some(missing) => Err(missing),
            None => {
                let (page, up) = (Subject::Several(names.to_vec()), way_up(&names.join(",")));
                Ok(self.compared(page, names, &up, |rows| list::counted(rows.iter().copied())))
            }
        }
    }

    /// The document of what a directory holds: that of a suite, or of runs side by side.
    pub fn directory(&mut self, name: &str) -> Option<Revision> {
        if self.found.is_none_or(|found| found.elapsed() > FRESH) {
            self.find();
        }
        let up = if name.is_empty() { String::new() } else { way_up(name) };
        if let Some(path) = self.suites.get(name).cloned() {
            return Some(self.suite(name, path, &up));
        }
        let mut names = self.within(name).map(|(name, _)| name.clone()).collect::<Vec<_>>();
        if !self.is_offered(name, names.len()) {
            return None;
        }
        // As one counts: the tenth seed behind the ninth.
        names.sort_by_key(|name| seed(name));
        let all = names.len();
        names.truncate(MOST_TOGETHER);
        let own = if name.is_empty() { &self.name } else { name }.to_owned();
        Some(self.compared(Subject::Directory(name.to_owned()), &names, &up, |rows| {
            let first =
                if all > rows.len() { format!("the first {} of {all} runs", rows.len()) } else { String::new() };
            let parts = [own, first, list::counted(rows.iter().copied())];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
        }))
    }

    /// Runs that lie right in a directory.
    fn within<'r>(&'r self, directory: &'r str) -> impl Iterator<Item = (&'r String, &'r Known)> {
        self.known.iter().filter(move |(name, _)| parent(name) == directory)
    }

    /// Whether the runs right in a directory are shown together: of that which all lie below only the runs of several seeds.
    fn is_offered(&self, directory: &str, runs: usize) -> bool {
        let is_of_suite = |suite: &String| suite == directory || is_within(directory, suite);
        runs > 1
            && !self.suites.keys().any(is_of_suite)
            && (!directory.is_empty() || self.within(directory).all(|(name, _)| seed(name).is_some()))
    }

    /// The directories that hold several runs.
    fn groups(&self) -> Vec<Group<'_>> {
        let suites = self.suites.keys().map(|suite| {
            let rows = self.known.iter().filter(|(name, _)| is_within(name, suite)).map(|(_, known)| &known.row);
            Group { name: suite, is_suite: true, rows: rows.collect() }
        });
        let mut by_parent: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for (name, known) in &self.known {
            by_parent.entry(parent(name)).or_default().push(&known.row);
        }
        let others = by_parent
            .into_iter()
            .filter(|(name, rows)| self.is_offered(name, rows.len()))
            .map(|(name, rows)| Group { name, is_suite: false, rows });
        suites.chain(others).collect()
    }

    /// Runs side by side on a page, all of which are known. `up` leads from it to the list's, `subtitle` says how they stand.
    fn compared(
        &mut self,
        page: Subject,
        names: &[String],
        up: &str,
        subtitle: impl FnOnce(&[&Row]) -> String,
    ) -> Revision {
        if let Some(made) = self.side_by_side.get(&page).filter(|made| made.is_fresh()) {
            return made.revision.clone();
        }
        let begun = Instant::now();
        let (mut of, mut late) = (Looks::new(), 0);
        for name in names {
            let Some(known) = self.known.get_mut(name) else { continue };
            known.used = Instant::now();
            // One at least is read each time.
            if !of.is_empty() && begun.elapsed() > READING {
                late += usize::from(known.trace.is_none());
                of.push((name.clone(), None));
                continue;
            }
            let now = known.look();
            of.push((name.clone(), now));
        }
        if let Some(made) = self.side_by_side.get_mut(&page)
            && late == 0
            && made.of == of
        {
            (made.at, made.took) = (Instant::now(), Duration::ZERO);
            return made.revision.clone();
        }
        let mut unreadable = Vec::new();
        for (name, now) in &of {
            let Some(known) = self.known.get_mut(name) else { continue };
            match (now, begun.elapsed() > 2 * READING && known.trace.is_none()) {
                (Some(_), true) => late += 1,
                (Some(_), false) if known.trace(true).is_some() => {}
                (None, _) if known.row.state != State::Unreadable => {}
                _ => unreadable.push((name.as_str(), known.row.words.clone())),
            }
        }
        // What is to be read the first time is not read again: it is no reason to make a document the later.
        let making = Instant::now();
        let there: Vec<(&String, &Known)> = names.iter().filter_map(|name| self.known.get_key_value(name)).collect();
        let (traces, links): (Vec<&Trace>, Vec<String>) = there
            .iter()
            .filter_map(|(name, known)| Some((known.trace.as_ref()?, format!("{up}run/{}", address(name)))))
            .unzip();
        let mut document = Document::side_by_side(&traces, links);
        document.subtitle = subtitle(&there.iter().map(|(_, known)| &known.row).collect::<Vec<_>>());
        let warnings = unreadable
            .iter()
            .map(|(name, problem)| Block::Warning { text: format!("{name} cannot be read: {problem}") });
        let reads =
            (late > 0).then(|| Block::Words { text: format!("Still being read: {late} of {} runs.", names.len()) });
        if let Some(first) = document.sections.first_mut() {
            first.blocks.splice(0..0, warnings.chain(reads));
        }
        let revision = Revision::of(document);
        match late {
            0 => {
                let made = Made { revision: revision.clone(), of, at: Instant::now(), took: making.elapsed() };
                self.side_by_side.insert(page, made);
            }
            // What is left is read the next time.
            _ => _ = self.side_by_side.remove(&page),
        }
        self.forget();
        revision
    }

    /// A suite. `up` leads from the page to the list's.
    fn suite(&mut self, name: &str, path: PathBuf, up: &str) -> Revision {
        if let Some(made) = self.of_suites.get(name).filter(|made| made.is_fresh()) {
            return made.revision.clone();
        }
        let begun = Instant::now();
        let own = if name.is_empty() { self.name.clone() } else { name.to_owned() };
        let of = match suite::look(&path) {
            Ok(of) => of,
            Err(problem) => return Revision::of(list::unreadable(&own, &problem)),
        };
        if let Some(made) = self.of_suites.get_mut(name)
            && made.of == of
        {
            (made.at, made.took) = (Instant::now(), begun.elapsed());
            return made.revision.clone();
        }
        let run = |cell: &Cell| {
            let own = format!("{}/{}/seed-{}", cell.space, cell.strategy, cell.seed);
            if name.is_empty() { own } else { format!("{name}/{own}") }
        };
        for cell in of.cells() {
            if begun.elapsed() > READING {
                break;
            }
            if let Some(known) = self.known.get_mut(&run(cell)) {
                known.look();
            }
        }
        self.forget();
        let shown = |cell: &Cell| {
            let name = run(cell);
            let Some(known) = self.known.get(&name) else { return RunShown::default() };
            let state = [State::Running, State::Stopped].contains(&known.row.state);
            let words = || [known.row.state.word(), &known.row.words].join(": ");
            RunShown { link: format!("{up}run/{}", address(&name)), state: state.then(words) }
        };
        let document = match suite::document(&path, shown) {
            Ok(document) => document,
            Err(problem) => return Revision::of(list::unreadable(&own, &problem)),
        };
        let revision = Revision::of(Document { subtitle: format!("{own} · {}", document.subtitle), ..document });
        let made = Made { revision: revision.clone(), of, at: Instant::now(), took: begun.elapsed() };
        self.of_suites.insert(name.to_owned(), made);
        self.forget();
        revision
    }

    /// Looks for runs.
    fn find(&mut self) {
        let place::Found { runs, suites, more } = place::find(&self.root);
        self.known.retain(|name, _| runs.contains_key(name));
        for (name, path) in runs {
            self.known.entry(name).or_insert_with(|| Known::new(path));
        }
        (self.suites, self.more, self.found) = (suites, more, Some(Instant::now()));
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
        few(&mut self.side_by_side);
        few(&mut self.of_suites);
    }
}

/// Keeps the newest documents.
fn few<N: Ord + Clone, L>(made: &mut BTreeMap<N, Made<L>>) {
    while made.len() > DOCUMENTS {
        let oldest = made.iter().min_by_key(|(_, made)| made.at).map(|(name, _)| name.clone());
        oldest.map(|name| made.remove(&name));
    }
}

/// The name of the directory that a run lies in; nothing for the one that all lie below.
fn parent(run: &str) -> &str {
    run.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The seed that a run's directory is called by, if it is.
fn seed(run: &str) -> Option<u64> {
    run.rsplit('/').next()?.strip_prefix("seed-")?.parse().ok()
}

/// Whether something lies below a directory, by the names of both.
fn is_within(name: &str, directory: &str) -> bool {
    directory.is_empty() || name.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

/// The way from the page of these names to the list's.
fn way_up(names: &str) -> String {
    "../".repeat(1 + names.matches('/').count())
}
