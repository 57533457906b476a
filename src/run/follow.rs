//! Drives a search and writes down what happens.

use super::RunError;
use super::experiment::Bench;
use crate::estimate::Measured;
use crate::search::{ControllerEpoch, EpochEnd, Event, Origin, Stepper};
use crate::space::Architecture;
use serde_json::json;

/// What a search came to.
pub(super) struct Followed {
    pub architecture: Architecture,
    pub epochs: Vec<EpochEnd>,
    pub ranked: Vec<f64>,
    pub compared: Vec<f64>,
    pub controller: Vec<ControllerEpoch>,
}

impl Bench<'_> {
    /// Drives a search to its end.
    pub(super) fn follow(&mut self, search: &mut dyn Stepper) -> Result<Followed, RunError> {
        let total = search.progress().total;
        self.observer.begin("search", total);
        let mut epochs: Vec<EpochEnd> = Vec::new();
        let (mut ranked, mut compared, mut controller) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            for event in pollster::block_on(search.advance())? {
                match event {
                    Event::Step { taken, train_loss, valid_loss, .. } => {
                        let valid = valid_loss.map_or(String::new(), |loss| format!(" / {loss:.3}"));
                        self.observer.step(taken, &format!("loss {train_loss:.3}{valid}"));
                        self.metrics.append(&json!({
                            "kind": "search step", "step": taken, "train_loss": train_loss, "valid_loss": valid_loss,
                        }))?;
                    }
                    Event::Ranked { taken, architecture, measured, origin, .. } => {
                        let (kind, list) = match origin {
                            Origin::Strategy => ("ranked", &mut ranked),
                            Origin::Random => ("ranked at random", &mut compared),
                        };
                        let accuracy = measured.accuracy();
                        list.extend(accuracy);
                        let best = list.iter().copied().fold(0.0, f64::max);
                        let state = match &measured {
                            Measured::Failed { reason } => format!("an architecture could not be measured: {reason}"),
                            Measured::Worth { .. } => {
                                let accuracy = 100.0 * accuracy.unwrap_or_default();
                                format!("accuracy {accuracy:.1} %, best {:.1} %", 100.0 * best)
                            }
                        };
                        self.observer.step(taken, &state);
                        self.metrics.append(&json!({
                            "kind": kind, "step": taken, "answers": architecture, "valid_accuracy": accuracy,
                        }))?;
                    }
                    Event::Learned { taken, learned, .. } => {
                        let (reward, entropy) = (100.0 * learned.reward, learned.entropy);
                        self.observer.step(taken, &format!("reward {reward:.1} %, entropy {entropy:.2}"));
                        self.metrics.append(&json!({
                            "kind": "controller step", "step": taken, "reward": learned.reward, "entropy": entropy,
                            "baseline": learned.baseline, "norm": learned.norm,
                        }))?;
                    }
                    Event::ControllerEpoch(end) => {
                        let mut record = json!(end);
                        record["kind"] = "controller epoch".into();
                        self.metrics.append(&record)?;
                        controller.push(end);
                    }
                    Event::Epoch(end) => {
                        let known = epochs.last().is_some_and(|e| e.collapse.warning.is_some());
                        if let Some(warning) = end.collapse.warning.as_deref().filter(|_| !known) {
                            self.observer.warn(&format!("epoch {}: {warning}", end.epoch));
                        }
                        self.metrics.append(&epoch_record(&end))?;
                        epochs.push(*end);
                    }
                    Event::Derived { architecture } => {
                        self.observer.end();
                        return Ok(Followed { architecture, epochs, ranked, compared, controller });
                    }
                }
            }
        }
    }
}

fn epoch_record(end: &EpochEnd) -> serde_json::Value {
    let tables: serde_json::Map<String, serde_json::Value> = end
        .weights
        .iter()
        .map(|t| (t.name.clone(), json!(t.values.chunks(t.options.max(1)).collect::<Vec<_>>())))
        .collect();
    json!({
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
    })
}
