//! One experiment on disk: its configuration, what it measured, what it found. The only floor, with
//! `cli` above it, that opens files and waits for a device.

mod check;
pub mod config;
mod directory;
mod error;
mod experiment;
pub mod files;
mod follow;
mod history;
mod presets;
mod summary;

pub use config::{Config, ConfigError};
pub use directory::Directory;
pub use error::RunError;
pub use experiment::{Observer, Outcome, Silent, Trained, search, train};
pub use history::History;
pub use summary::{NetworkFacts, SharedWeights, Summary};
