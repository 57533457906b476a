//! The state before a step, to go back to when the step fails.
//!
//! The architecture step is written before the weight step's loss is known, and a loss may be finite
//! while its gradient is not: the guards of the optimisers alone cannot promise that a step which
//! fails leaves everything as it was.

use super::{AlphaStep, SearchError};
use crate::device::{Recorder, Recording};
use crate::estimate::Supernet;
use crate::tensor::Tensor;

/// Architecture weights, their optimiser's moments and the running statistics. (The weights and their
/// velocities are written last, behind all guards.)
pub(super) struct Rollback {
    /// Remembers the state; run before each step.
    pub(super) save: Recording,
    /// Brings it back.
    pub(super) restore: Recording,
}

impl Rollback {
    pub(super) fn new(supernet: &Supernet, alpha: &AlphaStep) -> Result<Self, SearchError> {
        let device = supernet.device();
        let [first, second] = alpha.moments();
        let statistics = supernet.network().statistics().running();
        let (mut save, mut restore) = (Recorder::new(device), Recorder::new(device));
        for live in [supernet.alphas().values(), first, second, statistics] {
            // A network without batch normalisation has no statistics.
            if live.count() > 0 {
                let kept = Tensor::zeros(device, live.shape())?;
                super::alpha::copy(&mut save, live, &kept)?;
                super::alpha::copy(&mut restore, &kept, live)?;
            }
        }
        Ok(Self { save: save.finish(), restore: restore.finish() })
    }
}
