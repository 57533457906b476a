//! What can be wrong with a genotype.

use crate::space::notation::SyntaxError;

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
