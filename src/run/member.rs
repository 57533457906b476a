//! A training of a run, which may have begun before its turn.

use crate::estimate::{EpochReport, EstimateError, Training};
use crate::state::{State, StateError};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// A training, before its turn or in it.
#[derive(Debug)]
pub(super) struct Member {
    /// What the network is called.
    pub name: String,
    pub training: Training,
    /// Epochs of which nobody has heard yet.
    told: VecDeque<EpochReport>,
    /// What ended it before its turn.
    failed: Option<EstimateError>,
    /// Seconds of the machine that it had before its turn: of those in which several went on each had its share.
    pub seconds: f64,
}

impl Member {
    pub fn new(name: String, training: Training) -> Self {
        Self { name, training, told: VecDeque::new(), failed: None, seconds: 0.0 }
    }

    /// Whether it takes no more steps.
    pub fn has_ended(&self) -> bool {
        let (taken, total) = self.training.progress();
        self.failed.is_some() || taken >= total
    }

    /// Steps whose epochs were heard of, and those of the epoch that is on.
    pub fn heard(&self) -> u64 {
        self.training.progress().0.saturating_sub(self.told.len() as u64 * self.training.per_epoch())
    }

    /// Whether there is an epoch of which nobody has heard.
    pub fn has_untold(&self) -> bool {
        !self.told.is_empty()
    }

    /// In its turn: what nobody has heard yet, else takes a step.
    pub async fn advance(&mut self) -> Result<Option<EpochReport>, EstimateError> {
        if let Some(report) = self.told.pop_front() {
            return Ok(Some(report));
        }
        self.failed.take().map_or(Ok(()), Err)?;
        self.training.advance().await
    }

    /// Takes a step before its turn, while so many go on.
    pub fn step(&mut self, going: &AtomicUsize) {
        let began = Instant::now();
        match pollster::block_on(self.training.advance()) {
            Ok(report) => self.told.extend(report),
            Err(error) => self.failed = Some(error),
        }
        self.seconds += began.elapsed().as_secs_f64() / going.load(Ordering::Relaxed).max(1) as f64;
    }

    /// Its state.
    pub fn save(&self) -> Result<State, EstimateError> {
        let mut state = pollster::block_on(self.training.save())?;
        state.set("told", &self.told)?;
        state.set("seconds", self.seconds)?;
        Ok(state)
    }

    /// Goes on from the state of one of that name.
    pub fn restore(&mut self, state: &State) -> Result<(), EstimateError> {
        self.training.restore(state)?;
        // Not in checkpoints of trainings that went on alone.
        self.told = or_default(state.get("told"))?;
        self.seconds = or_default(state.get("seconds"))?;
        Ok(())
    }
}

fn or_default<T: Default>(got: Result<T, StateError>) -> Result<T, StateError> {
    match got {
        Err(StateError::Missing { .. }) => Ok(T::default()),
        other => other,
    }
}
