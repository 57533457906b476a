//! DARTS+ (Liang et al. 2019, "DARTS+: improved differentiable architecture search with early stopping").

use super::darts;
use super::gradient::Gradient;
use crate::search::bilevel::{BilevelConfig, Stop};
use crate::search::strategy::{About, Task};

/// DARTS+.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "darts-plus",
        paper: "DARTS+ (Liang et al. 2019)",
        stops: "at two skips in the normal cell",
        ..darts::ABOUT
    },
    changes: settings,
    without: &[],
};

fn settings(config: &mut BilevelConfig, task: &Task<'_>) {
    let brief = task.scale.is_brief();
    config.stop = Stop::Skips { most: 2, earliest: if brief { config.epochs / 5 } else { 10 } };
}
