//! Steps from one architecture to another, as evolution and local search take them.

use super::{Architecture, Decision};
use crate::random::Random;

/// The architecture with one answer changed: a uniform decision (of those that leave a choice), another option
/// of it uniformly. The same architecture where nothing can be changed.
pub(super) fn mutate(decisions: &[Decision], from: &Architecture, random: &mut Random) -> Architecture {
    let open: Vec<usize> = (0..decisions.len()).filter(|&d| decisions[d].options.len() > 1).collect();
    let mut to = from.clone();
    if open.is_empty() {
        return to;
    }
    let decision = open[random.below(open.len())];
    let options = decisions[decision].options.len();
    // The options without the present one, which may be none of them.
    let other = random.below(options - usize::from(from.answers[decision] < options));
    to.answers[decision] = other + usize::from(other >= from.answers[decision]);
    to
}

/// Each answer from one of two parents, with equal probability (uniform crossover).
pub(super) fn crossover(a: &Architecture, b: &Architecture, random: &mut Random) -> Architecture {
    let answers = a.answers.iter().zip(&b.answers).map(|(&a, &b)| if random.below(2) == 0 { a } else { b }).collect();
    Architecture { answers }
}

/// All architectures that differ in one answer, decision by decision.
pub(super) fn neighbours(decisions: &[Decision], from: &Architecture) -> Vec<Architecture> {
    let mut found = Vec::new();
    for (d, decision) in decisions.iter().enumerate() {
        for option in (0..decision.options.len()).filter(|&option| option != from.answers[d]) {
            let mut to = from.clone();
            to.answers[d] = option;
            found.push(to);
        }
    }
    found
}
