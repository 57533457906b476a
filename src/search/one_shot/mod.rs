//! One-shot search by single paths: shared weights are trained on one uniformly drawn architecture a step, then
//! architectures are ranked by their accuracy with those weights.
//!
//! Random search with weight sharing (Li & Talwalkar, UAI 2019) ranks random architectures; single path one-shot (SPOS;
//! Guo et al., ECCV 2020) evolves them. Running statistics of batch norms belong to no single architecture, so they are
//! collected anew for each that is ranked (SPOS, section 3.3). Half of the training images train the weights, the
//! other half ranks.

mod config;
mod evolution;

pub use config::OneShotConfig;
pub use evolution::{Evolution, EvolutionConfig};

use super::{BoxFuture, Event, Origin, Progress, SearchError, Shared, Stepper, check_order, steps_taken};
use crate::data::{Resident, split};
use crate::device::Device;
use crate::estimate::{self, Estimator, Fidelity, Measured, PathConfig, PathTraining, SharedWeights, Supernet};
use crate::graph::Graph;
use crate::random::Random;
use crate::space::{Architecture, Space};
use crate::state::State;

/// Streams of the run's seed: architectures that are trained (one stream a step), and those that are ranked.
const TRAINED: u64 = 0x5905 << 48;
const RANKED: u64 = 0x5906 << 48;

/// Which architectures are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Random ones: random search with weight sharing.
    Random,
    /// Those that evolution comes by: SPOS.
    Evolution,
}

/// A one-shot search under way.
pub struct OneShot<'s> {
    space: &'s dyn Space,
    calibration: u32,
    seed: u64,
    paths: PathTraining,
    ranking: Vec<u32>,
    evolution: Evolution,
    taken: u64,
    over: bool,
}

impl<'s> OneShot<'s> {
    /// Prepares a search of `space` by its supernet `graph` on the training images `data`, whose labels are `labels`
    /// (for the split in halves).
    ///
    /// # Errors
    /// [`SearchError::Settings`] if nothing would be ranked; [`SearchError::Data`] if a batch is larger than a half;
    /// out of memory.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing")]
    pub fn new(
        device: &Device,
        space: &'s dyn Space,
        graph: Graph,
        data: &Resident,
        labels: &[u32],
        config: OneShotConfig,
        rank: Rank,
        seed: u64,
    ) -> Result<Self, SearchError> {
        let evolution = match rank {
            // A first generation without a second.
            Rank::Random => EvolutionConfig { population: config.samples, generations: 1, ..config.evolution },
            Rank::Evolution => config.evolution,
        };
        let evolution = Evolution::new(evolution, Random::new(seed, RANKED)).map_err(SearchError::Settings)?;
        let (for_weights, for_ranking) = split::halves(labels, seed)?;
        let OneShotConfig { epochs, batch, sgd, rate, augmentation, calibration, .. } = config;
        let training = PathConfig { epochs, batch, sgd, rate, augmentation, dropout: false };
        let paths = PathTraining::new(device, graph, data, for_weights, training, seed)?;
        Ok(Self { space, calibration, seed, paths, ranking: for_ranking, evolution, taken: 0, over: false })
    }

    /// The supernet.
    pub fn supernet(&self) -> &Supernet {
        self.paths.supernet()
    }

    /// All architectures ranked so far with their accuracies, the best first.
    pub fn ranked(&self) -> &[(Architecture, f64)] {
        self.evolution.ranked()
    }

    /// What an architecture does with the shared weights, on the half that ranks.
    ///
    /// # Errors
    /// An error of the device, or an architecture of another space.
    pub async fn measure(&mut self, architecture: &Architecture) -> Result<Measured, SearchError> {
        let Self { space, paths, ranking, calibration, .. } = self;
        let estimator = SharedWeights::new(*space, paths, ranking, *calibration);
        estimate::finish(&mut *estimator.start(architecture, &[], Fidelity::Full)?).await
    }

    async fn next(&mut self) -> Result<Vec<Event>, SearchError> {
        if self.over {
            return Ok(Vec::new());
        }
        let total = self.progress().total;
        if self.taken < self.paths.steps() {
            let architecture = self.space.random(&mut Random::new(self.seed, TRAINED + self.taken));
            let path = self.paths.path(self.space, &architecture)?;
            let train_loss = self.paths.step(self.taken, &path).await?.loss;
            self.taken += 1;
            return Ok(vec![Event::Step { taken: self.taken, total, train_loss, valid_loss: None }]);
        }
        let Some(architecture) = self.evolution.next(self.space) else {
            self.over = true;
            let nothing = || SearchError::Settings("no architecture was ranked".into());
            let best = self.evolution.best().cloned().ok_or_else(nothing)?;
            return Ok(vec![Event::Derived { architecture: best }]);
        };
        let measured = self.measure(&architecture).await?;
        self.taken += 1;
        // What could not be measured is no parent.
        self.evolution.scored(architecture.clone(), measured.accuracy().unwrap_or(f64::MIN));
        Ok(vec![Event::Ranked { taken: self.taken, total, architecture, measured, origin: Origin::Strategy }])
    }
}

impl Stepper for OneShot<'_> {
    /// Takes one step of training, or ranks one architecture, and gives what happened; nothing once the search is over.
    ///
    /// # Errors
    /// [`SearchError::NotFinite`] if loss or norm are not finite (nothing is changed by that step then); an error of
    /// the device.
    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<Event>, SearchError>> {
        Box::pin(self.next())
    }

    fn shared(&self) -> Option<Shared<'_>> {
        Some(Shared { network: self.paths.supernet().network(), rest: &self.ranking })
    }

    /// Steps taken and to be taken: of training, then one for each architecture ranked.
    fn progress(&self) -> Progress {
        let total = self.paths.steps() + u64::from(self.evolution.most());
        Progress { taken: if self.over { total } else { self.taken }, total }
    }

    fn save(&self) -> BoxFuture<'_, Result<State, SearchError>> {
        Box::pin(async move {
            let mut state = State::of("one-shot search");
            state.set("taken", self.taken)?;
            state.set("over", self.over)?;
            state.nest("paths", self.paths.save().await?);
            state.nest("evolution", self.evolution.save()?);
            Ok(state)
        })
    }

    fn restore<'a>(&'a mut self, state: &'a State) -> BoxFuture<'a, Result<(), SearchError>> {
        Box::pin(async move {
            state.check("one-shot search")?;
            self.over = state.get("over")?;
            self.taken = steps_taken(state, self.paths.steps() + u64::from(self.evolution.most()))?;
            self.paths.restore(state.part("paths")?)?;
            self.evolution.restore(state.part("evolution")?, self.space)?;
            check_order(state, self.taken < self.paths.steps() && !self.ranked().is_empty())
        })
    }
}
