//! DARTS- (Chu et al. 2021, "DARTS-: robustly stepping out of performance collapse without indicators"): a skip connection beside the
//! options of each edge, whose weight falls to nothing.

use super::darts;
use super::gradient::Gradient;
use crate::optim::Schedule;
use crate::search::bilevel::{Auxiliary, BilevelConfig};
use crate::search::strategy::{About, Task};

/// DARTS-.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "darts-minus",
        paper: "DARTS- (Chu et al. 2021)",
        weighs: "softmax(α); a skip beside the options, β from 1 to 0",
        ..darts::ABOUT
    },
    changes: settings,
    without: &[],
};

fn settings(config: &mut BilevelConfig, _: &Task<'_>) {
    // β = 1 − e/E in epoch e from 0.
    let to = 1.0 / f64::from(config.epochs.max(1));
    config.auxiliary = Auxiliary::Skip { weight: Schedule::Linear { from: 1.0, to } };
}
