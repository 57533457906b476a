//! Sums, products, activations: what takes each value by itself.
//!
//! A constant is one number, or one for each channel. The first makes a ramp. The others are a bias where the layer before can
//! have one, else the weights and biases of a depthwise convolution of single pixels.

use super::constant::Constant;
use super::importer::Importer;
use super::node::Reader;
use super::value::{Value, View};
use crate::export::onnx::OnnxError;
use crate::graph::{Conv, NodeId, Op, Padding, Ramp};

/// Numbers of a constant: one for all channels, or one for each.
type Numbers = Vec<f32>;

impl Importer<'_> {
    pub(super) fn by_value(&mut self, reader: &Reader<'_>, op: Op) -> Result<(), OnnxError> {
        reader.knows(&[])?;
        let (x, flat) = self.either(reader, 0)?;
        self.made(reader, op, &[x], flat)
    }

    /// The node of an input that is a map or a vector, and whether it is a vector.
    fn either(&mut self, reader: &Reader<'_>, index: usize) -> Result<(NodeId, bool), OnnxError> {
        match self.value(reader, index)? {
            Value::Flat(x) => Ok((x, true)),
            _ => Ok((self.map(reader, index)?, false)),
        }
    }

    /// A node whose result is a map, or a vector.
    fn made(&mut self, reader: &Reader<'_>, op: Op, inputs: &[NodeId], flat: bool) -> Result<(), OnnxError> {
        let made = self.push(reader, reader.proto.name.clone(), op, inputs)?;
        self.give(reader, value(made, flat))
    }

    /// A sum of maps or of vectors; a constant that is added is the bias of the layer before.
    pub(super) fn add(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&[])?;
        let values = self.all(reader)?;
        match &values[..] {
            [only] => return self.give(reader, only.clone()),
            [Value::Constant(constant), _] => return self.add_constant(reader, 1, constant),
            [_, Value::Constant(constant)] => return self.add_constant(reader, 0, constant),
            _ => {}
        }
        let read = (0..values.len()).map(|index| self.either(reader, index)).collect::<Result<Vec<_>, _>>()?;
        let nodes: Vec<NodeId> = read.iter().map(|(node, _)| *node).collect();
        match read.iter().filter(|(_, flat)| *flat).count() {
            0 => self.made(reader, Op::Add, &nodes, false),
            all if all == read.len() => self.made(reader, Op::Add, &nodes, true),
            _ => Err(reader.refused("adds maps and vectors")),
        }
    }

    /// An input and a constant.
    fn add_constant(&mut self, reader: &Reader<'_>, index: usize, constant: &Constant) -> Result<(), OnnxError> {
        if self.bias(reader, index, constant)? {
            return Ok(());
        }
        let shift = self.each(reader, index, constant)?;
        self.line(reader, index, vec![1.0], shift)
    }

    pub(super) fn subtract(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&[])?;
        match &self.all(reader)?[..] {
            [_, Value::Constant(constant)] => {
                let shift = self.each(reader, 0, constant)?;
                self.line(reader, 0, vec![1.0], shift.iter().map(|v| -v).collect())
            }
            [Value::Constant(constant), _] => {
                let shift = self.each(reader, 1, constant)?;
                self.line(reader, 1, vec![-1.0], shift)
            }
            [_, _] => {
                let [(a, flat), (b, other)] = [self.either(reader, 0)?, self.either(reader, 1)?];
                if flat != other {
                    return Err(reader.refused("subtracts a map and a vector"));
                }
                let minus = self.push(reader, String::new(), Op::Ramp(Ramp::line(-1.0, 0.0)), &[b])?;
                self.made(reader, Op::Add, &[a, minus], flat)
            }
            _ => Err(reader.refused("needs two inputs")),
        }
    }

    pub(super) fn multiply(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&[])?;
        let (index, constant) = match &self.all(reader)?[..] {
            [Value::Sizes(sizes), Value::Constant(constant)] => {
                return self.computed_sizes(reader, sizes, constant, i64::checked_mul);
            }
            [_, Value::Constant(constant)] => (0, constant.clone()),
            [Value::Constant(constant), _] => (1, constant.clone()),
            [_, _] => {
                let [(a, flat), (b, other)] = [self.either(reader, 0)?, self.either(reader, 1)?];
                if flat != other {
                    return Err(reader.refused("multiplies a map and a vector"));
                }
                // What gates comes second.
                let gates = self.graph.shape(a).count() < self.graph.shape(b).count();
                return self.made(reader, Op::Multiply, &if gates { [b, a] } else { [a, b] }, flat);
            }
            _ => return Err(reader.refused("needs two inputs")),
        };
        let slope = self.each(reader, index, &constant)?;
        self.line(reader, index, slope, vec![0.0])
    }

    pub(super) fn divide(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&[])?;
        let constant = match &self.all(reader)?[..] {
            [Value::Sizes(sizes), Value::Constant(constant)] => {
                return self.computed_sizes(reader, sizes, constant, i64::checked_div);
            }
            [_, Value::Constant(constant)] => constant.clone(),
            _ => return Err(reader.refused("divides by what is no constant")),
        };
        let slope: Numbers = self.each(reader, 0, &constant)?.iter().map(|v| v.recip()).collect();
        if !slope.iter().all(|v| v.is_finite()) {
            return Err(reader.refused("divides by zero"));
        }
        self.line(reader, 0, slope, vec![0.0])
    }

    /// The numbers of a constant for an input: one, or one for each channel.
    pub(super) fn each(
        &mut self,
        reader: &Reader<'_>,
        index: usize,
        constant: &Constant,
    ) -> Result<Numbers, OnnxError> {
        let numbers = constant.numbers()?;
        let (channels, single, flat) = match self.value(reader, index)? {
            Value::Map(view) => (self.graph.shape(view.of).channels, false, false),
            Value::Flat(x) => {
                let shape = self.graph.shape(x);
                (shape.channels, shape.count() == shape.channels, true)
            }
            _ => return Err(reader.refused("computes with what does not come from the image")),
        };
        let rank = if flat { 2 } else { 4 };
        let fits = match (&constant.shape[..], flat) {
            ([c] | [1, c], true) => single && *c == channels,
            ([c, 1, 1] | [1, c, 1, 1], false) => *c == channels,
            _ => false,
        };
        if fits || (numbers.len() == 1 && constant.shape.len() <= rank) {
            return Ok(numbers.to_vec());
        }
        let problem =
            format!("has a constant of shape {:?}: neither one number nor one for each channel", constant.shape);
        Err(reader.refused(problem))
    }

    /// slope · x + shift, of which each is one number or one for each channel.
    fn line(&mut self, reader: &Reader<'_>, index: usize, slope: Numbers, shift: Numbers) -> Result<(), OnnxError> {
        let (x, flat) = self.either(reader, index)?;
        if let ([slope], [shift]) = (&slope[..], &shift[..]) {
            return self.made(reader, Op::Ramp(Ramp::line(*slope, *shift)), &[x], flat);
        }
        let channels = self.graph.shape(x).channels;
        let bias = shift.iter().any(|&v| v != 0.0);
        let conv = Conv { padding: Padding::same(0), bias, ..Conv::depthwise(channels, 1, 1, 1) };
        let name = self.name(&reader.label());
        let spread = |values: &Numbers, count: usize| (0..count).map(|c| values[c % values.len()]).collect();
        self.keep(reader, format!("{name}.weight"), &conv.weight_shape(), |count| spread(&slope, count))?;
        if bias {
            self.keep(reader, format!("{name}.bias"), &[channels], |count| spread(&shift, count))?;
        }
        let made = self.push(reader, name, Op::Conv(conv), &[x])?;
        self.give(reader, value(made, flat))
    }

    /// Bounds are attributes in old files, inputs in others.
    pub(super) fn clip(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["min", "max"])?;
        let mut bounds = [reader.number("min")?, reader.number("max")?];
        for (input, bound) in bounds.iter_mut().enumerate() {
            if let Some(constant) = self.constant(reader, input + 1)? {
                let number = constant.number().ok_or_else(|| reader.refused("has a bound that is not one number"))?;
                *bound = Some(number);
            }
        }
        let [low, high] = bounds;
        if low.is_some_and(f32::is_nan) || high.is_some_and(f32::is_nan) {
            return Err(reader.refused("has a bound that is not a number"));
        }
        // Above a lower bound that is larger than the upper one there is only this.
        let low = if let (Some(l), Some(h)) = (low, high) { Some(l.min(h)) } else { low };
        let (x, flat) = self.either(reader, 0)?;
        self.made(reader, Op::Ramp(Ramp::clip(low, high)), &[x], flat)
    }

    pub(super) fn hard_sigmoid(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["alpha", "beta"])?;
        let (slope, shift) = (reader.number("alpha")?.unwrap_or(0.2), reader.number("beta")?.unwrap_or(0.5));
        let (x, flat) = self.either(reader, 0)?;
        self.made(reader, Op::Ramp(Ramp::hard_sigmoid(slope, shift)), &[x], flat)
    }

    /// x times its hard sigmoid of slope 1/6.
    pub(super) fn hard_swish(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&[])?;
        let (x, flat) = self.either(reader, 0)?;
        let gate = self.push(reader, String::new(), Op::Ramp(Ramp::hard_sigmoid(1.0 / 6.0, 0.5)), &[x])?;
        self.made(reader, Op::Multiply, &[x, gate], flat)
    }

    /// A softmax over the classes at the end: a network gives the logits before it.
    pub(super) fn softmax(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["axis"])?;
        let last = reader.proto.output.first() == Some(&self.output);
        if !last {
            return Err(reader.refused("stands within the network: only at its end, over the classes, can one be read"));
        }
        let (x, flat) = self.either(reader, 0)?;
        let shape = self.graph.shape(x);
        // What a file means that does not say: the last of all, or in old files all but the first.
        let over = reader.integer("axis")?.unwrap_or(if flat { -1 } else { 1 });
        let classes = if flat { matches!(over, 1 | -1) } else { matches!(over, 1 | -3) };
        if !classes || shape.count() != shape.channels {
            return Err(reader.refused(format!("is over dimension {over} of {shape}, which are not the classes")));
        }
        self.probabilities = true;
        self.give(reader, value(x, flat))
    }
}

/// A node's value as a vector or as a map.
fn value(node: NodeId, flat: bool) -> Value {
    if flat { Value::Flat(node) } else { Value::Map(View::whole(node)) }
}
