//! What an operation learns: names and shapes of its parameters.

use super::{Features, Graph, Node, Op};

/// One learned parameter of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Full name, e.g. `cells.3._ops.0.op.1.weight`.
    pub name: String,
    /// Shape, outermost dimension first.
    pub shape: Vec<usize>,
}

impl Op {
    /// Names and shapes of what this operation learns from inputs of the given shapes; running
    /// statistics and architecture weights are not among them. Choice points and fused nodes have none of their own.
    pub fn parameters(&self, inputs: &[Features]) -> Vec<(&'static str, Vec<usize>)> {
        let with_bias = |weight: Vec<usize>, bias: bool| {
            let outputs = weight[0];
            let mut found = vec![("weight", weight)];
            if bias {
                found.push(("bias", vec![outputs]));
            }
            found
        };
        match (self, inputs) {
            (Self::Conv(conv), _) => with_bias(conv.weight_shape().to_vec(), conv.bias),
            (Self::BatchNorm { affine: true }, [x, ..]) => with_bias(vec![x.channels], true),
            (Self::Linear { outputs, bias }, [x, ..]) => with_bias(vec![*outputs, x.count()], *bias),
            _ => Vec::new(),
        }
    }
}

impl Graph {
    /// Shapes of what a node of this graph reads.
    pub fn input_shapes(&self, node: &Node) -> Vec<Features> {
        node.inputs.iter().map(|&i| self.nodes[i].shape).collect()
    }

    /// All learned parameters, those of inner graphs included, in node order.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut found = Vec::new();
        for node in &self.nodes {
            for (name, shape) in node.op.parameters(&self.input_shapes(node)) {
                let name = if node.name.is_empty() { name.to_owned() } else { format!("{}.{name}", node.name) };
                found.push(Parameter { name, shape });
            }
            found.extend(node.op.inner().into_iter().flat_map(|(_, graph)| graph.parameters()));
        }
        found
    }
}
