//! Evolution of architectures by shared weights (SPOS; Guo et al., ECCV 2020, algorithm 1).

use crate::random::Random;
use crate::search::{SearchError, check_architectures};
use crate::space::{Architecture, Mutation, Space};
use crate::state::{State, StateError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet, VecDeque};

/// Settings of [`Evolution`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvolutionConfig {
    /// Architectures in a generation.
    pub population: u32,
    /// Generations.
    pub generations: u32,
    /// The best so far, from which the next generation comes.
    pub parents: usize,
    /// How many of a generation are mutations of a parent. What neither mutations nor crossovers fill is drawn at random.
    pub mutations: u32,
    /// How many are children of two parents.
    pub crossovers: u32,
    /// Probability that a mutation draws a decision's answer anew.
    pub probability: f32,
}

impl Default for EvolutionConfig {
    /// As published.
    fn default() -> Self {
        Self { population: 50, generations: 20, parents: 10, mutations: 25, crossovers: 25, probability: 0.1 }
    }
}

/// Tries, for each architecture wanted, to come by one that has not been met.
const TRIES: u32 = 10;

/// Which architecture is scored next. No architecture is scored twice.
#[derive(Clone, Debug)]
pub struct Evolution {
    config: EvolutionConfig,
    random: Random,
    generation: u32,
    waiting: VecDeque<Architecture>,
    met: HashSet<Architecture>,
    /// All that were scored, the best first; of equal ones the earlier.
    ranked: Vec<(Architecture, f64)>,
}

