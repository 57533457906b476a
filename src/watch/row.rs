//! What the list says of a run.

use super::progress::Progress;
use crate::run::Purpose;
use crate::run::trace::{Came, Trace};
use crate::search::study::StudyConfig;
use std::time::SystemTime;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// A process works in its directory, and it has not come to its end.
    Running,
    /// No process does.
    Stopped,
    /// It has ended with an error.
    Failed,
    /// It has come to its end.
    Finished,
    /// Its files are not what they should be.
    Unreadable,
    /// It was not read yet.
    Unread,
}

impl State {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Finished => "finished",
            Self::Unreadable => "unreadable",
            Self::Unread => "not read yet",
        }
    }
}

/// What the list says of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub state: State,
    /// What it does, or why it does not.
    pub words: String,
    pub strategy: String,
    pub space: String,
    pub data: String,
    pub seed: Option<i64>,
    /// The best accuracy, and what it is of.
    pub best: Option<(f64, String)>,
    /// How far it is, while it is not over.
    pub progress: Option<Progress>,
    pub begun: Option<SystemTime>,
}

impl Row {
    /// A run of which nothing is known but this.
    pub fn bare(state: State, words: String) -> Self {
        let [strategy, space, data] = [(); 3].map(|()| String::new());
        Self { state, words, strategy, space, data, seed: None, best: None, progress: None, begun: None }
    }

    /// A run whose files tell this, that was begun then, and in whose directory a process works or none.
    pub fn of(trace: &Trace, begun: Option<SystemTime>, in_use: bool) -> Self {
        let said = |group: &str, key: &str, otherwise: &str| trace.said(group, key).unwrap_or(otherwise).to_owned();
        let strategy = match trace.purpose() {
            Purpose::Search => said("search", "strategy", &said("strategy", "", "darts")),
            Purpose::Training => "one training".to_owned(),
            Purpose::Random => "random".to_owned(),
        };
        let state = state(trace, in_use);
        let progress = (state != State::Finished).then(|| Progress::of(trace, begun));
        let words = match (&progress, ended_by(trace)) {
            (Some(_), Some(reason)) if state == State::Failed => reason.to_owned(),
            (Some(progress), _) => progress.words(),
            (None, _) => String::new(),
        };
        Self {
            state,
            words,
            strategy,
            space: said("space", "name", "darts"),
            data: said("data", "name", "digits"),
            seed: trace.table.get("seed").and_then(toml::Value::as_integer),
            best: best(trace),
            progress,
            begun,
        }
    }
}

fn state(trace: &Trace, in_use: bool) -> State {
    match (in_use, ended_by(trace)) {
        _ if trace.came.is_some() => State::Finished,
        (true, _) => State::Running,
        // As the error says that is no failure.
        (false, Some(reason)) if trace.failure.is_some() || !reason.starts_with("stopped in") => State::Failed,
        (false, _) => State::Stopped,
    }
}

/// What ended the run last, if it wrote that down.
fn ended_by(trace: &Trace) -> Option<&str> {
    let failure = trace.failure.as_ref().map(|failure| failure.reason.as_str());
    failure.or(trace.timing.phases.last()?.ended_by.as_deref())
}

/// The best accuracy so far: on test images once there is one, before that what the search goes by.
fn best(trace: &Trace) -> Option<(f64, String)> {
    let told = |value: f64, of: &str| Some((value, of.to_owned()));
    match &trace.came {
        Some(Came::Search(summary)) => return told(summary.test_accuracy, "test"),
        Some(Came::Training(summary)) => return told(summary["test_accuracy"].as_f64()?, "test"),
        Some(Came::Random(summary)) => {
            let best = greatest(summary.networks.iter().map(|network| network.test_accuracy))?;
            return told(best, &format!("test, best of {}", summary.networks.len()));
        }
        None => {}
    }
    let course = &trace.course;
    let named = |name: &str| course.networks.iter().find(|network| network.name == name)?.test_accuracy;
    if let Some(tested) = named("searched") {
        return told(tested, "test");
    }
    if trace.purpose() != Purpose::Search
        && let Some(best) = greatest(course.networks.iter().filter_map(|n| n.test_accuracy))
    {
        return told(best, "test");
    }
    let objective = trace.config.as_ref().and_then(|config| {
        StudyConfig::read(&config.search.settings)
            .ok()?
            .0
            .objectives()
            .into_iter()
            .find(|objective| objective.is_maximised())
    });
    let trials = || course.trials.values().filter_map(|trial| *trial.objectives.get(&objective.as_ref()?.name)?);
    if let Some(best) = greatest(trials()) {
        return told(best, "trial");
    }
    if let Some(best) = greatest(course.ranked.iter().copied()) {
        return told(best, "ranked");
    }
    if let Some(best) = greatest(course.epochs.iter().filter_map(|epoch| epoch.derived_accuracy)) {
        return told(best, "derived");
    }
    told(greatest(course.controller.iter().filter_map(|epoch| epoch.reward))?, "reward")
}

fn greatest(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.filter(|value| value.is_finite()).reduce(f64::max)
}
