//! What all samplers share: their searches are studies.

use crate::search::strategy::{About, Bench, Strategy, Task};
use crate::search::study::{Sampler, Study, StudyConfig};
use crate::search::{BoxFuture, SearchError, Stepper};
use crate::settings::{Settings, SettingsError};
use crate::space::NetworkSettings;

/// What makes a sampler of settings and a seed.
pub type Make = fn(&Settings, u64) -> Result<Box<dyn Sampler>, SettingsError>;

/// A sampler by name.
#[derive(Clone, Copy, Debug)]
pub struct Sampled {
    /// What it is.
    pub about: About,
    /// The settings of a study with it, unless told otherwise.
    pub preset: fn(&StudyConfig, &Task<'_>) -> Result<Settings, SettingsError>,
    /// Checks its own settings and makes it, with a seed.
    pub make: Make,
}

impl Strategy for Sampled {
    fn about(&self) -> &About {
        &self.about
    }

    fn preset(&self, task: &Task<'_>) -> Result<Settings, SettingsError> {
        let mut config = StudyConfig::preset(task.scale);
        config.epochs = task.epochs.unwrap_or(config.epochs);
        (self.preset)(&config, task)
    }

    fn check(&self, settings: &Settings, _: &NetworkSettings) -> Result<(), SettingsError> {
        let (config, own) = StudyConfig::read(settings)?;
        config.check()?;
        (self.make)(&own, 0).map(|_| ())
    }

    fn sampler(&self, settings: &Settings, seed: u64) -> Option<Result<Box<dyn Sampler>, SearchError>> {
        let made = StudyConfig::read(settings).and_then(|(_, own)| (self.make)(&own, seed));
        Some(made.map_err(SearchError::from))
    }

    fn build<'a>(
        &self,
        settings: &Settings,
        bench: Bench<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Stepper + 'a>, SearchError>> {
        let read = StudyConfig::read(settings).and_then(|(config, own)| Ok((config, (self.make)(&own, bench.seed)?)));
        Box::pin(async move {
            let (config, sampler) = read?;
            Ok(Box::new(Study::new(bench, config, sampler)?) as Box<dyn Stepper + 'a>)
        })
    }
}
