//! RobustDARTS (Zela et al. 2020, "Understanding and robustifying differentiable architecture search"): its early stopping.

use super::darts;
use super::gradient::Gradient;
use crate::search::bilevel::{BilevelConfig, Stop};
use crate::search::strategy::{About, Task};

/// RobustDARTS.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "robust-darts",
        paper: "RobustDARTS, early stopping (Zela et al. 2020)",
        stops: "when the largest eigenvalue of ∇²α L_val has grown 1.3×",
        ..darts::ABOUT
    },
    changes: settings,
    without: &[],
};

fn settings(config: &mut BilevelConfig, task: &Task<'_>) {
    let brief = task.scale.is_brief();
    let (every, earliest) = if brief { (1, config.epochs / 5) } else { (2, 10) };
    config.stop = Stop::Eigenvalue { every, window: 5, back: 4, ratio: 1.3, earliest };
}
