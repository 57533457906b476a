//! What a search found, in words and pictures.

use super::classes;
use super::network::{self, Detail};
use super::plot::{self, AlphaHistory, Bar, Panel, Series};
use super::study;
use super::svg::{self, Arrangement};
use super::table::Table;
use super::{Diagram, DrawError};
use crate::run::{Config, Imbalance, Outcome, SharedWeights, Standing, Summary, Trained};
use crate::space::CellPlan;
use serde::Deserialize as _;
use std::path::Path;

/// A cell's plan as a diagram.
///
/// # Errors
/// As [`CellPlan::diagram`].
pub fn cell(plan: &CellPlan) -> Result<Diagram, DrawError> {
    let title = match plan.name.as_str() {
        "normal" => "Normal cell",
        "reduce" => "Reduction cell",
        "cell" => "Cell",
        other => other,
    };
    plan.diagram(title)
}

/// The pictures of a run: file names and SVG.
///
/// # Errors
/// [`DrawError`] if something cannot be drawn.
pub fn pictures(outcome: &Outcome, config: &Config) -> Result<Vec<(String, String)>, DrawError> {
    let mut pictures = Vec::new();
    let title = format!("{} on {}", config.space.name, config.data.name);
    let plans = config.space.build().map(|space| space.cells(&outcome.searched.architecture)).unwrap_or_default();
    let cells = plans.iter().map(cell).collect::<Result<Vec<_>, _>>()?;
    let drawn = match (&cells[..], outcome.trained.first()) {
        ([], Some(found)) => svg::draw(&network::diagram(&found.graph, &title, Detail::Groups(2))?)?,
        _ => svg::arrange(&title, &cells, Arrangement::Stacked)?,
    };
    pictures.push(("architecture.svg".to_owned(), drawn));
    if !outcome.searched.ranked.is_empty() {
        pictures.push(("ranking.svg".to_owned(), ranking(outcome)?));
    }
    if config.search.is_study() {
        pictures.push(("trials.svg".to_owned(), study::picture(&outcome.searched.trials, &config.objectives())?));
    }
    // Strategies without architecture weights have no epochs to tell of.
    let moved = if outcome.searched.epochs.is_empty() { &[] } else { &outcome.searched.options[..] };
    for (table, options) in moved {
        let epochs = outcome.searched.epochs.iter().map(|end| {
            let weights = end.weights.iter().find(|t| t.name == *table);
            let rows = weights.into_iter().flat_map(|t| (0..t.rows).map(|row| t.row(row)));
            rows.map(|row| row.iter().map(|&w| f64::from(w)).collect()).collect()
        });
        let rows = outcome
            .searched
            .epochs
            .first()
            .and_then(|end| end.weights.iter().find(|t| t.name == *table))
            .map_or(0, |t| t.rows);
        let history = AlphaHistory {
            operations: options.clone(),
            edges: (0..rows).map(|row| format!("{row}")).collect(),
            epochs: epochs.collect(),
        };
        pictures.push((
            format!("{table}.svg"),
            plot::alpha_means(&format!("{table}: mean weight of each operation"), &history)?,
        ));
    }
    if !outcome.searched.epochs.is_empty() {
        pictures.push(("search.svg".to_owned(), search_curves(outcome)?));
    }
    if !outcome.searched.controller.is_empty() {
        pictures.push(("controller.svg".to_owned(), controller_curves(outcome)?));
    }
    let trained: Vec<&Trained> = outcome.trained.iter().collect();
    pictures.push(("training.svg".to_owned(), training_curves(&trained)?));
    pictures.push(("accuracies.svg".to_owned(), accuracies(outcome)?));
    Ok(pictures)
}

/// Accuracies of ranked architectures in their order, and the best up to each; beside random ones, where there are any:
/// both from the best to the worst.
fn ranking(outcome: &Outcome) -> Result<String, DrawError> {
    let percent = |accuracies: &[f64]| -> Vec<f64> { accuracies.iter().map(|accuracy| 100.0 * accuracy).collect() };
    let (mut ranked, mut random) = (percent(&outcome.searched.ranked), percent(&outcome.searched.compared));
    let (series, x_label) = if random.is_empty() {
        let best: Vec<f64> = ranked
            .iter()
            .scan(f64::NEG_INFINITY, |best, &accuracy| {
                *best = best.max(accuracy);
                Some(*best)
            })
            .collect();
        (vec![Series::by_epoch("each", &ranked), Series::by_epoch("best so far", &best)], "architecture")
    } else {
        ranked.sort_by(|a, b| b.total_cmp(a));
        random.sort_by(|a, b| b.total_cmp(a));
        let name = outcome.summary.strategy.as_str();
        (vec![Series::by_epoch(name, &ranked), Series::by_epoch("random", &random)], "architecture, best first")
    };
    let panel = Panel { title: "accuracy, %".into(), x_label: x_label.into(), series, y_range: None };
    plot::lines("architectures ranked with shared weights", &[panel], 1)
}

