//! β-DARTS (Ye et al. 2022, "β-DARTS: beta-decay regularization for differentiable architecture search"): a penalty on the spread of
//! α that grows with the epochs.

use super::darts;
use super::gradient::Gradient;
use crate::optim::Schedule;
use crate::search::bilevel::{BilevelConfig, Penalty};
use crate::search::strategy::{About, Task};

/// β-DARTS.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "beta-darts",
        paper: "β-DARTS (Ye et al. 2022)",
        learns: "∇α (L_val(w, α) + λ·mean log Σ exp α), λ growing, Adam",
        ..darts::ABOUT
    },
    changes: settings,
    without: &[],
};

fn settings(config: &mut BilevelConfig, task: &Task<'_>) {
    let brief = task.scale.is_brief();
    // The published search of NAS-Bench-201.
    if !brief && task.epochs.is_none() && task.space.name() == "nas-bench-201" {
        config.epochs = 100;
    }
    let last = f64::from(config.epochs.max(1) - 1);
    // λ = e/2 in epoch e from 0; a brief search gets as far as one of a hundred epochs.
    let to = if brief { 50.0 * last / f64::from(config.epochs.max(1)) } else { 0.5 * last };
    config.penalty = Penalty::LogSumExp { weight: Schedule::Linear { from: 0.0, to } };
}
