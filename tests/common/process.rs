//! The program, called as from a command line.

use assert_cmd::Command;
use cellwright::run::{Config, Setting, Sources};
use cellwright::settings::Settings;
use cellwright::space::SpaceConfig;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What a call gave: exit status, standard output, standard error.
pub struct Outcome {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Outcome {
    /// Standard output as JSON of a call that must have succeeded.
    pub fn json(&self) -> Value {
        let Self { status, out, err } = self;
        assert_eq!(*status, 0, "{err}");
        serde_json::from_str(out).unwrap_or_else(|error| panic!("{error}:\n{out}"))
    }
}

/// The program, to be called.
pub fn program() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("cellwright"))
}

/// Runs a command to its end.
pub fn outcome(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

pub fn call(arguments: &[&str]) -> Outcome {
    outcome(program().args(arguments))
}

/// Standard output of a call that succeeds and says nothing else: no bars where there is no terminal.
pub fn good(arguments: &[&str]) -> String {
    let Outcome { status, out, err } = call(arguments);
    assert_eq!((status, err.as_str()), (0, ""), "{arguments:?}");
    out
}

/// The same as JSON.
pub fn json(arguments: &[&str]) -> Value {
    let out = good(arguments);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}:\n{out}"))
}

/// Requires failure with a message that holds all `parts`, and nothing on standard output.
pub fn bad(status: i32, arguments: &str, parts: &[&str]) {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let got = call(&arguments);
    assert_eq!((got.status, got.out.as_str()), (status, ""), "{arguments:?}: {}", got.err);
    assert!(got.err.starts_with("error: "), "{arguments:?}: {}", got.err);
    for part in parts {
        assert!(got.err.contains(part), "{arguments:?} should say `{part}`: {}", got.err);
    }
}

/// Requires that a search is refused with a message that holds all `parts`, and leaves no directory behind.
pub fn refused(options: &[&str], parts: &[&str]) {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let Outcome { status, out: printed, err } = run(&out, "cpu", &[], options);
    assert_eq!((status, printed.as_str()), (1, ""), "{options:?}: {err}");
    for part in parts {
        assert!(err.contains(part), "{options:?} should say `{part}`: {err}");
    }
    assert!(!out.exists(), "{options:?} leaves {:?} behind", std::fs::read_dir(&out).unwrap().collect::<Vec<_>>());
}

/// Cells of one node.
pub const GENOTYPE: &str = "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=[2], \
    reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=range(2, 3))";

/// The CPU, and a software driver where there is one.
pub fn devices() -> Vec<&'static str> {
    let software = json(&["devices", "--json"]).to_string().contains("software driver");
    if !software {
        cellwright::device::skipped("on a software driver: there is none");
    }
    if software { vec!["cpu", "software"] } else { vec!["cpu"] }
}

/// What makes a run tiny, whatever it searches, and by which strategy.
const TINY: &[&str] = &[
    "seed=3",
    "random=1",
    "baseline=true",
    "supernet.channels=2",
    "supernet.layers=3",
    "network.channels=2",
    "network.layers=2",
    "space.nodes=2",
    "space.layers=4",
    "train.epochs=1",
    "train.batch=256",
    "train.drop_path=0.1",
    "search.epochs=1",
    "search.batch=128",
    "search.calibration=2",
    "search.samples=3",
    "search.evolution.population=3",
    "search.evolution.generations=2",
    "search.evolution.parents=2",
    "search.evolution.mutations=1",
    "search.evolution.crossovers=1",
    "search.updates=2",
    "search.reward_batch=64",
    "search.candidates=2",
    "search.controller.samples=3",
    "search.controller.units=8",
];

/// And what [`few_pictures`] are enough for.
const FEW: &[&str] = &["train.batch=32", "search.batch=16", "search.reward_batch=16", "search.validation=0.5"];

