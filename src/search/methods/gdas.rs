//! GDAS (Dong & Yang 2019, "Searching for a robust neural architecture in four GPU hours"): of each choice point only one
//! option is computed, drawn by the hard Gumbel-softmax.

use super::{Method, darts};
use crate::optim::Schedule;
use crate::search::bilevel::{BilevelConfig, Weighing};

/// GDAS.
pub const METHOD: Method = Method {
    name: "gdas",
    paper: "GDAS (Dong & Yang 2019)",
    weighs: "one-hot of softmax((α + Gumbel)/τ), straight through",
    runs: "one sampled path",
    settings: Some(settings),
    ..darts::FIRST
};

fn settings(config: &mut BilevelConfig, _: bool) {
    config.weighing = Weighing::GumbelPath { temperature: Schedule::Linear { from: 10.0, to: 0.1 }, others: false };
}
