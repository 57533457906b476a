//! P-DARTS (Chen et al. 2019, "Progressive differentiable architecture search: bridging the depth gap between search and
//! evaluation"): three stages, ever deeper and with ever fewer options; dropout on skip connections.

use super::darts;
use super::gradient::{Gradient, share};
use crate::search::bilevel::{BilevelConfig, Stage};
use crate::search::strategy::{About, Task};

/// P-DARTS.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "p-darts",
        paper: "P-DARTS (Chen et al. 2019)",
        runs: "three stages, deeper, with 8, 5 and 3 options; dropout on skips",
        learns: "∇α L_val(w, α) after a warm-up of each stage, Adam",
        chooses: "largest weights, at most 2 skips",
        ..darts::ABOUT
    },
    changes: settings,
    without: &[],
};

fn settings(config: &mut BilevelConfig, task: &Task<'_>) {
    let brief = task.scale.is_brief();
    let deeper = if brief { 1 } else { 6 };
    // Stages of 25 epochs where DARTS has 50; brief searches take as many as DARTS altogether.
    config.epochs = (config.epochs / if brief { 3 } else { 2 }).max(1);
    // 5, 11 and 17 cells are the published ones; the first stage's are those configured.
    let stage = |number: usize, options: usize, dropout: f32| Stage {
        deeper: number * deeper,
        options,
        dropout,
        ..Stage::default()
    };
    config.stages = vec![stage(0, 0, 0.1), stage(1, 5, 0.4), stage(2, 3, 0.7)];
    config.warmup = share(config.epochs, 10, 25);
    config.most_skips = 2;
    config.alpha_rate = if brief { config.alpha_rate } else { 6e-4 };
}
