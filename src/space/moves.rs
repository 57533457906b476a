//! Steps from one architecture to another, as evolution and local search take them.
//!
//! Each keeps to what a space allows ([`Space::allows`](super::Space::allows)): one answer is changed after the other,
//! each to what may stand beside the others. So what comes of an architecture that can be drawn can be drawn, too.

use super::{Architecture, Decision};
use crate::random::Random;

/// How much a mutation changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mutation {
    /// One decision, uniformly drawn, gets another answer (regularised evolution; Real et al. 2019).
    One,
    /// Each decision is answered anew with this probability, maybe as before (SPOS; Guo et al. 2020).
    Each(f32),
}

/// The decisions of a space, and whether one of an architecture can have an answer while the others stay.
pub(super) struct Moves<'a> {
    pub decisions: &'a [Decision],
    pub allows: &'a dyn Fn(&Architecture, usize, usize) -> bool,
}

impl Moves<'_> {
    /// The answers that a decision can have while the others stay.
    fn answers(&self, of: &Architecture, decision: usize) -> Vec<usize> {
        let options = 0..self.decisions[decision].options.len();
        options.filter(|&answer| (self.allows)(of, decision, answer)).collect()
    }

    /// The same without the present one, which may be none of them.
    fn others(&self, of: &Architecture, decision: usize) -> Vec<usize> {
        let mut answers = self.answers(of, decision);
        answers.retain(|&answer| answer != of.answers[decision]);
        answers
    }

    /// The architecture after a mutation. The same architecture where nothing can be changed.
    pub fn mutate(&self, from: &Architecture, mutation: Mutation, random: &mut Random) -> Architecture {
        let mut to = from.clone();
        match mutation {
            Mutation::One => {
                let mut open: Vec<(usize, Vec<usize>)> =
                    (0..self.decisions.len()).map(|d| (d, self.others(from, d))).collect();
                open.retain(|(_, others)| !others.is_empty());
                if !open.is_empty() {
                    let (decision, others) = &open[random.below(open.len())];
                    to.answers[*decision] = others[random.below(others.len())];
                }
            }
            Mutation::Each(probability) => {
                for decision in 0..self.decisions.len() {
                    if random.uniform() < probability {
                        let answers = self.answers(&to, decision);
                        if !answers.is_empty() {
                            to.answers[decision] = answers[random.below(answers.len())];
                        }
                    }
                }
            }
        }
        to
    }

    /// Each answer from one of two parents, with equal probability (uniform crossover); that of `a` where that of `b`
    /// cannot stand beside the others.
    pub fn crossover(&self, a: &Architecture, b: &Architecture, random: &mut Random) -> Architecture {
        let mut child = a.clone();
        for (decision, &answer) in b.answers.iter().enumerate() {
            if random.below(2) == 1 && (self.allows)(&child, decision, answer) {
                child.answers[decision] = answer;
            }
        }
        child
    }

    /// All architectures that differ in one answer, decision by decision.
    pub fn neighbours(&self, from: &Architecture) -> Vec<Architecture> {
        let changed = |decision: usize, answer: usize| {
            let mut to = from.clone();
            to.answers[decision] = answer;
            to
        };
        let of = |decision: usize| self.others(from, decision).into_iter().map(move |answer| changed(decision, answer));
        (0..self.decisions.len()).flat_map(of).collect()
    }
}
