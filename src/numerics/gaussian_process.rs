//! Regression by a Gaussian process on distances (Rasmussen and Williams, "Gaussian Processes for Machine Learning",
//! 2006, algorithm 2.1), and what it says of the next point to try.

use super::cholesky::Cholesky;
use super::normal;
use std::f64::consts::PI;

/// What is expected at a point, in the units of the targets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The posterior mean.
    pub mean: f64,
    /// The posterior standard deviation of the function itself, without the noise of an observation.
    pub deviation: f64,
}

/// A Gaussian process with the kernel exp(−d/ℓ) of a distance d, observed at n points with independent noise.
///
/// ```
/// use cellwright::numerics::gaussian_process::{GaussianProcess, expected_improvement};
///
/// // Three points of a line, at 0, 1 and 3.
/// let distances = [0.0, 1.0, 3.0, 1.0, 0.0, 2.0, 3.0, 2.0, 0.0];
/// let process = GaussianProcess::fit(&distances, &[0.8, 0.9, 0.7], &[1.0, 2.0, 4.0], &[1e-3, 1e-2]).unwrap();
/// let between = process.predict(&[0.5, 0.5, 2.5]);
/// assert!(between.mean > 0.8 && between.mean < 0.9);
/// assert!(expected_improvement(between, 0.9) > 0.0);
/// ```
#[derive(Clone, Debug)]
pub struct GaussianProcess {
    factor: Cholesky,
    /// (K + σ²I)⁻¹ times the standardised targets.
    weights: Vec<f64>,
    centre: f64,
    scale: f64,
    length: f64,
    noise: f64,
    log_likelihood: f64,
}

impl GaussianProcess {
    /// Fits n `targets` at points whose `distances` to each other are n×n, row-major, symmetric and zero on the
    /// diagonal.
    ///
    /// Targets are standardised (mean 0, population deviation 1; equal ones are only centred). Of each of `lengths`
    /// (ℓ > 0, in the unit of the distances) with each of `noises` (σ² ≥ 0, as a share of the targets' variance) the
    /// pair with the greatest log marginal likelihood is taken, of equal ones the first, lengths being the outer loop.
    ///
    /// None without targets, with a target that is not finite, with distances of another size, or if no pair gives a
    /// positive definite matrix (two points at distance 0 need a noise above 0).
    pub fn fit(distances: &[f64], targets: &[f64], lengths: &[f64], noises: &[f64]) -> Option<Self> {
        let n = targets.len();
        if n == 0 || distances.len() != n * n || !targets.iter().all(|target| target.is_finite()) {
            return None;
        }
        let centre = targets.iter().sum::<f64>() / n as f64;
        let variance = targets.iter().map(|target| (target - centre).powi(2)).sum::<f64>() / n as f64;
        let scale = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        let standard: Vec<f64> = targets.iter().map(|target| (target - centre) / scale).collect();

        let mut best: Option<(f64, f64, f64, Cholesky)> = None;
        for &length in lengths.iter().filter(|length| **length > 0.0) {
            // The kernel costs more than the noise on its diagonal: once per length, and only the half that is read.
            let mut kernel = vec![0.0; n * n];
            for row in 0..n {
                for k in row * n..=row * n + row {
                    kernel[k] = (-distances[k] / length).exp();
                }
            }
            for &noise in noises.iter().filter(|noise| **noise >= 0.0) {
                let mut noisy = kernel.clone();
                noisy.iter_mut().step_by(n + 1).for_each(|entry| *entry += noise);
                let Some(factor) = Cholesky::of(noisy, n) else { continue };
                let likelihood = log_marginal_likelihood(&factor, &standard);
                if best.as_ref().is_none_or(|(most, ..)| likelihood > *most) {
                    best = Some((likelihood, length, noise, factor));
                }
            }
        }
        let (log_likelihood, length, noise, factor) = best?;
        let weights = factor.solve(&standard);
        Some(Self { factor, weights, centre, scale, length, noise, log_likelihood })
    }

