//! What layers bring along: their arrays by name, and a batch normalisation folded into the convolution before it.

use crate::export::onnx::OnnxError;
use crate::graph::{Conv, Node};
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

    /// Weight and bias of a convolution that computes what `conv` and the batch normalisation behind it do:
    /// w·g/√(v + ε) and (b − m)·g/√(v + ε) + s for scale g, shift s, mean m and variance v of the channel. Computed in
    /// float64.
    pub fn folded(self, node: &Node, conv: &Conv, norm: &Norm<'_>) -> Result<[Vec<f32>; 2], OnnxError> {
        let weight = self.of(node, "weight", &conv.weight_shape())?;
        let bias = if conv.bias { Some(self.of(node, "bias", &[conv.outputs])?) } else { None };
        let mut folded = weight.to_vec();
        let mut shifts = Vec::with_capacity(conv.outputs);
        let of_channel = (weight.len() / conv.outputs.max(1)).max(1);
        for (channel, weights) in folded.chunks_exact_mut(of_channel).enumerate() {
            let at = |values: &[f32]| f64::from(values[channel]);
            let [scale, shift] = norm.affine.map_or([1.0, 0.0], |pair| pair.map(at));
            let factor = scale / (at(norm.variance) + f64::from(EPSILON)).sqrt();
            weights.iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
            shifts.push(((bias.map_or(0.0, at) - at(norm.mean)) * factor + shift) as f32);
        }
        Ok([folded, shifts])
    }
}
