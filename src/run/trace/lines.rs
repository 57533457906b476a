//! What the lines of a run's logs say. Numbers that are not finite are written as `null` there.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The losses of one step of a search.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Step {
    /// Its number, from 1.
    pub step: u64,
    /// Of the step of the weights.
    pub train_loss: Option<f64>,
    /// Of the step of the architecture weights.
    #[serde(default)]
    pub valid_loss: Option<f64>,
}

/// An epoch of a search by architecture weights.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SearchEpoch {
    /// Its number, from 0.
    pub epoch: u64,
    /// Mean loss of the weight steps.
    pub train_loss: Option<f64>,
    /// Share of right answers in them.
    pub train_accuracy: Option<f64>,
    /// Mean loss of the α steps.
    #[serde(default)]
    pub valid_loss: Option<f64>,
    /// Share of right answers of the supernet on images that train no weights.
    pub supernet_accuracy: Option<f64>,
    /// The same of the derived architecture with the supernet's weights.
    pub derived_accuracy: Option<f64>,
    /// Skip connections in the derived architecture.
    pub skips: Option<f64>,
    /// Entropy of α: 1 where all options weigh alike.
    pub entropy: Option<f64>,
    /// The supernet's accuracy less that of the derived architecture.
    pub gap: Option<f64>,
    /// The dominant eigenvalue of the Hessian, where it is followed.
    #[serde(default)]
    pub eigenvalue: Option<f64>,
    /// What was said of collapse.
    #[serde(default)]
    pub collapse: Option<String>,
    /// The derived architecture.
    #[serde(default)]
    pub answers: Vec<usize>,
    /// Weights of the options by table, row by row.
    #[serde(default)]
    pub weights: BTreeMap<String, Vec<Vec<Option<f64>>>>,
}

/// An epoch of a search by a controller.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct ControllerEpoch {
    /// Its number, from 0.
    pub epoch: u64,
    /// Mean loss of the shared weights.
    pub train_loss: Option<f64>,
    /// Share of right answers in the weight steps.
    pub train_accuracy: Option<f64>,
    /// Mean reward.
    pub reward: Option<f64>,
    /// Mean entropy of an architecture's decisions, in nats.
    pub entropy: Option<f64>,
    /// What rewards are compared with.
    pub baseline: Option<f64>,
}

/// An epoch of a training from scratch.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct TrainEpoch {
    /// Its number, from 0.
    pub epoch: u64,
    /// Mean loss of its steps.
    pub train_loss: Option<f64>,
    /// Share of right answers in them.
    pub train_accuracy: Option<f64>,
}

/// A network that is trained from scratch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// `searched`, `random 1`, `baseline`.
    pub name: String,
    /// Its epochs.
    pub epochs: Vec<TrainEpoch>,
    /// Its accuracy on the test images, when it is measured.
    pub test_accuracy: Option<f64>,
}

/// How far a trial is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is under way.
    Began,
    /// It was measured.
    Finished,
    /// It could not be, for this reason.
    Failed(String),
}

/// A trial of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The architecture in one line.
    pub architecture: String,
    /// Its answers to the space's decisions.
    pub answers: Vec<usize>,
    /// Settings that were decided beside it.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// Epochs that it is to be trained for, where not all are trained for as many.
    pub epochs: Option<u64>,
    /// Epochs that it was trained for by now.
    pub trained: u64,
    /// How far it is.
    pub state: State,
    /// What was measured.
    pub objectives: BTreeMap<String, Option<f64>>,
    /// Whether it was the best when it ended.
    pub best: bool,
}

/// A line of `timing.jsonl` that is of a phase.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Phase {
    /// Name of the phase.
    pub phase: String,
    /// When it began.
    pub began: Option<String>,
    /// When the run went on with it.
    pub resumed: Option<String>,
    /// What ended the run in it.
    pub ended_by: Option<String>,
    /// Its seconds, once it is over.
    pub phase_seconds: Option<f64>,
    /// Checkpoints that were written in it.
    pub checkpoints: Option<u64>,
    /// Bytes of the largest.
    pub checkpoint_bytes: Option<u64>,
    /// Seconds that all took.
    pub checkpoint_seconds: Option<f64>,
    /// The most bytes that a device had held by its end.
    pub device_bytes: Option<u64>,
    /// Dispatches of kernels in it.
    pub dispatches: Option<u64>,
}

