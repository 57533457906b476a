//! Layers that learn: convolutions, batch normalisations, fully connected layers.

use super::constant::Constant;
use super::importer::Importer;
use super::node::{MOST, Reader};
use super::pools;
use super::value::{Value, View};
use crate::export::onnx::OnnxError;
use crate::graph::{Conv, NodeId, Op, Padding};
use crate::nn::Value as Values;

/// Added to variances by a network; other ε go into the variances.
const EPSILON: f32 = 1e-5;

impl Importer<'_> {
    /// What a layer is called: its weight's name without `.weight`, or the node's.
    fn layer(&mut self, reader: &Reader<'_>, weight: usize) -> String {
        let place =
            reader.input(weight).and_then(|name| name.strip_suffix(".weight")).filter(|place| !place.is_empty());
        let wanted = place.map_or_else(|| reader.label(), str::to_owned);
        self.name(&wanted)
    }

    pub(super) fn conv(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"])?;
        let missing = || reader.refused("has no weight");
        let weight = self.constant(reader, 1)?.ok_or_else(missing)?;
        let bias = self.constant(reader, 2)?;
        let view = self.view(reader, 0)?;
        let [outputs, of_group, rows, columns] = weight.shape[..] else {
            let problem = format!("has a weight of shape {:?}; expected is one for images", weight.shape);
            return Err(reader.refused(problem));
        };
        let kernel = reader.sizes("kernel_shape", [rows, columns])?;
        if kernel != [rows, columns] || !kernel.iter().all(|size| (1..=MOST).contains(size)) {
            return Err(reader.refused(format!("has kernel_shape {kernel:?}, its weight has {rows} × {columns}")));
        }
        let [dilation, stride] = [reader.sizes("dilations", [1; 2])?, reader.sizes("strides", [1; 2])?];
        let groups = usize::try_from(reader.integer("group")?.unwrap_or(1)).ok().filter(|groups| *groups > 0);
        let groups = groups.ok_or_else(|| reader.refused("has no groups"))?;
        let shape = view.shape(self.graph.shape(view.of)).ok_or_else(|| reader.refused("reads an empty map"))?;
        let padding = pools::padding(reader, [shape.height, shape.width], kernel, stride, dilation)?;
        if of_group.checked_mul(groups) != Some(shape.channels) {
            let problem = format!("has a weight of shape {:?} in {groups} groups for {shape}", weight.shape);
            return Err(reader.refused(problem));
        }
        // The padding of what comes before, where both are one.
        let (x, padding) = match view.padded(padding) {
            Some(both) => (view.of, both.padding),
            None => (self.seen(view, reader)?, padding),
        };
        let conv =
            Conv { inputs: shape.channels, outputs, kernel, stride, padding, dilation, groups, bias: bias.is_some() };
        let name = self.layer(reader, 1);
        let node = self.push(reader, name.clone(), Op::Conv(conv), &[x])?;
        let values = weight.numbers()?;
        self.keep(reader, format!("{name}.weight"), &weight.shape, |_| values.to_vec())?;
        if let Some(bias) = bias {
            let values = self.vector(reader, &bias, outputs)?;
            self.keep(reader, format!("{name}.bias"), &[outputs], |_| values.to_vec())?;
        }
        self.last_layer = reader.proto.output.first().cloned();
        self.give(reader, Value::Map(View::whole(node)))
    }

    /// The numbers of a constant of so many.
    fn vector<'c>(&self, reader: &Reader<'_>, constant: &'c Constant, count: usize) -> Result<&'c [f32], OnnxError> {
        match (constant.numbers()?, &constant.shape[..]) {
            (values, [size]) if *size == count => Ok(values),
            _ => {
                let problem = format!("`{}` has shape {:?}, {count} values are needed", constant.name, constant.shape);
                Err(reader.refused(problem))
            }
        }
    }

    pub(super) fn batch_norm(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["epsilon", "momentum", "spatial", "training_mode"])?;
        self.only_first(reader)?;
        reader.must_be("spatial", 1)?;
        reader.must_be("training_mode", 0)?;
        let epsilon = reader.number("epsilon")?.unwrap_or(1e-5);
        let flat = match self.value(reader, 0)? {
            Value::Flat(x) if self.graph.shape(x).count() == self.graph.shape(x).channels => Some(x),
            _ => None,
        };
        let x = match flat {
            Some(x) => x,
            None => self.map(reader, 0)?,
        };
        let channels = self.graph.shape(x).channels;
        let mut parts = Vec::with_capacity(4);
        for index in 1..5 {
            let constant = self.constant(reader, index)?;
            let constant = constant.ok_or_else(|| reader.refused(format!("lacks input {index}")))?;
            self.vector(reader, &constant, channels)?;
            parts.push(constant);
        }
        let name = self.layer(reader, 1);
        let made = self.push(reader, name.clone(), Op::BatchNorm { affine: true }, &[x])?;
        for (part, constant) in ["weight", "bias", "running_mean", "running_var"].into_iter().zip(parts) {
            let values = constant.numbers()?;
            let more = if part == "running_var" { f64::from(epsilon) - f64::from(EPSILON) } else { 0.0 };
            // The same number stays the same to the bit.
            let shifted = |v: &f32| if epsilon == EPSILON { *v } else { (f64::from(*v) + more) as f32 };
            self.keep(reader, format!("{name}.{part}"), &[channels], |_| values.iter().map(shifted).collect())?;
        }
        let value = if flat.is_some() { Value::Flat(made) } else { Value::Map(View::whole(made)) };
        self.give(reader, value)
    }

    pub(super) fn gemm(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["alpha", "beta", "transA", "transB"])?;
        reader.must_be("transA", 0)?;
        let across = match reader.integer("transB")?.unwrap_or(0) {
            0 => false,
            1 => true,
            other => return Err(reader.refused(format!("has transB = {other}"))),
        };
        let (alpha, beta) = (reader.number("alpha")?.unwrap_or(1.0), reader.number("beta")?.unwrap_or(1.0));
        let x = self.flat(reader, 0)?;
        let bias = self.constant(reader, 2)?;
        self.linear(reader, x, across, alpha, bias.as_deref().map(|bias| (bias, beta)))
    }

    pub(super) fn matmul(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&[])?;
        let x = self.flat(reader, 0)?;
        self.linear(reader, x, false, 1.0, None)
    }

    fn flat(&mut self, reader: &Reader<'_>, index: usize) -> Result<NodeId, OnnxError> {
        match self.value(reader, index)? {
            Value::Flat(x) => Ok(x),
            _ => Err(reader.refused(format!("its input {index} is no vector of features of each image"))),
        }
    }

    /// A fully connected layer: `alpha · x · weight + beta · bias`, or with the weight turned over.
    fn linear(
        &mut self,
        reader: &Reader<'_>,
        x: NodeId,
        across: bool,
        alpha: f32,
        bias: Option<(&Constant, f32)>,
    ) -> Result<(), OnnxError> {
        let weight = self.constant(reader, 1)?.ok_or_else(|| reader.refused("has no weight"))?;
        let features = self.graph.shape(x).count();
        let outputs = match (&weight.shape[..], across) {
            (&[outputs, inputs], true) | (&[inputs, outputs], false) if inputs == features => outputs,
            _ => {
                let turned = if across { ", turned over," } else { "" };
                let problem = format!("has a weight of shape {:?}{turned} for {features} features", weight.shape);
                return Err(reader.refused(problem));
            }
        };
        let name = self.layer(reader, 1);
        let op = Op::Linear { outputs, bias: bias.is_some() };
        let node = self.push(reader, name.clone(), op, &[x])?;
        let values = weight.numbers()?;
        let scaled = |v: f32| if alpha == 1.0 { v } else { alpha * v };
        self.keep(reader, format!("{name}.weight"), &[outputs, features], |count| match across {
            true => values.iter().map(|&v| scaled(v)).collect(),
            false => (0..count).map(|i| scaled(values[i % features * outputs + i / features])).collect(),
        })?;
        if let Some((bias, beta)) = bias {
            let values = bias.numbers()?;
            let of_each = match bias.shape[..] {
                [count] | [1, count] if count == outputs => true,
                _ if values.len() == 1 => false,
                _ => return Err(reader.refused(format!("has a bias of shape {:?} for {outputs} outputs", bias.shape))),
            };
            self.keep(reader, format!("{name}.bias"), &[outputs], |count| {
                (0..count).map(|i| beta * values[if of_each { i } else { 0 }]).collect()
            })?;
        }
        self.last_layer = reader.proto.output.first().cloned();
        self.give(reader, Value::Flat(node))
    }

    /// Adds a constant to the bias of the layer that made an input, if it can be one and nothing else reads the layer: what
    /// else reads it would get the bias as well.
    pub(super) fn bias(&mut self, reader: &Reader<'_>, index: usize, constant: &Constant) -> Result<bool, OnnxError> {
        let (node, flat) = match self.value(reader, index)? {
            Value::Flat(x) => (x, true),
            Value::Map(view) if view.is_whole() => (view.of, false),
            _ => return Ok(false),
        };
        let name = reader.input(index).unwrap_or_default();
        if self.uses.get(name) != Some(&1) || self.last_layer.as_deref() != Some(name) {
            return Ok(false);
        }
        let values = self.each(reader, index, constant)?;
        let layer = self.graph.nodes[node].name.clone();
        let bias = match &mut self.graph.nodes[node].op {
            Op::Conv(Conv { bias, .. }) | Op::Linear { bias, .. } => std::mem::replace(bias, true),
            _ => return Ok(false),
        };
        let added = |i: usize| values[i % values.len()];
        let full = format!("{layer}.bias");
        match self.arrays.get_mut(&full).map(|array| &mut array.value) {
            Some(Values::F32(old)) if bias => old.iter_mut().enumerate().for_each(|(i, v)| *v += added(i)),
            _ => {
                let channels = self.graph.shape(node).channels;
                self.keep(reader, full, &[channels], |count| (0..count).map(added).collect())?;
            }
        }
        let value = if flat { Value::Flat(node) } else { Value::Map(View::whole(node)) };
        self.give(reader, value)?;
        Ok(true)
    }

    /// A view with padding, whatever it was before.
    pub(super) fn more_padding(
        &mut self,
        reader: &Reader<'_>,
        view: View,
        padding: Padding,
    ) -> Result<View, OnnxError> {
        match view.padded(padding) {
            Some(both) => Ok(both),
            None => Ok(View { padding, ..View::whole(self.seen(view, reader)?) }),
        }
    }
}