    /// What is expected at a point with these `distances` to the n observed ones, in their order. With another number
    /// of them nothing is, and the prediction is not a number.
    pub fn predict(&self, distances: &[f64]) -> Prediction {
        if distances.len() != self.weights.len() {
            return Prediction { mean: f64::NAN, deviation: f64::NAN };
        }
        let kernel: Vec<f64> = distances.iter().map(|distance| (-distance / self.length).exp()).collect();
        let explained: f64 = self.factor.solve_lower(&kernel).iter().map(|v| v * v).sum();
        let mean: f64 = kernel.iter().zip(&self.weights).map(|(kernel, weight)| kernel * weight).sum();
        // At an observed point without noise rounding can take a little more than there is.
        let variance = (1.0 - explained).max(0.0);
        Prediction { mean: self.centre + self.scale * mean, deviation: self.scale * variance.sqrt() }
    }

    /// The log marginal likelihood of the standardised targets.
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// The ℓ that was chosen.
    pub fn length(&self) -> f64 {
        self.length
    }

    /// The noise variance that was chosen, as a share of the targets' variance.
    pub fn noise(&self) -> f64 {
        self.noise
    }
}

/// ln p(y) = −½·yᵀK⁻¹y − ½·ln det K − n/2·ln 2π (Rasmussen and Williams, equation 2.30).
fn log_marginal_likelihood(factor: &Cholesky, targets: &[f64]) -> f64 {
    let form: f64 = factor.solve_lower(targets).iter().map(|y| y * y).sum();
    -0.5 * (form + factor.log_determinant() + targets.len() as f64 * (2.0 * PI).ln())
}

/// By how much a point is expected to exceed `best`, the greatest value so far: (μ−b)·Φ(u) + σ·φ(u) with u = (μ−b)/σ
/// (Jones, Schonlau and Welch, "Efficient global optimization of expensive black-box functions", 1998, equation 15, for
/// a maximum). Never below 0, in the units of the targets.
pub fn expected_improvement(prediction: Prediction, best: f64) -> f64 {
    let (gain, deviation) = (prediction.mean - best, prediction.deviation);
    if deviation <= 0.0 {
        return gain.max(0.0);
    }
    let u = gain / deviation;
    let improvement = gain * normal::below(u) + deviation * normal::density(u);
    // Far below the best both terms cancel. `max` alone would turn what is not a number into 0.
    if improvement < 0.0 { 0.0 } else { improvement }
}

