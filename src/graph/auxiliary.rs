//! Supernets whose choice points have a skip connection beside their options (Chu et al. 2021, "DARTS-: robustly stepping out of
//! performance collapse without indicators", equation 4).

use super::{Candidate, Choice, Features, Graph, GraphError, Op, Options};

/// What the skip beside the options is called, in the column behind theirs.
pub const AUXILIARY: &str = "auxiliary_skip";

impl Graph {
    /// The supernet in which every choice among operations on one input has one more option, the last: a skip connection, with
    /// weights of its own if it has any. It is the identity where that fits; where the map is halved, what `halved` makes under
    /// a name of its own.
    ///
    /// # Errors
    /// [`GraphError`] if a choice point has no skip connection: it changes the channels, or is one of widths or inputs.
    pub fn with_auxiliary_skips(
        &self,
        halved: &dyn Fn(&str, Features) -> Result<Self, GraphError>,
    ) -> Result<Self, GraphError> {
        let shapes: Vec<_> = self.nodes[..self.input_count()].iter().map(|n| n.shape).collect();
        let mut graph = Self { outputs: self.outputs.clone(), declared: self.declared.clone(), ..Self::new(&shapes) };
        for node in &self.nodes[shapes.len()..] {
            let op = match &node.op {
                Op::Choice(choice) if !self.is_of_edges(node.inputs.len(), choice) => {
                    let (&[input], Options::Operations(candidates)) = (node.inputs.as_slice(), &choice.options) else {
                        return Err(no_skip(&node.name, "it chooses among widths or inputs"));
                    };
                    let (input, result) = (self.shape(input), node.shape);
                    let half = Features { height: input.height.div_ceil(2), width: input.width.div_ceil(2), ..input };
                    let skip = match result {
                        same if same == input => identity(input)?,
                        smaller if smaller == half => halved(&format!("{}.auxiliary", node.name), input)?,
                        _ => return Err(no_skip(&node.name, &format!("it turns {input} into {result}"))),
                    };
                    let own = Candidate { label: AUXILIARY.to_owned(), graph: skip };
                    let declared = graph.declared.iter_mut().filter(|table| table.name == choice.table);
                    declared.filter(|table| table.options.len() == candidates.len()).for_each(|table| {
                        table.options.push(AUXILIARY.to_owned());
                    });
                    let options = Options::Operations(candidates.iter().cloned().chain([own]).collect());
                    Op::Choice(Choice { options, ..choice.clone() })
                }
                op => op.clone(),
            };
            graph.push(node.name.clone(), op, &node.inputs)?;
        }
        Ok(graph)
    }

    /// Whether a choice is one among summands, of edge weights: no operations.
    fn is_of_edges(&self, inputs: usize, choice: &Choice) -> bool {
        let picks = |candidate: &Candidate| candidate.graph.nodes[candidate.graph.input_count()..].len() == 1;
        inputs > 1 && matches!(&choice.options, Options::Operations(all) if all.iter().all(picks))
    }
}

fn identity(shape: Features) -> Result<Graph, GraphError> {
    let mut graph = Graph::new(&[shape]);
    let result = graph.push("", Op::Identity, &[0])?;
    graph.output("", result);
    Ok(graph)
}

fn no_skip(node: &str, problem: &str) -> GraphError {
    GraphError::Shape {
        node: node.to_owned(),
        operation: "a skip connection beside the options",
        problem: format!("does not fit: {problem}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::parameters;
    use crate::space::darts::{Variant, factorized_reduce};
    use crate::space::{NetworkSettings, find};

    fn halved(name: &str, shape: Features) -> Result<Graph, GraphError> {
        let mut graph = Graph::new(&[shape]);
        let result = factorized_reduce(&mut graph, name, 0, shape.channels, Variant::Search).unwrap();
        graph.output("", result);
        Ok(graph)
    }

    fn supernet(space: &str) -> Graph {
        let settings = NetworkSettings { channels: 4, layers: 3, ..Default::default() };
        find(space).unwrap().supernet(&settings).unwrap()
    }

    #[test]
    fn every_edge_has_a_skip_more() {
        let whole = supernet("darts");
        let more = whole.with_auxiliary_skips(&halved).unwrap();
        for (before, after) in whole.tables().unwrap().iter().zip(more.tables().unwrap()) {
            assert_eq!((after.rows, &after.options[..8]), (before.rows, &before.options[..]));
            assert_eq!(after.options[8..], [AUXILIARY]);
        }
        // Two reduction cells, whose eight edges from their inputs have a factorised reduction more: C² weights each.
        let channels = [8, 16];
        let skips: u64 = channels.iter().map(|c| 8 * c * c).sum();
        assert_eq!(parameters(&more).unwrap() - parameters(&whole).unwrap(), skips);
        // Channels seen in part have skips of that part, and sums keep their edges.
        let (partial, edges) = whole.partial(4).unwrap();
        let tables = partial.with_auxiliary_skips(&halved).unwrap().tables().unwrap();
        assert_eq!(tables.iter().filter(|t| t.options.iter().any(|o| o == AUXILIARY)).count(), 2);
        assert_eq!(tables.len(), 2 + edges.len());
    }

    #[test]
    fn where_there_can_be_none_it_is_said() {
        let error = supernet("chain").with_auxiliary_skips(&halved).unwrap_err().to_string();
        assert!(error.contains("a skip connection beside the options does not fit"), "{error}");
    }
}
