//! A cell in the manner of the literature as a diagram.

use super::{Block, Diagram, Direction, DrawError, Kind};
use crate::space::CellPlan;

impl CellPlan {
    /// The cell as a diagram from left to right: inputs `c_{k-2}` and `c_{k-1}`, nodes `0`…, output `c_{k}`. A
    /// cell with one input has `c_{k-1}` alone, which is then state 0: its nodes are numbered from 1.
    ///
    /// # Errors
    /// [`DrawError::CellEdge`] and [`DrawError::CellOutput`] for states and nodes that do not exist.
    pub fn diagram(&self, title: &str) -> Result<Diagram, DrawError> {
        let inputs = self.inputs;
        let states = self.nodes + inputs;
        let mut diagram = Diagram { title: title.into(), direction: Direction::Right, ..Diagram::default() };
        for input in 0..inputs {
            diagram.add(Block::new(format!("c_{{k-{}}}", inputs - input), Kind::Input));
        }
        let first = usize::from(inputs == 1);
        for node in first..first + self.nodes {
            diagram.add(Block::new(node.to_string(), Kind::State));
        }
        let output = diagram.add(Block::new("c_{k}", Kind::Output));
        for (index, (from_state, to_node, operation)) in self.edges.iter().enumerate() {
            if *to_node >= self.nodes || *from_state >= to_node + inputs {
                return Err(DrawError::CellEdge {
                    edge: index,
                    from_state: *from_state,
                    to_node: *to_node,
                    operation: operation.clone(),
                    nodes: self.nodes,
                    inputs,
                });
            }
            diagram.join(*from_state, to_node + inputs, operation.clone(), Kind::of_operation(operation));
        }
        for &state in &self.concat {
            if state >= states {
                return Err(DrawError::CellOutput { state, states, inputs });
            }
            diagram.join(state, output, "", Kind::Flow);
        }
        Ok(diagram)
    }
}
