//! What a search finds in NAS-Bench-201 is looked up in the benchmark's table.

mod common;

use cellwright::device::Device;
use cellwright::estimate::measured::ACCURACY;
use cellwright::estimate::{Lookup, TEST_ACCURACY};
use cellwright::random::Random;
use cellwright::run::{self, Config, Directory, Observer, RunError, read_table};
use cellwright::space::Space;
use cellwright::space::nas_bench_201::{CELLS, NasBench201};
use common::process::{call, in_words, read, refused, search_few};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// Accuracies in per cent that a made-up table has of a cell: on validation images, and on test images. Many are equal.
fn made(index: usize) -> [usize; 2] {
    [10 + index * 7 % 61, 20 + index * 11 % 71]
}

/// A made-up table of all cells but those that are left out.
fn table(without: &[usize]) -> TempDir {
    let mut text =
        String::from("index,arch,c10_val_12,c10_test_200,c100_val_12,c100_test_200,in16_val_12,in16_test_200,params\n");
    for index in (0..CELLS).filter(|index| !without.contains(index)) {
        let cell = NasBench201.print(&NasBench201.architecture_of(index).unwrap());
        let [valid, test] = made(index);
        text += &format!("{index},{cell},{valid},{test},50,{},30,40,1000\n", test / 2);
    }
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("nb201_accuracy.csv"), text).unwrap();
    place
}

