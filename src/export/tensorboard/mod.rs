//! A run as [TensorBoard](https://www.tensorflow.org/tensorboard) reads it, written while it goes on: scalars, histograms of the architecture
//! weights and pictures of them and of the cells, hyper-parameters with results.
//!
//! Each phase is a TensorBoard run of its own, a folder, because steps of a search, epochs of a training and numbers of trials are
//! different axes, and because of a phase alone it can be said from which step on it was done anew: where a run goes on, a new file
//! begins by saying so. Each event is written at once as a whole record.

mod about;
mod course;
mod heat;
pub mod proto;
pub mod records;

pub use about::{About, Cells};

use crate::run::Observer;
use course::{Course, Point, ended, numbers, parameter, session};
use jiff::Timestamp;
use proto::{Event, SessionLog, Summary, Value, What, status};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What the names of event files begin with, before the second at which they were begun.
const PREFIX: &str = "events.out.tfevents.";

/// Follows a run and writes event files.
#[derive(Debug)]
pub struct TensorBoard {
    folder: PathBuf,
    about: About,
    course: Course,
    runs: BTreeMap<String, Run>,
    /// Whether all that was found has been seen to.
    is_settled: bool,
    /// Why no more is written.
    problem: Option<String>,
    is_dead: bool,
}

/// One of TensorBoard's runs.
#[derive(Debug, Default)]
struct Run {
    file: Option<File>,
    /// What the logs said of it before the run went on.
    found: Vec<Event>,
    /// The step after the last that counts.
    next: i64,
}

impl TensorBoard {
    /// Writes below a folder, which is made when there is something to write.
    pub fn new(folder: impl Into<PathBuf>, about: About) -> Self {
        let (course, runs) = (Course::default(), BTreeMap::new());
        Self { folder: folder.into(), about, course, runs, is_settled: false, problem: None, is_dead: false }
    }

    /// Why no more is written, if that is so and was not asked before.
    pub fn problem(&mut self) -> Option<String> {
        self.problem.take()
    }

    /// The run has come to its end, and to this: the numbers of its summary are the results of its configuration.
    pub fn finish(&mut self, summary: &Json) {
        let mut values = numbers("result", summary, &["format", "seed"]);
        if self.about.config.is_some() {
            values.push(ended(status::SUCCESS, now()));
        }
        let mut points = self.course.last_cells(&self.about);
        points.push(Point::new("", 0, values));
        self.put(points);
    }

    fn put(&mut self, points: Vec<Point>) {
        if self.is_dead {
            return;
        }
        if let Err(error) = self.write(points) {
            self.problem = Some(format!("{}: {error}; no more is written for TensorBoard", self.folder.display()));
            self.is_dead = true;
        }
    }

    fn write(&mut self, points: Vec<Point>) -> io::Result<()> {
        if !self.is_settled {
            self.is_settled = true;
            self.settle()?;
        }
        for point in points.into_iter().filter(|point| !point.values.is_empty()) {
            let folder = self.folder.join(&point.run);
            let run = self.runs.entry(point.run.clone()).or_default();
            let (is_last, step) = (point.is_last, point.step);
            let file = match &mut run.file {
                Some(file) => file,
                None => run.file.insert(begin(&folder, run.next)?),
            };
            file.write_all(&records::record(&event(point)))?;
            run.next = step + 1;
            if is_last {
                run.file = None;
            }
        }
        Ok(())
    }

    /// Writes what was found of runs that have no files yet: those of a run that is followed only since it went on. And the
    /// session of the configuration.
    fn settle(&mut self) -> io::Result<()> {
        for (name, run) in &mut self.runs {
            let (folder, found) = (self.folder.join(name), std::mem::take(&mut run.found));
            if !found.is_empty() && last_file(&folder)?.is_none() {
                let file = run.file.insert(begin(&folder, 0)?);
                found.iter().try_for_each(|event| file.write_all(&records::record(event)))?;
            }
        }
        if let Some(config) = &self.about.config
            && !self.runs.contains_key("")
        {
            let mut hparams = BTreeMap::new();
            flatten("", config, &mut hparams);
            let mut file = begin(&self.folder, 0)?;
            file.write_all(&records::record(&event(Point::new("", 0, vec![session(hparams, now())]))))?;
            self.runs.insert(String::new(), Run { file: Some(file), ..Run::default() });
        }
        Ok(())
    }
}

impl Observer for TensorBoard {
    fn begin(&mut self, _: &str, _: u64) {}

    fn step(&mut self, _: u64, _: Option<&str>) {}

    fn end(&mut self) {}

    fn warn(&mut self, _: &str) {}

    fn starts(&mut self) {
        self.course = Course::default();
        self.runs.clear();
        self.is_settled = false;
    }

    fn found(&mut self, line: &Json) {
        for point in self.course.points(line, &self.about, now()) {
            let run = self.runs.entry(point.run.clone()).or_default();
            run.next = point.step + 1;
            run.found.push(event(point));
        }
        self.is_settled = false;
    }

    fn wrote(&mut self, line: &Json) {
        let points = self.course.points(line, &self.about, now());
        self.put(points);
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    Timestamp::now().as_millisecond() as f64 / 1e3
}

fn event(point: Point) -> Event {
    let values: Vec<Value> = point.values;
    Event { wall_time: now(), step: point.step, what: Some(What::Summary(Summary { value: values })) }
}

/// Settings by their whole names.
fn flatten(prefix: &str, config: &Json, into: &mut BTreeMap<String, proto::Parameter>) {
    match config {
        Json::Object(table) => {
            for (key, value) in table {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&name, value, into);
            }
        }
        value => drop(into.insert(prefix.to_owned(), parameter(value))),
    }
}

/// Begins a new file in a folder. Where there are others, they count up to a step.
fn begin(folder: &Path, from: i64) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    // Files are read in the order of their names, whatever a clock says.
    let before = last_file(folder)?;
    let [second, number] = before.unwrap_or_default();
    let second = second.max(Timestamp::now().as_second().unsigned_abs());
    let name = format!("{PREFIX}{second:010}.cellwright.{:06}", number + u64::from(before.is_some()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(folder.join(name))?;
    // The first file says that it begins, too: TensorBoard takes the first that says so for no restart, and drops nothing.
    let what = [(0, What::FileVersion("brain.Event:2".to_owned())), (from, What::SessionLog(SessionLog { status: 1 }))];
    let begun = what.map(|(step, what)| records::record(&Event { wall_time: now(), step, what: Some(what) }));
    file.write_all(&begun.concat())?;
    Ok(file)
}

/// Second and number of the last event file in a folder.
fn last_file(folder: &Path) -> io::Result<Option<[u64; 2]>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries?,
    };
    let mut last = None;
    for entry in entries {
        let name = entry?.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let part = |text: Option<&str>| text.and_then(|text| text.parse().ok()).unwrap_or(0);
        let found = [part(rest.split('.').next()), part(rest.rsplit('.').next())];
        last = last.max(Some(found));
    }
    Ok(last)
}
