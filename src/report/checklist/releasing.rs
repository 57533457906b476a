//! First part of the checklist: what others need to repeat the runs.

use super::facts::{Facts, listed};
use super::item::Item;
use crate::{search, space};
use std::collections::BTreeSet;

pub(super) const PART: &str = "What is released";

pub(super) fn items(facts: &Facts<'_>) -> Vec<Item> {
    vec![pipeline(facts), space_code(facts), evaluation(facts), method_code(facts), method_settings(facts)]
}

/// Versions of the program that the runs say they are of, if all of them do.
pub(super) fn versions(facts: &Facts<'_>) -> Option<BTreeSet<String>> {
    facts.summaries().map(|summary| summary.version.clone()).collect()
}

fn pipeline(facts: &Facts<'_>) -> Item {
    let question = "The code that trains and measures the final architectures";
    match (facts.unfinished(), versions(facts)) {
        (Some((evidence, remedy)), _) => Item::no(question, evidence, remedy),
        (None, Some(versions)) if !versions.is_empty() => {
            Item::yes(question, format!("part of this program, version {} (`summary.json`)", listed(versions)))
        }
        _ => {
            let remedy = format!("`cellwright search {} --out DIR`: a new run says its version", facts.config());
            Item::no(question, "part of this program, but `summary.json` does not say of which version", remedy)
        }
    }
}

fn space_code(facts: &Facts<'_>) -> Item {
    let question = "The code of the search space";
    let spaces = facts.spaces();
    let is_known = |name: &&String| space::entry(name).is_some() || facts.all_say("space.stages");
    match spaces.iter().find(|name| !is_known(name)) {
        Some(name) => {
            let evidence = format!("`{name}` is no space of this program, and `config.toml` does not describe it");
            Item::unseen(question, evidence, "release the file or the code that describes it")
        }
        None => Item::yes(question, format!("{}: part of this program, or described in `config.toml`", listed(spaces))),
    }
}

fn evaluation(facts: &Facts<'_>) -> Item {
    let question = "All settings of the final training, and its seeds";
    match ["train", "network", "seed"].iter().find(|key| !facts.all_say(key)) {
        Some(key) => {
            let remedy = format!("`cellwright search {} --out DIR` writes all of them", facts.config());
            Item::no(question, format!("`config.toml` has no `{key}`"), remedy)
        }
        None => {
            let count = facts.count(&["train", "network"]);
            let seeds: BTreeSet<i64> =
                facts.records.iter().filter_map(|record| record.config.get("seed")?.as_integer()).collect();
            let mut evidence =
                format!("`config.toml`: {count} settings in `train` and `network`; seed {}", listed(seeds));
            let decided: BTreeSet<&String> = facts.summaries().flat_map(|summary| summary.settings.keys()).collect();
            if !decided.is_empty() {
                evidence += &format!("; `settings` in `summary.json`: {}", listed(decided));
            }
            Item::yes(question, evidence)
        }
    }
}

fn method_code(facts: &Facts<'_>) -> Item {
    let question = "The code of the search method";
    let methods = facts.methods();
    let is_known = |name: &&String| search::ALL.iter().any(|strategy| strategy.about().name == name.as_str());
    match methods.iter().find(|name| !is_known(name)) {
        Some(name) => {
            let evidence = format!("`{name}` is no strategy of this program");
            Item::unseen(question, evidence, "release the code that it was built with")
        }
        None => Item::yes(question, format!("{}: part of this program", listed(methods))),
    }
}

fn method_settings(facts: &Facts<'_>) -> Item {
    let question = "All settings of the search method, and its seeds";
    let searches = facts.strategies().iter().flatten().count();
    let said = facts.records.iter().filter(|record| record.config.contains_key("search")).count();
    match said == searches && searches > 0 && facts.all_say("seed") {
        true => {
            let count = facts.count(&["search", "supernet"]);
            Item::yes(question, format!("`config.toml`: {count} settings in `search` and `supernet`, and `seed`"))
        }
        false => {
            let remedy = format!("`cellwright search {} --out DIR` writes all of them", facts.config());
            Item::no(question, "a `config.toml` has no group `search`, or no `seed`", remedy)
        }
    }
}
