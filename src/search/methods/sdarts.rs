//! SDARTS (Chen & Hsieh 2020, "Stabilizing differentiable architecture search via perturbation-based regularization"): the
//! weights' step sees perturbed weights of options.

use super::{Method, darts};
use crate::optim::Schedule;
use crate::search::bilevel::{BilevelConfig, Perturbation};

/// ε by epoch.
const EPSILON: Schedule = Schedule::Linear { from: 0.03, to: 0.3 };

/// With random perturbations (equation 6).
pub const RANDOM: Method = Method {
    name: "sdarts-rs",
    paper: "SDARTS-RS (Chen & Hsieh 2020)",
    weighs: "softmax(α); for w with uniform noise of at most ε",
    settings: Some(random),
    ..darts::FIRST
};

/// With adversarial ones (equation 7).
pub const ADVERSARIAL: Method = Method {
    name: "sdarts-adv",
    paper: "SDARTS-ADV (Chen & Hsieh 2020)",
    weighs: "softmax(α); for w the worst within ε, by 7 steps of ascent",
    settings: Some(adversarial),
    ..darts::FIRST
};

fn random(config: &mut BilevelConfig, _: bool) {
    config.perturbation = Perturbation::Random { epsilon: EPSILON };
}

fn adversarial(config: &mut BilevelConfig, _: bool) {
    config.perturbation = Perturbation::Adversarial { epsilon: EPSILON, steps: 7 };
}
