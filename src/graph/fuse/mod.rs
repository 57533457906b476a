//! Fusion: one pass over a graph that finds named patterns and replaces each by one node.
//!
//! A fused node carries the plain graph it stands for: that is its specification, what it learns and
//! what it costs. Whether it is then computed in one go is `network`'s affair.

mod cell;
mod form;

pub use cell::{MixedCell, MixedEdge};
pub use form::{Dense, Form, Separable};

use super::{Features, Fused, Graph, Node, NodeId, Op, Output, Pattern};
use std::collections::BTreeSet;

impl Pattern {
    /// Name, as drawn and printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MixedCell => "mixed_cell",
        }
    }
}

impl Fused {
    pub(super) fn infer(&self, inputs: &[Features]) -> Result<Features, String> {
        let given: Vec<Features> = self.graph.nodes[..self.graph.input_count()].iter().map(|n| n.shape).collect();
        match self.graph.outputs.as_slice() {
            [output] if given == inputs => Ok(self.graph.shape(output.node)),
            [_] => Err(format!("takes {given:?}, got {inputs:?}")),
            _ => Err("needs one output".into()),
        }
    }
}

impl Graph {
    /// The same network with every pattern found replaced by one [`Op::Fused`] node, and for each of its
    /// nodes the one of this graph that has the same value.
    pub fn fuse(&self) -> (Self, Vec<NodeId>) {
        let mut regions: Vec<BTreeSet<NodeId>> = Vec::new();
        for root in (0..self.nodes.len()).rev() {
            if regions.iter().all(|r| !r.contains(&root))
                && let Some(region) = self.mixed_region(root)
                && MixedCell::of(&self.cut(&region).0).is_some()
            {
                regions.push(region);
            }
        }
        let mut fused = Self { nodes: Vec::new(), outputs: Vec::new(), declared: self.declared.clone() };
        // Choice points that are fused away still name their tables.
        if let Ok(tables) = self.tables() {
            fused.declared = tables;
        }
        let mut place: Vec<Option<NodeId>> = vec![None; self.nodes.len()];
        let mut origins = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let region = regions.iter().find(|r| r.contains(&index));
            if region.is_some_and(|r| r.last() != Some(&index)) {
                continue;
            }
            let (op, inputs) = match region {
                Some(region) => {
                    let (graph, inputs) = self.cut(region);
                    (Op::Fused(Fused { pattern: Pattern::MixedCell, graph }), inputs)
                }
                None => (node.op.clone(), node.inputs.clone()),
            };
            let name = if region.is_some() { stem(&node.name) } else { node.name.clone() };
            let inputs = inputs.iter().filter_map(|&i| place[i]).collect();
            fused.nodes.push(Node { name, op, inputs, shape: node.shape });
            place[index] = Some(fused.nodes.len() - 1);
            origins.push(index);
        }
        fused.outputs =
            self.outputs.iter().filter_map(|o| Some(Output { name: o.name.clone(), node: place[o.node]? })).collect();
        (fused, origins)
    }

    /// The nodes that a mixed cell with the result `root` would consist of: sums of choices, as far back
    /// as they go. A sum that somebody else reads is read by the cell, too, and not part of it.
    fn mixed_region(&self, root: NodeId) -> Option<BTreeSet<NodeId>> {
        let ends = match &self.nodes[root].op {
            Op::Concat => self.nodes[root].inputs.clone(),
            Op::Add | Op::Choice(_) => vec![root],
            _ => return None,
        };
        let mut others = BTreeSet::new();
        loop {
            let mut region = BTreeSet::from([root]);
            let mut open = ends.clone();
            while let Some(state) = open.pop() {
                let choices = if others.contains(&state) { None } else { cell::sum_of_choices(self, state) };
                let Some(choices) = choices else {
                    if ends.contains(&state) {
                        return None;
                    }
                    continue;
                };
                region.insert(state);
                if self.nodes[state].op == Op::Add {
                    region.extend(&self.nodes[state].inputs);
                }
                open.extend(choices.iter().map(|&(from, _)| from).filter(|from| !region.contains(from)));
            }
            let read_by_others = |&node: &NodeId| {
                let reads = |(index, n): (usize, &Node)| !region.contains(&index) && n.inputs.contains(&node);
                node != root
                    && (self.nodes.iter().enumerate().any(reads) || self.outputs.iter().any(|o| o.node == node))
            };
            match region.iter().copied().find(read_by_others) {
                None => return Some(region),
                // A choice that is added up here and read elsewhere: nothing can be done about that.
                Some(node) if !others.insert(node) => return None,
                Some(_) => {}
            }
        }
    }

    /// A region as a graph of its own, and the nodes it reads, in order.
    fn cut(&self, region: &BTreeSet<NodeId>) -> (Self, Vec<NodeId>) {
        let outside: BTreeSet<NodeId> =
            region.iter().flat_map(|&n| &self.nodes[n].inputs).copied().filter(|i| !region.contains(i)).collect();
        let inputs: Vec<NodeId> = outside.into_iter().collect();
        let mut graph = Self::new(&inputs.iter().map(|&i| self.shape(i)).collect::<Vec<_>>());
        let order: Vec<NodeId> = inputs.iter().chain(region).copied().collect();
        let place = |old: &NodeId| order.iter().position(|n| n == old).unwrap_or_default();
        for &index in region {
            let node = &self.nodes[index];
            graph.nodes.push(Node { inputs: node.inputs.iter().map(place).collect(), ..node.clone() });
        }
        let end = graph.nodes.len() - 1;
        graph.output("", end);
        (graph, inputs)
    }
}

/// The layer a fused node is named after: all but the last component of its result's name.
fn stem(name: &str) -> String {
    name.rsplit_once('.').map_or_else(|| name.to_owned(), |(stem, _)| stem.to_owned())
}

#[cfg(test)]
mod tests;
