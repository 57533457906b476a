//! DARTS-PT (Wang et al. 2021, "Rethinking architecture selection in differentiable NAS").

use super::{Method, darts};
use crate::search::bilevel::{BilevelConfig, Selection};

/// DARTS-PT.
pub const METHOD: Method = Method {
    name: "darts-pt",
    paper: "DARTS-PT (Wang et al. 2021)",
    chooses: "edge by edge the option whose loss costs most accuracy, tuned in between",
    settings: Some(settings),
    ..darts::FIRST
};

fn settings(config: &mut BilevelConfig, brief: bool) {
    config.selection = Selection::Masking { tune: if brief { 1 } else { 5 }, divisor: 10.0 };
}
