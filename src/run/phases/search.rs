//! The phase in which a strategy looks for an architecture.

use super::study::{self, Study};
use super::{Phase, Results};
use crate::estimate::{EstimateError, Measured};
use crate::run::error::RunError;
use crate::run::outcome::Searched;
use crate::run::setup::{Heard, Listener, Searching, Setup};
use crate::run::supernet;
use crate::search::{self, ControllerEpoch, EpochEnd, Event, Origin};
use crate::space::Architecture;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Drives the configuration's strategy to its end; writes `genotype.json`, and shared weights to `supernet.safetensors`.
pub(in crate::run) struct Search;

impl Phase for Search {
    fn name(&self) -> String {
        "search".to_owned()
    }

    fn run(&self, setup: &mut Setup<'_>, results: &mut Results) -> Result<(), RunError> {
        let (supernet_parameters, options, course) = match setup.config.search.is_study() {
            true => {
                let seconds = study::config(setup)?.seconds;
                let mut course = Course { seconds, ..Course::default() };
                study::drive(&self.name(), setup, &mut course)?;
                (0, Vec::new(), course)
            }
            false => self.supernet(setup)?,
        };
        let (found, space) = (&setup.config.search, setup.space);
        let Course { architecture, epochs, ranked, compared, controller, study, .. } = course;
        let nothing = || EstimateError::Settings("the search ended without an architecture".into());
        let architecture = architecture.ok_or_else(nothing)?;
        setup.directory.write_json("genotype.json", &space.json(&architecture))?;
        if found.is_study() {
            setup.directory.write("trials.csv", study.csv(space).as_bytes())?;
        }
        let seconds = setup.ledger.phase_seconds();
        let Study { trials, epochs: trial_epochs, seconds: trial_seconds, settings, .. } = study;
        results.searched = Some(Searched {
            architecture,
            epochs,
            ranked,
            compared,
            controller,
            trials,
            trial_seconds,
            trial_epochs,
            settings,
            options,
            supernet_parameters,
            seconds,
        });
        Ok(())
    }
}

/// Options of choices, by the names of their tables.
type Options = Vec<(String, Vec<String>)>;

impl Search {
    /// Drives a search that has a supernet: its parameters, the options of its choices, what was heard.
    fn supernet(&self, setup: &mut Setup<'_>) -> Result<(u64, Options, Course), RunError> {
        let settings = setup.config.supernet(&setup.settings);
        let graph = setup.space.supernet(&settings)?;
        let parameters = crate::cost::parameters(&graph)?;
        let options = graph.tables().map_err(EstimateError::from)?.into_iter().map(|t| (t.name, t.options)).collect();
        let images = setup.train.clone();
        let network = setup.settings.clone();
        let bench = search::Bench {
            device: setup.device,
            space: setup.space,
            settings: &settings,
            images: &images,
            labels: setup.labels,
            seed: setup.config.seed,
            network: &network,
            train: &setup.config.train,
            table: None,
        };
        let found = &setup.config.search;
        let search = pollster::block_on(found.strategy.build(&found.settings, bench))?;
        let (mut search, mut course) = (Searching::from(search), Course::default());
        setup.drive(&self.name(), &mut search, &mut course)?;
        if let Some(shared) = search.shared() {
            supernet::write(setup.directory, setup.config, &setup.data, shared)?;
        }
        Ok((parameters, options, course))
    }
}

/// What was heard of a search.
#[derive(Default, Serialize, Deserialize)]
struct Course {
    architecture: Option<Architecture>,
    epochs: Vec<EpochEnd>,
    ranked: Vec<f64>,
    compared: Vec<f64>,
    controller: Vec<ControllerEpoch>,
    study: Study,
    /// Seconds after which it ends with what it has found; 0: none.
    seconds: f64,
}

