//! Why something cannot be taken up again.

/// Why a state cannot be read, or does not fit what it is restored into.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The bytes are no saved state.
    #[error("not a saved state: {0}")]
    Format(String),
    /// Something is missing.
    #[error("the saved state has no `{name}`")]
    Missing {
        /// Its name, behind those of the parts it lies in.
        name: String,
    },
    /// A tensor has another shape.
    #[error("`{name}` of the saved state has shape {found:?}, not {expected:?}: were the settings others?")]
    Shape {
        /// Its name, behind those of the parts it lies in.
        name: String,
        /// The shape that is wanted.
        expected: Vec<usize>,
        /// The shape that was found.
        found: Vec<usize>,
    },
    /// A value cannot be used.
    #[error("`{name}` of the saved state cannot be used: {problem}")]
    Value {
        /// Its name, behind those of the parts it lies in.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It is the state of something else.
    #[error("the saved state{} is one of {found}, not of {expected}", if .place.is_empty() { String::new() } else { format!(" `{place}`") })]
    Kind {
        /// The part; empty for the whole.
        place: String,
        /// Whose it should be.
        expected: String,
        /// Whose it is.
        found: String,
    },
    /// The device failed.
    #[error(transparent)]
    Tensor(#[from] crate::tensor::Error),
}
