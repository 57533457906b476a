//! Parameters of the kernels, and what follows from them alone.

use crate::params;

params! {
    /// Parameters of [`CHOOSE`](super::CHOOSE).
    pub struct Choose {
        /// Offset of the scores, [rows, options].
        pub scores: u32,
        /// Offset of what is added to the logits, \[options\].
        pub bias: u32,
        /// Offset of the uniform numbers, or the options given, \[rows\] words.
        pub picks: u32,
        /// Offset of the totals so far, [rows, 3].
        pub before: u32,
        /// Offset of the weights, [rows, options]: 1 for what is chosen.
        pub weights: u32,
        /// Offset of the options chosen, \[rows\] words.
        pub answers: u32,
        /// Offset of the new totals, [rows, 3].
        pub after: u32,
        /// Rows.
        pub rows: u32,
        /// Options.
        pub options: u32,
        /// Whether the bias is added; without, any buffer may be bound as it.
        pub has_bias: u32,
        /// Whether `picks` are uniform numbers (1) or options (0).
        pub drawn: u32,
        /// Whether the entropy is −p·log p of what is chosen (1) or that of the distribution (0).
        pub of_choice: u32,
        /// What scores are multiplied by.
        pub slope: f32,
        /// What the tanh is multiplied by.
        pub reach: f32,
    }
}

params! {
    /// Parameters of [`CHOOSE_BACKWARD`](super::CHOOSE_BACKWARD).
    pub struct ChooseBackward {
        /// Offset of the scores, [rows, options].
        pub scores: u32,
        /// Offset of what is added to the logits, \[options\].
        pub bias: u32,
        /// Offset of the weights, [rows, options]: 1 for what is chosen.
        pub weights: u32,
        /// Offset of the gradient of the new totals, [rows, 3].
        pub dafter: u32,
        /// Offset of the gradient of the scores.
        pub dscores: u32,
        /// Rows.
        pub rows: u32,
        /// Options.
        pub options: u32,
        /// Whether the bias is added.
        pub has_bias: u32,
        /// Whether dscores is added to (1) or overwritten (0).
        pub accumulate: u32,
        /// What scores are multiplied by.
        pub slope: f32,
        /// What the tanh is multiplied by.
        pub reach: f32,
    }
}

params! {
    /// Parameters of [`SKIPS`](super::SKIPS).
    pub struct Skips {
        /// Offset of the scores, [rows, layers].
        pub scores: u32,
        /// Offset of the uniform numbers, or the answers given (1: yes), [layers, rows] words.
        pub picks: u32,
        /// Offset of the totals so far, [rows, 3].
        pub before: u32,
        /// Offset of the weights, [rows, layers]: 1 / (1 + number of yes) for each yes.
        pub weights: u32,
        /// Offset of the answers, [layers, rows] words.
        pub answers: u32,
        /// Offset of the new totals, [rows, 3].
        pub after: u32,
        /// Rows.
        pub rows: u32,
        /// Layers that may be skipped from.
        pub layers: u32,
        /// Whether `picks` are uniform numbers (1) or answers (0).
        pub drawn: u32,
        /// Whether the entropy is −p·log p of what is chosen (1) or that of the distribution (0).
        pub of_choice: u32,
        /// What scores are multiplied by.
        pub slope: f32,
        /// What the tanh is multiplied by.
        pub reach: f32,
        /// What σ(−l) should be.
        pub target_no: f32,
        /// What σ(l) should be.
        pub target_yes: f32,
    }
}

params! {
    /// Parameters of [`SKIPS_BACKWARD`](super::SKIPS_BACKWARD).
    pub struct SkipsBackward {
        /// Offset of the scores, [rows, layers].
        pub scores: u32,
        /// Offset of the weights, [rows, layers]: positive for each yes.
        pub weights: u32,
        /// Offset of the gradient of the new totals, [rows, 3].
        pub dafter: u32,
        /// Offset of the gradient of the scores.
        pub dscores: u32,
        /// Rows.
        pub rows: u32,
        /// Layers that may be skipped from.
        pub layers: u32,
        /// Whether dscores is added to (1) or overwritten (0).
        pub accumulate: u32,
        /// What scores are multiplied by.
        pub slope: f32,
        /// What the tanh is multiplied by.
        pub reach: f32,
        /// What σ(−l) should be.
        pub target_no: f32,
        /// What σ(l) should be.
        pub target_yes: f32,
    }
}
