//! Boxes and arrows as plain data, before anybody decides where they go.

/// What a box or an edge stands for; decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What enters.
    Input,
    /// What leaves.
    Output,
    /// An intermediate state of a cell, the sum of what arrives.
    State,
    /// Passing on unchanged, e.g. into a concatenation.
    Flow,
    /// A dense convolution.
    Convolution,
    /// A depthwise or depthwise-separable convolution.
    Separable,
    /// A dilated convolution.
    Dilated,
    /// Any pooling.
    Pooling,
    /// An identity or its strided form.
    Skip,
    /// Zeros.
    None,
    /// A fully connected layer.
    Linear,
    /// Normalisation, activation, sum, dropout: what has no weights worth a colour.
    Elementwise,
    /// Several operations in one box.
    Group,
    /// Several operations in one box, whose result is a smaller image than what enters.
    Reduction,
    /// A choice point of a supernet.
    Choice,
}

impl Kind {
    /// The kind of an operation by its name, as genotypes and [`Op::name`](crate::graph::Op::name)
    /// write it. Names that say nothing known are [`Kind::Elementwise`].
    pub fn of_operation(name: &str) -> Self {
        let has = |part: &str| name.contains(part);
        if has("sep") || has("depthwise") || has("mbconv") {
            Self::Separable
        } else if has("dil") {
            Self::Dilated
        } else if has("pool") {
            Self::Pooling
        } else if has("skip") || has("identity") {
            Self::Skip
        } else if has("none") || has("zero") {
            Self::None
        } else if has("conv") {
            Self::Convolution
        } else if has("linear") {
            Self::Linear
        } else if has("choice") {
            Self::Choice
        } else {
            Self::Elementwise
        }
    }
}

/// A box of a [`Diagram`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What it is called. `c_{k-1}` is drawn with a subscript.
    pub label: String,
    /// Further lines in smaller type, e.g. a shape.
    pub details: Vec<String>,
    /// What it stands for.
    pub kind: Kind,
}

impl Block {
    /// A box with a label alone.
    pub fn new(label: impl Into<String>, kind: Kind) -> Self {
        Self { label: label.into(), details: Vec::new(), kind }
    }
}

/// An arrow of a [`Diagram`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Index of the box it leaves.
    pub from: usize,
    /// Index of the box it enters.
    pub to: usize,
    /// What is written on it; may be empty.
    pub label: String,
    /// What it stands for.
    pub kind: Kind,
    /// How much it weighs, in thousandths, if it is drawn by that.
    pub weight: Option<u16>,
}

impl Edge {
    /// How wide a line is, in pixels, and how opaque: the heavier, the more of both.
    pub(super) fn stroke(&self) -> Option<[f64; 2]> {
        self.weight.map(|weight| {
            let weight = f64::from(weight.min(1000)) / 1000.0;
            [(0.5 + 9.0 * weight).min(6.0), 0.35 + 0.65 * weight.sqrt()]
        })
    }
}

/// Where arrows point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// From left to right.
    #[default]
    Right,
    /// From top to bottom.
    Down,
}

/// Boxes and arrows without cycles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagram {
    /// Heading; may be empty.
    pub title: String,
    /// The boxes.
    pub boxes: Vec<Block>,
    /// The arrows. Several may join the same two boxes.
    pub edges: Vec<Edge>,
    /// Where arrows point.
    pub direction: Direction,
}

