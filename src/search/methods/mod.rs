//! The strategies as data, a file each: what a strategy is, and what it changes of the loop it stands on.

mod darts;
mod darts_plus;
mod darts_pt;
mod dr_nas;
mod enas;
mod fair_darts;
mod gdas;
mod p_darts;
mod pc_darts;
mod robust_darts;
mod rsps;
mod sdarts;
mod snas;
mod spos;

use super::bilevel::BilevelConfig;

/// A search strategy as a reader of the literature knows it.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// Name on the command line.
    pub name: &'static str,
    /// Name in the literature, with its paper.
    pub paper: &'static str,
    /// How architecture weights become weights of options, or how architectures are drawn.
    pub weighs: &'static str,
    /// What one step computes.
    pub runs: &'static str,
    /// How what chooses is trained.
    pub learns: &'static str,
    /// When it stops.
    pub stops: &'static str,
    /// How the architecture is chosen in the end.
    pub chooses: &'static str,
    /// For gradient methods: what they change of first-order DARTS. The flag says that the search is one of a few epochs:
    /// what counts epochs of the published fifty is left out or shortened then, what a method *is* stays.
    pub settings: Option<fn(&mut BilevelConfig, bool)>,
    /// Primitives of the published space that it does without.
    pub without: &'static [&'static str],
}

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

/// `part` in `whole` of some epochs, rounded down.
fn share(epochs: u32, part: u32, whole: u32) -> u32 {
    (u64::from(epochs) * u64::from(part) / u64::from(whole)) as u32
}

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
