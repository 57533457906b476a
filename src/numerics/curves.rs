//! Learning curves that have not ended: whether to stop a training early, and what it would have come to.

use super::cholesky::Cholesky;
use super::least_squares::{Fit, least_squares};

/// Complete curves before the median rule stops anything.
const BEFORE_STOPPING: usize = 5;
/// Values without which nothing is extrapolated: as many as the richest model has parameters.
const FEWEST: usize = 4;
/// From how many of its starts a model is fitted, the most promising ones.
const STARTS: usize = 4;

/// Optuna's median rule: whether a training is to stop after its last value. It is if the best value so far is worse
/// than the median of what the `complete` trainings had at that same step. Values are one per step, more is better.
/// With fewer than five complete ones, or none that has that step, nothing stops. Values that are not numbers are
/// passed over; a training that has only such stops.
pub fn median_stops<C: AsRef<[f64]>>(own: &[f64], complete: &[C]) -> bool {
    let Some(step) = own.len().checked_sub(1) else { return false };
    if complete.len() < BEFORE_STOPPING {
        return false;
    }
    let Some(best) = own.iter().copied().filter(|value| !value.is_nan()).reduce(f64::max) else { return true };
    let there = complete.iter().filter_map(|curve| curve.as_ref().get(step)).copied();
    median(there.filter(|value| !value.is_nan()).collect()).is_some_and(|median| best < median)
}

/// The median, of an even number of values the mean of the middle two; none of none.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    values.get(values.len() / 2 - 1).map(|lower| 0.5 * (lower + upper))
}

/// What a curve comes to in epoch `last`: the mean of four of the models of Domhan, Springenberg and Hutter ("Speeding
/// up automatic hyperparameter optimization of deep neural networks by extrapolation of learning curves", IJCAI 2015),
/// each fitted to `values` by least squares and kept in [0, 1]: ln(a·ln x + b), a/(1 + (x/eᵇ)ᶜ),
/// α − (α−β)/(1 + (κx)^δ) and θ·x^η/(κ^η + x^η).
///
/// `values` are those of epochs 1, 2, …, as fractions of 1. None of fewer than four, if one is not a number in [0, 1],
/// or if `last` is 0.
pub fn extrapolate(values: &[f64], last: usize) -> Option<f64> {
    if values.len() < FEWEST || last == 0 || !values.iter().all(|value| (0.0..=1.0).contains(value)) {
        return None;
    }
    let logarithm = log_of_log(values)?;
    let power = log_power(values)?;
    let mercer = morgan_mercer_flodin(values, &power.parameters)?;
    let at = |model: Model, fit: &Fit| model(&fit.parameters, (last as f64).ln()).clamp(0.0, 1.0);
    // The second and the fourth are one curve under two names, c = −η and eᵇ = κ: fitted once, it counts twice.
    Some((at(LOG_OF_LOG, &logarithm) + 2.0 * at(LOG_POWER, &power) + at(MORGAN_MERCER_FLODIN, &mercer)) / 4.0)
}

/// The value of a curve, from its parameters and the logarithm of the epoch.
type Model = fn(&[f64], f64) -> f64;

/// ln(a·ln x + b). Where a falling one has come to 0 or below, the sum is 0 or below later on.
const LOG_OF_LOG: Model = |p, log| (p[0] * log + p[1]).max(0.0).ln();
/// a/(1 + (x/eᵇ)ᶜ) as D/(s² + xᶜ), so that its limits, constants and pure powers, have finite parameters too. Towards
/// s = 0 steps get short; but who starts there stays there, as the derivative by s is 0, and finds the best of the
/// limit.
const LOG_POWER: Model = |p, log| p[0] / (p[1] * p[1] + (p[2] * log).exp());
/// α − (α−β)/(1 + (κx)^δ): the former with δ for c, on a pedestal α. With s = 0 it is what κ = ∞ makes of it for δ > 0,
/// and κ = 0 for δ < 0; exchanging α and β turns the sign of δ, so that there are no other limits.
const MORGAN_MERCER_FLODIN: Model = |p, log| LOG_POWER(p, log) + p[3];

