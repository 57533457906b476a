//! A network as plain data: nodes, operations, shapes and choice points.
//!
//! A [`Graph`] is the one form every architecture of every search space decodes to. It is run by
//! `network`, counted by `cost`, drawn by `report`. A **supernet is a graph with choice points**:
//! nodes whose operation is [`Op::Choice`]. Nothing here knows of devices or tensors.

mod auxiliary;
mod choice;
mod drop_path;
mod entangle;
pub mod fuse;
mod head;
mod op;
mod parameters;
mod partial;
mod prune;
mod ramp;
mod reach;
mod rows;
mod shape;
mod untied;
mod window;

pub use auxiliary::AUXILIARY;
pub use parameters::Parameter;
pub use partial::{EdgeWeights, PartialError};
pub use ramp::Ramp;
pub use rows::{Decides, Row, Rows};
pub use shape::Features;
pub use window::{Conv, Padding, Pool};

use serde::{Deserialize, Serialize};

/// Index of a node in [`Graph::nodes`].
pub type NodeId = usize;

/// One operation of a [`Graph`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Place in the layer tree, e.g. `cells.3._ops.0.op.1`: the prefix of its parameters' names.
    /// Empty for nodes without a place of their own.
    pub name: String,
    /// What is computed.
    pub op: Op,
    /// The nodes read, all with smaller indices.
    pub inputs: Vec<NodeId>,
    /// Shape of the result, for one sample.
    pub shape: Features,
}

/// An operation on per-sample features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// An input of the graph.
    Input,
    /// The input unchanged.
    Identity,
    /// Zeros, at every `stride`-th row and column.
    Zero {
        /// Step in rows and columns.
        stride: usize,
    },
    /// Numbers of N(0, 1) of the input's shape at every `stride`-th row and column, new in each step, in training and in
    /// evaluation alike; nothing of the input enters (RobustDARTS, space S4; Zela et al. 2020, section 3).
    Noise {
        /// Step in rows and columns.
        stride: usize,
    },
    /// Convolution; parameters `weight` and, with a bias, `bias`.
    Conv(Conv),
    /// Batch normalisation; running statistics and, if affine, `weight` and `bias`.
    BatchNorm {
        /// Whether a learned scale and shift follow.
        affine: bool,
    },
    /// max(x, 0).
    Relu,
    /// max(x, 0) while training, x itself in evaluation.
    TrainingRelu,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// A line between two bounds: ReLU6, the hard sigmoid, multiples and shifts by a number.
    Ramp(Ramp),
    /// Largest value of each window.
    MaxPool(Pool),
    /// Mean of each window.
    AvgPool(Pool),
    /// Mean over all rows and columns.
    GlobalAvgPool,
    /// Fully connected layer over all features; parameters `weight` (outputs × inputs) and `bias`.
    Linear {
        /// Number of outputs.
        outputs: usize,
        /// Whether a bias is added.
        bias: bool,
    },
    /// Sum of inputs of equal shape.
    Add,
    /// Product of two inputs: of equal shape, or the second one number for each channel, as squeeze-and-excitation has it.
    Multiply,
    /// Inputs one after another along the channels.
    Concat,
    /// Some neighbouring channels of the input.
    Channels {
        /// The first of them.
        first: usize,
        /// How many.
        count: usize,
    },
    /// The channels in so many groups of neighbours, read across the groups.
    Shuffle {
        /// Number of groups.
        groups: usize,
    },
    /// While training, zeroes features at random and divides the rest by the keep probability.
    Dropout {
        /// Probability of zero.
        probability: f32,
    },
    /// As dropout, with the probability the training loop schedules.
    ScheduledDropout,
    /// While training, zeroes whole samples at random with the probability the training loop
    /// schedules, and divides the rest by the keep probability.
    DropPath,
    /// A choice point: what makes the graph a supernet.
    Choice(Choice),
    /// A sub-graph that is computed in one go.
    Fused(Fused),
}

