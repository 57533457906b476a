//! Finds a place in the flat buffers for what each node learns.

use super::layer::Layer;
use crate::graph::{Graph, Node, Op, Options};
use crate::nn::{Init, Spec};

#[derive(Default)]
pub(super) struct Builder {
    pub(super) specs: Vec<Spec>,
    pub(super) norms: Vec<(String, usize)>,
}

impl Builder {
    /// The layers of a graph's nodes, in order.
    pub(super) fn layers(&mut self, graph: &Graph) -> Vec<Layer> {
        graph.nodes.iter().map(|node| self.layer(graph, node)).collect()
    }

    fn layer(&mut self, graph: &Graph, node: &Node) -> Layer {
        match &node.op {
            Op::Choice(choice) => match &choice.options {
                Options::Operations(candidates) => {
                    Layer::Choice(candidates.iter().map(|c| self.layers(&c.graph)).collect())
                }
                Options::Widths(_) => Layer::Plain,
            },
            op => {
                let inputs = graph.input_shapes(node);
                let fan_in = op.parameters(&inputs).first().map_or(1, |(_, shape)| shape[1..].iter().product());
                let norm = matches!(op, Op::BatchNorm { .. });
                let mut placed = op.parameters(&inputs).into_iter().map(|(part, shape)| {
                    let init = match (norm, part) {
                        (true, "weight") => Init::Constant(1.0),
                        (true, _) => Init::Constant(0.0),
                        (false, _) => Init::Uniform(1.0 / (fan_in.max(1) as f32).sqrt()),
                    };
                    let name = if node.name.is_empty() { part.to_owned() } else { format!("{}.{part}", node.name) };
                    self.specs.push(Spec { name, shape, init });
                    self.specs.len() - 1
                });
                let (weight, bias) = (placed.next(), placed.next());
                drop(placed);
                match (norm, weight) {
                    (true, _) => {
                        self.norms.push((node.name.clone(), node.shape.channels));
                        let affine = weight.zip(bias).map(|(w, b)| [w, b]);
                        Layer::Norm { affine, statistics: self.norms.len() - 1 }
                    }
                    (false, Some(weight)) => Layer::Weighted { weight, bias },
                    (false, None) => Layer::Plain,
                }
            }
        }
    }
}
