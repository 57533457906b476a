//! A supernet with its architecture weights: for each table a picture of where its choices stand, an arrow for each option that weighs
//! something.

use super::{Block, Diagram, DrawError, Kind};
use crate::graph::{Choice, Graph, Op};
use crate::run::WeightRows;
use std::collections::BTreeMap;

/// The most options that are drawn of a choice.
const MOST: usize = 3;

/// A picture for each table. Of the choice points that share a row the first is drawn. An option is drawn that weighs no less than an
/// even share; of these the three heaviest.
///
/// # Errors
/// [`DrawError::Weights`] where a table's weights are not those of its options; none else for graphs built by [`Graph::push`].
pub fn diagrams(graph: &Graph, weights: &[WeightRows]) -> Result<Vec<Diagram>, DrawError> {
    weights.iter().map(|weights| diagram(graph, weights)).collect()
}

fn diagram(graph: &Graph, (table, rows): &WeightRows) -> Result<Diagram, DrawError> {
    let mut first: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Op::Choice(Choice { table: of, row, .. }) = &node.op
            && of == table
        {
            first.entry(*row).or_insert(index);
        }
    }
    let wrong = |problem: String| DrawError::Weights { table: table.clone(), problem };
    if first.len() != rows.len() {
        return Err(wrong(format!("{} rows of weights, and {} decisions", rows.len(), first.len())));
    }
    let mut drawing = Drawing {
        graph,
        diagram: Diagram { title: table.clone(), ..Diagram::default() },
        places: BTreeMap::new(),
        states: 0,
    };
    // Sums first, so that what reads them finds them: nodes stand in topological order.
    let targets: BTreeMap<usize, usize> = first.values().map(|&node| (node, graph.sum_of(node))).collect();
    for (&row, &node) in &first {
        let Op::Choice(choice) = &graph.nodes[node].op else { continue };
        let (labels, weights) = (choice.options.labels(), rows.get(row).map_or(&[][..], Vec::as_slice));
        if labels.len() != weights.len() {
            let problem = format!("row {row} has {} weights, and {} options", weights.len(), labels.len());
            return Err(wrong(problem));
        }
        let from = graph.nodes[node].inputs.first().map_or(0, |&input| targets.get(&input).copied().unwrap_or(input));
        let is_state = targets.values().any(|&target| target == from);
        let [from, to] = [drawing.place(from, is_state), drawing.place(targets[&node], true)];
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
        let even = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
        for (place, option) in order.into_iter().enumerate() {
            if place == 0 || (place < MOST && weights[option] >= even) {
                let label = format!("{} {:.3}", labels[option], weights[option]);
                drawing.diagram.weigh(from, to, label, Kind::of_operation(&labels[option]), weights[option]);
            }
        }
    }
    drawing.diagram.layers()?;
    Ok(drawing.diagram)
}

struct Drawing<'a> {
    graph: &'a Graph,
    diagram: Diagram,
    /// Boxes of nodes.
    places: BTreeMap<usize, usize>,
    states: usize,
}

impl Drawing<'_> {
    /// The box of a node: a state that choices make, or what enters.
    fn place(&mut self, node: usize, is_state: bool) -> usize {
        if let Some(&known) = self.places.get(&node) {
            return known;
        }
        let block = if is_state {
            self.states += 1;
            Block::new(format!("state {}", self.states - 1), Kind::State)
        } else {
            let name = self.graph.nodes.get(node).map_or("", |node| node.name.as_str());
            let short: Vec<&str> = name.split('.').take(3).collect();
            Block::new(if name.is_empty() { "input".to_owned() } else { short.join(".") }, Kind::Input)
        };
        let place = self.diagram.add(block);
        self.places.insert(node, place);
        place
    }
}
