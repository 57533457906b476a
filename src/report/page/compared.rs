//! The document of several runs: those that differ in the seed alone are one row of every comparison.

use super::document::{
    Axis, Better, Block, Cell, Column, Document, FORMAT, Figure, Form, Number, Plot, Sample, Section, Table,
};
use super::named::Named;
use super::one::state;
use super::written::count;
use super::{costs, curves, networks};
use crate::report::statistics::{Comparison, LEVEL, compare, deviation, holm, mean};
use crate::run::Purpose;
use crate::run::trace::{Came, Trace};
use toml::Table as Toml;

/// The identifier of the table of runs.
const RUNS: &str = "runs-table";

/// Runs that differ in the seed alone.
struct Group<'a> {
    label: String,
    config: Toml,
    runs: Vec<&'a Named<'a>>,
}

impl Group<'_> {
    /// Test accuracies of the networks of a kind.
    fn accuracies(&self, is: impl Fn(&str) -> bool) -> Vec<f64> {
        let networks = self.runs.iter().flat_map(|run| networks::facts(run.trace));
        networks.filter(|network| is(&network.name)).map(|network| network.test_accuracy).collect()
    }

    fn found(&self) -> Vec<f64> {
        self.accuracies(|name| name == "searched" || name == "trained")
    }

    fn random(&self) -> Vec<f64> {
        self.accuracies(|name| name.starts_with("random "))
    }
}

/// The document of several runs; `links` say what each leads to, from the page's address, if they lead anywhere.
pub(super) fn document(traces: &[&Trace], links: Vec<String>) -> Document {
    let all = Named::all(traces);
    let groups = grouped(&all);
    let section = |id: &'static str, title: &str, blocks: Vec<Block>| Section { id, title: title.to_owned(), blocks };
    let sections = [
        section("summary", "Summary", summary(&all, &groups)),
        section("runs", "Runs", vec![Block::Table(runs(&all, &groups, links))]),
        section("search", "Search", curves::searches(&all)),
        section("training", "Training what was found", curves::trainings(&all)),
        section("again", "The same again", traces.first().map(|trace| costs::again(trace)).unwrap_or_default()),
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
fn grouped<'a>(runs: &'a [Named<'a>]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for run in runs {
        let mut config = run.trace.table.clone();
        for key in ["seed", "device", "checkpoint"] {
            config.remove(key);
        }
        match groups.iter_mut().find(|group| group.config == config) {
            Some(group) => group.runs.push(run),
            None => groups.push(Group { label: label(run.trace), config, runs: vec![run] }),
        }
    }
    // What two groups are both called says too little.
    let names: Vec<String> = groups.iter().map(|group| group.label.clone()).collect();
    for group in &mut groups {
        if names.iter().filter(|name| **name == group.label).count() > 1 {
            group.label = group.runs.first().map_or(String::new(), |run| format!("{} ({})", group.label, run.name));
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
fn summary(runs: &[Named<'_>], groups: &[Group<'_>]) -> Vec<Block> {
    let over = runs.iter().filter(|run| run.trace.came.is_some()).count();
    let mut blocks = vec![Block::Words {
        text: match groups.len() {
            1 => format!("{} that differ in the seed alone; {over} finished.", count(runs.len(), "run")),
            many => format!("{} of {many} configurations; {over} finished.", count(runs.len(), "run")),
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
        together: None,
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
        together: None,
    };
    vec![Block::Words { text }, Block::Table(table)]
}

fn runs(runs: &[Named<'_>], groups: &[Group<'_>], links: Vec<String>) -> Table {
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
    let rows = runs.iter().map(|run| {
        let trace = run.trace;
        let of = groups.iter().find(|group| group.runs.iter().any(|other| std::ptr::eq(*other, run)));
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
            Cell::Text(run.name.clone()),
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
        id: RUNS.to_owned(),
        caption: "Runs".to_owned(),
        rows: rows.collect(),
        columns,
        marked: Vec::new(),
        links,
        together: None,
    }
}
