//! What suits which dataset and space.

use super::config::NetworkConfig;
use super::{Config, ImagesConfig, files};
use crate::data::Augmentation;
use crate::estimate::{RewardStatistics, TrainingConfig};
use crate::numbers::common_multiple;
use crate::optim::{Schedule, SgdConfig};
use crate::search::METHODS;
use crate::search::bilevel::{BilevelConfig, Weighing};
use crate::search::controller::ControllerConfig;
use crate::search::enas::EnasConfig;
use crate::search::one_shot::{EvolutionConfig, OneShotConfig};
use crate::space::{SpaceSettings, enas_macro, enas_micro, nas_bench_201};

impl Config {
    /// What suits a dataset: `digits`, `mnist` and its kin are sized for two CPU cores, everything else is as DARTS was published for CIFAR-10.
    pub fn preset(data: &str) -> Self {
        let base = Self {
            space: "darts".into(),
            strategy: "darts".into(),
            data: data.into(),
            data_dir: None,
            architecture: None,
            seed: 0,
            random: 3,
            baseline: true,
            images: ImagesConfig::default(),
            space_settings: SpaceSettings::default(),
            supernet: NetworkConfig::default(),
            network: NetworkConfig { channels: 36, layers: 20, auxiliary: false, ..NetworkConfig::default() },
            search: BilevelConfig::default(),
            one_shot: OneShotConfig::default(),
            enas: EnasConfig { controller: controller_for("darts"), ..EnasConfig::default() },
            train: TrainingConfig::default(),
        };
        // Letters and digits mean something else the other way round.
        let flip = data == "fashion-mnist";
        let small = SgdConfig { nesterov: true, weight_decay: 5e-4, ..SgdConfig::default() };
        match data {
            "digits" => Self {
                supernet: NetworkConfig { channels: 4, layers: 3, auxiliary: false, ..NetworkConfig::default() },
                network: NetworkConfig { channels: 8, layers: 3, auxiliary: false, ..NetworkConfig::default() },
                search: BilevelConfig {
                    epochs: 12,
                    batch: 64,
                    // A search of 132 steps: with the published 3e-4 α would stay where it starts.
                    alpha_rate: 1e-2,
                    rate: Schedule::Cosine { from: 0.05, to: 0.001 },
                    augmentation: Augmentation { padding: 1, flip: false, cutout: 0 },
                    ..base.search.clone()
                },
                one_shot: OneShotConfig {
                    epochs: 120,
                    rate: Schedule::Cosine { from: 0.05, to: 0.001 },
                    augmentation: Augmentation { padding: 1, flip: false, cutout: 0 },
                    calibration: 8,
                    samples: 50,
                    evolution: EvolutionConfig {
                        population: 20,
                        generations: 5,
                        parents: 5,
                        mutations: 10,
                        crossovers: 10,
                        ..base.one_shot.evolution
                    },
                    ..base.one_shot
                },
                enas: EnasConfig {
                    epochs: 120,
                    batch: 32,
                    reward_batch: 128,
                    updates: 4,
                    validation: 0.3,
                    calibration: 8,
                    rate: Schedule::Cosine { from: 0.1, to: 0.001 },
                    augmentation: Augmentation { padding: 1, flip: false, cutout: 0 },
                    // A few hundred steps of the controller: with the published rates it would stay where it starts.
                    controller: ControllerConfig { rate: 1e-2, ..base.enas.controller },
                    ..base.enas
                },
                train: TrainingConfig {
                    epochs: 32,
                    batch: 64,
                    sgd: small,
                    rate: Schedule::Cosine { from: 0.1, to: 0.0 },
                    augmentation: Augmentation { padding: 1, flip: false, cutout: 0 },
                    drop_path: 0.0,
                    label_smoothing: 0.05,
                    ..base.train
                },
                ..base
            },
            _ if files::is_like_mnist(data) => Self {
                supernet: NetworkConfig { channels: 4, layers: 3, auxiliary: false, ..NetworkConfig::default() },
                network: NetworkConfig { channels: 8, layers: 4, auxiliary: false, ..NetworkConfig::default() },
                search: BilevelConfig {
                    epochs: 1,
                    batch: 64,
                    alpha_rate: 6e-3,
                    rate: Schedule::Cosine { from: 0.05, to: 0.001 },
                    augmentation: Augmentation { padding: 2, flip, cutout: 0 },
                    ..base.search.clone()
                },
                one_shot: OneShotConfig {
                    epochs: 2,
                    rate: Schedule::Cosine { from: 0.05, to: 0.001 },
                    augmentation: Augmentation { padding: 2, flip, cutout: 0 },
                    calibration: 8,
                    samples: 10,
                    evolution: EvolutionConfig {
                        population: 10,
                        generations: 3,
                        parents: 3,
                        mutations: 5,
                        crossovers: 5,
                        ..base.one_shot.evolution
                    },
                    ..base.one_shot
                },
                enas: EnasConfig {
                    epochs: 2,
                    batch: 64,
                    reward_batch: 128,
                    updates: 40,
                    calibration: 8,
                    rate: Schedule::Cosine { from: 0.05, to: 0.001 },
                    augmentation: Augmentation { padding: 2, flip, cutout: 0 },
                    controller: ControllerConfig { rate: 1e-2, ..base.enas.controller },
                    ..base.enas
                },
                train: TrainingConfig {
                    epochs: 3,
                    batch: 96,
                    sgd: small,
                    rate: Schedule::Cosine { from: 0.1, to: 0.0 },
                    augmentation: Augmentation { padding: 2, flip, cutout: 0 },
                    drop_path: 0.0,
                    ..base.train
                },
                ..base
            },
            _ => base,
        }
    }

