//! ASHA (Li et al. 2020, "A system for massively parallel hyperparameter tuning"): successive halving that waits for nobody.

use super::halving::{HalvingConfig, fidelity};
use super::random;
use crate::estimate::{BoxFuture, Measured};
use crate::numerics::halving::{Finished, promotion};
use crate::random::Random;
use crate::search::SearchError;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::{Candidate, Follower, Machine, Proposal, StudyConfig, Subject};

/// ASHA.
pub static METHOD: Sampled = Sampled {
    about: About {
        name: "asha",
        paper: "ASHA (Li et al. 2020)",
        runs: "η times the epochs for one among the best of η so far",
        chooses: "the best of those trained longest",
        ..random::ABOUT
    },
    preset: |config, _| StudyConfig { unordered: true, ..config.clone() }.with(&HalvingConfig::default()),
    make: |settings, seed| {
        let config: HalvingConfig = settings.read()?;
        config.check()?;
        Ok(Box::new(Follower::new(move || Asha::new(config, seed))))
    },
};

/// Streams of the study's seed: one for each trial.
const DRAWN: u64 = 0x5A09 << 48;

/// Promotes, from the top rung down, whoever is among the best η-th of what its rung has seen; else begins anew.
pub struct Asha {
    config: HalvingConfig,
    seed: u64,
    rungs: Vec<Vec<Finished>>,
    /// What was tried, by number, and its rung.
    tried: Vec<(Candidate, usize)>,
}

impl Asha {
    /// Before the first trial.
    pub fn new(config: HalvingConfig, seed: u64) -> Self {
        Self { config, seed, rungs: Vec::new(), tried: Vec::new() }
    }

    fn propose(&mut self, subject: &Subject<'_>) -> Result<Proposal, SearchError> {
        let budgets = self.config.budgets(subject.epochs)?;
        self.rungs.resize_with(budgets.len(), Vec::new);
        let number = self.tried.len();
        let (candidate, rung, continues) = match promotion(&self.rungs, self.config.eta) {
            Some(promoted) => {
                let from = &mut self.rungs[promoted.rung - 1];
                from.iter_mut().filter(|one| one.trial == promoted.trial).for_each(|one| one.promoted = true);
                (self.tried[promoted.trial].0.clone(), promoted.rung, Some(promoted.trial))
            }
            None => (subject.domain.draw(&mut Random::new(self.seed, DRAWN + number as u64)), 0, None),
        };
        self.tried.push((candidate.clone(), rung));
        Ok(Proposal::Trial { candidate, fidelity: fidelity(budgets[rung], subject.epochs), continues })
    }
}

impl Machine for Asha {
    fn next<'a>(&'a mut self, subject: Subject<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>> {
        Box::pin(async move { self.propose(&subject) })
    }

    fn ended<'a>(
        &'a mut self,
        subject: Subject<'a>,
        trial: usize,
        measured: &'a Measured,
    ) -> BoxFuture<'a, Result<(), SearchError>> {
        Box::pin(async move {
            if let (Some((_, rung)), Some(score)) = (self.tried.get(trial), subject.worth(measured)) {
                self.rungs[*rung].push(Finished { trial, score, promoted: false });
            }
            Ok(())
        })
    }
}
