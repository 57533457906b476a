//! Runs of the program that are killed, asked to stop, or begun twice, and go on with `--resume`: to the same bytes as a run
//! that was never stopped.

use cellwright::report::page::{Document, html};
use cellwright::run::trace::Trace;
use cellwright::settings::Settings;
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A search of a second or so, with a checkpoint after each step.
const TINY: [&str; 12] = [
    "--space=nas-bench-201",
    "--device=cpu",
    "--budget=3",
    "--seed=3",
    "--set=supernet.channels=4",
    "--set=supernet.layers=3",
    "--set=network.channels=4",
    "--set=network.layers=3",
    "--set=train.epochs=2",
    "--set=random=1",
    "--set=baseline=false",
    "--set=checkpoint.seconds=0",
];

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cellwright"));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What a study has instead of a supernet and epochs of its own.
const TRIALS: [&str; 2] = ["--trials=4", "--set=search.trial_epochs=2"];

/// The beginning of a search by a strategy.
fn search(strategy: &str, out: &Path) -> Command {
    let mut command = program(&["search", "--strategy", strategy, "--out", out.to_str().unwrap()]);
    let known = cellwright::search::ALL.iter().find(|known| known.about().name == strategy).unwrap();
    let is_study = known.sampler(&Settings::default(), 0).is_some();
    command.args(
        TINY.iter()
            .filter(|option| !is_study || !["--budget", "--set=supernet"].iter().any(|of| option.starts_with(of))),
    );
    if is_study {
        command.args(TRIALS);
    }
    if ["pc-darts", "gaea-pc-darts", "drnas"].contains(&strategy) {
        command.arg("--set=supernet.channels=8");
    }
    command
}

fn resume(verb: &str, out: &Path) -> Command {
    program(&[verb, "--resume", out.to_str().unwrap()])
}

