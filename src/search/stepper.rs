//! A search that goes step by step and can stop between any two.

use super::SearchError;
use super::event::Event;
use crate::estimate::{BoxFuture, Progress};
use crate::network::Network;
use crate::space::{Architecture, Space};
use crate::state::State;

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

    /// Has it end with what it has found so far, if it can: nothing more is begun, what is under way is given up.
    fn cut(&mut self) {}

    /// The weights that architectures share, where the search trains such.
    fn shared(&self) -> Option<Shared<'_>> {
        None
    }

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

/// Weights that architectures share.
#[derive(Clone, Copy, Debug)]
pub struct Shared<'a> {
    /// The supernet with its weights.
    pub network: &'a Network,
    /// Training images that trained none of them.
    pub rest: &'a [u32],
}

/// The steps that a saved search had taken, if there are so many of `total`.
pub(super) fn steps_taken(state: &State, total: u64) -> Result<u64, SearchError> {
    let taken = state.get("taken")?;
    if taken > total {
        return Err(state.wrong("taken", format!("{taken} steps, where there are {total}")).into());
    }
    Ok(taken)
}

/// Makes sure that more epochs do not send a search back into a part of it that was over when it was saved.
pub(super) fn check_order(state: &State, sent_back: bool) -> Result<(), SearchError> {
    if sent_back {
        let problem = "the part of the search that has these epochs is over, so they cannot become more";
        return Err(state.wrong("epochs", problem).into());
    }
    Ok(())
}

/// Makes sure that architectures kept as `name` are those of a space.
pub(super) fn check_architectures<'a>(
    state: &State,
    name: &str,
    space: &dyn Space,
    architectures: impl IntoIterator<Item = &'a Architecture>,
) -> Result<(), SearchError> {
    let check = |architecture| space.check(architecture).map_err(|error| state.wrong(name, error.to_string()).into());
    architectures.into_iter().try_for_each(check)
}