    /// The same for another space, with the sizes and the training it was published with. What suits a small
    /// dataset stays.
    pub fn for_space(self, space: &str) -> Self {
        let small = files::is_small(&self.data);
        let controller = controller_for(space);
        let enas = if small {
            // Few images, few steps: what was published for them would leave the controller where it starts. Logits that
            // reach less far bear larger steps.
            let ControllerConfig { rate, samples, .. } = self.enas.controller;
            let rate = if space == enas_micro::NAME { 3.0 * rate } else { rate };
            let controller = ControllerConfig { rate, samples, ..controller };
            match space {
                enas_macro::NAME => {
                    EnasConfig { statistics: RewardStatistics::Running, calibration: 0, controller, ..self.enas }
                }
                _ => EnasConfig { controller, ..self.enas },
            }
        } else {
            match space {
                enas_macro::NAME => EnasConfig::for_networks(),
                _ => EnasConfig { controller, ..self.enas },
            }
        };
        let config = Self { space: space.into(), enas, ..self };
        if small {
            return config;
        }
        let size = |channels, layers| NetworkConfig { channels, layers, auxiliary: false, ..NetworkConfig::default() };
        let sgd = |weight_decay| SgdConfig { nesterov: true, weight_decay, clip: 0.0, ..SgdConfig::default() };
        let restarts = |to| Schedule::WarmRestarts { from: 0.05, to, first: 10, times: 2 };
        match space {
            nas_bench_201::NAME => Self {
                supernet: size(16, nas_bench_201::LAYERS),
                network: size(16, nas_bench_201::LAYERS),
                train: TrainingConfig {
                    epochs: 200,
                    batch: 256,
                    sgd: sgd(5e-4),
                    rate: Schedule::Cosine { from: 0.1, to: 0.0 },
                    augmentation: Augmentation { cutout: 0, ..config.train.augmentation },
                    drop_path: 0.0,
                    ..config.train
                },
                ..config
            },
            // The published weight decay is that of a penalty, half a square: its gradient has twice the factor.
            enas_micro::NAME => Self {
                supernet: size(20, enas_micro::LAYERS),
                network: size(36, 15 + 2),
                one_shot: OneShotConfig {
                    epochs: 150,
                    batch: 160,
                    sgd: sgd(2e-4),
                    rate: restarts(5e-4),
                    ..config.one_shot
                },
                train: TrainingConfig {
                    epochs: 630,
                    batch: 144,
                    sgd: sgd(4e-4),
                    rate: restarts(1e-4),
                    drop_path: 0.4,
                    ..config.train
                },
                ..config
            },
            enas_macro::NAME => Self {
                supernet: size(36, enas_macro::LAYERS),
                network: size(36, enas_macro::LAYERS),
                one_shot: OneShotConfig {
                    epochs: 310,
                    batch: 128,
                    sgd: sgd(5e-4),
                    rate: restarts(5e-4),
                    ..config.one_shot
                },
                train: TrainingConfig {
                    epochs: 310,
                    batch: 100,
                    sgd: sgd(4e-4),
                    rate: restarts(1e-3),
                    drop_path: 0.0,
                    ..config.train
                },
                ..config
            },
            _ => config,
        }
    }

    /// The same with so many epochs of search, whatever the strategy. After [`Config::for_space`], which may have epochs of
    /// its own, and before [`Config::for_strategy`], which divides them among its stages and counts warm-ups by them.
    pub fn with_budget(self, epochs: u32) -> Self {
        Self {
            search: BilevelConfig { epochs, ..self.search },
            one_shot: OneShotConfig { epochs, ..self.one_shot },
            enas: EnasConfig { epochs, ..self.enas },
            ..self
        }
    }

    /// The same for another strategy: what it changes of DARTS, as published; what counts epochs is shortened for a
    /// small dataset's search.
    pub fn for_strategy(mut self, strategy: &str) -> Self {
        let brief = files::is_small(&self.data);
        if let Some(method) = METHODS.iter().find(|m| m.name == strategy) {
            if let Some(settings) = method.settings {
                settings(&mut self.search, brief);
            }
            self.space_settings.primitives.retain(|primitive| !method.without.contains(&primitive.as_str()));
            // Channels that all stages can divide: DrNAS has sixths and quarters of them.
            let parts = self.search.stages.iter().map(|stage| stage.parts).chain([self.search.parts]);
            let least = parts.filter(|&parts| parts > 0).fold(1, common_multiple);
            self.supernet.channels = self.supernet.channels.next_multiple_of(least);
        }
        if let (Weighing::GumbelPath { others, .. }, nas_bench_201::NAME) =
            (&mut self.search.weighing, self.space.as_str())
        {
            *others = true;
        }
        Self { strategy: strategy.into(), ..self }
    }
}

/// The controller that was published for a space, or, where none was, that of NAS-Bench-201, which asks about operations
/// alone and prefers none of them at the start.
fn controller_for(space: &str) -> ControllerConfig {
    match space {
        enas_micro::NAME => ControllerConfig::default(),
        enas_macro::NAME => ControllerConfig::for_networks(),
        _ => ControllerConfig::nas_bench_201(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_has_what_its_like_has() {
        let of = |data: &str| Config { data: String::new(), ..Config::preset(data) };
        for like_mnist in ["kmnist", "qmnist", "emnist-letters", "emnist-balanced", "emnist-digits"] {
            assert_eq!(of(like_mnist), of("mnist"), "{like_mnist}");
        }
        assert_eq!((of("cifar100"), of("cifar100-coarse")), (of("cifar10"), of("cifar10")));
        let flips = |data: &str| Config::preset(data).train.augmentation.flip;
        assert_eq!((flips("mnist"), flips("fashion-mnist"), flips("cifar10")), (false, true, true));
    }
}
