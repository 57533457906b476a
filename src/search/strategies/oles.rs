//! OLES (Jiang et al. 2023, "Operation-level early stopping for robustifying differentiable NAS"): operations whose gradients of both
//! halves no longer agree are not trained any more.

use super::darts;
use super::gradient::Gradient;
use crate::search::bilevel::{BilevelConfig, Freezing};
use crate::search::strategy::{About, Task};

/// OLES, with the gradients of both losses told apart. `freezing.clean = false` is the published code's.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "oles",
        paper: "OLES (Jiang et al. 2023)",
        stops: "each operation's training, when its gradients of both halves disagree",
        ..darts::ABOUT
    },
    changes: settings,
    without: &[],
};

fn settings(config: &mut BilevelConfig, _: &Task<'_>) {
    config.freezing = Freezing::Gradients { threshold: 0.4, window: 20, clean: true };
}
