//! A node of a file by the operations of the tape, on arrays of any shape: what a network of images cannot take. The host only
//! arranges arrays (repeats them, orders their dimensions, cuts them); all that is computed comes from kernels.

use super::lstm::lstm;
use cellwright::autograd::{Tape, Var, ops};
use cellwright::device::Device;
use cellwright::export::onnx::proto::NodeProto;
use cellwright::nn::{Array, Value};
use cellwright::tensor::Tensor;
use pollster::block_on;

/// Numbers and their shape.
#[derive(Clone)]
pub struct Numbers {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Numbers {
    pub fn of(array: &Array) -> Result<Self, String> {
        match &array.value {
            Value::F32(values) => Ok(Self { shape: array.shape.clone(), values: values.clone() }),
            Value::I64(_) => Err("has values of type int64".into()),
        }
    }

    /// The values at places of another shape; `place` says where in this one.
    fn arranged(&self, shape: &[usize], place: impl Fn(&[usize]) -> usize) -> Self {
        let count = shape.iter().product();
        let mut at = vec![0; shape.len()];
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(self.values[place(&at)]);
            for (i, size) in at.iter_mut().zip(shape).rev() {
                *i = (*i + 1) % size;
                if *i > 0 {
                    break;
                }
            }
        }
        Self { shape: shape.to_vec(), values }
    }

    /// Repeated along dimensions of size 1, and those that are not there.
    fn spread(&self, shape: &[usize]) -> Self {
        let missing = shape.len() - self.shape.len();
        self.arranged(shape, |at| {
            let own = self.shape.iter().zip(&at[missing..]);
            own.fold(0, |place, (&size, &i)| place * size + if size == 1 { 0 } else { i })
        })
    }

    /// Its dimensions in another order.
    pub fn turned(&self, order: &[usize]) -> Self {
        let shape: Vec<usize> = order.iter().map(|&d| self.shape[d]).collect();
        self.arranged(&shape, |at| {
            let own = |d: usize| at[order.iter().position(|&o| o == d).unwrap()];
            self.shape.iter().enumerate().fold(0, |place, (d, &size)| place * size + own(d))
        })
    }

    pub fn reshaped(self, shape: &[usize]) -> Self {
        assert_eq!(self.values.len(), shape.iter().product::<usize>());
        Self { shape: shape.to_vec(), ..self }
    }
}

/// The shape to which all are repeated.
fn common(all: &[Numbers]) -> Result<Vec<usize>, String> {
    let rank = all.iter().map(|x| x.shape.len()).max().unwrap_or(0);
    let mut shape = vec![1; rank];
    for x in all {
        for (own, size) in shape[rank - x.shape.len()..].iter_mut().zip(&x.shape) {
            match (*own, *size) {
                (a, b) if a == b || b == 1 => {}
                (1, b) => *own = b,
                (a, b) => return Err(format!("has {a} and {b} in one dimension")),
            }
        }
    }
    Ok(shape)
}

/// A recording in the making.
pub struct Bench<'a> {
    pub device: &'a Device,
    pub tape: Tape,
}

pub fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Bench<'_> {
    pub fn var(&self, x: &Numbers) -> Result<Var, String> {
        Tensor::from_values(self.device, &x.values, &x.shape).map(Var::constant).map_err(told)
    }

    fn read(self, made: &[Var]) -> Result<Vec<Vec<f32>>, String> {
        self.device.run(&self.tape.finish()).map_err(told)?;
        made.iter().map(|var| block_on(var.tensor().read(self.device)).map_err(told)).collect()
    }
}

/// What a node says of itself.
pub struct Attributes<'a>(pub &'a NodeProto);

impl Attributes<'_> {
    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.0.attribute.iter().find(|a| a.name == name).map_or(default, |a| a.i.unwrap_or_default())
    }

    pub fn float(&self, name: &str, default: f32) -> f32 {
        self.0.attribute.iter().find(|a| a.name == name).map_or(default, |a| a.f.unwrap_or_default())
    }

    pub fn text(&self, name: &str) -> Option<String> {
        let found = self.0.attribute.iter().find(|a| a.name == name)?;
        Some(String::from_utf8_lossy(found.s.as_deref().unwrap_or_default()).into_owned())
    }
}

/// Operators that operations of the tape compute.
const OPERATORS: [&str; 17] = [
    "Add",
    "BatchNormalization",
    "Clip",
    "Gemm",
    "HardSigmoid",
    "HardSwish",
    "LSTM",
    "MatMul",
    "Mean",
    "Mul",
    "Neg",
    "Relu",
    "Sigmoid",
    "Softmax",
    "Sub",
    "Sum",
    "Tanh",
];

