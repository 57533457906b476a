//! Every strategy on every space: it finds an architecture, or says why it cannot.
//!
//! All pairs run on the CPU. On other devices each kind of recording runs once: what differs there is what kernels do, and
//! where, not what a strategy makes of them. The device is `CELLWRIGHT_DEVICE` (default: the CPU, and a software driver where
//! there is one).

mod common;

use cellwright::device::Device;
use cellwright::search::{self, Event, SearchError, Strategy};
use cellwright::space::{self, Architecture, Space, SpaceConfig};
use common::{Given, devices, images, small_space, strategy, tiny, wait};

/// One strategy of each loop, of those by gradients one that mixes and one that samples.
const LOOPS: [&str; 4] = ["darts", "gdas", "spos", "enas"];

/// A space of stages.
const STAGES: &str = "examples/space.toml";

/// What is recorded in other ways than [`LOOPS`] do on the space `darts`: together they dispatch every kernel that any pair
/// does.
const RECORDINGS: [(&str, &str); 10] = [
    // Second order; mixtures of widths.
    ("darts-2nd", "chain"),
    // Parts of the channels.
    ("pc-darts", "darts"),
    // A controller that attends to earlier layers; paths that join several.
    ("enas", "enas-macro"),
    // Mixtures over which input an operation has.
    ("darts", "enas-micro"),
    // Noise.
    ("darts", "robust-darts-s4"),
    // Depths and widths, mixed and one at a time.
    ("darts", STAGES),
    ("spos", STAGES),
    // Rows that sum to one; rows of each layer; products of gradients.
    ("gaea", "nas-bench-201"),
    ("lambda-darts", "nas-bench-201"),
    ("oles", "nas-bench-201"),
];

/// All events of a search, and what it found.
fn run(
    device: &Device,
    strategy: &dyn Strategy,
    space: &str,
    count: usize,
    over: &str,
) -> Result<(String, Architecture), SearchError> {
    run_in(device, strategy, small_space(space), count, over)
}

/// The same in a space that has been built.
fn run_in(
    device: &Device,
    strategy: &dyn Strategy,
    space: Box<dyn Space>,
    count: usize,
    over: &str,
) -> Result<(String, Architecture), SearchError> {
    let given = Given::new(device, space, images(count, 8));
    let mut search = given.build(device, strategy, &tiny(strategy, &*given.space, over))?;
    let mut all = String::new();
    loop {
        for event in wait(search.advance())? {
            all += &format!("{event:?}\n");
            if let Event::Derived { architecture } = event {
                given.space.check(&architecture).unwrap();
                return Ok((all, architecture));
            }
        }
    }
}

/// Why a strategy cannot work on a space, if it cannot.
fn refusal(strategy: &str, space: &str) -> Option<&'static str> {
    match (strategy, space) {
        ("pc-darts" | "gaea-pc-darts" | "drnas", "chain") => {
            Some("a multiple of 4, from operations on all channels alike: layers.0")
        }
        ("pc-darts" | "gaea-pc-darts" | "drnas", "chain-mlp") => Some("layers.0.width chooses a width"),
        ("pc-darts" | "gaea-pc-darts" | "drnas", STAGES) => Some("stages.0.depth.0 holds choice"),
        ("pc-darts" | "gaea-pc-darts" | "drnas", "enas-micro" | "nasnet") => Some("chooses among several inputs"),
        ("darts-minus", "chain" | STAGES) => Some("a skip connection beside the options does not fit: it turns"),
        ("darts-minus", "chain-mlp" | "enas-micro" | "nasnet") => {
            Some("does not fit: it chooses among widths or inputs")
        }
        ("lambda-darts", "chain" | "chain-mlp" | "darts-single-cell" | "enas-macro" | STAGES) => {
            Some("no two layers of the supernet share")
        }
        ("p-darts", "chain" | STAGES) => Some("cannot drop it: it turns"),
        _ => None,
    }
}

#[test]
fn every_strategy_searches_every_space_or_says_why_not() {
    let mut wrong = Vec::new();
    for device in devices().iter().filter(|device| !device.is_gpu()) {
        // These are large ones of their kind: of `chain`, of stages, of `darts` (twice), of `robust-darts-s3`.
        let large = ["chain-vgg16", "mobile", "darts-wide", "darts-deep", "robust-darts-s2"];
        let names = space::names().filter(|name| !large.contains(name));
        for space in names.chain([STAGES]) {
            for strategy in search::ALL {
                let name = strategy.about().name;
                match (run(device, *strategy, space, 8, "epochs = 1"), refusal(name, space)) {
                    (Ok(_), None) => (),
                    (Err(SearchError::Settings(problem)), Some(reason)) if problem.contains(reason) => (),
                    (Ok(_), Some(_)) => wrong.push(format!("{name} on {space}: was not refused")),
                    (Err(error), _) => wrong.push(format!("{name} on {space}: {error}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cells_with_skips_beside_their_edges_are_searched_by_each_loop() {
    for name in LOOPS.into_iter().chain(["pc-darts", "p-darts"]) {
        let settings = "operations = 'all_skip'".parse().unwrap();
        let space = SpaceConfig { name: "darts-wide".into(), settings }.build().unwrap();
        run_in(&Device::cpu(), strategy(name), space, 8, "epochs = 1")
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn each_kind_of_recording_is_searched_with_on_other_devices() {
    for device in devices().iter().filter(|device| device.is_gpu()) {
        for (name, space) in RECORDINGS {
            run(device, strategy(name), space, 16, "")
                .unwrap_or_else(|error| panic!("{name} on {space} ({}): {error}", device.name()));
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    for device in devices() {
        for name in LOOPS {
            let [first, second] = [0, 1].map(|_| run(&device, strategy(name), "darts", 16, "").unwrap());
            assert_eq!(first, second, "{name} on {}", device.name());
        }
    }
}

#[test]
fn an_epoch_in_which_the_architecture_weights_rest_has_no_validation_loss() {
    let (events, _) = run(&Device::cpu(), strategy("darts"), "nas-bench-201", 16, "warmup = 1").unwrap();
    let losses: Vec<bool> =
        events.lines().filter(|e| e.starts_with("Epoch")).map(|e| e.contains("valid_loss: None")).collect();
    assert_eq!(losses, [true, false]);
    // Two steps an epoch: those of the first have none either.
    let steps = events.lines().filter(|e| e.starts_with("Step") && e.contains("valid_loss: None")).count();
    assert_eq!(steps, 2);
}
