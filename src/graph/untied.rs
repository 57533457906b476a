//! Supernets whose layers do not share architecture weights, so that each layer's gradient of them can be told from the others'.

use super::{Choice, Graph, GraphError, Op};
use std::collections::HashMap;

impl Graph {
    /// The supernet in which each choice point of the table that most layers share has rows of its own: copy after copy of all the
    /// table's, in the order of the layers. Gives the table's name, and how many copies; nothing where no rows are shared.
    ///
    /// # Errors
    /// [`GraphError`] if something does not fit together.
    pub fn untied(&self) -> Result<(Self, Vec<(String, usize)>), GraphError> {
        let choice = |op: &Op| match op {
            Op::Choice(choice) => Some((choice.table.clone(), choice.row)),
            _ => None,
        };
        let mut shared: HashMap<(String, usize), usize> = HashMap::new();
        self.nodes.iter().filter_map(|node| choice(&node.op)).for_each(|row| *shared.entry(row).or_default() += 1);
        // Tables all of whose rows are shared by equally many layers; the first of those that most share.
        let mut most: Option<(String, usize, usize)> = None;
        for table in self.tables()? {
            let counts: Vec<usize> =
                (0..table.rows).map(|row| shared.get(&(table.name.clone(), row)).copied().unwrap_or(0)).collect();
            let copies = counts.first().copied().unwrap_or(0);
            let more = most.as_ref().is_none_or(|(.., known)| copies > *known);
            if copies > 1 && more && counts.iter().all(|count| *count == copies) {
                most = Some((table.name, table.rows, copies));
            }
        }
        let Some((name, rows, copies)) = most else { return Ok((self.clone(), Vec::new())) };
        let mut declared = self.declared.clone();
        declared.iter_mut().filter(|table| table.name == name).for_each(|table| table.rows *= copies);
        let shapes: Vec<_> = self.nodes[..self.input_count()].iter().map(|n| n.shape).collect();
        let mut graph = Self { outputs: self.outputs.clone(), declared, ..Self::new(&shapes) };
        let mut seen: HashMap<usize, usize> = HashMap::new();
        for node in &self.nodes[shapes.len()..] {
            let op = match &node.op {
                Op::Choice(choice) if choice.table == name => {
                    let layer = seen.entry(choice.row).or_default();
                    let row = choice.row + *layer * rows;
                    *layer += 1;
                    Op::Choice(Choice { row, ..choice.clone() })
                }
                op => op.clone(),
            };
            graph.push(node.name.clone(), op, &node.inputs)?;
        }
        Ok((graph, vec![(name, copies)]))
    }
}

#[cfg(test)]
mod tests {
    use crate::space::{NetworkSettings, find};

    #[test]
    fn layers_get_rows_of_their_own() {
        let untied = |space: &str, layers: usize| {
            let settings = NetworkSettings { channels: 4, layers, ..Default::default() };
            let graph = find(space).unwrap().supernet(&settings).unwrap();
            let (untied, copies) = graph.untied().unwrap();
            let rows = |graph: &crate::graph::Graph| graph.tables().unwrap().iter().map(|t| t.rows).collect::<Vec<_>>();
            (rows(&graph), rows(&untied), copies.into_iter().map(|(_, copies)| copies).collect::<Vec<_>>())
        };
        // Six normal cells and two that reduce.
        assert_eq!(untied("darts", 8), (vec![14, 14], vec![84, 14], vec![6]));
        assert_eq!(untied("nas-bench-201", 5), (vec![6], vec![30], vec![5]));
        let (rows, same, copies) = untied("chain", 3);
        assert!(rows == same && copies.is_empty());
    }
}
