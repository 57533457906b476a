//! The network in the making, and what all operators ask of it.

use super::constant::Constant;
use super::node::Reader;
use super::value::{Value, View};
use crate::export::onnx::OnnxError;
use crate::export::onnx::proto::TensorProto;
use crate::graph::{Conv, Features, Graph, NodeId, Op, Padding, Pool};
use crate::nn::Array;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// Most values of a map of one image.
const MOST_FEATURES: usize = 1 << 31;

/// The network in the making.
pub(super) struct Importer<'a> {
    /// Whether the file's batch is of one image.
    pub single: bool,
    pub graph: Graph,
    pub arrays: BTreeMap<String, Array>,
    pub values: HashMap<String, Value>,
    /// Constants that no node has read yet.
    pub tensors: HashMap<&'a str, &'a TensorProto>,
    /// How many nodes and outputs read each value.
    pub uses: HashMap<&'a str, usize>,
    /// Name of the output.
    pub output: String,
    /// Whether the file's network ends in a softmax.
    pub probabilities: bool,
    /// Names of layers so far.
    pub names: BTreeSet<String>,
    /// What the last convolution or fully connected layer made.
    pub last_layer: Option<String>,
    /// How many values arrays may still hold: a small file must not become a large network.
    pub room: usize,
}

impl Importer<'_> {
    /// A value by name; constants are read when they are first asked for.
    pub(super) fn value(&mut self, reader: &Reader<'_>, index: usize) -> Result<Value, OnnxError> {
        let name = reader.input(index).ok_or_else(|| reader.refused(format!("lacks input {index}")))?;
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let Some(tensor) = self.tensors.remove(name) else {
            let problem = format!("reads `{name}`, which no node before it makes: nodes must be in order");
            return Err(reader.refused(problem));
        };
        let value = Value::Constant(Rc::new(Constant::read(tensor)?));
        self.values.insert(name.to_owned(), value.clone());
        Ok(value)
    }

    /// An input that must be a constant; none if it is left out.
    pub(super) fn constant(&mut self, reader: &Reader<'_>, index: usize) -> Result<Option<Rc<Constant>>, OnnxError> {
        if reader.input(index).is_none() {
            return Ok(None);
        }
        match self.value(reader, index)? {
            Value::Constant(constant) => Ok(Some(constant)),
            _ => Err(reader.refused(format!("computes its input {index}, which has to be a constant"))),
        }
    }

    /// An input as a map: `[batch, channels, height, width]`.
    pub(super) fn view(&mut self, reader: &Reader<'_>, index: usize) -> Result<View, OnnxError> {
        match self.value(reader, index)? {
            Value::Map(view) => Ok(view),
            Value::Flat(_) => Err(reader.refused(format!("reads a vector as input {index}, expected are images"))),
            _ => Err(reader.refused(format!("its input {index} does not come from the image as it has to"))),
        }
    }

    /// The node of an input that is a map.
    pub(super) fn map(&mut self, reader: &Reader<'_>, index: usize) -> Result<NodeId, OnnxError> {
        let view = self.view(reader, index)?;
        self.seen(view, reader)
    }

    /// The node of what is seen of a map, made if it is not there: a depthwise convolution of single pixels of weight 1,
    /// which pads, cuts and strides; a pool of single pixels where it only strides.
    pub(super) fn seen(&mut self, view: View, reader: &Reader<'_>) -> Result<NodeId, OnnxError> {
        if view.is_whole() {
            return Ok(view.of);
        }
        let channels = self.graph.shape(view.of).channels;
        if let (Padding { top: 0, left: 0, bottom: 0, right: 0 }, [rows, columns]) = (view.padding, view.stride)
            && rows == columns
        {
            let pool = Pool::new(1, rows, 0);
            return self.push(reader, String::new(), Op::MaxPool(pool), &[view.of]);
        }
        let conv = Conv { padding: view.padding, stride: view.stride, ..Conv::depthwise(channels, 1, 1, 1) };
        let name = self.name(&format!("{}.padding", reader.label()));
        self.keep(reader, format!("{name}.weight"), &conv.weight_shape(), |count| vec![1.0; count])?;
        self.push(reader, name, Op::Conv(conv), &[view.of])
    }

    /// Appends a node, called so.
    pub(super) fn push(
        &mut self,
        reader: &Reader<'_>,
        name: String,
        op: Op,
        inputs: &[NodeId],
    ) -> Result<NodeId, OnnxError> {
        let made = self.graph.push(name, op, inputs).map_err(|error| reader.refused(error.to_string()))?;
        self.check_features(made).map_err(|error| reader.refused(error.to_string()))?;
        Ok(made)
    }

    pub(super) fn check_features(&self, node: NodeId) -> Result<(), OnnxError> {
        let shape = self.graph.shape(node);
        match shape.checked_count() {
            Some(count) if count <= MOST_FEATURES => Ok(()),
            _ => Err(OnnxError::Model(format!("a map of {shape} is larger than {MOST_FEATURES} values"))),
        }
    }

    /// A layer's name like the one wanted that no layer bears yet.
    pub(super) fn name(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 1;
        while name.is_empty() || !self.names.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        name
    }

    /// Keeps an array of so many values, made by `values` once there is room for them.
    pub(super) fn keep(
        &mut self,
        reader: &Reader<'_>,
        name: String,
        shape: &[usize],
        values: impl FnOnce(usize) -> Vec<f32>,
    ) -> Result<(), OnnxError> {
        let count = shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size));
        let count = count.filter(|count| *count <= self.room).ok_or_else(|| {
            reader.refused(format!("needs an array of {shape:?}: with those before more than the file can hold"))
        })?;
        self.room -= count;
        self.arrays.insert(name, Array::f32(shape, values(count)));
        Ok(())
    }

    /// Says what a node's first result is.
    pub(super) fn give(&mut self, reader: &Reader<'_>, value: Value) -> Result<(), OnnxError> {
        let Some(name) = reader.proto.output.first().filter(|name| !name.is_empty()) else {
            return Err(reader.refused("gives nothing"));
        };
        self.values.insert(name.clone(), value);
        Ok(())
    }

    /// Refuses results beyond the first if something reads them.
    pub(super) fn only_first(&self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        match reader.proto.output.iter().skip(1).find(|name| self.uses.contains_key(name.as_str())) {
            Some(name) => Err(reader.refused(format!("its further result `{name}` is read, and there is none"))),
            None => Ok(()),
        }
    }

    /// The node of the output.
    pub(super) fn last(&mut self) -> Result<NodeId, OnnxError> {
        let name = self.output.clone();
        let wrong = |problem: String| OnnxError::Model(format!("the output `{name}` {problem}"));
        let node = match self.values.get(&name).cloned() {
            Some(Value::Map(view)) if view.is_whole() => view.of,
            Some(Value::Map(_)) => return Err(wrong("is a padded or cut map".into())),
            Some(Value::Flat(node)) => {
                let shape: Features = self.graph.shape(node);
                if (shape.height, shape.width) != (1, 1) {
                    return Err(wrong(format!("is a map of {shape} made flat")));
                }
                node
            }
            Some(_) => return Err(wrong("does not come from the image".into())),
            None => return Err(wrong("is not made by any node".into())),
        };
        if node > 0 { Ok(node) } else { Ok(self.graph.push("", Op::Identity, &[0])?) }
    }
}
