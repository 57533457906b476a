use super::*;
use crate::run::Summary;
use crate::run::record::CameTo;
use serde_json::json;

/// The record of a search that is over, with changes to its summary and lines added to its configuration.
fn record(path: &str, strategy: &str, seed: u64, more: &serde_json::Value, config: &str) -> Record {
    let mut summary = json!({
        "format": 2, "version": "0.1.0", "space": "darts", "strategy": strategy, "data": "digits",
        "data_source": "digits: some", "device": "CPU", "seed": seed, "genotype": "g", "parameters": 1, "multiply_adds": 1,
        "test_accuracy": 0.5, "random_accuracies": [0.4], "baseline_accuracy": 0.5, "search_seconds": 10.0,
        "train_seconds": 4.0, "total_seconds": 30.0, "supernet_parameters": 1, "warnings": [],
        "networks": [{ "name": "random 1", "genotype": "r", "parameters": 1, "multiply_adds": 1, "test_accuracy": 0.4,
            "train_seconds": 6.0 }],
    });
    summary.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let summary: Summary = serde_json::from_value(summary).unwrap();
    let text = format!(
        "seed = {seed}\n{config}\n[space]\nname = \"darts\"\n[data]\nname = \"digits\"\n[network]\nlayers = 3\n\
         [train]\nepochs = 2\n[search]\nstrategy = \"{strategy}\"\nepochs = 5\n"
    );
    Record {
        path: path.into(),
        config: text.parse().unwrap(),
        came_to: CameTo::Search(Box::new(summary)),
        search_epochs: 5,
        ranked: 0,
        trials: 0,
        is_timed: true,
    }
}

/// The one question that begins so.
fn asked<'a>(checklist: &'a Checklist, begins: &str) -> &'a Item {
    let mut found =
        checklist.parts.iter().flat_map(|part| &part.items).filter(|item| item.question.starts_with(begins));
    let item = found.next().unwrap_or_else(|| panic!("{begins}"));
    assert!(found.next().is_none(), "{begins} begins several questions");
    item
}

/// Requires an answer, a part of its evidence and of its remedy.
#[track_caller]
fn check(records: &[Record], begins: &str, answer: Answer, evidence: &str, remedy: &str) {
    let checklist = Checklist::of(records);
    let item = asked(&checklist, begins);
    assert_eq!(item.answer, answer, "{item:?}");
    assert!(item.evidence.contains(evidence), "{item:?}");
    assert!(item.remedy.as_deref().unwrap_or("").contains(remedy), "{item:?}");
    assert_eq!(item.remedy.is_none(), answer == Answer::Yes, "{item:?}");
}

#[test]
fn one_run_with_its_comparisons_answers_what_one_run_can() {
    let one = [record("runs/a", "darts", 3, &json!({}), "")];
    let checklist = Checklist::of(&one);
    assert_eq!(checklist.parts.iter().map(|part| part.items.len()).collect::<Vec<_>>(), [5, 8, 3]);
    assert_eq!((checklist.yes, checklist.no, checklist.not_by_this_run), (11, 2, 3));
    check(&one, "All settings of the final", Answer::Yes, "2 settings in `train` and `network`; seed 3", "");
    check(&one, "Random search", Answer::Yes, "1 random architectures of the same space, trained alike in 6.0 s", "");
    check(
        &one,
        "Several runs",
        Answer::No,
        "darts: seed 3",
        "`cellwright search runs/a/config.toml --seeds 5 --out DIR`",
    );
    check(&one, "Performance over time", Answer::No, "darts: 5 epochs", "--strategy random");
    check(&one, "Ablations", Answer::NotByThisRun, "no two of these runs", "--set search.KEY=VALUE");
    check(&one, "A tabular", Answer::NotByThisRun, "none is known here of darts", "--space nas-bench-201");
    check(&one, "The time of the whole", Answer::Yes, "30.0 s altogether: 10.0 s of search, 4.0 s", "");
    let text = markdown(&checklist);
    assert!(text.contains("# Checklist of 1 run\n") && text.contains("11 yes, 2 no, 3 not by this run"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("| ")).count(), 16 + 3, "{text}");
    let json = serde_json::to_value(&checklist).unwrap();
    assert_eq!(json["parts"][1]["items"][6]["answer"], "no");
    assert_eq!(json["parts"][2]["items"][0]["answer"], "not by this run");
}

