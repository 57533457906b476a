//! RobustDARTS (Zela et al. 2020, "Understanding and robustifying differentiable architecture search"): its early stopping, and going
//! back to regularise more.

use super::darts;
use super::gradient::Gradient;
use crate::search::bilevel::{BilevelConfig, Stop};
use crate::search::strategy::{About, Task};

/// RobustDARTS' early stopping.
pub static STOPPING: Gradient = Gradient {
    about: About {
        name: "robust-darts",
        paper: "RobustDARTS, early stopping (Zela et al. 2020)",
        stops: "when the largest eigenvalue of ∇²α L_val has grown 1.3×",
        ..darts::ABOUT
    },
    changes: settings,
    without: &[],
};

/// DARTS-ADA: instead of stopping, with ten times the weight decay, up to 0.03.
pub static ADAPTIVE: Gradient = Gradient {
    about: About {
        name: "robust-darts-ada",
        paper: "RobustDARTS, adaptive regularisation (Zela et al. 2020)",
        stops: "as robust-darts, but goes back first, to ten times the weight decay, up to 0.03",
        ..darts::ABOUT
    },
    changes: adaptive,
    without: &[],
};

fn settings(config: &mut BilevelConfig, task: &Task<'_>) {
    config.stop = stop(config, task, 0.0);
}

fn adaptive(config: &mut BilevelConfig, task: &Task<'_>) {
    config.stop = stop(config, task, 10.0);
}

fn stop(config: &BilevelConfig, task: &Task<'_>, growth: f64) -> Stop {
    let brief = task.scale.is_brief();
    let (every, earliest) = if brief { (1, config.epochs / 5) } else { (2, 10) };
    Stop::Eigenvalue { every, window: 5, back: 4, ratio: 1.3, earliest, growth, most_decay: 0.03 }
}
