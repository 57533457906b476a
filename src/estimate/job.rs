//! What measures an architecture: an estimator starts jobs, and a job goes step by step to what the architecture came to.

use super::{EpochReport, EstimateError, Measured};
use crate::space::Architecture;
use crate::state::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::pin::Pin;
use toml::Value;

/// A future in a box: what a method of a trait object gives. It is polled where it was made.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// How far something has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Steps taken.
    pub taken: u64,
    /// Steps altogether.
    pub total: u64,
}

/// How thoroughly an architecture is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fidelity {
    /// As thoroughly as the estimator does it.
    Full,
    /// After so many epochs of the training whose settings the estimator has.
    Epochs(u32),
}

/// A way to measure architectures.
pub trait Estimator {
    /// What is known of an architecture without measuring it, by the name of the objective: its size, say.
    ///
    /// # Errors
    /// An architecture of another space.
    fn known(&self, _architecture: &Architecture) -> Result<BTreeMap<String, f64>, EstimateError> {
        Ok(BTreeMap::new())
    }

    /// Starts to measure an architecture, with settings of its training laid over the estimator's own, by the keys of a
    /// configuration (`train.batch`). The job takes its steps when it is asked to.
    ///
    /// # Errors
    /// [`EstimateError::Settings`] for a fidelity or a setting that there is not; an architecture of another space; out of
    /// memory.
    fn start<'j>(
        &self,
        architecture: &Architecture,
        settings: &[(String, Value)],
        fidelity: Fidelity,
    ) -> Result<Box<dyn Job + 'j>, EstimateError>
    where
        Self: 'j;
}

/// What happened in a step of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobEvent {
    /// An epoch of training ended.
    Epoch(EpochReport),
    /// The job is over.
    Measured(Measured),
}

/// A measurement under way. It can stop between any two steps: its state is saved and restored into a job that was started
/// anew with the same settings, and at the same fidelity or a higher one.
pub trait Job {
    /// Takes one step and gives what happened; nothing once the job is over.
    ///
    /// # Errors
    /// An error of the device. (That an architecture cannot be trained is no error, but what it came to.)
    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<JobEvent>, EstimateError>>;

    /// Steps taken and to be taken.
    fn progress(&self) -> Progress;

    /// Has it measure what it has come to by now, instead of going on, if it can.
    fn cut(&mut self) {}

    /// Where it stands.
    ///
    /// # Errors
    /// An error of the device.
    fn save(&self) -> BoxFuture<'_, Result<State, EstimateError>>;

    /// Goes on from a state. After an error it is of no more use.
    ///
    /// # Errors
    /// [`EstimateError::State`] if it is the state of something else; an error of the device.
    fn restore<'a>(&'a mut self, state: &'a State) -> BoxFuture<'a, Result<(), EstimateError>>;
}

/// Drives a job to its end.
///
/// # Errors
/// As [`Job::advance`]; [`EstimateError::Settings`] if it is over already.
pub async fn finish(job: &mut dyn Job) -> Result<Measured, EstimateError> {
    while job.progress().taken < job.progress().total {
        for event in job.advance().await? {
            if let JobEvent::Measured(measured) = event {
                return Ok(measured);
            }
        }
    }
    Err(EstimateError::Settings("the job came to nothing: it was over before".into()))
}
