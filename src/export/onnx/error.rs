//! What can be wrong with a network that is to be written, or a file that is to be read.

/// Why a network cannot be written as ONNX, or a file cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OnnxError {
    /// The bytes are not an ONNX file.
    #[error("not an ONNX file: {0}")]
    Format(String),
    /// A node's operation has no counterpart.
    #[error("node `{node}` ({operation}): {problem}")]
    Unsupported {
        /// The node's name, or where it stands.
        node: String,
        /// Its operation or operator.
        operation: String,
        /// Why it cannot be represented, with the numbers, and what would do.
        problem: String,
    },
    /// Something about the network as a whole.
    #[error("{0}")]
    Model(String),
    /// An array that a node needs is missing.
    #[error("array `{name}` is missing")]
    Missing {
        /// Its name.
        name: String,
    },
    /// An array has other values than its shape or its reader needs.
    #[error("array `{name}`: {problem}")]
    Array {
        /// Its name.
        name: String,
        /// What is wrong, with the numbers.
        problem: String,
    },
    /// The operations of the file do not fit together.
    #[error(transparent)]
    Graph(#[from] crate::graph::GraphError),
}

impl OnnxError {
    pub(super) fn unsupported(node: &str, operation: &str, problem: impl Into<String>) -> Self {
        Self::Unsupported { node: node.to_owned(), operation: operation.to_owned(), problem: problem.into() }
    }

    pub(super) fn array(name: &str, problem: impl Into<String>) -> Self {
        Self::Array { name: name.to_owned(), problem: problem.into() }
    }
}
