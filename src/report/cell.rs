//! A cell as a diagram.

use super::{Block, Diagram, Direction, DrawError, Kind};
use crate::space::CellPlan;

impl CellPlan {
    /// The cell as a diagram from left to right: inputs `c_{k-1}` and those before, nodes `0`…, output `c_{k}`.
    ///
    /// # Errors
    /// [`DrawError::CellEdge`] and [`DrawError::CellOutput`] for states and nodes that do not exist.
    pub fn diagram(&self, title: &str) -> Result<Diagram, DrawError> {
        let states = self.inputs + self.nodes;
        let mut diagram = Diagram { title: title.into(), direction: Direction::Right, ..Diagram::default() };
        for input in 0..self.inputs {
            diagram.add(Block::new(format!("c_{{k-{}}}", self.inputs - input), Kind::Input));
        }
        for node in 0..self.nodes {
            diagram.add(Block::new(node.to_string(), Kind::State));
        }
        let output = diagram.add(Block::new("c_{k}", Kind::Output));
        for (index, (from_state, to_node, operation)) in self.edges.iter().enumerate() {
            if *to_node >= self.nodes || *from_state >= self.inputs + to_node {
                return Err(DrawError::CellEdge {
                    edge: index,
                    from_state: *from_state,
                    to_node: *to_node,
                    operation: operation.clone(),
                    nodes: self.nodes,
                });
            }
            diagram.join(*from_state, self.inputs + to_node, operation.clone(), Kind::of_operation(operation));
        }
        for &state in &self.concat {
            if state >= states {
                return Err(DrawError::CellOutput { state, states });
            }
            diagram.join(state, output, "", Kind::Flow);
        }
        Ok(diagram)
    }
}
