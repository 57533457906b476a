//! What searches of full length come to.

mod common;

use common::process::call;
use std::path::{Path, PathBuf};

/// Accuracy on the test images of what a search with its preset finds.
fn accuracy(options: &[&str]) -> f64 {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let always = ["search", "--device", "cpu", "--json", "--out", out.to_str().unwrap()];
    let summary = call(&[&always[..], options].concat()).json();
    eprintln!("{options:?}: {} in {} s", summary["test_accuracy"], summary["total_seconds"]);
    summary["test_accuracy"].as_f64().unwrap()
}

#[test]
#[ignore = "long: scripts/test --full"]
fn full_digits_reach_98_percent_from_three_seeds() {
    for seed in ["0", "1", "2"] {
        let accuracy = accuracy(&["--seed", seed]);
        assert!(accuracy >= 0.98, "seed {seed}: {accuracy}");
    }
}

#[test]
#[ignore = "long: scripts/test --full"]
fn full_mnist_reaches_99_percent() {
    let given = std::env::var_os("CELLWRIGHT_MNIST").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/images/mnist"));
    if !folder.is_dir() {
        cellwright::device::skipped(&format!("no MNIST in {} (set CELLWRIGHT_MNIST)", folder.display()));
        return;
    }
    let data = ["--data", "mnist", "--data-dir", folder.to_str().unwrap()];
    let accuracy = accuracy(&[&data[..], &["--set=random=0", "--set=baseline=false"]].concat());
    assert!(accuracy >= 0.99, "{accuracy}");
}
