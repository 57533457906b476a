//! The state of whatever goes step by step, so that it can be taken up again: plain values as JSON and tensors as words,
//! by name, in parts within parts.
//!
//! A state says where something *is*, not what it is: it is restored into the same thing built anew with the same
//! settings. What can be made again from the rest (recordings, caches, activations) is no part of it. Tensors are kept
//! word for word, so that no bit is lost, and the same state always has the same bytes.

mod bytes;
mod error;

pub use error::StateError;

use crate::device::Device;
use crate::tensor::Tensor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// The value that says whose state it is.
const KIND: &str = "kind";

/// What the words of a kept tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// Bits of single-precision numbers.
    F32,
    /// Words.
    U32,
}

#[derive(Clone, Debug, PartialEq)]
struct Array {
    element: Element,
    shape: Vec<usize>,
    words: Vec<u32>,
}

/// Values, tensors and parts by name. No name holds a slash.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Where it lies in the whole, for messages and as bytes: the names of the parts around it and its own, each with a
    /// slash behind it.
    place: String,
    values: BTreeMap<String, Value>,
    tensors: BTreeMap<String, Array>,
    parts: BTreeMap<String, State>,
}

impl State {
    /// The state of a `kind` of thing, empty yet.
    pub fn of(kind: &str) -> Self {
        Self { values: BTreeMap::from([(KIND.to_owned(), kind.into())]), ..Self::default() }
    }

    /// Makes sure that it is the state of such a thing.
    ///
    /// # Errors
    /// [`StateError::Kind`] if it is another's.
    pub fn check(&self, kind: &str) -> Result<(), StateError> {
        match self.values.get(KIND) {
            Some(Value::String(found)) if found == kind => Ok(()),
            found => Err(StateError::Kind {
                place: self.place.trim_end_matches('/').to_owned(),
                expected: kind.to_owned(),
                found: found.and_then(Value::as_str).unwrap_or("nothing").to_owned(),
            }),
        }
    }

    /// Keeps a value.
    ///
    /// # Errors
    /// [`StateError::Value`] for what JSON cannot hold, such as maps whose keys are no texts. (Numbers that are not
    /// finite become `null`, which no number is read from: their bits can be kept instead.)
    pub fn set(&mut self, name: &str, value: impl Serialize) -> Result<(), StateError> {
        let value = serde_json::to_value(value).map_err(|error| self.wrong(name, error.to_string()))?;
        self.values.insert(name.to_owned(), value);
        Ok(())
    }

    /// A value that was kept.
    ///
    /// # Errors
    /// [`StateError::Missing`], or [`StateError::Value`] if it is of another form.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, StateError> {
        let value = self.values.get(name).ok_or_else(|| self.missing(name))?;
        T::deserialize(value).map_err(|error| self.wrong(name, error.to_string()))
    }

    /// Keeps words in a shape.
    ///
    /// # Errors
    /// [`StateError::Shape`] if they do not fill it.
    pub fn put(&mut self, name: &str, element: Element, shape: &[usize], words: Vec<u32>) -> Result<(), StateError> {
        if words.len() != shape.iter().product::<usize>() {
            return Err(self.misshapen(name, shape, &[words.len()]));
        }
        self.tensors.insert(name.to_owned(), Array { element, shape: shape.to_vec(), words });
        Ok(())
    }

    /// Words that were kept, which must be of this kind and shape.
    ///
    /// # Errors
    /// [`StateError::Missing`]; [`StateError::Shape`]; [`StateError::Value`] if they are of another kind.
    pub fn words(&self, name: &str, element: Element, shape: &[usize]) -> Result<&[u32], StateError> {
        let array = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        if array.shape != shape {
            return Err(self.misshapen(name, shape, &array.shape));
        }
        if array.element != element {
            return Err(self.wrong(name, format!("it holds {:?}, not {element:?}", array.element)));
        }
        Ok(&array.words)
    }

    /// Keeps the numbers that a tensor on a device holds.
    ///
    /// # Errors
    /// An error of the device.
    pub async fn keep(&mut self, name: &str, device: &Device, tensor: &Tensor) -> Result<(), StateError> {
        let words = match tensor.count() {
            // Devices have no empty buffers.
            0 => Vec::new(),
            _ => tensor.read_words(device).await.map_err(crate::tensor::Error::from)?,
        };
        self.put(name, Element::F32, tensor.shape(), words)
    }

    /// Writes numbers that were kept to a tensor on a device.
    ///
    /// # Errors
    /// As [`State::words`]; an error of the device.
    pub fn write(&self, name: &str, device: &Device, tensor: &Tensor) -> Result<(), StateError> {
        let words = self.words(name, Element::F32, tensor.shape())?;
        if !words.is_empty() {
            tensor.write_words(device, words)?;
        }
        Ok(())
    }

    /// Takes in the state of a part.
    pub fn nest(&mut self, name: &str, mut part: State) {
        part.move_to(format!("{}{name}/", self.place));
        self.parts.insert(name.to_owned(), part);
    }

    /// The state of a part.
    ///
    /// # Errors
    /// [`StateError::Missing`].
    pub fn part(&self, name: &str) -> Result<&State, StateError> {
        self.find(name).ok_or_else(|| self.missing(name))
    }

    /// The state of a part, if there is one.
    pub fn find(&self, name: &str) -> Option<&State> {
        self.parts.get(name)
    }

    /// A value that was kept but cannot be used.
    pub fn wrong(&self, name: &str, problem: impl Into<String>) -> StateError {
        StateError::Value { name: format!("{}{name}", self.place), problem: problem.into() }
    }

    fn missing(&self, name: &str) -> StateError {
        StateError::Missing { name: format!("{}{name}", self.place) }
    }

    fn misshapen(&self, name: &str, expected: &[usize], found: &[usize]) -> StateError {
        let (name, expected, found) = (format!("{}{name}", self.place), expected.to_vec(), found.to_vec());
        StateError::Shape { name, expected, found }
    }

    fn move_to(&mut self, place: String) {
        for (name, part) in &mut self.parts {
            part.move_to(format!("{place}{name}/"));
        }
        self.place = place;
    }
}

#[cfg(test)]
mod tests;
