//! An architecture as a reader meets it.

/// A cell as plain data. The first states are its inputs, state `inputs` + i is its node i.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellPlan {
    /// What it is called: `normal`, `reduce`.
    pub name: String,
    /// Number of input states.
    pub inputs: usize,
    /// From which state to which node (0: the first that is no input) by which operation.
    pub edges: Vec<(usize, usize, String)>,
    /// Number of nodes.
    pub nodes: usize,
    /// The states joined to the cell's output.
    pub concat: Vec<usize>,
}

/// An architecture as a reader meets it, in all forms.
#[derive(Clone, Debug, PartialEq)]
pub struct Sketch {
    /// One line, as [`Space::print`](super::Space::print) writes it.
    pub text: String,
    /// As [`Space::json`](super::Space::json) writes it.
    pub json: serde_json::Value,
    /// Its cells, to be drawn; none if it has no cells.
    pub cells: Vec<CellPlan>,
    /// As other programs read it.
    pub forms: Vec<Form>,
}

/// An architecture in one way of writing, by the name of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// What the way of writing is called.
    pub name: &'static str,
    /// The architecture, or why it cannot be written so.
    pub text: Result<String, String>,
}

impl Form {
    /// An architecture as it is written in the way of this name.
    pub fn new(name: &'static str, text: String) -> Self {
        Self { name, text: Ok(text) }
    }
}
