//! The densities of the tree-structured Parzen estimator, each of one variable alone (Bergstra, Bardenet, Bengio and
//! Kégl, "Algorithms for hyper-parameter optimization", NIPS 2011, section 4), with the weights and widths of hyperopt.
//!
//! The estimator splits what was observed into the [`good_count`] best and the rest, fits l to the former and g to the
//! latter, draws from l and takes the draw with the greatest ln l − ln g.

use super::normal;
use crate::random::Random;
use std::f64::consts::PI;

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
    /// From the levels (below `levels`) that were observed, the oldest first. Each level's weights are summed; a uniform
    /// prior of weight 1 adds `levels`·1/`levels` to each. None without levels, or if one that is too high was observed.
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

/// A mixture of normal distributions on an interval, cut off at its ends as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    low: f64,
    high: f64,
    /// By mean, ascending.
    components: Vec<Component>,
    /// Of each component its weight times how much of it is inside.
    inside: Vec<f64>,
}

/// A normal distribution of a [`Mixture`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Component {
    /// Its share of the mixture before it is cut off; they sum to 1.
    pub weight: f64,
    /// In the unit of the variable.
    pub mean: f64,
    /// In the unit of the variable.
    pub deviation: f64,
}

impl Mixture {
    /// From `observations` in [`low`, `high`], the oldest first: a component at each, and one for the prior in the middle
    /// with the whole range as deviation and weight 1. An observation's deviation is the greater of the gaps to its two
    /// neighbours (the prior's mean is one too; a single observation has half of the range), kept between
    /// range/min(100, 1+components) and the range. Of a variable on a logarithmic scale pass logarithms.
    ///
    /// None if `low` < `high` does not hold, the range is not finite or an observation is outside it.
    pub fn fit(observations: &[f64], low: f64, high: f64) -> Option<Self> {
        let range = high - low;
        let inside = observations.iter().all(|observation| (low..=high).contains(observation));
        if !(range > 0.0 && range.is_finite() && inside) {
            return None;
        }
        let middle = 0.5 * (low + high);
        // The prior's weight and deviation are given; those of the others follow. Before them, so that it comes first of
        // equal means, as in hyperopt; but after a single observation.
        let prior = (middle, 1.0, true);
        let weights = linear_forgetting_weights(observations.len());
        let mut sorted: Vec<(f64, f64, bool)> =
            observations.iter().zip(weights).map(|(&mean, weight)| (mean, weight, false)).collect();
        sorted.insert(if sorted.len() == 1 { 1 } else { 0 }, prior);
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));

        let count = sorted.len();
        let narrowest = range / (1.0 + count as f64).min(100.0);
        let sum: f64 = sorted.iter().map(|(_, weight, _)| weight).sum();
        let deviation = |k: usize| {
            let (mean, _, prior) = sorted[k];
            if prior {
                return range;
            }
            if count == 2 {
                return 0.5 * range;
            }
            let below = if k > 0 { mean - sorted[k - 1].0 } else { 0.0 };
            let above = if k + 1 < count { sorted[k + 1].0 - mean } else { 0.0 };
            below.max(above).clamp(narrowest, range)
        };
        let components: Vec<Component> = sorted
            .iter()
            .enumerate()
            .map(|(k, &(mean, weight, _))| Component { weight: weight / sum, mean, deviation: deviation(k) })
            .collect();
        let inside = components
            .iter()
            .map(|&Component { weight, mean, deviation }| {
                weight * normal::between((low - mean) / deviation, (high - mean) / deviation)
            })
            .collect();
        Some(Self { low, high, components, inside })
    }

    /// The components, by mean.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The logarithm of the density at `x`; −∞ outside the interval.
    pub fn log_density(&self, x: f64) -> f64 {
        if !(self.low..=self.high).contains(&x) {
            return f64::NEG_INFINITY;
        }
        let logs: Vec<f64> = self
            .components
            .iter()
            .map(|Component { weight, mean, deviation }| {
                let z = (x - mean) / deviation;
                (weight / deviation).ln() - 0.5 * z * z
            })
            .collect();
        // Relative to the greatest, so that not all of them underflow.
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
        most + sum.ln() - 0.5 * (2.0 * PI).ln() - self.inside.iter().sum::<f64>().ln()
    }

    /// A number in [`low`, `high`]: four words.
    pub fn sample(&self, random: &mut Random) -> f64 {
        // Drawing from the whole mixture until a draw is inside, as hyperopt does, takes a component this often.
        let Component { mean, deviation, .. } = self.components[choose(&self.inside, random)];
        normal::truncated(random, mean, deviation, self.low, self.high)
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
        assert_eq!(linear_forgetting_weights(0), []);
        assert_eq!(linear_forgetting_weights(25), [1.0; 25]);
        let ones = |ramp: &[f64]| [ramp, &[1.0; 25]].concat();
        assert_eq!(linear_forgetting_weights(26), ones(&[1.0 / 26.0]));
        assert_eq!(linear_forgetting_weights(27), ones(&[1.0 / 27.0, 1.0]));
        for (found, expected) in linear_forgetting_weights(30).iter().zip(ones(&[
            0.03333333333333333,
            0.275,
            0.5166666666666667,
            0.7583333333333333,
            1.0,
        ])) {
            assert_relative_eq!(*found, expected, max_relative = 1e-12);
        }
    }

    /// The k-th observation of the tests, the same in `oracles/parzen.py`; all different.
    fn observation(k: usize) -> f64 {
        (k * k + 7 * k + 3) as f64 * 0.618_033_988_749_894_9 % 1.0
    }

    /// hyperopt 0.3.0: `adaptive_parzen_normal` and `GMM1_lpdf` on [−2, 3] (`oracles/parzen.py`).
    #[test]
    fn mixtures_are_those_of_hyperopt() {
        for (count, first, last, densities) in [
            (
                0,
                (1.0, 0.5, 5.0),
                (1.0, 0.5, 5.0),
                [
                    -1.6934601119431505,
                    -1.5846601119431505,
                    -1.5684601119431505,
                    -1.5812601119431504,
                    -1.6934601119431505,
                ],
            ),
            (
                1,
                (0.5, 0.5, 5.0),
                (0.5, 2.2705098312484235, 2.5),
                [-2.18297567085234, -1.7324219036572606, -1.5425874494787801, -1.436635379012076, -1.4518727719650477],
            ),
            (
                2,
                (0.3333333333333333, 0.5, 5.0),
                (0.3333333333333333, 2.2705098312484235, 1.25),
                [-3.1557644139858296, -2.3020975576786715, -1.639289196948409, -1.203677681951198, -1.208382499760562],
            ),
            (
                7,
                (0.125, -1.762012643774689, 0.5555555555555556),
                (0.125, 2.8935688187389648, 0.5555555555555556),
                [
                    -1.6053030412726086,
                    -2.2033848508068066,
                    -2.2417903237092336,
                    -1.986913369247741,
                    -1.0196787478617129,
                ],
            ),
            (
                60,
                (0.011607992388201711, -1.9401531189660375, 0.08064516129032258),
                (0.022835394862036153, 2.9932034421942717, 0.0813061875578569),
                [
                    -1.8681800729152642,
                    -2.2223170399933183,
                    -2.1433292808512507,
                    -1.1445886188185481,
                    -1.5693824815113815,
                ],
            ),
            (
                150,
                (0.01016537170843789, -1.944479875757679, 0.05),
                (0.004669710070441697, 2.9932034421942717, 0.05),
                [-2.299184735427202, -2.462617965054309, -1.8779102948593074, -1.0758522126888321, -1.5511108774526106],
            ),
        ] {
            let observations: Vec<f64> = (0..count).map(|k| 5.0 * observation(k) - 2.0).collect();
            let mixture = Mixture::fit(&observations, -2.0, 3.0).unwrap();
            let ends = [&mixture.components()[0], &mixture.components()[count]];
            for (component, (weight, mean, deviation)) in ends.into_iter().zip([first, last]) {
                assert_relative_eq!(component.weight, weight, max_relative = 1e-12);
                assert_relative_eq!(component.mean, mean, max_relative = 1e-12);
                assert_relative_eq!(component.deviation, deviation, max_relative = 1e-11);
            }
            for (x, expected) in [-2.0, -0.4, 0.5, 1.3, 3.0].into_iter().zip(densities) {
                assert_relative_eq!(mixture.log_density(x), expected, max_relative = 1e-9);
            }
        }
    }

    /// hyperopt 0.3.0: `bincount` with weights and `tpe_cat_pseudocounts`.
    #[test]
    fn choices_are_those_of_hyperopt() {
        let observations: Vec<usize> = (0..40).map(|k| (4.0 * observation(k)) as usize).collect();
        let choice = Categorical::fit(&observations, 5).unwrap();
        for (level, expected) in
            [0.2950485666903577, 0.20554371002132196, 0.2634920634920635, 0.2093816631130064, 0.026533996683250415]
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
        for (observations, low, high) in [
            (&[][..], 1.0, 1.0),
            (&[], 0.0, f64::INFINITY),
            (&[], f64::NAN, 1.0),
            (&[1.5], 0.0, 1.0),
            (&[f64::NAN], 0.0, 1.0),
        ] {
            assert_eq!(Mixture::fit(observations, low, high), None, "{observations:?} {low} {high}");
        }
        assert_eq!(Mixture::fit(&[0.2], 0.0, 1.0).unwrap().log_density(1.1), f64::NEG_INFINITY);
    }

    #[test]
    fn the_density_of_a_mixture_sums_to_one_and_draws_follow_it() {
        let mixture = Mixture::fit(&[0.1, 0.12, 0.9, 0.1, 0.95, 1.0, 0.0], 0.0, 1.0).unwrap();
        let (bins, fine, draws) = (10, 400, 20_000);
        let mut counts = vec![0usize; bins];
        let mut random = Random::new(5, 2);
        for _ in 0..draws {
            counts[((mixture.sample(&mut random) * bins as f64) as usize).min(bins - 1)] += 1;
        }
        let mut whole = 0.0;
        for (bin, &count) in counts.iter().enumerate() {
            // By the midpoint rule.
            let share: f64 = (0..fine)
                .map(|k| (bin as f64 + (k as f64 + 0.5) / fine as f64) / bins as f64)
                .map(|x| mixture.log_density(x).exp() / (bins * fine) as f64)
                .sum();
            whole += share;
            let spread = (draws as f64 * share * (1.0 - share)).sqrt();
            assert!((count as f64 - draws as f64 * share).abs() < 4.5 * spread, "{bin}: {count}, {share}");
        }
        assert_relative_eq!(whole, 1.0, max_relative = 1e-6);
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
