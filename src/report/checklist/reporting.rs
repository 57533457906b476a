//! Third part of the checklist: what a reader must be told.

use super::facts::{Facts, listed};
use super::item::Item;
use std::collections::BTreeSet;

pub(super) const PART: &str = "What is reported";

pub(super) fn items(facts: &Facts<'_>) -> Vec<Item> {
    vec![tuning(facts), time(facts), details(facts)]
}

fn tuning(facts: &Facts<'_>) -> Item {
    let question = "How settings were tuned, and the time and machines that took";
    let decided: BTreeSet<&String> = facts.summaries().flat_map(|summary| summary.settings.keys()).collect();
    let remedy = "say in words what was tried before, or let a study decide them (`search.also`)";
    match decided.is_empty() {
        true => Item::unseen(question, "a run does not know what was tried before it", remedy),
        false => {
            let seconds: f64 = facts.summaries().map(|summary| summary.search_seconds).sum();
            let trials: usize = facts.summaries().filter_map(|summary| Some(summary.trials?.count)).sum();
            let evidence = format!("{} by {trials} trials in {seconds:.1} s (`summary.json`)", listed(decided));
            Item::yes(question, format!("as far as the study decided them: {evidence}"))
        }
    }
}

fn time(facts: &Facts<'_>) -> Item {
    let question = "The time of the whole method from end to end, not of the search alone";
    if let Some((evidence, remedy)) = facts.unfinished() {
        return Item::no(question, evidence, remedy);
    }
    let sum = |of: fn(&crate::run::Summary) -> f64| facts.summaries().map(of).sum::<f64>();
    let [all, search, train] = [sum(|s| s.total_seconds), sum(|s| s.search_seconds), sum(|s| s.train_seconds)];
    let evidence = format!("{all:.1} s altogether: {search:.1} s of search, {train:.1} s of training what was found");
    Item::yes(question, format!("{evidence}, the rest for what it is held against (`summary.json`)"))
}

fn details(facts: &Facts<'_>) -> Item {
    let question = "All details of the experiments: settings, data, machine, version";
    if let Some((evidence, remedy)) = facts.unfinished() {
        return Item::no(question, evidence, remedy);
    }
    let mut missing = Vec::new();
    if facts.summaries().any(|summary| summary.data_source.is_empty()) {
        missing.push("what was found of the data (`data_source`)");
    }
    if facts.summaries().any(|summary| summary.version.is_none()) {
        missing.push("the program's version (`version`)");
    }
    if !facts.records.iter().all(|record| record.is_timed) {
        missing.push("when each phase began (`timing.jsonl`)");
    }
    match missing.is_empty() {
        true => {
            let devices: BTreeSet<&str> = facts.summaries().map(|summary| summary.device.as_str()).collect();
            let evidence = "`config.toml` has every setting, `summary.json` data and version, `timing.jsonl` dates";
            Item::yes(question, format!("{evidence}; on {}. What else the machine is has to be said", listed(devices)))
        }
        false => {
            let remedy = format!("`cellwright search {} --out DIR` writes all of it", facts.config());
            Item::no(question, format!("missing: {}", listed(missing)), remedy)
        }
    }
}
