//! What a [`Graph`] costs, counted from its plain data: parameters, multiply-adds, activation
//! memory.
//!
//! Multiply-adds are those of convolutions and linear layers, for one image. Activation bytes are
//! the float32 outputs of all nodes of the unfused graph for a batch. A supernet counts all
//! candidates of its choice points; a candidate's inputs are the choice point's own and are not
//! counted twice. Running statistics and architecture weights are not parameters.

use crate::graph::{Features, Graph, Node, Op};
use serde::Serialize;

/// Bytes of one value (float32).
const VALUE_BYTES: u64 = 4;

/// Why a graph cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// A count does not fit into 64 bits.
    #[error("{node}: the number of {quantity} does not fit into 64 bits: the network or the batch is too large")]
    Overflow {
        /// Name of the node, or its operation.
        node: String,
        /// What was being counted.
        quantity: &'static str,
    },
}

/// What one node costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeCost {
    /// Name of the node; may be empty.
    pub name: String,
    /// Name of the operation.
    pub operation: &'static str,
    /// The candidate the node belongs to, where it is part of a choice point.
    pub candidate: Option<String>,
    /// Shape of its output for one sample.
    pub shape: Features,
    /// Learned parameters.
    pub parameters: u64,
    /// Multiply-adds for one image.
    pub multiply_adds: u64,
    /// Bytes of its output for the batch.
    pub activation_bytes: u64,
}

/// What a graph costs.
///
/// ```
/// use cellwright::cost::Cost;
/// use cellwright::graph::{Conv, Features, Graph, Op};
///
/// let mut graph = Graph::new(&[Features::new(3, 32, 32)]);
/// graph.push("stem", Op::Conv(Conv::square(3, 16, 3, 1)), &[0])?;
/// let cost = Cost::of(&graph, 1)?;
/// assert_eq!(cost.parameters, 3 * 16 * 9);
/// assert_eq!(cost.multiply_adds, 3 * 16 * 9 * 32 * 32);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Samples in the batch that `activation_bytes` is for.
    pub batch: usize,
    /// Learned parameters.
    pub parameters: u64,
    /// Multiply-adds of convolutions and linear layers for one image.
    pub multiply_adds: u64,
    /// Bytes of all node outputs for the batch.
    pub activation_bytes: u64,
    /// The same by node: a choice point stands after its candidates' nodes.
    pub nodes: Vec<NodeCost>,
}

impl Cost {
    /// Counts a graph for a batch of the given number of samples.
    ///
    /// # Errors
    /// [`CostError::Overflow`] where a count does not fit into 64 bits.
    pub fn of(graph: &Graph, batch: usize) -> Result<Self, CostError> {
        let mut cost = Self { batch, parameters: 0, multiply_adds: 0, activation_bytes: 0, nodes: Vec::new() };
        cost.add_graph(graph, 0, None)?;
        Ok(cost)
    }

    fn add_graph(&mut self, graph: &Graph, first: usize, candidate: Option<&str>) -> Result<(), CostError> {
        for node in &graph.nodes[first..] {
            for (label, inner) in node.op.inner() {
                let label = match (candidate, label) {
                    (outer, "") => outer.map(str::to_owned),
                    (None, label) => Some(label.to_owned()),
                    (Some(outer), label) => Some(format!("{outer}/{label}")),
                };
                // The inputs of an inner graph are nodes of the graph around it.
                self.add_graph(inner, inner.input_count(), label.as_deref())?;
            }
            // Its own last node is the same value.
            if matches!(node.op, Op::Fused(_)) {
                continue;
            }
            let counted = node_cost(graph, node, candidate, self.batch)?;
            let add = |total: u64, more: u64, quantity| total.checked_add(more).ok_or_else(|| overflow(node, quantity));
            self.parameters = add(self.parameters, counted.parameters, "parameters")?;
            self.multiply_adds = add(self.multiply_adds, counted.multiply_adds, "multiply-adds")?;
            self.activation_bytes = add(self.activation_bytes, counted.activation_bytes, "activation bytes")?;
            self.nodes.push(counted);
        }
        Ok(())
    }
}

/// Number of learned parameters of a graph; of a supernet, those of all candidates.
///
/// # Errors
/// [`CostError::Overflow`] where it does not fit into 64 bits.
pub fn parameters(graph: &Graph) -> Result<u64, CostError> {
    graph.parameters().into_iter().try_fold(0u64, |total, parameter| {
        product(parameter.shape)
            .and_then(|count| total.checked_add(count))
            .ok_or(CostError::Overflow { node: parameter.name, quantity: "parameters" })
    })
}

fn node_cost(graph: &Graph, node: &Node, candidate: Option<&str>, batch: usize) -> Result<NodeCost, CostError> {
    let inputs = graph.input_shapes(node);
    let mut parameters = 0u64;
    for (_, shape) in node.op.parameters(&inputs) {
        parameters = product(shape)
            .and_then(|count| parameters.checked_add(count))
            .ok_or_else(|| overflow(node, "parameters"))?;
    }
    let outputs = product([node.shape.channels, node.shape.height, node.shape.width]);
    let multiply_adds = match &node.op {
        Op::Conv(conv) => {
            let [_, inputs, rows, columns] = conv.weight_shape();
            outputs.and_then(|n| n.checked_mul(product([inputs, rows, columns])?))
        }
        Op::Linear { outputs, .. } => {
            inputs.first().map_or(Some(0), |x| product([*outputs, x.channels, x.height, x.width]))
        }
        _ => Some(0),
    }
    .ok_or_else(|| overflow(node, "multiply-adds"))?;
    let activation_bytes = outputs
        .and_then(|n| n.checked_mul(batch as u64)?.checked_mul(VALUE_BYTES))
        .ok_or_else(|| overflow(node, "activation bytes"))?;
    Ok(NodeCost {
        name: node.name.clone(),
        operation: node.op.name(),
        candidate: candidate.map(str::to_owned),
        shape: node.shape,
        parameters,
        multiply_adds,
        activation_bytes,
    })
}

fn product(sizes: impl IntoIterator<Item = usize>) -> Option<u64> {
    sizes.into_iter().try_fold(1u64, |product, size| product.checked_mul(size as u64))
}

fn overflow(node: &Node, quantity: &'static str) -> CostError {
    let node = if node.name.is_empty() { node.op.name().to_owned() } else { node.name.clone() };
    CostError::Overflow { node, quantity }
}

#[cfg(test)]
mod tests;
