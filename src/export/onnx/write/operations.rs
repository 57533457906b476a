//! Each operation of a graph as operators of ONNX.
//!
//! A graph's values are maps, `[batch, channels, height, width]`; what a fully connected layer reads and gives has two
//! dimensions in ONNX. A value may be there in both forms: it is brought from one to the other when something reads it
//! so, once. What does nothing in evaluation is left out: its readers read what it reads.

use super::emit::{Emitter, integer, integers, number, tensor};
use super::weights::{EPSILON, Weights, part};
use crate::export::onnx::OnnxError;
use crate::export::onnx::proto::{AttributeProto, TensorProto, dtype};
use crate::graph::{Conv, Graph, Node, NodeId, Op, Pool, Ramp};

/// Names of a value's forms.
#[derive(Clone, Debug, Default)]
struct Forms {
    /// `[batch, channels, height, width]`.
    map: Option<String>,
    /// `[batch, channels · height · width]`.
    flat: Option<String>,
}

/// Every `step`-th place of a dimension from the first one on.
struct Part {
    axis: i64,
    first: usize,
    end: usize,
    step: usize,
}

impl Part {
    fn new(axis: i64, first: usize, end: usize, step: usize) -> Self {
        Self { axis, first, end, step }
    }
}

/// Writes the nodes of a graph.
pub(super) struct Writer<'a> {
    pub graph: &'a Graph,
    pub weights: Weights<'a>,
    pub emitter: Emitter,
    values: Vec<Forms>,
}

impl<'a> Writer<'a> {
    /// A writer of the nodes of `graph`, whose input is called `input`.
    pub fn new(graph: &'a Graph, weights: Weights<'a>, emitter: Emitter, input: String) -> Self {
        let mut values = vec![Forms::default(); graph.nodes.len()];
        if let Some(first) = values.first_mut() {
            first.map = Some(input);
        }
        Self { graph, weights, emitter, values }
    }

