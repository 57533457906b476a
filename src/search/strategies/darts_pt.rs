//! DARTS-PT (Wang et al. 2021, "Rethinking architecture selection in differentiable NAS").

use super::darts;
use super::gradient::Gradient;
use crate::search::bilevel::{BilevelConfig, Selection};
use crate::search::strategy::{About, Task};

/// DARTS-PT.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "darts-pt",
        paper: "DARTS-PT (Wang et al. 2021)",
        chooses: "edge by edge the option whose loss costs most accuracy, tuned in between",
        ..darts::ABOUT
    },
    changes: settings,
    without: &[],
};

fn settings(config: &mut BilevelConfig, task: &Task<'_>) {
    let brief = task.scale.is_brief();
    config.selection = Selection::Masking { tune: if brief { 1 } else { 5 }, divisor: 10.0 };
}
