//! One path of a supernet as a network of its own.
//!
//! The options taken stand in the place of their choice points, whose names theirs are not. So the network computes, in
//! evaluation, what the supernet does along the path, and its parameters are the supernet's, by the same names: of a layer
//! that is narrower, the first ones.

mod part;
mod widths;
mod zeros;

pub use part::part;

use super::reading::{readers, reads};
use super::{NOTHING, Path};
use crate::graph::{Choice, Conv, Features, Graph, GraphError, NodeId, Op, Options, Padding};
use crate::tensor::Error;
use zeros::zeros;

/// The network that a supernet is along a path, in evaluation: a graph without choice points and with the first output.
/// [`part`] gives its weights.
///
/// ```
/// use cellwright::device::Device;
/// use cellwright::network::{Network, part, settled};
/// use cellwright::random::Random;
/// use cellwright::space::{self, NetworkSettings};
///
/// let space = space::find("chain-mlp")?;
/// let supernet = Network::new(&Device::cpu(), space.supernet(&NetworkSettings::default())?, 7)?;
/// let path = supernet.path(&space.settle(&space.random(&mut Random::new(1, 0)))?)?;
/// let graph = settled(supernet.graph(), &path)?;
/// let arrays = part(&graph, &pollster::block_on(supernet.state())?)?;
/// let mut network = Network::new(&Device::cpu(), graph, 0)?;
/// network.load(&arrays)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] if the path leaves a choice point open, or takes an option that does not exist.
pub fn settled(supernet: &Graph, path: &Path) -> Result<Graph, Error> {
    let shapes: Vec<Features> = supernet.nodes[..supernet.input_count()].iter().map(|node| node.shape).collect();
    let mut plain = Plain { graph: Graph::new(&shapes), kept: vec![None; shapes.len()], path };
    let inputs: Vec<NodeId> = (0..shapes.len()).collect();
    let output = plain.append(supernet, &inputs, None)?;
    let name = supernet.outputs.first().map_or("logits", |output| &output.name);
    plain.graph.output(name, output);
    widths::narrowed(&plain.graph, &plain.kept).map_err(wrong)
}

fn wrong(error: GraphError) -> Error {
    Error::shape("network", error.to_string())
}

/// A graph in the making: choices among operations are settled, widths noted.
struct Plain<'a> {
    graph: Graph,
    /// For nodes that stand for a choice among widths: the number of channels that is kept.
    kept: Vec<Option<usize>>,
    path: &'a Path,
}

/// The windows of an option that shares its weights: those of this size (the first) have the second.
type Windows = Option<[usize; 2]>;

impl Plain<'_> {
    fn push(&mut self, name: &str, op: Op, inputs: &[NodeId]) -> Result<NodeId, Error> {
        self.kept.push(None);
        self.graph.push(name, op, inputs).map_err(wrong)
    }

    /// Appends what is computed of a graph; gives the node of its first output.
    fn append(&mut self, graph: &Graph, inputs: &[NodeId], windows: Windows) -> Result<NodeId, Error> {
        let Some(output) = graph.outputs.first() else {
            return Err(Error::shape("network", "a graph without an output has no path"));
        };
        let readers = readers(graph, &graph.outputs[..1], Some(self.path));
        let mut place = vec![0; graph.nodes.len()];
        let mut inputs = inputs.iter();
        for (index, node) in graph.nodes.iter().enumerate() {
            if matches!(node.op, Op::Input) {
                let missing = || Error::shape("network", "an option reads more than its choice point");
                place[index] = *inputs.next().ok_or_else(missing)?;
                continue;
            }
            if readers[index] == 0 {
                continue;
            }
            let read: Vec<NodeId> = reads(graph, index, Some(self.path)).into_iter().map(|i| place[i]).collect();
            place[index] = match (&node.op, windows) {
                (Op::Choice(choice), _) => self.choice(&node.name, choice, &read)?,
                (Op::Fused(fused), _) => self.append(&fused.graph, &read, windows)?,
                (Op::Conv(conv), Some(sizes)) => self.push(&node.name, Op::Conv(centre(conv, sizes)), &read)?,
                (op, _) => self.push(&node.name, op.clone(), &read)?,
            };
        }
        Ok(place[output.node])
    }

    fn choice(&mut self, name: &str, choice: &Choice, read: &[NodeId]) -> Result<NodeId, Error> {
        let open = || {
            let problem = format!("choice point `{}`, row {} is not settled", choice.table, choice.row);
            Error::shape("network", problem)
        };
        let &taken = self.path.get(&(choice.table.clone(), choice.row)).ok_or_else(open)?;
        match &choice.options {
            Options::Widths(widths) => {
                let &width = widths.get(taken).ok_or_else(open)?;
                let made = self.push(name, Op::Identity, read)?;
                self.kept[made] = Some(width);
                Ok(made)
            }
            Options::Operations(candidates) if taken == NOTHING => {
                let computed = candidates.iter().find_map(|candidate| {
                    candidate.graph.outputs.first().map(|output| candidate.graph.shape(output.node))
                });
                let (Some(shape), Some(&x)) = (computed, read.first()) else { return Err(open()) };
                let made = zeros(&mut self.graph, x, shape).map_err(wrong)?;
                self.kept.resize(self.graph.nodes.len(), None);
                Ok(made)
            }
            Options::Operations(candidates) => {
                let computed = candidates.get(choice.computed(taken)).ok_or_else(open)?;
                let windows = choice.group(taken).and_then(|group| {
                    let (_, own) = group.kernels.iter().find(|(option, _)| *option == taken)?;
                    Some([group.size(), *own])
                });
                self.append(&computed.graph, read, windows)
            }
        }
    }
}

/// The convolution whose windows are the middle of this one's, if its windows are of the first of the sizes.
fn centre(conv: &Conv, [all, own]: [usize; 2]) -> Conv {
    if conv.kernel != [all; 2] {
        return conv.clone();
    }
    let [rows, columns] = conv.dilation.map(|dilation| (dilation * (all - own.min(all)) / 2) as i32);
    let p = conv.padding;
    let padding =
        Padding { top: p.top - rows, left: p.left - columns, bottom: p.bottom - rows, right: p.right - columns };
    Conv { kernel: [own.min(all); 2], padding, ..conv.clone() }
}

#[cfg(test)]
mod tests;
