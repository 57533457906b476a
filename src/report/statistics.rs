//! The few statistics that small samples allow: mean and deviation, Mann and Whitney's test, Holm's correction, and what the best
//! of several draws is expected to be.

use statrs::function::erf::erfc;

/// Pairs of values of two samples, beyond which the test is not exact but asymptotic.
pub const MOST_PAIRS: usize = 1600;
/// From which p on two samples are told apart.
pub const LEVEL: f64 = 0.05;

/// Mean of values; none of none.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard deviation of the population that values are drawn from (the sum of squares divided by one less than their number);
/// none of fewer than two.
pub fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// What Mann and Whitney's test says of two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannWhitney {
    /// U of the first sample: the pairs in which it has the greater value; of equal values a pair counts one half.
    pub u: f64,
    /// The probability of a U as far out or farther, on either side, if both are drawn alike.
    pub p: f64,
}

/// Mann and Whitney's test, two-sided and exact up to [`MOST_PAIRS`] pairs of values, beyond by the normal distribution: given which values there are, every division of them into
/// samples of these sizes is as likely as any other. Equal values share the mean of their ranks; p is twice the smaller tail. None where
/// a sample is empty or a value is not a number.
///
/// Time and memory grow with the fourth and third power of the sizes: a few dozen values take milliseconds.
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Option<MannWhitney> {
    let (n, m) = (first.len(), second.len());
    if n == 0 || m == 0 || first.iter().chain(second).any(|value| value.is_nan()) {
        return None;
    }
    let ranks = doubled_ranks(first, second);
    let own: usize = ranks[..n].iter().sum();
    let u = (own - n * (n + 1)) as f64 / 2.0;
    if n * m > MOST_PAIRS {
        return Some(MannWhitney { u, p: by_normal(u, &ranks, [n, m]) });
    }
    // Of the smaller sample there are fewer divisions to count; its sum of ranks is as far out.
    let (size, observed) = if n <= m { (n, own) } else { (m, ranks[n..].iter().sum()) };
    let ways = sums(&ranks, size);
    let [below, all, above] = [&ways[..=observed], &ways[..], &ways[observed..]].map(|part| part.iter().sum::<f64>());
    Some(MannWhitney { u, p: (2.0 * below.min(above) / all).min(1.0) })
}

/// The same p by the normal distribution that U tends to, with the correction for equal values and that for continuity.
fn by_normal(u: f64, ranks: &[usize], [n, m]: [usize; 2]) -> f64 {
    let (n, m) = (n as f64, m as f64);
    let all = n + m;
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable();
    let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|equal| (equal.len() as f64).powi(3) - equal.len() as f64).sum();
    let variance = n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let z = ((u - n * m / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    erfc(z / std::f64::consts::SQRT_2).min(1.0)
}

/// Twice the ranks, from 1, of the values of both samples among all: with that the mean of equal values' ranks is whole.
fn doubled_ranks(first: &[f64], second: &[f64]) -> Vec<usize> {
    let all: Vec<f64> = first.iter().chain(second).copied().collect();
    let rank = |value: &f64| {
        let below = all.iter().filter(|other| *other < value).count();
        let equal = all.iter().filter(|other| *other == value).count();
        2 * below + equal + 1
    };
    all.iter().map(rank).collect()
}

/// In how many ways `size` of the numbers have each sum, by the sum.
fn sums(numbers: &[usize], size: usize) -> Vec<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let most: usize = sorted.iter().rev().take(size).sum();
    let mut ways = vec![vec![0.0; most + 1]; size + 1];
    ways[0][0] = 1.0;
    for &number in numbers {
        // Downwards, so that a number is taken once.
        for taken in (1..=size).rev() {
            let (less, these) = ways.split_at_mut(taken);
            for sum in number..=most {
                these[0][sum] += less[taken - 1][sum - number];
            }
        }
    }
    ways.pop().unwrap_or_default()
}

/// The smallest p that [`mann_whitney`] can give for samples of these sizes without equal values.
pub fn least_p(n: usize, m: usize) -> f64 {
    let (n, m) = (n.min(m), n.max(m));
    (1..=n).fold(2.0, |p, k| p * k as f64 / (m + k) as f64).min(1.0)
}

/// Two samples held against each other by [`mann_whitney`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The share of pairs in which the first sample has the greater value; equal ones count one half.
    pub better: f64,
    /// The probability of as much or more, on either side, if both are drawn alike.
    pub p: f64,
    /// The least p that samples of these sizes can give.
    pub least_p: f64,
}

/// Holds two samples against each other; none where one is empty or a value is not a number.
pub fn compare(first: &[f64], second: &[f64]) -> Option<Comparison> {
    let MannWhitney { u, p } = mann_whitney(first, second)?;
    let (n, m) = (first.len(), second.len());
    Some(Comparison { better: u / (n * m) as f64, p, least_p: least_p(n, m) })
}

/// Holm's correction of several tests: for each the least level at which it is significant among them all.
pub fn holm(ps: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|&a, &b| ps[a].total_cmp(&ps[b]));
    let (mut adjusted, mut most) = (vec![0.0; ps.len()], 0.0_f64);
    for (rank, index) in order.into_iter().enumerate() {
        most = most.max(ps[index] * (ps.len() - rank) as f64).min(1.0);
        adjusted[index] = most;
    }
    adjusted
}

