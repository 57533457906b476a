//! Accuracy of the supernet with weights of options that the host sets.

use super::SearchError;
use super::relaxed::laid;
use crate::autograd::Var;
use crate::data::Resident;
use crate::device::Device;
use crate::estimate::{Evaluation, Supernet};
use crate::network::{Choices, Pass};
use crate::space::TableWeights;
use crate::tensor::Tensor;
use std::collections::HashMap;

/// A recorded evaluation on some images, with running statistics or those of each batch.
#[derive(Debug)]
pub(super) struct Scoring {
    tables: Vec<(String, Tensor)>,
    evaluation: Evaluation,
}

impl Scoring {
    pub(super) fn new(
        supernet: &Supernet,
        data: &Resident,
        images: Vec<u32>,
        batch: usize,
        batch_statistics: bool,
    ) -> Result<Self, SearchError> {
        let mut tables = Vec::new();
        let mut vars = HashMap::new();
        for table in supernet.tables() {
            let weights = Tensor::zeros(supernet.device(), &[table.rows, table.options.len()])?;
            vars.insert(table.name.clone(), Var::constant(weights.clone()));
            tables.push((table.name.clone(), weights));
        }
        let pass = Pass { training: batch_statistics, choices: Choices::Mixed(&vars), ..Pass::evaluation() };
        let evaluation = Evaluation::with(supernet.network(), data, images, batch, pass, supernet.workspace())?;
        Ok(Self { tables, evaluation })
    }

    /// Accuracy with the given weights, where what stands beside the options weighs `auxiliary`. Tables that are not among them,
    /// those of edge weights, weigh all alike by 1.
    pub(super) async fn score(
        &self,
        device: &Device,
        weights: &[TableWeights],
        auxiliary: f64,
    ) -> Result<f64, SearchError> {
        for (name, tensor) in &self.tables {
            if weights.iter().any(|t| t.name == *name) {
                tensor.write(device, &laid(weights, name, [tensor.shape()[0], tensor.shape()[1]], auxiliary)?)?;
            } else {
                tensor.write(device, &vec![1.0; tensor.count()])?;
            }
        }
        Ok(self.evaluation.score().await?.accuracy)
    }
}
