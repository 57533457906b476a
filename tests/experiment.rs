//! `search` and `train` from the command line: what a run writes, and that it repeats itself to the byte.
//!
//! Runs are tiny. What each strategy makes of each space is `tests/methods.rs`; what is refused, `tests/settings.rs` and
//! `tests/datasets.rs`.

mod common;

use cellwright::run::Config;
use cellwright::space;
use common::process::{
    Outcome, call, count, devices, good, in_words, lines, outcome, program, read, search, search_few,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// What every search writes.
const FILES: [&str; 14] = [
    "config.toml",
    "metrics.jsonl",
    "timing.jsonl",
    "genotype.json",
    "weights.safetensors",
    "model.json",
    "model.md",
    "report.html",
    "summary.json",
    "classes.csv",
    "confusion.csv",
    "architecture.svg",
    "training.svg",
    "accuracies.svg",
];

/// Requires that a search succeeded and has left what it says; gives its summary.
fn complete(out: &Path, run: &Outcome) -> Value {
    let summary = run.json();
    assert_eq!(summary, serde_json::from_str::<Value>(&read(out, "summary.json")).unwrap());
    let entries = std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap());
    let files: BTreeSet<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    for file in FILES {
        assert!(files.contains(file), "{file} is missing: {files:?}");
    }
    for picture in files.iter().filter(|file| file.ends_with(".svg")) {
        roxmltree::Document::parse(&read(out, picture)).unwrap_or_else(|error| panic!("{picture}: {error}"));
    }
    // Pictures of what there is to draw, and of nothing else.
    for (picture, kind) in
        [("ranking.svg", "ranked"), ("search.svg", "search epoch"), ("controller.svg", "controller epoch")]
    {
        assert_eq!(files.contains(picture), count(out, kind) > 0, "{picture}: {files:?}");
    }
    summary
}

#[test]
fn a_search_writes_its_run_and_repeats_itself_to_the_byte() {
    let place = tempfile::tempdir().unwrap();
    for device in devices() {
        let [first, second] = ["a", "b"].map(|name| place.path().join(format!("{device}-{name}")));
        let run = search(&first, device, &[]);
        let summary = complete(&first, &run);
        for (key, kind) in [
            ("format", "number"),
            ("space", "string"),
            ("strategy", "string"),
            ("data", "string"),
            ("data_source", "string"),
            ("device", "string"),
            ("seed", "number"),
            ("genotype", "string"),
            ("parameters", "number"),
            ("multiply_adds", "number"),
            ("test_accuracy", "number"),
            ("random_accuracies", "array"),
            ("baseline_accuracy", "number"),
            ("search_seconds", "number"),
            ("train_seconds", "number"),
            ("total_seconds", "number"),
        ] {
            let found = match &summary[key] {
                Value::String(_) => "string",
                Value::Number(_) => "number",
                Value::Array(_) => "array",
                _ => "missing",
            };
            assert_eq!(found, kind, "{key}");
        }
        assert_eq!(summary["format"], 2);
        assert_eq!(summary["version"], env!("CARGO_PKG_VERSION"));
        assert!(read(&first, "config.toml").starts_with("format = 2\n"), "{}", read(&first, "config.toml"));
        assert_eq!(summary["random_accuracies"].as_array().unwrap().len(), 1);
        let source = summary["data_source"].as_str().unwrap();
        assert!(source.starts_with("digits: 1,438 + 359 pictures of 8×8, part of the program"), "{source}");
        assert!(run.err.contains(source), "the same is said at the start: {}", run.err);
        let parameters = |name: &str| {
            let networks = summary["networks"].as_array().unwrap();
            networks.iter().find(|n| n["name"] == name).unwrap()["parameters"].as_f64().unwrap()
        };
        assert!((parameters("baseline") / parameters("searched") - 1.0).abs() <= 0.1);
        for picture in ["alphas_normal", "alphas_reduce"] {
            assert!(first.join(format!("{picture}.svg")).is_file(), "{picture}");
        }
        for kind in ["search step", "search epoch", "train epoch", "test"] {
            assert!(count(&first, kind) > 0, "{kind}");
        }
        assert!(!read(&first, "metrics.jsonl").contains("seconds"), "metrics hold no times");

        complete(&second, &search(&second, device, &[]));
        for file in ["metrics.jsonl", "genotype.json", "config.toml", "weights.safetensors"] {
            let [first, second] = [&first, &second].map(|run| std::fs::read(run.join(file)).unwrap());
            assert!(first == second, "{file} on {device}");
        }
    }
}

