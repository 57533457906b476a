//! Weights as safetensors, under the names of the published reference implementations.

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::{BTreeMap, HashMap};

/// Values of one array.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Single-precision numbers.
    F32(Vec<f32>),
    /// Integers (`num_batches_tracked`, labels).
    I64(Vec<i64>),
}

/// An array with a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Shape; empty for a single number.
    pub shape: Vec<usize>,
    /// Values, the last dimension running fastest.
    pub value: Value,
}

impl Array {
    /// Single-precision values of a shape.
    pub fn f32(shape: &[usize], values: Vec<f32>) -> Self {
        Self { shape: shape.to_vec(), value: Value::F32(values) }
    }
}

/// Why weights cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The bytes are not a valid safetensors file.
    #[error("not a valid safetensors file: {0}")]
    Format(String),
    /// An array has an element type that is not read here.
    #[error("array `{name}` has element type {dtype}; only F32, F64, I32 and I64 are read")]
    Type {
        /// The array.
        name: String,
        /// Its type.
        dtype: String,
    },
    /// A parameter is missing.
    #[error("parameter `{name}` is missing")]
    Missing {
        /// The parameter.
        name: String,
    },
    /// There is an array that the network does not have.
    #[error("array `{name}` is not a parameter of this network{}", .nearest.as_ref().map(|n| format!("; the nearest is `{n}`")).unwrap_or_default())]
    Unknown {
        /// The array.
        name: String,
        /// The most similar parameter.
        nearest: Option<String>,
    },
    /// Shapes differ.
    #[error("parameter `{name}` has shape {expected:?}, the file has {found:?}")]
    Shape {
        /// The parameter.
        name: String,
        /// Shape in the network.
        expected: Vec<usize>,
        /// Shape in the file.
        found: Vec<usize>,
    },
    /// The device failed.
    #[error(transparent)]
    Tensor(#[from] crate::tensor::Error),
}

/// What a safetensors file holds: arrays by name, and metadata.
pub type Contents = (BTreeMap<String, Array>, HashMap<String, String>);

/// Reads a safetensors file: its arrays and its metadata. Sizes are checked against the bytes there
/// are before anything is allocated.
///
/// # Errors
/// [`ExchangeError::Format`] or [`ExchangeError::Type`].
pub fn from_safetensors(bytes: &[u8]) -> Result<Contents, ExchangeError> {
    let format = |error: safetensors::SafeTensorError| ExchangeError::Format(error.to_string());
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let file = SafeTensors::deserialize(bytes).map_err(format)?;
    let mut arrays = BTreeMap::new();
    for (name, view) in file.iter() {
        let data = view.data();
        let value = match view.dtype() {
            Dtype::F32 => Value::F32(numbers(data, f32::from_le_bytes)),
            Dtype::F64 => Value::F32(numbers(data, |b| f64::from_le_bytes(b) as f32)),
            Dtype::I32 => Value::I64(numbers(data, |b| i32::from_le_bytes(b).into())),
            Dtype::I64 => Value::I64(numbers(data, i64::from_le_bytes)),
            other => return Err(ExchangeError::Type { name: name.to_owned(), dtype: format!("{other:?}") }),
        };
        arrays.insert(name.to_owned(), Array { shape: view.shape().to_vec(), value });
    }
    Ok((arrays, metadata))
}

fn numbers<const N: usize, T>(data: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    data.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect()
}

/// Writes arrays and metadata as a safetensors file.
///
/// ```
/// use cellwright::nn::{Array, from_safetensors, to_safetensors};
/// use std::collections::{BTreeMap, HashMap};
///
/// let weights = BTreeMap::from([("stem.0.weight".to_owned(), Array::f32(&[2, 1], vec![0.5, -0.5]))]);
/// let bytes = to_safetensors(&weights, HashMap::from([("epoch".to_owned(), "3".to_owned())]))?;
/// let (read, metadata) = from_safetensors(&bytes)?;
/// assert_eq!(read, weights);
/// assert_eq!(metadata["epoch"], "3");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ExchangeError::Format`] if an array's values do not fill its shape.
pub fn to_safetensors(
    arrays: &BTreeMap<String, Array>,
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>, ExchangeError> {
    let format = |error: safetensors::SafeTensorError| ExchangeError::Format(error.to_string());
    let bytes: Vec<(&String, &Array, Vec<u8>)> = arrays
        .iter()
        .map(|(name, array)| {
            let data = match &array.value {
                Value::F32(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
                Value::I64(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            };
            (name, array, data)
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, array, data)| {
            let dtype = match array.value {
                Value::F32(_) => Dtype::F32,
                Value::I64(_) => Dtype::I64,
            };
            Ok(((*name).clone(), TensorView::new(dtype, array.shape.clone(), data).map_err(format)?))
        })
        .collect::<Result<Vec<_>, ExchangeError>>()?;
    safetensors::serialize(views, Some(metadata)).map_err(format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_come_back_as_they_were() {
        let mut arrays = BTreeMap::new();
        arrays.insert("a.weight".to_owned(), Array::f32(&[2, 1], vec![1.5, -2.0]));
        arrays.insert("a.count".to_owned(), Array { shape: vec![], value: Value::I64(vec![7]) });
        let metadata = HashMap::from([("genotype".to_owned(), "x".to_owned())]);
        let bytes = to_safetensors(&arrays, metadata.clone()).unwrap();
        assert_eq!(from_safetensors(&bytes).unwrap(), (arrays, metadata));
    }

    #[test]
    fn truncated_and_lying_files_are_refused() {
        let arrays = BTreeMap::from([("w".to_owned(), Array::f32(&[4], vec![0.0; 4]))]);
        let bytes = to_safetensors(&arrays, HashMap::new()).unwrap();
        for end in 0..bytes.len() {
            assert!(from_safetensors(&bytes[..end]).is_err(), "{end} bytes");
        }
        let mut lying = bytes.clone();
        lying[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(from_safetensors(&lying).is_err());
        let text = String::from_utf8_lossy(&bytes[8..]).replace("[4]", "[999999999999]");
        let mut huge = (text.len() as u64 - 16).to_le_bytes().to_vec();
        huge.extend_from_slice(text.as_bytes());
        assert!(from_safetensors(&huge).is_err());
    }
}
