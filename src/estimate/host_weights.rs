//! Weights of choice points that the host computes.

use crate::device::Device;
use crate::graph::Table;
use crate::tensor::{Error, Tensor};

/// For each table of architecture weights the weights of its options and how they change with the architecture weights;
/// written before a pass, read by it.
#[derive(Debug)]
pub struct HostWeights {
    tables: Vec<(Tensor, Tensor)>,
    slope: Tensor,
}

impl HostWeights {
    /// Zeros.
    ///
    /// # Errors
    /// Out of memory.
    pub(super) fn new(device: &Device, tables: &[Table]) -> Result<Self, Error> {
        let mut made = Vec::with_capacity(tables.len());
        let mut count = 0;
        for table in tables {
            let (rows, options) = (table.rows, table.options.len());
            made.push((Tensor::zeros(device, &[rows, options])?, Tensor::zeros(device, &[rows, options, options])?));
            count += rows * options;
        }
        Ok(Self { tables: made, slope: Tensor::zeros(device, &[count])? })
    }

    /// Weights of a table, `[rows, options]`.
    pub fn weights(&self, table: usize) -> &Tensor {
        &self.tables[table].0
    }

    /// Jacobians of a table's rows, `[rows, options, options]`: ∂weight\[i\]/∂α\[j\] at i · options + j.
    pub fn jacobian(&self, table: usize) -> &Tensor {
        &self.tables[table].1
    }

    /// The gradient of what the loss has beside the classification, for all architecture weights one table after the
    /// other.
    pub fn slope(&self) -> &Tensor {
        &self.slope
    }
}
