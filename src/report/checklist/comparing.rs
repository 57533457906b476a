//! Second part of the checklist: whether methods are compared on equal terms.

use super::facts::{Facts, listed};
use super::item::Item;
use super::releasing::versions;
use crate::space::nas_bench_201;
use std::collections::BTreeSet;

pub(super) const PART: &str = "How methods are compared";

/// What decides how what was found is trained and measured.
const PROTOCOL: &[&str] = &["data", "space", "network", "train"];

pub(super) fn items(facts: &Facts<'_>) -> Vec<Item> {
    vec![
        benchmark(facts),
        confounders(facts),
        ablation(facts),
        protocol(facts),
        over_time(facts),
        random(facts),
        repetitions(facts),
        tabular(facts),
    ]
}

/// What the networks found are held against.
fn compared(facts: &Facts<'_>) -> Vec<String> {
    let methods = facts.methods();
    let (random, _) = facts.random_networks();
    let baselines = facts.summaries().filter(|summary| summary.baseline_accuracy.is_some()).count();
    let mut all = if methods.len() > 1 { vec![listed(methods)] } else { Vec::new() };
    all.extend((random > 0).then(|| format!("{random} random networks")));
    all.extend((baselines > 0).then(|| format!("{baselines} hand-designed")));
    all
}

fn nothing_compared(question: &'static str, facts: &Facts<'_>) -> Item {
    let remedy = format!("`cellwright search {} --set random=3 --out DIR`", facts.config());
    Item::unseen(question, "one method, held against nothing", remedy)
}

fn benchmark(facts: &Facts<'_>) -> Item {
    let question = "The same data, split, space and training for all that is compared";
    if let Some(other) = facts.differs(PROTOCOL, &["data.dir"]) {
        let remedy =
            format!("`cellwright search {} --strategy OTHER --out DIR`: the strategy alone changes", facts.config());
        return Item::no(question, other, remedy);
    }
    let sources: BTreeSet<&str> = facts.summaries().map(|summary| summary.data_source.as_str()).collect();
    if sources.len() > 1 {
        let remedy = "the same files for all runs, by --data-dir";
        return Item::no(question, format!("not the same data: {}", listed(sources)), remedy);
    }
    match compared(facts) {
        all if all.is_empty() => nothing_compared(question, facts),
        all => Item::yes(question, format!("{}; {}", listed(sources), listed(all))),
    }
}

fn confounders(facts: &Facts<'_>) -> Item {
    let question = "The same hardware and version of the program, and known running times";
    if let Some((evidence, remedy)) = facts.unfinished() {
        return Item::no(question, evidence, remedy);
    }
    let devices: BTreeSet<&str> = facts
        .summaries()
        .map(|summary| summary.device.as_str())
        .chain(facts.randoms().map(|summary| summary.device.as_str()))
        .collect();
    if devices.len() > 1 {
        let remedy = format!("`cellwright search {} --device NAME --out DIR` for all", facts.config());
        return Item::no(question, format!("on several devices: {}", listed(devices)), remedy);
    }
    let seconds: Vec<f64> = facts.summaries().map(|summary| summary.search_seconds).collect();
    let span = match (seconds.iter().copied().reduce(f64::min), seconds.iter().copied().reduce(f64::max)) {
        (Some(least), Some(most)) if least < most => format!("{least:.1} to {most:.1} s"),
        (Some(one), _) => format!("{one:.1} s"),
        _ => "unknown".to_owned(),
    };
    match versions(facts) {
        Some(versions) if versions.len() == 1 => {
            Item::yes(question, format!("{}, version {}, seconds of search: {span}", listed(devices), listed(versions)))
        }
        found => {
            let evidence = match found {
                Some(versions) if versions.len() > 1 => format!("of several versions: {}", listed(versions)),
                _ => "`summary.json` does not say of which version of the program".to_owned(),
            };
            let remedy = format!("`cellwright search {} --out DIR` for all, by one version", facts.config());
            Item::no(question, evidence, remedy)
        }
    }
}

fn ablation(facts: &Facts<'_>) -> Item {
    let question = "Ablations: what each part of the method is worth";
    match facts.ablated() {
        keys if keys.is_empty() => {
            let remedy = format!(
                "`cellwright search {} --set search.KEY=VALUE --out DIR`, and DIR beside these",
                facts.config()
            );
            Item::unseen(question, "no two of these runs differ in settings of the search alone", remedy)
        }
        keys => Item::yes(question, format!("runs that differ in nothing but {}", listed(keys))),
    }
}

