//! From architecture weights to an architecture.
//!
//! Each node keeps the two edges whose strongest operation is strongest, the stronger edge first;
//! each kept edge keeps that operation. `none` takes part in the softmax but never wins; only an edge
//! none of whose operations has any weight is left out. Of equal weights the lower index wins.

use super::cell::KEPT_EDGES;
use super::sets::EdgeSets;
use super::{Darts, Primitive};
use crate::space::weights::largest;
use crate::space::{Architecture, SpaceError, TableWeights};
use std::cmp::Ordering;

pub(super) fn derive(space: &Darts, weights: &[TableWeights]) -> Result<Architecture, SpaceError> {
    let mut answers = Vec::new();
    for sets in &space.cells {
        let table = TableWeights::find(weights, sets.table(), space.edges(), sets.options())?;
        for node in 0..space.nodes() {
            // For each incoming edge, its operation (an index without `none`) and that one's weight.
            let mut edges: Vec<(usize, usize, f32)> = EdgeSets::entering(node)
                .enumerate()
                .map(|(state, edge)| {
                    let operations = without_none(&sets.edges[edge], table.row(edge));
                    let best = largest(operations.iter().copied());
                    (state, best, operations[best])
                })
                .collect();
            // A stable sort leaves equal weights in index order; the weights are finite.
            edges.sort_by(|a, b| b.2.partial_cmp(&a.2).unwrap_or(Ordering::Equal));
            for &(state, operation, weight) in &edges[..KEPT_EDGES] {
                let left_out = sets.operations(EdgeSets::entering(node).start + state).count();
                answers.extend([state, if weight > 0.0 { operation } else { left_out }]);
            }
        }
    }
    Ok(Architecture { answers })
}

fn without_none(primitives: &[Primitive], row: &[f32]) -> Vec<f32> {
    primitives.iter().zip(row).filter(|(p, _)| **p != Primitive::None).map(|(_, &weight)| weight).collect()
}
