//! Each operator of a file by name, and those that are simple.

use super::constant::{Constant, Values};
use super::importer::Importer;
use super::node::Reader;
use super::value::{Value, View};
use crate::export::onnx::OnnxError;
use crate::export::onnx::proto::dtype;
use crate::graph::{NodeId, Op, Ramp};
use std::rc::Rc;

impl Importer<'_> {
    /// Adds what a node of the file computes.
    pub(super) fn node(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        if !reader.proto.domain.is_empty() && reader.proto.domain != "ai.onnx" {
            return Err(reader.refused(format!("is an operator of the domain `{}`", reader.proto.domain)));
        }
        if !["MaxPool", "BatchNormalization", "Dropout", "Split"].contains(&reader.proto.op_type.as_str()) {
            self.only_first(reader)?;
        }
        match reader.proto.op_type.as_str() {
            "Conv" => self.conv(reader),
            "BatchNormalization" => self.batch_norm(reader),
            "Gemm" => self.gemm(reader),
            "MatMul" => self.matmul(reader),
            "Relu" => self.by_value(reader, Op::Relu),
            "Sigmoid" => self.by_value(reader, Op::Sigmoid),
            "Tanh" => self.by_value(reader, Op::Tanh),
            "Add" | "Sum" => self.add(reader),
            "Sub" => self.subtract(reader),
            "Mul" => self.multiply(reader),
            "Div" => self.divide(reader),
            "Neg" => self.by_value(reader, Op::Ramp(Ramp::line(-1.0, 0.0))),
            "Clip" => self.clip(reader),
            "HardSigmoid" => self.hard_sigmoid(reader),
            "HardSwish" => self.hard_swish(reader),
            "Softmax" | "LogSoftmax" => self.softmax(reader),
            "Concat" => self.concat(reader),
            "MaxPool" => self.max_pool(reader),
            "AveragePool" => self.average_pool(reader),
            "GlobalAveragePool" => {
                reader.knows(&[])?;
                let x = self.map(reader, 0)?;
                self.make(reader, Op::GlobalAvgPool, &[x])
            }
            "GlobalMaxPool" => self.global_max_pool(reader),
            "ReduceMean" => self.reduce_mean(reader),
            "Identity" => {
                reader.knows(&[])?;
                let value = self.value(reader, 0)?;
                self.give(reader, value)
            }
            "Dropout" => self.dropout(reader),
            "Cast" => self.cast(reader),
            "Constant" => self.constant_node(reader),
            "Pad" => self.pad(reader),
            "Slice" => self.slice(reader),
            "Split" => self.split(reader),
            "Flatten" => self.flatten(reader),
            "Reshape" => self.reshape(reader),
            "Squeeze" => self.squeeze(reader),
            "Unsqueeze" => self.unsqueeze(reader),
            "Transpose" => self.transpose(reader),
            "Shape" => self.shape(reader),
            "Gather" => self.gather(reader),
            "ConstantOfShape" => self.constant_of_shape(reader),
            "RandomNormalLike" => self.noise(reader),
            _ => Err(reader.refused("there is no operation that does this")),
        }
    }

    /// A node of maps, whose result is a map.
    pub(super) fn make(&mut self, reader: &Reader<'_>, op: Op, inputs: &[NodeId]) -> Result<(), OnnxError> {
        let made = self.push(reader, reader.proto.name.clone(), op, inputs)?;
        self.give(reader, Value::Map(View::whole(made)))
    }

    /// Whether a name is that of a constant known so far.
    pub(super) fn is_constant(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(Value::Constant(_)))
    }

    /// All inputs; at least one.
    pub(super) fn all(&mut self, reader: &Reader<'_>) -> Result<Vec<Value>, OnnxError> {
        let values = (0..reader.proto.input.len()).map(|index| self.value(reader, index));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        if values.is_empty() { Err(reader.refused("reads nothing")) } else { Ok(values) }
    }

    fn concat(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["axis"])?;
        let axis = reader.integer("axis")?.unwrap_or(1);
        let values = self.all(reader)?;
        if values.iter().any(|value| matches!(value, Value::Sizes(_))) {
            return self.concat_sizes(reader, axis, &values);
        }
        let flat: Vec<NodeId> =
            values.iter().filter_map(|value| if let Value::Flat(x) = value { Some(*x) } else { None }).collect();
        let rank = if flat.len() == values.len() { 2 } else { 4 };
        if axis != 1 && axis != 1 - rank {
            return Err(reader.refused(format!("joins along dimension {axis}; only along channels, 1, is possible")));
        }
        if rank == 2 {
            let made = self.push(reader, reader.proto.name.clone(), Op::Concat, &flat)?;
            return self.give(reader, Value::Flat(made));
        }
        let maps = (0..values.len()).map(|index| self.map(reader, index)).collect::<Result<Vec<_>, _>>()?;
        self.make(reader, Op::Concat, &maps)
    }

    /// Dropout as it is in evaluation: nothing.
    fn dropout(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["ratio", "seed"])?;
        self.only_first(reader)?;
        if let Some(training) = self.constant(reader, 2)?
            && training.integers()?.iter().any(|&v| v != 0)
        {
            return Err(reader.refused("is for training; networks are read for evaluation"));
        }
        let value = self.value(reader, 0)?;
        self.give(reader, value)
    }

    /// A change of type among floats is none, as all is computed in single precision; of sizes neither.
    fn cast(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["to", "saturate"])?;
        let to = i32::try_from(reader.integer("to")?.unwrap_or_default()).unwrap_or_default();
        let value = self.value(reader, 0)?;
        let integral = [dtype::INT64, dtype::INT32];
        let same = match &value {
            Value::Map(_) | Value::Flat(_) | Value::Groups { .. } => dtype::is_float(to),
            Value::Sizes(_) => integral.contains(&to),
            Value::Constant(constant) => match constant.values {
                Values::Numbers(_) => dtype::is_float(to),
                Values::Integers(_) => integral.contains(&to),
            },
        };
        if !same {
            return Err(reader.refused("changes between floats and integers"));
        }
        self.give(reader, value)
    }

    fn constant_node(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["value", "value_float", "value_floats", "value_int", "value_ints"])?;
        let of = |shape: &[usize], values: Values| Constant { name: reader.label(), shape: shape.to_vec(), values };
        let constant = if let Some(tensor) = reader.tensor("value")? {
            Constant::read(tensor)?
        } else if let Some(value) = reader.number("value_float")? {
            of(&[], Values::Numbers(vec![value]))
        } else if let Some(values) = reader.numbers("value_floats")? {
            of(&[values.len()], Values::Numbers(values.to_vec()))
        } else if let Some(value) = reader.integer("value_int")? {
            of(&[], Values::Integers(vec![value]))
        } else if let Some(values) = reader.integers("value_ints")? {
            of(&[values.len()], Values::Integers(values.to_vec()))
        } else {
            return Err(reader.refused("has no value"));
        };
        self.give(reader, Value::Constant(Rc::new(constant)))
    }

    fn noise(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["dtype", "mean", "scale"])?;
        let (mean, scale) = (reader.number("mean")?.unwrap_or(0.0), reader.number("scale")?.unwrap_or(1.0));
        if (mean, scale) != (0.0, 1.0) {
            return Err(reader.refused(format!("draws of N({mean}, {scale}²); only N(0, 1) can be")));
        }
        let (stride, x) = self.strided(reader, 0)?;
        self.make(reader, Op::Noise { stride }, &[x])
    }

    /// A map of which every so many rows and columns are meant.
    pub(super) fn strided(&mut self, reader: &Reader<'_>, index: usize) -> Result<(usize, NodeId), OnnxError> {
        let view = self.view(reader, index)?;
        self.strided_view(reader, view)
    }

    pub(super) fn strided_view(&mut self, reader: &Reader<'_>, view: View) -> Result<(usize, NodeId), OnnxError> {
        match view.stride {
            [rows, columns] if rows == columns && View { stride: [1; 2], ..view }.is_whole() => Ok((rows, view.of)),
            _ => Ok((1, self.seen(view, reader)?)),
        }
    }
}
