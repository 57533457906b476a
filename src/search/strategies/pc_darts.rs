//! PC-DARTS (Xu et al. 2020, "PC-DARTS: partial channel connections for memory-efficient architecture search"): operations
//! see a quarter of the channels, edges have weights of their own, α is frozen at first.

use super::darts;
use super::gradient::{Gradient, share};
use crate::optim::Schedule;
use crate::search::bilevel::BilevelConfig;
use crate::search::strategy::{About, Task};

/// PC-DARTS.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "pc-darts",
        paper: "PC-DARTS (Xu et al. 2020)",
        weighs: "softmax(α) · softmax(β) of edges",
        runs: "all options on 1/4 of the channels",
        learns: "∇α L_val(w, α) after a warm-up, Adam",
        chooses: "largest products of both weights",
        ..darts::ABOUT
    },
    changes: settings,
    without: &[],
};

fn settings(config: &mut BilevelConfig, task: &Task<'_>) {
    let brief = task.scale.is_brief();
    config.parts = 4;
    config.warmup = share(config.epochs, 15, 50);
    if !brief {
        config.batch = 256;
        config.rate = Schedule::Cosine { from: 0.1, to: 0.0 };
        config.alpha_rate = 6e-4;
    }
}
