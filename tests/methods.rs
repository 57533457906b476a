//! Every strategy on every space: it finds an architecture, the same twice, or says why it cannot.
//!
//! The device is `CELLWRIGHT_DEVICE` (default: the CPU, and a software driver where there is one).

use cellwright::data::{Augmentation, Images, Resident};
use cellwright::device::{Device, Selector};
use cellwright::graph::Features;
use cellwright::random::Random;
use cellwright::search::bilevel::{Bilevel, BilevelConfig};
use cellwright::search::controller::ControllerConfig;
use cellwright::search::enas::{Enas, EnasConfig};
use cellwright::search::one_shot::{EvolutionConfig, OneShot, OneShotConfig, Rank};
use cellwright::search::{Event, METHODS, Method, SearchError, Stepper};
use cellwright::space::{self, Architecture, NetworkSettings, Space, SpaceSettings};

fn wait<T>(future: impl Future<Output = T>) -> T {
    pollster::block_on(future)
}

fn devices() -> Vec<Device> {
    let open = |choice: Selector| wait(Device::open(&choice));
    match std::env::var("CELLWRIGHT_DEVICE") {
        Ok(name) => vec![open(name.parse().unwrap()).unwrap()],
        Err(_) => {
            let software = open(Selector::Software)
                .inspect_err(|error| cellwright::device::skipped(&format!("on a software driver: {error}")));
            std::iter::once(Device::cpu()).chain(software).collect()
        }
    }
}

/// Eight images of each of two classes: bright above, or bright below.
fn images() -> Images {
    let mut random = Random::new(7, 0);
    let labels: Vec<u32> = (0..16).map(|i| i % 2).collect();
    let mut pixels = Vec::new();
    for &label in &labels {
        for row in 0..8 {
            let bright = (row < 4) == (label == 0);
            pixels.extend((0..8).map(|_| random.below(100) as u8 + if bright { 150 } else { 0 }));
        }
    }
    Images::new([1, 8, 8], pixels, labels, vec!["above".into(), "below".into()]).unwrap()
}

/// All events of a search, and what it found.
fn follow(mut search: impl Stepper) -> Result<(String, Architecture), SearchError> {
    let mut all = String::new();
    loop {
        for event in wait(search.advance())? {
            all += &format!("{event:?}\n");
            if let Event::Derived { architecture } = event {
                return Ok((all, architecture));
            }
        }
    }
}

fn run(device: &Device, method: &Method, space: &dyn Space) -> Result<(String, Architecture), SearchError> {
    let images = images();
    let [channels, height, width] = images.shape();
    let image = Features::new(channels, height, width);
    let settings = NetworkSettings { image, classes: 2, channels: 8, layers: 3, ..NetworkSettings::default() };
    let (mean, std) = images.mean_std();
    let data = Resident::new(device, &images, &mean, &std)?;
    let (labels, augmentation) = (images.labels(), Augmentation::default());
    if let Some(apply) = method.settings {
        let mut config = BilevelConfig { epochs: 2, batch: 4, alpha_rate: 1e-2, augmentation, ..Default::default() };
        apply(&mut config, true);
        return follow(wait(Bilevel::new(device, space, &settings, &data, labels, config, 3))?);
    }
    if method.name == "enas" {
        let defaults = EnasConfig::default();
        let controller = ControllerConfig { samples: 2, ..defaults.controller };
        let (epochs, batch, reward_batch, validation) = (1, 4, 4, 0.5);
        let (updates, candidates, calibration) = (1, 2, 1);
        let config = EnasConfig {
            epochs,
            batch,
            reward_batch,
            validation,
            updates,
            candidates,
            calibration,
            augmentation,
            controller,
            ..defaults
        };
        return follow(Enas::new(device, space, space.supernet(&settings)?, &data, labels, config, 3)?);
    }
    let rank = match method.name {
        "rsps" => Rank::Random,
        "spos" => Rank::Evolution,
        other => panic!("{other} is not followed here"),
    };
    let evolution = EvolutionConfig {
        population: 3,
        generations: 2,
        parents: 1,
        mutations: 1,
        crossovers: 1,
        ..Default::default()
    };
    let config = OneShotConfig {
        epochs: 1,
        batch: 4,
        augmentation,
        calibration: 1,
        samples: 3,
        evolution,
        ..Default::default()
    };
    follow(OneShot::new(device, space, space.supernet(&settings)?, &data, labels, config, rank, 3)?)
}

