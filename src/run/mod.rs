//! One experiment on disk: its configuration, what it measured, what it found. The only floor, with
//! `cli` above it, that opens files and waits for a device.

pub mod architecture;
mod architecture_text;
mod check;
pub mod config;
mod directory;
mod error;
mod experiment;
pub mod files;
mod follow;
mod history;
mod images;
mod observer;
mod owners;
mod presets;
mod read;
mod summary;

pub use architecture::ArchitectureError;
pub use architecture_text::ArchitectureText;
pub use config::{Config, ConfigError};
pub use directory::Directory;
pub use error::RunError;
pub use experiment::{Outcome, Trained, search, train};
pub use history::History;
pub use images::ImagesConfig;
pub use observer::{Observer, Silent};
pub use owners::{Purpose, spaces_that_read};
pub use read::{Setting, Sources};
pub use summary::{NetworkFacts, SharedWeights, Summary};
