//! The trials of a study: a table, and what can be seen in it.

use super::document::{Axis, Better, Block, Cell, Column, Figure, Form, Number, Plot, Table};
use super::written::{count, number, whole};
use crate::estimate::measured::{MULTIPLY_ADDS, PARAMETERS};
use crate::numerics::importance::importance;
use crate::numerics::pareto;
use crate::run::Config;
use crate::run::trace::{State, Trace, Trial};
use crate::search::study::Objective;
use crate::space::Decision;
use std::collections::{BTreeMap, BTreeSet};

/// The column of what trials took.
const SECONDS: &str = "seconds";
/// The table's identifier.
const TABLE: &str = "trials-table";
/// The most trials that the importance is reckoned by: the last ones.
const RECKONED: usize = 2000;
/// The fewest.
const FEWEST: usize = 12;
/// The most axes that are parallel.
const AXES: usize = 14;
/// Into so many parts the values of a setting are put.
const PARTS: usize = 8;
/// The most decisions whose importance is drawn.
const DRAWN: usize = 16;

/// A quantity that was decided, as the importance takes it.
struct Factor {
    name: String,
    column: usize,
    options: usize,
    /// The option of each trial.
    taken: Vec<usize>,
}

/// Words, the table and the figures; nothing for what is no study.
pub(super) fn blocks(trace: &Trace) -> Vec<Block> {
    let trials = &trace.course.trials;
    if trials.is_empty() {
        return Vec::new();
    }
    let objectives = trace.config.as_ref().map(Config::objectives).unwrap_or_default();
    let space = trace.config.as_ref().and_then(|config| config.space.build().ok());
    let decisions = space.map(|space| space.decisions()).unwrap_or_default();
    let all: Vec<(usize, &Trial)> = trials.iter().map(|(number, trial)| (*number, trial)).collect();
    let took = took(trace);
    let (table, factors) = table(&all, &objectives, &decisions, &took);
    let mut blocks = vec![Block::Words { text: words(&all, &objectives) }];
    let column = |name: &str| table.columns.iter().position(|column| column.name == name);
    let first = objectives.first().and_then(|objective| column(&objective.name));
    let against = objectives.get(1).and_then(|objective| column(&objective.name));
    let against = against.or(column(MULTIPLY_ADDS)).or(column(PARAMETERS)).unwrap_or(0);
    if let Some(first) = first {
        blocks.push(Block::Figure(Figure {
            id: "trials-scatter".to_owned(),
            title: "Trials".to_owned(),
            caption: "Each point is a trial that was measured; the axes can be chosen. The line is the Pareto front of these two: no trial is \
                      better in one and not worse in the other. It is drawn where it is known of both what is better."
                .to_owned(),
            plot: Plot::Scatter { table: TABLE.to_owned(), x: against, y: first },
        }));
    }
    let shares = shares(&all, &objectives, &factors);
    blocks.extend(shares.as_ref().and_then(|shares| important(&objectives, &factors, shares)));
    if let Some(color) = first {
        let mut axes: Vec<usize> = important_first(&factors, shares.as_deref()).into_iter().take(AXES - 2).collect();
        axes.sort_unstable();
        // A trial of which it is not known would have no line.
        let is_known = |(number, trial): &(usize, &Trial)| trial.state != State::Finished || took.contains_key(number);
        axes.extend(column(SECONDS).filter(|_| all.iter().all(is_known)));
        axes.push(color);
        blocks.push(Block::Figure(Figure {
            id: "trials-parallel".to_owned(),
            title: "Decisions side by side".to_owned(),
            caption: "Each line is a trial that was measured, through what was decided in it to what that came to; the better ones are \
                      drawn later. The slider chooses how many of the best are drawn in colour."
                .to_owned(),
            plot: Plot::Parallel { table: TABLE.to_owned(), axes, color },
        }));
    }
    blocks.push(Block::Table(table));
    blocks
}

