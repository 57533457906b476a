//! What a search strategy is to everything else: what it is called, what it does unless told otherwise, and how it is built.

use super::study::Sampler;
use super::{BoxFuture, SearchError, Stepper};
use crate::data::{Augmentation, Resident, Scale};
use crate::device::Device;
use crate::estimate::{Table, TrainingConfig};
use crate::settings::{Settings, SettingsError};
use crate::space::{NetworkSettings, Space};
use std::sync::Arc;

/// A search strategy as a reader of the literature knows it: its row of `docs/methods.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Name on the command line.
    pub name: &'static str,
    /// Name in the literature, with its paper.
    pub paper: &'static str,
    /// How architecture weights become weights of options, or how architectures are drawn.
    pub weighs: &'static str,
    /// What one step computes.
    pub runs: &'static str,
    /// How what chooses is trained.
    pub learns: &'static str,
    /// When it stops.
    pub stops: &'static str,
    /// How the architecture is chosen in the end.
    pub chooses: &'static str,
}

/// What is to be searched, as far as a preset depends on it.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// What the data allow.
    pub scale: Scale,
    /// How their images may be varied.
    pub augmentation: Augmentation,
    /// The space.
    pub space: &'a dyn Space,
    /// Epochs of search, altogether, if that was said: what a strategy counts in epochs goes by them.
    pub epochs: Option<u32>,
}

/// What a strategy searches with.
#[derive(Clone, Copy)]
pub struct Bench<'a> {
    /// Where it is computed.
    pub device: &'a Device,
    /// The space.
    pub space: &'a dyn Space,
    /// What the supernet is built for.
    pub settings: &'a NetworkSettings,
    /// The training images.
    pub images: &'a Resident,
    /// Their labels, for splits.
    pub labels: &'a [u32],
    /// Seed of everything random.
    pub seed: u64,
    /// What networks that are trained from scratch are built for.
    pub network: &'a NetworkSettings,
    /// How they are trained.
    pub train: &'a TrainingConfig,
    /// The table in which architectures can be looked up instead, if there is one.
    pub table: Option<&'a Arc<Table>>,
}

/// A search strategy: a struct in a file of its own, and a line in [`ALL`](super::ALL), or, outside of the crate, in the list that
/// a configuration is read with. Everything else goes by what it says of itself.
pub trait Strategy: Sync {
    /// What it is.
    fn about(&self) -> &About;

    /// Its settings unless told otherwise. A setting that does nothing in this space is not among them: whoever gives it
    /// hears so.
    ///
    /// # Errors
    /// If they cannot be written.
    fn preset(&self, task: &Task<'_>) -> Result<Settings, SettingsError>;

    /// Whether settings, all of those of its preset, can be used, for a supernet that is built so.
    ///
    /// # Errors
    /// Which cannot, and what it must be. The problem begins with the key.
    fn check(&self, settings: &Settings, supernet: &NetworkSettings) -> Result<(), SettingsError>;

    /// Primitives of a published space that it does without.
    fn without(&self) -> &[&str] {
        &[]
    }

    /// What the supernet's channels should be a multiple of, with settings such as its preset.
    fn parts(&self, _settings: &Settings) -> usize {
        1
    }

    /// What decides which trial of a study comes next, if that is what it does: then its search is a study.
    fn sampler(&self, _settings: &Settings, _seed: u64) -> Option<Result<Box<dyn Sampler>, SearchError>> {
        None
    }

    /// A search before its first step.
    ///
    /// # Errors
    /// [`SearchError::Settings`] if it cannot search this space so; an error of the device.
    fn build<'a>(
        &self,
        settings: &Settings,
        bench: Bench<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Stepper + 'a>, SearchError>>;
}
