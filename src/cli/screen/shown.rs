//! What a screen shows of a run, gathered from what a run tells: no terminal, no clock of its own.

use crate::cli::output::one_line;
use cellwright::estimate::measured::PARAMETERS;
use cellwright::graph::Rows;
use cellwright::numerics::pareto::dominates;
use cellwright::search::study::Objective;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// The most points that a curve keeps: more than any terminal has columns.
const MOST_POINTS: usize = 4096;
/// The most of what was measured that is kept.
const MOST_ROWS: usize = 256;
/// The most lines of what was said that are kept.
const MOST_SAID: usize = 200;

/// The state of a run, as far as it is shown.
#[derive(Debug, Default)]
pub struct Shown {
    /// Where the run writes.
    pub title: String,
    pub stage: Option<Stage>,
    /// How the stage stands, in words.
    pub state: String,
    /// The curves of the stage, by name.
    pub curves: BTreeMap<&'static str, Curve>,
    /// The architecture weights of each table as they stood last, row by row.
    pub tables: Vec<(String, Vec<Vec<f64>>)>,
    /// What they decide, in words.
    pub names: Vec<Rows>,
    /// What a study looks for, the most important first; of other runs nothing.
    pub objectives: Vec<Objective>,
    pub board: Board,
    pub said: VecDeque<String>,
    /// Whether the run was asked to stop.
    pub stops: bool,
}

/// The stage that is under way.
#[derive(Debug)]
pub struct Stage {
    pub name: String,
    pub taken: u64,
    pub total: u64,
    /// Where it stood when it was first heard of, and when that was.
    from: Option<(u64, Instant)>,
}

impl Stage {
    /// Seconds until it is over, if it goes on as it went.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        let (first, begun) = self.from?;
        let taken = self.taken.checked_sub(first).filter(|taken| *taken > 0)?;
        let each = now.saturating_duration_since(begun).as_secs_f64() / taken as f64;
        let left = each * self.total.saturating_sub(self.taken) as f64;
        Duration::try_from_secs_f64(left).ok()
    }
}

/// A curve of which each further point counts; where there are too many, neighbours are one.
#[derive(Debug, Default)]
pub struct Curve {
    pub points: Vec<(f64, f64)>,
    /// Points that make one, and the sum of those that do not yet.
    each: usize,
    pending: (f64, f64, usize),
}

impl Curve {
    fn push(&mut self, x: f64, y: f64) {
        if !y.is_finite() {
            return;
        }
        let (sum_x, sum_y, count) = self.pending;
        self.pending = (sum_x + x, sum_y + y, count + 1);
        let (sum_x, sum_y, count) = self.pending;
        if count < self.each.max(1) {
            return;
        }
        self.points.push((sum_x / count as f64, sum_y / count as f64));
        self.pending = (0.0, 0.0, 0);
        if self.points.len() == MOST_POINTS {
            let mean = |pair: &[(f64, f64)]| ((pair[0].0 + pair[1].0) / 2.0, (pair[0].1 + pair[1].1) / 2.0);
            self.points = self.points.chunks_exact(2).map(mean).collect();
            self.each = 2 * self.each.max(1);
        }
    }
}

/// What has been measured, the best first.
#[derive(Debug, Default)]
pub struct Board {
    /// What it is of.
    pub title: &'static str,
    /// The best: no more than any terminal has lines.
    pub rows: Vec<Entry>,
    /// All that were measured.
    pub measured: usize,
    /// Those that failed.
    pub failed: usize,
    /// The points that none beats, where several things are sought.
    pub front: Vec<Vec<f64>>,
}

/// Something that has been measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub name: String,
    /// What it is sorted by: greater is better.
    pub worth: f64,
    /// The same as it is read.
    pub written: String,
    /// What else is known.
    pub more: String,
    /// What is to be small, where several things are sought.
    point: Vec<f64>,
}

impl Entry {
    fn of_accuracy(name: String, accuracy: f64, more: String) -> Self {
        Self { name, worth: accuracy, written: format!("{:.2} %", 100.0 * accuracy), more, point: Vec::new() }
    }
}

impl Board {
    fn add(&mut self, title: &'static str, entry: Entry) {
        if self.title != title {
            *self = Self { title, ..Self::default() };
        }
        self.measured += 1;
        if !entry.point.is_empty() && !self.front.iter().any(|point| dominates(point, &entry.point)) {
            self.front.retain(|point| !dominates(&entry.point, point));
            self.front.push(entry.point.clone());
        }
        // Before those that are worse: of equals the first stays first.
        let place = self.rows.partition_point(|row| row.worth >= entry.worth);
        self.rows.insert(place, entry);
        self.rows.truncate(MOST_ROWS);
    }

    /// Whether none is better in one of the things that are sought and no worse in the others.
    pub fn is_on_front(&self, entry: &Entry) -> bool {
        self.front.contains(&entry.point)
    }
}

