//! What the searches by single paths share: they are the loop of [`one_shot`](crate::search::one_shot).

use crate::search::one_shot::{OneShot, OneShotConfig, Rank};
use crate::search::strategy::{About, Bench, Strategy, Task};
use crate::search::{BoxFuture, SearchError, Stepper};
use crate::settings::{Settings, SettingsError};
use crate::space::NetworkSettings;

/// A search by single paths.
#[derive(Clone, Copy, Debug)]
pub struct Paths {
    /// What it is.
    pub about: About,
    /// Which architectures are ranked in the end.
    pub rank: Rank,
    /// The setting of the other way to rank.
    pub not_read: &'static str,
}

impl Strategy for Paths {
    fn about(&self) -> &About {
        &self.about
    }

    fn preset(&self, task: &Task<'_>) -> Result<Settings, SettingsError> {
        let published = task.space.published().shared;
        let mut config = OneShotConfig::preset(task.scale, task.augmentation, published.as_ref());
        config.epochs = task.epochs.unwrap_or(config.epochs);
        Ok(Settings::of(&config)?.without(&[self.not_read]))
    }

    fn check(&self, settings: &Settings, _: &NetworkSettings) -> Result<(), SettingsError> {
        settings.read::<OneShotConfig>()?.check()
    }

    fn build<'a>(
        &self,
        settings: &Settings,
        bench: Bench<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Stepper + 'a>, SearchError>> {
        let (config, rank) = (settings.read::<OneShotConfig>(), self.rank);
        Box::pin(async move {
            let Bench { device, space, settings, images, labels, seed, .. } = bench;
            let graph = space.supernet(settings)?;
            let search = OneShot::new(device, space, graph, images, labels, config?, rank, seed)?;
            Ok(Box::new(search) as Box<dyn Stepper + 'a>)
        })
    }
}
