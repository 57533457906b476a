//! A genotype: the architecture of a normal and a reduction cell, as the literature writes it.

use super::{CELL_INPUTS, KEPT_EDGES, MOST_NODES, Primitive, text};
use crate::space::error::nearest;
use crate::space::{CellPlan, SpaceError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a text or a value is not a genotype.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenotypeError {
    /// The text breaks off or goes wrong.
    #[error("genotype, character {position}: expected {expected}, found {found}")]
    Syntax {
        /// Where, counted in characters from 1.
        position: usize,
        /// What would have been right.
        expected: String,
        /// What is there.
        found: String,
    },
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
    /// A part that is missing or given twice.
    #[error("genotype: `{part}` is {problem}; it needs normal, normal_concat, reduce and reduce_concat, each once")]
    Part {
        /// Which part.
        part: &'static str,
        /// `missing` or `given twice`.
        problem: &'static str,
    },
    /// Edges or concatenation of a cell that make no cell.
    #[error("genotype, {cell} cell: {problem}")]
    Cell {
        /// `normal` or `reduce`.
        cell: &'static str,
        /// What does not fit.
        problem: String,
    },
    /// JSON of another form.
    #[error("genotype in JSON: {0}")]
    Json(String),
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
    /// Two edges for each node, in order; `none` stands for one that is left out.
    pub edges: Vec<Edge>,
    /// The states whose channels are joined to the cell's output.
    pub concat: Vec<usize>,
}

impl CellGenotype {
    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.edges.len() / KEPT_EDGES
    }

    fn check(&self, cell: &'static str) -> Result<(), GenotypeError> {
        let wrong = |problem: String| Err(GenotypeError::Cell { cell, problem });
        if self.edges.is_empty() || !self.edges.len().is_multiple_of(KEPT_EDGES) {
            return wrong(format!("{} edges: each node has two, and there is at least one node", self.edges.len()));
        }
        if self.nodes() > MOST_NODES {
            return wrong(format!("{} nodes: at most {MOST_NODES} are supported", self.nodes()));
        }
        for (i, edge) in self.edges.iter().enumerate() {
            let (node, states) = (i / KEPT_EDGES, i / KEPT_EDGES + CELL_INPUTS);
            if edge.input >= states {
                let last = states - 1;
                return wrong(format!(
                    "edge {i} ({}) reads state {}, but node {node} can read states 0 to {last} only",
                    edge.primitive, edge.input
                ));
            }
        }
        if self.concat.is_empty() {
            return wrong("joins no states: the concatenation is empty".into());
        }
        let states = CELL_INPUTS + self.nodes();
        for (i, &state) in self.concat.iter().enumerate() {
            if state >= states {
                return wrong(format!("joins state {state}, but has states 0 to {} only", states - 1));
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
#[serde(into = "Parts", try_from = "Parts")]
pub struct Genotype {
    /// The cell that keeps the map.
    pub normal: CellGenotype,
    /// The cell that halves the map.
    pub reduce: CellGenotype,
}

/// A genotype's form in JSON: the parts of the reference's text, by the same names.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    normal: Vec<(Primitive, usize)>,
    normal_concat: Vec<usize>,
    reduce: Vec<(Primitive, usize)>,
    reduce_concat: Vec<usize>,
}

/// Published genotypes by name (the reference's `genotypes.py`): first and second order DARTS.
const NAMED: [(&str, &str); 2] = [
    (
        "DARTS_V1",
        "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), \
         ('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], \
         normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), \
         ('max_pool_3x3', 0), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], \
         reduce_concat=[2, 3, 4, 5])",
    ),
    (
        "DARTS_V2",
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), \
         ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], \
         normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), \
         ('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], \
         reduce_concat=[2, 3, 4, 5])",
    ),
];

impl Genotype {
    /// Both cells as plans to be drawn.
    pub fn cells(&self) -> Vec<CellPlan> {
        let plan = |(name, cell): (&str, &CellGenotype)| CellPlan {
            name: name.to_owned(),
            inputs: CELL_INPUTS,
            edges: cell
                .edges
                .iter()
                .enumerate()
                .filter(|(_, edge)| edge.primitive != Primitive::None)
                .map(|(place, edge)| (edge.input, place / KEPT_EDGES, edge.primitive.to_string()))
                .collect(),
            nodes: cell.nodes(),
            concat: cell.concat.clone(),
        };
        [("normal", &self.normal), ("reduce", &self.reduce)].into_iter().map(plan).collect()
    }

    /// Names that [`Genotype::read`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name)
    }

    /// Reads a genotype: a published name, JSON, or the reference's text.
    ///
    /// # Errors
    /// [`GenotypeError`] saying what is wrong, and where.
    pub fn read(text: &str) -> Result<Self, GenotypeError> {
        let text = text.trim();
        if let Some((_, published)) = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            return text::parse(published);
        }
        if text.starts_with('{') {
            return serde_json::from_str(text).map_err(|e| GenotypeError::Json(e.to_string()));
        }
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if !text.is_empty() && text != "Genotype" && text.chars().all(is_name) {
            let names: Vec<&str> = Self::names().collect();
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

    /// As JSON: `{"normal": [["sep_conv_3x3", 0], …], "normal_concat": [2, …], "reduce": …, …}`.
    pub fn json(&self) -> serde_json::Value {
        let edges = |cell: &CellGenotype| {
            cell.edges.iter().map(|e| serde_json::json!([e.primitive.name(), e.input])).collect::<Vec<_>>()
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
    /// The reference's text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edges = |cell: &CellGenotype| {
            cell.edges.iter().map(|e| format!("('{}', {})", e.primitive, e.input)).collect::<Vec<_>>().join(", ")
        };
        write!(
            f,
            "Genotype(normal=[{}], normal_concat={:?}, reduce=[{}], reduce_concat={:?})",
            edges(&self.normal),
            self.normal.concat,
            edges(&self.reduce),
            self.reduce.concat
        )
    }
}

impl FromStr for Genotype {
    type Err = GenotypeError;

    fn from_str(text: &str) -> Result<Self, GenotypeError> {
        Self::read(text)
    }
}

impl From<Genotype> for Parts {
    fn from(genotype: Genotype) -> Self {
        let edges = |cell: &CellGenotype| cell.edges.iter().map(|e| (e.primitive, e.input)).collect();
        Self {
            normal: edges(&genotype.normal),
            reduce: edges(&genotype.reduce),
            normal_concat: genotype.normal.concat,
            reduce_concat: genotype.reduce.concat,
        }
    }
}

impl TryFrom<Parts> for Genotype {
    type Error = SpaceError;

    fn try_from(parts: Parts) -> Result<Self, SpaceError> {
        let cell = |edges: Vec<(Primitive, usize)>, concat| CellGenotype {
            edges: edges.into_iter().map(|(primitive, input)| Edge { primitive, input }).collect(),
            concat,
        };
        let genotype =
            Self { normal: cell(parts.normal, parts.normal_concat), reduce: cell(parts.reduce, parts.reduce_concat) };
        genotype.check()?;
        Ok(genotype)
    }
}