/// The files that must be the same, and the summary without what took time.
fn results(directory: &Path) -> Vec<String> {
    let read = |name: &str| {
        let bytes = std::fs::read(directory.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        // Bytes as they are, in letters.
        bytes.into_iter().map(char::from).collect::<String>()
    };
    let mut summary: Value =
        serde_json::from_str(&std::fs::read_to_string(directory.join("summary.json")).unwrap()).unwrap();
    strip(&mut summary);
    let trials = if directory.join("trials.jsonl").exists() { read("trials.jsonl") } else { String::new() };
    let page = page(directory);
    let files = ["metrics.jsonl", "weights.safetensors", "config.toml", "classes.csv", "confusion.csv"];
    files.map(read).into_iter().chain([summary.to_string(), trials, page]).collect()
}

/// The page of a run, which must be that of its files, without what took time.
fn page(directory: &Path) -> String {
    let of = |directory: &Path| html(&Document::of(&[Trace::read(directory).unwrap()]));
    assert!(
        std::fs::read_to_string(directory.join("report.html")).unwrap() == of(directory),
        "another page than that of its files"
    );
    // The same files at another place, with a summary that took no time and without times of phases.
    let place = tempfile::tempdir().unwrap();
    let bare = place.path().join("run");
    std::fs::create_dir(&bare).unwrap();
    for name in ["config.toml", "metrics.jsonl", "trials.jsonl", "classes.csv", "confusion.csv"] {
        if directory.join(name).exists() {
            std::fs::copy(directory.join(name), bare.join(name)).unwrap();
        }
    }
    let mut summary: Value =
        serde_json::from_str(&std::fs::read_to_string(directory.join("summary.json")).unwrap()).unwrap();
    each_second(&mut summary, &mut |seconds| *seconds = 0.0.into());
    std::fs::write(bare.join("summary.json"), summary.to_string()).unwrap();
    let page = of(&bare);
    assert!(page.len() > 20_000 && page.ends_with("</html>\n"), "a page that is not whole");
    page
}

/// Does something to all that took time.
fn each_second(value: &mut Value, what: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Object(map) => {
            map.iter_mut().for_each(|(key, value)| match key.ends_with("_seconds") && value.is_number() {
                true => what(value),
                false => each_second(value, what),
            })
        }
        Value::Array(list) => list.iter_mut().for_each(|value| each_second(value, what)),
        _ => {}
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| !key.ends_with("_seconds"));
            map.values_mut().for_each(strip);
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Whether a run has written a checkpoint.
fn is_saved(out: &Path) -> bool {
    let names = std::fs::read_dir(out.join("checkpoint")).into_iter().flatten().flatten().map(|entry| entry.path());
    names.into_iter().any(|path| path.extension().is_some_and(|ending| ending == "checkpoint"))
}

/// Waits until something holds of a directory, or the process is over.
fn wait_for(child: &mut Child, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(300), "nothing happens");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A run that is killed after another share of its time again and again, until it comes to its end.
fn killed(begin: Command, verb: &str, out: &Path, whole: Duration, kills: u32, seed: u64) {
    let mut random = cellwright::random::Random::new(seed, 0);
    let mut command = begin;
    for _ in 0..kills {
        let mut child = command.spawn().unwrap();
        std::thread::sleep(whole.mul_f64(0.9 * f64::from(random.uniform())));
        // It may be over by now.
        let _ = child.kill();
        child.wait().unwrap();
        // Killed before it wrote what it is made by, it is begun as it was.
        if out.join("config.toml").exists() {
            command = resume(verb, out);
        }
    }
    assert!(command.status().unwrap().success());
}

fn kills(strategies: &[&str], times: u32, kills: u32) {
    let place = tempfile::tempdir().unwrap();
    for strategy in strategies {
        let whole = place.path().join(format!("{strategy}-whole"));
        let begun = Instant::now();
        assert!(search(strategy, &whole).status().unwrap().success(), "{strategy}");
        let took = begun.elapsed();
        let expected = results(&whole);
        assert!(!whole.join("checkpoint").exists(), "{strategy}: checkpoints are left");
        for time in 0..times {
            let out = place.path().join(format!("{strategy}-{time}"));
            killed(search(strategy, &out), "search", &out, took, kills, u64::from(time));
            assert!(results(&out) == expected, "{strategy}, time {time}: other bytes");
            std::fs::remove_dir_all(&out).unwrap();
        }
    }
}

#[test]
fn a_search_that_is_killed_again_and_again_ends_with_the_same_bytes() {
    kills(&["darts", "gdas", "enas", "spos", "evolution"], 2, 3);
}

#[test]
#[ignore = "long: scripts/test --full"]
fn full_searches_are_killed_fifty_times() {
    let all: Vec<&str> = cellwright::search::ALL.iter().map(|strategy| strategy.about().name).collect();
    kills(&all, 10, 5);
}

/// A training that is killed again and again, as often as said, each time anew.
fn kills_of_a_training(times: u32, kills: u32) {
    let place = tempfile::tempdir().unwrap();
    let train = |out: &Path| {
        let mut command =
            program(&["train", "--architecture", "DARTS_V2", "--device=cpu", "--channels=2", "--layers=2"]);
        command.args(["--epochs=3", "--set=checkpoint.seconds=0", "--out", out.to_str().unwrap()]);
        command
    };
    let whole = place.path().join("whole");
    let begun = Instant::now();
    assert!(train(&whole).status().unwrap().success());
    let took = begun.elapsed();
    for time in 0..times {
        let out = place.path().join(format!("killed-{time}"));
        killed(train(&out), "train", &out, took, kills, u64::from(time));
        assert!(results(&out) == results(&whole), "time {time}: other bytes");
    }
    // A training is not gone on with as a search.
    let output = resume("search", &whole).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("cellwright train --resume"), "{said}");
}

#[test]
fn a_training_that_is_killed_ends_with_the_same_bytes() {
    kills_of_a_training(1, 3);
}

