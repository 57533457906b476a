//! What a screen shows of a run, gathered from what a run tells: no terminal, no clock of its own.

use crate::cli::output::one_line;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// The most points that a curve keeps: more than any terminal has columns.
const MOST_POINTS: usize = 4096;
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
    /// What each came to: a name, what is sorted by, and what else is known.
    pub rows: Vec<Entry>,
    /// Those that failed.
    pub failed: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub name: String,
    pub worth: f64,
    pub more: String,
}

impl Board {
    fn add(&mut self, title: &'static str, entry: Entry) {
        if self.title != title {
            *self = Self { title, ..Self::default() };
        }
        // Before those that are worse: of equals the first stays first.
        let place = self.rows.partition_point(|row| row.worth >= entry.worth);
        self.rows.insert(place, entry);
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
                let entry = Entry { name: format!("step {step}"), worth: accuracy, more: by.to_owned() };
                self.board.add("Architectures", entry);
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
                self.board.add("Networks", Entry { name, worth: accuracy, more });
            }
            (None, Some("finished")) => self.trial(line),
            (None, Some("failed")) => self.board.failed += 1,
            _ => {}
        }
    }

    /// A trial has ended: by its accuracy it has its place, or by the loss where there is none.
    fn trial(&mut self, line: &Value) {
        let objective = |key: &str| line["objectives"][key].as_f64();
        let worth = objective("accuracy").or(objective("loss").map(|loss| -loss));
        let (Some(worth), Some(trial)) = (worth, line["trial"].as_u64()) else { return };
        let more = objective("parameters").map_or(String::new(), |count| format!("{count:.0} parameters"));
        self.board.add("Trials", Entry { name: format!("trial {}", trial + 1), worth, more });
        let ended = (self.board.rows.len() + self.board.failed) as f64;
        self.curves.entry("best").or_default().push(ended, self.board.rows[0].worth);
        self.curves.entry("trials").or_default().push(ended, worth);
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

    #[test]
    fn the_best_comes_first_and_failures_are_counted() {
        let mut shown = Shown::default();
        for (trial, accuracy) in [0.5, 0.9, 0.5].into_iter().enumerate() {
            shown.take(&json!({ "trial": trial, "state": "finished", "objectives": { "accuracy": accuracy } }));
        }
        shown.take(&json!({ "trial": 3, "state": "failed", "reason": "none" }));
        let names: Vec<&str> = shown.board.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!((names, shown.board.failed), (vec!["trial 2", "trial 1", "trial 3"], 1));
        assert_eq!(shown.curves["best"].points, [(1.0, 0.5), (2.0, 0.9), (3.0, 0.9)]);
        shown.take(&json!({ "kind": "test", "network": "sear\u{1b}[2Jched", "test_accuracy": 0.75 }));
        assert_eq!(shown.board.rows.len(), 1);
        assert!(!shown.board.rows[0].name.contains('\u{1b}'));
        shown.starts();
        assert!(shown.board.rows.is_empty());
    }
}