#[test]
fn phases_are_timed_since_when_in_utc_and_for_how_long_in_seconds() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let before = jiff::Timestamp::now();
    let summary = complete(&out, &search_few(&out, "cpu", &[]));
    let after = jiff::Timestamp::now();
    let timing = lines(&out, "timing.jsonl");
    let phases: Vec<&str> = timing.iter().map(|line| line["phase"].as_str().unwrap()).collect();
    assert_eq!(phases, ["search", "train searched", "train random 1", "train baseline", "summarise"]);
    let mut last = before;
    for line in &timing {
        let began = line["began"].as_str().unwrap();
        // RFC 3339, and not in any zone but UTC.
        assert!(began.ends_with('Z') && began.as_bytes()[10] == b'T', "{began}");
        let time: jiff::Timestamp = began.parse().unwrap_or_else(|error| panic!("{began}: {error}"));
        // Written to the millisecond.
        let whole = |time: jiff::Timestamp| time.as_millisecond();
        assert!(whole(last) <= whole(time) && whole(time) <= whole(after), "{began} is not from {last} to {after}");
        last = time;
        let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        let known = [
            "phase",
            "began",
            "phase_seconds",
            "checkpoints",
            "checkpoint_bytes",
            "checkpoint_seconds",
            "dispatches",
            "device_bytes",
        ];
        assert_eq!(keys, known);
        let worked = line["phase"] != "summarise";
        assert!(
            (line["dispatches"].as_u64() > Some(0)) == worked && line["device_bytes"].as_u64() > Some(1000),
            "{line}"
        );
        assert!((0.0..60.0).contains(&line["phase_seconds"].as_f64().unwrap()), "{line}");
    }
    // What else tells a duration says by its name what it is counted in, too.
    let told = ["search_seconds", "train_seconds", "total_seconds"].map(|key| summary[key].as_f64().unwrap());
    assert!(told[0] + told[1] <= told[2], "{told:?}");
}

#[test]
fn results_on_the_cpu_do_not_depend_on_the_number_of_threads() {
    let place = tempfile::tempdir().unwrap();
    let metrics = ["1", "3"].map(|threads| {
        let out = place.path().join(threads);
        // Pictures enough for the threads to share them out.
        let tiny = ["--budget=1", "--set=random=0", "--set=baseline=false", "--set=train.epochs=1"];
        let small = ["--set=supernet.channels=2", "--set=network.channels=2", "--set=space.nodes=2"];
        let mut command = program();
        command.args(["search", "--device=cpu", "--out"]).arg(&out).args(tiny).args(small);
        let run = outcome(command.env("RAYON_NUM_THREADS", threads));
        assert_eq!(run.status, 0, "{}", run.err);
        read(&out, "metrics.jsonl")
    });
    assert_eq!(metrics[0], metrics[1]);
}

/// Whether a strategy's search is a study.
fn is_study(name: &str) -> bool {
    Config::with(&[&format!("strategy={name}")]).unwrap().search.is_study()
}

