//! How a search and trainings went: curves.

use super::document::{Axis, Block, Figure, Form, Plot, Series};
use super::thin::{line, together};
use crate::run::trace::{ControllerEpoch, SearchEpoch, Trace, TrainEpoch};

/// A figure of lines, if any has a point.
pub(super) fn figure(
    id: &str,
    title: &str,
    caption: &str,
    [x, y]: [(&str, Form); 2],
    series: Vec<Series>,
) -> Option<Block> {
    let series: Vec<Series> = series.into_iter().filter(|series| !series.x.is_empty()).collect();
    let [x, y] = [x, y].map(|(label, form)| Axis::new(label, form));
    (!series.is_empty()).then(|| {
        Block::Figure(Figure {
            id: id.to_owned(),
            title: title.to_owned(),
            caption: caption.to_owned(),
            plot: Plot::Lines { x, y, series },
        })
    })
}

const EPOCH: (&str, Form) = ("epoch", Form::Whole);

/// Losses by step and accuracies by epoch.
pub(super) fn search(trace: &Trace) -> Vec<Block> {
    let course = &trace.course;
    let steps = |name: &str, of: fn(&crate::run::trace::Step) -> Option<f64>| {
        line(name, course.steps.iter().map(|step| (step.step as f64, of(step))))
    };
    let loss = vec![steps("weights", |step| step.train_loss), steps("α", |step| step.valid_loss)];
    let caption = match together(course.steps.len()) {
        1 => "Cross-entropy of each step: of the weights on their images, of α on others.".to_owned(),
        many => format!(
            "Cross-entropy of the steps, {many} neighbours at a time: the line is their mean, the band goes from the least to the \
             greatest. Of the weights on their images, of α on others."
        ),
    };
    let epochs = |name: &str, of: fn(&SearchEpoch) -> Option<f64>| {
        line(name, course.epochs.iter().map(|epoch| (epoch.epoch as f64 + 1.0, of(epoch))))
    };
    let accuracy = vec![
        epochs("weights' images", |epoch| epoch.train_accuracy),
        epochs("supernet", |epoch| epoch.supernet_accuracy),
        epochs("derived", |epoch| epoch.derived_accuracy),
    ];
    let told = "Share of right answers by epoch: in the steps of the weights, and of the whole supernet and of the derived architecture \
                with its weights on images that train no weights.";
    let loss = figure("search-loss", "Loss", &caption, [("step", Form::Whole), ("loss", Form::Number)], loss);
    let accuracy = figure("search-accuracy", "Accuracy", told, [EPOCH, ("accuracy", Form::Share)], accuracy);
    [loss, accuracy].into_iter().flatten().collect()
}

/// The discretisation gap, the entropy of α, skips, the Hessian's eigenvalue.
pub(super) fn collapse(trace: &Trace) -> Vec<Block> {
    let of = |name: &str, of: fn(&SearchEpoch) -> Option<f64>| {
        vec![line(name, trace.course.epochs.iter().map(|epoch| (epoch.epoch as f64 + 1.0, of(epoch))))]
    };
    let mut blocks: Vec<Block> = Vec::new();
    let said =
        trace.course.epochs.iter().rev().find_map(|epoch| epoch.collapse.as_ref().map(|said| (epoch.epoch, said)));
    if let Some((epoch, said)) = said {
        blocks.push(Block::Warning { text: format!("Epoch {}: {said}", epoch + 1) });
    } else if !trace.course.epochs.is_empty() {
        blocks.push(Block::Words { text: "No epoch gave a sign of collapse.".to_owned() });
    }
    let figures = [
        figure(
            "gap",
            "Discretisation gap",
            "The supernet's accuracy less that of the derived architecture with the same weights: what is lost by deciding. A gap that \
             grows says that α does not tell what a network of its choices is worth.",
            [EPOCH, ("gap", Form::Share)],
            of("gap", |epoch| epoch.gap),
        ),
        figure(
            "entropy",
            "Entropy of α",
            "1: all options of all edges weigh alike; 0: all is decided.",
            [EPOCH, ("entropy", Form::Number)],
            of("entropy", |epoch| epoch.entropy),
        ),
        figure(
            "skips",
            "Skip connections",
            "Of the architecture that each epoch stood for. Many of them are how DARTS collapses.",
            [EPOCH, ("skip connections", Form::Whole)],
            of("skips", |epoch| epoch.skips),
        ),
        figure(
            "eigenvalue",
            "Dominant eigenvalue",
            "Of the Hessian of the validation loss by α: it grows before a search collapses (Zela et al. 2020).",
            [EPOCH, ("eigenvalue", Form::Number)],
            of("eigenvalue", |epoch| epoch.eigenvalue),
        ),
    ];
    blocks.extend(figures.into_iter().flatten());
    blocks
}

