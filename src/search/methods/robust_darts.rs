//! RobustDARTS (Zela et al. 2020, "Understanding and robustifying differentiable architecture search"): its early stopping.

use super::{Method, darts};
use crate::search::bilevel::{BilevelConfig, Stop};

/// RobustDARTS.
pub const METHOD: Method = Method {
    name: "robust-darts",
    paper: "RobustDARTS, early stopping (Zela et al. 2020)",
    stops: "when the largest eigenvalue of ∇²α L_val has grown 1.3×",
    settings: Some(settings),
    ..darts::FIRST
};

fn settings(config: &mut BilevelConfig, brief: bool) {
    let (every, earliest) = if brief { (1, config.epochs / 5) } else { (2, 10) };
    config.stop = Stop::Eigenvalue { every, window: 5, back: 4, ratio: 1.3, earliest };
}
