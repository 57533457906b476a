//! Batch normalisation of [batch, channels, pixels] over batch and pixels, in steps.
//!
//! Training: [`STATISTICS`] gives `saved` = [mean | 1/√(var + ε)] (biased variance) and `moments` =
//! [mean | unbiased variance]; [`UPDATE`] moves the running statistics towards the moments.
//! Evaluation: [`FOLD`] turns running statistics into `saved`. Either way [`FORWARD`] is
//! `y = (x − mean)/√(var + ε) · w + b`. Backward: [`BACKWARD_SUMS`] gives [Σ dy·x̂ | Σ dy], which are
//! the gradients of w and b, and [`BACKWARD_INPUT`] the gradient of x.
//!
//! Float32 results stay within rounding of float64: the variance is a sum of squared deviations, never
//! a difference of large numbers.

mod backward;
mod forward;
mod statistics;

pub use backward::{BACKWARD_INPUT, BACKWARD_SUMS, BackwardInput, Sums};
pub use forward::{FORWARD, Forward};
pub use statistics::{FOLD, Fold, STATISTICS, Statistics, UPDATE, Update};

/// Shapes [batch, channels, pixels] of the cases.
const SHAPES: [[usize; 3]; 7] =
    [[1, 1, 1], [5, 3, 1], [2, 3, 49], [3, 2, 64], [1, 2, 1030], [17, 3, 5], [2, 1, 20_011]];

/// Shapes of the DARTS supernet at batch 16.
const BENCHES: [[usize; 3]; 3] = [[16, 16, 1024], [16, 32, 256], [16, 64, 64]];
