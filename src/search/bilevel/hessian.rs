//! The largest eigenvalue of a symmetric operator that is known by its products with vectors only.

use super::SearchError;
use crate::random::Random;

/// Products until the estimate is taken; RobustDARTS' curves need two digits.
const PRODUCTS: usize = 30;
/// Relative change below which the estimate has settled.
const SETTLED: f64 = 1e-4;

/// The largest (algebraic) eigenvalue of an operator on `count` values, by power iteration. That converges to the
/// eigenvalue of largest magnitude, so a second one runs on the operator shifted by that magnitude, which leaves no
/// negative eigenvalues.
pub(super) async fn largest_eigenvalue(
    count: usize,
    random: &mut Random,
    mut product: impl AsyncFnMut(&[f64]) -> Result<Vec<f64>, SearchError>,
) -> Result<f64, SearchError> {
    if count == 0 {
        return Ok(0.0);
    }
    let start: Vec<f64> = (0..count).map(|_| f64::from(random.normal())).collect();
    let dominant = power(start.clone(), 0.0, &mut product).await?;
    if dominant >= 0.0 {
        return Ok(dominant);
    }
    power(start, -dominant, &mut product).await
}

/// The eigenvalue of largest magnitude of the operator plus `shift`, less the shift.
async fn power(
    mut v: Vec<f64>,
    shift: f64,
    product: &mut impl AsyncFnMut(&[f64]) -> Result<Vec<f64>, SearchError>,
) -> Result<f64, SearchError> {
    normalise(&mut v);
    let mut estimate = 0.0;
    for _ in 0..PRODUCTS {
        let mut next = product(&v).await?;
        next.iter_mut().zip(&v).for_each(|(next, v)| *next += shift * v);
        // The Rayleigh quotient of a unit vector.
        let quotient: f64 = v.iter().zip(&next).map(|(a, b)| a * b).sum();
        let settled = (quotient - estimate).abs() <= SETTLED * quotient.abs();
        estimate = quotient;
        v = next;
        if settled || normalise(&mut v) == 0.0 {
            break;
        }
    }
    Ok(estimate - shift)
}

fn normalise(v: &mut [f64]) -> f64 {
    let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    if norm > 0.0 {
        v.iter_mut().for_each(|x| *x /= norm);
    }
    norm
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Q diag(values) Qᵀ with a rotation Q in every plane of neighbours.
    fn matrix(values: &[f64]) -> Vec<Vec<f64>> {
        let n = values.len();
        let mut m: Vec<Vec<f64>> =
            (0..n).map(|i| (0..n).map(|j| if i == j { values[i] } else { 0.0 }).collect()).collect();
        for plane in 0..n - 1 {
            let (s, c) = (0.7 + plane as f64).sin_cos();
            for row in &mut m {
                (row[plane], row[plane + 1]) =
                    (c * row[plane] - s * row[plane + 1], s * row[plane] + c * row[plane + 1]);
            }
            let (upper, lower) = m.split_at_mut(plane + 1);
            for (a, b) in upper[plane].iter_mut().zip(&mut lower[0]) {
                (*a, *b) = (c * *a - s * *b, s * *a + c * *b);
            }
        }
        m
    }

    #[test]
    fn the_largest_eigenvalue_is_found_even_behind_a_more_negative_one() {
        for (values, wanted) in [
            (&[3.0, 1.0, 0.5, -0.2][..], 3.0),
            (&[-5.0, 2.0, 0.1, 0.0][..], 2.0),
            (&[-3.0, -1.0, -2.0][..], -1.0),
            (&[0.0, 0.0][..], 0.0),
        ] {
            let m = matrix(values);
            let product =
                async |v: &[f64]| Ok(m.iter().map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum()).collect());
            let found = pollster::block_on(largest_eigenvalue(values.len(), &mut Random::new(1, 0), product)).unwrap();
            assert!((found - wanted).abs() < 0.02 * (1.0 + wanted.abs()), "{values:?}: {found}");
        }
    }
}
