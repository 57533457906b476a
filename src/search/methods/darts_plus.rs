//! DARTS+ (Liang et al. 2019, "DARTS+: improved differentiable architecture search with early stopping").

use super::{Method, darts};
use crate::search::bilevel::{BilevelConfig, Stop};

/// DARTS+.
pub const METHOD: Method = Method {
    name: "darts-plus",
    paper: "DARTS+ (Liang et al. 2019)",
    stops: "at two skips in the normal cell",
    settings: Some(settings),
    ..darts::FIRST
};

fn settings(config: &mut BilevelConfig, brief: bool) {
    config.stop = Stop::Skips { most: 2, earliest: if brief { config.epochs / 5 } else { 10 } };
}
