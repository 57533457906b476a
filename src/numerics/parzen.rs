//! The densities of the tree-structured Parzen estimator, each of one variable alone (Bergstra, Bardenet, Bengio and
//! Kégl, "Algorithms for hyper-parameter optimization", NIPS 2011, section 4), with the weights and widths of hyperopt.
//!
//! The estimator splits what was observed into the [`good_count`] best and the rest, fits l to the former and g to the
//! latter, draws from l and takes the draw with the greatest ln l − ln g.

mod mixture;

pub use mixture::{Component, Mixture};

use super::normal;
use crate::random::Random;

/// Observations that keep their full weight, and the most that count as good.
const NEWEST: usize = 25;

/// How many of `n` observations count as good: ⌈0.25·√n⌉, at most 25.
pub fn good_count(n: usize) -> usize {
    // In integers: the least g with 4·g ≥ √n.
    (0..NEWEST).find(|g| 16 * g * g >= n).unwrap_or(NEWEST)
}

/// Weights of `n` observations, the oldest first: 1 for the newest 25, and for older ones rising evenly from 1/n to 1.
pub fn linear_forgetting_weights(n: usize) -> Vec<f64> {
    let older = n.saturating_sub(NEWEST);
    let first = 1.0 / n as f64;
    // A single older one has the weight at which the ramp begins.
    let step = if older > 1 { (1.0 - first) / (older - 1) as f64 } else { 0.0 };
    (0..n).map(|k| if k < older { first + step * k as f64 } else { 1.0 }).collect()
}

/// A choice among levels.
#[derive(Clone, Debug, PartialEq)]
pub struct Categorical {
    probabilities: Vec<f64>,
}

impl Categorical {
    /// From the levels (below `levels`) that were observed, the oldest first. Each level's weights are summed; a
    /// uniform prior of weight 1 adds `levels`·1/`levels` to each. None without levels, or if one that is too high was
    /// observed.
    pub fn fit(observations: &[usize], levels: usize) -> Option<Self> {
        let mut counts = vec![1.0; levels];
        for (&level, weight) in observations.iter().zip(linear_forgetting_weights(observations.len())) {
            *counts.get_mut(level)? += weight;
        }
        let sum: f64 = counts.iter().sum();
        counts.iter_mut().for_each(|count| *count /= sum);
        (levels > 0).then_some(Self { probabilities: counts })
    }

    /// The probability of each level.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// The logarithm of the probability of a level; −∞ for one that there is not.
    pub fn log_density(&self, level: usize) -> f64 {
        self.probabilities.get(level).map_or(f64::NEG_INFINITY, |probability| probability.ln())
    }

    /// A level: two words.
    pub fn sample(&self, random: &mut Random) -> usize {
        choose(&self.probabilities, random)
    }
}

/// An index with probability in proportion to its weight.
fn choose(weights: &[f64], random: &mut Random) -> usize {
    let mut left = normal::uniform(random) * weights.iter().sum::<f64>();
    for (index, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return index;
        }
    }
    // Rounding may leave a crumb behind the last.
    weights.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn a_quarter_of_the_root_is_good() {
        for n in 0..20_000 {
            assert_eq!(good_count(n), ((0.25 * (n as f64).sqrt()).ceil() as usize).min(25), "{n}");
        }
    }

    #[test]
    fn weights_are_those_of_hyperopt() {
        assert!(linear_forgetting_weights(0).is_empty());
        assert_eq!(linear_forgetting_weights(25), [1.0; 25]);
        let ones = |ramp: &[f64]| [ramp, &[1.0; 25]].concat();
        assert_eq!(linear_forgetting_weights(26), ones(&[1.0 / 26.0]));
        assert_eq!(linear_forgetting_weights(27), ones(&[1.0 / 27.0, 1.0]));
        for (found, expected) in linear_forgetting_weights(30).iter().zip(ones(&[
            0.033_333_333_333_333_33,
            0.275,
            0.516_666_666_666_666_7,
            0.758_333_333_333_333_3,
            1.0,
        ])) {
            assert_relative_eq!(*found, expected, max_relative = 1e-12);
        }
    }

    /// The k-th observation of the tests, the same in `tests/oracles/parzen.py`; all different.
    pub(super) fn observation(k: usize) -> f64 {
        (k * k + 7 * k + 3) as f64 * 0.618_033_988_749_894_9 % 1.0
    }

    /// hyperopt 0.3.0: `bincount` with weights and `tpe_cat_pseudocounts`.
    #[test]
    fn choices_are_those_of_hyperopt() {
        let observations: Vec<usize> = (0..40).map(|k| (4.0 * observation(k)) as usize).collect();
        let choice = Categorical::fit(&observations, 5).unwrap();
        for (level, expected) in [
            0.295_048_566_690_357_7,
            0.205_543_710_021_321_96,
            0.263_492_063_492_063_5,
            0.209_381_663_113_006_4,
            0.026_533_996_683_250_415,
        ]
        .into_iter()
        .enumerate()
        {
            assert_relative_eq!(choice.probabilities()[level], expected, max_relative = 1e-12);
            assert_relative_eq!(choice.log_density(level), expected.ln(), max_relative = 1e-12);
        }
        assert_eq!(choice.log_density(5), f64::NEG_INFINITY);
        assert_eq!(Categorical::fit(&[0, 0, 1], 2).unwrap().probabilities(), [0.6, 0.4]);
    }

    #[test]
    fn what_is_not_there_is_refused() {
        assert_eq!((Categorical::fit(&[], 0), Categorical::fit(&[2], 2)), (None, None));
        assert_eq!(Categorical::fit(&[], 4).unwrap().probabilities(), [0.25; 4]);
    }

    #[test]
    fn levels_are_drawn_as_often_as_they_are_likely() {
        let choice = Categorical::fit(&[0, 2, 2, 2], 3).unwrap();
        let mut counts = [0i32; 3];
        let mut random = Random::new(1, 0);
        (0..7000).for_each(|_| counts[choice.sample(&mut random)] += 1);
        // Probabilities 2/7, 1/7, 4/7, within 4.5 standard deviations.
        for (count, expected) in counts.into_iter().zip([2000, 1000, 4000]) {
            assert!((count - expected).abs() < 190, "{counts:?}");
        }
    }
}