/// Why something cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// An edge names a box that is not there.
    #[error("edge {edge} joins boxes {from} and {to}, but there are only {boxes} boxes, numbered from 0")]
    NoSuchBox {
        /// Index of the edge.
        edge: usize,
        /// The box it leaves.
        from: usize,
        /// The box it enters.
        to: usize,
        /// Number of boxes.
        boxes: usize,
    },
    /// Following arrows leads back to the same box.
    #[error(
        "following the arrows from `{label}` (box {index}) leads back to it: only diagrams without cycles are drawn"
    )]
    Cycle {
        /// A box on the cycle.
        index: usize,
        /// Its label.
        label: String,
    },
    /// An edge of a cell leads to a node that the cell does not have, or reads a state that does not
    /// exist yet.
    #[error(
        "edge {edge} of the cell ({operation}) goes from state {from_state} to node {to_node}: nodes are 0..{nodes}, and node i reads states 0..i+{inputs} ({}, {inputs}+i is node i)",
        which_inputs(*inputs)
    )]
    CellEdge {
        /// Index of the edge.
        edge: usize,
        /// The state it reads.
        from_state: usize,
        /// The node it leads to.
        to_node: usize,
        /// Its operation.
        operation: String,
        /// Number of nodes of the cell.
        nodes: usize,
        /// Number of inputs of the cell.
        inputs: usize,
    },
    /// The cell's output names a state it does not have.
    #[error(
        "the cell's output reads state {state}, but it has only {states} states, numbered from 0 ({})",
        which_inputs(*inputs).replace("the cell's", "its")
    )]
    CellOutput {
        /// The state.
        state: usize,
        /// Number of states.
        states: usize,
        /// Number of inputs of the cell.
        inputs: usize,
    },
    /// Weights are not those of a supernet's options.
    #[error("the weights of `{table}` are of another supernet: {problem}")]
    Weights {
        /// The table.
        table: String,
        /// What differs.
        problem: String,
    },
    /// The plotting backend failed.
    #[error("cannot draw the plot: {reason}")]
    Plot {
        /// What the backend says.
        reason: String,
    },
}

/// Which states of a cell are its inputs, in words.
fn which_inputs(inputs: usize) -> String {
    match inputs {
        0 => "there are none of the cell's inputs".into(),
        1 => "0 is the cell's input".into(),
        2 => "0 and 1 are the cell's inputs".into(),
        _ => format!("0 to {} are the cell's inputs", inputs - 1),
    }
}

impl Diagram {
    /// Adds a box and returns its index.
    pub fn add(&mut self, block: Block) -> usize {
        self.boxes.push(block);
        self.boxes.len() - 1
    }

    /// Adds an arrow.
    pub fn join(&mut self, from: usize, to: usize, label: impl Into<String>, kind: Kind) {
        self.edges.push(Edge { from, to, label: label.into(), kind, weight: None });
    }

    /// Adds an arrow that is drawn by how much it weighs, from 0 to 1.
    pub fn weigh(&mut self, from: usize, to: usize, label: impl Into<String>, kind: Kind, weight: f64) {
        let weight = Some((1000.0 * weight.clamp(0.0, 1.0)).round() as u16);
        self.edges.push(Edge { from, to, label: label.into(), kind, weight });
    }

    /// For each box, the length of the longest way to it, in arrows.
    ///
    /// # Errors
    /// [`DrawError::NoSuchBox`] and [`DrawError::Cycle`].
    pub fn layers(&self) -> Result<Vec<usize>, DrawError> {
        let count = self.boxes.len();
        let mut waiting = vec![0; count];
        let mut leaving = vec![Vec::new(); count];
        for (index, edge) in self.edges.iter().enumerate() {
            if edge.from >= count || edge.to >= count {
                return Err(DrawError::NoSuchBox { edge: index, from: edge.from, to: edge.to, boxes: count });
            }
            waiting[edge.to] += 1;
            leaving[edge.from].push(edge.to);
        }
        let mut layers = vec![0; count];
        let mut ready: Vec<usize> = (0..count).filter(|&b| waiting[b] == 0).collect();
        let mut next = 0;
        while next < ready.len() {
            let from = ready[next];
            next += 1;
            for &to in &leaving[from] {
                layers[to] = layers[to].max(layers[from] + 1);
                waiting[to] -= 1;
                if waiting[to] == 0 {
                    ready.push(to);
                }
            }
        }
        match self.on_cycle(&waiting) {
            None => Ok(layers),
            Some(index) => Err(DrawError::Cycle { index, label: self.boxes[index].label.clone() }),
        }
    }

    /// A box on a cycle, given how many arrows into each box no topological order could satisfy.
    fn on_cycle(&self, waiting: &[usize]) -> Option<usize> {
        let mut at = waiting.iter().position(|&w| w > 0)?;
        // Every unsatisfied box has an unsatisfied predecessor: after as many steps back as there are
        // boxes we are on the cycle, not merely behind it.
        for _ in 0..self.boxes.len() {
            at = self.edges.iter().find(|e| e.to == at && waiting[e.from] > 0)?.from;
        }
        Some(at)
    }
}
