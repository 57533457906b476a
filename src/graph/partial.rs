//! Partial channels with edge weights, as a rewriting of a supernet (Xu et al. 2020, "PC-DARTS: partial channel
//! connections for memory-efficient architecture search", sections 3.2 and 3.3).
//!
//! Of each choice point's C input channels only the first C/k go through the candidates; the others bypass them,
//! through a 2×2 max pool where the candidates halve the map. Both are joined and shuffled, so that the next choice
//! points see other channels. Because what the candidates see then differs from step to step, sums of choice points
//! weigh their summands by a second softmax over *edge weights* β.

use super::{Candidate, Choice, Conv, Features, Graph, GraphError, NodeId, Op, Options, Pool};

/// Which choice points a row of edge weights weighs: the table's only row, its options in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeWeights {
    /// Name of the table of edge weights.
    pub table: String,
    /// Table and row of the choice point at the end of each edge.
    pub edges: Vec<(String, usize)>,
}

/// Why a supernet cannot be made partial.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartialError {
    /// A choice point that cannot work on a part of its channels.
    #[error(
        "partial channels need choice points that give as many channels as they take, a multiple of {parts}, from \
         operations on all channels alike: {node} {problem}"
    )]
    Choice {
        /// Name of the node.
        node: String,
        /// The number of parts.
        parts: usize,
        /// What is in the way.
        problem: String,
    },
    /// The new graph does not fit together.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

impl Graph {
    /// The supernet with choice points that see 1/`parts` of their channels, and with edge weights where several choice
    /// points are added up.
    ///
    /// # Errors
    /// [`PartialError`] naming the first choice point that has other channels than multiples of `parts`, changes
    /// their number, or holds operations (of widths, fully connected) that mean all of them.
    pub fn partial(&self, parts: usize) -> Result<(Self, Vec<EdgeWeights>), PartialError> {
        let inputs: Vec<Features> = self.nodes[..self.input_count()].iter().map(|n| n.shape).collect();
        let mut graph = Self::new(&inputs);
        graph.declared = self.declared.clone();
        let mut all: Vec<EdgeWeights> = Vec::new();
        let mut place: Vec<NodeId> = (0..inputs.len()).collect();
        for node in &self.nodes[inputs.len()..] {
            let read: Vec<NodeId> = node.inputs.iter().map(|&i| place[i]).collect();
            let made = match (&node.op, self.edges(&node.inputs)) {
                (Op::Choice(choice), _) => graph.partial_choice(&node.name, choice, &read, parts)?,
                (Op::Add, Some(edges)) => graph.weighed_sum(&node.name, edges, &read, &mut all)?,
                _ => graph.push(node.name.clone(), node.op.clone(), &read)?,
            };
            place.push(made);
        }
        for output in &self.outputs {
            graph.output(output.name.clone(), place[output.node]);
        }
        Ok((graph, all))
    }

    /// Table and row of each, if they are several choice points and nothing else.
    fn edges(&self, nodes: &[NodeId]) -> Option<Vec<(String, usize)>> {
        let edge = |&node: &NodeId| match &self.nodes[node].op {
            Op::Choice(choice) => Some((choice.table.clone(), choice.row)),
            _ => None,
        };
        nodes.iter().map(edge).collect::<Option<Vec<_>>>().filter(|edges| edges.len() > 1)
    }

