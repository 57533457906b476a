//! GAEA (Li et al. 2021, "Geometry-aware gradient algorithms for neural architecture search"): the weights of options are learned as
//! they are, by the exponentiated gradient, which drives them to sparse rows.

use super::gradient::Gradient;
use super::{darts, pc_darts};
use crate::optim::Schedule;
use crate::search::bilevel::{BilevelConfig, Selection, Update, Weighing};
use crate::search::strategy::{About, Task};

/// GAEA on the whole supernet; on NAS-Bench-201 with all images for both steps, as published.
pub static WHOLE: Gradient = Gradient {
    about: About {
        name: "gaea",
        paper: "GAEA (Li et al. 2021)",
        weighs: "p, rows that sum to 1",
        learns: "∇p L_val(w, p), exponentiated gradient",
        ..darts::ABOUT
    },
    changes: whole,
    without: &["none"],
};

/// GAEA on PC-DARTS.
pub static PARTIAL: Gradient = Gradient {
    about: About {
        name: "gaea-pc-darts",
        paper: "GAEA PC-DARTS (Li et al. 2021)",
        weighs: "p · q of edges, rows that sum to 1",
        learns: "∇p L_val(w, p), exponentiated gradient",
        chooses: "largest products of both weights, after the best epoch",
        ..pc_darts::METHOD.about
    },
    changes: partial,
    without: &[],
};

/// What both have.
fn exponentiated(config: &mut BilevelConfig) {
    config.weighing = Weighing::Direct;
    config.update = Update::Exponentiated { floor: 1e-5 };
    config.alpha_rate = 0.1;
}

fn whole(config: &mut BilevelConfig, task: &Task<'_>) {
    exponentiated(config);
    if task.space.name() == "nas-bench-201" {
        config.all_images = true;
        if !task.scale.is_brief() {
            config.epochs = task.epochs.unwrap_or(25);
            // The first half of a cosine.
            config.rate = Schedule::WarmRestarts { from: 0.025, to: 0.001, first: 2 * config.epochs, times: 1 };
        }
    }
}

fn partial(config: &mut BilevelConfig, task: &Task<'_>) {
    exponentiated(config);
    config.parts = 4;
    config.selection = Selection::BestEpoch;
    if !task.scale.is_brief() {
        config.batch = 256;
        config.rate = Schedule::Cosine { from: 0.1, to: 0.0 };
    }
}
