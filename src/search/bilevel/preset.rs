//! What gradient methods share unless told otherwise.

use super::config::BilevelConfig;
use crate::data::{Augmentation, Scale};
use crate::optim::Schedule;

impl BilevelConfig {
    /// First-order DARTS for data of a scale, varied so.
    pub fn preset(scale: Scale, augmentation: Augmentation) -> Self {
        let base = Self { augmentation, ..Self::default() };
        let small = Self { batch: 64, rate: Schedule::Cosine { from: 0.05, to: 0.001 }, ..base.clone() };
        match scale {
            // A search of 132 steps: with the published 3e-4 α would stay where it starts.
            Scale::Tiny => Self { epochs: 12, alpha_rate: 1e-2, ..small },
            Scale::Small => Self { epochs: 1, alpha_rate: 6e-3, ..small },
            Scale::Published => base,
        }
    }
}
