//! Parts of a fused operation that are operations of the tape themselves.

use super::{Backward, Gradients, Record, Tape, walk};
use crate::tensor::Error;

/// Operations that [`Tape::backward`] does not undo: who had them recorded does.
#[derive(Debug)]
pub struct Aside {
    records: Vec<Record>,
    undo: Vec<Box<dyn Backward>>,
}

impl Tape {
    /// Keeps what `record` records aside.
    ///
    /// # Errors
    /// Those of `record`.
    pub fn aside<T, E>(&mut self, record: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<(T, Aside), E> {
        let records = std::mem::take(&mut self.records);
        let undo = std::mem::take(&mut self.undo);
        let made = record(self);
        let records = std::mem::replace(&mut self.records, records);
        let undo = std::mem::replace(&mut self.undo, undo);
        Ok((made?, Aside { records, undo }))
    }
}

impl Aside {
    /// Records the way back from all results whose gradients are in.
    ///
    /// # Errors
    /// As recording does.
    pub fn backward(self, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        walk(&self.records, self.undo, gradients)
    }

    /// Bytes kept alive for the way back.
    pub fn saved_bytes(&self) -> usize {
        self.records.iter().map(|record| record.saved_bytes).sum()
    }
}
