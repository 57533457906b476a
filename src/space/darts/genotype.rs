//! A genotype: the architecture of a normal and a reduction cell, as the literature writes it.

use super::{CELL_INPUTS, KEPT_EDGES, MOST_EDGES, MOST_NODES, Primitive, nni, published, text};
use crate::names::nearest;
use crate::space::notation::SyntaxError;
use crate::space::{CellPlan, Form};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a text or a value is not a genotype.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenotypeError {
    /// The text breaks off or goes wrong.
    #[error("genotype, {0}")]
    Syntax(#[from] SyntaxError),
    /// A part that no genotype has, or a primitive or genotype that does not exist.
    #[error("genotype: unknown {kind} `{name}`: did you mean `{nearest}`?")]
    Unknown {
        /// What was named.
        kind: &'static str,
        /// The name as given.
        name: String,
        /// The valid name most like it.
        nearest: String,
    },
    /// An operation that others have and this program lacks.
    #[error("genotype: the operation `{name}` {what}: it is not among those of this program")]
    Foreign {
        /// The operation.
        name: &'static str,
        /// What it does.
        what: &'static str,
    },
    /// A cell for other data than images.
    #[error(
        "genotype: `recurrent=` is a cell of a recurrent network, for text: only cells of convolutional networks can be read"
    )]
    Recurrent,
    /// A part that is missing or given twice.
    #[error("genotype: `{part}` is {problem}; it needs normal, normal_concat, reduce and reduce_concat, each once")]
    Part {
        /// Which part.
        part: &'static str,
        /// `missing` or `given twice`.
        problem: &'static str,
    },
    /// A text that holds several, none of them chosen.
    #[error("the text holds {} genotypes: {}; name one of them (FILE:NAME), or give just its text", names.len(), names.join(", "))]
    Several {
        /// What they are called.
        names: Vec<String>,
    },
    /// Edges or concatenation of a cell that make no cell.
    #[error("genotype, {cell} cell: {problem}")]
    Cell {
        /// `normal` or `reduce`.
        cell: &'static str,
        /// What does not fit.
        problem: String,
    },
}

/// One kept edge: a primitive applied to an earlier state of the cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// The primitive.
    pub primitive: Primitive,
    /// The state it reads: 0 and 1 are the cell's inputs, 2 its first node.
    pub input: usize,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CellGenotype {
    /// The edges that each node sums, node by node; `none` stands for one that is left out. A node without edges does not
    /// exist: nothing reads it and it is not joined. Cells of DARTS' own space have two edges a node.
    pub nodes: Vec<Vec<Edge>>,
    /// The states whose channels are joined to the cell's output.
    pub concat: Vec<usize>,
}

impl CellGenotype {
    /// A cell of two edges a node, in order.
    pub fn of_pairs(edges: impl IntoIterator<Item = Edge>, concat: Vec<usize>) -> Self {
        let edges: Vec<Edge> = edges.into_iter().collect();
        Self { nodes: edges.chunks(KEPT_EDGES).map(<[Edge]>::to_vec).collect(), concat }
    }

    /// All edges, node by node.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.nodes.iter().flatten()
    }

    /// Whether each node has two edges, as in DARTS' own space.
    pub fn has_pairs(&self) -> bool {
        self.nodes.iter().all(|edges| edges.len() == KEPT_EDGES)
    }

    fn check(&self, cell: &'static str) -> Result<(), GenotypeError> {
        let wrong = |problem: String| Err(GenotypeError::Cell { cell, problem });
        if self.edges().next().is_none() {
            return wrong("has no edges".into());
        }
        if self.nodes.len() > MOST_NODES {
            return wrong(format!("{} nodes: at most {MOST_NODES} are supported", self.nodes.len()));
        }
        let exists = |state: usize| state < CELL_INPUTS || !self.nodes[state - CELL_INPUTS].is_empty();
        for (node, edges) in self.nodes.iter().enumerate() {
            let states = node + CELL_INPUTS;
            if edges.len() > MOST_EDGES {
                return wrong(format!("node {node} has {} edges: at most {MOST_EDGES} are supported", edges.len()));
            }
            for edge in edges {
                let Edge { primitive, input } = edge;
                if *input >= states {
                    let last = states - 1;
                    return wrong(format!(
                        "`{primitive}` of node {node} reads state {input}, but node {node} can read states 0 to {last} only"
                    ));
                }
                if !exists(*input) {
                    return wrong(format!("`{primitive}` of node {node} reads state {input}, which no edge enters"));
                }
            }
        }
        if self.concat.is_empty() {
            return wrong("joins no states: the concatenation is empty".into());
        }
        let states = CELL_INPUTS + self.nodes.len();
        for (i, &state) in self.concat.iter().enumerate() {
            if state >= states {
                return wrong(format!("joins state {state}, but has states 0 to {} only", states - 1));
            }
            if !exists(state) {
                return wrong(format!("joins state {state}, which no edge enters"));
            }
            if self.concat[..i].contains(&state) {
                return wrong(format!("joins state {state} twice"));
            }
            if cell == "reduce" && state < CELL_INPUTS {
                return wrong(format!("joins its input {state}, which is twice as large as its output must be"));
            }
        }
        Ok(())
    }
}