impl Listener<Event> for Course {
    /// Writes down what happened.
    fn hear(&mut self, setup: &mut Setup<'_>, event: Event) -> Result<Heard, RunError> {
        let epoch = matches!(event, Event::Epoch(_) | Event::ControllerEpoch(_) | Event::Tried(_));
        let state = match event {
            Event::Step { taken, train_loss, valid_loss, .. } => {
                setup.measured(&json!({
                    "kind": "search step", "step": taken, "train_loss": train_loss, "valid_loss": valid_loss,
                }))?;
                let valid = valid_loss.map_or(String::new(), |loss| format!(" / {loss:.3}"));
                Some(format!("loss {train_loss:.3}{valid}"))
            }
            Event::Ranked { taken, architecture, measured, origin, .. } => {
                let (kind, list) = match origin {
                    Origin::Strategy => ("ranked", &mut self.ranked),
                    Origin::Random => ("ranked at random", &mut self.compared),
                };
                let accuracy = measured.accuracy();
                list.extend(accuracy);
                let best = 100.0 * list.iter().copied().fold(0.0, f64::max);
                setup.measured(&json!({
                    "kind": kind, "step": taken, "answers": architecture, "valid_accuracy": accuracy,
                }))?;
                Some(match &measured {
                    Measured::Failed { reason } => format!("an architecture could not be measured: {reason}"),
                    Measured::Worth { .. } => match accuracy {
                        Some(accuracy) => format!("accuracy {:.1} %, best {best:.1} %", 100.0 * accuracy),
                        None => format!("best {best:.1} %"),
                    },
                })
            }
            Event::Learned { taken, learned, .. } => {
                let entropy = learned.entropy;
                setup.measured(&json!({
                    "kind": "controller step", "step": taken, "reward": learned.reward, "entropy": entropy,
                    "baseline": learned.baseline, "norm": learned.norm,
                }))?;
                Some(format!("reward {:.1} %, entropy {entropy:.2}", 100.0 * learned.reward))
            }
            Event::ControllerEpoch(end) => {
                let mut record = json!(end);
                record["kind"] = "controller epoch".into();
                setup.measured(&record)?;
                self.controller.push(end);
                None
            }
            Event::Epoch(end) => {
                setup.measured(&epoch_record(&end))?;
                let known = self.epochs.last().is_some_and(|e| e.collapse.warning.is_some());
                if let Some(warning) = end.collapse.warning.as_deref().filter(|_| !known) {
                    setup.observer.warn(&format!("epoch {}: {warning}", end.epoch));
                }
                self.epochs.push(*end);
                None
            }
            event @ (Event::Began { .. } | Event::Trained { .. } | Event::Tried(_) | Event::Settled { .. }) => {
                self.study.hear(setup, event)?
            }
            Event::Derived { architecture } => {
                self.architecture = Some(architecture);
                None
            }
        };
        let is_late = self.seconds > 0.0 && setup.ledger.phase_seconds() >= self.seconds;
        Ok(Heard { state, epoch, is_late })
    }
}

fn epoch_record(end: &EpochEnd) -> serde_json::Value {
    let tables: serde_json::Map<String, serde_json::Value> = end
        .weights
        .iter()
        .map(|t| (t.name.clone(), json!(t.values.chunks(t.options.max(1)).collect::<Vec<_>>())))
        .collect();
    let mut record = json!({
        "kind": "search epoch",
        "epoch": end.epoch,
        "rate": end.rate,
        "train_loss": end.train_loss,
        "train_accuracy": end.train_accuracy,
        "valid_loss": end.valid_loss,
        "valid_accuracy": end.valid_accuracy,
        "supernet_accuracy": end.supernet_accuracy,
        "derived_accuracy": end.supernet_accuracy - end.collapse.gap,
        "skips": end.collapse.skips[0],
        "entropy": end.collapse.entropy,
        "gap": end.collapse.gap,
        "eigenvalue": end.eigenvalue,
        "collapse": end.collapse.warning,
        "answers": end.architecture,
        "weights": tables,
    });
    if let Some([frozen, all]) = end.frozen {
        record["frozen"] = json!({ "operations": frozen, "of": all });
    }
    record
}
