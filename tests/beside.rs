//! Trainings that go on side by side leave the same lines as one after the other, also where they are stopped and gone on with.

use cellwright::device::Device;
use cellwright::run::{self, Config, Observer, RunError, Summary};
use rayon::ThreadPoolBuilder;
use std::fs;
use std::path::{Path, PathBuf};

/// Asks to stop in a phase once so many of its steps are taken.
struct Until {
    phase: &'static str,
    steps: u64,
    stops: bool,
    now: String,
}

impl Observer for Until {
    fn begin(&mut self, phase: &str, _: u64) {
        self.now = phase.to_owned();
    }

    fn step(&mut self, taken: u64, _: Option<&str>) {
        self.stops |= self.now == self.phase && taken >= self.steps;
    }

    fn end(&mut self) {}

    fn stops(&mut self) -> bool {
        self.stops
    }

    fn warn(&mut self, _: &str) {}
}

/// One step of search, two epochs of five steps each of five networks.
fn config() -> Config {
    Config::with(&[
        "space=chain-mlp",
        "space.hidden_layers=1",
        "space.units=[4, 8]",
        "search.epochs=1",
        "search.batch=256",
        "train.epochs=2",
        "train.batch=256",
        "random=3",
    ])
    .unwrap()
}

/// Begins a run, or goes on with it, on so many threads, until some steps of a phase are taken.
fn go_on(place: &Path, threads: usize, phase: &'static str, steps: u64) -> Result<Summary, RunError> {
    let mut until = Until { phase, steps, stops: false, now: String::new() };
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
        let directory = run::begin_at(place, &config(), None)?;
        Ok(run::search(&Device::cpu(), &config(), &directory, &mut until)?.summary)
    })
}

/// What is the same however a run went.
fn came_to(place: &Path, summary: &Summary) -> (String, Vec<u8>, Vec<(String, u64, f64)>) {
    let networks = summary.networks.iter().map(|n| (n.name.clone(), n.parameters, n.test_accuracy)).collect();
    let metrics = fs::read_to_string(place.join("metrics.jsonl")).unwrap();
    (metrics, fs::read(place.join("weights.safetensors")).unwrap(), networks)
}

#[test]
fn trainings_side_by_side_leave_the_same_as_one_after_the_other() {
    let place = tempfile::tempdir().unwrap();
    let one = place.path().join("one");
    let wanted = came_to(&one, &go_on(&one, 1, "", 0).unwrap());
    assert_eq!(wanted.2.len(), 5);
    for threads in [2, 3, 8] {
        let beside = place.path().join(threads.to_string());
        let summary = go_on(&beside, threads, "", 0).unwrap();
        assert_eq!(came_to(&beside, &summary), wanted, "{threads} threads");
        // Each has its share of the time, which is no more than there was.
        let shares = || summary.networks.iter().map(|network| network.train_seconds);
        assert!(shares().all(|seconds| seconds > 0.0) && shares().sum::<f64>() < summary.total_seconds);
    }
}

#[test]
fn a_run_that_trained_side_by_side_goes_on_with_any_number_of_threads() {
    let place = tempfile::tempdir().unwrap();
    let whole = place.path().join("whole");
    let wanted = came_to(&whole, &go_on(&whole, 1, "", 0).unwrap());
    for (number, threads) in [[2, 1], [3, 2], [8, 8], [1, 3]].into_iter().enumerate() {
        let stopped = place.path().join(format!("stopped {number}"));
        let Err(RunError::Stopped { taken, .. }) = go_on(&stopped, threads[0], "train searched", 3) else {
            panic!("it did not stop");
        };
        assert_eq!(taken, 3);
        let summary = go_on(&stopped, threads[1], "", 0).unwrap();
        assert_eq!(came_to(&stopped, &summary), wanted, "{threads:?} threads");
    }
}

#[test]
fn what_was_trained_before_its_turn_is_not_lost_between_two_phases() {
    let place = tempfile::tempdir().unwrap();
    let whole = place.path().join("whole");
    let wanted = came_to(&whole, &go_on(&whole, 1, "", 0).unwrap());
    // The directory as it is when a phase has begun: its last checkpoint is that of the end of the phase before.
    let run = place.path().join("run");
    let copy = place.path().join("copy");
    let mut until = Copies { from: run.clone(), to: copy.clone(), phase: "train random 1" };
    let pool = ThreadPoolBuilder::new().num_threads(8).build().unwrap();
    pool.install(|| {
        let directory = run::begin_at(&run, &config(), None).unwrap();
        run::search(&Device::cpu(), &config(), &directory, &mut until).unwrap()
    });
    // It holds the training whose turn is next, and that of another beside it. (Names of tensors stand in it as they are.)
    let mut kept: Vec<PathBuf> =
        fs::read_dir(copy.join("checkpoint")).unwrap().map(|entry| entry.unwrap().path()).collect();
    kept.sort();
    let newest = fs::read(kept.last().unwrap()).unwrap();
    let has = |name: &str| newest.windows(name.len()).any(|bytes| bytes == name.as_bytes());
    assert!(has("phase/work/weights") && has("phase/work/beside/random 2/weights"));
    assert!(!has("phase/work/beside/random 1/weights"), "it is that of an earlier phase");
    assert_eq!(came_to(&copy, &go_on(&copy, 1, "", 0).unwrap()), wanted);
}

/// Copies a run's directory when a phase begins.
struct Copies {
    from: PathBuf,
    to: PathBuf,
    phase: &'static str,
}

impl Observer for Copies {
    fn begin(&mut self, phase: &str, _: u64) {
        if phase == self.phase {
            copy(&self.from, &self.to);
        }
    }

    fn step(&mut self, _: u64, _: Option<&str>) {}

    fn end(&mut self) {}

    fn warn(&mut self, _: &str) {}
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
