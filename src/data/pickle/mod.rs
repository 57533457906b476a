//! Python's pickles, as far as datasets need them: containers, numbers, texts, and numpy's arrays of
//! whole numbers.
//!
//! A pickle is a program for a machine with a stack. Here that machine can build data and nothing
//! else: the only names it knows are those of numpy's arrays, and none of them runs anything. Objects
//! lie in one list and name each other by number, so nothing recurses; texts stay where they are in
//! the file. Memory is bounded by the file and by a limit on the number of objects.

mod error;
mod machine;
mod object;

pub use error::PickleError;

use super::array::Array;
use machine::Machine;
use object::{Built, Id, Object, Span};

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
