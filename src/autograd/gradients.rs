//! Gradients on their way back.

use crate::device::Recorder;
use crate::kernels::elementwise;
use crate::tensor::{Error, Tensor};

/// Number of a value on a tape that a gradient flows to.
pub type ValueId = usize;

#[derive(Clone, Debug)]
enum Slot {
    Empty,
    /// Gradient of a value whose producer has not been reached yet.
    Held(Tensor),
    /// A tensor of the caller's that nothing has been written to in this pass.
    Sink(Tensor),
    /// The same, written to.
    Written(Tensor),
}

/// The gradients that a backward pass has so far, and the recorder it writes to.
#[derive(Debug)]
pub struct Gradients<'a> {
    recorder: &'a mut Recorder,
    slots: Vec<Slot>,
}

impl<'a> Gradients<'a> {
    pub(super) fn new(recorder: &'a mut Recorder, sinks: &[Option<Tensor>]) -> Self {
        let slots = sinks.iter().map(|sink| sink.clone().map_or(Slot::Empty, Slot::Sink)).collect();
        Self { recorder, slots }
    }

    /// The recorder.
    pub fn recorder(&mut self) -> &mut Recorder {
        self.recorder
    }

    /// Adds to the gradient of a value of the given shape: `record` gets the tensor and whether to
    /// add to it (true) or to overwrite it (false). Does nothing if the value wants no gradient.
    ///
    /// # Errors
    /// As recording does.
    pub fn add(
        &mut self,
        value: Option<ValueId>,
        shape: &[usize],
        record: impl FnOnce(&mut Recorder, &Tensor, bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(value) = value else { return Ok(()) };
        match std::mem::replace(&mut self.slots[value], Slot::Empty) {
            Slot::Empty => {
                let fresh = Tensor::scratch(self.recorder, shape)?;
                record(self.recorder, &fresh, false)?;
                self.slots[value] = Slot::Held(fresh);
            }
            Slot::Held(held) => {
                let own = if held.buffer().is_unique() { held } else { self.copy(&held)? };
                record(self.recorder, &own, true)?;
                self.slots[value] = Slot::Held(own);
            }
            Slot::Sink(sink) => {
                record(self.recorder, &sink, false)?;
                self.slots[value] = Slot::Written(sink);
            }
            Slot::Written(sink) => {
                record(self.recorder, &sink, true)?;
                self.slots[value] = Slot::Written(sink);
            }
        }
        Ok(())
    }

    /// Adds `dy` itself to the gradient of a value: without a copy if it is the first contribution.
    ///
    /// # Errors
    /// As recording does.
    pub fn pass(&mut self, value: Option<ValueId>, dy: &Tensor) -> Result<(), Error> {
        let Some(id) = value else { return Ok(()) };
        if matches!(self.slots[id], Slot::Empty) {
            self.slots[id] = Slot::Held(dy.clone());
            return Ok(());
        }
        self.add(value, dy.shape(), |recorder, dx, accumulate| scale(recorder, dy, dx, 1.0, accumulate))
    }

    /// The gradient of a value whose contributions are all in.
    pub(super) fn take(&mut self, value: ValueId) -> Option<Tensor> {
        match std::mem::replace(&mut self.slots[value], Slot::Empty) {
            Slot::Held(tensor) | Slot::Written(tensor) => Some(tensor),
            Slot::Empty | Slot::Sink(_) => None,
        }
    }

    pub(super) fn finish(self) -> Vec<Option<Tensor>> {
        self.slots
            .into_iter()
            .map(|slot| match slot {
                Slot::Held(tensor) | Slot::Written(tensor) => Some(tensor),
                Slot::Empty | Slot::Sink(_) => None,
            })
            .collect()
    }

    fn copy(&mut self, held: &Tensor) -> Result<Tensor, Error> {
        let own = Tensor::scratch(self.recorder, held.shape())?;
        scale(self.recorder, held, &own, 1.0, false)?;
        Ok(own)
    }
}

/// Records `y (+)= factor · x`.
pub(super) fn scale(
    recorder: &mut Recorder,
    x: &Tensor,
    y: &Tensor,
    factor: f32,
    accumulate: bool,
) -> Result<(), Error> {
    let params =
        elementwise::Scale { x: x.at(), y: y.at(), count: x.count() as u32, factor, accumulate: accumulate.into() };
    Ok(recorder.dispatch(&elementwise::SCALE, &params, &[x.binding()], &[y.binding()])?)
}
