//! Where an architecture stands among all of a benchmark, and what random search comes to there at the same cost.
//!
//! Random search trains architectures that are drawn each by itself for [`EPOCHS`] epochs each, takes the best on validation images,
//! and is judged by the accuracy of that one on test images after the whole training. With the table of all architectures its
//! expectation is a sum, not a sample.

use super::config::BenchmarkConfig;
use super::summary::{RandomInTime, RandomSearch, Standing};
use crate::estimate::measured::ACCURACY;
use crate::estimate::{EstimateError, Lookup, TEST_ACCURACY};
use crate::space::Architecture;
use crate::space::nas_bench_201::{NAME, NasBench201};

/// Epochs after which the benchmark measures on validation images.
const EPOCHS: f64 = 12.0;

/// What a search cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spent {
    /// Epochs of training.
    pub epochs: u64,
    /// Seconds.
    pub seconds: f64,
    /// Seconds that an epoch of training one network takes.
    pub epoch_seconds: f64,
}

/// Where an architecture stands that a search found at such a cost.
///
/// # Errors
/// An architecture of another space, a table without accuracies.
pub(super) fn standing(
    lookup: &Lookup,
    config: &BenchmarkConfig,
    architecture: &Architecture,
    Spent { epochs, seconds, epoch_seconds }: Spent,
) -> Result<Standing, EstimateError> {
    let index = NasBench201.index_of(architecture)?;
    let missing = || EstimateError::Settings("the table has no accuracies of this dataset".into());
    let (valid, test) = lookup.all(ACCURACY).zip(lookup.all(TEST_ACCURACY)).ok_or_else(missing)?;
    let (own, own_valid) = test.get(index).zip(valid.get(index)).ok_or_else(missing)?;
    let whole = |number: f64| number.round().max(1.0) as u64;
    let in_epochs = whole(epochs as f64 / EPOCHS);
    let in_time = seconds / (EPOCHS * epoch_seconds);
    Ok(Standing {
        name: NAME.to_owned(),
        dataset: config.dataset.clone(),
        index,
        valid_accuracy: *own_valid,
        test_accuracy: *own,
        rank: 1 + test.iter().filter(|other| *other > own).count(),
        of: test.len(),
        optimum: test.iter().copied().fold(0.0, f64::max),
        random_search: RandomSearch {
            epochs,
            architectures: in_epochs,
            test_accuracy: expected(&valid, &test, in_epochs),
        },
        random_search_seconds: RandomInTime {
            architectures: in_time,
            test_accuracy: expected(&valid, &test, whole(in_time)),
        },
    })
}

/// What `test` is expected to be of the one of `draws` with the greatest value of `valid`, drawn each by itself, all alike. Of equal
/// ones the first drawn is taken, which may be any of them.
fn expected(valid: &[f64], test: &[f64], draws: u64) -> f64 {
    let mut order: Vec<usize> = (0..valid.len()).collect();
    order.sort_by(|&a, &b| valid[a].total_cmp(&valid[b]));
    let share = |count: usize| (count as f64 / order.len() as f64).powf(draws as f64);
    let (mut below, mut sum) = (0, 0.0);
    // The greatest is one of these equal ones if all draws are among them and those below, and not all among those below.
    for equal in order.chunk_by(|&a, &b| valid[a] == valid[b]) {
        let mean = equal.iter().map(|&at| test[at]).sum::<f64>() / equal.len() as f64;
        sum += (share(below + equal.len()) - share(below)) * mean;
        below += equal.len();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// All sequences of draws one by one; of equal ones the first drawn.
    fn by_counting(valid: &[f64], test: &[f64], draws: u32) -> f64 {
        let all = valid.len().pow(draws);
        let one = |mut number: usize| {
            let mut best: Option<usize> = None;
            for _ in 0..draws {
                let drawn = number % valid.len();
                number /= valid.len();
                if best.is_none_or(|best| valid[drawn] > valid[best]) {
                    best = Some(drawn);
                }
            }
            best.map_or(0.0, |best| test[best])
        };
        (0..all).map(one).sum::<f64>() / all as f64
    }

    #[test]
    fn the_expectation_is_that_of_all_sequences_of_draws() {
        // Two pairs of equal ones, and a best on validation images that is none on test images.
        let valid = [0.5, 0.7, 0.7, 0.9, 0.2, 0.2];
        let test = [0.6, 0.8, 0.5, 0.7, 0.1, 0.3];
        for draws in 1..=5 {
            let counted = by_counting(&valid, &test, draws);
            assert_relative_eq!(expected(&valid, &test, draws.into()), counted, max_relative = 1e-12);
        }
        assert_relative_eq!(expected(&valid, &test, 1), 0.5, max_relative = 1e-12);
        assert_relative_eq!(expected(&valid, &test, 1_000_000), 0.7, max_relative = 1e-12);
    }
}
