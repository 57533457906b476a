//! DARTS (Liu, Simonyan & Yang 2019, "DARTS: differentiable architecture search").

use super::gradient::Gradient;
use crate::search::bilevel::{BilevelConfig, Order};
use crate::search::strategy::{About, Task};

/// What first order is, and most gradient methods in most respects.
pub(super) const ABOUT: About = About {
    name: "darts",
    paper: "DARTS, first order (Liu et al. 2019)",
    weighs: "softmax(α)",
    runs: "all options",
    learns: "∇α L_val(w, α), Adam",
    stops: "after its epochs",
    chooses: "largest weights",
};

/// First order: what the other gradient methods are held to.
pub static FIRST: Gradient = Gradient { about: ABOUT, changes: |_, _| (), without: &[] };

/// Second order (equations 6 to 8).
pub static SECOND: Gradient = Gradient {
    about: About {
        name: "darts-2nd",
        paper: "DARTS, second order (Liu et al. 2019)",
        learns: "∇α L_val(w − ξ∇w L_train, α), Hessian product by differences, Adam",
        ..ABOUT
    },
    changes: second,
    without: &[],
};

fn second(config: &mut BilevelConfig, _: &Task<'_>) {
    config.order = Order::Second;
}