/// What the best of `k` of the values is expected to be, all choices of `k` alike; none where `k` is 0 or there are not so many.
pub fn expected_best(values: &[f64], k: usize) -> Option<f64> {
    let n = values.len();
    if k == 0 || k > n {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    // The best of all is chosen with probability k/n; if not, it is the same question for the others.
    let (mut left, mut expected) = (1.0, 0.0);
    for (at, value) in sorted.iter().enumerate().take(n - k + 1) {
        let chosen = k as f64 / (n - at) as f64;
        expected += left * chosen * value;
        left *= 1.0 - chosen;
    }
    Some(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn mean_and_deviation() {
        assert_eq!((mean(&[]), mean(&[2.0, 4.0])), (None, Some(3.0)));
        assert_eq!((deviation(&[0.91]), deviation(&[])), (None, None));
        assert_relative_eq!(deviation(&[0.91, 0.93, 0.95]).unwrap(), 0.02, max_relative = 1e-12);
    }

    /// U and p of SciPy 1.17.1: `mannwhitneyu(a, b, method="exact")`, with equal values `method=PermutationMethod(n_resamples=inf)`.
    #[test]
    fn mann_whitney_is_that_of_scipy() {
        let check = |first: &[f64], second: &[f64], u: f64, p: f64| {
            let found = mann_whitney(first, second).unwrap();
            assert_eq!(found.u, u);
            assert_relative_eq!(found.p, p, max_relative = 1e-12);
            let other = mann_whitney(second, first).unwrap();
            assert_eq!(other.u, (first.len() * second.len()) as f64 - u);
            assert_relative_eq!(other.p, p, max_relative = 1e-12);
        };
        check(&[0.95, 0.96, 0.97], &[0.90, 0.91, 0.92, 0.93], 12.0, 0.057_142_857_142_857_14);
        let random = [0.920, 0.941, 0.907, 0.915, 0.930, 0.925, 0.911, 0.938, 0.922, 0.909, 0.917, 0.933];
        check(&[0.912, 0.934, 0.951], &random, 25.0, 0.364_835_164_835_164_87);
        check(&[1.1, 2.2, 3.3, 4.4, 5.5], &[0.5, 1.5, 2.5, 3.5, 6.5, 7.5, 8.5], 14.0, 0.638_888_888_888_889);
        check(&[0.9, 0.9, 0.95], &[0.9, 0.92, 0.88, 0.95], 6.5, 1.0);
        check(&[1.0, 1.0, 2.0, 3.0], &[2.0, 2.0, 3.0, 3.0, 4.0], 4.0, 0.222_222_222_222_222_2);
        let except = |taken: &[f64], most: u32| -> Vec<f64> {
            (1..=most).map(f64::from).filter(|value| !taken.contains(value)).collect()
        };
        let squares = [1.0, 4.0, 9.0, 16.0, 25.0, 36.0];
        check(&squares, &except(&squares, 42), 70.0, 0.182_470_272_329_065_65);
        let thirds = [33.0, 36.0, 39.0, 42.0, 45.0, 48.0, 51.0, 54.0];
        check(&thirds, &except(&thirds, 48), 306.0, 5.672_045_256_409_432_6e-5);
    }

    #[test]
    fn where_there_is_nothing_to_compare_nothing_is_said() {
        assert_eq!(mann_whitney(&[], &[1.0]), None);
        assert_eq!(mann_whitney(&[f64::NAN], &[1.0]), None);
        assert_eq!(mann_whitney(&[1.0], &[1.0]).map(|found| found.p), Some(1.0));
    }

    #[test]
    fn the_least_p_is_that_of_samples_apart() {
        let apart: Vec<f64> = (0..12).map(f64::from).collect();
        for (n, m) in [(1, 1), (3, 3), (3, 12), (12, 3), (5, 8)] {
            let first: Vec<f64> = (0..n).map(|k| 100.0 + f64::from(k)).collect();
            let second = &apart[..m];
            let found = mann_whitney(&first, second).unwrap().p;
            assert_relative_eq!(least_p(first.len(), m), found, max_relative = 1e-12);
        }
        assert_relative_eq!(least_p(3, 12), 2.0 / 455.0, max_relative = 1e-12);
    }

    /// Those of `statsmodels.stats.multitest.multipletests(…, method="holm")`, version 0.15.
    #[test]
    fn holm_is_that_of_statsmodels() {
        for (ps, expected) in [
            (&[0.01, 0.04, 0.03, 0.005][..], &[0.03, 0.06, 0.06, 0.02][..]),
            (&[0.5, 0.02, 0.9, 0.001, 0.02], &[1.0, 0.08, 1.0, 0.005, 0.08]),
            (&[], &[]),
        ] {
            for (found, expected) in holm(ps).into_iter().zip(expected) {
                assert_relative_eq!(found, *expected, max_relative = 1e-12);
            }
        }
    }

    /// Means over all `itertools.combinations`.
    #[test]
    fn the_best_of_several_is_the_mean_over_all_choices() {
        let values = [0.5, 0.6, 0.7, 0.9, 0.8];
        for (k, expected) in [(1, 0.7), (2, 0.8), (3, 0.85), (4, 0.88), (5, 0.9)] {
            assert_relative_eq!(expected_best(&values, k).unwrap(), expected, max_relative = 1e-12);
        }
        assert_eq!((expected_best(&values, 0), expected_best(&values, 6)), (None, None));
    }
}
