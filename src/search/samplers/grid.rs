//! Grid search: every combination, in order.

use super::random;
use crate::estimate::BoxFuture;
use crate::search::SearchError;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::{Asked, Candidate, Dimension, Domain, Proposal, Sampler};
use crate::settings::SettingsError;
use crate::space::Architecture;
use serde::{Deserialize, Serialize};

/// Grid search.
pub static METHOD: Sampled = Sampled {
    about: About { name: "grid", paper: "grid search", weighs: "every combination, in order", ..random::ABOUT },
    preset: |config, _| config.with(&GridConfig::default()),
    make: |settings, _| {
        let config: GridConfig = settings.read()?;
        config.check()?;
        Ok(Box::new(Grid::new(config)))
    },
};

/// Combinations in a row that the space does not have, after which it is taken to have no more.
const MOST_SKIPPED: u64 = 10_000_000;

/// Settings of [`Grid`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GridConfig {
    /// Values of each setting that is a number between two, evenly spaced from end to end.
    pub points: usize,
}

impl Default for GridConfig {
    fn default() -> Self {
        Self { points: 3 }
    }
}

impl GridConfig {
    /// Whether it can be used.
    ///
    /// # Errors
    /// What cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.points < 2 { Err(SettingsError("points must be 2 at least".into())) } else { Ok(()) }
    }
}

/// Every combination of answers in order, the last decision changing fastest.
pub struct Grid {
    config: GridConfig,
    /// Digits of the combination that comes next, and how many trials came before.
    next: Option<Vec<usize>>,
    before: usize,
}

impl Grid {
    /// At the first combination.
    pub fn new(config: GridConfig) -> Self {
        Self { config, next: None, before: 0 }
    }

    /// Moves on to the next combination that differs in the digit `at` or one before; false behind the last.
    fn advance(digits: &mut [usize], sizes: &[usize], at: usize) -> bool {
        digits.iter_mut().skip(at + 1).for_each(|digit| *digit = 0);
        for (digit, size) in digits.iter_mut().zip(sizes).take(at + 1).rev() {
            *digit += 1;
            if *digit < *size {
                return true;
            }
            *digit = 0;
        }
        false
    }

    fn candidate(&self, domain: &Domain<'_>, digits: &[usize]) -> Candidate {
        let (answers, beside) = digits.split_at(domain.decisions.len());
        let coordinate =
            |(digit, (_, values)): (&usize, &(String, crate::search::study::Values))| match values.dimension() {
                Dimension::Real => *digit as f64 / (self.config.points - 1).max(1) as f64,
                Dimension::Options(_) | Dimension::Ordered(_) => *digit as f64,
            };
        Candidate {
            answers: Architecture { answers: answers.to_vec() },
            beside: beside.iter().zip(&domain.beside).map(coordinate).collect(),
        }
    }

    /// The combination of the next trial, from the first on that the space has; none behind the last.
    fn find(&mut self, asked: &Asked<'_>) -> Option<Candidate> {
        let domain = asked.subject.domain;
        let sizes: Vec<usize> =
            domain.dimensions().into_iter().map(|d| d.options().unwrap_or(self.config.points)).collect();
        if self.before > asked.number() {
            (self.next, self.before) = (None, 0);
        }
        let mut digits = self.next.clone().unwrap_or_else(|| vec![0; sizes.len()]);
        let mut skipped = 0;
        loop {
            let candidate = self.candidate(domain, &digits);
            let answers = &candidate.answers;
            // Where an answer cannot stand beside those before it, no others behind it help.
            let excluded =
                answers.answers.iter().enumerate().rposition(|(at, &answer)| !domain.space.allows(answers, at, answer));
            if excluded.is_none() && domain.holds(&candidate) {
                if self.before == asked.number() {
                    self.next = Some(digits);
                    return Some(candidate);
                }
                self.before += 1;
                skipped = 0;
            } else {
                skipped += 1;
            }
            let last = sizes.len().saturating_sub(1);
            if skipped > MOST_SKIPPED || !Self::advance(&mut digits, &sizes, excluded.unwrap_or(last)) {
                return None;
            }
        }
    }
}

impl Sampler for Grid {
    fn propose<'a>(&'a mut self, asked: Asked<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>> {
        Box::pin(async move { Ok(self.find(&asked).map_or(Proposal::Done, Proposal::whole)) })
    }
}