/// What is expected of the best on validation images of so many draws, by the distribution of the greatest value.
fn expected(draws: i32) -> f64 {
    let below = |bound: usize| (0..CELLS).filter(|index| made(*index)[0] < bound).count() as f64 / CELLS as f64;
    let mean = |value: usize| {
        let tests: Vec<f64> =
            (0..CELLS).map(made).filter(|[valid, _]| *valid == value).map(|[_, test]| test as f64).collect();
        tests.iter().sum::<f64>() / tests.len() as f64
    };
    (10..=70).map(|value| (below(value + 1).powi(draws) - below(value).powi(draws)) * mean(value)).sum::<f64>() / 100.0
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn what_is_found_has_a_rank_and_is_held_against_random_search_at_equal_cost() {
    let table = table(&[]);
    let dir = table.path().to_str().unwrap();
    let place = tempfile::tempdir().unwrap();
    for (strategy, more, epochs, architectures) in [
        ("gdas", &["--set=search.epochs=30"][..], 30, 3),
        ("rsps", &["--set=search.epochs=1", "--table-dataset=cifar10"], 1, 1),
        ("enas", &["--set=search.epochs=1"], 1, 1),
        // Four trials of five epochs each; the last is not trained any longer than the others.
        ("random", &["--set=search.epochs=0", "--trials=4", "--set=search.trial_epochs=5"], 20, 2),
        ("tpe", &["--set=search.epochs=0", "--trials=2", "--estimator=training", "--set=search.trial_epochs=1"], 2, 1),
    ] {
        let out = place.path().join(strategy);
        let options = [&["--space=nas-bench-201", "--strategy", strategy, "--table", dir], more].concat();
        let summary = search_few(&out, "cpu", &options).json();
        let found = &summary["benchmark"];
        let cell = NasBench201.parse(summary["genotype"].as_str().unwrap()).unwrap();
        let index = NasBench201.index_of(&cell).unwrap();
        let [valid, test] = made(index);
        assert_eq!((&found["name"], &found["dataset"]), (&"nas-bench-201".into(), &"cifar10".into()), "{strategy}");
        assert_eq!((found["index"].as_u64(), found["of"].as_u64()), (Some(index as u64), Some(15_625)), "{strategy}");
        let better = (0..CELLS).filter(|other| made(*other)[1] > test).count();
        assert_eq!(found["rank"].as_u64(), Some(1 + better as u64), "{strategy}");
        for (key, expected) in [("valid_accuracy", valid), ("test_accuracy", test), ("optimum", 90)] {
            assert!((number(&found[key]) - expected as f64 / 100.0).abs() < 1e-9, "{strategy}, {key}: {found}");
        }
        let random = &found["random_search"];
        assert_eq!((random["epochs"].as_u64(), random["architectures"].as_u64()), (Some(epochs), Some(architectures)));
        assert!((number(&random["test_accuracy"]) - expected(architectures as i32)).abs() < 1e-9, "{strategy}");
        // By time: twelve epochs of the networks that were trained here, one epoch each.
        let networks = summary["networks"].as_array().unwrap();
        let cells = networks.iter().filter(|network| !network["genotype"].is_null());
        let seconds: Vec<f64> = cells.map(|network| number(&network["train_seconds"])).collect();
        let each = 12.0 * seconds.iter().sum::<f64>() / seconds.len() as f64;
        let in_time = &found["random_search_seconds"];
        let count = number(&summary["search_seconds"]) / each;
        assert!((number(&in_time["architectures"]) - count).abs() < 1e-6 * count, "{strategy}: {in_time}");
        let by_time = expected(count.round().max(1.0) as i32);
        assert!((number(&in_time["test_accuracy"]) - by_time).abs() < 1e-9, "{strategy}: {in_time}");
        // It is told again of a run that is over.
        let again = call(&["search", "--resume", out.to_str().unwrap()]);
        assert_eq!(again.status, 0, "{}", again.err);
        let told =
            format!("it is #{index}: {test}.00 % of the test images of cifar10 after 200 epochs, rank {}", better + 1);
        assert!(again.out.contains(&told) && again.out.contains("(the search was on mnist)"), "{}", again.out);
        assert!(again.out.contains(&format!("as many epochs as the search ({epochs})")), "{}", again.out);
    }
    // Another dataset, in words; what trains by the same file does not look at the table.
    let out = place.path().join("cifar100");
    let options = ["--space=nas-bench-201", "--strategy=rsps", "--table", dir, "--table-dataset=cifar100"];
    let run = in_words(&out, "cpu", &options);
    assert!(run.status == 0 && run.out.contains("of the test images of cifar100"), "{}{}", run.out, run.err);
    let config: toml::Table = read(&out, "config.toml").parse().unwrap();
    assert_eq!(config["benchmark"]["dataset"].as_str(), Some("cifar100"));
    assert!(config["benchmark"]["dir"].as_str().is_some_and(|dir| Path::new(dir) == table.path()), "{config}");
}

/// Asks to stop after so many steps.
struct After(u32);

impl Observer for After {
    fn begin(&mut self, _: &str, _: u64) {}
    fn step(&mut self, _: u64, _: Option<&str>) {
        self.0 = self.0.saturating_sub(1);
    }
    fn end(&mut self) {}
    fn stops(&mut self) -> bool {
        self.0 == 0
    }
    fn warn(&mut self, message: &str) {
        panic!("{message}");
    }
}

#[test]
fn a_run_that_was_stopped_looks_up_what_it_finds_in_the_end() {
    let table = table(&[]);
    let place = tempfile::tempdir().unwrap();
    let dir = format!("benchmark.dir='{}'", table.path().display());
    let config = Config::with(&[
        "space=nas-bench-201",
        "strategy=gdas",
        "search.epochs=13",
        "search.batch=16",
        "supernet.channels=2",
        "supernet.layers=1",
        "network.channels=2",
        "network.layers=1",
        "train.epochs=1",
        "train.batch=32",
        "random=0",
        "baseline=false",
        "data.limit=100",
        "device.name=cpu",
        &dir,
    ]);
    let config = config.unwrap();
    let directory = Directory::create(&place.path().join("run")).unwrap();
    let stopped = run::search(&Device::cpu(), &config, &directory, &mut After(5)).unwrap_err();
    assert!(matches!(stopped, RunError::Stopped { .. }), "{stopped}");
    drop(directory);
    let out = place.path().join("run");
    let summary = call(&["search", "--json", "--resume", out.to_str().unwrap()]).json();
    let random = &summary["benchmark"]["random_search"];
    assert_eq!((random["epochs"].as_u64(), random["architectures"].as_u64()), (Some(13), Some(1)));
}

#[test]
fn what_the_table_says_nothing_of_is_refused_before_anything_is_computed() {
    let (whole, part) = (table(&[]), table(&[17]));
    let [whole, part] = [&whole, &part].map(|place| place.path().to_str().unwrap());
    let benchmark = ["--space=nas-bench-201", "--strategy=rsps"];
    let with = |more: &[&'static str]| [&benchmark[..], more].concat();
    refused(
        &["--space=darts", "--table", whole],
        &["--table: a space that has no table", "benchmark.", "nas-bench-201"],
    );
    refused(&[&with(&["--table"])[..], &[part]].concat(), &["nb201_accuracy.csv", "1 of the 15625 cells are missing"]);
    refused(&with(&["--table", "no/where"]), &["no/where", "there is no nb201_accuracy.csv"]);
    refused(
        &[&with(&["--table-dataset=mnist", "--table"])[..], &[whole]].concat(),
        &["`mnist`", "cifar10, cifar100, imagenet16-120"],
    );
    refused(&with(&["--set=benchmark.dataset=cifar10"]), &["benchmark.dir is missing"]);
    refused(&with(&["--set=benchmark.dirs=x"]), &["no setting `benchmark.dirs`", "did you mean `benchmark.dir`"]);
    refused(&with(&["--set=benchmark=x"]), &["`benchmark` is a group"]);
    refused(&with(&["--set=benchmark.dir="]), &["benchmark.dir is empty"]);
    let looks_up = ["--space=nas-bench-201", "--strategy=tpe", "--estimator=table", "--table", whole];
    refused(
        &[&looks_up[..], &["--set=benchmark.dir=x"]].concat(),
        &["a study that looks its trials up", "benchmark.dir"],
    );
}

#[test]
fn the_expectation_is_that_of_random_search_on_the_real_table() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/nas-bench-201");
    if !dir.join("nb201_accuracy.csv.gz").is_file() {
        return cellwright::device::skipped(&format!("random search on the real table: there is no {}", dir.display()));
    }
    let place = tempfile::tempdir().unwrap();
    // As many epochs as a hundred architectures have.
    let options = ["--space=nas-bench-201", "--strategy=rsps", "--set=search.epochs=1200", "--set=search.batch=32"];
    let options = [&options[..], &["--set=supernet.layers=1", "--table", dir.to_str().unwrap()]].concat();
    let summary = search_few(&place.path().join("run"), "cpu", &options).json();
    let found = &summary["benchmark"];
    assert!((number(&found["optimum"]) - 0.9437).abs() < 5e-5, "{found}");
    assert_eq!(found["random_search"]["architectures"], 100);
    let lookup = Lookup::new(Arc::new(read_table(&dir).unwrap()), "cifar10").unwrap();
    let [valid, test] = [ACCURACY, TEST_ACCURACY].map(|objective| lookup.all(objective).unwrap());
    let mut random = Random::new(5, 1);
    let times = 5000;
    let mut drawn = || {
        let mut best = random.below(CELLS);
        for _ in 1..100 {
            let other = random.below(CELLS);
            best = if valid[other] > valid[best] { other } else { best };
        }
        test[best]
    };
    let mean = (0..times).map(|_| drawn()).sum::<f64>() / f64::from(times);
    // The standard deviation of one is 0.4 points: of the mean of so many 0.006.
    assert!((mean - number(&found["random_search"]["test_accuracy"])).abs() < 3e-4, "{mean}: {found}");
}
