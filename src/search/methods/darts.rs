//! DARTS (Liu, Simonyan & Yang 2019, "DARTS: differentiable architecture search").

use super::Method;
use crate::search::bilevel::{BilevelConfig, Order};

/// First order: what the other gradient methods are held to.
pub const FIRST: Method = Method {
    name: "darts",
    paper: "DARTS, first order (Liu et al. 2019)",
    weighs: "softmax(α)",
    runs: "all options",
    learns: "∇α L_val(w, α), Adam",
    stops: "after its epochs",
    chooses: "largest weights",
    settings: Some(|_, _| ()),
    without: &[],
};

/// Second order (equations 6 to 8).
pub const SECOND: Method = Method {
    name: "darts-2nd",
    paper: "DARTS, second order (Liu et al. 2019)",
    learns: "∇α L_val(w − ξ∇w L_train, α), Hessian product by differences, Adam",
    settings: Some(second),
    ..FIRST
};

fn second(config: &mut BilevelConfig, _: bool) {
    config.order = Order::Second;
}