#[test]
fn runs_of_several_seeds_and_methods_are_taken_together() {
    let all = [("darts", 0), ("darts", 1), ("gdas", 0), ("gdas", 1)]
        .map(|(strategy, seed)| record(&format!("{strategy}-{seed}"), strategy, seed, &json!({}), ""));
    check(&all, "Several runs", Answer::Yes, "darts: seed 0, 1; gdas: seed 0, 1", "");
    check(&all, "Performance over time", Answer::Yes, "darts: 5 epochs (`metrics.jsonl`), gdas: 5 epochs", "");
    check(&all[..3], "Several runs", Answer::No, "gdas: seed 0", "--seeds 5");
    // Methods differ in the group `search`, too, which is no ablation.
    check(&all, "Ablations", Answer::NotByThisRun, "", "");
    let mut other = all[0].clone();
    other.config["search"].as_table_mut().unwrap().insert("epochs".into(), toml::Value::Integer(9));
    check(&[all[1].clone(), other.clone()], "Ablations", Answer::Yes, "search.epochs", "");
    other.config["train"].as_table_mut().unwrap().insert("epochs".into(), toml::Value::Integer(9));
    let unlike = [all[1].clone(), other];
    check(&unlike, "Ablations", Answer::NotByThisRun, "", "");
    check(&unlike, "The same data", Answer::No, "`train.epochs` is 2 in darts-1 and 9 in darts-0", "--strategy OTHER");
    check(&unlike, "The same protocol", Answer::No, "`train.epochs`", "");
}

#[test]
fn what_makes_a_comparison_unfair_is_found() {
    let one = |more: serde_json::Value| record("a", "darts", 0, &more, "");
    let two = |more: serde_json::Value| [one(json!({})), record("b", "gdas", 0, &more, "")];
    check(&two(json!({ "device": "GPU" })), "The same hardware", Answer::No, "CPU, GPU", "--device NAME");
    check(&two(json!({ "version": "0.2.0" })), "The same hardware", Answer::No, "0.1.0, 0.2.0", "by one version");
    check(&two(json!({ "version": null })), "The same hardware", Answer::No, "does not say", "");
    check(&two(json!({ "data_source": "other files" })), "The same data", Answer::No, "digits: some, other files", "");
    let decided = json!({ "settings": { "train.batch": 32 } });
    check(&[one(decided.clone())], "The same protocol", Answer::No, "(train.batch)", "without `search.also`");
    check(&[one(decided)], "How settings were tuned", Answer::Yes, "train.batch by 0 trials in 10.0 s", "");
    let alone = json!({ "networks": [], "random_accuracies": [], "baseline_accuracy": null });
    check(&[one(alone.clone())], "Random search", Answer::No, "no random architecture", "--set random=3");
    check(&[one(alone.clone())], "The same data", Answer::NotByThisRun, "held against nothing", "--set random=3");
    check(&[one(alone)], "The same protocol", Answer::NotByThisRun, "held against nothing", "--set random=3");
}

#[test]
fn what_is_missing_is_named() {
    let unfinished = Record { came_to: CameTo::Nothing, ..record("my runs/a", "darts", 0, &json!({}), "") };
    check(
        std::slice::from_ref(&unfinished),
        "The time of the whole",
        Answer::No,
        "'my runs/a' has not come to its end",
        "`cellwright search --resume 'my runs/a'`",
    );
    check(&[unfinished], "Several runs", Answer::No, "no search has come to its end", "'my runs/a/config.toml'");
    let old = [record("a", "darts", 0, &json!({ "version": null, "data_source": "" }), "")];
    check(&old, "The code that trains", Answer::No, "does not say of which version", "--out DIR");
    check(&old, "All details", Answer::No, "(`data_source`), the program's version", "--out DIR");
    let own = [record("a", "my-method", 0, &json!({}), "")];
    check(&own, "The code of the search method", Answer::NotByThisRun, "`my-method` is no strategy", "release");
    let table = [record("a", "tpe", 0, &json!({}), "benchmark = { dir = \"x\", dataset = \"cifar10\" }")];
    check(&table, "A tabular", Answer::Yes, "by 1 of 1 runs", "");
}
