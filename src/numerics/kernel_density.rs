//! The product kernel density of BOHB (Falkner, Klein and Hutter, "BOHB: Robust and efficient hyperparameter
//! optimization at scale", ICML 2018, section 4), as statsmodels computes it, and BOHB's way to draw near its points.

use super::normal;
use crate::random::Random;

/// The least bandwidth of BOHB, for variables in which all points are equal.
pub const LEAST_BANDWIDTH: f64 = 1e-3;
/// By how much BOHB widens the kernels from which it draws.
const WIDENING: f64 = 3.0;
/// The share of the results, in percent, that BOHB counts as good.
const GOOD: usize = 15;

/// How many of `results` on one budget, the best first, are good and how many after them are bad, in a space of
/// `variables`: 15 % and 85 %, and at least `variables`+1 each. None if there are too few for two models.
pub fn split(results: usize, variables: usize) -> Option<(usize, usize)> {
    let least = variables + 1;
    let good = least.max(GOOD * results / 100);
    let bad = least.max((100 - GOOD) * results / 100).min(results.saturating_sub(good));
    (bad >= least).then_some((good, bad))
}

/// What a coordinate of a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// A number in [0, 1].
    Continuous,
    /// One of `levels`, numbered from 0, without an order.
    Categorical {
        /// How many there are, seen or not.
        levels: usize,
    },
}

impl Variable {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::Continuous => (0.0..=1.0).contains(&value),
            Self::Categorical { levels } => value >= 0.0 && value.fract() == 0.0 && value < levels as f64,
        }
    }

    /// The greatest bandwidth. At (K−1)/K all levels are alike; above it the others would be likelier than the point's.
    fn widest(self) -> f64 {
        match self {
            Self::Continuous => f64::INFINITY,
            Self::Categorical { levels } => 1.0 - 1.0 / levels.max(1) as f64,
        }
    }

    /// The kernel around `centre` at `x`: Gaussian, or that of Aitchison and Aitken (Biometrika 63, 1976).
    fn kernel(self, bandwidth: f64, centre: f64, x: f64) -> f64 {
        match self {
            Self::Continuous => normal::density((x - centre) / bandwidth) / bandwidth,
            _ if x == centre => 1.0 - bandwidth,
            Self::Categorical { levels } => bandwidth / levels.saturating_sub(1).max(1) as f64,
        }
    }
}

/// A density over points of several variables: the mean over n points of products of one kernel per variable.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelDensity {
    variables: Vec<Variable>,
    points: Vec<Vec<f64>>,
    bandwidths: Vec<f64>,
}

impl KernelDensity {
    /// Around `points` of d `variables` each, with the bandwidth 1.06·σ·n^(−1/(4+d)) of each variable, at least `least`
    /// ([`LEAST_BANDWIDTH`]; above 0); σ is the population deviation of its values, of levels that of their numbers.
    /// The bandwidth of K levels is at most (K−1)/K.
    ///
    /// None without points or variables, or if a point has another number of coordinates or one that its variable does
    /// not have.
    pub fn fit(points: Vec<Vec<f64>>, variables: Vec<Variable>, least: f64) -> Option<Self> {
        let n = points.len() as f64;
        let factor = 1.06 * n.powf(-1.0 / (4.0 + variables.len() as f64));
        let bandwidth = |k: usize| {
            let values = || points.iter().filter_map(|point| point.get(k));
            let mean = values().sum::<f64>() / n;
            let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
            (factor * variance.sqrt()).max(least)
        };
        let bandwidths = (0..variables.len()).map(bandwidth).collect();
        Self::with_bandwidths(points, variables, bandwidths)
    }

    /// Around `points` with given bandwidths, one for each variable, above 0; those of levels are cut to (K−1)/K. None
    /// as for [`fit`](Self::fit).
    pub fn with_bandwidths(points: Vec<Vec<f64>>, variables: Vec<Variable>, mut bandwidths: Vec<f64>) -> Option<Self> {
        let whole = |point: &Vec<f64>| {
            point.len() == variables.len() && point.iter().zip(&variables).all(|(&value, kind)| kind.holds(value))
        };
        let positive = bandwidths.iter().all(|&bandwidth| bandwidth > 0.0 && bandwidth.is_finite());
        let sizes = !points.is_empty() && !variables.is_empty() && bandwidths.len() == variables.len();
        if !(sizes && positive && points.iter().all(whole)) {
            return None;
        }
        bandwidths.iter_mut().zip(&variables).for_each(|(width, kind)| *width = width.min(kind.widest()));
        Some(Self { variables, points, bandwidths })
    }

