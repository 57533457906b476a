//! The document of several runs: those that differ in the seed alone are one row of every comparison.

use super::course::figure;
use super::document::{
    Axis, Better, Block, Cell, Column, Document, FORMAT, Figure, Form, Number, Plot, Sample, Section, Series, Table,
};
use super::one::{name, state};
use super::thin::line;
use super::written::{count, number};
use super::{costs, networks};
use crate::report::statistics::{Comparison, LEVEL, compare, deviation, holm, mean};
use crate::run::Purpose;
use crate::run::trace::{Came, SearchEpoch, Trace, TrainEpoch};
use toml::Table as Toml;

/// The most runs whose curves are drawn.
const DRAWN: usize = 16;

/// Runs that differ in the seed alone.
struct Group<'a> {
    label: String,
    config: Toml,
    traces: Vec<&'a Trace>,
}

impl Group<'_> {
    /// Test accuracies of the networks of a kind.
    fn accuracies(&self, is: impl Fn(&str) -> bool) -> Vec<f64> {
        let networks = self.traces.iter().flat_map(|trace| networks::facts(trace));
        networks.filter(|network| is(&network.name)).map(|network| network.test_accuracy).collect()
    }

    fn found(&self) -> Vec<f64> {
        self.accuracies(|name| name == "searched" || name == "trained")
    }

    fn random(&self) -> Vec<f64> {
        self.accuracies(|name| name.starts_with("random "))
    }
}

/// The document of several runs.
pub(super) fn document(traces: &[Trace]) -> Document {
    let groups = grouped(traces);
    let section = |id: &'static str, title: &str, blocks: Vec<Block>| Section { id, title: title.to_owned(), blocks };
    let sections = [
        section("summary", "Summary", summary(traces, &groups)),
        section("runs", "Runs", vec![Block::Table(runs(traces, &groups))]),
        section("search", "Search", searches(traces)),
        section("training", "Training what was found", trainings(traces)),
        section("again", "The same again", traces.first().map(costs::again).unwrap_or_default()),
    ];
    let labels: Vec<&str> = groups.iter().map(|group| group.label.as_str()).collect();
    Document {
        format: FORMAT,
        title: match labels[..] {
            [one] => one.to_owned(),
            [] => "No runs".to_owned(),
            _ => format!("{} compared", count(groups.len(), "configuration")),
        },
        subtitle: count(traces.len(), "run"),
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
    }
}

/// Runs by configuration, in the order in which these come first.
fn grouped(traces: &[Trace]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for trace in traces {
        let mut config = trace.table.clone();
        for key in ["seed", "device", "checkpoint"] {
            config.remove(key);
        }
        match groups.iter_mut().find(|group| group.config == config) {
            Some(group) => group.traces.push(trace),
            None => groups.push(Group { label: label(trace), config, traces: vec![trace] }),
        }
    }
    // What two groups are both called says too little.
    let names: Vec<String> = groups.iter().map(|group| group.label.clone()).collect();
    for group in &mut groups {
        if names.iter().filter(|name| **name == group.label).count() > 1 {
            group.label =
                group.traces.first().map_or(String::new(), |trace| format!("{} ({})", group.label, name(trace)));
        }
    }
    groups
}

fn label(trace: &Trace) -> String {
    let said = |group: &str, otherwise: &str| {
        let key = if group == "search" { "strategy" } else { "name" };
        trace.said(group, key).unwrap_or(otherwise).to_owned()
    };
    let by = match trace.purpose() {
        Purpose::Search => said("search", trace.said("strategy", "").unwrap_or("darts")),
        Purpose::Training => "training".to_owned(),
        Purpose::Random => "random".to_owned(),
    };
    format!("{by} in {} on {}", said("space", "darts"), said("data", "digits"))
}

