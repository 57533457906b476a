//! How far a run is in what it does, and how long that will take.
//!
//! A run searches, then trains networks. How long training takes is not known while it searches, so the time left is that of the search first and
//! then that of all networks that are still to be trained.

use crate::run::Purpose;
use crate::run::trace::{State, Trace};
use crate::search::study::StudyConfig;
use std::time::{Duration, SystemTime};

/// What a run does, and how much of that is done.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Progress {
    /// `search` or `training`.
    pub stage: &'static str,
    /// What is counted.
    unit: &'static str,
    /// How many of these are done.
    pub done: f64,
    /// How many there are to do, if that is known.
    pub total: Option<f64>,
    /// When the stage was begun, if all of it has been done since.
    pub begun: Option<SystemTime>,
}

impl Progress {
    /// What `trace` says of a run that was begun then.
    pub fn of(trace: &Trace, begun: Option<SystemTime>) -> Self {
        // Seconds of a run that went on are those of several processes, and what lies between is in none.
        let begun = begun.filter(|_| trace.timing.phases.iter().all(|phase| phase.resumed.is_none()));
        let searched =
            trace.timing.phases.iter().position(|phase| phase.phase == "search" && phase.phase_seconds.is_some());
        let config = trace.config.as_ref();
        if trace.purpose() == Purpose::Search && searched.is_none() {
            return Self { begun, ..searching(trace) };
        }
        let networks = config.map(|config| match trace.purpose() {
            Purpose::Search => 1 + config.random + usize::from(config.baseline),
            Purpose::Training => 1,
            Purpose::Random => config.random,
        });
        let begun = searched.map_or(begun, |at| begun.and(ended(&trace.timing.phases[at])));
        Self {
            stage: "training",
            unit: "epochs",
            done: trace.course.networks.iter().map(|network| network.epochs.len()).sum::<usize>() as f64,
            total: networks.zip(config).map(|(networks, config)| networks as f64 * f64::from(config.train.epochs)),
            begun,
        }
    }

    /// The share that is done.
    pub fn share(&self) -> Option<f64> {
        self.total.filter(|total| *total > 0.0).map(|total| (self.done / total).min(1.0))
    }

    /// In words.
    pub fn words(&self) -> String {
        let Self { stage, unit, done, total, .. } = self;
        match total {
            Some(total) => format!("{stage}, {done} of {total} {unit}"),
            None => format!("{stage}, {done} {unit}"),
        }
    }
}

fn searching(trace: &Trace) -> Progress {
    let course = &trace.course;
    let settings = trace.config.as_ref().map(|config| &config.search.settings);
    let number = |key: &str| settings.and_then(|settings| settings.get(key)?.as_integer());
    let progress =
        Progress { stage: "search", unit: "steps", done: course.steps.len() as f64, total: None, begun: None };
    if trace.config.as_ref().is_some_and(|config| config.search.is_study()) {
        let ended = course.trials.values().filter(|trial| trial.state != State::Began).count();
        let study = settings.and_then(|settings| StudyConfig::read(settings).ok());
        let total = study.map(|(study, _)| f64::from(study.trials));
        return Progress { unit: "trials", done: ended as f64, total, ..progress };
    }
    let epochs = course.epochs.len() + course.controller.len();
    if epochs == 0 {
        return progress;
    }
    let stages = settings.and_then(|settings| Some(settings.get("stages")?.as_array()?.len())).unwrap_or(0).max(1);
    let total = number("epochs").map(|epochs| epochs as f64 * stages as f64);
    Progress { unit: "epochs", done: epochs as f64, total, ..progress }
}

/// When a phase ended.
fn ended(phase: &crate::run::trace::Phase) -> Option<SystemTime> {
    let begun: jiff::Timestamp = phase.began.as_ref()?.parse().ok()?;
    let took = Duration::try_from_secs_f64(phase.phase_seconds?).ok()?;
    SystemTime::from(begun).checked_add(took)
}

/// How fast a run goes on, by what was seen of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    stage: &'static str,
    first: Option<(SystemTime, f64)>,
    last: Option<(SystemTime, f64)>,
}

impl Pace {
    /// Takes what is done at a time.
    pub fn see(&mut self, progress: &Progress, at: SystemTime) {
        let is_new = self.stage != progress.stage || self.last.is_some_and(|(_, done)| progress.done < done);
        if is_new {
            *self = Self { stage: progress.stage, first: Some((at, progress.done)), last: None };
        }
        if self.last.is_none_or(|(_, done)| progress.done > done) {
            self.last = Some((at, progress.done));
        }
    }

    /// Seconds until all is done, if that can be told.
    pub fn left(&self, progress: &Progress, now: SystemTime) -> Option<f64> {
        let (last, done) = self.last?;
        // Of a stage that was seen from its beginning all counts, else what was seen.
        let (from, before) = progress.begun.map(|begun| (begun, 0.0)).or(self.first)?;
        if done <= before {
            return None;
        }
        let seconds = |from: SystemTime, to: SystemTime| to.duration_since(from).unwrap_or_default().as_secs_f64();
        let each = seconds(from, last) / (done - before);
        Some((each * (progress.total? - done) - seconds(last, now)).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn progress(done: f64, begun: Option<u64>) -> Progress {
        Progress { stage: "search", unit: "epochs", done, total: Some(10.0), begun: begun.map(at) }
    }

    #[test]
    fn what_is_left_goes_by_what_was_done() {
        let mut pace = Pace::default();
        pace.see(&progress(0.0, Some(100)), at(101));
        assert_eq!(pace.left(&progress(0.0, Some(100)), at(102)), None, "nothing is done");
        pace.see(&progress(2.0, Some(100)), at(120));
        assert_eq!(pace.left(&progress(2.0, Some(100)), at(120)), Some(80.0));
        assert_eq!(pace.left(&progress(2.0, Some(100)), at(125)), Some(75.0), "time goes by between two epochs");
        assert_eq!(pace.left(&progress(2.0, Some(100)), at(999)), Some(0.0));
        assert_eq!(progress(2.0, None).words(), "search, 2 of 10 epochs");
        assert_eq!(progress(2.0, None).share(), Some(0.2));
    }

    #[test]
    fn a_run_that_went_on_is_timed_by_what_was_seen() {
        let mut pace = Pace::default();
        pace.see(&progress(6.0, None), at(1_000));
        assert_eq!(pace.left(&progress(6.0, None), at(1_001)), None);
        pace.see(&progress(8.0, None), at(1_010));
        assert_eq!(pace.left(&progress(8.0, None), at(1_010)), Some(10.0));
        // Cut back to its checkpoint, or in another stage.
        pace.see(&progress(7.0, None), at(1_011));
        assert_eq!(pace.left(&progress(7.0, None), at(1_011)), None);
    }
}