/// What trials took that have ended, as far as that is known. One that is carried out again is not known by what it took before.
fn took(trace: &Trace) -> BTreeMap<usize, f64> {
    let has_ended = |number: &usize| trace.course.trials.get(number).is_some_and(|trial| trial.state != State::Began);
    let known = trace.timing.trials.iter().filter(|(number, seconds)| has_ended(number) && seconds.is_finite());
    known.map(|(number, seconds)| (*number, *seconds)).collect()
}

/// What the trials of a study took, in words; nothing where it is not known.
pub(super) fn seconds(trace: &Trace) -> Option<String> {
    let took = took(trace);
    let is_measured = |number: &usize| trace.course.trials[number].state == State::Finished;
    let measured: Vec<(usize, f64)> =
        took.iter().filter(|(number, _)| is_measured(number)).map(|(number, seconds)| (*number, *seconds)).collect();
    let (longest, most) = measured.iter().copied().reduce(|most, other| if other.1 > most.1 { other } else { most })?;
    let mean = measured.iter().map(|(_, seconds)| seconds).sum::<f64>() / measured.len() as f64;
    let [all, mean, most] = [took.values().sum(), mean, most].map(|seconds| number(seconds, Form::Seconds));
    let longest = longest + 1;
    Some(format!(
        "Its trials took {all}, added up; those that were measured {mean} on average, the longest, trial {longest}, {most}."
    ))
}

/// What a trial is worth: greater is better.
fn worth(trial: &Trial, objective: &Objective) -> Option<f64> {
    let value = trial.objectives.get(&objective.name).copied().flatten().filter(|value| value.is_finite())?;
    Some(if objective.is_maximised() { value } else { -value })
}

fn words(all: &[(usize, &Trial)], objectives: &[Objective]) -> String {
    let number_of = |is: fn(&State) -> bool| all.iter().filter(|(_, trial)| is(&trial.state)).count();
    let (finished, failed) =
        (number_of(|state| *state == State::Finished), number_of(|state| matches!(state, State::Failed(_))));
    let [measured, not] = [finished, failed].map(|number| whole(number as f64));
    let mut text = format!("{}: {measured} measured, {not} failed", count(all.len(), "trial"));
    let left = all.len() - finished - failed;
    if left > 0 {
        text += &format!(", {} under way", whole(left as f64));
    }
    text += ".";
    let best = objectives.first().and_then(|objective| {
        let measured = all.iter().filter_map(|(number, trial)| Some((*number, worth(trial, objective)?)));
        let (trial, worth) = measured.reduce(|best, other| if other.1 > best.1 { other } else { best })?;
        Some(format!(
            " The best {} is that of trial {}: {}.",
            objective.name,
            trial + 1,
            written(objective, objective.value(worth))
        ))
    });
    text + &best.unwrap_or_default()
}

fn written(objective: &Objective, value: f64) -> String {
    number(value, form(&objective.name))
}

/// How a quantity that was measured is written.
fn form(name: &str) -> Form {
    if Objective::new(name).is_maximised() {
        Form::Share
    } else if name.ends_with("bytes") {
        Form::Bytes
    } else if [PARAMETERS, MULTIPLY_ADDS].contains(&name) {
        Form::Whole
    } else {
        Form::Number
    }
}

