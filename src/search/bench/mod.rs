//! Workloads to be timed, on random data that stay on the device: a search step of a supernet or of its paths, one of
//! its edges, a training step of a network, what it says of a batch; and what a device can do at most.

mod edge;
mod inference;
mod path;
mod peak;
mod supernet;
mod training;

pub use edge::EdgeBench;
pub use inference::InferenceBench;
pub use path::PathBench;
pub use peak::Peak;
pub use supernet::StepBench;
pub use training::TrainingBench;

use super::SearchError;
use crate::device::{Device, Launches, Recording, Timing};
use std::time::Duration;

/// Something that is done again and again, the same every time.
pub trait Workload {
    /// The device it runs on.
    fn device(&self) -> &Device;

    /// What one turn runs, in order.
    fn recordings(&self) -> Vec<&Recording>;

    /// Number of learned parameters.
    fn parameters(&self) -> usize;

    /// Takes one turn, from writing what changes to having read the results.
    ///
    /// # Errors
    /// [`SearchError::NotFinite`] if a loss or norm is not finite; an error of the device.
    fn step(&mut self) -> impl Future<Output = Result<Duration, SearchError>>;

    /// Takes one turn and times each command of it.
    ///
    /// # Errors
    /// As [`Workload::step`].
    fn profile(&mut self) -> impl Future<Output = Result<Vec<Timing>, SearchError>>;

    /// Dispatches of one turn.
    fn dispatches(&self) -> usize {
        self.recordings().into_iter().map(Recording::dispatches).sum()
    }

    /// What it takes to launch one turn.
    fn launches(&self) -> Launches {
        let mut all = Launches::default();
        self.recordings().into_iter().for_each(|recording| all += recording.launches(self.device().limits()));
        all
    }

    /// Bytes that the dispatches of one turn read plus write.
    fn bytes_moved(&self) -> u64 {
        self.recordings().into_iter().map(Recording::bytes_moved).sum()
    }

    /// Floating-point operations of one turn.
    fn flops(&self) -> u64 {
        self.recordings().into_iter().map(Recording::flops).sum()
    }
}
