//! Brackets of rungs, in which the better of those that were trained briefly are trained for longer: what successive halving, Hyperband
//! and BOHB share.

use super::near_good::{Model, ModelConfig};
use crate::estimate::{BoxFuture, Fidelity, Measured};
use crate::numerics::halving::{Rung, best, budgets, hyperband, successive_halving};
use crate::random::Random;
use crate::search::SearchError;
use crate::search::study::{Candidate, Machine, Proposal, Subject};
use crate::settings::SettingsError;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Streams of the study's seed: one for each trial.
const DRAWN: u64 = 0x5A08 << 48;

/// Settings of [`Halving`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HalvingConfig {
    /// η: one of so many goes on to the next rung, for so many times the epochs.
    pub eta: usize,
    /// Epochs of the lowest rung at least. The highest has those of a whole trial.
    pub least_epochs: usize,
}

impl Default for HalvingConfig {
    fn default() -> Self {
        Self { eta: 3, least_epochs: 1 }
    }
}

impl HalvingConfig {
    /// Whether it can be used.
    ///
    /// # Errors
    /// What cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        match self.eta < 2 || self.least_epochs == 0 {
            true => Err(SettingsError("eta must be 2 at least, least_epochs 1".into())),
            false => Ok(()),
        }
    }

    /// Epochs of each rung, the lowest first, up to those of a whole trial.
    ///
    /// # Errors
    /// If a whole trial has fewer than the lowest.
    pub fn budgets(&self, most: u32) -> Result<Vec<usize>, SearchError> {
        budgets(self.least_epochs, most as usize, self.eta).ok_or_else(|| {
            let problem = format!("least_epochs = {} exceeds the {most} epochs of a trial", self.least_epochs);
            SearchError::Settings(problem)
        })
    }
}

/// So many epochs, which may be all.
pub(super) fn fidelity(epochs: usize, most: u32) -> Fidelity {
    if epochs >= most as usize { Fidelity::Full } else { Fidelity::Epochs(epochs as u32) }
}

/// Which brackets follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brackets {
    /// All from the lowest rung on.
    Lowest,
    /// Each from another rung on, from the lowest to the highest and again (Hyperband).
    Turns,
}

/// The bracket under way.
struct Bracket {
    rungs: Vec<Rung>,
    at: usize,
    /// What goes on from the rung before: trials.
    promoted: Vec<usize>,
    /// How many of the rung have begun, and those that ended.
    begun: usize,
    ended: Vec<(usize, f64)>,
    waiting: HashSet<usize>,
}

/// Bracket after bracket.
pub struct Halving {
    config: HalvingConfig,
    brackets: Brackets,
    model: Option<Model>,
    seed: u64,
    iteration: usize,
    bracket: Option<Bracket>,
    /// What was tried, by number, and its epochs.
    tried: Vec<(Candidate, usize)>,
}

impl Halving {
    /// Before the first bracket; with a model that new candidates come from, if not from chance.
    pub fn new(config: HalvingConfig, brackets: Brackets, model: Option<ModelConfig>, seed: u64) -> Self {
        let model = model.map(Model::new);
        Self { config, brackets, model, seed, iteration: 0, bracket: None, tried: Vec::new() }
    }

    fn propose(&mut self, subject: &Subject<'_>) -> Result<Proposal, SearchError> {
        loop {
            let mut bracket = match self.bracket.take() {
                Some(bracket) => bracket,
                None => self.begin(subject.epochs)?,
            };
            if bracket.begun < bracket.rungs[bracket.at].trials {
                let proposal = self.trial(subject, &mut bracket);
                self.bracket = Some(bracket);
                return Ok(proposal);
            }
            if !bracket.waiting.is_empty() {
                self.bracket = Some(bracket);
                return Ok(Proposal::Wait);
            }
            // The rung is over.
            let next = bracket.at + 1;
            match bracket.rungs.get(next) {
                Some(rung) => {
                    let scores: Vec<f64> = bracket.ended.iter().map(|(_, worth)| *worth).collect();
                    let promoted: Vec<usize> =
                        best(&scores, rung.trials).into_iter().map(|at| bracket.ended[at].0).collect();
                    let (begun, ended) = (0, Vec::new());
                    self.bracket = Some(Bracket { at: next, promoted, begun, ended, ..bracket });
                }
                None => self.iteration += 1,
            }
        }
    }

    fn begin(&self, most: u32) -> Result<Bracket, SearchError> {
        let budgets = self.config.budgets(most)?;
        let rungs = match self.brackets {
            Brackets::Turns => hyperband(self.iteration, &budgets, self.config.eta),
            Brackets::Lowest => {
                let trials = self.config.eta.saturating_pow(budgets.len() as u32 - 1);
                successive_halving(trials, &budgets, self.config.eta)
            }
        };
        Ok(Bracket { rungs, at: 0, promoted: Vec::new(), begun: 0, ended: Vec::new(), waiting: HashSet::new() })
    }

    fn trial(&mut self, subject: &Subject<'_>, bracket: &mut Bracket) -> Proposal {
        let number = self.tried.len();
        let budget = bracket.rungs[bracket.at].budget;
        let continues = bracket.promoted.get(bracket.begun).copied();
        let candidate = match (continues, &self.model) {
            (Some(before), _) => self.tried[before].0.clone(),
            (None, model) => {
                let mut random = Random::new(self.seed, DRAWN + number as u64);
                let own = model.as_ref().and_then(|model| model.draw(subject, &mut random));
                own.unwrap_or_else(|| subject.domain.draw(&mut random))
            }
        };
        bracket.begun += 1;
        bracket.waiting.insert(number);
        self.tried.push((candidate.clone(), budget));
        Proposal::Trial { candidate, fidelity: fidelity(budget, subject.epochs), continues }
    }
}

impl Machine for Halving {
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
            let worth = subject.worth(measured);
            if let Some(bracket) = &mut self.bracket {
                bracket.waiting.remove(&trial);
                // What failed is not promoted unless nothing else is there.
                bracket.ended.push((trial, worth.unwrap_or(f64::NAN)));
            }
            if let (Some(model), Some(worth), Some((candidate, budget))) =
                (&mut self.model, worth, self.tried.get(trial))
            {
                model.add(*budget, candidate.point(), worth);
            }
            Ok(())
        })
    }
}