/// The table, and what was decided in it.
fn table(
    all: &[(usize, &Trial)],
    objectives: &[Objective],
    decisions: &[Decision],
    took: &BTreeMap<usize, f64>,
) -> (Table, Vec<Factor>) {
    let measured: BTreeSet<&String> = all.iter().flat_map(|(_, trial)| trial.objectives.keys()).collect();
    // What is looked for comes first.
    let sought = objectives.iter().map(|objective| &objective.name).filter(|name| measured.contains(name));
    let others = measured.iter().copied().filter(|name| objectives.iter().all(|objective| objective.name != **name));
    let names: Vec<&String> = sought.chain(others).collect();
    let settings: BTreeSet<&String> = all.iter().flat_map(|(_, trial)| trial.settings.keys()).collect();
    let mut columns = vec![Column::new("trial", Form::Whole), Column::new("state", Form::Text)];
    let mut cells: Vec<Vec<Cell>> = all
        .iter()
        .map(|(number, trial)| {
            let state = match &trial.state {
                State::Began => "under way",
                State::Finished => "measured",
                State::Failed(_) => "failed",
            };
            vec![Cell::number(Some(*number as f64 + 1.0)), Cell::from(state)]
        })
        .collect();
    let mut factors = Vec::new();
    let mut add = |column: Column, of: &dyn Fn(usize, &Trial) -> Cell| {
        columns.push(column);
        cells.iter_mut().zip(all).for_each(|(row, (number, trial))| row.push(of(*number, trial)));
        columns.len() - 1
    };
    for name in names {
        let better = if Objective::new(name.as_str()).is_maximised() { Better::More } else { Better::Less };
        let column = Column { better: Some(better), ..Column::new(name.as_str(), form(name)) };
        add(column, &|_, trial| Cell::number(trial.objectives.get(name).copied().flatten()));
    }
    if !took.is_empty() {
        let column = Column { better: Some(Better::Less), ..Column::new(SECONDS, Form::Seconds) };
        add(column, &|number, _| Cell::number(took.get(&number).copied()));
    }
    if all.iter().any(|(_, trial)| trial.epochs.is_some()) {
        let column = add(Column::new("epochs", Form::Whole), &|_, trial| Cell::number(trial.epochs.map(|n| n as f64)));
        let values: Vec<f64> = all.iter().map(|(_, trial)| trial.epochs.unwrap_or(0) as f64).collect();
        factors.push(Factor { name: "epochs".to_owned(), column, options: PARTS, taken: parts(&values) });
    }
    for key in settings {
        let value = |trial: &Trial| trial.settings.get(key).and_then(serde_json::Value::as_f64);
        let text = |trial: &Trial| trial.settings.get(key).map(|value| value.to_string().trim_matches('"').to_owned());
        let is_number = all.iter().all(|(_, trial)| value(trial).is_some());
        let form = if is_number { Form::Number } else { Form::Text };
        let column = add(Column::new(key.as_str(), form), &|_, trial| match is_number {
            true => Cell::number(value(trial)),
            false => Cell::Text(text(trial).unwrap_or_default()),
        });
        let (options, taken) = match is_number {
            true => (PARTS, parts(&all.iter().map(|(_, trial)| value(trial).unwrap_or_default()).collect::<Vec<_>>())),
            false => {
                let names: Vec<Option<String>> = all.iter().map(|(_, trial)| text(trial)).collect();
                let known: Vec<&Option<String>> = names.iter().collect::<BTreeSet<_>>().into_iter().collect();
                (known.len(), names.iter().map(|name| known.partition_point(|other| *other < name)).collect())
            }
        };
        factors.push(Factor { name: key.clone(), column, options, taken });
    }
    // A trial of another space than the one that is known has no answers to show.
    let fits = all.iter().all(|(_, trial)| {
        trial.answers.len() == decisions.len()
            && trial.answers.iter().zip(decisions).all(|(answer, decision)| *answer < decision.options.len())
    });
    for (at, decision) in decisions.iter().enumerate().filter(|_| fits) {
        let column = Column {
            options: decision.options.clone(),
            hidden: true,
            ..Column::new(decision.name.as_str(), Form::Choice)
        };
        let column = add(column, &|_, trial| Cell::number(trial.answers.get(at).map(|answer| *answer as f64)));
        let taken = all.iter().map(|(_, trial)| trial.answers[at]).collect();
        factors.push(Factor { name: decision.name.clone(), column, options: decision.options.len(), taken });
    }
    if all.iter().any(|(_, trial)| matches!(trial.state, State::Failed(_))) {
        add(Column { hidden: true, ..Column::new("reason", Form::Text) }, &|_, trial| match &trial.state {
            State::Failed(reason) => Cell::Text(reason.clone()),
            _ => Cell::from(""),
        });
    }
    let marked = front(all, objectives);
    let of_marked: BTreeSet<usize> = marked.iter().map(|row| all[*row].0).collect();
    // Of thousands the texts would be most of the page; those that are marked are to be copied.
    add(Column { hidden: true, ..Column::new("architecture", Form::Text) }, &|number, trial| match of_marked
        .contains(&number)
    {
        true => Cell::from(trial.architecture.as_str()),
        false => Cell::from(""),
    });
    let caption = match marked.len() {
        0 => "Trials".to_owned(),
        1 => "Trials; the best is marked".to_owned(),
        _ => "Trials; those that no other is better than are marked".to_owned(),
    };
    (Table { id: TABLE.to_owned(), caption, columns, rows: cells, marked, links: Vec::new(), together: None }, factors)
}

