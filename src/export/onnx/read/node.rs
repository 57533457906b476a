//! A node of a file: its attributes by name, and what is wrong with it.

use crate::export::onnx::OnnxError;
use crate::export::onnx::proto::{AttributeProto, NodeProto, TensorProto, kind};

/// A node and where it stands.
#[derive(Clone, Copy)]
pub(in crate::export::onnx) struct Reader<'a> {
    pub proto: &'a NodeProto,
    pub index: usize,
}

impl<'a> Reader<'a> {
    /// What errors call it.
    pub fn label(&self) -> String {
        match self.proto.name.as_str() {
            "" => format!("node {}", self.index),
            name => name.to_owned(),
        }
    }

    /// It cannot be represented.
    pub fn refused(&self, problem: impl Into<String>) -> OnnxError {
        OnnxError::unsupported(&self.label(), &self.proto.op_type, problem)
    }

    /// Name of an input, if it is there.
    pub fn input(&self, index: usize) -> Option<&'a str> {
        self.proto.input.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Refuses attributes other than those named, and one that occurs twice.
    pub fn knows(&self, names: &[&str]) -> Result<(), OnnxError> {
        for (i, attribute) in self.proto.attribute.iter().enumerate() {
            let name = attribute.name.as_str();
            if !names.contains(&name) {
                return Err(self.refused(format!("its attribute `{name}` is not read here")));
            }
            if self.proto.attribute[..i].iter().any(|other| other.name == name) {
                return Err(self.refused(format!("has the attribute `{name}` twice")));
            }
            if !attribute.ref_attr_name.is_empty() {
                return Err(self.refused(format!("its attribute `{name}` is that of a function")));
            }
        }
        Ok(())
    }

    fn attribute(&self, name: &str, wanted: i32) -> Result<Option<&'a AttributeProto>, OnnxError> {
        match self.proto.attribute.iter().find(|attribute| attribute.name == name) {
            // 0 is that of files which do not say.
            Some(found) if found.r#type != wanted && found.r#type != 0 => {
                Err(self.refused(format!("its attribute `{name}` is of kind {}, expected is {wanted}", found.r#type)))
            }
            found => Ok(found),
        }
    }

    pub fn integer(&self, name: &str) -> Result<Option<i64>, OnnxError> {
        Ok(self.attribute(name, kind::INT)?.map(|found| found.i.unwrap_or_default()))
    }

    pub fn number(&self, name: &str) -> Result<Option<f32>, OnnxError> {
        Ok(self.attribute(name, kind::FLOAT)?.map(|found| found.f.unwrap_or_default()))
    }

    pub fn text(&self, name: &str) -> Result<Option<&'a [u8]>, OnnxError> {
        Ok(self.attribute(name, kind::STRING)?.map(|found| found.s.as_deref().unwrap_or_default()))
    }

    pub fn integers(&self, name: &str) -> Result<Option<&'a [i64]>, OnnxError> {
        Ok(self.attribute(name, kind::INTS)?.map(|found| found.ints.as_slice()))
    }

    pub fn numbers(&self, name: &str) -> Result<Option<&'a [f32]>, OnnxError> {
        Ok(self.attribute(name, kind::FLOATS)?.map(|found| found.floats.as_slice()))
    }

    pub fn tensor(&self, name: &str) -> Result<Option<&'a TensorProto>, OnnxError> {
        Ok(self.attribute(name, kind::TENSOR)?.and_then(|found| found.t.as_ref()))
    }

    /// An attribute that must have this value if it is there.
    pub fn must_be(&self, name: &str, value: i64) -> Result<(), OnnxError> {
        match self.integer(name)? {
            Some(found) if found != value => {
                Err(self.refused(format!("has {name} = {found}; only {value} can be represented")))
            }
            _ => Ok(()),
        }
    }

    /// So many integers from 1 to 65,536; those of `default` where there are none.
    pub fn sizes<const N: usize>(&self, name: &str, default: [usize; N]) -> Result<[usize; N], OnnxError> {
        let Some(given) = self.integers(name)? else { return Ok(default) };
        let read = |v: &i64| usize::try_from(*v).ok().filter(|v| (1..=MOST).contains(v));
        let sizes: Option<Vec<usize>> = given.iter().map(read).collect();
        sizes.and_then(|sizes| sizes.try_into().ok()).ok_or_else(|| {
            self.refused(format!(
                "has {name} = {given:?}; needed are {N} numbers from 1 to {MOST}: of images with rows and columns"
            ))
        })
    }
}

/// The largest size of a window and its kin.
pub(super) const MOST: usize = 65_536;
