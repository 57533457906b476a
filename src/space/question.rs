//! The order in which a space's decisions are asked, for strategies that decide one after the other.

/// One question to a controller. Questions come in the order they are asked; which decision each answers it says
/// itself, so that the order of asking and the order of answers may differ.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// A cell begins: so many states are there already, its inputs.
    Cell {
        /// Number of input states.
        inputs: usize,
    },
    /// Which earlier state of the present cell; option k is state k.
    State {
        /// The decision answered.
        decision: usize,
    },
    /// Which of several options. Questions of equal `vocabulary` ask about the same options.
    Option {
        /// The decision answered.
        decision: usize,
        /// Number of the set of options.
        vocabulary: usize,
        /// Added to the options' logits, beside all that is learned; one for each, or none at all.
        bias: Vec<f32>,
    },
    /// The present node has all its answers: it becomes a state.
    Node,
    /// For each earlier layer whether its output is added to the present one; option 1 of each decision is yes. The
    /// layer becomes a state itself.
    Skips {
        /// The decisions answered, one for each earlier layer.
        decisions: std::ops::Range<usize>,
    },
}
