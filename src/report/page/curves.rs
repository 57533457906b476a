//! Curves of several runs in one figure: of searches, and of the training of what these found.

use super::course::figure;
use super::document::{Block, Form, Series};
use super::named::Named;
use super::thin::line;
use super::written::whole;
use crate::run::trace::{SearchEpoch, TrainEpoch};

/// The most runs whose curves are drawn.
const DRAWN: usize = 16;

/// That not all are drawn, if not all are.
fn some(runs: &[Named<'_>]) -> String {
    match runs.len() > DRAWN {
        true => format!(" Of {} runs the first {DRAWN}.", whole(runs.len() as f64)),
        false => String::new(),
    }
}

/// By epoch, of each search that moves architecture weights; rewards of those with a controller; the best by trial of studies.
pub(super) fn searches(runs: &[Named<'_>]) -> Vec<Block> {
    let first = &runs[..runs.len().min(DRAWN)];
    let epochs = |of: fn(&SearchEpoch) -> Option<f64>| -> Vec<Series> {
        let points = |run: &Named<'_>| {
            line(&run.name, run.trace.course.epochs.iter().map(|epoch| (epoch.epoch as f64 + 1.0, of(epoch))))
        };
        first.iter().map(points).collect()
    };
    let reward = |run: &Named<'_>| {
        line(&run.name, run.trace.course.controller.iter().map(|epoch| (epoch.epoch as f64 + 1.0, epoch.reward)))
    };
    let best = |run: &Named<'_>| {
        let mut best = f64::NEG_INFINITY;
        let trials = run.trace.course.trials.iter().filter_map(|(number, trial)| {
            best = best.max(trial.objectives.get("accuracy").copied().flatten()?);
            Some((*number as f64 + 1.0, Some(best)))
        });
        line(&run.name, trials)
    };
    let epoch = ("epoch", Form::Whole);
    let with = |text: &str| format!("{text}{}", some(runs));
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
pub(super) fn trainings(runs: &[Named<'_>]) -> Vec<Block> {
    let first = &runs[..runs.len().min(DRAWN)];
    let of = |of: fn(&TrainEpoch) -> Option<f64>| -> Vec<Series> {
        let network = |run: &Named<'_>| {
            let network = run.trace.course.networks.first()?;
            Some(line(&run.name, network.epochs.iter().map(|epoch| (epoch.epoch as f64 + 1.0, of(epoch)))))
        };
        first.iter().filter_map(network).collect()
    };
    let caption = format!("On the training images as they are varied, by epoch; a line for each run.{}", some(runs));
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
