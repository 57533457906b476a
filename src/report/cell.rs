//! A cell in the manner of DARTS as a diagram.

use super::{Block, Diagram, Direction, DrawError, Kind};

/// A cell: two inputs, nodes that sum what operations make of earlier states, and an output that
/// concatenates some of the states. States 0 and 1 are the inputs, state 2 + i is node i.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellDrawing {
    /// State read, node that adds it up, and the operation between.
    pub edges: Vec<(usize, usize, String)>,
    /// Number of nodes.
    pub nodes: usize,
    /// States that the output concatenates.
    pub concat: Vec<usize>,
}

impl CellDrawing {
    /// The cell from left to right: inputs `c_{k-2}` and `c_{k-1}`, nodes `0`…, output `c_{k}`.
    ///
    /// # Errors
    /// [`DrawError::CellEdge`] and [`DrawError::CellOutput`] for states and nodes that do not exist.
    pub fn diagram(&self, title: &str) -> Result<Diagram, DrawError> {
        let states = self.nodes + 2;
        let mut diagram = Diagram { title: title.into(), direction: Direction::Right, ..Diagram::default() };
        diagram.add(Block::new("c_{k-2}", Kind::Input));
        diagram.add(Block::new("c_{k-1}", Kind::Input));
        for node in 0..self.nodes {
            diagram.add(Block::new(node.to_string(), Kind::State));
        }
        let output = diagram.add(Block::new("c_{k}", Kind::Output));
        for (index, (from_state, to_node, operation)) in self.edges.iter().enumerate() {
            if *to_node >= self.nodes || *from_state >= to_node + 2 {
                return Err(DrawError::CellEdge {
                    edge: index,
                    from_state: *from_state,
                    to_node: *to_node,
                    operation: operation.clone(),
                    nodes: self.nodes,
                });
            }
            diagram.join(*from_state, to_node + 2, operation.clone(), Kind::of_operation(operation));
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