#[test]
fn every_strategy_finishes_and_writes_what_a_run_writes() {
    let place = tempfile::tempdir().unwrap();
    let list = good(&["search", "--list"]);
    // The tables of estimators follow behind an empty line.
    let rows = list.lines().take_while(|row| !row.is_empty());
    let names: Vec<&str> =
        rows.filter_map(|row| row.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name).collect();
    // The head of the table has a name in backquotes, too.
    let names = &names[1..];
    assert_eq!(names.len(), cellwright::search::ALL.len(), "{list}");
    for name in names {
        let out = place.path().join(name);
        // Some divide the channels by four.
        let own = match is_study(name) {
            true => "--set=search.trials=3",
            false => "--set=supernet.channels=4",
        };
        let summary = complete(&out, &search_few(&out, "cpu", &["--space=nas-bench-201", "--strategy", name, own]));
        assert_eq!(summary["strategy"], *name);
        let config = read(&out, "config.toml");
        assert!(config.contains(&format!("[search]\nstrategy = \"{name}\"")), "{config}");
        let ranked = [count(&out, "ranked"), count(&out, "ranked at random")];
        // Of the controller's epoch two steps; its two architectures are held against as many of chance.
        let learned = [count(&out, "controller step"), count(&out, "controller epoch")];
        let wanted = match *name {
            "rsps" => ([3, 0], [0, 0]),
            "spos" => ([6, 0], [0, 0]),
            "enas" => ([2, 2], [2, 1]),
            _ => ([0, 0], [0, 0]),
        };
        assert_eq!((ranked, learned), wanted, "{name}");
        if is_study(name) {
            let journal = lines(&out, "trials.jsonl");
            let of = |state: &str| journal.iter().filter(|line| line["state"] == state).count();
            assert!(of("began") > 0 && of("began") == of("finished") + of("failed"), "{name}: {journal:?}");
            assert!(read(&out, "trials.csv").lines().count() == 1 + of("began"), "{name}");
            assert!(out.join("trials.svg").exists());
            let timing = lines(&out, "timing.jsonl");
            let timed: Vec<&Value> = timing.iter().filter(|line| line.get("trial").is_some()).collect();
            assert!(
                timed.iter().all(|line| line["trial_seconds"].as_f64().is_some_and(|took| took >= 0.0)),
                "{timed:?}"
            );
            assert_eq!((timed.len(), read(&out, "trials.jsonl").contains("seconds")), (of("began"), false), "{name}");
            let trials = &summary["trials"];
            let best = journal.iter().rfind(|line| line["best"] == true).map(|line| &line["trial"]);
            let counted =
                ["count", "finished", "failed", "beyond_limits", "epochs"].map(|key| trials[key].as_u64().unwrap());
            let expected = [of("began"), of("finished"), of("failed"), 0, of("epoch")].map(|count| count as u64);
            assert_eq!((counted, Some(&trials["best"])), (expected, best), "{name}");
        } else {
            assert_eq!((&summary["trials"], &summary["settings"]), (&Value::Null, &Value::Null), "{name}");
        }
        let compared = |who: &str| summary["shared_weights"][who].as_array().map_or(0, Vec::len);
        assert_eq!([compared("strategy"), compared("random")], if *name == "enas" { [2, 2] } else { [0, 0] }, "{name}");
        for line in lines(&out, "metrics.jsonl") {
            for share in ["valid_accuracy", "reward"].map(|key| line[key].as_f64()).into_iter().flatten() {
                assert!((0.0..=1.0).contains(&share), "{name}: {line}");
            }
            assert!(line["entropy"].as_f64().is_none_or(|entropy| entropy >= 0.0), "{name}: {line}");
        }
    }
}

