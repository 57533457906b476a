//! The mixture of numbers.

use super::{choose, linear_forgetting_weights};
use crate::numerics::normal;
use crate::random::Random;
use std::f64::consts::PI;

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
    /// From `observations` in [`low`, `high`], the oldest first: a component at each, and one for the prior in the
    /// middle with the whole range as deviation and weight 1. An observation's deviation is the greater of the gaps to
    /// its two neighbours (the prior's mean is one too; a single observation has half of the range), kept between
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
        // Mean, weight and whether it is the prior, which stands before the others so that it comes first of equal
        // means, as in hyperopt: gaps depend on the order.
        let mut sorted = vec![(middle, 1.0, true)];
        let weights = linear_forgetting_weights(observations.len());
        sorted.extend(observations.iter().zip(weights).map(|(&mean, weight)| (mean, weight, false)));
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

#[cfg(test)]
mod tests {
    use super::super::tests::observation;
    use super::*;
    use approx::assert_relative_eq;

    /// hyperopt 0.3.0: `adaptive_parzen_normal` and `GMM1_lpdf` on [−2, 3] (`tests/oracles/parzen.py`).
    #[test]
    fn mixtures_are_those_of_hyperopt() {
        for (count, first, last, densities) in [
            (
                0,
                (1.0, 0.5, 5.0),
                (1.0, 0.5, 5.0),
                [
                    -1.693_460_111_943_150_5,
                    -1.584_660_111_943_150_5,
                    -1.568_460_111_943_150_5,
                    -1.581_260_111_943_150_4,
                    -1.693_460_111_943_150_5,
                ],
            ),
            (
                1,
                (0.5, 0.5, 5.0),
                (0.5, 2.270_509_831_248_423_5, 2.5),
                [
                    -2.182_975_670_852_34,
                    -1.732_421_903_657_260_6,
                    -1.542_587_449_478_780_1,
                    -1.436_635_379_012_076,
                    -1.451_872_771_965_047_7,
                ],
            ),
            (
                2,
                (0.333_333_333_333_333_3, 0.5, 5.0),
                (0.333_333_333_333_333_3, 2.270_509_831_248_423_5, 1.25),
                [
                    -3.155_764_413_985_829_6,
                    -2.302_097_557_678_671_5,
                    -1.639_289_196_948_409,
                    -1.203_677_681_951_198,
                    -1.208_382_499_760_562,
                ],
            ),
            (
                7,
                (0.125, -1.762_012_643_774_689, 0.555_555_555_555_555_6),
                (0.125, 2.893_568_818_738_964_8, 0.555_555_555_555_555_6),
                [
                    -1.605_303_041_272_608_6,
                    -2.203_384_850_806_806_6,
                    -2.241_790_323_709_233_6,
                    -1.986_913_369_247_741,
                    -1.019_678_747_861_712_9,
                ],
            ),
            (
                60,
                (0.011_607_992_388_201_711, -1.940_153_118_966_037_5, 0.080_645_161_290_322_58),
                (0.022_835_394_862_036_153, 2.993_203_442_194_271_7, 0.081_306_187_557_856_9),
                [
                    -1.868_180_072_915_264_2,
                    -2.222_317_039_993_318_3,
                    -2.143_329_280_851_250_7,
                    -1.144_588_618_818_548_1,
                    -1.569_382_481_511_381_5,
                ],
            ),
            (
                150,
                (0.010_165_371_708_437_89, -1.944_479_875_757_679, 0.05),
                (0.004_669_710_070_441_697, 2.993_203_442_194_271_7, 0.05),
                [
                    -2.299_184_735_427_202,
                    -2.462_617_965_054_309,
                    -1.877_910_294_859_307_4,
                    -1.075_852_212_688_832_1,
                    -1.551_110_877_452_610_6,
                ],
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

    #[test]
    fn what_is_outside_is_refused() {
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
}
