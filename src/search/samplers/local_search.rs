//! Local search (White, Nolen & Savani 2021, "Exploring the loss landscape in neural architecture search").

use super::random;
use crate::estimate::{BoxFuture, Measured};
use crate::random::Random;
use crate::search::SearchError;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::{Candidate, Follower, Machine, Proposal, Subject};
use crate::settings::SettingsError;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet, VecDeque};

/// Local search.
pub static METHOD: Sampled = Sampled {
    about: About {
        name: "local-search",
        paper: "local search (White et al. 2021)",
        weighs: "neighbours of where it stands",
        learns: "moves to the first better neighbour",
        ..random::ABOUT
    },
    preset: |config, _| config.with(&LocalSearchConfig::default()),
    make: |settings, seed| {
        let config: LocalSearchConfig = settings.read()?;
        config.check()?;
        Ok(Box::new(Follower::new(move || LocalSearch::new(config, seed))))
    },
};

/// Streams of the study's seed: one for each candidate drawn, one for each neighbourhood.
const DRAWN: u64 = 0x5A02 << 48;
const SHUFFLED: u64 = 0x5A03 << 48;
/// Draws in a row of what has been tried before, after which there seems to be nothing left.
const TRIES: u64 = 1000;

/// Settings of [`LocalSearch`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocalSearchConfig {
    /// Architectures that are drawn before each climb, which begins at the best of them.
    pub initial: usize,
}

impl Default for LocalSearchConfig {
    fn default() -> Self {
        Self { initial: 10 }
    }
}

impl LocalSearchConfig {
    /// Whether it can be used.
    ///
    /// # Errors
    /// What cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.initial == 0 { Err(SettingsError("initial must be 1 at least".into())) } else { Ok(()) }
    }
}

/// Climbs from the best of a few random candidates: to the first neighbour that is better, until there is none; then anew.
pub struct LocalSearch {
    config: LocalSearchConfig,
    seed: u64,
    drawn: u64,
    shuffled: u64,
    /// What was tried, by number, and what keeps it from being tried again.
    tried: Vec<Candidate>,
    met: HashSet<Vec<u64>>,
    /// Those of the present start or climb that are under way.
    waiting: HashSet<usize>,
    /// How many of the present start have begun, and those that ended; none while it climbs.
    start: Option<(usize, HashMap<usize, Option<f64>>)>,
    /// Where it stands, and what it is worth.
    place: Option<(Candidate, f64)>,
    neighbours: VecDeque<Candidate>,
}

impl LocalSearch {
    /// Before the first climb.
    pub fn new(config: LocalSearchConfig, seed: u64) -> Self {
        Self {
            config,
            seed,
            drawn: 0,
            shuffled: 0,
            tried: Vec::new(),
            met: HashSet::new(),
            waiting: HashSet::new(),
            start: Some((0, HashMap::new())),
            place: None,
            neighbours: VecDeque::new(),
        }
    }

    fn begin(&mut self, candidate: Candidate) -> Proposal {
        self.met.insert(candidate.key());
        self.waiting.insert(self.tried.len());
        self.tried.push(candidate.clone());
        Proposal::whole(candidate)
    }

    fn propose(&mut self, subject: &Subject<'_>) -> Proposal {
        if self.start.is_none() {
            while let Some(next) = self.neighbours.pop_front() {
                if !self.met.contains(&next.key()) {
                    return self.begin(next);
                }
            }
            if !self.waiting.is_empty() {
                return Proposal::Wait;
            }
            // A minimum.
            self.start = Some((0, HashMap::new()));
        }
        let Some((begun, _)) = &mut self.start else { return Proposal::Wait };
        if *begun == self.config.initial {
            return Proposal::Wait;
        }
        for tried in 0..TRIES {
            let drawn = subject.domain.draw(&mut Random::new(self.seed, DRAWN + self.drawn + tried));
            if !self.met.contains(&drawn.key()) {
                *begun += 1;
                self.drawn += tried + 1;
                return self.begin(drawn);
            }
        }
        if self.waiting.is_empty() { Proposal::Done } else { Proposal::Wait }
    }

    fn end(&mut self, subject: &Subject<'_>, trial: usize, worth: Option<f64>) {
        self.waiting.remove(&trial);
        match &mut self.start {
            Some((_, ended)) => {
                ended.insert(trial, worth);
                if ended.len() == self.config.initial {
                    let mut all: Vec<(usize, f64)> =
                        ended.iter().filter_map(|(trial, worth)| Some((*trial, (*worth)?))).collect();
                    // The first of equal ones.
                    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                    self.start = match all.first() {
                        Some(&(best, worth)) => {
                            self.climb(subject, best, worth);
                            None
                        }
                        None => Some((0, HashMap::new())),
                    };
                }
            }
            None => {
                let better = worth.filter(|worth| self.place.as_ref().is_none_or(|(_, here)| worth > here));
                if let Some(worth) = better {
                    self.climb(subject, trial, worth);
                }
            }
        }
    }

    /// Stands at a trial's candidate.
    fn climb(&mut self, subject: &Subject<'_>, trial: usize, worth: f64) {
        let Some(place) = self.tried.get(trial).cloned() else { return };
        let mut random = Random::new(self.seed, SHUFFLED + self.shuffled);
        self.shuffled += 1;
        let mut neighbours = subject.domain.neighbours(&place, &mut random);
        random.shuffle(&mut neighbours);
        self.neighbours = neighbours.into();
        self.place = Some((place, worth));
    }
}

impl Machine for LocalSearch {
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
            self.end(&subject, trial, subject.worth(measured));
            Ok(())
        })
    }
}
