//! The phases in which a network is trained from scratch.

use super::{Phase, Results};
use crate::cost::Cost;
use crate::estimate::{EpochReport, EstimateError, Score, Training};
use crate::graph::Graph;
use crate::nn::ExchangeError;
use crate::random::Random;
use crate::run::classes::{self, Imbalance};
use crate::run::error::RunError;
use crate::run::further::Further;
use crate::run::model::Model;
use crate::run::outcome::Trained;
use crate::run::setup::{Heard, Listener, Setup};
use crate::run::summary::NetworkFacts;
use crate::space::{Architecture, NetworkSettings, Space};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Stream of the run's seed that random architectures are drawn from.
const RANDOM_ARCHITECTURES: u64 = 0xA2C4 << 48;

/// The architecture that is the `number`th, from 1, of those that a search is held against.
pub(in crate::run) fn random(space: &dyn Space, seed: u64, number: usize) -> Architecture {
    let mut random = Random::new(seed, RANDOM_ARCHITECTURES);
    (1..number).for_each(|_| drop(space.random(&mut random)));
    space.random(&mut random)
}

/// Whose network is trained.
pub(in crate::run) enum Who {
    /// That of the architecture found.
    Found,
    /// That of a random architecture, counted from 1.
    Random(usize),
    /// A hand-designed one of the size of what was found.
    Baseline,
    /// That of an architecture given as text.
    Given(String),
    /// One that has learned something before.
    Further(Box<Further>),
}

/// Trains one network from scratch and measures it on the test images.
pub(in crate::run) struct Train(pub Who);

/// What is to be trained.
struct Subject {
    graph: Graph,
    /// The same without auxiliary head: the network whose size is stated.
    counted: Graph,
    /// The architecture, unless it is the hand-designed network.
    genotype: Option<String>,
    /// The space that it is of.
    space: Option<String>,
}

impl Phase for Train {
    fn name(&self) -> String {
        format!("train {}", self.network())
    }

    fn trains(&self) -> Option<String> {
        Some(self.network())
    }

    fn run(&self, setup: &mut Setup<'_>, results: &mut Results) -> Result<(), RunError> {
        let Subject { graph, counted, genotype, space } = self.subject(setup, results)?;
        let counted = Cost::of(&counted, 1)?;
        let (name, images) = (self.network(), (0..setup.train.count() as u32).collect());
        let (device, config) = (setup.device, setup.config);
        let train = match (&self.0, &results.searched) {
            (Who::Found, Some(searched)) => config.train.with(&searched.settings).map_err(EstimateError::from)?,
            _ => config.train,
        };
        let mut training = Training::new(device, graph.clone(), &setup.train, images, train, config.seed)?;
        if let Who::Further(further) = &self.0 {
            let drawn = pollster::block_on(training.network().state()).map_err(exchange)?;
            training.begin_with(&further.arrays(&drawn)).map_err(exchange)?;
        }
        let mut course = Course { network: name.clone(), epochs: Vec::new() };
        setup.drive(&self.name(), &mut training, &mut course)?;
        let Score { accuracy, loss, confusion } = pollster::block_on(training.score(&setup.test))?;
        let balanced = confusion.balanced_accuracy();
        setup.measured(&json!({
            "kind": "test", "network": name, "test_accuracy": accuracy, "balanced_accuracy": balanced, "test_loss": loss,
        }))?;
        let seconds = setup.ledger.phase_seconds();
        if matches!(self.0, Who::Found | Who::Given(_) | Who::Further(_)) {
            let state = pollster::block_on(training.network().state()).map_err(exchange)?;
            let normal = setup.normal.map(<[f32]>::to_vec);
            let mut model = Model::new(graph.clone(), state, setup.classes.to_vec(), normal);
            model.space = space;
            model.genotype.clone_from(&genotype);
            model.images = config.data.images.clone();
            model.write(setup.directory)?;
            classes::write(setup.directory, setup.classes, &confusion)?;
        }
        let frequencies = classes::frequencies(setup.labels, setup.classes.len());
        let imbalance = Imbalance::of(setup.classes, &frequencies, &confusion);
        let facts = NetworkFacts {
            name,
            genotype,
            parameters: counted.parameters,
            multiply_adds: counted.multiply_adds,
            test_accuracy: accuracy,
            balanced_accuracy: Some(balanced),
            train_seconds: seconds,
        };
        let (epochs, confusion) = (course.epochs, Some(confusion));
        results.trained.push(Trained { facts, graph, epochs, test_loss: loss, confusion, imbalance });
        Ok(())
    }
}

/// What was heard of a training.
#[derive(Serialize, Deserialize)]
struct Course {
    network: String,
    epochs: Vec<EpochReport>,
}

impl Listener<EpochReport> for Course {
    fn hear(&mut self, setup: &mut Setup<'_>, end: EpochReport) -> Result<Heard, RunError> {
        setup.measured(&json!({
            "kind": "train epoch", "network": self.network, "epoch": end.epoch, "rate": end.rate,
            "train_loss": end.train_loss, "train_accuracy": end.train_accuracy,
        }))?;
        self.epochs.push(end);
        Ok(Heard { state: Some(format!("accuracy {:.1} %", 100.0 * end.train_accuracy)), epoch: true, is_late: false })
    }
}

impl Train {
    /// What the network is called.
    fn network(&self) -> String {
        match &self.0 {
            Who::Found => "searched".to_owned(),
            Who::Random(number) => format!("random {number}"),
            Who::Baseline => "baseline".to_owned(),
            Who::Given(_) | Who::Further(_) => "trained".to_owned(),
        }
    }

    fn subject(&self, setup: &Setup<'_>, results: &Results) -> Result<Subject, RunError> {
        let (space, settings) = (setup.space, &setup.settings);
        let plain = NetworkSettings { auxiliary: false, ..settings.clone() };
        let of_space = Some(setup.config.space.name.clone());
        let of = |architecture: &Architecture| -> Result<Subject, RunError> {
            Ok(Subject {
                graph: space.decode(architecture, settings)?,
                counted: space.decode(architecture, &plain)?,
                genotype: Some(space.print(architecture)),
                space: of_space.clone(),
            })
        };
        let missing = || EstimateError::Settings("there is nothing yet that it could be trained like".into());
        match &self.0 {
            Who::Found => of(&results.searched.as_ref().ok_or_else(missing)?.architecture),
            Who::Random(number) => of(&random(space, setup.config.seed, *number)),
            Who::Baseline => {
                let parameters = results.trained.first().ok_or_else(missing)?.facts.parameters;
                let graph = space.baseline(settings, parameters)?;
                Ok(Subject { counted: graph.clone(), graph, genotype: None, space: of_space })
            }
            Who::Given(text) => Ok(Subject {
                graph: space.decode_text(text, settings)?,
                counted: space.decode_text(text, &plain)?,
                genotype: Some(space.sketch(text)?.text),
                space: of_space,
            }),
            Who::Further(further) => Ok(Subject {
                graph: further.graph.clone(),
                counted: further.graph.main(),
                genotype: further.model.genotype.clone(),
                space: further.model.space.clone(),
            }),
        }
    }
}

fn exchange(error: ExchangeError) -> EstimateError {
    match error {
        ExchangeError::Tensor(error) => error.into(),
        other => EstimateError::Settings(other.to_string()),
    }
}