/// A quantity that was measured.
fn written(objective: &Objective, value: f64) -> String {
    match objective.is_maximised() {
        true => format!("{:.2} %", 100.0 * value),
        false if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.0}"),
        false => format!("{value:.3}"),
    }
}

impl Shown {
    pub fn begin(&mut self, stage: &str, total: u64) {
        self.stage = Some(Stage { name: one_line(stage), taken: 0, total, from: None });
        self.state.clear();
        self.curves.clear();
    }

    pub fn step(&mut self, taken: u64, state: Option<&str>, now: Instant) {
        if let Some(stage) = &mut self.stage {
            stage.taken = taken;
            stage.from.get_or_insert((taken, now));
        }
        if let Some(state) = state {
            self.state = one_line(state);
        }
    }

    pub fn say(&mut self, message: &str) {
        self.said.extend(message.lines().map(one_line));
        while self.said.len() > MOST_SAID {
            self.said.pop_front();
        }
    }

    /// All that was heard of the logs no longer counts.
    pub fn starts(&mut self) {
        self.curves.clear();
        self.tables.clear();
        self.board = Board::default();
    }

    /// A line of the run's logs.
    pub fn take(&mut self, line: &Value) {
        let number = |key: &str| line[key].as_f64();
        let epoch = number("epoch").map(|epoch| epoch + 1.0);
        let mut push = |name, x: Option<f64>, y: Option<f64>| {
            if let (Some(x), Some(y)) = (x, y) {
                self.curves.entry(name).or_default().push(x, y);
            }
        };
        match (line["kind"].as_str(), line["state"].as_str()) {
            (Some("search step"), _) => {
                push("training loss", number("step"), number("train_loss"));
                push("validation loss", number("step"), number("valid_loss"));
            }
            (Some("search epoch"), _) => self.tables = tables(&line["weights"]),
            (Some("controller step"), _) => {
                push("reward", number("step"), number("reward"));
            }
            (Some("ranked" | "ranked at random"), _) => {
                let (Some(accuracy), Some(step)) = (number("valid_accuracy"), number("step")) else { return };
                let by = if line["kind"] == "ranked" { "" } else { "at random" };
                self.board.add("Architectures", Entry::of_accuracy(format!("step {step}"), accuracy, by.to_owned()));
            }
            (Some("train epoch"), _) => {
                // Of the network before there may be no word that it is over.
                if epoch == Some(1.0) {
                    self.curves.clear();
                }
                let mut push = |name, y: Option<f64>| {
                    if let (Some(x), Some(y)) = (epoch, y) {
                        self.curves.entry(name).or_default().push(x, y);
                    }
                };
                push("training loss", number("train_loss"));
                push("training accuracy", number("train_accuracy"));
            }
            (Some("test"), _) => {
                let Some(accuracy) = number("test_accuracy") else { return };
                let name = one_line(line["network"].as_str().unwrap_or_default());
                let more = number("test_loss").map_or(String::new(), |loss| format!("loss {loss:.3}"));
                self.board.add("Networks", Entry::of_accuracy(name, accuracy, more));
            }
            (None, Some("finished")) => self.trial(line),
            (None, Some("failed")) => self.board.failed += 1,
            _ => {}
        }
    }

    /// A trial has ended: by what is sought first it has its place.
    fn trial(&mut self, line: &Value) {
        let worth = |objective: &Objective| {
            let value = line["objectives"][&objective.name].as_f64()?;
            Some(if objective.is_maximised() { value } else { -value })
        };
        let Some((first, others)) = self.objectives.split_first() else { return };
        let (Some(found), Some(trial)) = (worth(first), line["trial"].as_u64()) else { return };
        // Fronts are of what is small, and there are some where several things are sought.
        let all: Option<Vec<f64>> = self.objectives.iter().map(|of| worth(of).map(|worth| -worth)).collect();
        let point = all.filter(|_| !others.is_empty()).unwrap_or_default();
        let parameters = Objective::new(PARAMETERS);
        let beside = if others.is_empty() { std::slice::from_ref(&parameters) } else { others };
        let other =
            |of: &Objective| worth(of).map(|worth| format!("{} {}", one_line(&of.name), written(of, of.value(worth))));
        let entry = Entry {
            name: format!("trial {}", trial + 1),
            worth: found,
            written: written(first, first.value(found)),
            more: beside.iter().filter_map(other).collect::<Vec<_>>().join("  "),
            point,
        };
        let value = first.value(found);
        self.board.add("Trials", entry);
        let ended = (self.board.measured + self.board.failed) as f64;
        let best = first.value(self.board.rows[0].worth);
        self.curves.entry("best").or_default().push(ended, best);
        self.curves.entry("trials").or_default().push(ended, value);
    }
}