/// What a controller was paid, and how much it leaves open.
pub(super) fn controller(trace: &Trace) -> Vec<Block> {
    let of = |name: &str, of: fn(&ControllerEpoch) -> Option<f64>| {
        line(name, trace.course.controller.iter().map(|epoch| (epoch.epoch as f64 + 1.0, of(epoch))))
    };
    let figures = [
        figure(
            "reward",
            "Reward",
            "Accuracy of the controller's architectures with the shared weights, on images that train none of these; the baseline that it \
             is compared with; and the share of right answers in the steps of the weights.",
            [EPOCH, ("accuracy", Form::Share)],
            vec![
                of("reward", |epoch| epoch.reward),
                of("baseline", |epoch| epoch.baseline),
                of("weights' images", |epoch| epoch.train_accuracy),
            ],
        ),
        figure(
            "controller-entropy",
            "Entropy of the controller",
            "In nats an architecture, all its decisions together: 0 where it writes but one.",
            [EPOCH, ("entropy", Form::Number)],
            vec![of("entropy", |epoch| epoch.entropy)],
        ),
        figure(
            "shared-loss",
            "Loss of the shared weights",
            "Mean cross-entropy of their steps.",
            [EPOCH, ("loss", Form::Number)],
            vec![of("loss", |epoch| epoch.train_loss)],
        ),
    ];
    figures.into_iter().flatten().collect()
}

/// Architectures ranked with shared weights, the best first, beside random ones.
pub(super) fn ranking(trace: &Trace) -> Vec<Block> {
    let sorted = |name: &str, accuracies: &[f64]| {
        let mut accuracies = accuracies.to_vec();
        accuracies.sort_by(|a, b| b.total_cmp(a));
        line(name, accuracies.into_iter().enumerate().map(|(at, accuracy)| (at as f64 + 1.0, Some(accuracy))))
    };
    let series = vec![sorted("of the strategy", &trace.course.ranked), sorted("random", &trace.course.compared)];
    let caption = "Accuracy with the shared weights, on images that trained none of these, the best first.";
    let axes = [("place", Form::Whole), ("accuracy", Form::Share)];
    figure("ranked", "Ranked with shared weights", caption, axes, series).into_iter().collect()
}

/// Losses and accuracies of the networks that are trained from scratch.
pub(super) fn training(trace: &Trace) -> Vec<Block> {
    let of = |of: fn(&TrainEpoch) -> Option<f64>| -> Vec<Series> {
        let networks = trace.course.networks.iter();
        networks.map(|n| line(&n.name, n.epochs.iter().map(|epoch| (epoch.epoch as f64 + 1.0, of(epoch))))).collect()
    };
    let figures = [
        figure(
            "training-accuracy",
            "Accuracy",
            "Share of right answers on the training images as they are varied, by epoch.",
            [EPOCH, ("accuracy", Form::Share)],
            of(|epoch| epoch.train_accuracy),
        ),
        figure(
            "training-loss",
            "Loss",
            "Mean cross-entropy of an epoch's steps, with label smoothing where the training has it.",
            [EPOCH, ("loss", Form::Number)],
            of(|epoch| epoch.train_loss),
        ),
    ];
    figures.into_iter().flatten().collect()
}
