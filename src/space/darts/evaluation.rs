//! The derived network, trained from scratch: each node sums two primitives (fewer where edges are left out).

use super::skeleton::{self, Place};
use super::{CELL_INPUTS, CellGenotype, Genotype, KEPT_EDGES, Primitive, Variant};
use crate::graph::{Graph, NodeId, Op};
use crate::space::{NetworkSettings, SpaceError};

/// The network of a genotype, of any number of nodes and any concatenation: outputs `logits` and,
/// if the settings ask for it, `auxiliary`.
///
/// # Errors
/// [`SpaceError`] if the genotype is not valid, or the image is too small for the reductions or the
/// auxiliary head.
pub fn evaluation_network(genotype: &Genotype, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    genotype.check()?;
    skeleton::network(settings, Variant::Evaluation, |graph, place, inputs| {
        let cell_genotype = if place.reduction { &genotype.reduce } else { &genotype.normal };
        cell(cell_genotype, settings.drop_path, graph, place, inputs)
    })
}

fn cell(
    genotype: &CellGenotype,
    drop_path: bool,
    graph: &mut Graph,
    place: &Place,
    inputs: [NodeId; 2],
) -> Result<NodeId, SpaceError> {
    let mut states = inputs.to_vec();
    for (node, pair) in genotype.edges.chunks_exact(KEPT_EDGES).enumerate() {
        let mut incoming = Vec::with_capacity(KEPT_EDGES);
        // Edges that are left out cost nothing; a node without any is zero.
        let kept = pair.iter().filter(|edge| edge.primitive != Primitive::None).count();
        for (slot, edge) in pair.iter().enumerate() {
            if edge.primitive == Primitive::None && (kept > 0 || slot > 0) {
                continue;
            }
            let name = format!("{}._ops.{}", place.name, KEPT_EDGES * node + slot);
            let stride = place.stride(edge.input);
            let mut x = edge.primitive.append(graph, &name, states[edge.input], stride, Variant::Evaluation)?;
            if drop_path && kept > 0 && !edge.primitive.is_identity(stride) {
                x = graph.push(format!("{name}.drop_path"), Op::DropPath, &[x])?;
            }
            incoming.push(x);
        }
        states.push(graph.push(format!("{}.states.{}", place.name, CELL_INPUTS + node), Op::Add, &incoming)?);
    }
    let joined: Vec<NodeId> = genotype.concat.iter().map(|&state| states[state]).collect();
    Ok(graph.push(format!("{}.concat", place.name), Op::Concat, &joined)?)
}
