//! The last layer of a network, for another number of answers.

use super::{Graph, Op};

impl Graph {
    /// The same network with so many answers at each of its outputs, and the names of the layers that give them, whose `weight`
    /// and `bias` have a row for each answer.
    ///
    /// # Errors
    /// What stands in the way: an output that no linear layer or convolution gives, but for what leaves channels as they are.
    pub fn with_answers(&self, answers: usize) -> Result<(Self, Vec<String>), String> {
        let mut graph = self.clone();
        let mut layers = Vec::new();
        for output in &self.outputs {
            let mut at = output.node;
            let layer = loop {
                let node = &self.nodes[at];
                match (&node.op, &node.inputs[..]) {
                    (Op::Linear { .. } | Op::Conv(_), _) => break node.name.clone(),
                    (
                        Op::Identity
                        | Op::Relu
                        | Op::Sigmoid
                        | Op::Tanh
                        | Op::AvgPool(_)
                        | Op::MaxPool(_)
                        | Op::GlobalAvgPool
                        | Op::Dropout { .. }
                        | Op::ScheduledDropout
                        | Op::DropPath,
                        [before],
                    ) => at = *before,
                    (op, _) => {
                        let (output, op) = (&output.name, op.name());
                        return Err(format!(
                            "its output `{output}` is of a {op}, not of a layer that could be another"
                        ));
                    }
                }
            };
            match &mut graph.nodes[at].op {
                Op::Linear { outputs, .. } => *outputs = answers,
                Op::Conv(conv) if conv.groups == 1 => conv.outputs = answers,
                _ => return Err(format!("its last layer `{layer}` is a convolution in groups")),
            }
            layers.push(layer);
        }
        Ok((graph.checked()?, layers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Conv, Features};
    use crate::space::{NetworkSettings, find};

    #[test]
    fn heads_and_auxiliary_heads_are_replaced() {
        let settings = NetworkSettings { auxiliary: true, layers: 6, channels: 4, ..NetworkSettings::default() };
        let space = find("darts").unwrap();
        let graph = space.decode_text("DARTS_V2", &settings).unwrap();
        let (other, layers) = graph.with_answers(37).unwrap();
        assert_eq!(other, space.decode_text("DARTS_V2", &NetworkSettings { classes: 37, ..settings }).unwrap());
        assert_eq!(layers, ["classifier", "auxiliary_head.classifier"]);
    }

    #[test]
    fn a_convolution_may_be_the_last_layer_and_a_sum_may_not() {
        let mut graph = Graph::new(&[Features::new(3, 8, 8)]);
        let conv = graph.push("last", Op::Conv(Conv::square(3, 10, 1, 1)), &[0]).unwrap();
        let relu = graph.push("", Op::Relu, &[conv]).unwrap();
        let mean = graph.push("", Op::GlobalAvgPool, &[relu]).unwrap();
        graph.output("logits", mean);
        let (other, layers) = graph.with_answers(4).unwrap();
        assert_eq!((other.shape(mean), layers), (Features::new(4, 1, 1), vec!["last".to_owned()]));
        let sum = graph.push("", Op::Add, &[conv, relu]).unwrap();
        graph.outputs[0].node = sum;
        assert!(graph.with_answers(4).unwrap_err().contains("`logits` is of a add"));
        // Somebody else reads the layer too.
        graph.outputs[0].node = mean;
        assert!(graph.with_answers(4).is_ok());
    }
}
