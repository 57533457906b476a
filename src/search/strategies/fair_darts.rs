//! FairDARTS (Chu et al. 2020, "Fair DARTS: eliminating unfair advantages in differentiable architecture search"): each option
//! weighs by itself and is driven to 0 or 1; edges whose options all weigh little are left out.

use super::darts;
use super::gradient::Gradient;
use crate::optim::AdamConfig;
use crate::search::bilevel::{BilevelConfig, Penalty, Weighing};
use crate::search::strategy::{About, Task};

/// FairDARTS.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "fair-darts",
        paper: "FairDARTS (Chu et al. 2020)",
        weighs: "σ(α), each option by itself",
        learns: "∇α (L_val(w, α) − 10·mean((σ(α) − ½)²)), Adam",
        chooses: "largest weights, of 0.85 at least",
        ..darts::ABOUT
    },
    changes: settings,
    without: &["none"],
};

fn settings(config: &mut BilevelConfig, task: &Task<'_>) {
    let brief = task.scale.is_brief();
    config.weighing = Weighing::Sigmoid;
    config.penalty = Penalty::ZeroOne { weight: 10.0 };
    config.adam = AdamConfig { beta1: 0.9, ..config.adam };
    config.alpha_deviation = 0.0;
    config.threshold = 0.85;
    // So far from ½ α comes in fifty epochs at the published rate; few epochs take larger steps.
    config.alpha_rate = if brief { 3.0 * config.alpha_rate } else { 3e-3 };
}
