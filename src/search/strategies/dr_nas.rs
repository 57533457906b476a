//! DrNAS (Chen et al. 2021, "DrNAS: Dirichlet neural architecture search"): options' weights are samples of a Dirichlet
//! distribution; two stages of partial channels.

use super::darts;
use super::gradient::{Gradient, share};
use crate::optim::{AdamConfig, Schedule};
use crate::search::bilevel::{BilevelConfig, Penalty, Stage, Weighing};
use crate::search::strategy::{About, Task};

/// DrNAS.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "drnas",
        paper: "DrNAS (Chen et al. 2021)",
        weighs: "samples of Dirichlet(elu(α) + 1)",
        runs: "two stages: all options on few channels, then 4 on more",
        learns: "∇α L_val(w, α) + anchor after a warm-up of each stage, Adam",
        ..darts::ABOUT
    },
    changes: settings,
    without: &["none"],
};

fn settings(config: &mut BilevelConfig, task: &Task<'_>) {
    let brief = task.scale.is_brief();
    config.weighing = Weighing::Dirichlet;
    config.penalty = Penalty::Anchor { weight: 1e-3 };
    config.adam = AdamConfig { weight_decay: 0.0, ..config.adam };
    config.epochs = (config.epochs / 2).max(1);
    let stage = |options: usize, parts: usize, goes_on: bool| Stage { options, parts, goes_on, ..Stage::default() };
    // Narrow cells cannot be divided by six.
    let parts = if brief { [4, 2] } else { [6, 4] };
    config.stages = vec![stage(0, parts[0], false), stage(4, parts[1], true)];
    config.warmup = share(config.epochs, 10, 25);
    if !brief {
        config.rate = Schedule::Cosine { from: 0.1, to: 0.0 };
        config.alpha_rate = 6e-4;
    }
}
