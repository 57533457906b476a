//! How many trials get how much: successive halving (Jamieson and Talwalkar, AISTATS 2016), Hyperband (Li et al., JMLR
//! 2018) and the asynchronous ASHA (Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020), in
//! integers throughout: logarithms of floats lose a rung, as ln(1/243)/ln 3 = −4.999….

use std::cmp::Ordering;

/// Trials of one budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// How many trials get it.
    pub trials: usize,
    /// How much each of them gets, from its start; in the caller's unit, as epochs.
    pub budget: usize,
}

/// The budgets between `least` and `most` of a reduction by `eta` in the order in which they are spent: `most` divided
/// by powers of `eta` and rounded down, as long as `least` times that power does not exceed `most`. None if `least` is
/// 0 or more than `most`, or if `eta` is less than 2.
pub fn budgets(least: usize, most: usize, eta: usize) -> Option<Vec<usize>> {
    if least == 0 || least > most || eta < 2 {
        return None;
    }
    let powers = std::iter::successors(Some(1usize), |power| power.checked_mul(eta));
    let mut budgets: Vec<usize> = powers.take_while(|&power| least <= most / power).map(|power| most / power).collect();
    budgets.reverse();
    Some(budgets)
}

/// Successive halving of `trials` over `budgets`, the least first: rung j has ⌊trials·η^−j⌋ of them, up to the last
/// rung that has any. Of an `eta` below 2 there is none.
pub fn successive_halving(trials: usize, budgets: &[usize], eta: usize) -> Vec<Rung> {
    if eta < 2 {
        return Vec::new();
    }
    let counts = std::iter::successors(Some(trials), |count| Some(count / eta));
    let rungs = counts.zip(budgets).map(|(trials, &budget)| Rung { trials, budget });
    rungs.take_while(|rung| rung.trials > 0).collect()
}

/// The bracket of Hyperband's iteration `iteration`, from 0, over its m `budgets`, the least first: with
/// s = m−1−(iteration mod m), ⌊m/(s+1)⌋·η^s trials on the last s+1 budgets. This is HpBandSter's rounding; Li et al.
/// begin with ⌈m·η^s/(s+1)⌉, which is 12 instead of 9 in the second of four brackets. Empty without budgets or with an
/// `eta` below 2.
///
/// ```
/// use cellwright::numerics::halving::{budgets, hyperband};
///
/// let budgets = budgets(4, 108, 3).unwrap();
/// assert_eq!(budgets, [4, 12, 36, 108]);
/// let trials = |iteration| hyperband(iteration, &budgets, 3).iter().map(|rung| rung.trials).collect::<Vec<_>>();
/// assert_eq!([trials(0), trials(1), trials(2), trials(3)], [vec![27, 9, 3, 1], vec![9, 3, 1], vec![6, 2], vec![4]]);
/// ```
pub fn hyperband(iteration: usize, budgets: &[usize], eta: usize) -> Vec<Rung> {
    let rungs = budgets.len();
    if rungs == 0 {
        return Vec::new();
    }
    let skipped = iteration % rungs;
    let s = rungs - 1 - skipped;
    let trials = (0..s).fold(rungs / (s + 1), |trials, _| trials.saturating_mul(eta));
    successive_halving(trials, &budgets[skipped..], eta)
}

/// The indices of the `count` best of `scores`, the best first; of equal ones the earlier, and what is not a number
/// last.
pub fn best(scores: &[f64], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| descending(scores[a], scores[b]));
    order.truncate(count);
    order
}

/// The greater first.
fn descending(a: f64, b: f64) -> Ordering {
    b.partial_cmp(&a).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// A trial that has finished a rung.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finished {
    /// Which.
    pub trial: usize,
    /// How good it was there; more is better.
    pub score: f64,
    /// Whether it has already been sent to the next rung, finished there or not.
    pub promoted: bool,
}

/// Whom ASHA sends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Which trial.
    pub trial: usize,
    /// To which rung, at least 1.
    pub rung: usize,
}

