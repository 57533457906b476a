//! `--tensorboard`: what event files say is what the logs say, also of runs that were killed and went on. The files are read by the
//! program's own reader, by TensorBoard's rules; `scripts/peers/tensorboard` has TensorBoard itself read them.

#[path = "common/mod.rs"]
mod common;

use cellwright::export::tensorboard::proto::{Content, Event, HParams, HParamsPluginData, What};
use cellwright::export::tensorboard::records::events;
use cellwright::export::tensorboard::{About, TensorBoard};
use cellwright::run::Observer as _;
use cellwright::space::{Architecture, SpaceConfig};
use common::process::{call, in_words, lines, program, read, search_few};
use prost::Message as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What TensorBoard has of a run: values by tag and step, in the order of reading.
#[derive(Default)]
struct Board {
    scalars: BTreeMap<String, Vec<(i64, f64)>>,
    histograms: BTreeMap<String, Vec<(i64, f64)>>,
    pictures: BTreeMap<String, Vec<(i64, Vec<u8>)>>,
    sessions: Vec<HParams>,
    files: usize,
    /// Sessions that have begun. As TensorBoard has it, nothing is dropped where the first does.
    sessions_begun: usize,
}

impl Board {
    /// Reads the files of one folder by name. `SessionLog` says what no longer counts.
    fn read(folder: &Path) -> Self {
        let mut board = Self::default();
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.is_file());
        files.sort();
        for file in files {
            assert!(file.file_name().unwrap().to_str().unwrap().starts_with("events.out.tfevents."), "{file:?}");
            board.files += 1;
            let found = events(&std::fs::read(&file).unwrap()).unwrap_or_else(|error| panic!("{file:?}: {error}"));
            assert_eq!(found[0].what, Some(What::FileVersion("brain.Event:2".into())));
            found.into_iter().for_each(|event| board.take(event));
        }
        board
    }

    fn take(&mut self, event: Event) {
        let step = event.step;
        match event.what {
            Some(What::SessionLog(log)) => {
                assert_eq!(log.status, 1);
                self.sessions_begun += 1;
                if self.sessions_begun == 1 {
                    return;
                }
                self.scalars.values_mut().for_each(|list| list.retain(|(at, _)| *at < step));
                self.histograms.values_mut().for_each(|list| list.retain(|(at, _)| *at < step));
                self.pictures.values_mut().for_each(|list| list.retain(|(at, _)| *at < step));
            }
            Some(What::Summary(summary)) => {
                for value in summary.value {
                    let tag = value.tag.clone();
                    match value.content.unwrap() {
                        Content::Number(number) => {
                            self.scalars.entry(tag).or_default().push((step, f64::from(number)));
                        }
                        Content::Histogram(found) => {
                            assert_eq!(found.bucket.iter().sum::<f64>(), found.num);
                            self.histograms.entry(tag).or_default().push((step, found.sum));
                        }
                        Content::Image(image) => {
                            #[cfg(feature = "images")]
                            {
                                let found = image::load_from_memory(&image.encoded_image_string).unwrap();
                                assert_eq!([found.width() as i32, found.height() as i32], [image.width, image.height]);
                                assert_eq!(image.colorspace, 3);
                            }
                            self.pictures.entry(tag).or_default().push((step, image.encoded_image_string));
                        }
                        Content::Tensor(_) => {
                            let plugin = value.metadata.unwrap().plugin_data.unwrap();
                            assert_eq!(plugin.plugin_name, "hparams");
                            self.sessions.push(HParamsPluginData::decode(&*plugin.content).unwrap().data.unwrap());
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// What the metrics say of a kind, key by key: numbers, and where they stand.
fn logged(out: &Path, kind: &str, key: &str, step: impl Fn(&[Value], usize) -> i64) -> Vec<(i64, f64)> {
    let all = lines(out, "metrics.jsonl");
    let of_kind = all.iter().enumerate().filter(|(_, line)| line["kind"] == kind && line[key].is_number());
    of_kind.map(|(at, line)| (step(&all, at), f64::from(line[key].as_f64().unwrap() as f32))).collect()
}

/// Requires that a board says of the search what its metrics say.
fn same_search(out: &Path, board: &Board) {
    let own = |all: &[Value], at: usize| all[at]["step"].as_i64().unwrap();
    let before = |all: &[Value], at: usize| all[..at].iter().rev().find_map(|line| line["step"].as_i64()).unwrap();
    let steps = logged(out, "search step", "train_loss", own);
    assert!(steps.len() > 1);
    assert_eq!(board.scalars["search_step/train_loss"], steps);
    for key in ["train_loss", "valid_accuracy", "rate", "entropy", "gap", "derived_accuracy"] {
        let epochs = logged(out, "search epoch", key, before);
        assert!(!epochs.is_empty());
        assert_eq!(board.scalars[&format!("search_epoch/{key}")], epochs, "{key}");
    }
    for line in lines(out, "metrics.jsonl").iter().filter(|line| line["kind"] == "search epoch") {
        for (name, rows) in line["weights"].as_object().unwrap() {
            let numbers = rows.as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
            let sum: f64 = numbers.map(|number| number.as_f64().unwrap()).sum();
            assert!(board.histograms[name].iter().any(|(_, found)| (found - sum).abs() < 1e-9), "{name}");
            if cfg!(feature = "images") {
                assert_eq!(board.pictures[&format!("cells/{name}")].len(), board.histograms[name].len());
            }
        }
    }
    if cfg!(feature = "images") {
        same_cells(out, board);
    }
}

/// Requires that the derived cells are pictures of the epochs after which they were others, and of the last step; and that pictures
/// differ where cells do, and only there.
fn same_cells(out: &Path, board: &Board) {
    let config = read(out, "config.toml").parse::<toml::Table>().unwrap();
    let space = SpaceConfig::of(config["space"]["name"].as_str().unwrap()).build().unwrap();
    let (mut step, mut drawn): (i64, Vec<(i64, Architecture)>) = (0, Vec::new());
    for line in lines(out, "metrics.jsonl") {
        step = line["step"].as_i64().unwrap_or(step);
        if line["kind"] == "search epoch" {
            let found: Architecture = serde_json::from_value(line["answers"].clone()).unwrap();
            if drawn.last().is_none_or(|(_, last)| *last != found) {
                drawn.push((step, found));
            }
        }
    }
    let (last, found) = drawn.last().unwrap().clone();
    if last < step {
        drawn.push((step, found));
    }
    for (at, name) in space.cells(&drawn[0].1).iter().map(|plan| plan.name.clone()).enumerate() {
        let pictures = &board.pictures[&format!("derived/{name}")];
        let steps = |list: &mut dyn Iterator<Item = i64>| list.collect::<Vec<_>>();
        assert_eq!(steps(&mut pictures.iter().map(|(step, _)| *step)), steps(&mut drawn.iter().map(|(step, _)| *step)));
        for (i, j) in (0..drawn.len()).flat_map(|i| (0..i).map(move |j| (i, j))) {
            let [a, b] = [i, j].map(|of| space.cells(&drawn[of].1)[at].clone());
            assert_eq!(a == b, pictures[i].1 == pictures[j].1, "{a:?} {b:?}");
        }
    }
}

#[test]
fn event_files_say_what_the_logs_of_a_search_say() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let run = search_few(&out, "cpu", &["--tensorboard", "--set=search.epochs=4"]);
    let summary = run.json();
    let folder = out.join("tensorboard");
    same_search(&out, &Board::read(&folder.join("search")));
    let names: BTreeSet<String> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for network in ["searched", "random 1", "baseline"] {
        assert!(names.contains(&format!("train {network}")), "{names:?}");
        let board = Board::read(&folder.join(format!("train {network}")));
        let lines = lines(&out, "metrics.jsonl");
        let of = |kind: &str| lines.iter().find(|line| line["kind"] == kind && line["network"] == network).unwrap();
        let number = |value: &Value| f64::from(value.as_f64().unwrap() as f32);
        assert_eq!(board.scalars["train/train_loss"], [(0, number(&of("train epoch")["train_loss"]))]);
        assert_eq!(board.scalars["test/test_accuracy"], [(0, number(&of("test")["test_accuracy"]))]);
    }
    // The configuration is a session, with what it came to.
    let board = Board::read(&folder);
    assert_eq!((board.files, board.sessions_begun), (1, 1));
    let accuracy = f64::from(summary["test_accuracy"].as_f64().unwrap() as f32);
    assert_eq!(board.scalars["result/test_accuracy"], [(0, accuracy)]);
    let [HParams::Start(start), HParams::End(end)] = &board.sessions[..] else { panic!("{:?}", board.sessions) };
    assert_eq!(end.status, 1);
    assert!(start.hparams.contains_key("search.strategy") && start.hparams.contains_key("train.sgd.momentum"));

    // Nothing is written where it was not asked for, and what cannot be written is said while the run goes on.
    let plain = place.path().join("plain");
    search_few(&plain, "cpu", &["--set=search.epochs=4"]).json();
    assert!(!plain.join("tensorboard").exists());
    assert_eq!(read(&plain, "metrics.jsonl"), read(&out, "metrics.jsonl"), "following changes nothing");
    let nowhere = place.path().join("a file");
    std::fs::write(&nowhere, "").unwrap();
    let option = format!("--tensorboard={}", nowhere.display());
    let run = in_words(&place.path().join("blocked"), "cpu", &[&option]);
    assert_eq!(run.status, 0, "{}", run.err);
    assert_eq!(run.err.matches("no more is written for TensorBoard").count(), 1, "{}", run.err);
}

#[test]
fn each_trial_of_a_study_is_a_session() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let options = ["--tensorboard", "--strategy=random", "--space=chain", "--trials=3", "--set=search.trial_epochs=2"];
    search_few(&out, "cpu", &options).json();
    let trials = lines(&out, "trials.jsonl");
    let search = Board::read(&out.join("tensorboard/search"));
    let accuracies = trials.iter().filter(|line| line["state"] == "finished");
    let accuracies: Vec<f64> =
        accuracies.map(|line| f64::from(line["objectives"]["accuracy"].as_f64().unwrap() as f32)).collect();
    let expected: Vec<(i64, f64)> = (1..).zip(accuracies.iter().copied()).collect();
    assert_eq!(search.scalars["objective/accuracy"], expected);
    for (trial, accuracy) in accuracies.iter().enumerate() {
        let board = Board::read(&out.join(format!("tensorboard/trials/{trial:05}")));
        assert_eq!(board.scalars["objective/accuracy"], [(1, *accuracy)]);
        assert_eq!(board.scalars["train/train_accuracy"].len(), 2);
        let [HParams::Start(start), HParams::End(_)] = &board.sessions[..] else { panic!("{:?}", board.sessions) };
        assert!(start.hparams.contains_key("layer0_operation"), "{start:?}");
    }
    assert!(Board::read(&out.join("tensorboard")).sessions.is_empty());
}

/// Kills a search once its metrics have so many lines, if it is not over before.
fn killed_at(out: &Path, count: usize, arguments: &[&str]) -> bool {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("cellwright"));
    let mut child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < Duration::from_secs(300), "nothing happens");
        let text = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
        if text.lines().count() >= count {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_run_that_was_killed_and_goes_on_counts_no_step_twice() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let path = out.to_str().unwrap();
    let begin = [
        "search",
        "--space=chain",
        "--device=cpu",
        "--out",
        path,
        "--tensorboard",
        "--set=supernet.channels=2",
        "--budget=6",
        "--set=network.channels=2",
        "--set=train.epochs=2",
        "--set=random=0",
        "--set=baseline=false",
        "--limit-images=200",
        "--set=search.batch=20",
    ];
    let resume = ["search", "--resume", path, "--tensorboard"];
    assert!(killed_at(&out, 15, &begin));
    let mut kills = 1;
    for count in [24, 33] {
        kills += usize::from(killed_at(&out, count, &resume));
    }
    assert!(call(&resume).status == 0);
    let board = Board::read(&out.join("tensorboard/search"));
    same_search(&out, &board);
    assert!(kills > 1 && board.files > 1, "{kills} kills, {} files", board.files);
    assert_eq!(board.files, board.sessions_begun);
    // Followed only when it goes on, a run is written whole.
    let late = place.path().join("late");
    let begin: Vec<&str> = begin.iter().map(|part| if *part == path { late.to_str().unwrap() } else { part }).collect();
    let begin: Vec<&str> = begin.into_iter().filter(|part| *part != "--tensorboard").collect();
    assert!(killed_at(&late, 20, &begin));
    assert_eq!(call(&["search", "--resume", late.to_str().unwrap(), "--tensorboard"]).status, 0);
    let board = Board::read(&late.join("tensorboard/search"));
    same_search(&late, &board);
    assert_eq!(board.files, 1);
}

#[test]
fn a_run_that_goes_on_in_the_same_process_begins_new_files() {
    let place = tempfile::tempdir().unwrap();
    let mut events = TensorBoard::new(place.path(), About::default());
    let step = |step: u64, loss: f64| json!({ "kind": "search step", "step": step, "train_loss": loss });
    events.starts();
    (1..=5).for_each(|at| events.wrote(&step(at, 1.0)));
    // The device was lost, and the last checkpoint was after the third.
    events.starts();
    (1..=3).for_each(|at| events.found(&step(at, 1.0)));
    (4..=6).for_each(|at| events.wrote(&step(at, 2.0)));
    events.starts();
    (1..=2).for_each(|at| events.wrote(&step(at, 3.0)));
    assert_eq!(events.problem(), None);
    let board = Board::read(&place.path().join("search"));
    assert_eq!((board.files, board.sessions_begun), (3, 3));
    assert_eq!(board.scalars["search_step/train_loss"], [(1, 3.0), (2, 3.0)]);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let got = program().args(["search", "--seeds=2", "--tensorboard"]).output().unwrap();
    assert_eq!(got.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&got.stderr).contains("--tensorboard"));
}
