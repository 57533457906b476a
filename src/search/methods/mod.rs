//! The strategies as data, a file each: what a strategy is, and what it changes of the loop it stands on.

mod darts;
mod darts_plus;
mod darts_pt;
mod dr_nas;
mod enas;
mod fair_darts;
mod gdas;
mod method;
mod p_darts;
mod pc_darts;
mod robust_darts;
mod rsps;
mod sdarts;
mod snas;
mod spos;

pub use method::Method;

/// Every strategy.
pub const METHODS: &[Method] = &[
    darts::FIRST,
    darts::SECOND,
    gdas::METHOD,
    snas::METHOD,
    pc_darts::METHOD,
    p_darts::METHOD,
    dr_nas::METHOD,
    fair_darts::METHOD,
    sdarts::RANDOM,
    sdarts::ADVERSARIAL,
    robust_darts::METHOD,
    darts_plus::METHOD,
    darts_pt::METHOD,
    enas::METHOD,
    rsps::METHOD,
    spos::METHOD,
];

/// The strategies as a table in Markdown, one row each.
pub fn table() -> String {
    let mut text = String::from(
        "| `--strategy` | method | weighs | a step computes | learns | stops | chooses |\n|---|---|---|---|---|---|---|\n",
    );
    for Method { name, paper, weighs, runs, learns, stops, chooses, .. } in METHODS {
        text += &format!("| `{name}` | {paper} | {weighs} | {runs} | {learns} | {stops} | {chooses} |\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::bilevel::BilevelConfig;

    #[test]
    fn names_are_unique_and_the_documents_hold_the_table() {
        for (at, method) in METHODS.iter().enumerate() {
            assert!(METHODS[..at].iter().all(|m| m.name != method.name), "{}", method.name);
        }
        let page = include_str!("../../../docs/methods.md");
        assert!(page.contains(table().trim_end()), "docs/methods.md is not what `cellwright search --list` prints");
    }

    #[test]
    fn a_method_of_its_own_changes_something() {
        for method in METHODS.iter().filter(|m| m.name != "darts") {
            if let Some(settings) = method.settings {
                for brief in [false, true] {
                    let mut config = BilevelConfig { epochs: 12, ..Default::default() };
                    settings(&mut config, brief);
                    assert_ne!(config, BilevelConfig { epochs: 12, ..Default::default() }, "{}", method.name);
                }
            }
        }
    }
}
