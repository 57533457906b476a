//! From architecture weights to an architecture.
//!
//! Each node keeps the two edges whose strongest operation is strongest, the stronger edge first;
//! each kept edge keeps that operation. `none` takes part in the softmax but never wins; only an edge
//! none of whose operations has any weight is left out. Of equal weights the lower index wins.

use super::cell::KEPT_EDGES;
use super::supernet::TABLES;
use super::{CELL_INPUTS, Darts, Primitive};
use crate::space::weights::largest;
use crate::space::{Architecture, SpaceError, TableWeights};
use std::cmp::Ordering;

pub(super) fn derive(space: &Darts, weights: &[TableWeights]) -> Result<Architecture, SpaceError> {
    let mut answers = Vec::new();
    for name in TABLES {
        let table = TableWeights::find(weights, name, space.edges(), space.primitives().len())?;
        let mut first_edge = 0;
        for node in 0..space.nodes() {
            let states = node + CELL_INPUTS;
            // For each incoming edge, its operation (an index without `none`) and that one's weight.
            let mut edges: Vec<(usize, usize, f32)> = (0..states)
                .map(|state| {
                    let operations = without_none(space, table.row(first_edge + state));
                    let best = largest(operations.iter().copied());
                    (state, best, operations[best])
                })
                .collect();
            // A stable sort leaves equal weights in index order; the weights are finite.
            edges.sort_by(|a, b| b.2.partial_cmp(&a.2).unwrap_or(Ordering::Equal));
            for &(state, operation, weight) in &edges[..KEPT_EDGES] {
                answers.extend([state, if weight > 0.0 { operation } else { space.operations.len() }]);
            }
            first_edge += states;
        }
    }
    Ok(Architecture { answers })
}

fn without_none(space: &Darts, row: &[f32]) -> Vec<f32> {
    let with_primitive = space.primitives().iter().zip(row);
    with_primitive.filter(|(p, _)| **p != Primitive::None).map(|(_, &weight)| weight).collect()
}
