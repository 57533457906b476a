//! Which classes were taken for which, and what that says where some are rarer than others.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many examples of each class were answered with each class.
///
/// ```
/// use cellwright::estimate::Confusion;
/// // Of nine examples of the first class all are right, of one of the second none.
/// let confusion = Confusion::new(2, [(0, 0); 9].into_iter().chain([(1, 0)]));
/// assert_eq!((confusion.accuracy(), confusion.balanced_accuracy()), (0.9, 0.5));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    classes: usize,
    counts: Vec<(u32, u32, u64)>,
}

/// How one class fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassScore {
    /// Examples of the class (its support).
    pub examples: u64,
    /// Those that were answered with it.
    pub right: u64,
    /// Examples of any class that were answered with it.
    pub answered: u64,
}

impl ClassScore {
    /// Share of the class's examples that were answered with it; none if there are none.
    pub fn recall(&self) -> Option<f64> {
        share(self.right, self.examples)
    }

    /// Share of the answers with this class that are right; none if there are none.
    pub fn precision(&self) -> Option<f64> {
        share(self.right, self.answered)
    }
}

impl Confusion {
    /// Counts pairs of a true class and the class answered, both below `classes`.
    pub fn new(classes: usize, pairs: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut counts = BTreeMap::new();
        for pair in pairs {
            *counts.entry(pair).or_default() += 1;
        }
        Self { classes, counts: counts.into_iter().map(|((class, answer), count)| (class, answer, count)).collect() }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// True class, class answered, and how often, where it was; in ascending order.
    pub fn counts(&self) -> &[(u32, u32, u64)] {
        &self.counts
    }

    /// How each class fared.
    pub fn scores(&self) -> Vec<ClassScore> {
        let mut scores = vec![ClassScore::default(); self.classes];
        for &(class, answer, count) in &self.counts {
            if let Some(own) = scores.get_mut(class as usize) {
                own.examples += count;
                own.right += if class == answer { count } else { 0 };
            }
            if let Some(other) = scores.get_mut(answer as usize) {
                other.answered += count;
            }
        }
        scores
    }

    /// Share of right answers; 0 of none.
    pub fn accuracy(&self) -> f64 {
        let right = self.counts.iter().filter(|(class, answer, _)| class == answer).map(|(.., count)| count).sum();
        share(right, self.counts.iter().map(|(.., count)| count).sum()).unwrap_or(0.0)
    }

    /// Mean recall of the classes of which there are examples, as scikit-learn's `balanced_accuracy_score`; 0 of none.
    pub fn balanced_accuracy(&self) -> f64 {
        let recalls: Vec<f64> = self.scores().iter().filter_map(ClassScore::recall).collect();
        recalls.iter().sum::<f64>() / recalls.len().max(1) as f64
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each pair so often as the matrix says.
    fn of(matrix: [[usize; 4]; 4]) -> Confusion {
        let cells = (0..16).map(|cell| (cell / 4, cell % 4));
        let pairs = cells.flat_map(|(class, answer)| vec![(class as u32, answer as u32); matrix[class][answer]]);
        Confusion::new(4, pairs)
    }

    #[test]
    fn it_is_as_scikit_learn_computes_it() {
        let matrix = [[5, 2, 0, 1], [1, 3, 0, 0], [0, 0, 0, 0], [4, 0, 1, 2]];
        let confusion = of(matrix);
        assert_eq!(confusion.counts()[..4], [(0, 0, 5), (0, 1, 2), (0, 3, 1), (1, 0, 1)]);
        assert_eq!(confusion.counts()[4..], [(1, 1, 3), (3, 0, 4), (3, 2, 1), (3, 3, 2)]);
        // scikit-learn 1.9.1: balanced_accuracy_score, accuracy_score, recall_score(average=None), precision_score likewise
        // (whose 0 for a class without examples, or never answered, is none here).
        assert_eq!(confusion.balanced_accuracy(), 0.553_571_428_571_428_5);
        assert_eq!(confusion.accuracy(), 0.526_315_789_473_684_2);
        let scores = confusion.scores();
        let recalls = scores.iter().map(ClassScore::recall).collect::<Vec<_>>();
        assert_eq!(recalls, [Some(0.625), Some(0.75), None, Some(2.0 / 7.0)]);
        let precisions = scores.iter().map(ClassScore::precision).collect::<Vec<_>>();
        assert_eq!(precisions, [Some(0.5), Some(0.6), Some(0.0), Some(2.0 / 3.0)]);
    }

    #[test]
    fn many_pairs_come_to_what_scikit_learn_computes() {
        let class = |i: u32| i * i % 7;
        let answer = |i: u32| (i * i + u32::from(i.is_multiple_of(3))) % 7;
        let confusion = Confusion::new(7, (0..200).map(|i| (class(i), answer(i))));
        // scikit-learn 1.9.1: balanced_accuracy_score and accuracy_score.
        assert_eq!(confusion.balanced_accuracy(), 0.663_793_103_448_275_8);
        assert_eq!(confusion.accuracy(), 0.665);
    }

    #[test]
    fn of_nothing_nothing_is_right() {
        let nothing = Confusion::new(3, []);
        assert_eq!((nothing.accuracy(), nothing.balanced_accuracy()), (0.0, 0.0));
        assert_eq!(nothing.scores(), vec![ClassScore::default(); 3]);
    }
}
