//! The normal distribution, whole and truncated, in float64.

use crate::random::Random;
use statrs::function::erf::{erfc, erfc_inv};
use std::f64::consts::{PI, SQRT_2};

/// Uniform in [0, 1) with all 53 bits, from two words.
pub(super) fn uniform(random: &mut Random) -> f64 {
    let (high, low) = (u64::from(random.word()), u64::from(random.word()));
    ((high << 32 | low) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// The standard normal density at `x`.
pub(super) fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// The probability that a standard normal number is below `x`, to ten digits also far below 0.
pub(super) fn below(x: f64) -> f64 {
    0.5 * erfc(-x / SQRT_2)
}

/// The probability that a standard normal number is in [`low`, `high`].
pub(super) fn between(low: f64, high: f64) -> f64 {
    // In the upper tail both are almost 1 and their difference would be lost; the lower one is its mirror image.
    if low > 0.0 { below(-low) - below(-high) } else { below(high) - below(low) }
}

/// A normal number of this mean and deviation, given that it is in [`low`, `high`], by inversion: two words, whatever
/// the bounds. The mean should not lie many deviations outside them.
pub(super) fn truncated(random: &mut Random, mean: f64, deviation: f64, low: f64, high: f64) -> f64 {
    let (a, b) = ((low - mean) / deviation, (high - mean) / deviation);
    let share = uniform(random);
    let quantile = |a: f64, b: f64| {
        let p = below(a) + share * (below(b) - below(a));
        -SQRT_2 * erfc_inv(2.0 * p)
    };
    // As in `between`, in the tail where small probabilities are exact.
    let standard = if a > 0.0 { -quantile(-b, -a) } else { quantile(a, b) };
    (mean + deviation * standard).clamp(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// SciPy 1.17.1: `stats.norm.cdf`, `pdf`.
    #[test]
    fn probabilities_are_those_of_scipy() {
        for (x, cdf, pdf) in [
            (-8.0, 6.220_960_574_271_74e-16, 5.052_271_083_536_893e-15),
            (-3.0, 0.001_349_898_031_630_093_3, 0.004_431_848_411_938_007_5),
            (-0.5, 0.308_537_538_725_986_9, 0.352_065_326_764_299_47),
            (0.0, 0.5, 0.398_942_280_401_432_7),
            (0.25, 0.598_706_325_682_923_7, 0.386_668_116_802_849_3),
            (2.0, 0.977_249_868_051_820_8, 0.053_990_966_513_188_06),
        ] {
            assert_relative_eq!(below(x), cdf, epsilon = 0.0, max_relative = 1e-10);
            assert_relative_eq!(density(x), pdf, epsilon = 0.0, max_relative = 1e-13);
        }
        assert_relative_eq!(between(6.0, 7.0), 9.853_078_324_938_088e-10, epsilon = 0.0, max_relative = 1e-9);
        assert_relative_eq!(between(-7.0, -6.0), 9.853_078_324_938_088e-10, epsilon = 0.0, max_relative = 1e-9);
        assert_relative_eq!(between(-1.0, 1.0), 0.682_689_492_137_085_9, max_relative = 1e-10);
    }

    #[test]
    fn uniform_numbers_fill_their_range_evenly() {
        let mut random = Random::new(3, 1);
        let mut counts = [0; 8];
        for _ in 0..8000 {
            let value = uniform(&mut random);
            assert!((0.0..1.0).contains(&value));
            counts[(value * 8.0) as usize] += 1;
        }
        // Five standard deviations of a binomial count.
        assert!(counts.iter().all(|&count: &i32| (count - 1000).abs() < 150), "{counts:?}");
    }

    /// Means and deviations of SciPy 1.17.1's `stats.truncnorm`.
    #[test]
    fn truncated_numbers_have_the_moments_of_scipy() {
        for (mean, deviation, low, high, expected, spread) in [
            (0.5, 0.3, 0.0, 1.0, 0.5, 0.238_752_968_435_180_6),
            (0.0, 0.1, 0.0, 1.0, 0.079_788_456_080_286_55, 0.060_281_027_498_908_69),
            (1.0, 3.0, 0.0, 1.0, 0.504_612_269_953_122_8, 0.288_118_686_227_099),
            (0.2, 0.01, 0.0, 1.0, 0.2, 0.01),
            (0.0, 1.0, 9.0, 10.0, 9.108_456_288_012_421, 0.106_999_092_620_068_38),
            (-1.0, 0.4, 0.0, 1.0, 0.129_054_270_557_910_52, 0.119_142_570_808_562_5),
        ] {
            let mut random = Random::new(11, 0);
            let values: Vec<f64> = (0..20_000).map(|_| truncated(&mut random, mean, deviation, low, high)).collect();
            assert!(values.iter().all(|value| (low..=high).contains(value)));
            let found = values.iter().sum::<f64>() / 20_000.0;
            let variance = values.iter().map(|value| (value - found).powi(2)).sum::<f64>() / 20_000.0;
            assert!((found - expected).abs() < 5.0 * spread / 20_000f64.sqrt(), "{found} {expected}");
            assert_relative_eq!(variance.sqrt(), spread, max_relative = 0.03);
        }
    }
}
