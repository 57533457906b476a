//! Search strategies: which architecture, or which step of the architecture weights, comes next.
//!
//! A search is a **stepper**: [`bilevel::Bilevel`], say, does one step and gives what happened, and whoever
//! calls it (a command line, a test, a page) decides when to go on and what to do with the events.

pub mod bench;
pub mod bilevel;
pub mod check;
pub mod collapse;
pub mod controller;
pub mod enas;
pub mod one_shot;
mod strategies;
mod strategy;

pub use crate::estimate::EstimateError as SearchError;
pub use crate::estimate::{BoxFuture, Progress};
pub use strategies::{ALL, Gradient, Paths, table};
pub use strategy::{About, Bench, Strategy, Task};

use crate::estimate::Measured;
use crate::space::{Architecture, Space, TableWeights};
use crate::state::State;
use serde::Serialize;

/// A search that goes step by step, and can stop between any two: its state is saved, and restored into a stepper that was
/// built anew with the same settings, which then goes on to the same bits as if it had never stopped.
///
/// What a stepper keeps is therefore plain: numbers, tensors, positions in streams of random numbers.
pub trait Stepper {
    /// Takes one step and gives what happened; nothing once the search is over.
    ///
    /// # Errors
    /// [`SearchError`]: a value that is not finite, an error of the device.
    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<Event>, SearchError>>;

    /// Steps taken and to be taken.
    fn progress(&self) -> Progress;

    /// Where it stands.
    ///
    /// # Errors
    /// An error of the device.
    fn save(&self) -> BoxFuture<'_, Result<State, SearchError>>;

    /// Goes on from a state. After an error the stepper is of no more use.
    ///
    /// # Errors
    /// [`SearchError::State`] if it is the state of something else; an error of the device.
    fn restore<'a>(&'a mut self, state: &'a State) -> BoxFuture<'a, Result<(), SearchError>>;
}

/// The steps that a saved search had taken, if there are so many of `total`.
fn steps_taken(state: &State, total: u64) -> Result<u64, SearchError> {
    let taken = state.get("taken")?;
    if taken > total {
        return Err(state.wrong("taken", format!("{taken} steps, where there are {total}")).into());
    }
    Ok(taken)
}

/// Makes sure that architectures kept as `name` are those of a space.
fn check_architectures<'a>(
    state: &State,
    name: &str,
    space: &dyn Space,
    architectures: impl IntoIterator<Item = &'a Architecture>,
) -> Result<(), SearchError> {
    let check = |architecture| space.check(architecture).map_err(|error| state.wrong(name, error.to_string()).into());
    architectures.into_iter().try_for_each(check)
}

/// Who came by an architecture that was ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Origin {
    /// The strategy.
    Strategy,
    /// Chance: it was drawn at random, to hold the strategy against.
    Random,
}

/// What happened in a step of a search.
#[derive(Clone, Debug)]
pub enum Event {
    /// One step was taken.
    Step {
        /// Steps taken so far.
        taken: u64,
        /// Steps altogether.
        total: u64,
        /// Loss of the weight step.
        train_loss: f32,
        /// Loss of the architecture step, where there is one.
        valid_loss: Option<f32>,
    },
    /// An architecture was measured.
    Ranked {
        /// Steps taken so far.
        taken: u64,
        /// Steps altogether, at most.
        total: u64,
        /// Which one.
        architecture: Architecture,
        /// What it came to, on the images that rank.
        measured: Measured,
        /// Who came by it.
        origin: Origin,
    },
    /// A controller learned from the rewards of a batch of architectures.
    Learned {
        /// Steps taken so far.
        taken: u64,
        /// Steps altogether.
        total: u64,
        /// Mean reward (without entropy), mean entropy, and the baseline.
        learned: controller::Learned,
    },
    /// An epoch of a search by a controller ended.
    ControllerEpoch(ControllerEpoch),
    /// An epoch ended.
    Epoch(Box<EpochEnd>),
    /// The search is over.
    Derived {
        /// What it found.
        architecture: Architecture,
    },
}

/// State of a search at the end of an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochEnd {
    /// The epoch, counted from 0.
    pub epoch: u32,
    /// Learning rate of the weights.
    pub rate: f32,
    /// Mean loss of the weight steps.
    pub train_loss: f64,
    /// Share of right answers in the weight steps.
    pub train_accuracy: f64,
    /// Mean loss of the architecture steps; none while the architecture weights rest.
    pub valid_loss: Option<f64>,
    /// Share of right answers in the architecture steps, if there were any.
    pub valid_accuracy: Option<f64>,
    /// Accuracy of the supernet on (at most 2,048) images of the validation half.
    pub supernet_accuracy: f64,
    /// Softmaxed architecture weights.
    pub weights: Vec<TableWeights>,
    /// The architecture they stand for now.
    pub architecture: Architecture,
    /// Largest eigenvalue of ∇²α L_val, where a search watches it.
    pub eigenvalue: Option<f64>,
    /// Signs of collapse.
    pub collapse: collapse::Signs,
}

/// State of a search by a controller at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ControllerEpoch {
    /// The epoch, counted from 0.
    pub epoch: u32,
    /// Learning rate of the shared weights.
    pub rate: f32,
    /// Mean loss of the weight steps.
    pub train_loss: f64,
    /// Share of right answers in the weight steps.
    pub train_accuracy: f64,
    /// Mean reward of the controller's steps: accuracy on a batch of the images that validate.
    pub reward: f64,
    /// Mean entropy of an architecture's decisions, in nats.
    pub entropy: f64,
    /// The controller's baseline.
    pub baseline: f64,
}