/// Tables of architecture weights as the metrics have them.
fn tables(weights: &Value) -> Vec<(String, Vec<Vec<f64>>)> {
    let numbers = |row: &Value| row.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    let rows = |table: &Value| table.as_array().into_iter().flatten().map(numbers).collect();
    weights.as_object().into_iter().flatten().map(|(name, table)| (one_line(name), rows(table))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_time_left_is_that_of_the_steps_taken_since_it_was_followed() {
        let begun = Instant::now();
        let mut shown = Shown::default();
        shown.begin("search", 100);
        let left = |shown: &Shown, seconds| {
            shown.stage.as_ref().unwrap().left(begun + Duration::from_secs(seconds)).map(|left| left.as_secs_f64())
        };
        assert_eq!(left(&shown, 5), None);
        // It goes on from step 40.
        shown.step(41, None, begun);
        assert_eq!(left(&shown, 5), None);
        shown.step(51, None, begun);
        assert_eq!(left(&shown, 5), Some(24.5));
    }

    #[test]
    fn a_curve_of_any_length_stays_short_and_keeps_its_shape() {
        let mut curve = Curve::default();
        (0..100_000).for_each(|x| curve.push(f64::from(x), f64::from(x) * 2.0));
        assert!(curve.points.len() < MOST_POINTS && curve.points.len() >= MOST_POINTS / 2);
        assert!(curve.points.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(curve.points.iter().all(|(x, y)| (y - 2.0 * x).abs() < 1e-6));
        curve.push(1.0, f64::NAN);
        assert!(curve.points.iter().all(|(_, y)| y.is_finite()));
    }

    /// A study that looks for these, with a trial for each measurement.
    fn study(objectives: &[&str], trials: &[Value]) -> Shown {
        let objectives = objectives.iter().map(|name| Objective::new(*name)).collect();
        let mut shown = Shown { objectives, ..Shown::default() };
        for (trial, measured) in trials.iter().enumerate() {
            shown.take(&json!({ "trial": trial, "state": "finished", "objectives": measured }));
        }
        shown
    }

    fn names(shown: &Shown) -> Vec<&str> {
        shown.board.rows.iter().map(|row| row.name.as_str()).collect()
    }

    #[test]
    fn the_best_comes_first_and_failures_are_counted() {
        let mut shown = study(&["accuracy"], &[0.5, 0.9, 0.5].map(|accuracy| json!({ "accuracy": accuracy })));
        shown.take(&json!({ "trial": 3, "state": "failed", "reason": "none" }));
        assert_eq!((names(&shown), shown.board.failed), (vec!["trial 2", "trial 1", "trial 3"], 1));
        assert_eq!(shown.curves["best"].points, [(1.0, 0.5), (2.0, 0.9), (3.0, 0.9)]);
        shown.take(&json!({ "kind": "test", "network": "sear\u{1b}[2Jched", "test_accuracy": 0.75 }));
        assert_eq!(shown.board.rows.len(), 1);
        assert!(!shown.board.rows[0].name.contains('\u{1b}'));
        shown.starts();
        assert!(shown.board.rows.is_empty());
    }

    #[test]
    fn trials_stand_by_what_is_sought_first() {
        let measured = [[0.9, 0.5, 2.0], [0.8, 0.6, 1.0], [0.7, 0.4, 0.5]].map(|[accuracy, balanced, loss]| {
            json!({ "accuracy": accuracy, "balanced_accuracy": balanced, "loss": loss, "parameters": 1000.0 })
        });
        let shown = study(&["balanced_accuracy"], &measured);
        assert_eq!(names(&shown), ["trial 2", "trial 1", "trial 3"]);
        assert_eq!(
            (shown.board.rows[0].written.as_str(), shown.board.rows[0].more.as_str()),
            ("60.00 %", "parameters 1000")
        );
        // The less the better, and curves are of the quantity itself.
        let shown = study(&["loss"], &measured);
        assert_eq!(names(&shown), ["trial 3", "trial 2", "trial 1"]);
        assert_eq!(shown.board.rows[0].written, "0.500");
        assert_eq!(shown.curves["best"].points, [(1.0, 2.0), (2.0, 1.0), (3.0, 0.5)]);
        assert!(shown.board.front.is_empty() && !shown.board.is_on_front(&shown.board.rows[0]));
        // What was not measured has no place.
        assert!(study(&["latency"], &measured).board.rows.is_empty());
    }

    #[test]
    fn of_several_objectives_the_front_is_known_however_many_trials_there_are() {
        let measured: Vec<Value> = (0..1000_u32)
            .map(
                |at| json!({ "loss": f64::from(at % 500), "latency": f64::from(499 - at % 500) + f64::from(at / 500) }),
            )
            .collect();
        let shown = study(&["loss", "latency"], &measured);
        // The second half is beaten by the first, each by its twin.
        assert_eq!((shown.board.rows.len(), shown.board.measured, shown.board.front.len()), (MOST_ROWS, 1000, 500));
        for row in &shown.board.rows {
            let number: u32 = row.name.trim_start_matches("trial ").parse().unwrap();
            assert_eq!(shown.board.is_on_front(row), number <= 500, "{row:?}");
        }
        assert_eq!(shown.board.rows[1].more, "latency 500");
    }
}
