//! What each row of a supernet's architecture weights decides, in words: for whoever shows the weights.
//!
//! All of it is read off the graph. Choice points that are the edges of a cell in which each node reads all states before it are named by
//! the two states; all others by their place in the layer tree.

use super::{Choice, Graph, GraphError, Node, NodeId, Op, Options};
use std::collections::{BTreeMap, BTreeSet};

/// A table of architecture weights in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Name of the table, e.g. `alphas_normal`.
    pub table: String,
    /// Names of the options by column; where rows have different ones at one place, all of them, separated by `|`.
    pub columns: Vec<String>,
    /// The rows in order.
    pub rows: Vec<Row>,
}

/// A row of architecture weights in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it decides.
    pub decides: Decides,
    /// Names of its own options, in order.
    pub options: Vec<String>,
}

/// What a row of architecture weights decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decides {
    /// By which operation a node of a cell reads a state before it. The first `inputs` states are the cell's inputs.
    Edge {
        /// The state that is read.
        from: usize,
        /// The node that reads it, as a state.
        to: usize,
        /// Number of the cell's inputs.
        inputs: usize,
    },
    /// What stands at a place of the layer tree, without the cell that it is in.
    Place(String),
}

impl Decides {
    /// In a few characters: `2←0`, the states of an edge; the name of a place.
    pub fn short(&self) -> String {
        match self {
            Self::Edge { from, to, .. } => format!("{to}←{from}"),
            Self::Place(name) => name.clone(),
        }
    }

    /// In words: `input before → node 0`.
    pub fn long(&self) -> String {
        match self {
            Self::Edge { from, to, inputs } => format!("{} → {}", state(*inputs, *from), state(*inputs, *to)),
            Self::Place(name) => name.clone(),
        }
    }
}

/// What a state of a cell with so many inputs is called.
fn state(inputs: usize, state: usize) -> String {
    match (inputs, state) {
        (1, 0) => "input".to_owned(),
        (2, 0) => "input before".to_owned(),
        (2, 1) => "input".to_owned(),
        (inputs, state) if state < inputs => format!("input {}", state + 1),
        (inputs, state) => format!("node {}", state - inputs),
    }
}

/// A choice point, and where it stands if it is not within another one.
type Found<'a> = (Option<NodeId>, &'a Node, &'a Choice);

impl Graph {
    /// What each row of each table of architecture weights decides, in the order of [`Graph::tables`]. Of choice points that share a row
    /// the first one names it.
    ///
    /// # Errors
    /// [`GraphError::Table`] if two choice points disagree about a table.
    pub fn rows(&self) -> Result<Vec<Rows>, GraphError> {
        let found = self.found();
        let of_table = |table: super::Table| {
            let mut first: BTreeMap<usize, Found<'_>> = BTreeMap::new();
            for choice in found.iter().filter(|(.., choice)| choice.table == table.name) {
                first.entry(choice.2.row).or_insert(*choice);
            }
            let places = places(first.values().map(|(_, node, _)| node.name.as_str()).collect());
            let places: BTreeMap<usize, &str> = first.keys().copied().zip(places).collect();
            let nodes: Option<Vec<NodeId>> = (0..table.rows).map(|row| first.get(&row)?.0).collect();
            let cell = nodes.and_then(|nodes| self.cell_of(&nodes));
            let row = |row: usize| {
                let place = || places.get(&row).map_or_else(|| format!("row {row}"), |place| (*place).to_owned());
                let decides = cell.as_ref().map_or_else(|| Decides::Place(place()), |edges| edges[row].clone());
                let options = first.get(&row).map(|(.., choice)| match &choice.options {
                    // Of a width that follows another's the name is that of the first.
                    Options::Widths(_) => table.options.clone(),
                    options => options.labels(),
                });
                Row { decides, options: options.unwrap_or_else(|| table.options.clone()) }
            };
            Rows { rows: (0..table.rows).map(row).collect(), table: table.name.clone(), columns: table.options.clone() }
        };
        Ok(self.tables()?.into_iter().map(of_table).collect())
    }

    /// What a choice point goes into: the sum that it is a summand of, and the sum that this alone goes into; else itself.
    pub fn sum_of(&self, choice: NodeId) -> NodeId {
        let mut at = choice;
        loop {
            let mut readers = self.nodes.iter().enumerate().filter(|(_, node)| node.inputs.contains(&at));
            match (readers.next(), readers.next()) {
                (Some((reader, node)), None) if matches!(node.op, Op::Add) => at = reader,
                _ => return at,
            }
        }
    }

