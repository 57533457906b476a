//! Constants of a file: arrays of any type that has numbers, as single-precision numbers or as integers.

use crate::export::onnx::OnnxError;
use crate::export::onnx::proto::{TensorProto, dtype};

/// Values of a constant.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::export::onnx) enum Values {
    Numbers(Vec<f32>),
    Integers(Vec<i64>),
}

/// An array whose values fill its shape.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::export::onnx) struct Constant {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Values,
}

impl Constant {
    /// Reads an array; its size is held against the bytes there are.
    pub fn read(tensor: &TensorProto) -> Result<Self, OnnxError> {
        let wrong = |problem: String| OnnxError::array(&tensor.name, problem);
        if tensor.data_location != 0 || !tensor.external_data.is_empty() {
            return Err(wrong("lies in another file: store the network in one".into()));
        }
        let sizes = tensor.dims.iter().map(|&size| usize::try_from(size));
        let shape: Vec<usize> =
            sizes.collect::<Result<_, _>>().map_err(|_| wrong(format!("has the shape {:?}", tensor.dims)))?;
        let count = shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size));
        let count = count.ok_or_else(|| wrong(format!("has the shape {shape:?}: too many values to address")))?;
        let raw = &tensor.raw_data;
        let integers = |values: &[i32]| values.iter().map(|&v| i64::from(v)).collect();
        let values = match (tensor.data_type, raw.is_empty()) {
            (dtype::FLOAT, true) => Values::Numbers(tensor.float_data.clone()),
            (dtype::FLOAT, false) => Values::Numbers(words(raw, f32::from_le_bytes)),
            (dtype::DOUBLE, true) => Values::Numbers(tensor.double_data.iter().map(|&v| v as f32).collect()),
            (dtype::DOUBLE, false) => Values::Numbers(words(raw, |b| f64::from_le_bytes(b) as f32)),
            (dtype::FLOAT16, true) => Values::Numbers(tensor.int32_data.iter().map(|&v| half(v as u16)).collect()),
            (dtype::FLOAT16, false) => Values::Numbers(words(raw, |b| half(u16::from_le_bytes(b)))),
            (dtype::BFLOAT16, true) => Values::Numbers(tensor.int32_data.iter().map(|&v| brain(v as u16)).collect()),
            (dtype::BFLOAT16, false) => Values::Numbers(words(raw, |b| brain(u16::from_le_bytes(b)))),
            (dtype::INT64, true) => Values::Integers(tensor.int64_data.clone()),
            (dtype::INT64, false) => Values::Integers(words(raw, i64::from_le_bytes)),
            (dtype::INT32, true) => Values::Integers(integers(&tensor.int32_data)),
            (dtype::INT32, false) => Values::Integers(words(raw, |b| i32::from_le_bytes(b).into())),
            (dtype::BOOL, true) => Values::Integers(integers(&tensor.int32_data)),
            (dtype::BOOL, false) => Values::Integers(words(raw, |[b]| b.into())),
            (other, _) => {
                let read = "float, double, float16, bfloat16, int32, int64 and bool are read";
                return Err(wrong(format!("has values of type {}; {read}", dtype::name(other))));
            }
        };
        let found = match &values {
            Values::Numbers(values) => values.len(),
            Values::Integers(values) => values.len(),
        };
        let bytes = match tensor.data_type {
            dtype::DOUBLE | dtype::INT64 => 8,
            dtype::FLOAT16 | dtype::BFLOAT16 => 2,
            dtype::BOOL => 1,
            _ => 4,
        };
        if found != count || !(raw.is_empty() || raw.len() == count.saturating_mul(bytes)) {
            return Err(wrong(format!("has the shape {shape:?}, that is {count} values, and holds {found}")));
        }
        Ok(Self { name: tensor.name.clone(), shape, values })
    }

    /// The numbers.
    pub fn numbers(&self) -> Result<&[f32], OnnxError> {
        match &self.values {
            Values::Numbers(values) => Ok(values),
            Values::Integers(_) => Err(OnnxError::array(&self.name, "holds integers, numbers are needed")),
        }
    }

    /// The integers.
    pub fn integers(&self) -> Result<&[i64], OnnxError> {
        match &self.values {
            Values::Integers(values) => Ok(values),
            Values::Numbers(_) => Err(OnnxError::array(&self.name, "holds numbers, integers are needed")),
        }
    }

    /// The one number of a constant that has only one.
    pub fn number(&self) -> Option<f32> {
        match &self.values {
            Values::Numbers(values) if values.len() == 1 => values.first().copied(),
            _ => None,
        }
    }
}