fn protocol(facts: &Facts<'_>) -> Item {
    let question = "The same protocol of evaluation for all that is compared";
    let decided: BTreeSet<&String> = facts.summaries().flat_map(|summary| summary.settings.keys()).collect();
    if !decided.is_empty() && !compared(facts).is_empty() {
        let evidence =
            format!("what was found is trained with settings that were decided with it ({})", listed(decided));
        let remedy = format!("`cellwright search` by {} without `search.also`", facts.config());
        return Item::no(question, format!("{evidence}, all else is not"), remedy);
    }
    if let Some(other) = facts.differs(&["network", "train", "data"], &["data.dir"]) {
        return Item::no(question, other, format!("`cellwright search {} --strategy OTHER --out DIR`", facts.config()));
    }
    match compared(facts) {
        all if all.is_empty() => nothing_compared(question, facts),
        _ => Item::yes(question, "all are trained from scratch by `train` and measured once, on the same test images"),
    }
}

fn over_time(facts: &Facts<'_>) -> Item {
    let question = "Performance over time, not at the end alone";
    let mut with_course: BTreeSet<String> = BTreeSet::new();
    let mut said: BTreeSet<String> = BTreeSet::new();
    for (record, strategy) in facts.records.iter().zip(facts.strategies()) {
        let Some(strategy) = strategy else { continue };
        let course = match (record.search_epochs, record.trials, record.ranked) {
            (0, 0, 0) => continue,
            (0, 0, ranked) => format!("{ranked} ranked (`metrics.jsonl`)"),
            (0, trials, _) => format!("{trials} trials (`trials.jsonl`)"),
            (epochs, ..) => format!("{epochs} epochs (`metrics.jsonl`)"),
        };
        said.insert(format!("{strategy}: {course}"));
        with_course.insert(strategy);
    }
    let remedy = || format!("`cellwright search {} --strategy random --out DIR`, and DIR beside these", facts.config());
    match with_course.len() {
        0 => Item::no(question, "no run says how its search went", remedy()),
        1 => Item::no(question, format!("{}; of one method only", listed(said)), remedy()),
        _ => Item::yes(question, listed(said)),
    }
}

fn random(facts: &Facts<'_>) -> Item {
    let question = "Random search as a baseline";
    let (networks, seconds) = facts.random_networks();
    let searches: f64 = facts.summaries().map(|summary| summary.search_seconds).sum();
    let as_method = facts.methods().contains("random");
    match (networks, as_method) {
        (0, false) => {
            let remedy = format!("`cellwright search {} --set random=3 --out DIR`", facts.config());
            Item::no(question, "no random architecture was trained", remedy)
        }
        (0, true) => Item::yes(question, "the strategy `random` is among the runs"),
        (_, as_method) => {
            let more = if as_method { "; the strategy `random` is among the runs" } else { "" };
            let evidence =
                format!("{networks} random architectures of the same space, trained alike in {seconds:.1} s");
            Item::yes(question, format!("{evidence}, beside {searches:.1} s of search{more}"))
        }
    }
}

fn repetitions(facts: &Facts<'_>) -> Item {
    let question = "Several runs of each method, with the seeds stated";
    let seeds = facts.seeds();
    let said: Vec<String> =
        seeds.iter().map(|(strategy, seeds)| format!("{strategy}: seed {}", listed(seeds))).collect();
    let is_repeated = |method: &String| seeds.get(method).is_some_and(|seeds| seeds.len() > 1);
    let methods = facts.methods();
    match !methods.is_empty() && methods.iter().all(is_repeated) {
        true => Item::yes(question, said.join("; ")),
        false => {
            let evidence = if said.is_empty() { "no search has come to its end".to_owned() } else { said.join("; ") };
            Item::no(question, evidence, format!("`cellwright search {} --seeds 5 --out DIR`", facts.config()))
        }
    }
}

fn tabular(facts: &Facts<'_>) -> Item {
    let question = "A tabular or surrogate benchmark, where there is one";
    let of_table = facts.records.iter().filter(|record| {
        let kind = record.config.get("search").and_then(|search| search.get("estimator")?.get("kind")?.as_str());
        kind == Some("table") || record.config.contains_key("benchmark")
    });
    let (tables, all) = (of_table.count(), facts.records.len());
    let spaces = facts.spaces();
    match (tables, spaces.contains(nas_bench_201::NAME)) {
        (0, true) => {
            let remedy = format!("`cellwright search {} --table DIR --out RUN`", facts.config());
            Item::no(question, "the space has one, and no run looks at it", remedy)
        }
        (0, false) => {
            let strategy = facts.methods().into_iter().next().unwrap_or_default();
            let remedy =
                format!("`cellwright search --space {} --strategy {strategy} --table DIR`", nas_bench_201::NAME);
            Item::unseen(question, format!("none is known here of {}", listed(spaces)), remedy)
        }
        (tables, _) => Item::yes(question, format!("the table of {}, by {tables} of {all} runs", nas_bench_201::NAME)),
    }
}
