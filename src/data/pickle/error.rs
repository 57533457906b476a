//! What can be wrong with a pickle.

use super::super::array::ArrayError;
use thiserror::Error;

/// More objects than any dataset's pickle has: CIFAR-100's has some 150,000.
pub(super) const MOST_OBJECTS: usize = 2_000_000;

/// A pickle that cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PickleError {
    /// It names something other than numpy's arrays.
    #[error("the pickle asks for `{name}`; only numpy arrays and plain data are read, nothing is run")]
    Global {
        /// What it asks for.
        name: String,
    },
    /// An instruction that is not known, or not allowed.
    #[error("at byte {at}: the pickle has the instruction {code:#04x}, which plain data do not need")]
    Instruction {
        /// Where.
        at: usize,
        /// Its code.
        code: u8,
    },
    /// It ends too early.
    #[error("the pickle is cut off at byte {at}")]
    Cut {
        /// Where something was missing.
        at: usize,
    },
    /// It makes no sense.
    #[error("at byte {at}: {problem}; no pickle, or damaged")]
    Wrong {
        /// Where.
        at: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// It builds too much.
    #[error("the pickle builds more than {limit} {what}, which no dataset known does")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// It is not the dictionary wanted.
    #[error("the pickle has no `{key}`; it holds {found}")]
    Missing {
        /// The key looked for.
        key: &'static str,
        /// What it holds instead.
        found: String,
    },
    /// An entry of another kind.
    #[error("`{key}` is not {wanted}")]
    Entry {
        /// Its key.
        key: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// An array that cannot be used.
    #[error("`{key}`: {source}")]
    Array {
        /// Its key.
        key: &'static str,
        /// What is wrong with it.
        source: ArrayError,
    },
}
