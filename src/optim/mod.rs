//! Optimisers and schedules over flat buffers.

mod adam;
mod schedule;
mod sgd;
mod step;

pub use adam::{Adam, AdamConfig};
pub use schedule::Schedule;
pub use sgd::{Sgd, SgdConfig};
pub use step::{Step, StepBuffer};