/// A choice point: several options and the row of architecture weights that weighs them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Table of architecture weights, e.g. `alphas_normal`. Several choice points may share a row.
    pub table: String,
    /// Row of the table.
    pub row: usize,
    /// The options.
    pub options: Options,
    /// Groups of options that share their weights. The graphs of all but the largest of each are empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entangled: Vec<Entangled>,
}

/// Options of a choice point that share weights: those of the smaller windows are the centres of the largest ones. Mixed, the group
/// is computed once, each such convolution by the kernel Σ w_k·(centre of W), and added as it is, without a weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entangled {
    /// The option whose graph is computed for all of them.
    pub largest: usize,
    /// Each option and the size of its windows, in the order of the options.
    pub kernels: Vec<(usize, usize)>,
}

/// One candidate of a choice point: a label and what it computes from the choice point's inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Name of the option, e.g. `sep_conv_3x3`.
    pub label: String,
    /// Its operations; as many inputs as the choice point has, one output.
    pub graph: Graph,
}

/// What a choice point chooses among.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Options {
    /// One of several operations on the same inputs.
    Operations(Vec<Candidate>),
    /// One of several widths: the first so many channels are kept, the others are zero. Mixing them
    /// is a mask over the channels; all widths share the weights of the widest.
    Widths(Vec<usize>),
}

/// A node that stands for a sub-graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fused {
    /// What it was recognised as.
    pub pattern: Pattern,
    /// What it computes: as many inputs as the node has, one output.
    pub graph: Graph,
}

/// What kind of sub-graph was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pattern {
    /// A [mixed cell](fuse::MixedCell): all edges that leave a state are computed together, candidates are normalised
    /// where they are weighed and added.
    MixedCell,
}

/// A result of a graph that somebody reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// What it is called: `logits`, `auxiliary`, …
    pub name: String,
    /// The node that computes it.
    pub node: NodeId,
}

/// A directed acyclic graph of operations in topological order; the first nodes are its inputs.
///
/// ```
/// use cellwright::graph::{Conv, Features, Graph, Op};
///
/// let mut graph = Graph::new(&[Features::new(3, 32, 32)]);
/// let conv = graph.push("stem.0", Op::Conv(Conv::square(3, 16, 3, 2)), &[0])?;
/// let relu = graph.push("", Op::Relu, &[conv])?;
/// graph.output("features", relu);
/// assert_eq!(graph.shape(relu), Features::new(16, 16, 16));
/// assert!(graph.push("stem.1", Op::Conv(Conv::square(3, 16, 3, 1)), &[relu]).is_err(), "16 channels are not 3");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// The nodes, each after everything it reads.
    pub nodes: Vec<Node>,
    /// What is read from outside, the main result first.
    pub outputs: Vec<Output>,
    /// Tables of architecture weights that exist even where no choice point uses them, in order.
    #[serde(default)]
    pub declared: Vec<Table>,
}

/// A table of architecture weights that the choice points of a supernet share: one row for each
/// decision, one column for each option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Name, e.g. `alphas_normal`.
    pub name: String,
    /// Number of decisions.
    pub rows: usize,
    /// Names of the options, in order. Where rows have different options at one place, the names of all of them, separated
    /// by `|`; such a table is declared.
    pub options: Vec<String>,
}

/// Why a node cannot be added to a graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// The operation does not fit the shapes of its inputs.
    #[error("{node}: {operation} {problem}")]
    Shape {
        /// Name of the node, or its place in the graph.
        node: String,
        /// Name of the operation.
        operation: &'static str,
        /// What is wrong, with the numbers.
        problem: String,
    },
    /// Two choice points name one table of architecture weights but disagree about its options.
    #[error("choice points of table `{table}` disagree about its options: {first:?} and {second:?}")]
    Table {
        /// The table.
        table: String,
        /// Options where it first occurs.
        first: Vec<String>,
        /// Options elsewhere.
        second: Vec<String>,
    },
}