/// The results of a node for its inputs, of which some may be left out; an empty problem where no operation is like it.
pub fn computed(device: &Device, node: &NodeProto, inputs: &[Option<&Array>]) -> Result<Vec<Vec<f32>>, String> {
    match node.op_type.as_str() {
        "Div" => return Err("no operation divides arrays".into()),
        "LogSoftmax" => return Err("no operation takes the logarithm of a softmax".into()),
        "LSTM" if inputs.get(7).is_some_and(Option::is_some) => return Err("has peepholes".into()),
        operator if !OPERATORS.contains(&operator) => return Err(String::new()),
        _ => {}
    }
    let all = inputs.iter().map(|input| input.map(Numbers::of).transpose()).collect::<Result<Vec<_>, _>>()?;
    let given: Vec<Numbers> = all.iter().flatten().cloned().collect();
    let attributes = Attributes(node);
    let mut bench = Bench { device, tape: Tape::new(device) };
    match node.op_type.as_str() {
        "LSTM" => return lstm(bench, &attributes, &all),
        "BatchNormalization" if attributes.int("training_mode", 0) == 1 => return norm(bench, &attributes, &given),
        "MatMul" => return matmul(bench, &given),
        "Softmax" => return softmax(bench, &attributes, &given[0]),
        "Gemm" => return gemm(bench, &attributes, &given),
        _ => {}
    }
    let number = |index: usize| all.get(index).and_then(|x| Some(x.as_ref()?.values[0]));
    let ramp = |slope, shift, low, high| ops::Ramp { slope, shift, low, high };
    let (none, all_of) = (f32::NEG_INFINITY, f32::INFINITY);
    let tape = &mut bench.tape;
    let var = |x: &Numbers| Tensor::from_values(device, &x.values, &x.shape).map(Var::constant).map_err(told);
    let made = match node.op_type.as_str() {
        "Add" | "Sum" | "Mean" | "Sub" | "Mul" => {
            let shape = common(&given)?;
            let vars = given.iter().map(|x| var(&x.spread(&shape))).collect::<Result<Vec<_>, _>>()?;
            let (first, rest) = vars.split_first().ok_or("reads nothing")?;
            let made = rest.iter().try_fold(first.clone(), |made, x| match node.op_type.as_str() {
                "Mul" => ops::multiply(tape, &made, x),
                "Sub" => {
                    let minus = ops::scale(tape, x, -1.0)?;
                    ops::add(tape, &made, &minus)
                }
                _ => ops::add(tape, &made, x),
            });
            match node.op_type.as_str() {
                "Mean" => made.and_then(|sum| ops::scale(tape, &sum, 1.0 / vars.len() as f32)),
                _ => made,
            }
        }
        "Neg" => ops::scale(tape, &var(&given[0])?, -1.0),
        "Relu" => ops::relu(tape, &var(&given[0])?),
        "Sigmoid" => ops::sigmoid(tape, &var(&given[0])?),
        "Tanh" => ops::tanh(tape, &var(&given[0])?),
        "Clip" => {
            let (low, high) = (number(1).unwrap_or(none), number(2).unwrap_or(all_of));
            ops::ramp(tape, &var(&given[0])?, ramp(1.0, 0.0, low.min(high), high))
        }
        "HardSigmoid" => {
            let (slope, shift) = (attributes.float("alpha", 0.2), attributes.float("beta", 0.5));
            ops::ramp(tape, &var(&given[0])?, ramp(slope, shift, 0.0, 1.0))
        }
        "HardSwish" => {
            let x = var(&given[0])?;
            let gate = ops::ramp(tape, &x, ramp(1.0 / 6.0, 0.5, 0.0, 1.0)).map_err(told)?;
            ops::multiply(tape, &x, &gate)
        }
        _ => return Err(String::new()),
    };
    bench.read(&[made.map_err(told)?])
}

/// Along any dimension, which is brought to the end.
fn softmax(mut bench: Bench<'_>, attributes: &Attributes<'_>, x: &Numbers) -> Result<Vec<Vec<f32>>, String> {
    let rank = x.shape.len();
    let axis = attributes.int("axis", -1);
    let axis = if axis < 0 { axis + rank as i64 } else { axis } as usize;
    let mut order: Vec<usize> = (0..rank).collect();
    order.swap(axis, rank - 1);
    let turned = x.turned(&order);
    let (shape, columns) = (turned.shape.clone(), x.shape[axis]);
    let rows = turned.values.len() / columns;
    let x = bench.var(&turned.reshaped(&[rows, columns]))?;
    let made = ops::softmax(&mut bench.tape, &x).map_err(told)?;
    let values = bench.read(&[made])?.remove(0);
    Ok(vec![Numbers { shape, values }.turned(&order).values])
}

