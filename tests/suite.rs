//! `cellwright suite`: a grid of runs that is killed, stopped, refused in parts, and made larger.

use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Runs of a second or so, with a checkpoint after each step.
const TINY: [&str; 12] = [
    "--device=cpu",
    "--seeds=2",
    "--set=search.epochs=2",
    "--set=supernet.channels=4",
    "--set=supernet.layers=1",
    "--set=network.channels=4",
    "--set=network.layers=1",
    "--set=train.epochs=2",
    "--set=train.batch=128",
    "--set=random=2",
    "--set=checkpoint.seconds=0",
    "--set=data.limit=300",
];

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cellwright"));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A suite as it is begun.
fn begin(out: &Path) -> Command {
    let mut command = program(&["suite", out.to_str().unwrap(), "--strategies=darts,gdas", "--spaces=nas-bench-201"]);
    command.args(TINY);
    command
}

/// The same as it goes on: the directory says all.
fn go_on(out: &Path, more: &[&str]) -> Output {
    program(&["suite", out.to_str().unwrap()]).args(more).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn good(output: &Output) -> String {
    let said = said(output);
    assert!(output.status.success(), "{said}");
    said
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The figures without what took time.
fn figures(out: &Path) -> Value {
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
    let mut all = json(&out.join("suite.json"));
    strip(&mut all);
    all
}

/// The row of a strategy in the figures of the first space.
fn row<'a>(figures: &'a Value, strategy: &str) -> &'a Value {
    let rows = figures["spaces"][0]["rows"].as_array().unwrap();
    rows.iter().find(|row| row["strategy"] == strategy).unwrap()
}

/// What all searches and trainings measured, in the order of their directories.
fn metrics(out: &Path) -> Vec<String> {
    let runs = ["random", "darts", "gdas"].map(|name| [0, 1].map(|seed| format!("{name}/seed-{seed}/metrics.jsonl")));
    let read = |name: &String| std::fs::read_to_string(out.join("nas-bench-201").join(name)).unwrap();
    runs.iter().flatten().map(read).collect()
}