impl Evolution {
    /// Before the first generation.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(config: EvolutionConfig, random: Random) -> Result<Self, String> {
        if config.population == 0 || config.generations == 0 {
            return Err("nothing would be ranked: population and generations must be at least 1".into());
        }
        if config.parents == 0 && config.generations > 1 {
            return Err("evolution needs at least one parent".into());
        }
        if !(0.0..=1.0).contains(&config.probability) {
            return Err(format!("a probability of mutation of {} is none", config.probability));
        }
        let (waiting, met, ranked) = (VecDeque::new(), HashSet::new(), Vec::new());
        Ok(Self { config, random, generation: 0, waiting, met, ranked })
    }

    /// Architectures that are scored at most.
    pub fn most(&self) -> u32 {
        self.config.population.saturating_mul(self.config.generations)
    }

    /// The next architecture to be scored; none when the last generation is done, or no other architectures can be found.
    pub fn next(&mut self, space: &dyn Space) -> Option<Architecture> {
        while self.waiting.is_empty() {
            if self.generation == self.config.generations {
                return None;
            }
            if self.generation > 0 {
                self.breed(space);
            }
            let missing = self.config.population.saturating_sub(self.waiting.len() as u32);
            self.fill(missing, |random, _| space.random(random));
            self.generation += 1;
        }
        self.waiting.pop_front()
    }

    /// Notes an architecture's score.
    pub fn scored(&mut self, architecture: Architecture, score: f64) {
        let place = self.ranked.partition_point(|(_, other)| *other >= score);
        self.ranked.insert(place, (architecture, score));
    }

    /// The best so far.
    pub fn best(&self) -> Option<&Architecture> {
        self.ranked.first().map(|(architecture, _)| architecture)
    }

    /// All that were scored, the best first.
    pub fn ranked(&self) -> &[(Architecture, f64)] {
        &self.ranked
    }

    /// Its state: what waits, what was met and ranked, and where the random numbers stand.
    ///
    /// # Errors
    /// None in practice: all of it is JSON.
    pub fn save(&self) -> Result<State, StateError> {
        let mut state = State::of("evolution");
        state.set("random", self.random.position())?;
        state.set("generation", self.generation)?;
        state.set("waiting", &self.waiting)?;
        // A hash set has no order; the same state is to have the same bytes.
        state.set("met", self.met.iter().collect::<BTreeSet<_>>())?;
        state.set("ranked", &self.ranked)?;
        Ok(state)
    }

    /// Goes on from the state of an evolution of the same space with the same settings.
    ///
    /// # Errors
    /// [`SearchError::State`] if it is that of something else.
    pub fn restore(&mut self, state: &State, space: &dyn Space) -> Result<(), SearchError> {
        state.check("evolution")?;
        self.random = Random::at(state.get("random")?);
        self.generation = state.get("generation")?;
        self.waiting = state.get("waiting")?;
        self.met = state.get("met")?;
        self.ranked = state.get("ranked")?;
        if self.generation > 0 && self.waiting.is_empty() && self.ranked.is_empty() {
            return Err(state.wrong("ranked", "there are no parents of the next generation").into());
        }
        check_architectures(state, "waiting", space, &self.waiting)?;
        check_architectures(state, "ranked", space, self.ranked.iter().map(|(architecture, _)| architecture))
    }

    fn breed(&mut self, space: &dyn Space) {
        let mutation = Mutation::Each(self.config.probability);
        self.fill(self.config.mutations, |random, parents| {
            let parent = &parents[random.below(parents.len())].0;
            space.mutate(parent, mutation, random)
        });
        self.fill(self.config.crossovers, |random, parents| {
            let [a, b] = [0, 1].map(|_| &parents[random.below(parents.len())].0);
            space.crossover(a, b, random)
        });
    }

    /// Adds up to `count` architectures that have not been met, no more than the population has room for.
    fn fill(&mut self, count: u32, draw: impl Fn(&mut Random, &[(Architecture, f64)]) -> Architecture) {
        let room = self.config.population as usize - self.waiting.len().min(self.config.population as usize);
        let wanted = self.waiting.len() + (count as usize).min(room);
        for _ in 0..count.saturating_mul(TRIES) {
            if self.waiting.len() == wanted {
                return;
            }
            let parents = &self.ranked[..self.ranked.len().min(self.config.parents)];
            let drawn = draw(&mut self.random, parents);
            if self.met.insert(drawn.clone()) {
                self.waiting.push_back(drawn);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::find;

    fn run(config: EvolutionConfig, seed: u64) -> Evolution {
        let space = find("nas-bench-201").unwrap();
        let mut evolution = Evolution::new(config, Random::new(seed, 0)).unwrap();
        while let Some(architecture) = evolution.next(space.as_ref()) {
            // The more 3×3 convolutions (option 3), the better.
            let score = architecture.answers.iter().filter(|&&answer| answer == 3).count() as f64;
            evolution.scored(architecture, score);
        }
        evolution
    }

    #[test]
    fn evolution_finds_what_random_draws_do_not() {
        let small = EvolutionConfig {
            population: 20,
            generations: 8,
            parents: 5,
            mutations: 10,
            crossovers: 10,
            ..Default::default()
        };
        let random = EvolutionConfig { population: 160, generations: 1, ..small };
        let mean = |config: EvolutionConfig| (0..5).map(|seed| run(config, seed).ranked()[0].1).sum::<f64>() / 5.0;
        assert!(mean(small) > mean(random) + 0.5, "{} {}", mean(small), mean(random));
    }

    #[test]
    fn nothing_is_scored_twice_and_the_best_comes_first() {
        let evolution = run(EvolutionConfig::default(), 1);
        let ranked = evolution.ranked();
        let different: HashSet<&Architecture> = ranked.iter().map(|(architecture, _)| architecture).collect();
        assert!(different.len() == ranked.len() && ranked.len() <= evolution.most() as usize);
        assert!(ranked.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        assert_eq!(ranked[0].1, 6.0);
    }

    #[test]
    fn evolution_scores_only_cells_that_the_space_draws() {
        let space = crate::space::darts::Darts::default();
        let mut evolution = Evolution::new(EvolutionConfig::default(), Random::new(3, 0)).unwrap();
        while let Some(architecture) = evolution.next(&space) {
            for node in architecture.answers.chunks_exact(4) {
                assert_ne!(node[0], node[2], "both edges of a node read one state: {architecture:?}");
            }
            // Early states are good, so that cells drift to where the two would meet.
            let score = -(architecture.answers.iter().step_by(2).sum::<usize>() as f64);
            evolution.scored(architecture, score);
        }
        assert!(evolution.ranked().len() > 500);
    }

    #[test]
    fn a_space_smaller_than_the_population_is_ranked_to_its_end() {
        let space = crate::space::chain::Chain::mlp(1, &[16, 32, 64, 128]).unwrap();
        let mut evolution = Evolution::new(EvolutionConfig::default(), Random::new(0, 0)).unwrap();
        let mut count = 0;
        while let Some(architecture) = evolution.next(&space) {
            evolution.scored(architecture, 0.0);
            count += 1;
        }
        assert_eq!(Some(count), space.size());
    }

    #[test]
    fn settings_that_rank_nothing_are_refused() {
        let nothing = EvolutionConfig { population: 0, ..Default::default() };
        assert!(Evolution::new(nothing, Random::new(0, 0)).unwrap_err().contains("at least 1"));
    }
}
