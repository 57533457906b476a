//! The phases in which networks are trained from scratch.

use super::{Phase, Results};
use crate::cost::Cost;
use crate::estimate::{EpochReport, EstimateError, Score, Training, TrainingConfig};
use crate::graph::Graph;
use crate::nn::ExchangeError;
use crate::random::Random;
use crate::run::beside;
use crate::run::classes::{self, Imbalance};
use crate::run::error::RunError;
use crate::run::further::Further;
use crate::run::member::Member;
use crate::run::model::Model;
use crate::run::outcome::Trained;
use crate::run::setup::{Heard, Listener, Setup};
use crate::run::summary::NetworkFacts;
use crate::space::{Architecture, NetworkSettings, Space};
use crate::state::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::rc::Rc;

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

/// Trains one network of several from scratch and measures it on the test images; those that come next may go on beside it.
pub(in crate::run) struct Train {
    all: Rc<[Who]>,
    place: usize,
}

impl Train {
    /// A phase for each.
    pub fn each(all: Vec<Who>) -> Vec<Box<dyn Phase>> {
        let all: Rc<[Who]> = all.into();
        (0..all.len()).map(|place| Box::new(Self { all: Rc::clone(&all), place }) as Box<dyn Phase>).collect()
    }

    fn who(&self) -> &Who {
        &self.all[self.place]
    }
}

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
        self.who().phase()
    }

    fn trains(&self) -> Option<String> {
        Some(self.who().network())
    }

    fn has_begun(&self, setup: &Setup<'_>) -> Result<Option<(String, State)>, RunError> {
        let done = &setup.ledger.done;
        let next = self.all[self.place + 1..].iter().find(|who| !done.contains(&who.phase())).map(Who::network);
        // Only of the next one: what was begun comes first where a run goes on.
        match setup.beside.split_first() {
            Some((first, others)) if Some(&first.name) == next.as_ref() => {
                let heard = Course { network: first.name.clone(), epochs: Vec::new() };
                Ok(Some((phase_of(&first.name), beside::waiting(first, others, heard)?)))
            }
            _ => Ok(None),
        }
    }

    fn run(&self, setup: &mut Setup<'_>, results: &mut Results) -> Result<(), RunError> {
        let who = self.who();
        let Subject { graph, counted, genotype, space } = who.subject(setup, results)?;
        let counted = Cost::of(&counted, 1)?;
        let name = who.network();
        let (member, others) = self.members(setup, results, &graph)?;
        let mut course = Course { network: name.clone(), epochs: Vec::new() };
        let (member, others, given) = beside::drive(setup, &self.name(), member, others, &mut course)?;
        setup.beside = others;
        let training = member.training;
        let Score { accuracy, loss, confusion } = pollster::block_on(training.score(&setup.test))?;
        let balanced = confusion.balanced_accuracy();
        setup.measured(&json!({
            "kind": "test", "network": name, "test_accuracy": accuracy, "balanced_accuracy": balanced, "test_loss": loss,
        }))?;
        let seconds = member.seconds + setup.ledger.phase_seconds() - given;
        if matches!(who, Who::Found | Who::Given(_) | Who::Further(_)) {
            let state = pollster::block_on(training.network().state()).map_err(exchange)?;
            let normal = setup.normal.map(<[f32]>::to_vec);
            let mut model = Model::new(graph.clone(), state, setup.classes.to_vec(), normal);
            model.space = space;
            model.genotype.clone_from(&genotype);
            model.images = setup.config.data.images.clone();
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

impl Train {
    /// The training whose turn it is, of that graph, and those to go on beside it: as an earlier run of this phase has left them,
    /// as they stand after earlier phases, or anew.
    fn members(
        &self,
        setup: &mut Setup<'_>,
        results: &Results,
        graph: &Graph,
    ) -> Result<(Member, Vec<Member>), RunError> {
        let who = self.who();
        let mut ready = std::mem::take(&mut setup.beside);
        let begun = setup.ledger.begun.as_ref().filter(|(phase, _)| *phase == self.name());
        if let Some(states) = begun.and_then(|(_, state)| state.part("work").ok()).and_then(beside::others) {
            for other in &self.all[self.place + 1..] {
                let Some(state) = states.find(&other.network()) else { continue };
                let mut member = other.member(setup, results, other.subject(setup, results)?.graph)?;
                member.restore(state).map_err(|error| setup.ledger.unusable(error.to_string()))?;
                ready.push(member);
            }
        }
        let mut ready_for = |who: &Who| {
            let place = ready.iter().position(|member| member.name == who.network());
            place.map(|place| ready.remove(place))
        };
        let first = match ready_for(who) {
            Some(member) => member,
            None => who.member(setup, results, graph.clone())?,
        };
        let left: Vec<&Who> =
            self.all[self.place + 1..].iter().filter(|other| !setup.ledger.done.contains(&other.phase())).collect();
        let (mut others, room) = (Vec::new(), beside::at_a_time(setup, 1 + left.len()) - 1);
        let first_bytes = who.activations(setup, results, graph)?;
        let mut bytes = first_bytes;
        for other in left {
            // What was begun goes on, wherever it was begun.
            if let Some(member) = ready_for(other) {
                others.push(member);
            } else if others.len() < room && first_bytes <= beside::SMALL {
                // What is wrong with one that comes later is said when it is its turn.
                let Ok(Subject { graph, .. }) = other.subject(setup, results) else { break };
                let own = other.activations(setup, results, &graph)?;
                if own > beside::SMALL || bytes + own > beside::TOGETHER {
                    break;
                }
                let Ok(member) = other.member(setup, results, graph) else { break };
                others.push(member);
                bytes += own;
            }
        }
        Ok((first, others))
    }
}

/// What was heard of a training.
#[derive(Serialize, Deserialize)]
struct Course {
    network: String,
    epochs: Vec<EpochReport>,
}

/// The phase in which a network of that name is trained.
fn phase_of(network: &str) -> String {
    format!("train {network}")
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

impl Who {
    /// What the network is called.
    fn network(&self) -> String {
        match self {
            Self::Found => "searched".to_owned(),
            Self::Random(number) => format!("random {number}"),
            Self::Baseline => "baseline".to_owned(),
            Self::Given(_) | Self::Further(_) => "trained".to_owned(),
        }
    }

    /// The phase in which it is trained.
    fn phase(&self) -> String {
        phase_of(&self.network())
    }

    /// How it is trained.
    fn training(&self, setup: &Setup<'_>, results: &Results) -> Result<TrainingConfig, RunError> {
        let train = setup.config.train;
        match (self, &results.searched) {
            (Self::Found, Some(searched)) => Ok(train.with(&searched.settings).map_err(EstimateError::from)?),
            _ => Ok(train),
        }
    }

    /// Bytes of what a step of its training, of that graph, keeps for gradients.
    fn activations(&self, setup: &Setup<'_>, results: &Results, graph: &Graph) -> Result<u64, RunError> {
        Ok(Cost::of(graph, self.training(setup, results)?.batch)?.activation_bytes)
    }

    /// Its training, before the first step.
    fn member(&self, setup: &Setup<'_>, results: &Results, graph: Graph) -> Result<Member, RunError> {
        let (seed, images) = (setup.config.seed, (0..setup.train.count() as u32).collect());
        let train = self.training(setup, results)?;
        let mut training = Training::new(setup.device, graph, &setup.train, images, train, seed)?;
        if let Self::Further(further) = self {
            let drawn = pollster::block_on(training.network().state()).map_err(exchange)?;
            training.begin_with(&further.arrays(&drawn)).map_err(exchange)?;
        }
        Ok(Member::new(self.network(), training))
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
        match self {
            Self::Found => of(&results.searched.as_ref().ok_or_else(missing)?.architecture),
            Self::Random(number) => of(&random(space, setup.config.seed, *number)),
            Self::Baseline => {
                // Of what was found, whether it is trained by now or not.
                let parameters = Cost::of(&Self::Found.subject(setup, results)?.counted, 1)?.parameters;
                let graph = space.baseline(settings, parameters)?;
                Ok(Subject { counted: graph.clone(), graph, genotype: None, space: of_space })
            }
            Self::Given(text) => Ok(Subject {
                graph: space.decode_text(text, settings)?,
                counted: space.decode_text(text, &plain)?,
                genotype: Some(space.sketch(text)?.text),
                space: of_space,
            }),
            Self::Further(further) => Ok(Subject {
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