fn wait_for(child: &mut Child, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(300), "nothing happens");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_suite_that_is_killed_again_and_again_comes_to_the_same_figures() {
    let place = tempfile::tempdir().unwrap();
    let [whole, out] = ["whole", "killed"].map(|name| place.path().join(name));
    good(&begin(&whole).output().unwrap());
    let expected = figures(&whole);
    assert_eq!(expected["runs"], serde_json::json!({ "planned": 6, "done": 6, "failed": 0, "missing": 0 }));
    let random = row(&expected, "random");
    assert_eq!((random["test_accuracies"].as_array().unwrap().len(), &random["against_random"]), (4, &Value::Null));
    let gdas = row(&expected, "gdas");
    assert_eq!(gdas["test_accuracies"].as_array().unwrap().len(), 2);
    assert!(gdas["against_random"]["p_holm"].as_f64().unwrap() >= gdas["against_random"]["p"].as_f64().unwrap());
    assert_eq!(gdas["operations"]["all"], 6.0);
    let page = std::fs::read_to_string(whole.join("report.html")).unwrap();
    for run in ["random", "darts", "gdas"].map(|name| format!("nas-bench-201/{name}/seed-1/report.html")) {
        assert!(page.contains(&format!("<a href=\"{run}\">")) && whole.join(&run).is_file(), "{run}: {page}");
    }
    assert!(page.contains("6 of 6 runs done"), "{page}");
    // The same is written of its directory, wherever that lies from the file.
    let elsewhere = place.path().join("elsewhere & <b>");
    std::fs::create_dir(&elsewhere).unwrap();
    for (file, way) in [(whole.join("again.html"), ""), (elsewhere.join("page.html"), "../whole/")] {
        let mut report = program(&["report", whole.to_str().unwrap(), "--html", file.to_str().unwrap()]);
        good(&report.output().unwrap());
        let again = std::fs::read_to_string(&file).unwrap();
        assert!(again.contains(&format!("<a href=\"{way}nas-bench-201/gdas/seed-0/report.html\">")), "{again}");
        assert!(way.is_empty() == (again == page), "{}", file.display());
    }
    let timed = json(&whole.join("suite.json"));
    assert!(row(&timed, "gdas")["multi_trial_seconds"]["architectures"].as_f64().unwrap() > 0.0);

    // In the middle of random architectures, of a search, of a training.
    let mut command = begin(&out);
    for (run, line) in [
        ("random/seed-0", "train epoch"),
        ("darts/seed-0", "search step"),
        ("gdas/seed-0", "train epoch"),
        ("darts/seed-1", "search epoch"),
    ] {
        let log = out.join("nas-bench-201").join(run).join("metrics.jsonl");
        let mut child = command.spawn().unwrap();
        wait_for(&mut child, || std::fs::read_to_string(&log).is_ok_and(|text| text.contains(line)));
        assert!(child.try_wait().unwrap().is_none(), "it was over before it could be killed");
        child.kill().unwrap();
        child.wait().unwrap();
        // Each run that is over has left a page of all by then.
        let page = std::fs::read_to_string(out.join("report.html")).unwrap_or_default();
        assert_eq!(page.contains("of 6 runs done"), run != "random/seed-0", "{run}");
        command = program(&["suite", out.to_str().unwrap()]);
    }
    let kept = std::fs::metadata(out.join("nas-bench-201/darts/seed-0/summary.json")).unwrap().modified().unwrap();
    let words = good(&command.output().unwrap());
    assert!(words.contains("1 of 2: nas-bench-201, darts, seed 1") && !words.contains("seed 0"), "{words}");
    assert_eq!(figures(&out), expected);
    assert!(metrics(&out) == metrics(&whole), "other bytes");
    let now = std::fs::metadata(out.join("nas-bench-201/darts/seed-0/summary.json")).unwrap().modified().unwrap();
    assert_eq!(kept, now, "a run that was over was touched");

    // What is over is only told again; more may be added, and nothing else changed.
    let words = good(&go_on(&out, &[]));
    assert!(!words.contains("seed"), "{words}");
    for (more, part) in [
        ("--seeds=1", "seeds was 2 and is 1 now"),
        ("--strategies=darts", "strategies was darts,gdas and is darts now"),
        ("--set=random=3", "set was"),
        ("--data=mnist", "data was digits"),
    ] {
        let output = go_on(&out, &[more]);
        assert!(!output.status.success() && said(&output).contains(part), "{more}: {}", said(&output));
    }
    good(&go_on(&out, &["--strategies=darts,gdas,snas"]));
    let grown = figures(&out);
    assert_eq!(grown["runs"]["done"], 8);
    assert_eq!(row(&grown, "gdas")["test_accuracies"], gdas["test_accuracies"]);

    // The random architectures are those that a search is held against.
    let run = place.path().join("run");
    let seed = ["--strategy=gdas", "--space=nas-bench-201", "--seed=1", "--set=baseline=false"];
    let mut search = program(&["search", "--out", run.to_str().unwrap()]);
    good(&search.args(seed).args(TINY.iter().filter(|option| !option.starts_with("--seeds"))).output().unwrap());
    let summary = json(&run.join("summary.json"));
    let all = random["test_accuracies"].as_array().unwrap();
    assert_eq!(summary["random_accuracies"].as_array().unwrap()[..], all[2..]);
    assert_eq!(summary["test_accuracy"], gdas["test_accuracies"][1]);
    assert!(summary["data_source"].as_str().unwrap().contains("the first 300 for training"), "{summary}");
}