fn words<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect()
}

/// A number of half precision: 5 bits of exponent, 10 of fraction.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    match (exponent, fraction) {
        (31, 0.0) => sign * f32::INFINITY,
        (31, _) => f32::NAN,
        (0, _) => sign * fraction * 2f32.powi(-24),
        _ => sign * (1024.0 + fraction) * 2f32.powi(exponent - 25),
    }
}

/// The upper half of a single-precision number.
fn brain(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data_type: i32, dims: &[i64], raw_data: &[u8]) -> Result<Constant, OnnxError> {
        let name = "w".to_owned();
        let raw_data = raw_data.to_vec();
        Constant::read(&TensorProto { dims: dims.to_vec(), data_type, name, raw_data, ..Default::default() })
    }

    #[test]
    fn half_precision_has_all_its_kinds() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
            (0x8000, 0.0),
        ] {
            assert_eq!(half(bits), value, "{bits:#x}");
        }
        assert!(half(0x7e00).is_nan() && half(0x8000).is_sign_negative());
        assert_eq!(brain(0x3fc0), 1.5);
    }

    #[test]
    fn every_type_is_read_raw_and_typed() {
        let numbers = |constant: Constant| constant.numbers().unwrap().to_vec();
        let two = [0.5f32, -2.0];
        let raw = |bytes: &[&[u8]]| bytes.concat();
        assert_eq!(
            numbers(read(dtype::FLOAT, &[2], &raw(&two.map(f32::to_le_bytes).each_ref().map(|b| &b[..]))).unwrap()),
            two
        );
        let doubles = two.map(|v| f64::from(v).to_le_bytes());
        assert_eq!(numbers(read(dtype::DOUBLE, &[2], &raw(&doubles.each_ref().map(|b| &b[..]))).unwrap()), two);
        assert_eq!(numbers(read(dtype::FLOAT16, &[2], &[0x00, 0x38, 0x00, 0xc0]).unwrap()), two);
        assert_eq!(numbers(read(dtype::BFLOAT16, &[2], &[0x00, 0x3f, 0x00, 0xc0]).unwrap()), two);
        let typed = |tensor: TensorProto| Constant::read(&TensorProto { dims: vec![2], ..tensor });
        let float_data = two.to_vec();
        assert_eq!(
            numbers(typed(TensorProto { data_type: dtype::FLOAT, float_data, ..Default::default() }).unwrap()),
            two
        );
        let int32_data = vec![0x3800, 0xc000];
        assert_eq!(
            numbers(typed(TensorProto { data_type: dtype::FLOAT16, int32_data, ..Default::default() }).unwrap()),
            two
        );
        let double_data = vec![0.5, -2.0];
        assert_eq!(
            numbers(typed(TensorProto { data_type: dtype::DOUBLE, double_data, ..Default::default() }).unwrap()),
            two
        );
        let int64_data = vec![7, -1];
        let read_back = typed(TensorProto { data_type: dtype::INT64, int64_data, ..Default::default() }).unwrap();
        assert_eq!(read_back.integers().unwrap(), [7, -1]);
        assert!(read_back.numbers().is_err());
        assert_eq!(read(dtype::INT32, &[1], &(-3i32).to_le_bytes()).unwrap().integers().unwrap(), [-3]);
        assert_eq!(read(dtype::BOOL, &[], &[1]).unwrap().integers().unwrap(), [1]);
    }

    #[test]
    fn sizes_that_lie_are_refused() {
        for (dims, bytes) in [
            (vec![3], 8),
            (vec![2], 9),
            (vec![2], 10),
            (vec![-1], 8),
            (vec![i64::MAX, i64::MAX], 8),
            (vec![1 << 40], 8),
        ] {
            assert!(read(dtype::FLOAT, &dims, &vec![0; bytes]).is_err(), "{dims:?} {bytes}");
        }
        assert!(read(3, &[8], &[0; 8]).unwrap_err().to_string().contains("int8"));
        let external_data = vec![Default::default()];
        let elsewhere = TensorProto { external_data, data_type: dtype::FLOAT, ..Default::default() };
        assert!(Constant::read(&elsewhere).unwrap_err().to_string().contains("another file"));
    }
}