    /// All choice points, those of inner graphs behind the one that they are within.
    fn found(&self) -> Vec<Found<'_>> {
        let mut found = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            if let Op::Choice(choice) = &node.op {
                found.push((Some(at), node, choice));
            }
            let inner = node.op.inner().into_iter().flat_map(|(_, graph)| graph.choices());
            found.extend(inner.map(|(node, choice)| (None, node, choice)));
        }
        found
    }

    /// Choice points as the edges of a cell each of whose nodes reads all states before it, if they are that.
    fn cell_of(&self, choices: &[NodeId]) -> Option<Vec<Decides>> {
        let ends = choices.iter().map(|&choice| match self.nodes[choice].inputs[..] {
            [from] => Some((from, self.sum_of(choice))),
            _ => None,
        });
        let ends: Vec<(NodeId, NodeId)> = ends.collect::<Option<_>>()?;
        let nodes: BTreeSet<NodeId> = ends.iter().map(|(_, to)| *to).collect();
        let inputs: BTreeSet<NodeId> =
            ends.iter().map(|(from, _)| *from).filter(|from| !nodes.contains(from)).collect();
        // A layer alone, which reads the one before it, is no cell.
        let all: BTreeSet<&(NodeId, NodeId)> = ends.iter().collect();
        let full: usize = (0..nodes.len()).map(|node| inputs.len() + node).sum();
        if ends.len() < 2 || all.len() != ends.len() || ends.len() != full {
            return None;
        }
        let states: Vec<NodeId> = inputs.iter().chain(&nodes).copied().collect();
        let place = |id: NodeId| states.iter().position(|state| *state == id);
        let edge = |&(from, to): &(NodeId, NodeId)| {
            let (from, to) = (place(from)?, place(to)?);
            (from < to).then_some(Decides::Edge { from, to, inputs: inputs.len() })
        };
        ends.iter().map(edge).collect()
    }
}

/// The names of layers without those of the cells that they are in, unless they are told apart by these alone.
fn places(names: Vec<&str>) -> Vec<&str> {
    let within = |name: &str| {
        name.strip_prefix("cells.").and_then(|rest| rest.split_once('.')).map_or(0, |(cell, _)| 7 + cell.len())
    };
    let short: Vec<&str> = names.iter().map(|name| &name[within(name)..]).collect();
    let all: BTreeSet<&&str> = short.iter().collect();
    if all.len() == short.len() { short } else { names }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{ALL, NetworkSettings, SpaceConfig, find};

    fn rows(space: &str) -> Vec<Rows> {
        let settings = NetworkSettings { channels: 4, layers: 3, ..Default::default() };
        find(space).unwrap().supernet(&settings).unwrap().rows().unwrap()
    }

    /// Table, short and long name and options of the first and last row.
    fn ends(rows: &Rows) -> [String; 2] {
        [&rows.rows[0], &rows.rows[rows.rows.len() - 1]]
            .map(|row| format!("{} {}: {}", row.decides.short(), row.decides.long(), row.options[0]))
    }

    #[test]
    fn edges_are_named_by_their_states() {
        let darts = rows("darts");
        let tables: Vec<&str> = darts.iter().map(|rows| rows.table.as_str()).collect();
        assert_eq!(tables, ["alphas_normal", "alphas_reduce"]);
        for table in &darts {
            assert_eq!(ends(table), ["2←0 input before → node 0: none", "5←4 node 2 → node 3: none"]);
            assert_eq!(table.rows[2].decides, Decides::Edge { from: 0, to: 3, inputs: 2 });
            assert_eq!(table.rows[0].options, table.columns);
        }
        assert_eq!(ends(&rows("nas-bench-201")[0]), ["1←0 input → node 0: none", "3←2 node 1 → node 2: none"]);
        // Edges with operations of their own, and skip connections beside them.
        let robust = &rows("robust-darts-s1")[0];
        assert!(robust.columns.iter().any(|column| column.contains('|')));
        assert!(robust.rows.iter().all(|row| row.options.iter().all(|option| !option.contains('|'))));
        assert_eq!(robust.rows[13].decides.short(), "5←4");
    }

    #[test]
    fn all_else_is_named_by_its_place() {
        let place = |space: &str, table: usize, row: usize| rows(space)[table].rows[row].clone();
        assert_eq!(place("chain", 0, 0).decides.long(), "layers.0.operation");
        assert_eq!(place("enas-macro", 0, 3).decides.short(), "layers.3.branches");
        assert_eq!(place("enas-macro", 1, 2).decides.short(), "layers.2.skips.1");
        let pair = place("nasnet", 1, 1);
        assert_eq!((pair.decides.short().as_str(), pair.options[0].as_str()), ("nodes.1.1", "0:skip_connect"));
    }

    #[test]
    fn every_row_of_every_space_has_a_name_of_its_own_and_names_of_its_options() {
        for entry in ALL {
            let space = SpaceConfig::of(entry.name).build().unwrap();
            let settings = NetworkSettings { channels: 4, layers: 3, ..Default::default() };
            let graph = space.supernet(&settings).unwrap();
            let tables = graph.tables().unwrap();
            let all = graph.rows().unwrap();
            assert_eq!(all.len(), tables.len(), "{}", entry.name);
            for (rows, table) in all.iter().zip(&tables) {
                assert_eq!((&rows.table, &rows.columns, rows.rows.len()), (&table.name, &table.options, table.rows));
                let names: BTreeSet<String> = rows.rows.iter().map(|row| row.decides.short()).collect();
                assert_eq!(names.len(), table.rows, "{}: {rows:?}", entry.name);
                assert!(rows.rows.iter().all(|row| row.options.len() == table.options.len()), "{}", entry.name);
                assert!(
                    !names.iter().any(|name| name.is_empty() || name.starts_with("row ")),
                    "{}: {names:?}",
                    entry.name
                );
            }
        }
    }
}