/// Accuracies with mean and deviation, and what tests say of them.
fn summary(traces: &[Trace], groups: &[Group<'_>]) -> Vec<Block> {
    let over = traces.iter().filter(|trace| trace.came.is_some()).count();
    let mut blocks = vec![Block::Words {
        text: match groups.len() {
            1 => format!("{} that differ in the seed alone; {over} finished.", count(traces.len(), "run")),
            many => format!("{} of {many} configurations; {over} finished.", count(traces.len(), "run")),
        },
    }];
    let sample = |name: String, values: &[f64], yardstick: bool| Sample {
        name,
        values: values.iter().copied().map(Number).collect(),
        mean: Number(mean(values).unwrap_or(f64::NAN)),
        deviation: Number(deviation(values).unwrap_or(f64::NAN)),
        yardstick,
    };
    let mut rows = Vec::new();
    for group in groups {
        let (found, random) = (group.found(), group.random());
        if !found.is_empty() {
            rows.push(sample(group.label.clone(), &found, false));
        }
        if !random.is_empty() {
            rows.push(sample(format!("random beside {}", group.label), &random, true));
        }
    }
    if rows.is_empty() {
        return blocks;
    }
    let columns = vec![
        Column::new("networks", Form::Text),
        Column::new("number", Form::Whole),
        Column { better: Some(Better::More), ..Column::new("mean", Form::Share) },
        Column::new("deviation", Form::Share),
        Column { better: Some(Better::More), ..Column::new("best", Form::Share) },
    ];
    let cells = rows.iter().map(|row| {
        let best = row.values.iter().map(|value| value.0).fold(f64::NEG_INFINITY, f64::max);
        vec![
            Cell::Text(row.name.clone()),
            Cell::number(Some(row.values.len() as f64)),
            Cell::Number(row.mean),
            Cell::Number(row.deviation),
            Cell::number(Some(best)),
        ]
    });
    let caption = "Test accuracies: mean and standard deviation of the sample (n − 1)".to_owned();
    let table = Table {
        id: "samples".to_owned(),
        caption,
        columns,
        rows: cells.collect(),
        marked: Vec::new(),
        links: Vec::new(),
    };
    blocks.push(Block::Figure(Figure {
        id: "samples-drawn".to_owned(),
        title: "Test accuracy".to_owned(),
        caption: "Each dot is a network trained from scratch; the stroke is the mean, the bar one standard deviation to both sides. Random \
                  networks are of the same space and were trained alike."
            .to_owned(),
        plot: Plot::Dots { axis: Axis::new("test accuracy", Form::Share), rows },
    }));
    blocks.push(Block::Table(table));
    blocks.extend(tests(groups));
    blocks
}

/// Each configuration against random networks beside it, and against every other.
fn tests(groups: &[Group<'_>]) -> Vec<Block> {
    let mut pairs: Vec<(String, String, Comparison)> = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let found = group.found();
        let mut held = |name: String, other: &[f64]| {
            pairs.extend(compare(&found, other).map(|comparison| (group.label.clone(), name, comparison)));
        };
        held("random beside it".to_owned(), &group.random());
        for other in &groups[at + 1..] {
            held(other.label.clone(), &other.found());
        }
    }
    if pairs.is_empty() {
        return Vec::new();
    }
    let corrected = holm(&pairs.iter().map(|(.., comparison)| comparison.p).collect::<Vec<_>>());
    let significant: Vec<String> = pairs
        .iter()
        .zip(&corrected)
        .filter(|(_, p)| **p < LEVEL)
        .map(|((first, second, comparison), p)| {
            let side = if comparison.better > 0.5 { "better" } else { "worse" };
            format!("{first} is {side} than {second} (p = {p:.3})")
        })
        .collect();
    let few = pairs.iter().all(|(.., comparison)| comparison.least_p >= LEVEL);
    let text = match (significant.is_empty(), few) {
        (false, _) => format!("Told apart at a level of {LEVEL}, corrected by Holm: {}.", significant.join("; ")),
        (true, false) => format!("No two are told apart at a level of {LEVEL}."),
        (true, true) => {
            format!(
                "With so few networks no test could tell any two apart at a level of {LEVEL}, whatever they had come to: more seeds can tell more."
            )
        }
    };
    let rows = pairs.into_iter().zip(corrected).map(|((first, second, comparison), corrected)| {
        let Comparison { better, p, least_p } = comparison;
        let numbers = [better, p, corrected, least_p].map(|value| Cell::number(Some(value)));
        [Cell::Text(first), Cell::Text(second)].into_iter().chain(numbers).collect()
    });
    let table = Table {
        id: "tests".to_owned(),
        caption: "Mann and Whitney's test, two-sided; p also as corrected by Holm".to_owned(),
        columns: vec![
            Column::new("networks of", Form::Text),
            Column::new("held against", Form::Text),
            Column::new("pairs in which it is better", Form::Share),
            Column::new("p", Form::Number),
            Column::new("p corrected", Form::Number),
            Column::new("least p possible", Form::Number),
        ],
        rows: rows.collect(),
        marked: Vec::new(),
        links: Vec::new(),
    };
    vec![Block::Words { text }, Block::Table(table)]
}

fn runs(traces: &[Trace], groups: &[Group<'_>]) -> Table {
    let better = |name: &str, form: Form, better: Better| Column { better: Some(better), ..Column::new(name, form) };
    let columns = vec![
        Column::new("run", Form::Text),
        Column::new("configuration", Form::Text),
        Column::new("seed", Form::Whole),
        Column::new("state", Form::Text),
        better("test accuracy", Form::Share, Better::More),
        better("parameters", Form::Whole, Better::Less),
        better("multiply-adds", Form::Whole, Better::Less),
        better("search", Form::Seconds, Better::Less),
        better("altogether", Form::Seconds, Better::Less),
        Column { hidden: true, ..Column::new("architecture", Form::Text) },
    ];
    let rows = traces.iter().map(|trace| {
        let of = groups.iter().find(|group| group.traces.iter().any(|other| std::ptr::eq(*other, trace)));
        let networks = networks::facts(trace);
        let found = networks.iter().find(|network| ["searched", "trained"].contains(&network.name.as_str()));
        let seconds = match &trace.came {
            Some(Came::Search(summary)) => [Some(summary.search_seconds), Some(summary.total_seconds)],
            Some(Came::Random(summary)) => [None, Some(summary.total_seconds)],
            Some(Came::Training(summary)) => [None, summary["train_seconds"].as_f64()],
            None => [None, None],
        };
        let count = |count: u64| (count > 0).then_some(count as f64);
        let mut row = vec![
            Cell::Text(name(trace)),
            Cell::Text(of.map_or(String::new(), |group| group.label.clone())),
            Cell::number(trace.table.get("seed").and_then(toml::Value::as_integer).map(|seed| seed as f64)),
            Cell::Text(state(trace)),
            Cell::number(found.map(|network| network.test_accuracy)),
            Cell::number(found.and_then(|network| count(network.parameters))),
            Cell::number(found.and_then(|network| count(network.multiply_adds))),
        ];
        row.extend(seconds.map(Cell::number));
        row.push(Cell::Text(found.and_then(|network| network.genotype.clone()).unwrap_or_default()));
        row
    });
    Table {
        id: "runs-table".to_owned(),
        caption: "Runs".to_owned(),
        rows: rows.collect(),
        columns,
        marked: Vec::new(),
        links: Vec::new(),
    }
}

/// That not all are drawn, if not all are.
fn some(traces: &[Trace]) -> String {
    match traces.len() > DRAWN {
        true => format!(" Of {} runs the first {DRAWN}.", number(traces.len() as f64, Form::Whole)),
        false => String::new(),
    }
}

/// By epoch, of each search that moves architecture weights; rewards of those with a controller; the best by trial of studies.
fn searches(traces: &[Trace]) -> Vec<Block> {
    let first = &traces[..traces.len().min(DRAWN)];
    let epochs = |of: fn(&SearchEpoch) -> Option<f64>| -> Vec<Series> {
        let points =
            |trace: &Trace| line(&name(trace), trace.course.epochs.iter().map(|e| (e.epoch as f64 + 1.0, of(e))));
        first.iter().map(points).collect()
    };
    let reward = |trace: &Trace| {
        line(&name(trace), trace.course.controller.iter().map(|epoch| (epoch.epoch as f64 + 1.0, epoch.reward)))
    };
    let best = |trace: &Trace| {
        let mut best = f64::NEG_INFINITY;
        let trials = trace.course.trials.iter().filter_map(|(number, trial)| {
            best = best.max(trial.objectives.get("accuracy").copied().flatten()?);
            Some((*number as f64 + 1.0, Some(best)))
        });
        line(&name(trace), trials)
    };
    let epoch = ("epoch", Form::Whole);
    let with = |text: &str| format!("{text}{}", some(traces));
    [
        figure(
            "searches-supernet",
            "Accuracy of the supernet",
            &with("By epoch, on images that train no weights; a line for each run."),
            [epoch, ("accuracy", Form::Share)],
            epochs(|epoch| epoch.supernet_accuracy),
        ),
        figure(
            "searches-gap",
            "Discretisation gap",
            &with("The supernet's accuracy less that of the derived architecture with the same weights."),
            [epoch, ("gap", Form::Share)],
            epochs(|epoch| epoch.gap),
        ),
        figure(
            "searches-entropy",
            "Entropy of α",
            &with("1: all options weigh alike; 0: all is decided."),
            [epoch, ("entropy", Form::Number)],
            epochs(|epoch| epoch.entropy),
        ),
        figure(
            "searches-skips",
            "Skip connections",
            &with("Of the architecture that each epoch stood for."),
            [epoch, ("skip connections", Form::Whole)],
            epochs(|epoch| epoch.skips),
        ),
        figure(
            "searches-reward",
            "Reward of the controller",
            &with("By epoch; a line for each run."),
            [epoch, ("accuracy", Form::Share)],
            first.iter().map(reward).collect(),
        ),
        figure(
            "searches-best",
            "Best trial so far",
            &with("Accuracy of the best of the trials up to each."),
            [("trial", Form::Whole), ("accuracy", Form::Share)],
            first.iter().map(best).collect(),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Curves of the training of what each run found.
fn trainings(traces: &[Trace]) -> Vec<Block> {
    let first = &traces[..traces.len().min(DRAWN)];
    let of = |of: fn(&TrainEpoch) -> Option<f64>| -> Vec<Series> {
        let network = |trace: &Trace| {
            let network = trace.course.networks.first()?;
            Some(line(&name(trace), network.epochs.iter().map(|epoch| (epoch.epoch as f64 + 1.0, of(epoch)))))
        };
        first.iter().filter_map(network).collect()
    };
    let caption = format!("On the training images as they are varied, by epoch; a line for each run.{}", some(traces));
    let epoch = ("epoch", Form::Whole);
    [
        figure(
            "trainings-accuracy",
            "Accuracy",
            &caption,
            [epoch, ("accuracy", Form::Share)],
            of(|epoch| epoch.train_accuracy),
        ),
        figure("trainings-loss", "Loss", &caption, [epoch, ("loss", Form::Number)], of(|epoch| epoch.train_loss)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
