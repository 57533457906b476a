//! The derived network, trained from scratch: each node sums the primitives of its edges.

use super::skeleton::{self, Place};
use super::{CELL_INPUTS, CellGenotype, Genotype, GenotypeError, Primitive, Variant};
use crate::graph::{Graph, NodeId, Op};
use crate::space::{NetworkSettings, SpaceError};

/// The network of a genotype, of any number of nodes and any concatenation: outputs `logits` and,
/// if the settings ask for it, `auxiliary`.
///
/// # Errors
/// [`SpaceError`] if the genotype is not valid, or the image is too small for the reductions or the
/// auxiliary head.
pub fn evaluation_network(genotype: &Genotype, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    network(genotype, settings, false)
}

/// The same; with `auxiliary` a skip connection is added to each edge, whatever the genotype says.
pub(super) fn network(genotype: &Genotype, settings: &NetworkSettings, auxiliary: bool) -> Result<Graph, SpaceError> {
    genotype.check()?;
    skeleton::network(settings, Variant::Evaluation, |graph, place, inputs| {
        let cell_genotype = if place.reduction { &genotype.reduce } else { &genotype.normal };
        cell(cell_genotype, settings.drop_path, auxiliary, graph, place, inputs)
    })
}

/// The skip connection of weight 1 beside an edge of a cell: `edge` is the edge's number, then come its state and step.
pub(super) fn beside(
    graph: &mut Graph,
    place: &Place,
    edge: usize,
    (input, stride): (NodeId, usize),
    variant: Variant,
) -> Result<NodeId, SpaceError> {
    Primitive::SkipConnect.append(graph, &format!("{}._auxiliary.{edge}", place.name), input, stride, variant)
}

fn cell(
    genotype: &CellGenotype,
    drop_path: bool,
    auxiliary: bool,
    graph: &mut Graph,
    place: &Place,
    inputs: [NodeId; 2],
) -> Result<NodeId, SpaceError> {
    // A node that no edge enters has no state; `Genotype::check` has made sure that nothing reads it.
    let mut states = inputs.map(Some).to_vec();
    let state = |states: &[Option<NodeId>], index: usize| {
        let missing = || GenotypeError::Cell { cell: "network", problem: format!("state {index} does not exist") };
        states.get(index).copied().flatten().ok_or_else(missing)
    };
    let mut number = 0;
    for (node, edges) in genotype.nodes.iter().enumerate() {
        let mut incoming = Vec::with_capacity(edges.len());
        // Edges that are left out cost nothing; a node of these alone is zero.
        let kept = edges.iter().filter(|edge| edge.primitive != Primitive::None).count();
        for (slot, edge) in edges.iter().enumerate() {
            number += 1;
            if edge.primitive == Primitive::None && (kept > 0 || slot > 0) {
                continue;
            }
            let name = format!("{}._ops.{}", place.name, number - 1);
            let stride = place.stride(edge.input);
            let input = state(&states, edge.input)?;
            let mut x = edge.primitive.append(graph, &name, input, stride, Variant::Evaluation)?;
            if drop_path && kept > 0 && !edge.primitive.is_identity(stride) {
                x = graph.push(format!("{name}.drop_path"), Op::DropPath, &[x])?;
            }
            incoming.push(x);
            if auxiliary && kept > 0 {
                incoming.push(beside(graph, place, number - 1, (input, stride), Variant::Evaluation)?);
            }
        }
        let name = format!("{}.states.{}", place.name, CELL_INPUTS + node);
        states.push(if incoming.is_empty() { None } else { Some(graph.push(name, Op::Add, &incoming)?) });
    }
    let joined = genotype.concat.iter().map(|&index| state(&states, index)).collect::<Result<Vec<NodeId>, _>>()?;
    Ok(graph.push(format!("{}.concat", place.name), Op::Concat, &joined)?)
}
