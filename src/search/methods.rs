//! The strategies as data: what each is, and what it changes of the loop it stands on.

use super::bilevel::{BilevelConfig, methods};

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
    /// For gradient methods: what they change of first-order DARTS. The flag says that the search is brief (see
    /// [`methods`]).
    pub settings: Option<fn(&mut BilevelConfig, bool)>,
}

/// What first-order DARTS does: what the others are held to.
const DARTS: Method = Method {
    name: "darts",
    paper: "DARTS, first order (Liu et al. 2019)",
    weighs: "softmax(α)",
    runs: "all options",
    learns: "∇α L_val(w, α), Adam",
    stops: "after its epochs",
    chooses: "largest weights",
    settings: Some(|_, _| ()),
};

/// Every strategy.
pub const METHODS: &[Method] = &[
    DARTS,
    Method {
        name: "darts-2nd",
        paper: "DARTS, second order (Liu et al. 2019)",
        learns: "∇α L_val(w − ξ∇w L_train, α), Hessian product by differences, Adam",
        settings: Some(methods::darts_second),
        ..DARTS
    },
    Method {
        name: "gdas",
        paper: "GDAS (Dong & Yang 2019)",
        weighs: "one-hot of softmax((α + Gumbel)/τ), straight through",
        runs: "one sampled path",
        settings: Some(methods::gdas),
        ..DARTS
    },
    Method {
        name: "snas",
        paper: "SNAS (Xie et al. 2019), in two levels",
        weighs: "softmax((α + Gumbel)/τ)",
        settings: Some(methods::snas),
        ..DARTS
    },
    Method {
        name: "pc-darts",
        paper: "PC-DARTS (Xu et al. 2020)",
        weighs: "softmax(α) · softmax(β) of edges",
        runs: "all options on 1/4 of the channels",
        learns: "∇α L_val(w, α) after a warm-up, Adam",
        chooses: "largest products of both weights",
        settings: Some(methods::pc_darts),
        ..DARTS
    },
    Method {
        name: "p-darts",
        paper: "P-DARTS (Chen et al. 2019)",
        runs: "three stages, deeper, with 8, 5 and 3 options; dropout on skips",
        learns: "∇α L_val(w, α) after a warm-up of each stage, Adam",
        chooses: "largest weights, at most 2 skips",
        settings: Some(methods::p_darts),
        ..DARTS
    },
    Method {
        name: "drnas",
        paper: "DrNAS (Chen et al. 2021)",
        weighs: "samples of Dirichlet(elu(α) + 1)",
        runs: "two stages: all options on few channels, then 4 on more",
        learns: "∇α L_val(w, α) + anchor after a warm-up of each stage, Adam",
        settings: Some(methods::dr_nas),
        ..DARTS
    },
    Method {
        name: "fair-darts",
        paper: "FairDARTS (Chu et al. 2020)",
        weighs: "σ(α), each option by itself",
        learns: "∇α (L_val(w, α) − 10·mean((σ(α) − ½)²)), Adam",
        settings: Some(methods::fair_darts),
        ..DARTS
    },
    Method {
        name: "sdarts-rs",
        paper: "SDARTS-RS (Chen & Hsieh 2020)",
        weighs: "softmax(α); for w with uniform noise of at most ε",
        settings: Some(methods::sdarts_rs),
        ..DARTS
    },
    Method {
        name: "sdarts-adv",
        paper: "SDARTS-ADV (Chen & Hsieh 2020)",
        weighs: "softmax(α); for w the worst within ε, by 7 steps of ascent",
        settings: Some(methods::sdarts_adv),
        ..DARTS
    },
    Method {
        name: "robust-darts",
        paper: "RobustDARTS, early stopping (Zela et al. 2020)",
        stops: "when the largest eigenvalue of ∇²α L_val has grown 1.3×",
        settings: Some(methods::robust_darts),
        ..DARTS
    },
    Method {
        name: "darts-plus",
        paper: "DARTS+ (Liang et al. 2019)",
        stops: "at two skips in the normal cell",
        settings: Some(methods::darts_plus),
        ..DARTS
    },
    Method {
        name: "darts-pt",
        paper: "DARTS-PT (Wang et al. 2021)",
        chooses: "edge by edge the option whose loss costs most accuracy, tuned in between",
        settings: Some(methods::darts_pt),
        ..DARTS
    },
    Method {
        name: "enas",
        paper: "ENAS (Pham et al. 2018)",
        weighs: "architectures written by an LSTM controller",
        runs: "one path",
        learns: "REINFORCE on accuracy with shared weights, moving-average baseline, entropy bonus",
        stops: "after its epochs",
        chooses: "best of the controller's samples with shared weights; random ones beside it",
        settings: None,
    },
    Method {
        name: "rsps",
        paper: "Random search with weight sharing (Li & Talwalkar 2019)",
        weighs: "uniform architectures",
        runs: "one path",
        learns: "nothing",
        stops: "after its epochs",
        chooses: "best of random architectures with shared weights",
        settings: None,
    },
    Method {
        name: "spos",
        paper: "SPOS (Guo et al. 2020)",
        weighs: "uniform architectures",
        runs: "one path",
        learns: "nothing",
        stops: "after its epochs",
        chooses: "best of an evolution with shared weights, statistics recalibrated",
        settings: None,
    },
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

    #[test]
    fn names_are_unique_and_the_documents_hold_the_table() {
        for (at, method) in METHODS.iter().enumerate() {
            assert!(METHODS[..at].iter().all(|m| m.name != method.name), "{}", method.name);
        }
        let page = include_str!("../../docs/methods.md");
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
