//! Traces of directories that are written here, whole and half.

use super::*;
use std::io::Write;

fn write(place: &Path, name: &str, text: &str) {
    fs::write(place.join(name), text).unwrap();
}

fn append(place: &Path, name: &str, text: &str) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(place.join(name)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn step(number: u64) -> String {
    format!("{{\"kind\":\"search step\",\"step\":{number},\"train_loss\":0.5,\"valid_loss\":null}}\n")
}

#[test]
fn logs_are_followed_as_they_grow_and_read_anew_where_they_were_cut() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path();
    assert!(matches!(Trace::read(path), Err(RunError::NoRun { .. })));
    write(path, "config.toml", "seed = 3\n[search]\nstrategy = \"tpe\"\n[space]\nname = \"chain\"\n");
    let mut trace = Trace::read(path).unwrap();
    assert!(trace.purpose() == Purpose::Search && trace.course.steps.is_empty() && trace.came.is_none());
    assert_eq!((trace.said("space", "name"), trace.said("data", "name")), (Some("chain"), None));

    append(path, "metrics.jsonl", &(step(1) + &step(2) + "{\"kind\":\"search st"));
    assert!(trace.follow().unwrap());
    assert_eq!(trace.course.steps.len(), 2, "what is not whole is left");
    assert!(!trace.follow().unwrap());
    append(path, "metrics.jsonl", "ep\",\"step\":3,\"train_loss\":null}\n");
    assert!(trace.follow().unwrap());
    assert_eq!(trace.course.steps.last(), Some(&Step { step: 3, train_loss: None, valid_loss: None }));

    append(path, "trials.jsonl", "{\"trial\":0,\"state\":\"began\",\"architecture\":\"a\",\"answers\":[1]}\n");
    write(path, "metrics.jsonl", &step(1));
    assert!(trace.follow().unwrap());
    assert_eq!((trace.course.steps.len(), trace.course.trials.len()), (1, 1), "cut by a run that went on");

    let more = "{\"trial\":0,\"state\":\"epoch\",\"epoch\":0}\n{\"trial\":9,\"state\":\"epoch\"}\n\
                {\"trial\":0,\"state\":\"finished\",\"objectives\":{\"accuracy\":0.5,\"loss\":null},\"best\":true}\n";
    append(path, "trials.jsonl", more);
    assert!(trace.follow().unwrap());
    let trial = &trace.course.trials[&0];
    assert_eq!((trial.trained, &trial.state, trial.best), (1, &State::Finished, true));
    assert_eq!(trial.objectives["loss"], None);
}

#[test]
fn a_run_of_a_later_version_is_shown_without_what_takes_its_configuration() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "config.toml", "[search]\nstrategy = \"darts\"\n");
    assert!(Trace::read(place.path()).unwrap().config.is_some());
    write(place.path(), "config.toml", "[search]\nstrategy = \"of a later version\"\n");
    let trace = Trace::read(place.path()).unwrap();
    assert!(trace.config.is_none());
    assert_eq!(trace.said("search", "strategy"), Some("of a later version"));
}

#[test]
fn what_is_wrong_is_named() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path();
    write(path, "config.toml", "architecture = \"x\"\n");
    write(path, "metrics.jsonl", "{\"kind\":\"test\",\"network\":\"given\",\"test_accuracy\":0.5}\nnonsense\n");
    let problem = |path: &Path| Trace::read(path).unwrap_err().to_string();
    assert!(problem(path).contains("metrics.jsonl: line 2"), "{}", problem(path));
    write(path, "metrics.jsonl", "{\"kind\":\"of a later version\",\"more\":[1,2]}\n");
    assert!(Trace::read(path).unwrap().course.networks.is_empty(), "left out");
    write(path, "confusion.csv", "class,taken for,images\na,b,many\n");
    assert!(problem(path).contains("confusion.csv: row 1"), "{}", problem(path));
    write(path, "confusion.csv", "class,taken for,images\n\"a,\",b,3\n");
    write(path, "summary.json", "{\"test_accuracy\": 0.25}");
    write(path, "failed.json", "{\"reason\": \"a loss is not finite\"}");
    let trace = Trace::read(path).unwrap();
    assert_eq!(trace.confusion, [("a,".to_owned(), "b".to_owned(), 3)]);
    assert!(matches!(&trace.came, Some(Came::Training(summary)) if summary["test_accuracy"] == 0.25));
    assert_eq!(trace.failure.map(|failure| failure.reason), Some("a loss is not finite".to_owned()));
}
