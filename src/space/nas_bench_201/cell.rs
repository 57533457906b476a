//! Sizes of a cell and of the space.

use super::Operation;

/// Name of the space.
pub const NAME: &str = "nas-bench-201";
/// Number of nodes of a cell, its input among them.
pub const NODES: usize = 4;
/// Number of edges of a cell, and of decisions.
pub const EDGES: usize = NODES * (NODES - 1) / 2;
/// Number of cells.
pub const CELLS: usize = Operation::ALL.len().pow(EDGES as u32);
/// Cells of the published network, all stages together.
pub const LAYERS: usize = 15;

/// The one table of architecture weights of the supernet: a row for each edge.
pub(super) const TABLE: &str = "alphas";

/// The edges in the order of decisions and text, each as the node it reads and the node it leads to.
pub fn edges() -> impl Iterator<Item = (usize, usize)> {
    (1..NODES).flat_map(|target| (0..target).map(move |source| (source, target)))
}
