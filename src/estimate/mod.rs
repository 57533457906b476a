//! Performance estimation: what an architecture is worth.
//!
//! [`Supernet`] holds the weights that all architectures share and takes their training steps, [`PathTraining`] trains them
//! one architecture at a time and measures architectures with them;
//! [`Training`] trains one architecture from scratch; [`Evaluation`] measures accuracy. Strategies
//! call these, they do not own them.
//!
//! An [`Estimator`] is what they have in common: it starts a [`Job`], which goes step by step to what an architecture
//! came to ([`Measured`]). [`FromScratch`] and [`SharedWeights`] are estimators.

mod confusion;
mod costs;
mod error;
mod evaluation;
mod from_scratch;
mod host_weights;
mod inference;
mod job;
pub mod limits;
pub mod measured;
mod paths;
mod preset;
mod scalars;
mod shared;
mod supernet;
mod table;
mod target;
mod training;

pub use confusion::{ClassScore, Confusion};
pub use error::EstimateError;
pub use evaluation::{Evaluation, Score};
pub use from_scratch::FromScratch;
pub use host_weights::HostWeights;
pub use inference::Inference;
pub use job::{BoxFuture, Estimator, Fidelity, Job, JobEvent, Progress, finish};
pub use measured::Measured;
pub use paths::{PathConfig, PathStep, PathTraining, RewardBatches, RewardStatistics};
pub use scalars::Scalars;
pub use shared::SharedWeights;
pub use supernet::{ALPHA_DEVIATION, Supernet, SupernetConfig, Wants};
pub use table::{LATENCY, Lookup, TEST_ACCURACY, Table, TableError};
pub use training::{EpochReport, Training, TrainingConfig};

use crate::device::Recording;
use crate::tensor::Error;

/// Where a value that is not finite first appeared: by running a recording again, command by command.
///
/// # Errors
/// An error of the device.
pub async fn blame(device: &crate::device::Device, recordings: &[&Recording]) -> Result<String, Error> {
    for recording in recordings {
        if let Some((kernel, scope)) = device.first_not_finite(recording).await? {
            let place = if scope.is_empty() { String::new() } else { format!(" of `{scope}`") };
            return Ok(format!("kernel `{kernel}`{place}"));
        }
    }
    Ok("no kernel when run again".into())
}

#[cfg(test)]
mod tests;
