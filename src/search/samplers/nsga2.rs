//! NSGA-II (Deb et al. 2002, "A fast and elitist multiobjective genetic algorithm"), as optuna varies it.

use super::random;
use crate::estimate::{BoxFuture, Measured};
use crate::numerics::pareto::{dominates, order};
use crate::random::Random;
use crate::search::SearchError;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::{Candidate, Domain, Follower, Machine, Proposal, Subject};
use crate::settings::SettingsError;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// NSGA-II.
pub static METHOD: Sampled = Sampled {
    about: About {
        name: "nsga2",
        paper: "NSGA-II (Deb et al. 2002)",
        weighs: "children of two by tournament, mutated",
        learns: "fronts, and room within them; several objectives",
        chooses: "the best trial by the first objective; the front is in `trials.csv`",
        ..random::ABOUT
    },
    preset: |config, _| config.with(&Nsga2Config::default()),
    make: |settings, seed| {
        let config: Nsga2Config = settings.read()?;
        config.check()?;
        Ok(Box::new(Follower::new(move || Nsga2::new(config, seed))))
    },
};

/// Streams of the study's seed: one for each trial.
const DRAWN: u64 = 0x5A0A << 48;
/// Tries to breed what has not been tried.
const TRIES: usize = 20;

/// Settings of [`Nsga2`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nsga2Config {
    /// Candidates of a generation.
    pub population: usize,
    /// Probability that a child has two parents.
    pub crossover: f32,
}

impl Default for Nsga2Config {
    fn default() -> Self {
        Self { population: 20, crossover: 0.9 }
    }
}

impl Nsga2Config {
    fn check(&self) -> Result<(), SettingsError> {
        match self.population < 2 || !(0.0..=1.0).contains(&self.crossover) {
            true => Err(SettingsError("population must be 2 at least, crossover from 0 to 1".into())),
            false => Ok(()),
        }
    }
}

/// One of a generation: what it is, and what it lacks by each objective.
type One = (Candidate, Vec<f64>);

/// Generation after generation: of parents and children the best fronts remain, and in the last of these who has most room.
pub struct Nsga2 {
    config: Nsga2Config,
    seed: u64,
    parents: Vec<One>,
    children: Vec<One>,
    /// How many of the generation have begun, and have ended.
    begun: usize,
    ended: usize,
    tried: Vec<Candidate>,
    met: HashSet<Vec<u64>>,
}

impl Nsga2 {
    /// Before the first generation.
    pub fn new(config: Nsga2Config, seed: u64) -> Self {
        let (parents, children, tried) = (Vec::new(), Vec::new(), Vec::new());
        Self { config, seed, parents, children, begun: 0, ended: 0, tried, met: HashSet::new() }
    }

    fn propose(&mut self, subject: &Subject<'_>) -> Proposal {
        let size = self.config.population;
        if self.begun == size {
            if self.ended < size {
                return Proposal::Wait;
            }
            self.select();
        }
        let mut random = Random::new(self.seed, DRAWN + self.tried.len() as u64);
        let mut candidate = self.breed(subject.domain, &mut random);
        for _ in 0..TRIES {
            if !self.met.contains(&candidate.key()) {
                break;
            }
            candidate = self.breed(subject.domain, &mut random);
        }
        self.begun += 1;
        self.met.insert(candidate.key());
        self.tried.push(candidate.clone());
        Proposal::whole(candidate)
    }

    /// The generation is over: who lives on.
    fn select(&mut self) {
        (self.begun, self.ended) = (0, 0);
        let mut all = std::mem::take(&mut self.parents);
        all.append(&mut self.children);
        let lacks: Vec<&Vec<f64>> = all.iter().map(|(_, lacks)| lacks).collect();
        let living: Vec<usize> = order(&lacks).into_iter().take(self.config.population).collect();
        self.parents = living.into_iter().map(|at| all[at].clone()).collect();
    }

    fn breed(&self, domain: &Domain<'_>, random: &mut Random) -> Candidate {
        if self.parents.is_empty() {
            return domain.draw(random);
        }
        let mother = self.win(random);
        let child = match random.uniform() < self.config.crossover {
            true => domain.cross(mother, self.win(random), random),
            false => mother.clone(),
        };
        let variables = domain.dimensions().len().max(1);
        domain.mutate_each(&child, 1.0 / variables as f32, random)
    }

    /// The winner of a tournament of two: who dominates, else the first drawn.
    fn win(&self, random: &mut Random) -> &Candidate {
        let [a, b] = [0, 1].map(|_| &self.parents[random.below(self.parents.len())]);
        if dominates(&b.1, &a.1) { &b.0 } else { &a.0 }
    }
}

impl Machine for Nsga2 {
    fn next<'a>(&'a mut self, subject: Subject<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>> {
        Box::pin(async move { Ok(self.propose(&subject)) })
    }

    fn ended<'a>(
        &'a mut self,
        subject: Subject<'a>,
        trial: usize,
        measured: &'a Measured,
    ) -> BoxFuture<'a, Result<(), SearchError>> {
        Box::pin(async move {
            self.ended += 1;
            let lacks: Option<Vec<f64>> =
                subject.objectives.iter().map(|objective| Some(-objective.worth(measured)?)).collect();
            if let (Some(lacks), Some(candidate)) = (lacks, self.tried.get(trial)) {
                self.children.push((candidate.clone(), lacks));
            }
            Ok(())
        })
    }
}
