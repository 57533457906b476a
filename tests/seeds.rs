//! `cellwright search --seeds`: runs of several seeds that are killed, stopped, made more, and read again.

mod common;

use common::process::{bad, call, lines, program, read};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs of a second or so, with a checkpoint after each step.
const TINY: [&str; 14] = [
    "--device=cpu",
    "--space=nas-bench-201",
    "--strategy=gdas",
    "--set=search.epochs=2",
    "--set=search.batch=16",
    "--set=supernet.channels=2",
    "--set=supernet.layers=1",
    "--set=network.channels=2",
    "--set=network.layers=1",
    "--set=train.epochs=2",
    "--set=train.batch=32",
    "--set=baseline=false",
    "--set=checkpoint.seconds=0",
    "--set=data.limit=100",
];

fn arguments<'a>(out: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    [&["search", "--out", out.to_str().unwrap()], &TINY[..], more].concat()
}

/// A call that must succeed; its JSON.
fn json(out: &Path, more: &[&str]) -> Value {
    call(&[&arguments(out, more)[..], &["--json"]].concat()).json()
}

/// The figures without what took time.
fn untimed(mut figures: Value) -> Value {
    for seed in figures["seeds"].as_array_mut().unwrap() {
        seed.as_object_mut().unwrap().retain(|key, _| !key.ends_with("_seconds"));
    }
    figures
}

fn accuracies(sample: &Value) -> Vec<f64> {
    sample["test_accuracies"].as_array().unwrap().iter().map(|accuracy| accuracy.as_f64().unwrap()).collect()
}

#[test]
fn each_seed_is_a_run_of_its_own_and_what_is_over_is_read() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("seeds");
    let two = json(&out, &["--seed=4", "--seeds=2", "--set=random=2"]);
    assert_eq!(two, serde_json::from_str::<Value>(&read(&out, "seeds.json")).unwrap());
    let seeds: Vec<u64> = two["seeds"].as_array().unwrap().iter().map(|seed| seed["seed"].as_u64().unwrap()).collect();
    assert_eq!(seeds, [4, 5]);
    let (found, random) = (accuracies(&two["found"]), accuracies(&two["random"]));
    assert_eq!((found.len(), random.len()), (2, 4));
    assert!((two["found"]["mean"].as_f64().unwrap() - (found[0] + found[1]) / 2.0).abs() < 1e-12);
    let half = (found[0] - found[1]).abs() / 2.0_f64.sqrt();
    assert!((two["found"]["deviation"].as_f64().unwrap() - half).abs() < 1e-12);
    // Two of the 15 divisions of six values are the most extreme.
    assert!((two["against_random"]["least_p"].as_f64().unwrap() - 2.0 / 15.0).abs() < 1e-12);
    assert!(read(&out, "seeds.md").contains("not even the most extreme result could be significant"));
    roxmltree::Document::parse(&read(&out, "seeds.svg")).unwrap();
    assert!(read(&out, "seeds.html").contains("Mann and Whitney"));
    assert!(out.join("seed-4/architecture.svg").is_file() && !out.join("seed-4/checkpoint").exists());

    // One more: what is over is not touched.
    let written =
        |seed: u64| std::fs::metadata(out.join(format!("seed-{seed}/summary.json"))).unwrap().modified().unwrap();
    let before = [written(4), written(5)];
    let run = call(&arguments(&out, &["--seed=4", "--seeds=3", "--set=random=2"]));
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(run.err.contains("1 of 1: seed 6") && !run.err.contains("seed 4"), "{}", run.err);
    assert!(run.out.contains("3 of 3 runs done") && run.out.contains("| random | 6 |"), "{}", run.out);
    assert_eq!([written(4), written(5)], before);
    // Of fewer, those that are left out are counted.
    let one = json(&out, &["--seed=5", "--seeds=1", "--set=random=2"]);
    assert_eq!((one["others"].as_u64(), accuracies(&one["found"])), (Some(2), vec![found[1]]));

    // The same as without the others.
    let alone = place.path().join("alone");
    let summary = json(&alone, &["--seed=5", "--set=random=2"]);
    assert_eq!(summary["test_accuracy"], two["seeds"][1]["test_accuracy"]);
    assert_eq!(summary["random_accuracies"], two["seeds"][1]["random_accuracies"]);
    assert!(read(&alone, "metrics.jsonl") == read(&out.join("seed-5"), "metrics.jsonl"), "other bytes");

    // A directory of seeds is its runs, for the checklist.
    let path = |name: &str| out.join(name).to_str().unwrap().to_owned();
    let checklist = call(&["report", "--checklist", "--json", &path("")]).json();
    assert_eq!(checklist["runs"].as_array().unwrap().len(), 3);
    let repeated = &checklist["parts"][1]["items"][6];
    assert_eq!((&repeated["answer"], &repeated["evidence"]), (&"yes".into(), &"gdas: seed 4, 5, 6".into()));
    let words = call(&["report", "--checklist", &path("seed-4")]).out;
    assert!(words.contains("# Checklist of 1 run\n") && words.contains("gdas: seed 4 |"), "{words}");
    bad(1, &format!("report --checklist {}", place.path().display()), &["holds no run"]);

    // Runs of another configuration are not mixed with these.
    let text = arguments(&out, &["--seed=4", "--seeds=3", "--set=random=1"]).join(" ");
    bad(1, &text, &["seed-4", "random was 2 and is 1 now; all seeds are run alike"]);
}

