//! The tape: what was computed, and how each step is undone.
//!
//! A [`Tape`] records operations onto a [`Recorder`] and remembers, for each one that a wanted
//! gradient flows through, how to go back. [`Tape::backward`] walks it once, records the backward
//! kernels and frees what was saved as it passes. Which leaves want gradients is said before the
//! forward pass; what needs none saves nothing. Nothing runs until the recording does.

mod aside;
mod check;
mod gradients;
pub mod ops;

pub use aside::Aside;
pub use check::{GradientError, check_gradients};
pub use gradients::{Gradients, ValueId};

use crate::device::{Device, Leg, Recorder, Recording, Workspace};
use crate::tensor::{Error, Tensor};
use std::fmt;

/// A tensor on a tape.
#[derive(Clone, Debug)]
pub struct Var {
    tensor: Tensor,
    id: Option<ValueId>,
}

impl Var {
    /// A value that wants no gradient.
    pub fn constant(tensor: Tensor) -> Self {
        Self { tensor, id: None }
    }

    /// The tensor.
    pub fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// Its shape.
    pub fn shape(&self) -> &[usize] {
        self.tensor.shape()
    }

    /// Whether a gradient flows to it.
    pub fn wants_gradient(&self) -> bool {
        self.id.is_some()
    }

    /// Its number on the tape, if it wants a gradient.
    pub fn id(&self) -> Option<ValueId> {
        self.id
    }
}

/// How one operation is undone: a small struct that holds what the forward pass saved.
pub trait Backward: fmt::Debug {
    /// Records the kernels that turn `dy`, the gradient of the output, into gradients of the inputs.
    ///
    /// # Errors
    /// As recording does.
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error>;

    /// Bytes kept alive for the way back.
    fn saved_bytes(&self) -> usize {
        0
    }
}

/// What the tape knows of one operation, to be read by people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Name of the operation.
    pub operation: &'static str,
    /// Part of the network it belongs to.
    pub scope: String,
    /// Values it read that want gradients.
    pub inputs: Vec<ValueId>,
    /// The value it made.
    pub output: ValueId,
    /// Shape of that value.
    pub shape: Vec<usize>,
    /// Bytes saved for the backward pass.
    pub saved_bytes: usize,
}

/// Operations recorded forwards, to be walked backwards once.
///
/// ```
/// use cellwright::autograd::{Tape, ops};
/// use cellwright::device::Device;
/// use cellwright::tensor::Tensor;
///
/// let device = Device::cpu();
/// let mut tape = Tape::new(&device);
/// let x = tape.leaf(Tensor::from_values(&device, &[1.0, -2.0, 3.0], &[3])?);
/// let squares = ops::multiply(&mut tape, &x, &x)?;
/// let total = ops::sum(&mut tape, &squares)?;
/// let gradients = tape.backward(&total, None)?; // recorded, like what went before
/// device.run(&tape.finish())?;
/// let slope = x.id().and_then(|id| gradients[id].as_ref()).expect("a leaf has a gradient");
/// assert_eq!(pollster::block_on(slope.read(&device))?, [2.0, -4.0, 6.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Tape {
    recorder: Recorder,
    records: Vec<Record>,
    undo: Vec<Box<dyn Backward>>,
    sinks: Vec<Option<Tensor>>,
    destination: Option<Tensor>,
}

impl Tape {
    /// An empty tape with scratch memory of its own.
    pub fn new(device: &Device) -> Self {
        Self::on(Recorder::new(device))
    }

    /// An empty tape whose scratch memory comes from `workspace`.
    pub fn within(device: &Device, workspace: &Workspace) -> Self {
        Self::on(Recorder::within(device, workspace))
    }

    /// An empty tape that goes on with a recorder.
    pub fn on(mut recorder: Recorder) -> Self {
        recorder.set_leg(Leg::Forward);
        Self { recorder, records: Vec::new(), undo: Vec::new(), sinks: Vec::new(), destination: None }
    }

    /// The device recorded for.
    pub fn device(&self) -> &Device {
        self.recorder.device()
    }

    /// The recorder, for commands that need no gradient.
    pub fn recorder(&mut self) -> &mut Recorder {
        &mut self.recorder
    }

    /// Names the part of the network that the following operations belong to.
    pub fn set_scope(&mut self, scope: &str) {
        self.recorder.set_scope(scope);
    }

    /// A leaf whose gradient can be asked for after [`Tape::backward`].
    pub fn leaf(&mut self, tensor: Tensor) -> Var {
        self.value(tensor, None)
    }

