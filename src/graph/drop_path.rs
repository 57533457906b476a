//! Drop-path in a supernet: whole edges of single samples are left out while training (RobustDARTS; Zela et al. 2020,
//! section 5.1, after Larsson et al. 2017).
//!
//! An edge is a choice point that a sum adds up. Mixed, y = Σ_e b_e/(1 − p)·Σ_k w_k·o_k(x_e), with b_e of each sample 0 with
//! the probability p that the training loop schedules: what regularises is that no edge can be relied upon, whatever its
//! options weigh.

use super::{Choice, Graph, GraphError, NodeId, Op, Options};
use std::collections::HashMap;

impl Graph {
    /// The supernet with a drop-path behind each choice among operations that is added to others. What reads such a choice
    /// point without adding it up reads it whole, and so is a node of one edge: without it, nothing would be left.
    ///
    /// Whoever looks for sums of choice points ([`Graph::partial`], [`Graph::fuse`]) finds them before, not behind.
    ///
    /// # Errors
    /// [`GraphError`] if something does not fit together.
    pub fn with_edge_drop_path(&self) -> Result<Self, GraphError> {
        let shapes: Vec<_> = self.nodes[..self.input_count()].iter().map(|n| n.shape).collect();
        let mut graph = Self { declared: self.declared.clone(), ..Self::new(&shapes) };
        let mut place: Vec<NodeId> = (0..shapes.len()).collect();
        // A choice point that several sums add up is dropped once, for all of them.
        let mut dropped: HashMap<NodeId, NodeId> = HashMap::new();
        for node in &self.nodes[shapes.len()..] {
            let mut read = Vec::with_capacity(node.inputs.len());
            for &input in &node.inputs {
                let known = dropped.get(&input).copied();
                read.push(match (&node.op, known) {
                    (Op::Add, Some(known)) => known,
                    (Op::Add, None) if self.is_edge(input) => {
                        let name = format!("{}.drop_path", self.nodes[input].name);
                        let made = graph.push(name, Op::DropPath, &[place[input]])?;
                        dropped.insert(input, made);
                        made
                    }
                    _ => place[input],
                });
            }
            place.push(graph.push(node.name.clone(), node.op.clone(), &read)?);
        }
        for output in &self.outputs {
            graph.output(output.name.clone(), place[output.node]);
        }
        Ok(graph)
    }

    fn is_edge(&self, node: NodeId) -> bool {
        matches!(&self.nodes[node].op, Op::Choice(Choice { options: Options::Operations(_), .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::parameters;
    use crate::space::darts::suite::{Operations, wide};
    use crate::space::{NetworkSettings, Space, find};

    fn settings() -> NetworkSettings {
        NetworkSettings { channels: 4, layers: 3, ..Default::default() }
    }

    /// Number of drop-paths, each of which reads a choice point and is read by sums alone.
    fn dropped(graph: &Graph) -> usize {
        let nodes: Vec<NodeId> = (0..graph.nodes.len()).filter(|&n| graph.nodes[n].op == Op::DropPath).collect();
        for &node in &nodes {
            assert!(graph.is_edge(graph.nodes[node].inputs[0]));
            assert!(graph.nodes.iter().filter(|n| n.inputs.contains(&node)).all(|n| n.op == Op::Add));
        }
        nodes.len()
    }

    #[test]
    fn each_edge_is_dropped_by_itself_and_nothing_else_is() {
        for (space, edges) in [("darts", 3 * 14), ("robust-darts-s1", 3 * 14), ("nas-bench-201", 3 * 5), ("mobile", 0)]
        {
            let plain = find(space).unwrap().supernet(&settings()).unwrap();
            let graph = plain.with_edge_drop_path().unwrap();
            let added = plain.nodes.iter().filter(|n| n.op == Op::Add).flat_map(|n| &n.inputs);
            let edges_added = added.filter(|&&input| plain.is_edge(input)).count();
            assert_eq!((dropped(&graph), graph.nodes.len()), (edges, plain.nodes.len() + edges), "{space}");
            assert!(edges_added >= edges, "{space}");
            assert_eq!(graph.tables().unwrap(), plain.tables().unwrap());
            assert_eq!(graph.choices().len(), plain.choices().len());
            assert_eq!(parameters(&graph).unwrap(), parameters(&plain).unwrap());
            assert_eq!(graph.shape(graph.outputs[0].node), plain.shape(plain.outputs[0].node));
        }
    }

    #[test]
    fn what_stands_beside_an_edge_is_never_dropped() {
        let graph = wide(Operations::AllSkip).supernet(&settings()).unwrap().with_edge_drop_path().unwrap();
        assert_eq!(dropped(&graph), 3 * 14);
        assert!(graph.nodes.iter().all(|n| n.op != Op::DropPath || !n.name.contains("auxiliary")));
    }

    #[test]
    fn what_only_some_readers_add_up_is_whole_for_the_others() {
        let mut plain = find("darts").unwrap().supernet(&settings()).unwrap();
        let edge = plain.nodes.iter().position(|n| n.name == "cells.0._ops.1").unwrap();
        let read = plain.push("read", Op::Relu, &[edge]).unwrap();
        let again = plain.push("again", Op::Add, &[edge, read]).unwrap();
        plain.output("again", again);
        let graph = plain.with_edge_drop_path().unwrap();
        assert_eq!(graph.nodes.iter().filter(|n| n.op == Op::DropPath).count(), 3 * 14);
        let of = |name: &str| graph.nodes.iter().find(|n| n.name == name).unwrap();
        assert!(graph.is_edge(of("read").inputs[0]));
        let [first, _] = of("again").inputs[..] else { panic!("two are added") };
        assert_eq!(
            (&graph.nodes[first].op, graph.nodes[first].name.as_str()),
            (&Op::DropPath, "cells.0._ops.1.drop_path")
        );
    }
}