#[test]
#[ignore = "long: scripts/test --full"]
fn full_trainings_are_killed_fifty_times() {
    kills_of_a_training(10, 5);
}

#[test]
fn trials_of_a_study_that_is_killed_are_timed_once_each() {
    let place = tempfile::tempdir().unwrap();
    let [whole, out] = ["whole", "killed"].map(|name| place.path().join(name));
    let begin = |out: &Path| {
        let mut command = program(&["search", "--strategy=evolution", "--out", out.to_str().unwrap()]);
        command.args(TINY.iter().filter(|option| !option.contains("supernet") && !option.contains("budget")));
        command.args(["--trials=6", "--set=search.trial_epochs=2", "--set=search.epochs=0"]);
        command
    };
    assert!(begin(&whole).status().unwrap().success());
    let mut child = begin(&out).spawn().unwrap();
    let journal = |out: &Path| std::fs::read_to_string(out.join("trials.jsonl")).unwrap_or_default();
    wait_for(&mut child, || journal(&out).contains("finished") && is_saved(&out));
    child.kill().unwrap();
    child.wait().unwrap();
    // What was carried out since the last checkpoint is carried out again: as if it had been much.
    let timing = out.join("timing.jsonl");
    let again = std::fs::read_to_string(&timing).unwrap() + "{\"trial\":5,\"trial_seconds\":1e9}\n";
    std::fs::write(&timing, again).unwrap();
    assert!(resume("search", &out).status().unwrap().success());
    assert_eq!(journal(&out), journal(&whole), "other bytes");
    let trace = cellwright::run::trace::Trace::read(&out).unwrap();
    let searched = trace.timing.phases.iter().find_map(|phase| phase.phase_seconds.filter(|_| phase.phase == "search"));
    assert_eq!(trace.timing.trials.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    let all: f64 = trace.timing.trials.values().sum();
    assert!(all > 0.0 && all <= searched.unwrap(), "{all} of {searched:?}");
}

#[test]
fn the_same_command_goes_on_and_a_finished_run_is_only_told() {
    let place = tempfile::tempdir().unwrap();
    let [whole, out] = ["whole", "again"].map(|name| place.path().join(name));
    assert!(search("darts", &whole).status().unwrap().success());
    let mut child = search("darts", &out).spawn().unwrap();
    wait_for(&mut child, || is_saved(&out));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(search("darts", &out).status().unwrap().success(), "the same command goes on");
    assert!(results(&out) == results(&whole));

    let before = std::fs::read(out.join("timing.jsonl")).unwrap();
    let output = resume("search", &out).stdout(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("Found by darts"), "{said}");
    assert_eq!(std::fs::read(out.join("timing.jsonl")).unwrap(), before, "nothing was done");
    // What is finished is not overwritten.
    let output = search("darts", &out).stderr(Stdio::piped()).output().unwrap();
    assert!(!output.status.success() && String::from_utf8(output.stderr).unwrap().contains("is not empty"));
}

#[test]
fn what_differs_from_the_run_is_named() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let mut child = search("darts", &out).spawn().unwrap();
    wait_for(&mut child, || is_saved(&out));
    child.kill().unwrap();
    child.wait().unwrap();
    let refused = |more: &[&str], part: &str| {
        let output = resume("search", &out).args(more).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(part), "{more:?}: {said}");
    };
    refused(&["--set=search.batch=32"], "search.batch was 64 and is 32 now");
    refused(&["--set=train.epochs=1"], "train.epochs was 2 and is 1 now");
    refused(&["--seed=4"], "cannot be used with");
    // More of what may be more.
    let longer = ["--set=train.epochs=3", "--set=random=2"];
    assert!(resume("search", &out).args(longer).status().unwrap().success());
    let summary: Value = serde_json::from_str(&std::fs::read_to_string(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["random_accuracies"].as_array().unwrap().len(), 2);
    let error = resume("search", &place.path().join("nowhere")).stderr(Stdio::piped()).output().unwrap();
    assert!(String::from_utf8(error.stderr).unwrap().contains("holds no run"));
}

