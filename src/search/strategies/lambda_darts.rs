//! Λ-DARTS (Movahedi et al. 2023, "Λ-DARTS: mitigating performance collapse by harmonizing operation selection among cells"): the step
//! of the shared weights aligns the gradients that layers give the architecture weights they share. Its second form, by signs, is the
//! setting `alignment = { kind = "sign_correlation", … }`.

use super::darts;
use super::gradient::Gradient;
use crate::optim::Schedule;
use crate::search::bilevel::{Alignment, BilevelConfig};
use crate::search::strategy::{About, Task};

/// Λ-DARTS.
pub static METHOD: Gradient = Gradient {
    about: About {
        name: "lambda-darts",
        paper: "Λ-DARTS (Movahedi et al. 2023)",
        runs: "all options, the step of w at three p",
        learns: "∇α L_val(w, α), Adam; w raises the mean cosine of ∂L_train/∂p of layers",
        ..darts::ABOUT
    },
    changes: settings,
    without: &["none"],
};

fn settings(config: &mut BilevelConfig, task: &Task<'_>) {
    let of_benchmark = task.space.name() == "nas-bench-201";
    // λ_e = λ·e/(E − 1) in epoch e from 0.
    let to = if of_benchmark { 0.25 } else { 0.125 };
    let weight = Schedule::Linear { from: 0.0, to };
    config.weights_first = of_benchmark;
    config.alignment = Alignment::Correlation { weight, distance: 1e-4 };
    if !task.scale.is_brief() {
        if of_benchmark {
            config.epochs = task.epochs.unwrap_or(100);
            config.alpha_rate = 1e-4;
        } else {
            config.batch = 96;
        }
    }
}
