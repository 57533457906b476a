//! What the machine builds, and the few names that it knows.

use super::super::array::Element;
use std::ops::Range;

/// The number of an object.
pub(super) type Id = u32;

/// Bytes in the file, or made from them.
#[derive(Clone, Debug)]
pub(super) enum Span {
    File(Range<usize>),
    Own(Vec<u8>),
}

impl Span {
    pub(super) fn of<'s>(&'s self, file: &'s [u8]) -> &'s [u8] {
        match self {
            Self::File(range) => &file[range.clone()],
            Self::Own(bytes) => bytes,
        }
    }
}

/// An array whose state has been set.
#[derive(Clone, Debug)]
pub(super) struct Built {
    pub(super) shape: Vec<usize>,
    pub(super) element: Element,
    pub(super) fortran: bool,
    pub(super) data: Span,
}

#[derive(Clone, Debug)]
pub(super) enum Object {
    /// None, or a number that is not whole: nothing that is looked at.
    Other,
    Bool(bool),
    Int(i64),
    /// Bytes; a text of Python 2 too.
    Bytes(Span),
    /// A text in UTF-8.
    Text(Span),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Name(Name),
    /// The type of an array's values.
    Type(Element),
    /// An array, empty until its state is set.
    Array(Option<Built>),
}

/// The names that may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// `numpy.ndarray`
    Array,
    /// `numpy.dtype`
    Type,
    /// An empty array, whose state follows.
    Reconstruct,
    /// An array over bytes (protocol 5).
    FromBuffer,
    /// One number.
    Scalar,
    /// Bytes, as Python 3 writes them in protocols without a form for them.
    Encode,
}

impl Name {
    pub(super) fn parse(module: &[u8], name: &[u8]) -> Option<Self> {
        Some(match (module, name) {
            (b"numpy", b"ndarray") => Self::Array,
            (b"numpy", b"dtype") => Self::Type,
            (b"numpy.core.multiarray" | b"numpy._core.multiarray", b"_reconstruct") => Self::Reconstruct,
            (b"numpy.core.multiarray" | b"numpy._core.multiarray", b"scalar") => Self::Scalar,
            (b"numpy.core.numeric" | b"numpy._core.numeric", b"_frombuffer") => Self::FromBuffer,
            (b"_codecs", b"encode") => Self::Encode,
            _ => return None,
        })
    }
}