fn search_curves(outcome: &Outcome) -> Result<String, DrawError> {
    let series = |name: &str, of: &dyn Fn(&crate::search::EpochEnd) -> f64| {
        Series::by_epoch(name, &outcome.searched.epochs.iter().map(of).collect::<Vec<_>>())
    };
    let panel = |title: &str, series: Vec<Series>| Panel {
        title: title.into(),
        x_label: "epoch".into(),
        series,
        y_range: None,
    };
    let accuracy = vec![
        series("training", &|e| 100.0 * e.train_accuracy),
        series("supernet", &|e| 100.0 * e.supernet_accuracy),
        series("derived", &|e| 100.0 * (e.supernet_accuracy - e.collapse.gap)),
    ];
    // What is no number has no point.
    let loss = vec![series("training", &|e| e.train_loss), series("validation", &|e| e.valid_loss.unwrap_or(f64::NAN))];
    let decided = vec![
        series("entropy of α", &|e| e.collapse.entropy),
        series("share of skips", &|e| e.collapse.skips[0] as f64 / e.collapse.skips[1].max(1) as f64),
    ];
    let panels = [panel("accuracy, %", accuracy), panel("loss", loss), panel("decidedness", decided)];
    plot::lines("search", &panels, 3)
}

/// What a controller was paid, how much it leaves open, and what the shared weights learned meanwhile.
fn controller_curves(outcome: &Outcome) -> Result<String, DrawError> {
    let series = |name: &str, of: &dyn Fn(&crate::search::ControllerEpoch) -> f64| {
        Series::by_epoch(name, &outcome.searched.controller.iter().map(of).collect::<Vec<_>>())
    };
    let panel = |title: &str, series: Vec<Series>| Panel {
        title: title.into(),
        x_label: "epoch".into(),
        series,
        y_range: None,
    };
    let accuracy = vec![
        series("reward", &|e| 100.0 * e.reward),
        series("baseline", &|e| 100.0 * e.baseline),
        series("training", &|e| 100.0 * e.train_accuracy),
    ];
    let panels = [
        panel("accuracy, %", accuracy),
        panel("entropy of the controller, nats", vec![series("entropy", &|e| e.entropy)]),
        panel("loss of the shared weights", vec![series("training", &|e| e.train_loss)]),
    ];
    plot::lines("controller", &panels, 3)
}

/// Training loss and accuracy by epoch of one or more networks, as SVG.
///
/// # Errors
/// [`DrawError`] if it cannot be drawn.
pub fn training_curves(trained: &[&Trained]) -> Result<String, DrawError> {
    let series = |of: &dyn Fn(&crate::estimate::EpochReport) -> f64| -> Vec<Series> {
        trained
            .iter()
            .map(|t| Series::by_epoch(t.facts.name.as_str(), &t.epochs.iter().map(of).collect::<Vec<_>>()))
            .collect()
    };
    plot::training_curves("training from scratch", &series(&|e| 100.0 * e.train_accuracy), &series(&|e| e.train_loss))
}

fn accuracies(outcome: &Outcome) -> Result<String, DrawError> {
    let bars: Vec<Bar> = outcome
        .summary
        .networks
        .iter()
        .map(|f| Bar {
            name: f.name.clone(),
            value: 100.0 * f.test_accuracy,
            deviation: None,
            emphasis: f.name == "searched",
        })
        .collect();
    plot::bars("test accuracy, trained alike", "%", &bars, 2)
}

/// What a search found, for a terminal.
pub fn text(outcome: &Outcome, config: &Config, directory: &Path) -> String {
    let mut text = String::new();
    if config.search.is_study() {
        text += &study::leaderboard(&outcome.searched.trials, &outcome.searched.trial_seconds, &config.objectives());
    }
    text += &summary_text(&outcome.summary, directory);
    if let [first, .., last] = &outcome.searched.controller[..] {
        text += &format!(
            "Entropy of the controller: {:.2} nats an architecture after the first epoch, {:.2} after the last.\n",
            first.entropy, last.entropy
        );
    }
    text
}

