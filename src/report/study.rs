//! The trials of a study: a leaderboard, and a picture of how they went.

use super::DrawError;
use super::plot::{Panel, Series, lines};
use super::table::Table;
use crate::estimate::Measured;
use crate::estimate::measured::{ACCURACY, PARAMETERS};
use crate::search::Tried;
use crate::search::study::Objective;
use std::collections::BTreeMap;

/// Rows of a leaderboard.
const ROWS: usize = 10;

/// The best trials by the first objective, with the seconds that they took and how they ended, then those that failed; and how many
/// there were.
pub fn leaderboard(trials: &[Tried], seconds: &BTreeMap<usize, f64>, objectives: &[Objective]) -> String {
    let Some(first) = objectives.first() else { return String::new() };
    let mut ranked: Vec<(&Tried, f64)> =
        trials.iter().filter_map(|tried| Some((tried, first.worth(&tried.measured)?))).collect();
    // Of equal ones the first.
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.trial.cmp(&b.0.trial)));
    let mut names: Vec<&str> = objectives.iter().map(|objective| objective.name.as_str()).collect();
    names.extend([ACCURACY, PARAMETERS].into_iter().filter(|name| !objectives.iter().any(|o| o.name == *name)));
    let decided: Vec<&str> =
        trials.first().map_or(Vec::new(), |tried| tried.settings.iter().map(|(key, _)| key.as_str()).collect());
    let header = ["rank", "trial"].into_iter().chain(names.iter().copied()).chain(decided).chain(["seconds", "state"]);
    let mut table = Table::new(&header.collect::<Vec<_>>());
    let row = |rank: String, tried: &Tried, state: &str| {
        let value = |name: &&str| tried.measured.objective(name).map_or("–".to_owned(), |value| shown(name, value));
        let mut row = vec![rank, (tried.trial + 1).to_string()];
        row.extend(names.iter().map(value));
        row.extend(tried.settings.iter().map(|(_, value)| match value.as_float() {
            Some(number) => format!("{number:.4}"),
            None => value.to_string(),
        }));
        row.push(seconds.get(&tried.trial).map_or("–".to_owned(), |seconds| format!("{seconds:.1}")));
        row.push(state.to_owned());
        row
    };
    for (rank, (tried, _)) in ranked.iter().take(ROWS).enumerate() {
        table.row(row((rank + 1).to_string(), tried, "finished"));
    }
    let failed: Vec<(&Tried, &str)> = trials
        .iter()
        .filter_map(|tried| match &tried.measured {
            Measured::Failed { reason } => Some((tried, reason.as_str())),
            Measured::Worth { .. } => None,
        })
        .collect();
    for (tried, _) in failed.iter().take(ROWS.saturating_sub(ranked.len())) {
        table.row(row("–".to_owned(), tried, "failed"));
    }
    let mut text = format!("{} trials, {} finished:\n\n{}\n", trials.len(), ranked.len(), table.render());
    if let Some((last, reason)) = failed.last() {
        text += &format!("{} failed, the last of them trial {}: {reason}\n\n", failed.len(), last.trial + 1);
    }
    text
}

fn shown(name: &str, value: f64) -> String {
    match name {
        _ if name.contains(ACCURACY) => format!("{:.2} %", 100.0 * value),
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        _ => format!("{value:.4}"),
    }
}

/// The first objective of each trial in order, and the best up to each.
///
/// # Errors
/// If it cannot be drawn.
pub fn picture(trials: &[Tried], objectives: &[Objective]) -> Result<String, DrawError> {
    let Some(first) = objectives.first() else { return lines("trials", &[], 1) };
    let scale = if first.name.contains(ACCURACY) { 100.0 } else { 1.0 };
    let (mut each, mut best) = (Vec::new(), Vec::new());
    let mut highest = f64::NEG_INFINITY;
    for tried in trials {
        if let Some(worth) = first.worth(&tried.measured) {
            highest = highest.max(worth);
            each.push((tried.trial as f64 + 1.0, scale * first.value(worth)));
            best.push((tried.trial as f64 + 1.0, scale * first.value(highest)));
        }
    }
    let series = |name: &str, points| Series { name: name.to_owned(), points, color: None };
    let unit = if scale == 1.0 { "" } else { ", %" };
    let panel = Panel {
        title: format!("{}{unit}", first.name),
        x_label: "trial".into(),
        series: vec![series("each", each), series("best so far", best)],
        y_range: None,
    };
    lines("trials", &[panel], 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::Fidelity;
    use crate::search::study::Candidate;
    use crate::space::Architecture;

    fn tried(trial: usize, accuracy: Option<f64>) -> Tried {
        let measured = match accuracy {
            Some(accuracy) => Measured::Worth {
                objectives: [(ACCURACY.to_owned(), accuracy), (PARAMETERS.to_owned(), 1234.0)].into(),
                curve: Vec::new(),
            },
            None => Measured::Failed { reason: "too large".into() },
        };
        let candidate = Candidate { answers: Architecture { answers: vec![0] }, beside: vec![0.5] };
        let settings = vec![("train.rate.from".to_owned(), toml::Value::Float(0.031_25))];
        Tried { trial, candidate, settings, fidelity: Fidelity::Full, measured, is_best: false }
    }

    #[test]
    fn the_best_come_first_and_what_failed_is_counted() {
        let trials = [tried(0, Some(0.5)), tried(1, None), tried(2, Some(0.75)), tried(3, Some(0.75))];
        let text = leaderboard(&trials, &[(2, 1.25)].into(), &[Objective::new(ACCURACY)]);
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert!(rows.contains(&vec!["1", "3", "75.00", "%", "1234", "0.0312", "1.2", "finished"]), "{text}");
        assert!(rows.contains(&vec!["2", "4", "75.00", "%", "1234", "0.0312", "–", "finished"]), "{text}");
        assert!(rows.contains(&vec!["–", "2", "–", "–", "0.0312", "–", "failed"]), "{text}");
        assert!(
            text.contains("4 trials, 3 finished") && text.contains("1 failed, the last of them trial 2: too large")
        );
        let picture = picture(&trials, &[Objective::new(ACCURACY)]).unwrap();
        assert!(picture.contains("best so far"));
    }
}
