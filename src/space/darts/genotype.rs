//! A genotype: the architecture of a normal and a reduction cell, as the literature writes it.

use super::{CELL_INPUTS, CellGenotype, Edge, GenotypeError, Primitive};
use crate::space::CellPlan;
use serde::{Deserialize, Serialize};

/// A normal and a reduction cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "serde_json::Value", try_from = "serde_json::Value")]
pub struct Genotype {
    /// The cell that keeps the map.
    pub normal: CellGenotype,
    /// The cell that halves the map.
    pub reduce: CellGenotype,
}

impl Genotype {
    /// Both cells as plans to be drawn.
    pub fn cells(&self) -> Vec<CellPlan> {
        let plan = |(name, cell): (&str, &CellGenotype)| CellPlan {
            name: name.to_owned(),
            inputs: CELL_INPUTS,
            edges: cell
                .nodes
                .iter()
                .enumerate()
                .flat_map(|(node, edges)| edges.iter().map(move |edge| (node, edge)))
                .filter(|(_, edge)| edge.primitive != Primitive::None)
                .map(|(node, edge)| (edge.input, node, edge.primitive.to_string()))
                .collect(),
            nodes: cell.nodes.len(),
            concat: cell.concat.clone(),
        };
        [("normal", &self.normal), ("reduce", &self.reduce)].into_iter().map(plan).collect()
    }

    /// Checks that a network can be built: whole nodes, edges from earlier states only, a
    /// concatenation of existing states of one size.
    ///
    /// # Errors
    /// [`GenotypeError::Cell`] with the first thing that does not fit.
    pub fn check(&self) -> Result<(), GenotypeError> {
        self.normal.check("normal")?;
        self.reduce.check("reduce")
    }

    /// As JSON: `{"normal": [["sep_conv_3x3", 0], …], "normal_concat": [2, …], "reduce": …, …}`; with a list for each node
    /// where not all have two edges.
    pub fn json(&self) -> serde_json::Value {
        let edge = |e: &Edge| serde_json::json!([e.primitive.name(), e.input]);
        let edges = |cell: &CellGenotype| -> Vec<serde_json::Value> {
            if cell.has_pairs() {
                return cell.edges().map(edge).collect();
            }
            cell.nodes.iter().map(|edges| edges.iter().map(edge).collect()).collect()
        };
        serde_json::json!({
            "normal": edges(&self.normal),
            "normal_concat": self.normal.concat,
            "reduce": edges(&self.reduce),
            "reduce_concat": self.reduce.concat,
        })
    }
}

impl From<Genotype> for serde_json::Value {
    fn from(genotype: Genotype) -> Self {
        genotype.json()
    }
}