    /// A leaf whose gradient is written to `gradient`, a tensor of the same size: overwritten by the
    /// first contribution of a backward pass, added to by the others, untouched if there is none.
    ///
    /// # Errors
    /// [`Error::Shape`] if the sizes differ.
    pub fn parameter(&mut self, tensor: Tensor, gradient: Tensor) -> Result<Var, Error> {
        if tensor.count() != gradient.count() {
            let problem = format!("gradient {:?} of a tensor {:?}", gradient.shape(), tensor.shape());
            return Err(Error::shape("parameter", problem));
        }
        Ok(self.value(tensor, Some(gradient)))
    }

    /// Makes the next operation write its result to `destination` if the shape fits: a slice of a
    /// larger tensor, say.
    pub fn write_next_to(&mut self, destination: Tensor) {
        self.destination = Some(destination);
    }

    /// What was recorded, in order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Memory for an operation's result.
    ///
    /// # Errors
    /// As [`Tensor::scratch`].
    pub fn output(&mut self, shape: &[usize]) -> Result<Tensor, Error> {
        match self.destination.take() {
            Some(destination) if destination.shape() == shape => Ok(destination),
            _ => Tensor::scratch(&self.recorder, shape),
        }
    }

    /// Puts a result on the tape. `undo` is called, to save what the way back needs, only if one of
    /// the inputs wants a gradient.
    pub fn push<B: Backward + 'static>(
        &mut self,
        operation: &'static str,
        inputs: &[&Var],
        output: Tensor,
        undo: impl FnOnce() -> B,
    ) -> Var {
        let inputs: Vec<ValueId> = inputs.iter().filter_map(|v| v.id).collect();
        if inputs.is_empty() {
            return Var::constant(output);
        }
        let shape = output.shape().to_vec();
        let var = self.value(output, None);
        let undo = undo();
        self.records.push(Record {
            operation,
            scope: self.recorder.scope().to_owned(),
            inputs,
            output: self.sinks.len() - 1,
            shape,
            saved_bytes: undo.saved_bytes(),
        });
        self.undo.push(Box::new(undo));
        var
    }

    /// Walks the tape backwards from `output`, whose gradient is `seed` (ones if not given), and
    /// records the backward kernels. The records are spent; the recorder goes on.
    ///
    /// # Errors
    /// [`Error::Shape`] if the seed's shape is not the output's; else as recording does.
    pub fn backward(&mut self, output: &Var, seed: Option<Tensor>) -> Result<Vec<Option<Tensor>>, Error> {
        self.recorder.set_leg(Leg::Backward);
        let seed = match seed {
            Some(seed) if seed.count() == output.tensor.count() => seed,
            Some(seed) => {
                let problem = format!("a gradient {:?} for a value {:?}", seed.shape(), output.shape());
                return Err(Error::shape("backward", problem));
            }
            None => {
                let ones = Tensor::scratch(&self.recorder, output.shape())?;
                self.recorder.upload(ones.buffer(), 0, &vec![1.0f32.to_bits(); ones.count()])?;
                ones
            }
        };
        let undo = std::mem::take(&mut self.undo);
        let mut gradients = Gradients::new(&mut self.recorder, &self.sinks);
        if let Some(id) = output.id {
            gradients.pass(Some(id), &seed)?;
        }
        drop(seed);
        let first = self.records.len() - undo.len();
        walk(&self.records[first..], undo, &mut gradients)?;
        let gradients = gradients.finish();
        self.recorder.set_leg(Leg::Update);
        Ok(gradients)
    }

    /// Ends the tape; recording can go on without gradients.
    pub fn into_recorder(self) -> Recorder {
        self.recorder
    }

    /// Ends the tape; what was recorded can be run.
    pub fn finish(self) -> Recording {
        self.recorder.finish()
    }

    fn value(&mut self, tensor: Tensor, sink: Option<Tensor>) -> Var {
        self.sinks.push(sink);
        Var { tensor, id: Some(self.sinks.len() - 1) }
    }
}

/// Undoes operations, the last one first.
fn walk(records: &[Record], undo: Vec<Box<dyn Backward>>, gradients: &mut Gradients<'_>) -> Result<(), Error> {
    for (record, undo) in records.iter().zip(undo).rev() {
        if let Some(dy) = gradients.take(record.output) {
            gradients.recorder().set_scope(&record.scope);
            undo.backward(&dy, gradients)?;
        }
    }
    Ok(())
}

impl fmt::Display for Tape {
    /// One line for each record: `%5 = conv(%1, %2) [16, 8, 4, 4] saves 2048 bytes  # stem.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for record in &self.records {
            let inputs: Vec<String> = record.inputs.iter().map(|i| format!("%{i}")).collect();
            write!(f, "%{} = {}({}) {:?}", record.output, record.operation, inputs.join(", "), record.shape)?;
            if record.saved_bytes > 0 {
                write!(f, " saves {} bytes", record.saved_bytes)?;
            }
            if record.scope.is_empty() { writeln!(f)? } else { writeln!(f, "  # {}", record.scope)? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