/// Matrices one by one; a vector is a matrix of one row or column.
fn matmul(mut bench: Bench<'_>, given: &[Numbers]) -> Result<Vec<Vec<f32>>, String> {
    let [a, b] = given else { return Err("needs two inputs".into()) };
    let matrix =
        |x: &Numbers, shape: [usize; 2]| if x.shape.len() == 1 { x.clone().reshaped(&shape) } else { x.clone() };
    let (a, b) = (matrix(a, [1, a.values.len()]), matrix(b, [b.values.len(), 1]));
    let split = |x: &Numbers| {
        let (batch, matrix) = x.shape.split_at(x.shape.len() - 2);
        (batch.to_vec(), matrix.to_vec())
    };
    let ((batch_a, size_a), (batch_b, size_b)) = (split(&a), split(&b));
    let empty = |shape: &[usize]| Numbers { shape: shape.to_vec(), values: Vec::new() };
    let batch = common(&[empty(&batch_a), empty(&batch_b)])?;
    let [a, b] = [(a, &size_a), (b, &size_b)].map(|(x, size)| x.spread(&[&batch[..], size].concat()));
    let mut made = Vec::new();
    for (a, b) in a.values.chunks(size_a.iter().product()).zip(b.values.chunks(size_b.iter().product())) {
        let a = bench.var(&Numbers { shape: size_a.clone(), values: a.to_vec() })?;
        let b = bench.var(&Numbers { shape: size_b.clone(), values: b.to_vec() })?;
        made.push(ops::matmul(&mut bench.tape, &a, &b).map_err(told)?);
    }
    Ok(vec![bench.read(&made)?.concat()])
}

/// alpha · A · B + beta · C.
fn gemm(mut bench: Bench<'_>, attributes: &Attributes<'_>, given: &[Numbers]) -> Result<Vec<Vec<f32>>, String> {
    let [a, b, rest @ ..] = given else { return Err("needs two inputs".into()) };
    let across = |x: &Numbers, name: &str| if attributes.int(name, 0) == 1 { x.turned(&[1, 0]) } else { x.clone() };
    let (a, b) = (bench.var(&across(a, "transA"))?, bench.var(&across(b, "transB"))?);
    let product = ops::matmul(&mut bench.tape, &a, &b).map_err(told)?;
    let mut made = ops::scale(&mut bench.tape, &product, attributes.float("alpha", 1.0)).map_err(told)?;
    if let [c] = rest {
        let c = bench.var(&c.spread(made.shape()))?;
        let c = ops::scale(&mut bench.tape, &c, attributes.float("beta", 1.0)).map_err(told)?;
        made = ops::add(&mut bench.tape, &made, &c).map_err(told)?;
    }
    bench.read(&[made])
}

/// Batch normalisation in training. The kernel gives mean and unbiased variance of the batch; ONNX's running statistics, of the
/// biased one, are made of them here.
fn norm(mut bench: Bench<'_>, attributes: &Attributes<'_>, given: &[Numbers]) -> Result<Vec<Vec<f32>>, String> {
    let [x, scale, shift, running_mean, running_variance] = given else { return Err("needs five inputs".into()) };
    let (batch, channels) = (x.shape[0], x.shape[1]);
    let pixels = x.values.len() / (batch * channels);
    let x = bench.var(&x.clone().reshaped(&[batch, channels, pixels, 1]))?;
    let both = [&scale.values[..], &shift.values].concat();
    let affine = Tensor::from_values(bench.device, &both, &[2, channels]).map_err(told)?;
    let [weight, bias] = [0, 1].map(|part| Var::constant(affine.view(part * channels, &[channels])));
    let stored = Tensor::zeros(bench.device, &[2, channels]).map_err(told)?;
    let moments = ops::Moments { mean: stored.view(0, &[channels]), variance: stored.view(channels, &[channels]) };
    let norm = ops::BatchNorm {
        affine: Some((&weight, &bias)),
        statistics: ops::Statistics::Batch { moments: &moments },
        epsilon: attributes.float("epsilon", 1e-5),
        bounds: None,
    };
    let y = ops::batch_norm(&mut bench.tape, &x, norm).map_err(told)?;
    let device = bench.device;
    let y = bench.read(&[y])?.remove(0);
    let [mean, variance] = [moments.mean, moments.variance].map(|part| block_on(part.read(device)).map_err(told));
    let momentum = attributes.float("momentum", 0.9);
    let count = (batch * pixels) as f32;
    let mixed = |old: &Numbers, new: Vec<f32>, factor: f32| {
        old.values.iter().zip(new).map(|(old, new)| momentum * old + (1.0 - momentum) * new * factor).collect()
    };
    Ok(vec![y, mixed(running_mean, mean?, 1.0), mixed(running_variance, variance?, (count - 1.0) / count)])
}
