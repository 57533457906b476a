//! Arrays of whole numbers as numpy keeps them, from whichever file they came, and their reading as
//! pictures and labels.

use std::borrow::Cow;
use thiserror::Error;

/// An array that cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArrayError {
    /// Not the beginning of an `.npy` file.
    #[error("not an array: the file does not begin as an .npy file does")]
    Magic,
    /// The header is damaged.
    #[error("the array's header cannot be read: {problem}")]
    Header {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Values that are no whole numbers of at most 64 bits.
    #[error("the array holds values of type `{kind}`; only whole numbers are read (u1 to u8, i1 to i8)")]
    Kind {
        /// The type, in numpy's words.
        kind: String,
    },
    /// Shape and bytes disagree.
    #[error("the array's shape {shape:?} needs {needed} bytes, but {found} are there: cut off, or not what it says")]
    Size {
        /// The shape declared.
        shape: Vec<usize>,
        /// Bytes that it needs.
        needed: u128,
        /// Bytes found.
        found: usize,
    },
    /// Not the shape of pictures.
    #[error("an array of shape {shape:?} is not pictures; those are {wanted}")]
    Pictures {
        /// The shape found.
        shape: Vec<usize>,
        /// What it should be.
        wanted: &'static str,
    },
    /// Not the shape of labels.
    #[error("an array of shape {shape:?} is not labels; those are (count) or (count, 1)")]
    Labels {
        /// The shape found.
        shape: Vec<usize>,
    },
    /// A pixel or label beyond what it can be.
    #[error("value {index} is {value}; {what} are whole numbers from 0 to {most}")]
    Range {
        /// Which value, from 0.
        index: usize,
        /// What it is.
        value: i128,
        /// `pixels` or `labels`.
        what: &'static str,
        /// The largest allowed.
        most: u32,
    },
}

/// The type of an array's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    signed: bool,
    /// Bytes of a value: 1, 2, 4 or 8.
    size: usize,
    big_endian: bool,
}

impl Element {
    /// Reads numpy's name of a type: `|u1`, `<i8`, `u1`. Without a mark the order of bytes is little-endian.
    pub(super) fn parse(name: &str) -> Result<Self, ArrayError> {
        let unknown = || ArrayError::Kind { kind: name.chars().take(40).collect() };
        let plain = name.trim_start_matches(['<', '>', '|', '=']);
        let (signed, size) = match plain {
            "u1" => (false, 1),
            "u2" => (false, 2),
            "u4" => (false, 4),
            "u8" => (false, 8),
            "i1" => (true, 1),
            "i2" => (true, 2),
            "i4" => (true, 4),
            "i8" => (true, 8),
            _ => return Err(unknown()),
        };
        Ok(Self { signed, size, big_endian: name.starts_with('>') })
    }

    /// The same type with this order of bytes.
    pub(super) fn ordered(self, big_endian: bool) -> Self {
        Self { big_endian, ..self }
    }

    /// The value in `bytes`, as many as one value has.
    pub(super) fn value(self, bytes: &[u8]) -> i128 {
        let push = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
        let value = if self.big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) };
        // The sign bit is moved to the top of 64 bits and back.
        let unused = 64 - 8 * self.size as u32;
        if self.signed { i128::from((value << unused) as i64 >> unused) } else { i128::from(value) }
    }

    /// Bytes of one value.
    pub(super) fn size(self) -> usize {
        self.size
    }
}

/// An array of whole numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array<'a> {
    shape: Vec<usize>,
    element: Element,
    /// Whether the first index runs fastest, not the last.
    fortran: bool,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Array<'a> {
    /// An array over `bytes`, which must be as many as the shape needs.
    pub(super) fn new(
        shape: Vec<usize>,
        element: Element,
        fortran: bool,
        bytes: Cow<'a, [u8]>,
    ) -> Result<Self, ArrayError> {
        let values = shape.iter().try_fold(1u128, |n, &d| n.checked_mul(d as u128));
        let needed = values.and_then(|n| n.checked_mul(element.size as u128)).unwrap_or(u128::MAX);
        if needed != bytes.len() as u128 {
            return Err(ArrayError::Size { shape, needed, found: bytes.len() });
        }
        Ok(Self { shape, element, fortran, bytes })
    }

    /// The lengths of its dimensions.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Labels: an array of shape (count) or (count, 1).
    ///
    /// # Errors
    /// If the shape is another, or a value is no label.
    pub fn labels(&self) -> Result<Vec<u32>, ArrayError> {
        if !matches!(self.shape[..], [_] | [_, 1]) {
            return Err(ArrayError::Labels { shape: self.shape.clone() });
        }
        self.integers("labels", u32::MAX)
    }

    /// Pictures: shape (channels, height, width) of each, and the pixels of all in the order of [`Images`](super::Images).
    /// The array's shape is (count, height, width), (count, height, width, channels) or (count, channels, height,
    /// width) with one channel or three; which of the last two is told by where the 1 or 3 stands.
    ///
    /// # Errors
    /// If the shape is another, or a value is no pixel.
    pub fn pictures(self) -> Result<([usize; 3], Vec<u8>), ArrayError> {
        let is_channels = |n: usize| n == 1 || n == 3;
        let (shape, channels_last) = match self.shape[..] {
            [_, height, width] => ([1, height, width], false),
            [_, height, width, channels] if is_channels(channels) && !is_channels(height) => {
                ([channels, height, width], true)
            }
            [_, channels, height, width] if is_channels(channels) && !is_channels(width) => {
                ([channels, height, width], false)
            }
            _ => {
                let wanted =
                    "(count, height, width), (count, height, width, channels) or (count, channels, height, width)";
                return Err(ArrayError::Pictures { shape: self.shape, wanted });
            }
        };
        let pixels = self.bytes_in_order()?;
        let [channels, height, width] = shape;
        if !channels_last || channels == 1 {
            return Ok((shape, pixels));
        }
        let mut planar = Vec::with_capacity(pixels.len());
        for picture in pixels.chunks_exact((channels * height * width).max(1)) {
            for channel in 0..channels {
                planar.extend(picture.iter().skip(channel).step_by(channels));
            }
        }
        Ok((shape, planar))
    }

    /// Rows of `width` bytes each, one after the other: an array of shape (count, width).
    pub(super) fn rows(self, width: usize) -> Result<Vec<u8>, ArrayError> {
        if !matches!(self.shape[..], [_, found] if found == width) {
            return Err(ArrayError::Pictures { shape: self.shape, wanted: "(count, 3072)" });
        }
        self.bytes_in_order()
    }

    /// The values as bytes, the last index running fastest.
    fn bytes_in_order(self) -> Result<Vec<u8>, ArrayError> {
        let values = match self.element.size {
            1 if !self.element.signed => self.bytes.into_owned(),
            _ => self.integers("pixels", 255)?.into_iter().map(|value| value as u8).collect(),
        };
        Ok(if self.fortran { last_index_fastest(&self.shape, &values) } else { values })
    }

    /// The values as they lie, none below 0 or above `most`.
    fn integers(&self, what: &'static str, most: u32) -> Result<Vec<u32>, ArrayError> {
        let check = |(index, bytes)| {
            let value = self.element.value(bytes);
            u32::try_from(value).ok().filter(|&v| v <= most).ok_or(ArrayError::Range { index, value, what, most })
        };
        self.bytes.chunks_exact(self.element.size).enumerate().map(check).collect()
    }
}

