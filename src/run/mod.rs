//! One experiment on disk: its configuration, what it measured, what it found. The only floor, with
//! `cli` above it, that opens files and waits for a device.

pub mod architecture;
mod benchmark;
mod beside;
mod check;
mod checkpoint;
mod classes;
mod complete;
pub mod config;
mod config_error;
mod directory;
mod disk;
mod error;
pub mod evaluate;
mod experiment;
mod failure;
pub mod files;
mod foreign;
mod further;
mod history;
mod identity;
mod images;
mod ledger;
mod member;
mod model;
mod observer;
mod outcome;
mod owners;
mod phases;
#[cfg(feature = "images")]
pub mod predict;
mod read;
pub mod record;
mod retry;
pub mod seeds;
mod setup;
mod source;
mod standing;
pub mod suite;
mod summary;
mod supernet;
mod tables;
pub mod tabular;
pub mod trace;
mod workers;

pub use architecture::ArchitectureError;
pub use benchmark::read_table;
pub use classes::{ClassFacts, Imbalance};
pub use config::{
    BenchmarkConfig, CheckpointConfig, Config, DataConfig, DeviceConfig, FORMAT, NetworkSize, SearchConfig,
    SupernetSize,
};
pub use config_error::ConfigError;
pub use directory::{CONFIG, Directory};
pub use disk::{Disk, SystemDisk};
pub use error::RunError;
pub use experiment::{begin_at, begin_random_at, search, search_on, train, train_further, train_random};
pub use failure::Failure;
pub use history::{History, WeightRows, last_weights};
pub use images::ImagesConfig;
pub use model::Model;
pub use observer::{Observer, Silent};
pub use outcome::{Outcome, Trained};
pub use owners::{Purpose, spaces_that_read};
pub use read::{Read, Setting, Sources};
pub use retry::with_retries;
pub use summary::{
    NetworkFacts, RandomInTime, RandomSearch, RandomSummary, SharedWeights, Standing, Summary, TrialCounts,
};
pub use supernet::path_model;
