//! SNAS (Xie et al. 2019, "SNAS: stochastic neural architecture search"), as one of two levels: all options, weighed by the
//! Gumbel-softmax. The temperature falls as GDAS's, from 1.

use super::darts;
use super::gradient::Gradient;
use crate::optim::Schedule;
use crate::search::bilevel::{BilevelConfig, Weighing};
use crate::search::strategy::{About, Task};

/// SNAS.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "snas",
        paper: "SNAS (Xie et al. 2019), in two levels",
        weighs: "softmax((α + Gumbel)/τ)",
        ..darts::ABOUT
    },
    changes: settings,
    without: &[],
};

fn settings(config: &mut BilevelConfig, _: &Task<'_>) {
    config.weighing = Weighing::Gumbel { temperature: Schedule::Linear { from: 1.0, to: 0.03 } };
}