/// Brings the values of an array whose first index runs fastest into the other order.
fn last_index_fastest(shape: &[usize], values: &[u8]) -> Vec<u8> {
    let strides: Vec<usize> = shape
        .iter()
        .scan(1, |stride, &length| {
            let own = *stride;
            *stride *= length;
            Some(own)
        })
        .collect();
    let mut ordered = Vec::with_capacity(values.len());
    let (mut index, mut place) = (vec![0; shape.len()], 0);
    while ordered.len() < values.len() {
        ordered.push(values[place]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            place += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            place -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(shape: &[usize], kind: &str, fortran: bool, bytes: &[u8]) -> Result<Array<'static>, ArrayError> {
        Array::new(shape.to_vec(), Element::parse(kind)?, fortran, bytes.to_vec().into())
    }

    #[test]
    fn values_have_sign_size_and_order() {
        let value = |kind: &str, bytes: &[u8]| Element::parse(kind).unwrap().value(bytes);
        assert_eq!((value("|u1", &[200]), value("|i1", &[200])), (200, -56));
        assert_eq!((value("<i2", &[1, 2]), value(">i2", &[1, 2])), (513, 258));
        assert_eq!((value("<i8", &[255; 8]), value(">u8", &[255; 8])), (-1, i128::from(u64::MAX)));
        for kind in ["<f4", "|O", "|b1", "u16", ""] {
            assert_eq!(Element::parse(kind), Err(ArrayError::Kind { kind: kind.into() }));
        }
    }

    #[test]
    fn labels_are_one_column_of_any_whole_numbers() {
        let big = [[0, 0, 0, 7], [0, 0, 1, 0]].concat();
        assert_eq!(array(&[2, 1], ">i4", false, &big).unwrap().labels().unwrap(), [7, 256]);
        let negative = array(&[2], "|i1", false, &[1, 255]).unwrap().labels();
        assert!(matches!(negative, Err(ArrayError::Range { index: 1, value: -1, .. })));
        assert!(array(&[2, 2], "|u1", false, &[0; 4]).unwrap().labels().is_err());
    }

    #[test]
    fn channels_come_first_or_last() {
        let last: Vec<u8> = (0..24).collect();
        let (shape, planar) = array(&[2, 2, 2, 3], "|u1", false, &last).unwrap().pictures().unwrap();
        assert_eq!((shape, &planar[..12]), ([3, 2, 2], &[0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11][..]));
        let (shape, same) = array(&[2, 3, 2, 2], "|u1", false, &last).unwrap().pictures().unwrap();
        assert_eq!((shape, same), ([3, 2, 2], last.clone()));
        let (grey, _) = array(&[6, 2, 2, 1], "|u1", false, &last).unwrap().pictures().unwrap();
        assert_eq!(grey, [1, 2, 2]);
        assert!(array(&[24], "|u1", false, &last).unwrap().pictures().is_err());
        assert!(array(&[6, 1, 2, 2], "<f2", false, &last).is_err());
    }

    #[test]
    fn the_order_of_columns_is_undone() {
        // (2, 3, 4) with value 100 a + 10 b + c at index (a, b, c), the first running fastest.
        let mut values = Vec::new();
        for c in 0..4u8 {
            for b in 0..3u8 {
                values.extend([0, 1].map(|a| 100 * a + 10 * b + c));
            }
        }
        let (shape, pixels) = array(&[2, 3, 4], "|u1", true, &values).unwrap().pictures().unwrap();
        assert_eq!(shape, [1, 3, 4]);
        assert_eq!(pixels[..13], [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 100]);
    }

    #[test]
    fn a_shape_that_its_bytes_do_not_fill_is_refused() {
        assert!(matches!(array(&[2, 2], "<u2", false, &[0; 7]), Err(ArrayError::Size { needed: 8, found: 7, .. })));
        let moon = array(&[usize::MAX; 3], "<u8", false, &[]);
        assert!(matches!(moon, Err(ArrayError::Size { needed: u128::MAX, .. })));
    }
}
