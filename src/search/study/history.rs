//! The journal of a study: what was tried, and what it came to, in the order in which it became known.

use super::domain::Candidate;
use crate::estimate::{Fidelity, Measured};
use serde::{Deserialize, Serialize};

/// Something that was tried, or is being tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// What.
    pub candidate: Candidate,
    /// How thoroughly.
    pub fidelity: Fidelity,
    /// The trial of the same candidate, at a lower fidelity, that it goes on from.
    pub continues: Option<usize>,
    /// What it came to; none while it is under way.
    pub measured: Option<Measured>,
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A trial began. Its number is that of trials before.
    Began {
        /// What is tried.
        candidate: Candidate,
        /// How thoroughly.
        fidelity: Fidelity,
        /// The trial it goes on from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        continues: Option<usize>,
    },
    /// A trial came to something.
    Ended {
        /// Its number.
        trial: usize,
        /// What it came to.
        measured: Measured,
    },
}

/// The journal so far. It only grows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    trials: Vec<Trial>,
    entries: Vec<Entry>,
}

impl History {
    /// Adds an entry; what it ends must have begun and not have ended.
    ///
    /// # Errors
    /// What is wrong with the entry.
    pub fn push(&mut self, entry: Entry) -> Result<(), String> {
        match &entry {
            Entry::Began { candidate, fidelity, continues } => {
                if continues.is_some_and(|before| before >= self.trials.len()) {
                    return Err(format!("trial {} goes on from one that never began", self.trials.len()));
                }
                let (candidate, continues) = (candidate.clone(), *continues);
                self.trials.push(Trial { candidate, fidelity: *fidelity, continues, measured: None });
            }
            Entry::Ended { trial, measured } => match self.trials.get_mut(*trial) {
                Some(Trial { measured: known @ None, .. }) => *known = Some(measured.clone()),
                Some(_) => return Err(format!("trial {trial} ends twice")),
                None => return Err(format!("trial {trial} ends and never began")),
            },
        }
        self.entries.push(entry);
        Ok(())
    }

    /// All trials, by number.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// All entries, in their order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Numbers of the trials that have ended, in the order in which they did.
    pub fn ended(&self) -> impl Iterator<Item = usize> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Ended { trial, .. } => Some(*trial),
            Entry::Began { .. } => None,
        })
    }

    /// Numbers of the trials that are under way.
    pub fn under_way(&self) -> impl Iterator<Item = usize> {
        self.trials.iter().enumerate().filter(|(_, trial)| trial.measured.is_none()).map(|(number, _)| number)
    }
}
