//! AutoKeras' greedy search (Jin, Chollet, Song & Hu 2023, "AutoKeras: an AutoML library for deep learning"): the best trial with a part of its
//! decisions made anew, where names say what belongs together.

use super::random;
use crate::estimate::BoxFuture;
use crate::random::Random;
use crate::search::SearchError;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::{Asked, Candidate, Domain, Proposal, Sampler};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// AutoKeras' greedy search.
pub static METHOD: Sampled = Sampled {
    about: About {
        name: "greedy",
        paper: "greedy search (AutoKeras; Jin et al. 2023)",
        weighs: "the best trial with a group of decisions drawn anew",
        ..random::ABOUT
    },
    preset: |config, _| config.with(&GreedyConfig {}),
    make: |settings, seed| settings.read::<GreedyConfig>().map(|_| Box::new(Greedy { seed }) as _),
};

/// Greedy search has no settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GreedyConfig {}

/// Streams of the study's seed: one for each trial.
const DRAWN: u64 = 0x5A0B << 48;
/// Tries to find a candidate that has not been tried.
const TRIES: usize = 100;

/// Draws anew what lies below a node of the trie of names: any node, with a probability that falls with what lies below it.
pub struct Greedy {
    seed: u64,
}

/// The groups of decisions that share the beginning of their names, each decision by itself among them, and all. What belongs
/// together in a name is divided by `_`, `.` or `/`.
fn groups(domain: &Domain<'_>) -> Vec<Vec<usize>> {
    let decisions = domain.decisions.iter().map(|decision| (decision.name.as_str(), Some(decision.options.len())));
    let beside = domain.beside.iter().map(|(key, values)| (key.as_str(), values.dimension().options()));
    let mut nodes: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
    for (at, (name, options)) in decisions.chain(beside).enumerate() {
        // What cannot be otherwise is not decided.
        if options == Some(1) {
            continue;
        }
        let parts: Vec<&str> = name.split(['_', '.', '/']).collect();
        (0..=parts.len()).for_each(|depth| nodes.entry(parts[..depth].to_vec()).or_default().push(at));
    }
    nodes.into_values().collect()
}

impl Greedy {
    fn candidate(&self, asked: &Asked<'_>) -> Candidate {
        let mut random = Random::new(self.seed, DRAWN + asked.number() as u64);
        let domain = asked.subject.domain;
        let known = asked.known();
        // Of equal ones the first.
        let best = known.iter().copied().reduce(|best, one| if one.1 > best.1 { one } else { best });
        let groups = groups(domain);
        let (Some((best, _)), false) = (best, groups.is_empty()) else { return domain.draw(&mut random) };
        let best = &asked.history.trials()[best].candidate;
        let met: HashSet<Vec<u64>> = asked.history.trials().iter().map(|trial| trial.candidate.key()).collect();
        let total: f64 = groups.iter().map(|group| 1.0 / group.len() as f64).sum();
        let mut candidate = best.clone();
        for _ in 0..TRIES {
            let mut left = total * f64::from(random.uniform());
            let chosen = groups.iter().find(|group| {
                left -= 1.0 / group.len() as f64;
                left < 0.0
            });
            let Some(chosen) = chosen.or(groups.last()) else { break };
            candidate = redrawn(domain, best, chosen, &mut random);
            if !met.contains(&candidate.key()) {
                break;
            }
        }
        candidate
    }
}

/// A candidate with some decisions drawn anew, each among what the space allows beside the others.
fn redrawn(domain: &Domain<'_>, from: &Candidate, group: &[usize], random: &mut Random) -> Candidate {
    let (mut to, dimensions) = (from.clone(), domain.dimensions());
    for &at in group {
        match at.checked_sub(domain.decisions.len()) {
            Some(beside) => to.beside[beside] = dimensions[at].draw(random),
            None => {
                let options = 0..domain.decisions[at].options.len();
                let open: Vec<usize> = options.filter(|&answer| domain.space.allows(&to.answers, at, answer)).collect();
                if !open.is_empty() {
                    to.answers.answers[at] = open[random.below(open.len())];
                }
            }
        }
    }
    to
}

impl Sampler for Greedy {
    fn propose<'a>(&'a mut self, asked: Asked<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>> {
        Box::pin(async move { Ok(Proposal::whole(self.candidate(&asked))) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space;

    #[test]
    fn names_that_begin_alike_are_a_group() {
        let space = space::find("chain").unwrap();
        let domain = Domain::new(&*space, &BTreeMap::new());
        let groups = groups(&domain);
        assert_eq!(groups[0], (0..domain.decisions.len()).collect::<Vec<_>>(), "the root is all");
        for at in 0..domain.decisions.len() {
            assert!(groups.contains(&vec![at]), "{at}");
        }
        assert!(groups.iter().any(|group| group.len() > 1 && group.len() < domain.decisions.len()), "{groups:?}");
        let mut random = Random::new(1, 0);
        let from = domain.draw(&mut random);
        let to = redrawn(&domain, &from, &[1], &mut random);
        let differ =
            from.point().iter().zip(to.point()).enumerate().filter(|(at, (a, b))| *at != 1 && **a != *b).count();
        assert_eq!(differ, 0);
    }
}
