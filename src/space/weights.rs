//! Architecture weights as plain data, for deriving.

use super::SpaceError;
use serde::{Deserialize, Serialize};

/// The softmaxed architecture weights of one table of a supernet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableWeights {
    /// Name of the table, e.g. `alphas_normal`.
    pub name: String,
    /// Number of decisions.
    pub rows: usize,
    /// Number of options of each.
    pub options: usize,
    /// `rows` × `options` weights, row by row.
    pub values: Vec<f32>,
}

impl TableWeights {
    /// The weights of one decision.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.options..][..self.options]
    }

    /// The table called `name`, checked to have the wanted shape and only finite values.
    ///
    /// # Errors
    /// [`SpaceError::Weights`] if it is missing, has another shape, or holds NaN or infinity.
    pub fn find<'a>(tables: &'a [Self], name: &str, rows: usize, options: usize) -> Result<&'a Self, SpaceError> {
        let wrong = |problem: String| SpaceError::Weights { table: name.to_owned(), problem };
        let Some(table) = tables.iter().find(|t| t.name == name) else {
            let given: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
            return Err(wrong(format!("is missing (given: {})", given.join(", "))));
        };
        if (table.rows, table.options) != (rows, options) || Some(table.values.len()) != rows.checked_mul(options) {
            return Err(wrong(format!(
                "has {} values for {} rows of {} options, the space has {rows} rows of {options}",
                table.values.len(),
                table.rows,
                table.options
            )));
        }
        match table.values.iter().position(|v| !v.is_finite()) {
            None => Ok(table),
            Some(i) => {
                Err(wrong(format!("row {}, option {} is {}, not finite", i / options, i % options, table.values[i])))
            }
        }
    }
}

/// The index of the largest value, the lowest of equal ones.
pub(super) fn largest(values: impl IntoIterator<Item = f32>) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (i, value) in values.into_iter().enumerate() {
        if value > best.1 {
            best = (i, value);
        }
    }
    best.0
}
