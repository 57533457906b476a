//! ReinMax (Liu et al. 2023, "Bridging discrete and backpropagation: straight-through and beyond") as an estimate of the gradient of
//! architecture weights.

use super::darts;
use super::gradient::Gradient;
use crate::search::bilevel::Weighing;
use crate::search::strategy::About;

/// ReinMax.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "reinmax",
        paper: "ReinMax (Liu et al. 2023)",
        weighs: "one option drawn from softmax(α)",
        learns: "2J(½(softmax(α) + D))·g − ½J(softmax(α))·g, g = ∇D L_val(w, D), Adam",
        ..darts::ABOUT
    },
    changes: |config, _| config.weighing = Weighing::ReinMax { temperature: 1.0 },
    without: &[],
};