/// A normal and a reduction cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "serde_json::Value", try_from = "serde_json::Value")]
pub struct Genotype {
    /// The cell that keeps the map.
    pub normal: CellGenotype,
    /// The cell that halves the map.
    pub reduce: CellGenotype,
}

impl Genotype {
    /// Both cells as plans to be drawn.
    pub fn cells(&self) -> Vec<CellPlan> {
        let plan = |(name, cell): (&str, &CellGenotype)| CellPlan {
            name: name.to_owned(),
            inputs: CELL_INPUTS,
            edges: cell
                .nodes
                .iter()
                .enumerate()
                .flat_map(|(node, edges)| edges.iter().map(move |edge| (node, edge)))
                .filter(|(_, edge)| edge.primitive != Primitive::None)
                .map(|(node, edge)| (edge.input, node, edge.primitive.to_string()))
                .collect(),
            nodes: cell.nodes.len(),
            concat: cell.concat.clone(),
        };
        [("normal", &self.normal), ("reduce", &self.reduce)].into_iter().map(plan).collect()
    }

    /// Reads a genotype: the name of a [published](super::published) one, the reference's text, one list a node as pt.darts
    /// and AutoDL write it, FairDARTS' triples, or a dictionary (JSON); with whatever stands before and behind it, and with
    /// comments and line breaks anywhere. Of several that a text assigns to one name the last counts.
    ///
    /// ```
    /// use cellwright::space::darts::Genotype;
    ///
    /// let text = "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0)], normal_concat=[2], \
    ///     reduce=[('max_pool_3x3', 0), ('skip_connect', 1)], reduce_concat=[2])";
    /// let genotype = Genotype::read(text)?;
    /// assert_eq!(genotype.normal.edges().count(), 2);
    /// assert_eq!(Genotype::read(&genotype.json().to_string())?, genotype);
    /// assert_eq!(Genotype::read("darts-v2")?, Genotype::read("DARTS_V2")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`GenotypeError`] saying what is wrong, and where.
    pub fn read(text: &str) -> Result<Self, GenotypeError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if let Some(published) = published::find(text) {
            return Ok(published.genotype.clone());
        }
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if !text.is_empty() && text != "Genotype" && text.chars().all(is_name) {
            let names: Vec<&str> = published::all().iter().map(|cell| cell.name.as_str()).collect();
            return Err(GenotypeError::Unknown {
                kind: "genotype",
                name: text.to_owned(),
                nearest: nearest(text, &names),
            });
        }
        text::parse(text)
    }

    /// Checks that a network can be built: whole nodes, edges from earlier states only, a
    /// concatenation of existing states of one size.
    ///
    /// # Errors
    /// [`GenotypeError::Cell`] with the first thing that does not fit.
    pub fn check(&self) -> Result<(), GenotypeError> {
        self.normal.check("normal")?;
        self.reduce.check("reduce")
    }

    /// As other programs write it: `darts` (the reference's pairs), `nested` (pt.darts), `autodl` (AutoDL-Projects), `triples`
    /// (FairDARTS), `nni` (NNI's exported architectures).
    pub fn forms(&self) -> Vec<Form> {
        let mut pairs = Form::new("darts", text::pairs(self));
        if let Some((kind, _)) =
            [("normal", &self.normal), ("reduction", &self.reduce)].iter().find(|(_, c)| !c.has_pairs())
        {
            let problem =
                format!("not all nodes of the {kind} cell have two edges: write it `nested`, `autodl` or `triples`");
            pairs.text = Err(problem);
        }
        let nni = nni::write(self).ok_or_else(|| "not all nodes have two edges and are joined".to_owned());
        vec![
            pairs,
            Form::new("nested", text::nested(self)),
            Form::new("autodl", text::autodl(self)),
            Form::new("triples", text::triples(self)),
            Form { name: "nni", text: nni },
        ]
    }

    /// As JSON: `{"normal": [["sep_conv_3x3", 0], …], "normal_concat": [2, …], "reduce": …, …}`; with a list for each node
    /// where not all have two edges.
    pub fn json(&self) -> serde_json::Value {
        let edge = |e: &Edge| serde_json::json!([e.primitive.name(), e.input]);
        let edges = |cell: &CellGenotype| -> Vec<serde_json::Value> {
            if cell.has_pairs() {
                return cell.edges().map(edge).collect();
            }
            cell.nodes.iter().map(|edges| edges.iter().map(edge).collect()).collect()
        };
        serde_json::json!({
            "normal": edges(&self.normal),
            "normal_concat": self.normal.concat,
            "reduce": edges(&self.reduce),
            "reduce_concat": self.reduce.concat,
        })
    }
}

impl fmt::Display for Genotype {
    /// The reference's text; with a list for each node where not all have two edges.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&if self.normal.has_pairs() && self.reduce.has_pairs() {
            text::pairs(self)
        } else {
            text::nested(self)
        })
    }
}

impl FromStr for Genotype {
    type Err = GenotypeError;

    fn from_str(text: &str) -> Result<Self, GenotypeError> {
        Self::read(text)
    }
}

impl From<Genotype> for serde_json::Value {
    fn from(genotype: Genotype) -> Self {
        genotype.json()
    }
}

impl TryFrom<serde_json::Value> for Genotype {
    type Error = GenotypeError;

    fn try_from(value: serde_json::Value) -> Result<Self, GenotypeError> {
        text::parse(&value.to_string())
    }
}