/// The upper confidence bound: the mean plus `factor` deviations. A `factor` below 0 gives a lower one.
pub fn upper_confidence(prediction: Prediction, factor: f64) -> f64 {
    prediction.mean + factor * prediction.deviation
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    const LENGTHS: [f64; 8] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
    const NOISES: [f64; 4] = [1e-4, 1e-3, 1e-2, 1e-1];
    const X: [f64; 8] = [0.0, 0.5, 1.3, 2.0, 2.1, 3.7, 4.4, 6.0];
    const Y: [f64; 8] = [91.2, 91.9, 92.7, 93.1, 93.0, 92.2, 91.0, 89.5];

    fn to(x: f64) -> Vec<f64> {
        X.iter().map(|other| (x - other).abs()).collect()
    }

    fn process(targets: &[f64]) -> GaussianProcess {
        let distances: Vec<f64> = X.iter().flat_map(|&x| to(x)).collect();
        GaussianProcess::fit(&distances, targets, &LENGTHS, &NOISES).unwrap()
    }

    /// scikit-learn 1.9.1's `GaussianProcessRegressor` with `Matern(length, nu=0.5)`, which is this kernel on a line,
    /// over the same grid; the expected improvement by SciPy 1.17.1 (`tests/oracles/gaussian_process.py`).
    #[test]
    fn predictions_are_those_of_scikit_learn() {
        let process = process(&Y);
        assert_relative_eq!(process.log_likelihood(), -8.531_130_987_640_449, max_relative = 1e-10);
        assert_eq!((process.length(), process.noise()), (2.0, 1e-4));
        for (x, mean, deviation, improvement) in [
            (0.2, 91.482_310_655_061_21, 0.393_975_552_583_167_4, 1.750_123_412_139_228_3e-6),
            (1.7, 92.912_387_286_165_26, 0.469_695_216_079_472_5, 0.108_327_488_550_377_42),
            (2.0, 93.099_831_628_224_21, 0.011_392_473_098_812_026, 0.004_461_249_664_944_431),
            (5.0, 90.543_865_349_374_06, 0.681_466_657_627_828_7, 1.427_581_883_171_362_4e-5),
            (20.0, 91.822_880_097_698_69, 1.139_900_837_634_749, 0.075_119_229_155_659_22),
        ] {
            let found = process.predict(&to(x));
            assert_relative_eq!(found.mean, mean, max_relative = 1e-10);
            assert_relative_eq!(found.deviation, deviation, max_relative = 1e-7);
            assert_relative_eq!(expected_improvement(found, 93.1), improvement, max_relative = 1e-6);
            assert_relative_eq!(upper_confidence(found, 0.5), mean + 0.5 * deviation, max_relative = 1e-10);
        }
    }

    #[test]
    fn units_of_the_targets_carry_over() {
        let scaled = process(&Y.map(|y| 1000.0 * y - 7.0)).predict(&to(1.7));
        let plain = process(&Y).predict(&to(1.7));
        assert_relative_eq!(scaled.mean, 1000.0 * plain.mean - 7.0, max_relative = 1e-10);
        assert_relative_eq!(scaled.deviation, 1000.0 * plain.deviation, max_relative = 1e-7);
    }

    #[test]
    fn an_observed_point_is_certain_without_noise() {
        let distances: Vec<f64> = X.iter().flat_map(|&x| to(x)).collect();
        for length in [0.5, 3.0, 40.0, 1e6] {
            let process = GaussianProcess::fit(&distances, &Y, &[length], &[0.0]).unwrap();
            for (x, y) in X.into_iter().zip(Y) {
                let found = process.predict(&to(x));
                assert_relative_eq!(found.mean, y, max_relative = 1e-7);
                assert!((0.0..1e-4).contains(&found.deviation), "{found:?}");
            }
        }
    }

    #[test]
    fn one_target_and_equal_targets_are_enough() {
        let one = GaussianProcess::fit(&[0.0], &[3.0], &[1.0, 2.0], &[0.0]).unwrap();
        // Every length is as likely as any other.
        assert_eq!((one.length(), one.predict(&[0.0]).mean), (1.0, 3.0));
        assert_relative_eq!(one.predict(&[2.0]).deviation, (1.0 - (-4.0f64).exp()).sqrt(), max_relative = 1e-12);
        let equal = process(&[5.0; 8]).predict(&to(1.7));
        assert!(equal.mean == 5.0 && equal.deviation > 0.0);
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let fit = GaussianProcess::fit;
        assert!(fit(&[], &[], &LENGTHS, &NOISES).is_none());
        assert!(fit(&[0.0; 3], &[1.0, 2.0], &LENGTHS, &NOISES).is_none());
        assert!(fit(&[0.0], &[f64::NAN], &LENGTHS, &NOISES).is_none());
        assert!(fit(&[0.0], &[1.0], &[-1.0, 0.0, f64::NAN], &NOISES).is_none());
        assert!(fit(&[0.0], &[1.0], &LENGTHS, &[-0.5]).is_none());
        assert!(fit(&[f64::NAN], &[1.0], &LENGTHS, &NOISES).is_none());
        // A point that was seen twice, without noise.
        assert!(fit(&[0.0; 4], &[1.0, 2.0], &LENGTHS, &[0.0]).is_none());
        assert!(fit(&[0.0; 4], &[1.0, 2.0], &LENGTHS, &[0.0, 0.1]).is_some_and(|process| process.noise() == 0.1));
        assert!(process(&Y).predict(&[1.0]).mean.is_nan());
    }

    #[test]
    fn improvement_is_never_negative_and_certain_where_there_is_no_deviation() {
        let at = |mean, deviation| expected_improvement(Prediction { mean, deviation }, 1.0);
        assert_eq!((at(3.0, 0.0), at(0.5, 0.0), at(-1e6, 1.0)), (2.0, 0.0, 0.0));
        // From where both terms almost cancel to where they underflow.
        assert!((0..4000).all(|k| at(1.0 - f64::from(k) * 0.01, 1.0) >= 0.0));
        assert!(at(f64::NAN, 1.0).is_nan());
        assert_relative_eq!(at(1.0, 2.0), 2.0 / (2.0 * PI).sqrt(), max_relative = 1e-12);
    }
}
