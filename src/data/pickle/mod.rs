//! Python's pickles, as far as datasets need them: containers, numbers, texts, and numpy's arrays of
//! whole numbers.
//!
//! A pickle is a program for a machine with a stack. Here that machine can build data and nothing
//! else: the only names it knows are those of numpy's arrays, and none of them runs anything. Objects
//! lie in one list and name each other by number, so nothing recurses; texts stay where they are in
//! the file. Memory is bounded by the file and by `MOST_OBJECTS`.

mod machine;
mod object;

use super::array::{Array, ArrayError};
use machine::Machine;
use object::{Built, Id, Object, Span};
use thiserror::Error;

/// More objects than any dataset's pickle has: CIFAR-100's has some 150,000.
const MOST_OBJECTS: usize = 2_000_000;

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

/// What a pickle holds.
#[derive(Debug)]
pub struct Pickle<'a> {
    bytes: &'a [u8],
    objects: Vec<Object>,
    root: Id,
}

impl<'a> Pickle<'a> {
    /// Reads a pickle of any protocol from 0 to 5.
    ///
    /// # Errors
    /// If it is damaged, asks for anything but plain data and numpy's arrays, or builds too much.
    pub fn read(bytes: &'a [u8]) -> Result<Self, PickleError> {
        let (objects, root) = Machine::new(bytes).run()?;
        Ok(Self { bytes, objects, root })
    }

    /// The array of whole numbers under `key` of the dictionary that the pickle is.
    ///
    /// # Errors
    /// If there is none.
    pub fn array(&self, key: &'static str) -> Result<Array<'_>, PickleError> {
        let Object::Array(Some(Built { shape, element, fortran, data })) = self.entry(key)? else {
            return Err(PickleError::Entry { key, wanted: "an array" });
        };
        Array::new(shape.clone(), *element, *fortran, self.span(data).into())
            .map_err(|source| PickleError::Array { key, source })
    }

    /// The labels under `key`: a list of whole numbers, or an array.
    ///
    /// # Errors
    /// If there are none, or one is negative or too large.
    pub fn labels(&self, key: &'static str) -> Result<Vec<u32>, PickleError> {
        let wrong = PickleError::Entry { key, wanted: "a list of labels" };
        match self.entry(key)? {
            Object::List(items) | Object::Tuple(items) => {
                let label = |&id: &Id| match self.objects.get(id as usize) {
                    Some(Object::Int(value)) => u32::try_from(*value).ok(),
                    _ => None,
                };
                items.iter().map(label).collect::<Option<_>>().ok_or(wrong)
            }
            Object::Array(_) => self.array(key)?.labels().map_err(|source| PickleError::Array { key, source }),
            _ => Err(wrong),
        }
    }

    /// Whether the dictionary has this key.
    pub fn has(&self, key: &'static str) -> bool {
        self.entry(key).is_ok()
    }

    fn entry(&self, key: &'static str) -> Result<&Object, PickleError> {
        let Some(Object::Dict(entries)) = self.objects.get(self.root as usize) else {
            return Err(PickleError::Missing { key, found: "no dictionary".into() });
        };
        let text = |id: Id| match self.objects.get(id as usize) {
            Some(Object::Bytes(span) | Object::Text(span)) => Some(self.span(span)),
            _ => None,
        };
        // The last one counts, as in Python.
        let found = entries.iter().rev().find(|(name, _)| text(*name) == Some(key.as_bytes()));
        let object = found.and_then(|&(_, value)| self.objects.get(value as usize));
        object.ok_or_else(|| {
            let names = entries.iter().take(10).filter_map(|&(name, _)| text(name));
            let names: Vec<String> =
                names.map(|name| String::from_utf8_lossy(&name[..name.len().min(40)]).into_owned()).collect();
            PickleError::Missing { key, found: names.join(", ") }
        })
    }

    fn span<'s>(&'s self, span: &'s Span) -> &'s [u8] {
        span.of(self.bytes)
    }
}

#[cfg(test)]
pub(crate) mod tests;
