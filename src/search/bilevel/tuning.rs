//! Where a selection by masking stands.

use super::Selection;
use super::masking::Masking;
use super::phase::Phase;
use super::scoring::Scoring;
use crate::random::Random;
use crate::state::{State, StateError};

/// Stream of the run's seed for the order in which options are masked.
pub(super) const MASKED: u64 = 0xB11F << 48;

/// A selection by masking, between whose choices the weights are trained.
pub(super) struct Tuning {
    pub masking: Masking,
    pub scoring: Scoring,
    /// Steps of training taken, and those left before the next choice.
    pub taken: u64,
    pub left: u64,
}

/// Choices that a selection by masking will take.
pub(super) fn questions(selection: Selection, phase: &Phase, seed: u64) -> u64 {
    match selection {
        Selection::Weights | Selection::BestEpoch => 0,
        Selection::Masking { .. } => {
            let (graph, tables) = (phase.supernet.network().graph(), phase.supernet.tables());
            Masking::new(graph, tables, Vec::new(), &mut Random::new(seed, MASKED)).count()
        }
    }
}

impl Tuning {
    /// Its state; the weights in training are the supernet's.
    pub fn save(&self) -> Result<State, StateError> {
        let mut state = State::of("tuning");
        state.set("taken", self.taken)?;
        state.set("left", self.left)?;
        state.nest("masking", self.masking.save()?);
        Ok(state)
    }

    /// Goes on from a state. The search has taken so many steps by now.
    pub fn restore(&mut self, state: &State, taken: u64) -> Result<(), StateError> {
        state.check("tuning")?;
        self.taken = state.get("taken")?;
        self.left = state.get("left")?;
        if self.taken > taken {
            return Err(state.wrong("taken", format!("{} steps of {taken}", self.taken)));
        }
        self.masking.restore(state.part("masking")?)
    }
}
