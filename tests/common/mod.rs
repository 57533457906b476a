//! What several test files share: devices, images, and searches of every strategy that take no time.

#![allow(dead_code, reason = "each test file uses a part")]

#[cfg(feature = "cli")]
pub mod process;

use cellwright::data::{Augmentation, Images, Resident, Scale};
use cellwright::device::{Device, Selector};
use cellwright::estimate::TrainingConfig;
use cellwright::graph::Features;
use cellwright::random::Random;
use cellwright::search::{self, Bench, SearchError, Stepper, Strategy, Task};
use cellwright::settings::Settings;
use cellwright::space::{NetworkSettings, Space, SpaceConfig};
use toml::Value;

pub fn wait<T>(future: impl Future<Output = T>) -> T {
    pollster::block_on(future)
}

/// The device that `CELLWRIGHT_DEVICE` asks for; without it the CPU, and a software driver where there is one.
pub fn devices() -> Vec<Device> {
    match std::env::var("CELLWRIGHT_DEVICE") {
        Ok(name) => vec![wait(Device::open(&name.parse().unwrap())).unwrap()],
        Err(_) => std::iter::once(Device::cpu()).chain(software()).collect(),
    }
}

/// A software driver, where there is one.
pub fn software() -> Option<Device> {
    let told = |error: &_| cellwright::device::skipped(&format!("on a software driver: {error}"));
    wait(Device::open(&Selector::Software)).inspect_err(told).ok()
}

/// Images of noise in two classes, of which one is brighter.
pub fn images(count: usize, side: usize) -> Images {
    let mut random = Random::new(5, 0);
    let labels: Vec<u32> = (0..count as u32).map(|i| i % 2).collect();
    let pixels =
        labels.iter().flat_map(|label| vec![60 * *label as u8; side * side]).map(|v| v + random.below(190) as u8);
    Images::new([1, side, side], pixels.collect(), labels, vec!["dark".into(), "bright".into()]).unwrap()
}

/// A space that is as small as it can be, by its name or, if it is one of stages, by the file that describes it.
pub fn small_space(name: &str) -> Box<dyn Space> {
    let described = |file| SpaceConfig::described(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut config = if name.ends_with(".toml") { described(name) } else { SpaceConfig::of(name) };
    // Two layers of `enas-macro` would have no skips to decide about.
    for (key, value) in [("nodes", 2), ("layers", 3)] {
        if let Some(integer @ Value::Integer(_)) = config.settings.get_mut(key) {
            *integer = Value::Integer(value);
        }
    }
    config.build().unwrap()
}

/// What a search is built from.
pub struct Given {
    pub space: Box<dyn Space>,
    pub settings: NetworkSettings,
    pub images: Images,
    pub data: Resident,
    pub train: TrainingConfig,
}

impl Given {
    /// A space and a few images, for small supernets whose channels can be divided by four.
    pub fn new(device: &Device, space: Box<dyn Space>, images: Images) -> Self {
        let [channels, height, width] = images.shape();
        let image = Features::new(channels, height, width);
        let settings = NetworkSettings { image, classes: 2, channels: 4, layers: 3, ..NetworkSettings::default() };
        let (mean, std) = images.mean_std();
        let data = Resident::new(device, &images, &mean, &std).unwrap();
        let train = TrainingConfig { epochs: 2, batch: 2, drop_path: 0.0, ..TrainingConfig::default() };
        Self { space, settings, images, data, train }
    }

    /// A strategy's search before its first step.
    pub fn build<'a>(
        &'a self,
        device: &'a Device,
        strategy: &dyn Strategy,
        settings: &Settings,
    ) -> Result<Box<dyn Stepper + 'a>, SearchError> {
        let Self { space, settings: network, images, data, .. } = self;
        let labels = images.labels();
        let bench = Bench {
            device,
            space: &**space,
            settings: network,
            images: data,
            labels,
            seed: 3,
            network,
            train: &self.train,
            table: None,
        };
        wait(strategy.build(settings, bench))
    }
}

/// The strategy that is called so.
pub fn strategy(name: &str) -> &'static dyn Strategy {
    search::ALL.iter().find(|strategy| strategy.about().name == name).copied().unwrap()
}

/// What makes a search tiny, whosever settings they are.
const TINY: &str = "
batch = 4
reward_batch = 4
validation = 0.5
updates = 2
candidates = 2
trials = 3
trial_epochs = 2
population = 2
sample = 2
initial = 2
pool = 6
calibration = 1
samples = 3
controller = { samples = 3 }
evolution = { population = 3, generations = 2, parents = 2, mutations = 1, crossovers = 1 }
";

/// All settings of a strategy for a search of seconds in which whatever can differ from step to step does: those of its
/// preset, with those of [`TINY`] that it has, and `over`.
pub fn tiny(strategy: &dyn Strategy, space: &dyn Space, over: &str) -> Settings {
    let augmentation = Augmentation { padding: 1, flip: true, cutout: 2 };
    let task = Task { scale: Scale::Tiny, augmentation, space, epochs: Some(2) };
    let mut settings = strategy.preset(&task).unwrap();
    lay_over(&mut settings, TINY);
    let found = lay_over(&mut settings, over);
    assert_eq!(found, over.parse::<Settings>().unwrap().keys().len(), "{}: {over}", strategy.about().name);
    settings
}

/// Sets what there is of the keys that a text sets; says how many.
fn lay_over(settings: &mut Settings, text: &str) -> usize {
    let over: Settings = text.parse().unwrap();
    let set = |key: &String| settings.get_mut(key).map(|value| *value = over.get(key).unwrap().clone());
    over.keys().iter().filter_map(set).count()
}