/// What `metrics.jsonl` and `trials.jsonl` tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// Steps of the search.
    pub steps: Vec<Step>,
    /// Its epochs, if it moves architecture weights.
    pub epochs: Vec<SearchEpoch>,
    /// Its epochs, if a controller learns.
    pub controller: Vec<ControllerEpoch>,
    /// Accuracies of the architectures that were ranked with shared weights, in order.
    pub ranked: Vec<f64>,
    /// The same of random ones.
    pub compared: Vec<f64>,
    /// Networks trained from scratch, in the order in which they were begun.
    pub networks: Vec<Network>,
    /// Trials by their number, from 0.
    pub trials: BTreeMap<usize, Trial>,
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
enum Metric {
    #[serde(rename = "search step")]
    Step(Step),
    #[serde(rename = "search epoch")]
    SearchEpoch(Box<SearchEpoch>),
    #[serde(rename = "controller epoch")]
    ControllerEpoch(ControllerEpoch),
    #[serde(rename = "ranked")]
    Ranked { valid_accuracy: Option<f64> },
    #[serde(rename = "ranked at random")]
    Compared { valid_accuracy: Option<f64> },
    #[serde(rename = "train epoch")]
    TrainEpoch {
        network: String,
        #[serde(flatten)]
        epoch: TrainEpoch,
    },
    #[serde(rename = "test")]
    Test { network: String, test_accuracy: Option<f64> },
    #[serde(other)]
    Other,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TrialLine {
    trial: usize,
    state: String,
    architecture: String,
    answers: Vec<usize>,
    settings: BTreeMap<String, serde_json::Value>,
    epochs: Option<u64>,
    objectives: BTreeMap<String, Option<f64>>,
    best: bool,
    reason: String,
}

impl Course {
    pub(super) fn clear_metrics(&mut self) {
        *self = Self { trials: std::mem::take(&mut self.trials), ..Self::default() };
    }

    pub(super) fn clear_trials(&mut self) {
        self.trials.clear();
    }

    /// Takes a line of `metrics.jsonl`.
    pub(super) fn metric(&mut self, line: &str) -> Result<(), serde_json::Error> {
        match serde_json::from_str(line)? {
            Metric::Step(step) => self.steps.push(step),
            Metric::SearchEpoch(epoch) => self.epochs.push(*epoch),
            Metric::ControllerEpoch(epoch) => self.controller.push(epoch),
            Metric::Ranked { valid_accuracy } => self.ranked.extend(valid_accuracy),
            Metric::Compared { valid_accuracy } => self.compared.extend(valid_accuracy),
            Metric::TrainEpoch { network, epoch } => self.network(network).epochs.push(epoch),
            Metric::Test { network, test_accuracy } => self.network(network).test_accuracy = test_accuracy,
            Metric::Other => {}
        }
        Ok(())
    }

    /// Takes a line of `trials.jsonl`.
    pub(super) fn trial(&mut self, line: &str) -> Result<(), serde_json::Error> {
        let line: TrialLine = serde_json::from_str(line)?;
        if line.state == "began" {
            let TrialLine { trial, architecture, answers, settings, epochs, .. } = line;
            let (state, objectives) = (State::Began, BTreeMap::new());
            let begun = Trial { architecture, answers, settings, epochs, trained: 0, state, objectives, best: false };
            self.trials.insert(trial, begun);
            return Ok(());
        }
        // What goes on from a trial before the log's beginning is not known here.
        let Some(trial) = self.trials.get_mut(&line.trial) else { return Ok(()) };
        match line.state.as_str() {
            "epoch" => trial.trained += 1,
            "finished" => {
                trial.state = State::Finished;
                (trial.objectives, trial.best) = (line.objectives, line.best);
            }
            "failed" => trial.state = State::Failed(line.reason),
            _ => {}
        }
        Ok(())
    }

    fn network(&mut self, name: String) -> &mut Network {
        let at = self.networks.iter().position(|network| network.name == name).unwrap_or_else(|| {
            self.networks.push(Network { name, ..Network::default() });
            self.networks.len() - 1
        });
        &mut self.networks[at]
    }
}

/// What `timing.jsonl` tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timing {
    /// The phases, and where the run went on.
    pub phases: Vec<Phase>,
    /// Seconds from when a trial was begun until it was known what it came to, by its number. What a trial took that was carried
    /// out again, after a run went on from before its end, is what it took the last time.
    pub trials: BTreeMap<usize, f64>,
}

#[derive(Deserialize)]
struct TrialTime {
    trial: Option<usize>,
    trial_seconds: Option<f64>,
}

impl Timing {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes a line of `timing.jsonl`.
    pub(super) fn line(&mut self, line: &str) -> Result<(), serde_json::Error> {
        match serde_json::from_str(line)? {
            TrialTime { trial: Some(trial), trial_seconds } => {
                self.trials.extend(trial_seconds.map(|took| (trial, took)))
            }
            TrialTime { trial: None, .. } => self.phases.push(serde_json::from_str(line)?),
        }
        Ok(())
    }
}
