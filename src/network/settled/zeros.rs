//! Zeros where nothing else is.

use crate::graph::{Features, Graph, GraphError, NodeId, Op};

/// Zeros of a shape, made from any value whose rows and columns are those of the shape or a multiple of them.
pub(super) fn zeros(graph: &mut Graph, x: NodeId, shape: Features) -> Result<NodeId, GraphError> {
    let given = graph.shape(x);
    let stride = given.height.div_ceil(shape.height.max(1)).max(1);
    let zero = graph.push("", Op::Zero { stride }, &[x])?;
    if shape.channels == given.channels {
        return Ok(zero);
    }
    let copies = vec![zero; shape.channels.div_ceil(given.channels.max(1))];
    let many = if copies.len() > 1 { graph.push("", Op::Concat, &copies)? } else { zero };
    graph.push("", Op::Channels { first: 0, count: shape.channels }, &[many])
}