/// The best of the fits from several starts.
fn fit(model: Model, values: &[f64], starts: impl IntoIterator<Item = Vec<f64>>) -> Option<Fit> {
    let logs: Vec<f64> = (1..=values.len()).map(|epoch| (epoch as f64).ln()).collect();
    let residuals =
        |p: &[f64]| -> Vec<f64> { logs.iter().zip(values).map(|(&log, value)| model(p, log) - value).collect() };
    let squares = |p: &Vec<f64>| residuals(p).iter().map(|residual| residual * residual).sum::<f64>();
    let mut starts: Vec<Vec<f64>> = starts.into_iter().collect();
    starts.sort_by(|a, b| squares(a).total_cmp(&squares(b)));
    best(starts.iter().take(STARTS).map(|start| least_squares(start, residuals)))
}

/// That with the least squares.
fn best(fits: impl IntoIterator<Item = Option<Fit>>) -> Option<Fit> {
    fits.into_iter().flatten().min_by(|a, b| a.squares.total_cmp(&b.squares))
}

fn log_of_log(values: &[f64]) -> Option<Fit> {
    // eʸ is linear in ln x, which gives a start next to the answer. A constant one is always in bounds.
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let line = line(values.iter().enumerate().map(|(k, value)| (((k + 1) as f64).ln(), value.exp())));
    let start = line.map(|[offset, slope]| vec![slope, offset]);
    fit(LOG_OF_LOG, values, [vec![0.0, mean.exp()]].into_iter().chain(start))
}

fn log_power(values: &[f64]) -> Option<Fit> {
    // Given a, the logarithm of a/y − 1 is linear in ln x.
    let most = values.iter().copied().fold(1e-3, f64::max);
    let start = |share: f64| {
        let a = share * most;
        let points = values.iter().enumerate().filter(|(_, value)| **value > 0.0);
        let [offset, slope] = line(points.map(|(k, value)| (((k + 1) as f64).ln(), (a / value - 1.0).ln())))?;
        Some(vec![a * (-offset).exp(), (-0.5 * offset).exp(), slope])
    };
    let shares = [1.005, 1.02, 1.05, 1.1, 1.5, 3.0];
    // A constant one is in bounds even of a curve of zeros.
    let between = fit(LOG_POWER, values, shares.into_iter().filter_map(start).chain([vec![2.0 * most, 1.0, 0.0]]));
    // A pure power's logarithm is linear in ln x.
    let points = values.iter().enumerate().filter(|(_, value)| **value > 0.0);
    let line = line(points.map(|(k, value)| (((k + 1) as f64).ln(), value.ln())));
    let limit = fit(LOG_POWER, values, line.map(|[offset, slope]| vec![offset.exp(), 0.0, -slope]));
    best([between, limit])
}

fn morgan_mercer_flodin(values: &[f64], without_pedestal: &[f64]) -> Option<Fit> {
    let n = values.len() as f64;
    // Given k = s² and δ, the pedestal and D are linear.
    let start = |k: f64, delta: f64| {
        let shapes = (1..=values.len()).map(|epoch| 1.0 / (k + (epoch as f64).powf(delta)));
        let [pedestal, height] = line(shapes.zip(values.iter().copied()))?;
        Some(vec![height, k.sqrt(), delta, pedestal])
    };
    // In which epoch it has gone half of its way, which is 1/κ.
    let halves = [0.3, 1.0, 0.25 * n, n, 4.0 * n];
    let steep = [0.3, 0.7, 1.5, 4.0];
    let grid = halves.iter().flat_map(|half: &f64| steep.map(|delta| start(half.powf(delta), delta)));
    let between = fit(MORGAN_MERCER_FLODIN, values, grid.flatten().chain([[without_pedestal, &[0.0]].concat()]));
    let either_way = steep.into_iter().flat_map(|delta| [start(0.0, delta), start(0.0, -delta)]);
    let limit = fit(MORGAN_MERCER_FLODIN, values, either_way.flatten());
    best([between, limit])
}

