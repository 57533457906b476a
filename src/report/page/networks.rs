//! The networks that a run trained from scratch, side by side.

use super::document::{Axis, Better, Block, Cell, Column, Figure, Form, Interval, Number, Plot, Table};
use super::written::{number, whole};
use crate::report::statistics::{deviation, mean};
use crate::run::NetworkFacts;
use crate::run::evaluate::wilson;
use crate::run::trace::{Came, Trace};
use serde::Deserialize as _;

/// The networks that have been tested: those of the summary; while there is none, what the metrics say.
pub(super) fn facts(trace: &Trace) -> Vec<NetworkFacts> {
    let bare = |name: &str, test_accuracy: f64| NetworkFacts {
        name: name.to_owned(),
        genotype: None,
        parameters: 0,
        multiply_adds: 0,
        test_accuracy,
        balanced_accuracy: None,
        train_seconds: f64::NAN,
    };
    match &trace.came {
        Some(Came::Search(summary)) => summary.networks.clone(),
        Some(Came::Random(summary)) => summary.networks.clone(),
        Some(Came::Training(summary)) => {
            // The file has all of it but the name.
            let mut named = (**summary).clone();
            named["name"] = "trained".into();
            NetworkFacts::deserialize(&named).into_iter().collect()
        }
        None => {
            let tested = |network: &crate::run::trace::Network| Some(bare(&network.name, network.test_accuracy?));
            trace.course.networks.iter().filter_map(tested).collect()
        }
    }
}

/// Number of test images, if it is known.
pub(super) fn images(trace: &Trace) -> Option<usize> {
    let images: u64 = trace.classes.iter().map(|(_, images)| images).sum();
    (images > 0).then(|| usize::try_from(images).ok()).flatten()
}

/// The figure and the table.
pub(super) fn blocks(trace: &Trace) -> Vec<Block> {
    let networks = facts(trace);
    if networks.is_empty() {
        return Vec::new();
    }
    let images = images(trace);
    let interval = |network: &NetworkFacts| {
        let nothing = [f64::NAN; 2];
        images.map_or(nothing, |images| wilson(network.test_accuracy, images))
    };
    let is_found = |network: &NetworkFacts| ["searched", "trained"].contains(&network.name.as_str());
    let rows = networks.iter().map(|network| {
        let [low, high] = interval(network).map(Number);
        Interval {
            name: network.name.clone(),
            value: Number(network.test_accuracy),
            low,
            high,
            emphasis: is_found(network),
        }
    });
    let caption = match images {
        Some(images) => format!(
            "Share of right answers on {} test images, which neither search nor training has seen. The line is what the share lies \
             between with 95 % (Wilson), by the number of these images alone: what another training would come to is not in it.",
            whole(images as f64)
        ),
        None => "Share of right answers on the test images, which neither search nor training has seen.".to_owned(),
    };
    let figure = Figure {
        id: "accuracies".to_owned(),
        title: "Test accuracy, trained alike".to_owned(),
        caption,
        plot: Plot::Intervals { axis: Axis::new("test accuracy", Form::Share), rows: rows.collect() },
    };
    let better = |name: &str, form: Form, better: Better| Column { better: Some(better), ..Column::new(name, form) };
    let table = Table {
        id: "networks".to_owned(),
        caption: "Networks trained from scratch".to_owned(),
        columns: vec![
            Column::new("network", Form::Text),
            better("test accuracy", Form::Share, Better::More),
            Column::new("95 %", Form::Text),
            better("parameters", Form::Whole, Better::Less),
            better("multiply-adds", Form::Whole, Better::Less),
            better("seconds", Form::Seconds, Better::Less),
        ],
        rows: networks
            .iter()
            .map(|network| {
                let interval = interval(network).map(|share| 100.0 * share);
                let known = |count: u64| Cell::number((count > 0).then_some(count as f64));
                vec![
                    Cell::Text(network.name.clone()),
                    Cell::number(Some(network.test_accuracy)),
                    Cell::Text(match interval {
                        [low, high] if low.is_finite() => format!("{low:.2}–{high:.2}"),
                        _ => "–".to_owned(),
                    }),
                    known(network.parameters),
                    known(network.multiply_adds),
                    Cell::number(Some(network.train_seconds)),
                ]
            })
            .collect(),
        marked: networks.iter().position(is_found).into_iter().collect(),
        links: Vec::new(),
        together: None,
    };
    vec![Block::Figure(figure), Block::Table(table)]
}

/// How the network found compares with random ones, in a sentence.
pub(super) fn verdict(trace: &Trace) -> Option<String> {
    let networks = facts(trace);
    let found = networks.iter().find(|network| network.name == "searched")?.test_accuracy;
    let random: Vec<f64> =
        networks.iter().filter(|network| network.name.starts_with("random ")).map(|n| n.test_accuracy).collect();
    let middle = mean(&random)?;
    let spread = deviation(&random).map_or(String::new(), |spread| format!(" ± {:.2}", 100.0 * spread));
    let [low, high] = images(trace).map_or([found; 2], |images| wilson(found, images));
    let side = if middle < low {
        "better than random architectures, as far as the test images tell: other seeds may tell otherwise"
    } else if middle > high {
        "worse than random architectures"
    } else {
        "not told apart from random architectures: their mean lies within its interval"
    };
    Some(format!(
        "{} trained alike, of the same space, {} {:.2}{spread} %. By this run alone what was found is {side}.",
        if random.len() == 1 {
            "A random architecture,".to_owned()
        } else {
            format!("{} random architectures,", random.len())
        },
        if random.len() == 1 { "has" } else { "have" },
        100.0 * middle,
    ))
}

/// An accuracy with its interval.
pub(super) fn accuracy(trace: &Trace, accuracy: f64) -> String {
    let told = number(accuracy, Form::Share);
    match images(trace) {
        Some(images) => {
            let [low, high] = wilson(accuracy, images).map(|share| 100.0 * share);
            format!("{told} of {} test images (95 %: {low:.2} to {high:.2} %)", whole(images as f64))
        }
        None => format!("{told} of the test images"),
    }
}