/// What ASHA gives to a free worker (its algorithm 2): `rungs` are all of them from the lowest to that of the greatest
/// budget, each with what has finished there. From the top down, the best trial is promoted that is among the best
/// ⌊n/η⌋ of its rung's n and has not yet been. None: begin a new trial on rung 0. With an `eta` of 0 that is always so.
pub fn promotion(rungs: &[Vec<Finished>], eta: usize) -> Option<Promotion> {
    let below_the_top = rungs.split_last().map_or(&[][..], |(_, below)| below);
    below_the_top.iter().enumerate().rev().find_map(|(k, rung)| {
        let scores: Vec<f64> = rung.iter().map(|finished| finished.score).collect();
        let among = best(&scores, rung.len().checked_div(eta)?);
        let next = among.into_iter().map(|index| &rung[index]).find(|finished| !finished.promoted)?;
        Some(Promotion { trial: next.trial, rung: k + 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trials(rungs: &[Rung]) -> Vec<usize> {
        rungs.iter().map(|rung| rung.trials).collect()
    }

    #[test]
    fn rungs_are_counted_in_integers() {
        // In floats ln(1/243)/ln 3 = −4.999… has lost the first.
        assert_eq!(budgets(1, 243, 3).unwrap(), [1, 3, 9, 27, 81, 243]);
        assert_eq!(budgets(1, 81, 3).unwrap(), [1, 3, 9, 27, 81]);
        assert_eq!(budgets(4, 100, 3).unwrap(), [11, 33, 100]);
        assert_eq!(budgets(5, 5, 4).unwrap(), [5]);
        assert_eq!(budgets(1, usize::MAX, 2).unwrap().len(), usize::BITS as usize);
        for (least, most, eta) in [(0, 5, 3), (6, 5, 3), (1, 5, 1), (1, 5, 0)] {
            assert_eq!(budgets(least, most, eta), None);
        }
    }

    /// Table 1 of Li et al. (R = 81, η = 3) has [81, 34, 15, 8, 5] first trials; HpBandSter rounds to these.
    #[test]
    fn brackets_are_those_of_hpbandster() {
        let all = budgets(1, 81, 3).unwrap();
        let found: Vec<Vec<usize>> = (0..7).map(|iteration| trials(&hyperband(iteration, &all, 3))).collect();
        let expected: [&[usize]; 7] =
            [&[81, 27, 9, 3, 1], &[27, 9, 3, 1], &[9, 3, 1], &[6, 2], &[5], &[81, 27, 9, 3, 1], &[27, 9, 3, 1]];
        assert_eq!(found, expected);
        let second: Vec<usize> = hyperband(1, &all, 3).iter().map(|rung| rung.budget).collect();
        assert_eq!(second, [3, 9, 27, 81]);
        assert!(hyperband(3, &[], 3).is_empty());
        assert!(hyperband(0, &[1, 2], 1).is_empty());
    }

    #[test]
    fn halving_ends_where_no_trial_is_left() {
        assert_eq!(trials(&successive_halving(20, &[1, 4, 16, 64], 4)), [20, 5, 1]);
        assert!(trials(&successive_halving(0, &[1], 4)).is_empty());
        assert_eq!(successive_halving(7, &[5, 10], 2)[1], Rung { trials: 3, budget: 10 });
    }

    #[test]
    fn the_best_come_first_and_no_numbers_last() {
        assert_eq!(best(&[0.1, f64::NAN, 0.9, 0.9, 0.0], 5), [2, 3, 0, 4, 1]);
        assert_eq!(best(&[0.1, 0.2], 1), [1]);
        assert!(best(&[], 3).is_empty());
    }

    fn finished(trial: usize, score: f64, promoted: bool) -> Finished {
        Finished { trial, score, promoted }
    }

    #[test]
    fn promotions_go_from_the_top_down() {
        let two = vec![finished(0, 0.5, true), finished(1, 0.7, false)];
        // One of two is not a third.
        assert_eq!(promotion(&[two.clone(), vec![], vec![]], 3), None);
        assert_eq!(promotion(&[two.clone(), vec![], vec![]], 2), Some(Promotion { trial: 1, rung: 1 }));
        let three = [two, vec![finished(2, 0.6, false)]].concat();
        let one = Some(Promotion { trial: 1, rung: 1 });
        assert_eq!(promotion(&[three.clone(), vec![], vec![]], 3), one);
        let above = vec![finished(5, 0.1, false), finished(4, 0.2, false), finished(3, 0.0, false)];
        assert_eq!(promotion(&[three.clone(), above.clone(), vec![]], 3), Some(Promotion { trial: 4, rung: 2 }));
        // From the last rung nobody goes on.
        assert_eq!(promotion(&[three.clone(), above], 3), one);
        assert_eq!((promotion(&[three], 3), promotion(&[], 3), promotion(&[vec![], vec![]], 0)), (None, None, None));
        // The best has gone already, the second is not among the best third.
        let gone = vec![finished(0, 0.9, true), finished(1, 0.7, false), finished(2, 0.6, false)];
        assert_eq!(promotion(&[gone, vec![]], 3), None);
    }

    proptest! {
        /// Workers that ask one after another fill rungs with about an η-th of those below each, and never twice with
        /// the same trial.
        #[test]
        fn rungs_of_asha_thin_out(scores in prop::collection::vec(0.0..1.0f64, 1..120), eta in 2usize..5) {
            let mut rungs: Vec<Vec<Finished>> = vec![Vec::new(); 4];
            let mut begun = 0;
            while begun < scores.len() {
                let (trial, rung) = match promotion(&rungs, eta) {
                    Some(Promotion { trial, rung }) => {
                        rungs[rung - 1].iter_mut().filter(|f| f.trial == trial).for_each(|f| f.promoted = true);
                        (trial, rung)
                    }
                    None => {
                        begun += 1;
                        (begun - 1, 0)
                    }
                };
                prop_assert!(rungs[rung].iter().all(|f| f.trial != trial));
                rungs[rung].push(finished(trial, scores[trial], false));
            }
            for pair in rungs.windows(2) {
                prop_assert!(pair[1].len() + 1 >= pair[0].len() / eta, "{} {}", pair[0].len(), pair[1].len());
            }
        }
    }
}
