//! SNAS (Xie et al. 2019, "SNAS: stochastic neural architecture search"), as one of two levels: all options, weighed by the
//! Gumbel-softmax. The temperature falls as GDAS's, from 1.

use super::{Method, darts};
use crate::optim::Schedule;
use crate::search::bilevel::{BilevelConfig, Weighing};

/// SNAS.
pub const METHOD: Method = Method {
    name: "snas",
    paper: "SNAS (Xie et al. 2019), in two levels",
    weighs: "softmax((α + Gumbel)/τ)",
    settings: Some(settings),
    ..darts::FIRST
};

fn settings(config: &mut BilevelConfig, _: bool) {
    config.weighing = Weighing::Gumbel { temperature: Schedule::Linear { from: 1.0, to: 0.03 } };
}
