//! GDAS (Dong & Yang 2019, "Searching for a robust neural architecture in four GPU hours"): of each choice point only one
//! option is computed, drawn by the hard Gumbel-softmax.

use super::darts;
use super::gradient::Gradient;
use crate::optim::Schedule;
use crate::search::bilevel::{BilevelConfig, Weighing};
use crate::search::strategy::{About, Task};
use crate::space::nas_bench_201;

/// GDAS.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "gdas",
        paper: "GDAS (Dong & Yang 2019)",
        weighs: "one-hot of softmax((α + Gumbel)/τ), straight through",
        runs: "one sampled path",
        ..darts::ABOUT
    },
    changes: settings,
    without: &[],
};

fn settings(config: &mut BilevelConfig, task: &Task<'_>) {
    // As its authors run it on their benchmark.
    let others = task.space.name() == nas_bench_201::NAME;
    config.weighing = Weighing::GumbelPath { temperature: Schedule::Linear { from: 10.0, to: 0.1 }, others };
}
