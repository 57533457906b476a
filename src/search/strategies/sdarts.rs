//! SDARTS (Chen & Hsieh 2020, "Stabilizing differentiable architecture search via perturbation-based regularization"): the
//! weights' step sees perturbed weights of options.

use super::darts;
use super::gradient::Gradient;
use crate::optim::Schedule;
use crate::search::bilevel::{BilevelConfig, Perturbation};
use crate::search::strategy::{About, Task};

/// ε by epoch.
const EPSILON: Schedule = Schedule::Linear { from: 0.03, to: 0.3 };

/// With random perturbations (equation 6).
pub static RANDOM: Gradient = Gradient {
    about: About {
        name: "sdarts-rs",
        paper: "SDARTS-RS (Chen & Hsieh 2020)",
        weighs: "softmax(α); for w with uniform noise of at most ε",
        ..darts::ABOUT
    },
    changes: random,
    without: &[],
};

/// With adversarial ones (equation 7).
pub static ADVERSARIAL: Gradient = Gradient {
    about: About {
        name: "sdarts-adv",
        paper: "SDARTS-ADV (Chen & Hsieh 2020)",
        weighs: "softmax(α); for w the worst within ε, by 7 steps of ascent",
        ..darts::ABOUT
    },
    changes: adversarial,
    without: &[],
};

fn random(config: &mut BilevelConfig, _: &Task<'_>) {
    config.perturbation = Perturbation::Random { epsilon: EPSILON };
}

fn adversarial(config: &mut BilevelConfig, _: &Task<'_>) {
    config.perturbation = Perturbation::Adversarial { epsilon: EPSILON, steps: 7 };
}