#[test]
fn a_study_sums_up_its_trials_and_what_it_decided_beside_the_architecture() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let options = [
        "--space=chain",
        "--strategy=random",
        "--set=search.trials=4",
        "--set=search.epochs=0",
        "--set=search.trial_epochs=2",
        "--set=search.also={\"train.batch\" = [16, 32], \"train.rate.from\" = { log = [0.01, 0.1] }}",
        // Some of these chains have more.
        "--limit=parameters=800",
    ];
    let summary = complete(&out, &search_few(&out, "cpu", &options));
    let journal = lines(&out, "trials.jsonl");
    let of = |state: &str| journal.iter().filter(|line| line["state"] == state).count() as u64;
    let trials = |key: &str| summary["trials"][key].as_u64().unwrap();
    assert!(trials("beyond_limits") > 0, "{summary}");
    assert_eq!((trials("finished"), trials("failed"), trials("epochs")), (4, 0, 8));
    assert_eq!((trials("count"), trials("beyond_limits")), (of("began"), of("failed")));
    // What the best trial was begun with is what its network was trained with.
    let began = journal.iter().find(|line| line["state"] == "began" && line["trial"] == trials("best")).unwrap();
    assert_eq!(summary["settings"], began["settings"]);
    assert!(summary["settings"]["train.rate.from"].as_f64().is_some_and(|rate| (0.01..=0.1).contains(&rate)));
    assert_eq!(summary["genotype"], began["architecture"]);
}

#[test]
fn what_follows_a_search_is_done_in_every_space() {
    let place = tempfile::tempdir().unwrap();
    for space in space::names().filter(|name| *name != "chain-vgg16") {
        let out = place.path().join(space);
        // One path a step: what is searched by mixtures is in `tests/methods.rs`.
        let summary = complete(&out, &search_few(&out, "cpu", &["--strategy=gdas", "--space", space]));
        let part = match space {
            darts if darts.contains("darts") => "Genotype(",
            "chain" | "chain-mlp" => "layer0",
            "nas-bench-201" => "|+|",
            "mobile" => "stage6_block0_operation=mbconv_",
            "enas-micro" => "normal=[",
            "enas-macro" => " | ",
            "nasnet" => "reduce=[",
            other => panic!("{other} is new: what does its text hold?"),
        };
        assert!(summary["genotype"].as_str().unwrap().contains(part), "{space}: {summary}");
        let networks = summary["networks"].as_array().unwrap();
        assert_eq!(networks.len(), 3, "{space}: what was found, what chance found, what was designed by hand");
    }
}

#[test]
fn spaces_of_stages_are_searched_and_trained_and_a_run_repeats_without_the_file() {
    let place = tempfile::tempdir().unwrap();
    let [file, first, second, trained] =
        ["space.toml", "a", "b", "c"].map(|name| place.path().join(name).to_str().unwrap().to_owned());
    std::fs::copy("examples/space.toml", &file).unwrap();
    let summary = complete(first.as_ref(), &search(first.as_ref(), "cpu", &["--strategy=gdas", "--space", &file]));
    assert_eq!(summary["space"], "my-space");
    std::fs::remove_file(&file).unwrap();
    let config = format!("{first}/config.toml");
    let run = call(&["search", &config, "--device", "cpu", "--out", &second]);
    assert_eq!(run.status, 0, "{}", run.err);
    for name in ["metrics.jsonl", "genotype.json", "config.toml"] {
        assert_eq!(read(first.as_ref(), name), read(second.as_ref(), name), "{name}");
    }
    let genotype = format!("{first}/genotype.json");
    let arguments = ["--architecture", &genotype, "--epochs", "1", "--device", "cpu", "--out", &trained];
    let run = call(&[&["train", &config], &arguments[..]].concat());
    assert_eq!(run.status, 0, "{}", run.err);
}

