//! The strategies, a file each: what a strategy is, what it does unless told otherwise, and what it is built from.

mod beta_darts;
mod darts;
mod darts_minus;
mod darts_plus;
mod darts_pt;
mod dr_nas;
mod enas;
mod fair_darts;
mod gaea;
mod gdas;
mod gradient;
mod lambda_darts;
mod oles;
mod p_darts;
mod paths;
mod pc_darts;
mod rein_max;
mod robust_darts;
mod rsps;
mod sampled;
mod sdarts;
mod snas;
mod spos;

pub use gradient::Gradient;
pub use paths::Paths;
pub use sampled::Sampled;

use super::samplers::{
    asha, bayes, bohb, evolution, greedy, grid, hyperband, local_search, nasnet, nsga2, random, reinforce,
    successive_halving, tpe,
};
use super::strategy::{About, Strategy};

/// Every strategy.
pub static ALL: &[&'static dyn Strategy] = &[
    &darts::FIRST,
    &darts::SECOND,
    &gdas::METHOD,
    &snas::METHOD,
    &pc_darts::METHOD,
    &p_darts::METHOD,
    &dr_nas::METHOD,
    &fair_darts::METHOD,
    &sdarts::RANDOM,
    &sdarts::ADVERSARIAL,
    &robust_darts::STOPPING,
    &robust_darts::ADAPTIVE,
    &darts_plus::METHOD,
    &darts_pt::METHOD,
    &rein_max::METHOD,
    &darts_minus::METHOD,
    &beta_darts::METHOD,
    &lambda_darts::METHOD,
    &oles::METHOD,
    &gaea::WHOLE,
    &gaea::PARTIAL,
    &enas::METHOD,
    &rsps::METHOD,
    &spos::METHOD,
    &random::METHOD,
    &grid::METHOD,
    &local_search::METHOD,
    &evolution::METHOD,
    &reinforce::METHOD,
    &nasnet::METHOD,
    &bayes::METHOD,
    &tpe::METHOD,
    &successive_halving::METHOD,
    &hyperband::METHOD,
    &asha::METHOD,
    &bohb::METHOD,
    &nsga2::METHOD,
    &greedy::METHOD,
];

/// The strategies as a table in Markdown, one row each.
pub fn table() -> String {
    let mut text = String::from(
        "| `--strategy` | method | weighs | a step computes | learns | stops | chooses |\n|---|---|---|---|---|---|---|\n",
    );
    for About { name, paper, weighs, runs, learns, stops, chooses } in ALL.iter().map(|strategy| strategy.about()) {
        text += &format!("| `{name}` | {paper} | {weighs} | {runs} | {learns} | {stops} | {chooses} |\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::strategy::Task;
    use super::*;
    use crate::data::{Augmentation, Scale};
    use crate::space::{self, NetworkSettings};

    #[test]
    fn names_are_unique_and_the_documents_hold_the_table() {
        for (at, strategy) in ALL.iter().enumerate() {
            let name = strategy.about().name;
            assert!(ALL[..at].iter().all(|other| other.about().name != name), "{name}");
        }
        let page = include_str!("../../../docs/methods.md");
        assert!(page.contains(table().trim_end()), "docs/methods.md is not what `cellwright search --list` prints");
    }

    #[test]
    fn presets_can_be_used_and_no_two_strategies_do_the_same() {
        for name in space::names() {
            let space = &*space::find(name).unwrap();
            for scale in [Scale::Tiny, Scale::Small, Scale::Published] {
                let task = Task { scale, augmentation: Augmentation::default(), space, epochs: Some(12) };
                let presets: Vec<_> = ALL.iter().map(|strategy| strategy.preset(&task).unwrap()).collect();
                for (at, preset) in presets.iter().enumerate() {
                    let name = ALL[at].about().name;
                    ALL[at].check(preset, &NetworkSettings::default()).unwrap();
                    // What a sampler does is not all in its settings.
                    let is_sampler = ALL[at].sampler(preset, 0).is_some();
                    assert!(is_sampler || !presets[..at].contains(preset), "{name} does what another does");
                    assert!(preset.get("epochs").is_some(), "{name}");
                }
            }
        }
    }
}
