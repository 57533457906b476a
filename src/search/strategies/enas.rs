//! ENAS (Pham et al. 2018, "Efficient neural architecture search via parameter sharing"): its loop is
//! [`enas`](crate::search::enas).

use crate::data::Scale;
use crate::estimate::RewardStatistics;
use crate::optim::Schedule;
use crate::search::controller::ControllerConfig;
use crate::search::enas::{Enas, EnasConfig};
use crate::search::strategy::{About, Bench, Strategy, Task};
use crate::search::{BoxFuture, SearchError, Stepper};
use crate::settings::{Settings, SettingsError};
use crate::space::{NetworkSettings, Question, enas_macro, enas_micro};

/// ENAS.
pub static METHOD: Controlled = Controlled;

/// A search by a controller.
#[derive(Clone, Copy, Debug)]
pub struct Controlled;

static ABOUT: About = About {
    name: "enas",
    paper: "ENAS (Pham et al. 2018)",
    weighs: "architectures written by an LSTM controller",
    runs: "one path",
    learns: "REINFORCE on accuracy with shared weights, moving-average baseline, entropy bonus",
    stops: "after its epochs",
    chooses: "best of the controller's samples with shared weights; random ones beside it",
};

impl Strategy for Controlled {
    fn about(&self) -> &About {
        &ABOUT
    }

    fn preset(&self, task: &Task<'_>) -> Result<Settings, SettingsError> {
        let mut config = preset(task);
        config.epochs = task.epochs.unwrap_or(config.epochs);
        let settings = Settings::of(&config)?;
        // What skips should be is asked only where a controller decides about skips.
        let skips = task.space.questions().iter().any(|question| matches!(question, Question::Skips { .. }));
        Ok(if skips { settings } else { settings.without(&["controller.skip_weight", "controller.skip_target"]) })
    }

    fn check(&self, settings: &Settings, _: &NetworkSettings) -> Result<(), SettingsError> {
        settings.read::<EnasConfig>()?.check()
    }

    fn build<'a>(
        &self,
        settings: &Settings,
        bench: Bench<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Stepper + 'a>, SearchError>> {
        let config = settings.read::<EnasConfig>();
        Box::pin(async move {
            let Bench { device, space, settings, images, labels, seed, .. } = bench;
            let search = Enas::new(device, space, space.supernet(settings)?, images, labels, config?, seed)?;
            Ok(Box::new(search) as Box<dyn Stepper + 'a>)
        })
    }
}

/// As published for the two spaces that ENAS was published with; small data take larger steps, fewer of them.
fn preset(task: &Task<'_>) -> EnasConfig {
    let (space, augmentation) = (task.space.name(), task.augmentation);
    let controller = match space {
        enas_micro::NAME => ControllerConfig::default(),
        enas_macro::NAME => ControllerConfig::for_networks(),
        // Where none was published, that of NAS-Bench-201, which asks about operations alone and prefers none of them at the
        // start.
        _ => ControllerConfig::nas_bench_201(),
    };
    let base = match space {
        enas_macro::NAME => EnasConfig::for_networks(),
        _ => EnasConfig { controller: controller.clone(), ..EnasConfig::default() },
    };
    // A few hundred steps of the controller: with the published rates it would stay where it starts. Logits that reach less
    // far bear larger steps.
    let rate = if space == enas_micro::NAME { 3e-2 } else { 1e-2 };
    let samples = ControllerConfig::nas_bench_201().samples;
    let small = EnasConfig { controller: ControllerConfig { rate, samples, ..controller }, ..EnasConfig::default() };
    let small = match space {
        enas_macro::NAME => EnasConfig { statistics: RewardStatistics::Running, calibration: 0, ..small },
        _ => EnasConfig { calibration: 8, ..small },
    };
    match task.scale {
        Scale::Tiny => EnasConfig {
            epochs: 120,
            batch: 32,
            reward_batch: 128,
            updates: 4,
            validation: 0.3,
            rate: Schedule::Cosine { from: 0.1, to: 0.001 },
            augmentation,
            ..small
        },
        Scale::Small => EnasConfig {
            epochs: 2,
            batch: 64,
            reward_batch: 128,
            updates: 40,
            rate: Schedule::Cosine { from: 0.05, to: 0.001 },
            augmentation,
            ..small
        },
        Scale::Published => EnasConfig { augmentation: augmentation.with_cutout(0), ..base },
    }
}
