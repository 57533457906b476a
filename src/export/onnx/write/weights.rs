//! What layers bring along: their arrays by name.

use crate::export::onnx::OnnxError;
use crate::graph::Node;
use crate::nn::{Array, Value};
use std::collections::BTreeMap;

/// Added to variances, as the network itself does.
pub(super) const EPSILON: f32 = 1e-5;

/// Arrays by name, checked as they are taken.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a>(pub &'a BTreeMap<String, Array>);

/// Values of a batch normalisation, one of each for each channel.
pub(super) struct Norm<'a> {
    /// Learned scale and shift, if it is affine.
    pub affine: Option<[&'a [f32]; 2]>,
    pub mean: &'a [f32],
    pub variance: &'a [f32],
}

/// Full name of a part of a node.
pub(super) fn part(node: &Node, part: &str) -> String {
    if node.name.is_empty() { part.to_owned() } else { format!("{}.{part}", node.name) }
}

impl<'a> Weights<'a> {
    /// The values of one part of a node.
    pub fn of(self, node: &Node, what: &str, shape: &[usize]) -> Result<&'a [f32], OnnxError> {
        let name = part(node, what);
        let array = self.0.get(&name).ok_or_else(|| OnnxError::Missing { name: name.clone() })?;
        let Value::F32(values) = &array.value else {
            return Err(OnnxError::array(&name, "holds integers, numbers are needed"));
        };
        if array.shape != shape || values.len() != shape.iter().product::<usize>() {
            let problem = format!("has shape {:?} and {} values, needed is {shape:?}", array.shape, values.len());
            return Err(OnnxError::array(&name, problem));
        }
        Ok(values)
    }

    pub fn norm(self, node: &Node, affine: bool) -> Result<Norm<'a>, OnnxError> {
        let shape = [node.shape.channels];
        let affine =
            if affine { Some([self.of(node, "weight", &shape)?, self.of(node, "bias", &shape)?]) } else { None };
        let [mean, variance] = [self.of(node, "running_mean", &shape)?, self.of(node, "running_var", &shape)?];
        Ok(Norm { affine, mean, variance })
    }
}
