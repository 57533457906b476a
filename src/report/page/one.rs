//! The document of one run.

use super::document::{Block, Document, FORMAT, Form, Section};
use super::written::{count, number, whole};
use super::{cells, classes, costs, course, networks, trials};
use crate::run::trace::{Came, Trace};
use crate::run::{Purpose, Summary};
use serde_json::Value;

/// The document of one run: sections that there is something for.
pub(super) fn document(trace: &Trace) -> Document {
    let section = |id: &'static str, title: &str, blocks: Vec<Block>| Section { id, title: title.to_owned(), blocks };
    let sections = [
        section("summary", "Summary", summary(trace)),
        section("search", "Search", course::search(trace)),
        section("weights", cells_title(trace), cells::blocks(trace)),
        section("collapse", "Signs of collapse", course::collapse(trace)),
        section("controller", "Controller", course::controller(trace)),
        section("ranking", "Architectures ranked", course::ranking(trace)),
        section("trials", "Trials", trials::blocks(trace)),
        section("training", "Training from scratch", course::training(trace)),
        section("classes", "Classes", classes::blocks(trace)),
        section("costs", "What it took", costs::blocks(trace)),
        section("again", "The same again", costs::again(trace)),
    ];
    Document {
        format: FORMAT,
        title: title(trace),
        subtitle: format!("{} · {}", name(trace), state(trace)),
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
    }
}

fn cells_title(trace: &Trace) -> &'static str {
    if trace.course.epochs.is_empty() { "Cells" } else { "Architecture weights and cells" }
}

/// The last part of a run's path.
pub(super) fn name(trace: &Trace) -> String {
    trace.path.file_name().map_or("run".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// How far a run is.
pub(super) fn state(trace: &Trace) -> String {
    if let Some(failure) = &trace.failure {
        return format!("failed: {}", failure.reason);
    }
    if trace.came.is_some() {
        return "finished".to_owned();
    }
    match trace.timing.phases.last() {
        Some(last) if last.ended_by.is_some() => format!("stopped in the phase {}", last.phase),
        _ => "not finished".to_owned(),
    }
}

fn seed(trace: &Trace) -> i64 {
    trace.table.get("seed").and_then(toml::Value::as_integer).unwrap_or(0)
}

fn title(trace: &Trace) -> String {
    let data = trace.said("data", "name").unwrap_or("digits");
    let space = trace.said("space", "name").unwrap_or("darts");
    let by = match trace.purpose() {
        Purpose::Search => {
            trace.said("search", "strategy").or(trace.said("strategy", "")).unwrap_or("darts").to_owned()
        }
        Purpose::Training if trace.table.contains_key("model") => {
            return format!("A network trained further on {data}, seed {}", seed(trace));
        }
        Purpose::Training => "One training".to_owned(),
        Purpose::Random => "Random architectures".to_owned(),
    };
    format!("{by} in the space {space} on {data}, seed {}", seed(trace))
}

fn summary(trace: &Trace) -> Vec<Block> {
    let words = |text: String| Block::Words { text };
    let mut blocks = Vec::new();
    match &trace.came {
        Some(Came::Search(summary)) => {
            blocks.push(words(found(trace, summary)));
            blocks.extend(networks::verdict(trace).map(words));
            blocks.extend(summary.warnings.iter().map(|text| Block::Warning { text: text.clone() }));
            blocks.extend(standing(summary).map(words));
            let caption = "The architecture found".to_owned();
            blocks.push(Block::Code { caption, text: summary.genotype.clone() });
        }
        Some(Came::Training(summary)) => {
            let accuracy = summary["test_accuracy"].as_f64().unwrap_or(f64::NAN);
            blocks.push(words(format!(
                "The network is right on {}. It was trained for {}, {}.",
                networks::accuracy(trace, accuracy),
                number(summary["train_seconds"].as_f64().unwrap_or(f64::NAN), Form::Seconds),
                sizes(summary["parameters"].as_f64(), summary["multiply_adds"].as_f64()),
            )));
            if let Value::String(text) = &summary["genotype"] {
                blocks.push(Block::Code { caption: "The architecture".to_owned(), text: text.clone() });
            }
        }
        Some(Came::Random(summary)) => blocks.push(words(format!(
            "{} of the space {}, trained on {} in {}.",
            count(summary.networks.len(), "random architecture"),
            summary.space,
            summary.data,
            number(summary.total_seconds, Form::Seconds),
        ))),
        None => blocks.push(words(under_way(trace))),
    }
    if let Some(failure) = &trace.failure {
        let causes: String = failure.because.iter().map(|cause| format!(", because: {cause}")).collect();
        blocks.push(Block::Warning { text: format!("The run failed: {}{causes}", failure.reason) });
    }
    blocks.extend(trials::seconds(trace).map(words));
    blocks.extend(networks::blocks(trace));
    blocks
}

fn sizes(parameters: Option<f64>, multiply_adds: Option<f64>) -> String {
    let [parameters, multiply_adds] = [parameters, multiply_adds].map(|count| whole(count.unwrap_or_default()));
    format!("and has {parameters} parameters and {multiply_adds} multiply-adds an image")
}

fn found(trace: &Trace, summary: &Summary) -> String {
    let Summary { strategy, space, data, device, search_seconds, total_seconds, test_accuracy, .. } = summary;
    let seconds = |value: &f64| number(*value, Form::Seconds);
    format!(
        "{strategy} searched the space {space} on {data} for {} on {device}. What it found, trained from scratch, is right on {}, \
         {}. With all comparisons the run took {}.",
        seconds(search_seconds),
        networks::accuracy(trace, *test_accuracy),
        sizes(Some(summary.parameters as f64), Some(summary.multiply_adds as f64)),
        seconds(total_seconds),
    )
}

fn standing(summary: &Summary) -> Option<String> {
    let found = summary.benchmark.as_ref()?;
    let share = |share: f64| number(share, Form::Share);
    Some(format!(
        "In the table of {} it is architecture {} of {}: {} of the test images of {} after 200 epochs, rank {}; the best has {}. Random \
         search with as many epochs ({}) comes to {} on average.",
        found.name,
        whole(found.index as f64),
        whole(found.of as f64),
        share(found.test_accuracy),
        found.dataset,
        whole(found.rank as f64),
        share(found.optimum),
        found.random_search.epochs,
        share(found.random_search.test_accuracy),
    ))
}

/// What has been heard of a run that is not over.
fn under_way(trace: &Trace) -> String {
    let course = &trace.course;
    let heard: Vec<String> = [
        (course.steps.len(), "step"),
        (course.epochs.len() + course.controller.len(), "epoch of search"),
        (course.trials.len(), "trial"),
        (course.networks.len(), "network"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| match (what, number) {
        ("epoch of search", number) if number != 1 => format!("{} epochs of search", whole(number as f64)),
        (what, number) => count(number, what),
    })
    .collect();
    match heard.is_empty() {
        true => "The run has not come to its end; nothing was measured yet.".to_owned(),
        false => format!("The run has not come to its end. By now: {}.", heard.join(", ")),
    }
}
