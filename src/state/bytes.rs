//! A state as bytes: a safetensors file, whose metadata hold the values as JSON.
//!
//! The metadata are one key: a map of several has no order, and the same state would have other bytes each time.

use super::{Array, Element, State, StateError};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// The one key of the metadata.
const KEY: &str = "state";

fn format(error: impl std::fmt::Display) -> StateError {
    StateError::Format(error.to_string())
}

impl State {
    /// Writes it as a safetensors file. The same state gives the same bytes.
    ///
    /// # Errors
    /// [`StateError::Value`] for a name with a slash; [`StateError::Format`] if its size cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        let mut arrays = Vec::new();
        let values = self.collect(&mut arrays)?;
        let views = arrays.iter().map(|(name, array, bytes)| {
            let dtype = match array.element {
                Element::F32 => Dtype::F32,
                Element::U32 => Dtype::U32,
            };
            Ok((name, TensorView::new(dtype, array.shape.clone(), bytes).map_err(format)?))
        });
        let views = views.collect::<Result<Vec<_>, StateError>>()?;
        let metadata = HashMap::from([(KEY.to_owned(), values.to_string())]);
        safetensors::serialize(views, Some(metadata)).map_err(format)
    }

    /// Reads what [`State::to_bytes`] has written. All sizes are checked against the bytes there are before anything is
    /// allocated.
    ///
    /// # Errors
    /// [`StateError::Format`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let nothing = || format("it has no values: it is some other safetensors file");
        let text = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY)).ok_or_else(nothing)?;
        let mut state = Self::read(String::new(), serde_json::from_str(text).map_err(format)?)?;
        let file = SafeTensors::deserialize(bytes).map_err(format)?;
        for (name, view) in file.iter() {
            let element = match view.dtype() {
                Dtype::F32 => Element::F32,
                Dtype::U32 => Element::U32,
                other => return Err(format(format_args!("tensor `{name}` has element type {other:?}"))),
            };
            let mut path: Vec<&str> = name.split('/').collect();
            let own = path.pop().unwrap_or_default().to_owned();
            let part = path.into_iter().try_fold(&mut state, |state, part| state.parts.get_mut(part));
            let part = part.ok_or_else(|| format(format_args!("tensor `{name}` belongs to no part")))?;
            let words = view.data().as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
            part.tensors.insert(own, Array { element, shape: view.shape().to_vec(), words });
        }
        Ok(state)
    }

    /// The values of this part and those in it; their tensors are added to `arrays`.
    fn collect<'a>(&'a self, arrays: &mut Vec<(String, &'a Array, Vec<u8>)>) -> Result<Value, StateError> {
        let names = self.values.keys().chain(self.tensors.keys()).chain(self.parts.keys());
        if let Some(name) = names.into_iter().find(|name| name.contains('/')) {
            return Err(self.wrong(name, "no name may hold a slash"));
        }
        for (name, array) in &self.tensors {
            let bytes = array.words.iter().flat_map(|word| word.to_le_bytes()).collect();
            arrays.push((format!("{}{name}", self.place), array, bytes));
        }
        let values: Map<String, Value> =
            self.values.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut parts = Map::new();
        for (name, part) in &self.parts {
            parts.insert(name.clone(), part.collect(arrays)?);
        }
        Ok(serde_json::json!({ "values": values, "parts": parts }))
    }

    fn read(place: String, value: Value) -> Result<Self, StateError> {
        let wrong = || format(format_args!("the values of `{place}` are not of the form {{values, parts}}"));
        let Value::Object(mut both) = value else { return Err(wrong()) };
        let (Some(Value::Object(values)), Some(Value::Object(inner))) = (both.remove("values"), both.remove("parts"))
        else {
            return Err(wrong());
        };
        let mut parts = BTreeMap::new();
        for (name, part) in inner {
            let part = Self::read(format!("{place}{name}/"), part)?;
            parts.insert(name, part);
        }
        Ok(Self { values: values.into_iter().collect(), tensors: BTreeMap::new(), parts, place })
    }
}