#[test]
fn an_architecture_is_trained_by_name_text_or_file() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("genotype.txt");
    let text = "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=[2], \
                reduce=[('max_pool_3x3', 0), ('skip_connect', 1)], reduce_concat=[2])";
    std::fs::write(&file, text).unwrap();
    for (number, architecture) in ["DARTS_V2", text, file.to_str().unwrap()].into_iter().enumerate() {
        let out = place.path().join(number.to_string());
        let small = ["--channels=2", "--layers=2", "--epochs=1", "--set=train.batch=256", "--device=cpu", "--json"];
        let which = ["--architecture", architecture, "--out", out.to_str().unwrap()];
        let summary = call(&[&["train"], &which[..], &small].concat()).json();
        assert!(summary["test_accuracy"].as_f64().unwrap() > 0.0);
        assert_eq!(summary["format"], 2);
        assert!(out.join("weights.safetensors").is_file() && out.join("curves.svg").is_file());
        let config = Config::read(
            &cellwright::run::Sources { text: &read(&out, "config.toml"), ..Default::default() },
            |name| Ok(space::SpaceConfig::of(name.unwrap())),
        );
        // What is trained is said in it, which a search has no use for.
        assert!(config.unwrap_err().to_string().contains("`search` does not read `architecture`"));
    }
}

#[test]
fn a_controllers_search_says_in_words_what_chance_came_to() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let Outcome { status, out: words, err } =
        in_words(&out, "cpu", &["--strategy=enas", "--space=nas-bench-201", "--set=search.epochs=2"]);
    assert_eq!(status, 0, "{err}");
    for part in ["2 of enas best", "2 at random best", "random on average", "Entropy of the controller"] {
        assert!(words.contains(part), "should say `{part}`: {words}");
    }
}

#[test]
fn a_directory_that_holds_something_is_not_written_to() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("thesis.tex"), "mine").unwrap();
    let run = search(place.path(), "cpu", &[]);
    assert_eq!(run.status, 1);
    assert!(run.err.contains("is not empty"), "{}", run.err);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
}

#[test]
fn a_loss_that_is_not_finite_stops_the_run_and_says_where_it_began() {
    let place = tempfile::tempdir().unwrap();
    for device in devices() {
        let out = place.path().join(device);
        let run = search_few(&out, device, &["--set=search.rate.from=1e30", "--set=search.rate.to=1e30"]);
        assert_eq!(run.status, 1, "{}", run.err);
        for part in ["became", "at step", "epoch 0", "first in kernel `"] {
            assert!(run.err.contains(part), "should say `{part}`: {}", run.err);
        }
        assert!(!out.join("summary.json").exists());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_and_no_file_is_half_written() {
    let place = tempfile::tempdir().unwrap();
    let mount =
        |arguments: &[&str]| std::process::Command::new("mount").args(arguments).status().is_ok_and(|s| s.success());
    let path = place.path().to_str().unwrap();
    if !mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs", path]) {
        cellwright::device::skipped("a small file system cannot be mounted here");
        return;
    }
    let out = place.path().join("run");
    let run = search_few(&out, "cpu", &[]);
    let files: Vec<(String, u64)> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len()))
        .collect();
    let lines_are_whole = files
        .iter()
        .filter(|(name, _)| name.ends_with("jsonl"))
        .all(|(name, _)| read(&out, name).lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let _ = std::process::Command::new("umount").arg(path).status();
    assert_eq!(run.status, 1, "{}", run.err);
    assert!(run.err.contains("cannot write") && run.err.contains("space"), "{}", run.err);
    assert!(lines_are_whole, "{files:?}");
    assert!(files.iter().all(|(name, size)| *size > 0 || name.ends_with("jsonl") || name == ".lock"), "{files:?}");
}

#[test]
fn a_study_that_is_told_to_goes_by_balanced_accuracy() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let study = ["--space=chain", "--strategy=random", "--trials=4", "--set=search.epochs=0"];
    search_few(&out, "cpu", &[&study[..], &["--objective=balanced_accuracy,parameters"]].concat()).json();
    let journal = lines(&out, "trials.jsonl");
    let mut best = -1.0;
    let finished: Vec<&Value> = journal.iter().filter(|line| line["state"] == "finished").collect();
    assert_eq!(finished.len(), 4);
    for line in finished {
        let balanced = line["objectives"]["balanced_accuracy"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&balanced));
        assert_eq!(line["best"], balanced > best, "{line}");
        best = balanced.max(best);
    }
}