#[test]
fn what_fails_is_written_down_with_its_reason_and_the_rest_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("suite");
    // Its networks have no cells.
    let left_out = ["layers", "seeds", "search.epochs", "random"];
    let set = TINY.iter().filter(|option| left_out.iter().all(|part| !option.contains(part)));
    let set: Vec<&str> = set.copied().chain(["--seeds=1", "--set=search.epochs=1", "--set=random=1"]).collect();
    let begin = || {
        let mut command = program(&["suite", out.to_str().unwrap(), "--strategies=p-darts,darts", "--spaces=chain"]);
        command.args(&set);
        command
    };
    let words = good(&begin().output().unwrap());
    assert!(words.contains("warning: chain, p-darts, seed 0 failed: "), "{words}");
    let figures = figures(&out);
    assert_eq!(figures["runs"], serde_json::json!({ "planned": 3, "done": 2, "failed": 1, "missing": 0 }));
    let failed = row(&figures, "p-darts")["failed"].as_array().unwrap();
    let reason = json(&out.join("chain/p-darts/seed-0/failed.json"))["reason"].clone();
    assert!(failed.len() == 1 && failed[0]["reason"] == reason && reason.as_str().unwrap().contains("cannot drop it"));
    let text = std::fs::read_to_string(out.join("suite.md")).unwrap();
    assert!(text.contains("1 failed") && text.contains("- `p-darts`, seed 0, failed: "), "{text}");
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(
        page.contains("p-darts in chain, seed 0, failed: ") && !page.contains("p-darts/seed-0/report.html"),
        "{page}"
    );
    // It is not tried again unless that is asked for.
    assert!(!good(&go_on(&out, &[])).contains("failed"));
    std::fs::remove_file(out.join("chain/p-darts/seed-0/failed.json")).unwrap();
    assert!(good(&go_on(&out, &[])).contains("p-darts, seed 0 failed"));
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("suite");
    for (options, parts) in [
        (&["--strategies=dart"][..], &["unknown search strategy `dart`: did you mean `darts`?"][..]),
        (&["--spaces=dart"], &["unknown search space `dart`"]),
        (&["--data=digit"], &["unknown dataset `digit`"]),
        (&["--data=mnist"], &["needs the directory"]),
        (&["--scale=published", "--spaces=darts"], &["the published scale is that of CIFAR-10"]),
        (&["--set=search.epochz=3"], &["search.epochz"]),
        (&["--set=train.epochs=0"], &["train.epochs"]),
        (&["--set=seed=3"], &["a suite says `seed` of each run itself"]),
        (&["--set=data.limit=9"], &["data.limit = 9", "10 classes"]),
        (&["--seeds=0"], &["1 to 50"]),
    ] {
        let output = go_on(&out, options);
        assert_eq!(output.status.code(), Some(1), "{options:?}: {}", said(&output));
        parts.iter().for_each(|part| assert!(said(&output).contains(part), "{options:?}: {}", said(&output)));
        assert!(!out.exists(), "{options:?} leaves something behind");
    }
    // What is no suite's is left alone.
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("notes.txt"), "mine").unwrap();
    let output = go_on(&out, &[]);
    assert!(!output.status.success() && said(&output).contains("is not empty"), "{}", said(&output));
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_a_suite_that_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("suite");
    for (signal, status, run) in [("INT", 130, "random/seed-0"), ("TERM", 143, "gdas/seed-0")] {
        let log = out.join("nas-bench-201").join(run).join("metrics.jsonl");
        let mut child = begin(&out).spawn().unwrap();
        wait_for(&mut child, || std::fs::metadata(&log).is_ok_and(|facts| facts.len() > 0));
        // Nobody else may work in it meanwhile.
        let second = go_on(&out, &[]);
        let running = child.try_wait().unwrap().is_none();
        assert!(!running || said(&second).contains("in use by another process"), "{}", said(&second));
        assert!(
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success()
        );
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{}", said(&output));
        assert!(said(&output).contains("all is saved; go on with `cellwright suite"), "{}", said(&output));
    }
    good(&go_on(&out, &["--json"]));
    assert_eq!(figures(&out)["runs"]["done"], 6);
    let svg = std::fs::read_to_string(out.join("suite.svg")).unwrap();
    roxmltree::Document::parse(&svg).unwrap();
}
