//! What a path touches of the flat buffers, and paths from architecture weights.

use super::layer::Layer;
use super::reading::{is_zero, readers};
use super::{NOTHING, Network, Path};
use crate::graph::{Choice, Graph, Op, Options};
use crate::space::TableWeights;
use crate::tensor::Error;
use std::ops::Range;

/// Parts of a network's flat buffers, in order and without overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Of the parameters.
    pub parameters: Vec<Range<usize>>,
    /// Of the running means; the variances lie as far behind the first variance.
    pub statistics: Vec<Range<usize>>,
}

impl Footprint {
    /// The same without some parameters.
    pub fn without(self, mut parameters: Vec<Range<usize>>) -> Self {
        parameters.sort_by_key(|range| range.start);
        let mut left = Vec::new();
        for range in self.parameters {
            let mut from = range.start;
            for gone in parameters.iter().filter(|gone| range.contains(&gone.start)) {
                left.push(from..gone.start);
                from = gone.end;
            }
            left.push(from..range.end);
        }
        left.retain(|range| !range.is_empty());
        Self { parameters: left, ..self }
    }
}

impl Network {
    /// Everything: what a network without choices, or a supernet that mixes all options, touches.
    pub fn whole(&self) -> Footprint {
        let one = |count: usize| merged(std::iter::once(0..count).collect());
        Footprint {
            parameters: one(self.parameters.values().count()),
            statistics: one(self.statistics.running().count() / 2),
        }
    }

    /// What the layers on a path touch.
    ///
    /// # Errors
    /// [`Error::Shape`] if the path leaves a choice point open.
    pub fn used(&self, path: &Path) -> Result<Footprint, Error> {
        let mut used = Footprint { parameters: Vec::new(), statistics: Vec::new() };
        self.collect(&self.graph, &self.layers, path, &mut used)?;
        used.parameters = merged(used.parameters);
        used.statistics = merged(used.statistics);
        Ok(used)
    }

    fn collect(&self, graph: &Graph, layers: &[Layer], path: &Path, used: &mut Footprint) -> Result<(), Error> {
        let readers = readers(graph, &graph.outputs, Some(path));
        for ((node, layer), _) in graph.nodes.iter().zip(layers).zip(readers).filter(|(_, readers)| *readers > 0) {
            let mut parameters = |indices: &[usize]| {
                used.parameters.extend(indices.iter().map(|&index| self.parameters.place(index)));
            };
            match (layer, &node.op) {
                (Layer::Weighted { weight, bias }, _) => {
                    parameters(&[*weight]);
                    parameters(bias.as_slice());
                }
                (Layer::Norm { affine, statistics }, _) => {
                    parameters(affine.as_ref().map_or(&[], |pair| pair));
                    used.statistics.push(self.statistics.place(*statistics));
                }
                (Layer::Choice(options), Op::Choice(choice)) => {
                    let Options::Operations(candidates) = &choice.options else { continue };
                    let taken = path.get(&(choice.table.clone(), choice.row)).copied();
                    if taken == Some(NOTHING) {
                        continue;
                    }
                    let taken = taken.map(|k| choice.computed(k));
                    let (Some(candidate), Some(layers)) =
                        (taken.and_then(|k| candidates.get(k)), taken.and_then(|k| options.get(k)))
                    else {
                        return Err(open(choice));
                    };
                    self.collect(&candidate.graph, layers, path, used)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The path that takes the heaviest option of each choice point, and where all weights are 0 nothing: an option that is
    /// zero or, among operations of which none is, [`NOTHING`].
    ///
    /// # Errors
    /// [`Error::Shape`] if a table is missing or misshapen, or if a choice among widths has no weights.
    pub fn path(&self, weights: &[TableWeights]) -> Result<Path, Error> {
        let mut path = Path::new();
        for (_, choice) in self.graph.choices() {
            let table = weights.iter().find(|t| t.name == choice.table && t.options == choice.options.len());
            let row = table.and_then(|t| t.values.chunks_exact(t.options.max(1)).nth(choice.row));
            let row = row.ok_or_else(|| open(choice))?;
            let heaviest =
                (0..row.len()).filter(|&k| row[k] > 0.0).max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a)));
            let nothing = || match &choice.options {
                Options::Operations(candidates) => {
                    Some(candidates.iter().position(|c| is_zero(&c.graph)).unwrap_or(NOTHING))
                }
                Options::Widths(_) => None,
            };
            let taken = heaviest.or_else(nothing).ok_or_else(|| open(choice))?;
            path.insert((choice.table.clone(), choice.row), taken);
        }
        Ok(path)
    }
}

fn open(choice: &Choice) -> Error {
    Error::shape("network", format!("choice point `{}`, row {} is not settled", choice.table, choice.row))
}

/// Ranges in order, those that touch as one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_leaves_what_lies_around_it() {
        let whole = Footprint { parameters: vec![0..10, 20..30], statistics: vec![0..4, 6..8] };
        let left = whole.without(vec![22..25, 0..2, 5..6, 28..30]);
        assert_eq!((left.parameters, left.statistics), (vec![2..5, 6..10, 20..22, 25..28], vec![0..4, 6..8]));
    }

    #[test]
    fn ranges_that_touch_are_one() {
        assert_eq!(merged(vec![5..7, 0..2, 2..4, 6..9, 9..9, 12..13]), [0..4, 5..9, 12..13]);
    }
}
