//! A device that is lost in mid-run: the run says so, or opens it again and goes on, to the same bytes as if nothing had been.

mod common;

use cellwright::device::Device;
use cellwright::run::{self, Config, Directory, Observer, RunError};
use common::software;
use std::cell::Cell;
use std::path::Path;

/// Loses the device after a number of steps, as often as there are numbers.
struct Losing<'a, 'n> {
    device: &'a Device,
    after: &'a Cell<&'n [u64]>,
    steps: u64,
}

impl Observer for Losing<'_, '_> {
    fn begin(&mut self, _: &str, _: u64) {}
    fn step(&mut self, _: u64, _: Option<&str>) {
        self.steps += 1;
        if let Some((first, rest)) = self.after.get().split_first()
            && *first == self.steps
        {
            self.after.set(rest);
            self.device.lose();
        }
    }
    fn end(&mut self) {}
    fn warn(&mut self, _: &str) {}
}

fn config() -> Config {
    Config::with(&[
        "strategy=darts",
        "space=nas-bench-201",
        "search.epochs=1",
        "search.batch=256",
        "supernet.channels=1",
        "supernet.layers=3",
        "network.channels=1",
        "network.layers=3",
        "train.epochs=3",
        "train.batch=512",
        "random=0",
        "baseline=false",
        "checkpoint.seconds=0",
    ])
    .unwrap()
}

/// A search on a device that is lost after so many steps of what goes on each time.
fn search(path: &Path, after: &[u64], retries: u32) -> (Result<(), RunError>, usize) {
    let directory = Directory::open(path).or_else(|_| Directory::create(path)).unwrap();
    let (after, config) = (Cell::new(after), config());
    let ended = run::with_retries(
        retries,
        &mut run::Silent,
        || Ok(software().expect("it was there before")),
        |device, _| {
            let mut observer = Losing { device, after: &after, steps: 0 };
            run::search(device, &config, &directory, &mut observer).map(drop)
        },
    );
    (ended, after.get().len())
}

fn results(path: &Path) -> Vec<Vec<u8>> {
    let files = ["metrics.jsonl", "genotype.json", "weights.safetensors", "config.toml"];
    files.iter().map(|name| std::fs::read(path.join(name)).unwrap()).collect()
}

#[test]
fn a_lost_device_is_opened_again_as_often_as_was_asked() {
    if software().is_none() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let [whole, out] = ["whole", "lost"].map(|name| place.path().join(name));
    search(&whole, &[], 0).0.unwrap();
    // In the search, and then in the training after it.
    let (ended, left) = search(&out, &[1, 3], 1);
    let error = ended.unwrap_err();
    assert!(error.is_of_lost_device() && error.to_string().contains("the device was lost"), "{error}");
    assert_eq!(left, 0, "lost twice, with one retry");
    let (ended, left) = search(&out, &[1], 1);
    ended.unwrap();
    assert_eq!(left, 0, "lost once more");
    assert!(results(&out) == results(&whole));
}