    /// Writes all nodes; gives the name of the value of `output`, of two dimensions if it is a vector.
    pub fn write(&mut self, output: NodeId) -> Result<String, OnnxError> {
        let graph = self.graph;
        for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| !matches!(node.op, Op::Input)) {
            self.values[index] = self.node(index, node)?;
        }
        let shape = graph.shape(output);
        Ok(if (shape.height, shape.width) == (1, 1) { self.flat(output) } else { self.map(output) })
    }

    /// What a node's values are called after: its own name, or its number.
    fn name(&self, node: NodeId) -> String {
        match self.graph.nodes[node].name.as_str() {
            "" => format!("node.{node}"),
            name => name.to_owned(),
        }
    }

    /// A value with four dimensions.
    fn map(&mut self, node: NodeId) -> String {
        let Forms { map, flat } = self.values[node].clone();
        if let Some(map) = map {
            return map;
        }
        let shape = self.graph.shape(node);
        let sizes = self.emitter.list(&[0, shape.channels as i64, shape.height as i64, shape.width as i64]);
        let name = format!("{}.map", self.name(node));
        let map = self.emitter.node("Reshape", &name, &[&flat.unwrap_or_default(), &sizes], Vec::new());
        self.values[node].map = Some(map.clone());
        map
    }

    /// A value with two dimensions.
    fn flat(&mut self, node: NodeId) -> String {
        let Forms { map, flat } = self.values[node].clone();
        if let Some(flat) = flat {
            return flat;
        }
        let name = format!("{}.flat", self.name(node));
        let flat = self.emitter.node("Flatten", &name, &[&map.unwrap_or_default()], vec![integer("axis", 1)]);
        self.values[node].flat = Some(flat.clone());
        flat
    }

    fn node(&mut self, index: NodeId, node: &Node) -> Result<Forms, OnnxError> {
        let name = self.name(index);
        let refused = |problem: &str| OnnxError::unsupported(&name, node.op.name(), problem);
        let Some(&x) = node.inputs.first() else { return Err(refused("reads nothing")) };
        let shape = self.graph.shape(x);
        let made = match &node.op {
            Op::Identity | Op::TrainingRelu | Op::Dropout { .. } | Op::ScheduledDropout | Op::DropPath => {
                return Ok(self.values[x].clone());
            }
            Op::Add | Op::Concat if node.inputs.len() == 1 => return Ok(self.values[x].clone()),
            Op::Relu => return Ok(self.by_value("Relu", &name, &[x])),
            Op::Sigmoid => return Ok(self.by_value("Sigmoid", &name, &[x])),
            Op::Tanh => return Ok(self.by_value("Tanh", &name, &[x])),
            Op::Ramp(ramp) => return Ok(self.ramp(&name, x, ramp)),
            Op::Multiply => return Ok(self.by_value("Mul", &name, &node.inputs)),
            Op::Add if node.inputs.len() == 2 => return Ok(self.by_value("Add", &name, &node.inputs)),
            Op::Add => return Ok(self.by_value("Sum", &name, &node.inputs)),
            Op::Linear { outputs, bias } => return self.linear(index, x, *outputs, *bias),
            Op::Conv(conv) => {
                let weight = self.weights.of(node, "weight", &conv.weight_shape())?;
                let bias = if conv.bias { Some(self.weights.of(node, "bias", &[conv.outputs])?) } else { None };
                self.conv(&name, x, (node, conv), weight, bias)?
            }
            Op::BatchNorm { affine } => {
                let norm = self.weights.norm(node, *affine)?;
                let count = [shape.channels];
                let (ones, zeros) = (vec![1.0; shape.channels], vec![0.0; shape.channels]);
                let [scale, shift] = norm.affine.unwrap_or([&ones, &zeros]);
                let mut inputs = vec![self.map(x)];
                let parts =
                    [("weight", scale), ("bias", shift), ("running_mean", norm.mean), ("running_var", norm.variance)];
                inputs.extend(parts.map(|(what, values)| self.emitter.numbers(&part(node, what), &count, values)));
                let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
                self.emitter.node("BatchNormalization", &name, &inputs, vec![number("epsilon", EPSILON)])
            }
            Op::MaxPool(pool) => self.pool("MaxPool", &name, x, pool, Vec::new()),
            Op::AvgPool(pool) => {
                let counts = integer("count_include_pad", i64::from(pool.count_padding));
                self.pool("AveragePool", &name, x, pool, vec![counts])
            }
            Op::GlobalAvgPool => {
                let x = self.map(x);
                self.emitter.node("GlobalAveragePool", &name, &[&x], Vec::new())
            }
            Op::Concat => {
                let inputs: Vec<String> = node.inputs.iter().map(|&input| self.map(input)).collect();
                let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
                self.emitter.node("Concat", &name, &inputs, vec![integer("axis", 1)])
            }
            Op::Channels { first, count } => self.slice(&name, x, &[Part::new(1, *first, first + count, 1)]),
            Op::Shuffle { groups } => self.shuffle(&name, x, *groups),
            Op::Zero { stride } => {
                let strided = self.strided(&name, x, *stride);
                let sizes = self.emitter.node("Shape", &format!("{name}.shape"), &[&strided], Vec::new());
                let zero = TensorProto {
                    dims: vec![1],
                    data_type: dtype::FLOAT,
                    raw_data: 0f32.to_le_bytes().to_vec(),
                    ..Default::default()
                };
                self.emitter.node("ConstantOfShape", &name, &[&sizes], vec![tensor("value", zero)])
            }
            Op::Noise { stride } => {
                let strided = self.strided(&name, x, *stride);
                let attributes = vec![integer("dtype", dtype::FLOAT.into()), number("mean", 0.0), number("scale", 1.0)];
                self.emitter.node("RandomNormalLike", &name, &[&strided], attributes)
            }
            Op::Choice(_) => {
                return Err(refused("is still to be chosen: write the network of one architecture, or one path"));
            }
            Op::Fused(_) => return Err(refused("is a fused node: write the graph as it was before fusion")),
            Op::Input => return Err(refused("reads a node and cannot")),
        };
        Ok(Forms { map: Some(made), flat: None })
    }

    /// An operator that takes each value by itself, on whichever form all inputs are there in.
    fn by_value(&mut self, operator: &str, name: &str, nodes: &[NodeId]) -> Forms {
        let flat = nodes.iter().all(|&node| self.values[node].map.is_none());
        let inputs: Vec<String> =
            nodes.iter().map(|&node| if flat { self.flat(node) } else { self.map(node) }).collect();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let made = Some(self.emitter.node(operator, name, &inputs, Vec::new()));
        if flat { Forms { map: None, flat: made } } else { Forms { map: made, flat: None } }
    }

    /// A line between bounds: by the operator of just this where there is one, else step by step.
    fn ramp(&mut self, name: &str, x: NodeId, ramp: &Ramp) -> Forms {
        let flat = self.values[x].map.is_none();
        let mut last = if flat { self.flat(x) } else { self.map(x) };
        let Ramp { slope, shift, low, high } = *ramp;
        if (low, high) == (Some(0.0), Some(1.0)) && (slope, shift) != (1.0, 0.0) {
            let line = vec![number("alpha", slope), number("beta", shift)];
            last = self.emitter.node("HardSigmoid", name, &[&last], line);
        } else {
            let bounds = [("low", low), ("high", high)];
            let bounded = low.is_some() || high.is_some();
            let multiplies = slope != 1.0 || (shift == 0.0 && !bounded);
            let steps = [
                ("Mul", multiplies, vec![("slope", Some(slope))]),
                ("Add", shift != 0.0, vec![("shift", Some(shift))]),
                // A bound that is not there is an empty name, or none at the end.
                ("Clip", bounded, bounds[..1 + usize::from(high.is_some())].to_vec()),
            ];
            let needed: Vec<_> = steps.into_iter().filter(|(_, needed, _)| *needed).collect();
            for (step, (operator, _, constants)) in needed.iter().enumerate() {
                let mut inputs = vec![last];
                inputs.extend(constants.iter().map(|(part, value)| match value {
                    Some(value) => self.emitter.numbers(&format!("{name}.{part}"), &[], &[*value]),
                    None => String::new(),
                }));
                let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
                let ends = step + 1 == needed.len();
                let called = if ends { name.to_owned() } else { format!("{name}.{}", operator.to_lowercase()) };
                last = self.emitter.node(operator, &called, &inputs, Vec::new());
            }
        }
        if flat { Forms { map: None, flat: Some(last) } } else { Forms { map: Some(last), flat: None } }
    }

    fn linear(&mut self, index: NodeId, x: NodeId, outputs: usize, bias: bool) -> Result<Forms, OnnxError> {
        let (node, features) = (&self.graph.nodes[index], self.graph.shape(x).count());
        let mut inputs = vec![self.flat(x)];
        let shape = [outputs, features];
        let values = self.weights.of(node, "weight", &shape)?;
        inputs.push(self.emitter.numbers(&part(node, "weight"), &shape, values));
        if bias {
            let values = self.weights.of(node, "bias", &[outputs])?;
            inputs.push(self.emitter.numbers(&part(node, "bias"), &[outputs], values));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let made = self.emitter.node("Gemm", &self.name(index), &inputs, vec![integer("transB", 1)]);
        Ok(Forms { map: None, flat: Some(made) })
    }

    /// A convolution of `x`; padding that is negative is cut off before.
    fn conv(
        &mut self,
        name: &str,
        x: NodeId,
        (node, conv): (&Node, &Conv),
        weight: &[f32],
        bias: Option<&[f32]>,
    ) -> Result<String, OnnxError> {
        let (shape, p) = (self.graph.shape(x), conv.padding);
        let cut = |size: i32| size.min(0).unsigned_abs() as usize;
        let (rows, columns) = ((cut(p.top), cut(p.bottom)), (cut(p.left), cut(p.right)));
        let mut input = self.map(x);
        if [rows.0, rows.1, columns.0, columns.1].iter().any(|&n| n > 0) {
            if rows.0 + rows.1 >= shape.height || columns.0 + columns.1 >= shape.width {
                let problem = format!("its padding {p:?} cuts away all of {shape}");
                return Err(OnnxError::unsupported(name, "conv", problem));
            }
            let kept =
                [Part::new(2, rows.0, shape.height - rows.1, 1), Part::new(3, columns.0, shape.width - columns.1, 1)];
            input = self.slice(&format!("{name}.cut"), x, &kept);
        }
        let mut inputs = vec![input, self.emitter.numbers(&part(node, "weight"), &conv.weight_shape(), weight)];
        if let Some(bias) = bias {
            inputs.push(self.emitter.numbers(&part(node, "bias"), &[conv.outputs], bias));
        }
        let padding = [p.top, p.left, p.bottom, p.right].map(|size| size.max(0) as usize);
        let attributes = vec![
            integers("dilations", &conv.dilation),
            integer("group", conv.groups as i64),
            integers("kernel_shape", &conv.kernel),
            integers("pads", &padding),
            integers("strides", &conv.stride),
        ];
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        Ok(self.emitter.node("Conv", name, &inputs, attributes))
    }

    fn pool(&mut self, operator: &str, name: &str, x: NodeId, pool: &Pool, more: Vec<AttributeProto>) -> String {
        let x = self.map(x);
        let after = pool.beyond.map(|beyond| pool.padding.saturating_add_signed(beyond as isize));
        let mut attributes = vec![
            integers("kernel_shape", &[pool.kernel; 2]),
            integers("pads", &[pool.padding, pool.padding, after[0], after[1]]),
            integers("strides", &[pool.stride; 2]),
        ];
        attributes.extend(more);
        self.emitter.node(operator, name, &[&x], attributes)
    }

    /// Parts of dimensions, all others as they are.
    fn slice(&mut self, name: &str, x: NodeId, parts: &[Part]) -> String {
        let x = self.map(x);
        let mut list = |of: fn(&Part) -> i64| self.emitter.list(&parts.iter().map(of).collect::<Vec<i64>>());
        let (starts, ends) = (list(|part| part.first as i64), list(|part| part.end as i64));
        let (axes, steps) = (list(|part| part.axis), list(|part| part.step as i64));
        self.emitter.node("Slice", name, &[&x, &starts, &ends, &axes, &steps], Vec::new())
    }

    /// Every `stride`-th row and column of what a node called `name` reads.
    fn strided(&mut self, name: &str, x: NodeId, stride: usize) -> String {
        let shape = self.graph.shape(x);
        let parts = [Part::new(2, 0, shape.height, stride), Part::new(3, 0, shape.width, stride)];
        if stride == 1 { self.map(x) } else { self.slice(&format!("{name}.strided"), x, &parts) }
    }

    fn shuffle(&mut self, name: &str, x: NodeId, groups: usize) -> String {
        let shape = self.graph.shape(x);
        let (channels, height, width) = (shape.channels as i64, shape.height as i64, shape.width as i64);
        let x = self.map(x);
        let split = self.emitter.list(&[0, groups as i64, channels / groups.max(1) as i64, height * width]);
        let split = self.emitter.node("Reshape", &format!("{name}.split"), &[&x, &split], Vec::new());
        let across = vec![integers("perm", &[0, 2, 1, 3])];
        let across = self.emitter.node("Transpose", &format!("{name}.across"), &[&split], across);
        let whole = self.emitter.list(&[0, channels, height, width]);
        self.emitter.node("Reshape", name, &[&across, &whole], Vec::new())
    }
}