/// The same of its summary alone.
pub fn summary_text(s: &Summary, directory: &Path) -> String {
    let mut table = Table::new(&["network", "test accuracy", "parameters", "multiply-adds", "seconds"]);
    for f in &s.networks {
        table.row([
            f.name.clone(),
            format!("{:.2} %", 100.0 * f.test_accuracy),
            f.parameters.to_string(),
            f.multiply_adds.to_string(),
            format!("{:.1}", f.train_seconds),
        ]);
    }
    let mut text = format!("Found by {} in the space {} on {}:\n\n  {}\n\n", s.strategy, s.space, s.data, s.genotype);
    text += &table.render();
    text += "\n";
    for warning in &s.warnings {
        text += &format!("warning: {warning}\n");
    }
    if let Some(imbalance) = &s.imbalance {
        text += &classes::text(s.balanced_accuracy, imbalance);
    }
    if let Some(shared) = &s.shared_weights {
        text += &shared_weights(&s.strategy, shared);
    }
    if let Some(standing) = &s.benchmark {
        text += &benchmark(&s.data, standing);
    }
    let supernet = match s.supernet_parameters {
        0 => String::new(),
        parameters => format!(" ({parameters} parameters in the supernet)"),
    };
    let (search, device, total) = (s.search_seconds, &s.device, s.total_seconds);
    text += &format!("Search {search:.1} s on {device}{supernet}, {total:.1} s altogether.\n");
    text += &format!("Written to {} (architecture.svg is the drawing).\n", directory.display());
    text
}

/// Where what was found stands in the table of its benchmark, and what random search comes to there.
fn benchmark(data: &str, standing: &Standing) -> String {
    let Standing {
        name, dataset, index, test_accuracy, rank, of, optimum, random_search, random_search_seconds, ..
    } = standing;
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let elsewhere = if data == dataset { String::new() } else { format!(" (the search was on {data})") };
    let each =
        |architectures: &str| format!("{architectures} architecture{}", if architectures == "1" { "" } else { "s" });
    let (epochs, count) = (random_search.epochs, random_search.architectures.to_string());
    let in_time = format!("{:.1}", random_search_seconds.architectures);
    format!(
        "In the table of {name} it is #{index}: {} of the test images of {dataset} after 200 epochs, rank {rank} of {of}{elsewhere}; \
         the best has {}.\nRandom search comes to {} on average by {}, 12 epochs each, with as many epochs as the search ({epochs}); \
         to {} by {} in as many seconds.\n",
        percent(*test_accuracy),
        percent(*optimum),
        percent(random_search.test_accuracy),
        each(&count),
        percent(random_search_seconds.test_accuracy),
        each(&in_time),
    )
}

/// Whether a strategy's architectures are better than random ones with the same shared weights, whichever are.
fn shared_weights(strategy: &str, shared: &SharedWeights) -> String {
    let [own, random] = [&shared.strategy, &shared.random].map(|accuracies| {
        let best = accuracies.iter().copied().fold(0.0, f64::max);
        [best, accuracies.iter().sum::<f64>() / accuracies.len().max(1) as f64]
    });
    let percent = |[best, mean]: [f64; 2]| format!("best {:.2} %, mean {:.2} %", 100.0 * best, 100.0 * mean);
    let verdict = match own[1].total_cmp(&random[1]) {
        std::cmp::Ordering::Greater => "better than random on average",
        std::cmp::Ordering::Equal => "no better than random on average",
        std::cmp::Ordering::Less => "worse than random on average",
    };
    format!(
        "With the shared weights, on images that trained none of them: {} of {strategy} {}; {} at random {}: {verdict}.\n",
        shared.strategy.len(),
        percent(own),
        shared.random.len(),
        percent(random),
    )
}

/// What a training came to, for a terminal.
pub fn training_text(trained: &Trained, directory: &Path) -> String {
    let f = &trained.facts;
    let text = training(f.test_accuracy, trained.test_loss, f.parameters, f.multiply_adds, f.train_seconds, directory);
    text + &trained.imbalance.as_ref().map_or(String::new(), |i| classes::text(f.balanced_accuracy, i))
}

/// The same of its `summary.json` alone. What is missing there counts as nothing.
pub fn training_summary_text(summary: &serde_json::Value, directory: &Path) -> String {
    let number = |key: &str| summary[key].as_f64().unwrap_or_default();
    let count = |key: &str| summary[key].as_u64().unwrap_or_default();
    let (accuracy, loss, seconds) = (number("test_accuracy"), number("test_loss"), number("train_seconds"));
    let text = training(accuracy, loss, count("parameters"), count("multiply_adds"), seconds, directory);
    let imbalance = Imbalance::deserialize(&summary["imbalance"]).ok();
    text + &imbalance.map_or(String::new(), |i| classes::text(summary["balanced_accuracy"].as_f64(), &i))
}

fn training(accuracy: f64, loss: f64, parameters: u64, multiply_adds: u64, seconds: f64, directory: &Path) -> String {
    format!(
        "Test accuracy {:.2} % (loss {loss:.4}), {parameters} parameters, {multiply_adds} multiply-adds an image, \
         {seconds:.1} s.\nWritten to {}.\n",
        100.0 * accuracy,
        directory.display()
    )
}
