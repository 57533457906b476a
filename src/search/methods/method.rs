//! What is known of a strategy.

use crate::search::bilevel::BilevelConfig;

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

/// `part` in `whole` of some epochs, rounded down.
pub(super) fn share(epochs: u32, part: u32, whole: u32) -> u32 {
    (u64::from(epochs) * u64::from(part) / u64::from(whole)) as u32
}