/// Offset and slope of the line with the least squares through points (x, y); none where they have but one x.
fn line(points: impl Iterator<Item = (f64, f64)>) -> Option<[f64; 2]> {
    let [n, x, y, xx, xy] =
        points.fold([0.0; 5], |[n, sx, sy, sxx, sxy], (x, y)| [n + 1.0, sx + x, sy + y, sxx + x * x, sxy + x * y]);
    let solution = Cholesky::of(vec![n, x, x, xx], 2)?.solve(&[y, xy]);
    solution.try_into().ok().filter(|line: &[f64; 2]| line.iter().all(|value| value.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    fn value(k: usize) -> f64 {
        (k * k + 7 * k + 3) as f64 * 0.618_033_988_749_894_9 % 1.0
    }

    /// The curves of `tests/oracles/curves.py`: limit − drop·x^−power, with noise.
    fn curve(limit: f64, drop: f64, power: f64, noise: f64, epochs: usize) -> Vec<f64> {
        (1..=epochs).map(|x| limit - drop * (x as f64).powf(-power) + noise * (value(x) - 0.5)).collect()
    }

    /// The least squares of each model, and the mean of the four at epoch 200, of SciPy 1.17.1's `least_squares` in the
    /// models' published forms from a hundred starts (`tests/oracles/curves.py`).
    #[test]
    fn fits_are_those_of_scipy() {
        for (limit, drop, power, noise, epochs, squares, expected) in [
            (
                0.93,
                0.55,
                0.7,
                0.01,
                30,
                [0.028_111_547_403_384_424, 0.001_170_962_883_947_576_2, 0.000_287_512_416_241_736_4],
                0.923_880_152_282_630_5,
            ),
            (
                0.72,
                0.65,
                1.0,
                0.02,
                50,
                [0.125_886_426_878_499, 0.012_706_825_603_946_363, 0.001_690_434_299_521_091_5],
                0.744_813_946_147_045_8,
            ),
            (
                0.95,
                0.8,
                0.35,
                0.005,
                60,
                [0.014_851_119_538_873_555, 0.004_988_279_989_255_588, 0.000_125_559_912_704_679_06],
                0.822_395_458_996_168_6,
            ),
            (
                0.9,
                0.3,
                1.5,
                0.0,
                20,
                [0.024_942_447_142_225_144, 4.328_204_585_643_764e-05, 6.657_306_648_586_139e-16],
                0.923_465_106_567_945_6,
            ),
        ] {
            let values = curve(limit, drop, power, noise, epochs);
            let power = log_power(&values).unwrap();
            let mercer = morgan_mercer_flodin(&values, &power.parameters).unwrap();
            let found = [log_of_log(&values).unwrap().squares, power.squares, mercer.squares];
            for (found, expected) in found.into_iter().zip(squares) {
                // SciPy creeps along a valley where the answer is at κ = ∞.
                assert_relative_eq!(found, expected, max_relative = 1e-5, epsilon = 1e-12);
            }
            assert_relative_eq!(extrapolate(&values, 200).unwrap(), expected, max_relative = 1e-5);
        }
    }

    #[test]
    fn curves_of_the_models_themselves_are_continued() {
        let mercer = |values: &[f64]| morgan_mercer_flodin(values, &log_power(values)?.parameters);
        type Fitting<'a> = &'a dyn Fn(&[f64]) -> Option<Fit>;
        let fits: [(Model, Fitting, &[&[f64]]); 3] = [
            (LOG_OF_LOG, &log_of_log, &[&[0.2, 1.5], &[-0.1, 2.0]]),
            (LOG_POWER, &log_power, &[&[0.6, 0.8, -0.8], &[0.9, 0.1, 0.4], &[0.3, 0.0, -0.2]]),
            // The last three are powers on a pedestal, with κ = ∞ and, twice, κ = 0.
            (
                MORGAN_MERCER_FLODIN,
                &mercer,
                &[&[-1.4, 1.5, 1.1, 0.8], &[-0.5, 0.0, 0.6, 0.9], &[0.02, 0.0, -0.8, 0.1], &[-0.02, 0.0, -0.8, 0.95]],
            ),
        ];
        for (model, fitted, all) in fits {
            for parameters in all {
                let at = |parameters: &[f64], epoch: usize| model(parameters, (epoch as f64).ln());
                let values: Vec<f64> = (1..=25).map(|epoch| at(parameters, epoch)).collect();
                let fit = fitted(&values).unwrap();
                assert!(fit.squares < 1e-20, "{parameters:?} {fit:?}");
                assert_relative_eq!(at(&fit.parameters, 80), at(parameters, 80), max_relative = 1e-6);
            }
        }
    }

    #[test]
    fn any_curve_in_bounds_is_continued_within_them() {
        let steps: Vec<f64> = (0..12).map(|k| if k < 11 { 0.1 } else { 0.9 }).collect();
        let noise: Vec<f64> = (0..30).map(value).collect();
        let falling: Vec<f64> = (1..20).map(|k| 0.9 / f64::from(k)).collect();
        for values in [&[0.0; 6][..], &[1.0; 6], &[0.37; 9], &[0.0, 1.0, 0.0, 1.0], &steps, &noise, &falling] {
            for last in [1, 7, 200, 100_000] {
                let found = extrapolate(values, last).unwrap();
                assert!((0.0..=1.0).contains(&found), "{values:?} {last}: {found}");
            }
        }
        for constant in [0.0, 0.37, 1.0] {
            assert_relative_eq!(extrapolate(&[constant; 8], 200).unwrap(), constant, epsilon = 1e-6);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn noise_is_continued_too(
            values in prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), 0.0..1.0f64], 4..20),
            last in 1usize..100_000,
        ) {
            let found = extrapolate(&values, last);
            prop_assert!(found.is_some_and(|found| (0.0..=1.0).contains(&found)), "{:?}", found);
        }
    }

    #[test]
    fn what_is_no_curve_is_refused() {
        assert_eq!(extrapolate(&[0.1, 0.2, 0.3], 10), None);
        assert_eq!(extrapolate(&[0.1, 0.2, f64::NAN, 0.3], 10), None);
        assert_eq!(extrapolate(&[10.0, 20.0, 30.0, 40.0], 10), None);
        assert_eq!(extrapolate(&[0.1, 0.2, 0.3, 0.4], 0), None);
    }

    /// Optuna 5.0.0's `MedianPruner(n_startup_trials=5, n_warmup_steps=0)`, maximising (`tests/oracles/curves.py`).
    #[test]
    fn the_median_rule_is_that_of_optuna() {
        let complete: Vec<Vec<f64>> = (0..6).map(|i| (0..8).map(|k| value(8 * i + k)).collect()).collect();
        for (at, (trials, stops)) in
            [(5, "01101001"), (6, "00101010"), (5, "01100001"), (6, "11101010"), (5, "01100001"), (4, "00000000")]
                .into_iter()
                .enumerate()
        {
            let own: Vec<f64> = (0..8).map(|k| 0.6 * value(100 + 8 * at + k)).collect();
            let found: String =
                (1..=8).map(|n| if median_stops(&own[..n], &complete[..trials]) { '1' } else { '0' }).collect();
            assert_eq!(found, stops, "{at}");
        }
    }

    #[test]
    fn gaps_and_short_curves_are_passed_over() {
        let nan = f64::NAN;
        let complete = [vec![0.1, 0.5], vec![0.2, 0.6], vec![0.3], vec![0.4, nan], vec![0.5, 0.7]];
        // At the second step the median of 0.5, 0.6 and 0.7.
        assert!(median_stops(&[0.1, 0.59], &complete) && !median_stops(&[0.1, 0.6], &complete));
        // The best counts, not the last.
        assert!(!median_stops(&[0.65, 0.1], &complete) && !median_stops(&[nan, 0.61], &complete));
        assert!(median_stops(&[nan], &complete) && !median_stops(&[0.0, 0.0, 0.0], &complete));
        assert!(!median_stops(&[], &complete) && !median_stops(&[nan], &complete[..4]));
        assert_eq!((median(vec![]), median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0])), (None, Some(2.0), Some(2.5)));
    }
}
