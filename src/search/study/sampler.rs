//! What decides which trial comes next.

use super::domain::{Candidate, Domain};
use super::history::{Entry, History};
use super::objective::Objective;
use crate::device::Device;
use crate::estimate::{BoxFuture, Fidelity, Measured};
use crate::search::SearchError;

/// What is studied.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// A device, for samplers that train something.
    pub device: &'a Device,
    /// What may be tried.
    pub domain: &'a Domain<'a>,
    /// What is looked for, the most important first; one at least.
    pub objectives: &'a [Objective],
    /// Epochs of a trial at full fidelity.
    pub epochs: u32,
}

impl Subject<'_> {
    /// What a measurement is worth by the first objective.
    pub fn worth(&self, measured: &Measured) -> Option<f64> {
        self.objectives.first()?.worth(measured)
    }
}

/// What a sampler is asked with.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// What is studied.
    pub subject: Subject<'a>,
    /// What was tried so far.
    pub history: &'a History,
}

impl Asked<'_> {
    /// What a trial is worth by the first objective, if it has come to anything.
    pub fn worth(&self, trial: usize) -> Option<f64> {
        self.subject.worth(self.history.trials().get(trial)?.measured.as_ref()?)
    }

    /// The number of the next trial.
    pub fn number(&self) -> usize {
        self.history.trials().len()
    }

    /// Trials that have ended with a worth, in the order in which they did, and the worth.
    pub fn known(&self) -> Vec<(usize, f64)> {
        self.history.ended().filter_map(|trial| Some((trial, self.worth(trial)?))).collect()
    }
}

/// What a sampler answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Proposal {
    /// This is to be tried.
    Trial {
        /// What.
        candidate: Candidate,
        /// How thoroughly.
        fidelity: Fidelity,
        /// The trial of the same candidate that it goes on from.
        continues: Option<usize>,
    },
    /// Something that is under way has to end first.
    Wait,
    /// There is nothing left to be tried.
    Done,
}

impl Proposal {
    /// To be tried as thoroughly as can be.
    pub fn whole(candidate: Candidate) -> Self {
        Self::Trial { candidate, fidelity: Fidelity::Full, continues: None }
    }
}

/// Decides which trial comes next: a function of its settings, its seed and the journal. Whatever it keeps from one answer to
/// the next is a cache: a new one that is given the journal answers the same.
pub trait Sampler {
    /// The next trial.
    ///
    /// # Errors
    /// [`SearchError::Settings`] if it cannot search this; an error of the device, for those that train something.
    fn propose<'a>(&'a mut self, asked: Asked<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>>;
}

/// A way to choose that is told of everything in the order in which it happened. What [`Follower`] makes a [`Sampler`] of.
pub trait Machine {
    /// What comes next. Where that is a trial, it has begun with this; [`Proposal::Wait`] and [`Proposal::Done`] change nothing.
    ///
    /// # Errors
    /// As [`Sampler::propose`].
    fn next<'a>(&'a mut self, subject: Subject<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>>;

    /// The trial of this number, in the order in which they began, has come to something.
    ///
    /// # Errors
    /// As [`Sampler::propose`].
    fn ended<'a>(
        &'a mut self,
        subject: Subject<'a>,
        trial: usize,
        measured: &'a Measured,
    ) -> BoxFuture<'a, Result<(), SearchError>>;
}

/// Leads a [`Machine`] through the journal, as far as it has not been, so that it stands where it would if it had been there all
/// the time: what it chose then it chooses again.
pub struct Follower<M> {
    make: Box<dyn Fn() -> M>,
    machine: M,
    /// Entries of the journal that it has seen.
    seen: usize,
    /// What it has just proposed, and does not begin a second time when the journal says so.
    proposed: Option<Proposal>,
}

impl<M: Machine> Follower<M> {
    /// At the beginning of a journal, with the machine that this makes, the same every time.
    pub fn new(make: impl Fn() -> M + 'static) -> Self {
        Self { machine: make(), make: Box::new(make), seen: 0, proposed: None }
    }

    async fn follow(&mut self, asked: Asked<'_>) -> Result<Proposal, SearchError> {
        let next = asked.history.entries().get(self.seen);
        if self.proposed.is_some() && matches!(next, Some(Entry::Ended { .. })) {
            // What it proposed did not begin, and it is another question now.
            (self.machine, self.seen, self.proposed) = ((self.make)(), 0, None);
        }
        while let Some(entry) = asked.history.entries().get(self.seen) {
            match entry {
                Entry::Began { candidate, .. } => {
                    let again = match self.proposed.take() {
                        Some(proposed) => proposed,
                        None => self.machine.next(asked.subject).await?,
                    };
                    if !matches!(&again, Proposal::Trial { candidate: own, .. } if own == candidate) {
                        let problem = "the journal is that of other settings: its trials are not what they lead to";
                        return Err(SearchError::Settings(problem.into()));
                    }
                }
                Entry::Ended { trial, measured } => {
                    self.machine.ended(asked.subject, *trial, measured).await?;
                }
            }
            self.seen += 1;
        }
        if self.proposed.is_none() {
            let next = self.machine.next(asked.subject).await?;
            self.proposed = matches!(next, Proposal::Trial { .. }).then(|| next.clone());
            return Ok(next);
        }
        // Asked again without having begun what was proposed.
        Ok(self.proposed.clone().unwrap_or(Proposal::Wait))
    }
}

impl<M: Machine> Sampler for Follower<M> {
    fn propose<'a>(&'a mut self, asked: Asked<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>> {
        Box::pin(self.follow(asked))
    }
}