#[test]
fn a_run_grows_only_where_it_is_not_over() {
    let place = tempfile::tempdir().unwrap();
    let stopped = |strategy: &str, name: &str, more: &[&str], phase: &str, times: usize| {
        let out = place.path().join(name);
        let is_there = || {
            let told = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
            told.matches(phase).count() >= times && is_saved(&out)
        };
        // On a busy machine it may be over before it can be killed.
        for _ in 0..20 {
            let mut child = search(strategy, &out).args(more).spawn().unwrap();
            wait_for(&mut child, is_there);
            let _ = child.kill();
            child.wait().unwrap();
            if out.join("checkpoint").exists() {
                break;
            }
            std::fs::remove_dir_all(&out).unwrap();
        }
        out
    };
    let said = |out: &Path, more: &str| {
        let output = resume("search", out).arg(more).stderr(Stdio::piped()).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    // What is compared with what must have had the same training.
    let out = stopped("darts", "over", &["--set=baseline=true"], "baseline", 1);
    for (more, phase) in [("--set=search.epochs=9", "search"), ("--set=train.epochs=9", "train searched")] {
        let (good, words) = said(&out, more);
        assert!(!good && words.contains(&format!("the phase `{phase}` of the run is over")), "{words}");
    }
    // What was under way is not taken for what has come before it.
    let whole = place.path().join("whole");
    assert!(search("darts", &whole).args(["--set=baseline=true", "--set=random=2"]).status().unwrap().success());
    assert!(said(&out, "--set=random=2").0);
    let summary = |out: &Path| serde_json::from_str(&std::fs::read_to_string(out.join("summary.json")).unwrap());
    let [mut long, mut whole]: [Value; 2] = [&out, &whole].map(|out| summary(out).unwrap());
    [&mut long, &mut whole].into_iter().for_each(strip);
    assert_eq!(long, whole);
    let (good, words) = said(&out, "--set=random=3");
    assert!(!good && words.contains("it has come to its end"), "{words}");
    // Stages and rankings have their own place in a search.
    // What a line tells may not yet be in a checkpoint: some lines later it is.
    for (strategy, phase, times, more) in
        [("spos", "ranked", 4, "--set=search.batch=512"), ("drnas", "\"epoch\":1", 1, "")]
    {
        let more: Vec<&str> = [more].into_iter().filter(|more| !more.is_empty()).collect();
        let out = stopped(strategy, strategy, &more, phase, times);
        let (good, words) = said(&out, "--set=search.epochs=50");
        let over = ["these epochs is over", "of the run is over"].iter().any(|part| words.contains(part));
        assert!(!good && over, "{strategy}: {words}");
    }
}

#[test]
fn two_processes_do_not_work_in_one_directory() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let mut child = search("darts", &out).spawn().unwrap();
    wait_for(&mut child, || is_saved(&out));
    let output = resume("search", &out).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let was_running = child.try_wait().unwrap().is_none();
    assert!(child.wait().unwrap().success());
    assert!(!was_running || (!output.status.success() && said.contains("in use by another process")), "{said}");
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_a_run_that_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let whole = place.path().join("whole");
    assert!(search("darts", &whole).status().unwrap().success());
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let out = place.path().join(signal);
        // A checkpoint only where it is asked for one.
        let mut child =
            search("darts", &out).arg("--set=checkpoint.seconds=1000000").stderr(Stdio::piped()).spawn().unwrap();
        wait_for(&mut child, || std::fs::metadata(out.join("metrics.jsonl")).is_ok_and(|facts| facts.len() > 0));
        let id = child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.contains("all is saved; go on with --resume"), "{said}");
        assert!(resume("search", &out).arg("--set=checkpoint.seconds=0").status().unwrap().success());
        assert!(results(&out) == results(&whole), "{signal}: other bytes");
    }
}
