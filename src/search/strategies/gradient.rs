//! What all gradient methods share: they are the loop of [`bilevel`](crate::search::bilevel) with other parts.

use crate::numbers::common_multiple;
use crate::search::bilevel::{Bilevel, BilevelConfig};
use crate::search::strategy::{About, Bench, Strategy, Task};
use crate::search::{BoxFuture, SearchError, Stepper};
use crate::settings::{Settings, SettingsError};
use crate::space::NetworkSettings;

/// A gradient method.
#[derive(Clone, Copy, Debug)]
pub struct Gradient {
    /// What it is.
    pub about: About,
    /// What it changes of first-order DARTS. In a brief search, what counts epochs of the published fifty is left out or
    /// shortened; what a method *is* stays.
    pub changes: fn(&mut BilevelConfig, &Task<'_>),
    /// Primitives of the published space that it does without.
    pub without: &'static [&'static str],
}

impl Strategy for Gradient {
    fn about(&self) -> &About {
        &self.about
    }

    fn preset(&self, task: &Task<'_>) -> Result<Settings, SettingsError> {
        let mut config = BilevelConfig::preset(task.scale, task.augmentation);
        config.epochs = task.epochs.unwrap_or(config.epochs);
        (self.changes)(&mut config, task);
        let settings = Settings::of(&config)?;
        // Only where a derivation can leave out an edge is it asked what an option must weigh.
        Ok(if task.space.leaves_out() { settings } else { settings.without(&["threshold"]) })
    }

    fn check(&self, settings: &Settings, supernet: &NetworkSettings) -> Result<(), SettingsError> {
        settings.read::<BilevelConfig>()?.check(supernet)
    }

    fn without(&self) -> &[&str] {
        self.without
    }

    /// All stages can divide them: DrNAS has sixths and quarters of them.
    fn parts(&self, settings: &Settings) -> usize {
        let Ok(config) = settings.read::<BilevelConfig>() else { return 1 };
        let parts = config.stages.iter().map(|stage| stage.parts).chain([config.parts]);
        parts.filter(|&parts| parts > 0).fold(1, common_multiple)
    }

    fn build<'a>(
        &self,
        settings: &Settings,
        bench: Bench<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Stepper + 'a>, SearchError>> {
        let config = settings.read::<BilevelConfig>();
        Box::pin(async move {
            let Bench { device, space, settings, images, labels, seed, .. } = bench;
            let search = Bilevel::new(device, space, settings, images, labels, config?, seed).await?;
            Ok(Box::new(search) as Box<dyn Stepper + 'a>)
        })
    }
}

/// `part` in `whole` of some epochs, rounded down.
pub(super) fn share(epochs: u32, part: u32, whole: u32) -> u32 {
    (u64::from(epochs) * u64::from(part) / u64::from(whole)) as u32
}
