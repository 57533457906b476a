//! What of a graph its main output needs.

use super::{Graph, Op, Output};

impl Graph {
    /// The graph with its first output alone, and the nodes that it needs. Inputs stay.
    pub fn main(&self) -> Self {
        let mut needed: Vec<bool> = self.nodes.iter().map(|node| matches!(node.op, Op::Input)).collect();
        if let Some(output) = self.outputs.first() {
            needed[output.node] = true;
        }
        for (at, node) in self.nodes.iter().enumerate().rev() {
            if needed[at] {
                node.inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        let mut place = vec![0; self.nodes.len()];
        let mut nodes = Vec::new();
        for (at, node) in self.nodes.iter().enumerate().filter(|(at, _)| needed[*at]) {
            place[at] = nodes.len();
            let mut node = node.clone();
            node.inputs.iter_mut().for_each(|input| *input = place[*input]);
            nodes.push(node);
        }
        let of = |output: &Output| Output { name: output.name.clone(), node: place[output.node] };
        Self { nodes, outputs: self.outputs.first().map(of).into_iter().collect(), declared: self.declared.clone() }
    }

    /// A graph that was read from outside, every node's shape inferred anew.
    ///
    /// # Errors
    /// What is wrong with it: a node that reads what is not before it, an operation that does not fit, no output.
    pub fn checked(self) -> Result<Self, String> {
        let inputs: Vec<_> =
            self.nodes.iter().take_while(|node| matches!(node.op, Op::Input)).map(|n| n.shape).collect();
        if inputs.is_empty() || inputs.iter().any(|shape| shape.checked_count().is_none_or(|count| count == 0)) {
            return Err("it has no input of a shape that can be".to_owned());
        }
        let mut graph = Self::new(&inputs);
        for (at, node) in self.nodes.into_iter().enumerate().skip(inputs.len()) {
            if matches!(node.op, Op::Choice(_) | Op::Fused(_)) {
                return Err(format!("node {at} (`{}`) is a {}", node.name, node.op.name()));
            }
            if node.inputs.iter().any(|&input| input >= at) {
                return Err(format!("node {at} (`{}`) reads what is not before it", node.name));
            }
            graph.push(node.name, node.op, &node.inputs).map_err(|error| error.to_string())?;
        }
        match self.outputs.iter().find(|output| output.node >= graph.nodes.len()) {
            Some(output) => return Err(format!("its output `{}` is not there", output.name)),
            None if self.outputs.is_empty() => return Err("it has no output".to_owned()),
            None => graph.outputs = self.outputs,
        }
        Ok(graph)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Features;
    use crate::space::{NetworkSettings, find};

    #[test]
    fn an_auxiliary_head_is_left_out() {
        let settings = NetworkSettings { auxiliary: true, layers: 6, channels: 4, ..NetworkSettings::default() };
        let space = find("darts").unwrap();
        let whole = space.decode_text("DARTS_V2", &settings).unwrap();
        let plain = space.decode_text("DARTS_V2", &NetworkSettings { auxiliary: false, ..settings }).unwrap();
        let main = whole.main();
        assert!(whole.outputs.len() == 2 && main.outputs.len() == 1);
        assert_eq!(main.parameters().len(), plain.parameters().len());
        assert_eq!(main.checked().unwrap().parameters(), plain.parameters());
    }

    #[test]
    fn what_cannot_be_a_graph_is_refused() {
        let mut graph = Graph::new(&[Features::new(3, 8, 8)]);
        let relu = graph.push("", Op::Relu, &[0]).unwrap();
        assert!(graph.clone().checked().unwrap_err().contains("no output"));
        graph.output("logits", relu);
        assert_eq!(graph.clone().checked().unwrap(), graph);
        let mut forward = graph.clone();
        forward.nodes[1].inputs = vec![1];
        assert!(forward.checked().unwrap_err().contains("not before it"));
        graph.nodes[1].op = Op::Channels { first: 2, count: 2 };
        assert!(graph.checked().unwrap_err().contains("cannot take channels"));
    }
}