impl Graph {
    /// A graph with the given inputs (per-sample shapes) as its first nodes.
    pub fn new(inputs: &[Features]) -> Self {
        let nodes = inputs
            .iter()
            .map(|&shape| Node { name: String::new(), op: Op::Input, inputs: Vec::new(), shape })
            .collect();
        Self { nodes, outputs: Vec::new(), declared: Vec::new() }
    }

    /// Appends an operation and infers its shape.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the operation does not fit its inputs.
    ///
    /// # Panics
    /// If an input does not exist yet: that is a mistake in the calling code, not in data.
    pub fn push(&mut self, name: impl Into<String>, op: Op, inputs: &[NodeId]) -> Result<NodeId, GraphError> {
        let name = name.into();
        let shapes: Vec<Features> = inputs.iter().map(|&i| self.nodes[i].shape).collect();
        // Checked here once, so that nothing that reads a graph has to fear `count` overflowing.
        let fits = |shape: Features| match shape.checked_count() {
            Some(_) => Ok(shape),
            None => Err(format!("gives {shape}: too many values to address")),
        };
        let shape = op.infer(&shapes).and_then(fits).map_err(|problem| GraphError::Shape {
            node: if name.is_empty() { format!("node {}", self.nodes.len()) } else { name.clone() },
            operation: op.name(),
            problem,
        })?;
        self.nodes.push(Node { name, op, inputs: inputs.to_vec(), shape });
        Ok(self.nodes.len() - 1)
    }

    /// Names a node as a result of the graph.
    pub fn output(&mut self, name: impl Into<String>, node: NodeId) {
        self.outputs.push(Output { name: name.into(), node });
    }

    /// Number of input nodes.
    pub fn input_count(&self) -> usize {
        self.nodes.iter().take_while(|n| matches!(n.op, Op::Input)).count()
    }

    /// Shape of one node, per sample.
    pub fn shape(&self, node: NodeId) -> Features {
        self.nodes[node].shape
    }

    /// The node of the named output.
    pub fn find_output(&self, name: &str) -> Option<NodeId> {
        self.outputs.iter().find(|o| o.name == name).map(|o| o.node)
    }

    /// Whether any choice point is left: a supernet.
    pub fn has_choices(&self) -> bool {
        !self.choices().is_empty()
    }

    /// The choice points with the nodes they belong to, in order, those of inner graphs included.
    pub fn choices(&self) -> Vec<(&Node, &Choice)> {
        let mut found = Vec::new();
        for node in &self.nodes {
            if let Op::Choice(choice) = &node.op {
                found.push((node, choice));
            }
            found.extend(node.op.inner().into_iter().flat_map(|(_, graph)| graph.choices()));
        }
        found
    }

    /// The tables of architecture weights: those declared, then those its choice points share, in order
    /// of first use.
    ///
    /// # Errors
    /// [`GraphError::Table`] if two choice points disagree about a table.
    pub fn tables(&self) -> Result<Vec<Table>, GraphError> {
        let mut tables = self.declared.clone();
        for (_, choice) in self.choices() {
            let options = choice.options.labels();
            match tables.iter_mut().find(|t| t.name == choice.table) {
                Some(table)
                    if table.options == options
                        || choice.options.are_among(&table.options)
                        || choice.options.are_multiples_of(&table.options) =>
                {
                    table.rows = table.rows.max(choice.row + 1)
                }
                Some(table) => {
                    return Err(GraphError::Table {
                        table: table.name.clone(),
                        first: table.options.clone(),
                        second: options,
                    });
                }
                None => tables.push(Table { name: choice.table.clone(), rows: choice.row + 1, options }),
            }
        }
        Ok(tables)
    }

    /// For each node, the number of nodes and outputs that read it.
    pub fn readers(&self) -> Vec<usize> {
        let mut readers = vec![0; self.nodes.len()];
        for node in &self.nodes {
            for &input in &node.inputs {
                readers[input] += 1;
            }
        }
        for output in &self.outputs {
            readers[output.node] += 1;
        }
        readers
    }
}

#[cfg(test)]
mod tests;
