//! A run that is asked to stop does so between two steps, and what it has written is whole.

mod common;

use cellwright::device::Device;
use cellwright::run::{self, Config, Directory, Observer, RunError};
use serde_json::Value;
use tempfile::TempDir;

/// Asks to stop once so many steps of a stage are taken.
struct Until {
    stage: &'static str,
    steps: u64,
    /// The stage that is on, and the steps taken in it.
    now: (String, u64),
    begun: Vec<String>,
    ended: usize,
}

impl Until {
    fn new(stage: &'static str, steps: u64) -> Self {
        Self { stage, steps, now: (String::new(), 0), begun: Vec::new(), ended: 0 }
    }
}

impl Observer for Until {
    fn begin(&mut self, stage: &str, _: u64) {
        self.now = (stage.to_owned(), 0);
        self.begun.push(stage.to_owned());
    }

    fn step(&mut self, taken: u64, _: Option<&str>) {
        self.now.1 = taken;
    }

    fn end(&mut self) {
        self.ended += 1;
    }

    fn stops(&mut self) -> bool {
        self.now.0 == self.stage && self.now.1 >= self.steps
    }

    fn warn(&mut self, _: &str) {}
}

/// Two epochs of two steps of search, and one of five of training.
fn config() -> Config {
    Config::with(&[
        "space=chain-mlp",
        "space.hidden_layers=1",
        "space.units=[4, 8]",
        "search.epochs=2",
        "search.batch=256",
        "train.epochs=1",
        "train.batch=256",
        "random=1",
        "baseline=false",
    ])
    .unwrap()
}

/// What is in a run's directory, and the lines of its logs.
struct Left {
    place: TempDir,
}

impl Left {
    fn has(&self, name: &str) -> bool {
        self.place.path().join(name).exists()
    }

    /// All lines of a log, each of which must be whole.
    fn lines(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.place.path().join(name)).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{name}: {text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn count(&self, kind: &str) -> usize {
        self.lines("metrics.jsonl").iter().filter(|line| line["kind"] == kind).count()
    }

    /// The phases that are over.
    fn phases(&self) -> Vec<String> {
        let lines = self.lines("timing.jsonl");
        let over = lines.iter().filter(|line| line.get("ended_by").is_none());
        over.map(|line| line["phase"].as_str().unwrap().to_owned()).collect()
    }
}

/// What became of a search that is asked to stop, and what it left. On one thread: on several a training may be over before its
/// turn.
fn search(until: &mut Until) -> (Result<run::Outcome, RunError>, Left) {
    let place = tempfile::tempdir().unwrap();
    let directory = Directory::create(place.path()).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let run = pool.install(|| run::search(&Device::cpu(), &config(), &directory, until));
    (run, Left { place })
}

/// Requires that a run stopped so, and left no summary and a configuration to repeat it with.
fn stopped<T>(run: Result<T, RunError>, left: &Left, wanted: (&str, u64, u64)) {
    let Err(error) = run else { panic!("it did not stop") };
    let RunError::Stopped { phase, taken, total } = &error else { panic!("{error}") };
    assert_eq!((phase.as_str(), *taken, *total), wanted);
    let said = format!("stopped in the phase `{phase}`, after step {taken} of {total}, as was asked");
    assert_eq!(error.to_string(), said);
    assert!(left.has("config.toml") && !left.has("summary.json"));
}

#[test]
fn a_search_stops_between_two_steps() {
    for steps in [1, 3] {
        let mut until = Until::new("search", steps);
        let (run, left) = search(&mut until);
        stopped(run, &left, ("search", steps, 4));
        // The epoch that was over by then is told.
        assert_eq!((left.count("search step"), left.count("search epoch")), (steps as usize, steps as usize / 2));
        assert!(left.phases().is_empty() && !left.has("genotype.json"));
        assert_eq!((until.begun.len(), until.ended), (1, 1), "the stage is ended for who follows it");
        let text = std::fs::read_to_string(left.place.path().join("config.toml")).unwrap();
        assert_eq!(text, config().to_toml().unwrap());
    }
}

#[test]
fn a_training_after_a_search_stops_between_two_steps_and_what_was_found_stays() {
    let (run, left) = search(&mut Until::new("train searched", 2));
    stopped(run, &left, ("train searched", 2, 5));
    assert_eq!(left.phases(), ["search"]);
    assert!(left.has("genotype.json") && !left.has("weights.safetensors"));
    assert_eq!((left.count("search step"), left.count("train epoch"), left.count("test")), (4, 0, 0));

    let (run, left) = search(&mut Until::new("train random 1", 1));
    stopped(run, &left, ("train random 1", 1, 5));
    assert_eq!(left.phases(), ["search", "train searched"]);
    assert!(left.has("weights.safetensors"));
    assert_eq!((left.count("train epoch"), left.count("test")), (1, 1));
}

#[test]
fn what_has_no_step_left_is_over_and_not_stopped() {
    // Asked after the last step of each of two phases, and never in between.
    for (stage, steps) in [("search", 4), ("train random 1", 5)] {
        let (run, left) = search(&mut Until::new(stage, steps));
        assert_eq!(run.unwrap().trained.len(), 2);
        assert!(left.has("summary.json"));
        assert_eq!(left.phases(), ["search", "train searched", "train random 1", "summarise"]);
    }
}

#[test]
fn the_training_of_one_architecture_stops_between_two_steps() {
    let place = tempfile::tempdir().unwrap();
    let directory = Directory::create(place.path()).unwrap();
    let mut until = Until::new("train trained", 3);
    let run = run::train(&Device::cpu(), &config(), "layer0_width=4", &directory, &mut until);
    let left = Left { place };
    stopped(run, &left, ("train trained", 3, 5));
    assert!(left.lines("metrics.jsonl").is_empty() && left.phases().is_empty());
    let text = std::fs::read_to_string(left.place.path().join("config.toml")).unwrap();
    assert!(text.contains("architecture = \"layer0_width=4\""), "{text}");
}