#[test]
fn without_random_networks_that_is_said() {
    let place = tempfile::tempdir().unwrap();
    let run = call(&arguments(&place.path().join("seeds"), &["--seeds=1", "--set=random=0"]));
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(run.out.contains("nothing to compare with") && run.out.contains("`random = 0`"), "{}", run.out);
}

#[cfg(unix)]
#[test]
fn what_is_killed_or_stopped_goes_on_to_the_same_bytes() {
    let place = tempfile::tempdir().unwrap();
    let [whole, out] = ["whole", "stopped"].map(|name| place.path().join(name));
    let more = ["--seeds=2", "--set=random=1"];
    let expected = json(&whole, &more);
    for (signal, status, run, line) in
        [("KILL", None, "seed-0", "search step"), ("INT", Some(130), "seed-1", "train epoch")]
    {
        let log = out.join(run).join("metrics.jsonl");
        let mut child = Command::new(program().get_program())
            .args(arguments(&out, &more))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !std::fs::read_to_string(&log).is_ok_and(|text| text.contains(line)) {
            assert!(child.try_wait().unwrap().is_none(), "it was over before it could be stopped");
            assert!(begun.elapsed() < Duration::from_secs(300), "nothing happens");
            std::thread::sleep(Duration::from_millis(1));
        }
        let id = child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), status, "{said}");
        assert!(status.is_none() || said.contains("go on by the same command with --out"), "{said}");
    }
    assert_eq!(untimed(json(&out, &more)), untimed(expected));
    for seed in ["seed-0", "seed-1"] {
        let [first, second] = [&whole, &out].map(|place| lines(&place.join(seed), "metrics.jsonl"));
        assert!(first == second, "{seed}: other bytes");
    }
}

#[test]
fn what_cannot_be_is_refused_and_leaves_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("seeds");
    let path = out.to_str().unwrap();
    bad(2, "search --seeds 0", &["--seeds", "1..="]);
    bad(2, "search --seeds 2 --resume runs/x", &["--resume", "cannot be used with"]);
    let last = i64::MAX;
    bad(1, &format!("search --seed {last} --seeds 2 --out {path}"), &["--seeds 2", "there are fewer"]);
    let run = call(&["search", "--seeds=2", "--device=cpu", "--set=train.batch=5000", "--out", path]);
    assert_eq!((run.status, run.out.as_str()), (1, ""), "{}", run.err);
    assert!(run.err.contains("1 of 2: seed 0") && run.err.contains("5000") && run.err.contains("1438"), "{}", run.err);
    assert!(!out.exists(), "{:?}", std::fs::read_dir(&out).unwrap().collect::<Vec<_>>());
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("notes.txt"), "mine").unwrap();
    bad(1, &format!("search --seeds 2 --device cpu --out {path}"), &["is not empty"]);
}