    fn partial_choice(
        &mut self,
        name: &str,
        choice: &Choice,
        read: &[NodeId],
        parts: usize,
    ) -> Result<NodeId, PartialError> {
        let wrong = |problem: &str| PartialError::Choice { node: name.to_owned(), parts, problem: problem.to_owned() };
        let (&[x], Options::Operations(candidates)) = (read, &choice.options) else {
            return Err(wrong(if read.len() > 1 { "chooses among several inputs" } else { "chooses a width" }));
        };
        let whole = self.shape(x);
        if parts == 0 || !whole.channels.is_multiple_of(parts) {
            return Err(wrong(&format!("has {} channels", whole.channels)));
        }
        let count = whole.channels / parts;
        let seen = self.push(format!("{name}.seen"), Op::Channels { first: 0, count }, &[x])?;
        let mut narrow = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let graph = candidate.graph.narrowed(parts).map_err(|problem| wrong(&problem))?;
            narrow.push(Candidate { label: candidate.label.clone(), graph });
        }
        let mixed = Choice { options: Options::Operations(narrow), ..choice.clone() };
        let mixed = self.push(name, Op::Choice(mixed), &[seen])?;
        if self.shape(mixed).channels != count {
            return Err(wrong("changes their number"));
        }
        if parts == 1 {
            return Ok(mixed);
        }
        let rest = Op::Channels { first: count, count: whole.channels - count };
        let mut rest = self.push(format!("{name}.bypass"), rest, &[x])?;
        if self.shape(mixed).height != whole.height || self.shape(mixed).width != whole.width {
            // An odd map is halved to the larger half, as by the candidates.
            let even = whole.height.is_multiple_of(2) && whole.width.is_multiple_of(2);
            let (kernel, padding) = if even { (2, 0) } else { (3, 1) };
            let pool = Pool::new(kernel, 2, padding);
            rest = self.push(format!("{name}.bypass.pool"), Op::MaxPool(pool), &[rest])?;
        }
        let joined = self.push(format!("{name}.joined"), Op::Concat, &[mixed, rest])?;
        Ok(self.push(format!("{name}.shuffled"), Op::Shuffle { groups: parts }, &[joined])?)
    }

    /// A sum whose summands are the options of a choice among them: mixed, it weighs them by edge weights.
    fn weighed_sum(
        &mut self,
        name: &str,
        edges: Vec<(String, usize)>,
        read: &[NodeId],
        all: &mut Vec<EdgeWeights>,
    ) -> Result<NodeId, PartialError> {
        let shapes: Vec<Features> = read.iter().map(|&i| self.shape(i)).collect();
        // Cells that share their architecture weights share these, too.
        let table = match all.iter().find(|e| e.edges == edges) {
            Some(known) => known.table.clone(),
            None => {
                let table = format!("beta_{}_{}", edges[0].0, edges[0].1);
                all.push(EdgeWeights { table: table.clone(), edges });
                table
            }
        };
        let option = |k: usize| {
            let mut graph = Self::new(&shapes);
            let result = graph.push("", Op::Identity, &[k])?;
            graph.output("", result);
            Ok(Candidate { label: format!("edge {k}"), graph })
        };
        let candidates = (0..read.len()).map(option).collect::<Result<Vec<_>, GraphError>>()?;
        let choice = Choice::new(table, 0, Options::Operations(candidates));
        Ok(self.push(name, Op::Choice(choice), read)?)
    }

    /// The same operations on 1/`parts` of the channels.
    fn narrowed(&self, parts: usize) -> Result<Self, String> {
        let narrow = |channels: usize| match channels.is_multiple_of(parts) {
            true => Ok(channels / parts),
            false => Err(format!("holds an operation on {channels} channels")),
        };
        let mut inputs = Vec::new();
        for node in &self.nodes[..self.input_count()] {
            inputs.push(Features { channels: narrow(node.shape.channels)?, ..node.shape });
        }
        let mut graph = Self::new(&inputs);
        for node in &self.nodes[inputs.len()..] {
            let op = match &node.op {
                Op::Conv(conv) => Op::Conv(Conv {
                    inputs: narrow(conv.inputs)?,
                    outputs: narrow(conv.outputs)?,
                    groups: if conv.groups == 1 { 1 } else { narrow(conv.groups)? },
                    ..conv.clone()
                }),
                Op::Linear { .. } | Op::Choice(_) | Op::Fused(_) | Op::Channels { .. } | Op::Shuffle { .. } => {
                    return Err(format!("holds {}", node.op.name()));
                }
                op => op.clone(),
            };
            graph.push(node.name.clone(), op, &node.inputs).map_err(|error| error.to_string())?;
        }
        graph.outputs.clone_from(&self.outputs);
        Ok(graph)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::parameters;
    use crate::space::darts::Darts;
    use crate::space::{NetworkSettings, find};

    fn supernet(space: &str, channels: usize) -> Graph {
        let settings = NetworkSettings { channels, layers: 3, ..Default::default() };
        find(space).unwrap().supernet(&settings).unwrap()
    }

    #[test]
    fn candidates_see_a_part_and_sums_weigh_their_edges() {
        let whole = supernet("darts", 8);
        let (partial, edges) = whole.partial(4).unwrap();
        assert_eq!(partial.shape(partial.outputs[0].node), whole.shape(whole.outputs[0].node));
        assert!(parameters(&partial).unwrap() < parameters(&whole).unwrap() / 2);
        // Four nodes of 2 to 5 edges, in two kinds of cell.
        let counts: Vec<usize> = edges.iter().map(|e| e.edges.len()).collect();
        assert_eq!(counts, [2, 3, 4, 5, 2, 3, 4, 5]);
        let tables = partial.tables().unwrap();
        assert_eq!(tables[..2], whole.tables().unwrap()[..]);
        assert!(edges.iter().all(|e| tables.iter().any(|t| t.name == e.table && t.rows == 1)));
    }

    #[test]
    fn one_part_is_the_whole() {
        let whole = supernet("nas-bench-201", 8);
        let (partial, _) = whole.partial(1).unwrap();
        assert_eq!(parameters(&partial).unwrap(), parameters(&whole).unwrap());
    }

    #[test]
    fn what_cannot_be_divided_is_named() {
        let error = supernet("darts", 6).partial(4).unwrap_err().to_string();
        assert!(error.contains("cells.0._ops.0") && error.contains("has 6 channels"), "{error}");
        assert!(supernet("mobile", 8).partial(4).is_err());
        let edge = Darts::default().mixed_edge(Features::new(8, 7, 7), 2).unwrap();
        assert!(edge.partial(2).is_ok(), "odd maps are halved like the candidates'");
    }
}