/// Why a method cannot work on a space, if it cannot.
fn refusal(method: &str, space: &str) -> Option<&'static str> {
    match (method, space) {
        ("pc-darts" | "drnas", "chain") => Some("a multiple of 4, from operations on all channels alike: layers.0"),
        ("pc-darts" | "drnas", "chain-mlp") => Some("layers.0.width chooses a width"),
        ("pc-darts" | "drnas", "mobile") => Some("stages.1.0.operation changes their number"),
        ("pc-darts" | "drnas", "enas-micro" | "nasnet") => Some("chooses among several inputs"),
        ("p-darts", "chain" | "mobile") => Some("cannot drop it: it turns"),
        _ => None,
    }
}

/// Whether a pair is left to the long tests on software drivers, where shaders take their time to compile: of the
/// others, each strategy runs on two spaces, and four strategies run on each space.
fn is_long(method: &str, space: &str) -> bool {
    !matches!(space, "darts" | "nas-bench-201") && !matches!(method, "darts" | "gdas" | "enas" | "rsps")
}

fn small(name: &str) -> Box<dyn Space> {
    let settings = SpaceSettings { nodes: 2, macro_layers: 3, ..SpaceSettings::default() };
    space::find(name, &settings).unwrap()
}

/// Each strategy on each space; on software drivers only the pairs that are long, or those that are not.
fn searches(devices: &[Device], long: bool) {
    let mut wrong = Vec::new();
    for device in devices {
        for name in space::NAMES.iter().filter(|name| **name != "chain-vgg16") {
            let space = small(name);
            for method in METHODS {
                if device.is_gpu() && is_long(method.name, name) != long {
                    continue;
                }
                let what = format!("{} on {name} ({})", method.name, device.name());
                match (run(device, method, &*space), refusal(method.name, name)) {
                    (Ok((_, found)), None) => space.check(&found).unwrap(),
                    (Err(SearchError::Settings(problem)), Some(reason)) if problem.contains(reason) => (),
                    (Ok(_), Some(_)) => wrong.push(format!("{what}: was not refused")),
                    (Err(error), _) => wrong.push(format!("{what}: {error}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_strategy_searches_every_space_or_says_why_not() {
    searches(&devices(), false);
}

#[test]
#[ignore = "long: scripts/test --full"]
fn the_long_pairs_search_on_a_software_driver_too() {
    let software: Vec<Device> = devices().into_iter().filter(Device::is_gpu).collect();
    searches(&software, true);
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let space = small("nas-bench-201");
    for device in devices() {
        for method in METHODS {
            let [first, second] = [0, 1].map(|_| run(&device, method, &*space).unwrap());
            assert_eq!(first, second, "{} on {}", method.name, device.name());
        }
    }
}

#[test]
fn an_epoch_in_which_the_architecture_weights_rest_has_no_validation_loss() {
    let method = Method { settings: Some(|config, _| config.warmup = 1), ..METHODS[0] };
    let (events, _) = run(&Device::cpu(), &method, &*small("nas-bench-201")).unwrap();
    let losses: Vec<bool> =
        events.lines().filter(|e| e.starts_with("Epoch")).map(|e| e.contains("valid_loss: None")).collect();
    assert_eq!(losses, [true, false]);
    // Two steps an epoch: those of the first have none either.
    let steps = events.lines().filter(|e| e.starts_with("Step") && e.contains("valid_loss: None")).count();
    assert_eq!(steps, 2);
}