/// Those settings that an experiment with such options reads: others are refused.
fn fitting(settings: &[&str], options: &[&str]) -> Vec<String> {
    // `--KEY VALUE` or `--KEY=VALUE`.
    let named = |key: &str| {
        let at = options.iter().position(|option| option.starts_with(key))?;
        options[at].strip_prefix(key)?.strip_prefix('=').or_else(|| options.get(at + 1).copied())
    };
    let name = |option, key| named(option).map(|name| Setting::option(option, key, &format!("'{name}'")));
    let names = [("--space", "space"), ("--strategy", "strategy"), ("--data", "data")];
    let names: Vec<Setting> = names.into_iter().filter_map(|(option, key)| name(option, key)).collect();
    let sources = Sources { settings: &names, ..Sources::default() };
    let find_space = |name: Option<&str>| match name.unwrap_or("darts") {
        file if file.ends_with(".toml") => Ok(SpaceConfig::described(&std::fs::read_to_string(file).unwrap()).unwrap()),
        name => Ok(SpaceConfig::of(name)),
    };
    let config = Config::read(&sources, find_space).unwrap().config;
    let read: Settings = config.to_toml().unwrap().parse().unwrap();
    let is_read = |setting: &&&str| {
        let (key, _) = setting.split_once('=').unwrap();
        let given: Settings = setting.parse().unwrap();
        read.get(key).is_some_and(|value| value.same_type(given.get(key).unwrap()))
    };
    settings.iter().filter(is_read).map(|setting| format!("--set={setting}")).collect()
}

/// A tiny search with the digits that are part of the program, its summary printed as JSON.
pub fn search(out: &Path, device: &str, options: &[&str]) -> Outcome {
    run(out, device, &fitting(TINY, options), &[&["--json"], options].concat())
}

/// The same with so few pictures that it takes a second in a program that is not optimised.
pub fn search_few(out: &Path, device: &str, options: &[&str]) -> Outcome {
    in_words(out, device, &[&["--json"], options].concat())
}

/// The same, its summary printed in words.
pub fn in_words(out: &Path, device: &str, options: &[&str]) -> Outcome {
    let pictures = few_pictures();
    outcome(program().args(few(pictures.path(), out, device, options)))
}

/// The arguments of a search with few pictures, which lie in `pictures`.
pub fn few(pictures: &Path, out: &Path, device: &str, options: &[&str]) -> Vec<String> {
    let options = [&["--data=mnist", "--data-dir", pictures.to_str().unwrap()], options].concat();
    arguments(out, device, &fitting(&[TINY, FEW].concat(), &options), &options)
}

fn run(out: &Path, device: &str, settings: &[String], options: &[&str]) -> Outcome {
    outcome(program().args(arguments(out, device, settings, options)))
}

fn arguments(out: &Path, device: &str, settings: &[String], options: &[&str]) -> Vec<String> {
    let first = ["search", "--device", device, "--out", out.to_str().unwrap()].map(str::to_owned);
    let last = options.iter().map(|&option| option.to_owned());
    first.into_iter().chain(settings.iter().cloned()).chain(last).collect()
}

/// Some pictures of 8 × 8 of noise, as MNIST's files hold them.
pub fn few_pictures() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for (part, count) in [("train", 64u32), ("t10k", 32)] {
        let write = |kind: &str, sizes: &[u32], values: Vec<u8>| {
            let header = [0, 0, 8, sizes.len() as u8].into_iter().chain(sizes.iter().flat_map(|n| n.to_be_bytes()));
            let path = place.path().join(format!("{part}-{kind}-ubyte"));
            std::fs::write(path, header.chain(values).collect::<Vec<u8>>()).unwrap();
        };
        let images = super::images(count as usize, 8);
        write("images-idx3", &[count, 8, 8], images.pixels().to_vec());
        write("labels-idx1", &[count], (0..count as u8).map(|i| i % 10).collect());
    }
    place
}

pub fn read(directory: &Path, name: &str) -> String {
    std::fs::read_to_string(directory.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The lines of a log.
pub fn lines(directory: &Path, name: &str) -> Vec<Value> {
    read(directory, name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How many lines of a kind a run's metrics have.
pub fn count(directory: &Path, kind: &str) -> usize {
    lines(directory, "metrics.jsonl").iter().filter(|line| line["kind"] == kind).count()
}

/// A Chromium, if there is one.
pub fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let places = std::env::var_os("PATH")?;
    std::env::split_paths(&places).flat_map(|place| names.map(|name| place.join(name))).find(|path| path.is_file())
}