    /// The bandwidth of each variable; of levels the probability λ of another level.
    pub fn bandwidths(&self) -> &[f64] {
        &self.bandwidths
    }

    /// The density at a point; 0 where it has another number of coordinates. Of continuous variables it is not cut off
    /// at 0 and 1, so that it sums to less than 1 over the space.
    pub fn density(&self, point: &[f64]) -> f64 {
        if point.len() != self.variables.len() {
            return 0.0;
        }
        let product = |centre: &Vec<f64>| -> f64 {
            let kinds = self.variables.iter().zip(&self.bandwidths);
            kinds.zip(centre.iter().zip(point)).map(|((kind, &width), (&c, &x))| kind.kernel(width, c, x)).product()
        };
        self.points.iter().map(product).sum::<f64>() / self.points.len() as f64
    }

    /// A point near one of those it was fitted to, all equally likely: continuous coordinates from a normal
    /// distribution cut to [0, 1], of three times the bandwidth; a level is, with probability λ, drawn anew from all.
    pub fn sample_near(&self, random: &mut Random) -> Vec<f64> {
        let centre = &self.points[random.below(self.points.len())];
        let near = |((&kind, &width), &value): ((&Variable, &f64), &f64)| match kind {
            Variable::Continuous => normal::truncated(random, value, WIDENING * width, 0.0, 1.0),
            Variable::Categorical { levels } if normal::uniform(random) < width => random.below(levels) as f64,
            Variable::Categorical { .. } => value,
        };
        self.variables.iter().zip(&self.bandwidths).zip(centre).map(near).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn value(k: usize) -> f64 {
        (k * k + 7 * k + 3) as f64 * 0.618_033_988_749_894_9 % 1.0
    }

    fn points() -> Vec<Vec<f64>> {
        (0..12).map(|k| vec![value(k), value(k + 50), (k * k % 7 % 3) as f64, (k / 3 % 2) as f64]).collect()
    }

    fn variables() -> Vec<Variable> {
        vec![
            Variable::Continuous,
            Variable::Continuous,
            Variable::Categorical { levels: 3 },
            Variable::Categorical { levels: 2 },
        ]
    }

    /// statsmodels 0.15.0's `KDEMultivariate` by its "normal_reference" and with fixed bandwidths, where all levels are
    /// seen (`tests/oracles/kernel_density.py`).
    #[test]
    fn densities_are_those_of_statsmodels() {
        let at = [vec![0.5, 0.5, 0.0, 0.0], vec![0.1, 0.9, 1.0, 1.0], points()[4].clone(), vec![1.0, 0.0, 2.0, 1.0]];
        let rule = KernelDensity::fit(points(), variables(), LEAST_BANDWIDTH).unwrap();
        let expected =
            [0.286_762_948_270_228_7, 0.208_792_571_048_693_61, 0.533_926_430_400_135_9, 0.388_488_541_561_545_3];
        for (found, expected) in rule.bandwidths().iter().zip(expected) {
            assert_relative_eq!(*found, expected, max_relative = 1e-12);
        }
        let expected =
            [0.132_911_890_141_694_66, 0.062_938_262_617_690_92, 0.125_768_135_485_381_54, 0.040_336_321_416_125_33];
        for (point, expected) in at.iter().zip(expected) {
            assert_relative_eq!(rule.density(point), expected, max_relative = 1e-12);
        }
        let fixed = KernelDensity::with_bandwidths(points(), variables(), vec![0.1, 0.3, 0.25, 0.4]).unwrap();
        let expected =
            [0.152_122_826_595_561_17, 0.133_586_377_475_849_26, 0.259_662_304_508_607_06, 0.095_108_660_417_428_53];
        for (point, expected) in at.iter().zip(expected) {
            assert_relative_eq!(fixed.density(point), expected, max_relative = 1e-12);
        }
    }

    #[test]
    fn levels_sum_to_one_whether_seen_or_not() {
        for levels in 1..6 {
            let kinds = vec![Variable::Categorical { levels }];
            for seen in [vec![vec![0.0]; 5], (0..levels).map(|level| vec![level as f64]).collect()] {
                let density = KernelDensity::fit(seen, kinds.clone(), LEAST_BANDWIDTH).unwrap();
                let sum: f64 = (0..levels).map(|level| density.density(&[level as f64])).sum();
                assert_relative_eq!(sum, 1.0, max_relative = 1e-12);
            }
            // Never wider than uniform.
            let wide = KernelDensity::with_bandwidths(vec![vec![0.0]], kinds, vec![7.0]).unwrap();
            assert_relative_eq!(wide.density(&[(levels - 1) as f64]), 1.0 / levels as f64, max_relative = 1e-12);
        }
    }

    #[test]
    fn equal_values_have_the_least_bandwidth() {
        let density = KernelDensity::fit(vec![vec![0.5]; 4], vec![Variable::Continuous], 0.3).unwrap();
        assert_eq!(density.bandwidths(), [0.3]);
        assert_relative_eq!(density.density(&[0.8]), normal::density(1.0) / 0.3, max_relative = 1e-12);
    }

    #[test]
    fn what_is_no_point_is_refused() {
        let fit = |points, variables| KernelDensity::fit(points, variables, LEAST_BANDWIDTH);
        let three = Variable::Categorical { levels: 3 };
        for (points, variables) in [
            (vec![], vec![three]),
            (vec![vec![]], vec![]),
            (vec![vec![0.0, 1.0]], vec![three]),
            (vec![vec![3.0]], vec![three]),
            (vec![vec![0.5]], vec![three]),
            (vec![vec![0.0]], vec![Variable::Categorical { levels: 0 }]),
            (vec![vec![1.1]], vec![Variable::Continuous]),
            (vec![vec![f64::NAN]], vec![Variable::Continuous]),
        ] {
            assert_eq!(fit(points.clone(), variables.clone()), None, "{points:?} {variables:?}");
        }
        assert_eq!(KernelDensity::with_bandwidths(vec![vec![1.0]], vec![three], vec![0.0]), None);
        assert_eq!(KernelDensity::with_bandwidths(vec![vec![1.0]], vec![three], vec![]), None);
        assert_eq!(fit(vec![vec![1.0]], vec![three]).unwrap().density(&[]), 0.0);
    }

    #[test]
    fn draws_are_near_points_and_levels_change_as_often_as_lambda_says() {
        let kinds = vec![Variable::Continuous, Variable::Categorical { levels: 4 }];
        let density = KernelDensity::with_bandwidths(
            vec![vec![0.3, 1.0], vec![0.7, 1.0], vec![0.5, 1.0]],
            kinds,
            vec![0.02, 0.4],
        )
        .unwrap();
        let mut random = Random::new(9, 0);
        let (draws, mut counts, mut squares) = (10_000, [0i32; 4], 0.0);
        for _ in 0..draws {
            let drawn = density.sample_near(&mut random);
            assert!((0.0..=1.0).contains(&drawn[0]));
            counts[drawn[1] as usize] += 1;
            squares += (drawn[0] - 0.5).powi(2);
        }
        // One in ten anew to each level; within 4.5 standard deviations.
        for (level, expected) in [1000, 7000, 1000, 1000].into_iter().enumerate() {
            assert!((counts[level] - expected).abs() < 210, "{counts:?}");
        }
        // The points' variance, 0.08/3, and that of the kernel, (3·0.02)².
        assert_relative_eq!(squares / f64::from(draws), 0.08 / 3.0 + 0.003_6, max_relative = 0.03);
    }

    #[test]
    fn results_are_split_as_in_bohb() {
        // Two models of 7 rows at least for 6 variables.
        assert_eq!((split(13, 6), split(14, 6), split(15, 6)), (None, Some((7, 7)), Some((7, 8))));
        assert_eq!((split(100, 6), split(0, 0), split(2, 0)), (Some((15, 85)), None, Some((1, 1))));
    }
}