/// The trials on the front of all objectives.
fn front(all: &[(usize, &Trial)], objectives: &[Objective]) -> Vec<usize> {
    let point = |trial: &Trial| -> Option<Vec<f64>> {
        // Fronts are of what is minimised.
        objectives.iter().map(|objective| worth(trial, objective).map(|worth| -worth)).collect()
    };
    let (places, points): (Vec<usize>, Vec<Vec<f64>>) =
        all.iter().enumerate().filter_map(|(at, (_, trial))| Some((at, point(trial)?))).unzip();
    if objectives.is_empty() {
        return Vec::new();
    }
    if objectives.len() == 1 {
        let best = points.iter().enumerate().min_by(|a, b| a.1[0].total_cmp(&b.1[0]));
        return best.map(|(at, _)| places[at]).into_iter().collect();
    }
    pareto::front(&points).into_iter().map(|at| places[at]).collect()
}

/// Numbers put into [`PARTS`] of about as many of them.
fn parts(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let part = |value: &f64| sorted.partition_point(|other| other < value) * PARTS / sorted.len().max(1);
    values.iter().map(part).collect()
}

/// The share that each factor has of the variance of the first objective.
fn shares(all: &[(usize, &Trial)], objectives: &[Objective], factors: &[Factor]) -> Option<Vec<f64>> {
    let objective = objectives.first()?;
    let measured: Vec<(usize, f64)> =
        all.iter().enumerate().filter_map(|(at, (_, trial))| Some((at, worth(trial, objective)?))).collect();
    let last = &measured[measured.len().saturating_sub(RECKONED)..];
    if last.len() < FEWEST {
        return None;
    }
    let options: Vec<usize> = factors.iter().map(|factor| factor.options).collect();
    let rows: Vec<Vec<usize>> = last.iter().map(|(at, _)| factors.iter().map(|f| f.taken[*at]).collect()).collect();
    let values: Vec<f64> = last.iter().map(|(_, worth)| *worth).collect();
    importance(&options, &rows, &values, 0)
}

/// Columns of the factors, the most important first; in their order where that is not known.
fn important_first(factors: &[Factor], shares: Option<&[f64]>) -> Vec<usize> {
    let share = |at: usize| shares.map_or(0.0, |shares| shares[at]);
    let mut order: Vec<usize> = (0..factors.len()).collect();
    order.sort_by(|&a, &b| share(b).total_cmp(&share(a)));
    order.into_iter().map(|at| factors[at].column).collect()
}

fn important(objectives: &[Objective], factors: &[Factor], shares: &[f64]) -> Option<Block> {
    let mut rows: Vec<(String, Number)> =
        factors.iter().zip(shares).map(|(factor, share)| (factor.name.clone(), Number(*share))).collect();
    rows.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
    rows.truncate(DRAWN);
    let together = (1.0 - shares.iter().sum::<f64>()).max(0.0);
    let objective = &objectives.first()?.name;
    Some(Block::Figure(Figure {
        id: "importance".to_owned(),
        title: "Importance of each decision".to_owned(),
        caption: format!(
            "The share of the variance of {objective} that each decision has by itself, by a functional analysis of variance on a forest of \
             regression trees (Hutter et al. 2014); {} is what decisions do only together. It tells of the trials there are: a sampler \
             that keeps to what is good sees little of the rest.",
            number(together, Form::Share)
        ),
        plot: Plot::Bars { axis: Axis::new("share of the variance", Form::Share), rows },
    }))
}
