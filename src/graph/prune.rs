//! Supernets with fewer options, for searches that drop some on the way.

use super::{Candidate, Choice, Graph, GraphError, Op, Options};

impl Graph {
    /// The supernet without the options that `dropped` names by table, row and number: they become zeros, which are not
    /// computed. Tables keep their columns.
    ///
    /// # Errors
    /// [`GraphError`] if an option changes the number of channels, so that nothing stands for it.
    pub fn without(&self, dropped: &dyn Fn(&str, usize, usize) -> bool) -> Result<Self, GraphError> {
        self.with_candidates(&|choice, k, candidate| {
            if !dropped(&choice.table, choice.row, k) {
                return Ok(candidate.graph.clone());
            }
            let inputs: Vec<_> =
                candidate.graph.nodes[..candidate.graph.input_count()].iter().map(|n| n.shape).collect();
            let mut zero = Self::new(&inputs);
            let result = candidate.graph.outputs.first().map(|o| candidate.graph.shape(o.node));
            let stride = match (inputs.first(), result) {
                (Some(input), Some(result)) => input.height.div_ceil(result.height.max(1)).max(1),
                _ => 1,
            };
            let made = zero.push("", Op::Zero { stride }, &[0])?;
            match result {
                Some(result) if result != zero.shape(made) => Err(GraphError::Shape {
                    node: format!("`{}` of `{}`, row {}", candidate.label, choice.table, choice.row),
                    operation: "choice",
                    problem: format!(
                        "cannot drop it: it turns {} into {result}, and nothing but zeros of {} can take its place",
                        zero.shape(0),
                        zero.shape(made)
                    ),
                }),
                _ => {
                    zero.output("", made);
                    Ok(zero)
                }
            }
        })
    }

    /// The supernet with a dropout of scheduled probability behind each candidate that is a plain identity (P-DARTS,
    /// section 3.3).
    ///
    /// # Errors
    /// [`GraphError`] if something does not fit together.
    pub fn with_skip_dropout(&self) -> Result<Self, GraphError> {
        self.with_candidates(&|_, _, candidate| {
            let plain = candidate.graph.outputs.first().is_some_and(|o| {
                let node = &candidate.graph.nodes[o.node];
                matches!(node.op, Op::Input | Op::Identity)
            });
            let mut graph = candidate.graph.clone();
            if let (true, Some(output)) = (plain, candidate.graph.outputs.first()) {
                let dropped = graph.push("", Op::ScheduledDropout, &[output.node])?;
                graph.outputs[0].node = dropped;
            }
            Ok(graph)
        })
    }

    /// The same graph with other candidates in its choice points.
    fn with_candidates(
        &self,
        graph_of: &dyn Fn(&Choice, usize, &Candidate) -> Result<Self, GraphError>,
    ) -> Result<Self, GraphError> {
        let shapes: Vec<_> = self.nodes[..self.input_count()].iter().map(|n| n.shape).collect();
        let mut graph = Self { outputs: self.outputs.clone(), declared: self.declared.clone(), ..Self::new(&shapes) };
        for node in &self.nodes[shapes.len()..] {
            let op = match &node.op {
                Op::Choice(choice) => match &choice.options {
                    Options::Operations(candidates) => {
                        let mut made = Vec::with_capacity(candidates.len());
                        for (k, candidate) in candidates.iter().enumerate() {
                            let graph = graph_of(choice, k, candidate)?.with_candidates(graph_of)?;
                            made.push(Candidate { label: candidate.label.clone(), graph });
                        }
                        Op::Choice(Choice { options: Options::Operations(made), ..choice.clone() })
                    }
                    Options::Widths(_) => node.op.clone(),
                },
                op => op.clone(),
            };
            graph.push(node.name.clone(), op, &node.inputs)?;
        }
        Ok(graph)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::parameters;
    use crate::space::{NetworkSettings, find};

    fn supernet(space: &str) -> Graph {
        let settings = NetworkSettings { channels: 4, layers: 3, ..Default::default() };
        find(space).unwrap().supernet(&settings).unwrap()
    }

    #[test]
    fn dropped_options_have_no_parameters_and_keep_their_column() {
        for space in ["darts", "nas-bench-201"] {
            let whole = supernet(space);
            assert_eq!(whole.without(&|_, _, _| false).unwrap(), whole);
            let bare = whole.without(&|_, _, k| k > 2).unwrap();
            assert_eq!(bare.tables().unwrap(), whole.tables().unwrap());
            assert!(parameters(&bare).unwrap() < parameters(&whole).unwrap());
            let one = whole.without(&|table, row, k| table.ends_with("normal") && row == 3 && k == 4).unwrap();
            let changed = space == "darts";
            assert_eq!(parameters(&one).unwrap() < parameters(&whole).unwrap(), changed);
        }
    }

    #[test]
    fn only_plain_identities_get_a_dropout() {
        let count = |graph: &Graph| {
            let inner = |g: &Graph| g.nodes.iter().filter(|n| n.op == Op::ScheduledDropout).count();
            graph.nodes.iter().flat_map(|n| n.op.inner()).map(|(_, g)| inner(g)).sum::<usize>()
        };
        let dropped = supernet("darts").with_skip_dropout().unwrap();
        // Of three cells the first is normal, 14 edges; the others reduce, 6 edges each keep the map.
        assert_eq!(count(&dropped), 14 + 2 * 6);
    }
}
