//! Cholesky's factors of a symmetric positive definite matrix.

/// The lower triangular L with L·Lᵀ = A, for n×n matrices A of up to a few hundred rows.
#[derive(Clone, Debug)]
pub struct Cholesky {
    n: usize,
    /// n×n, row-major; what lies above the diagonal is never read.
    lower: Vec<f64>,
}

impl Cholesky {
    /// Factors `matrix`, n×n in row-major order, of which only the diagonal and what lies below it are read. None if
    /// the matrix has another size, is not positive definite to working precision, or holds a number that is not
    /// finite.
    pub fn of(mut matrix: Vec<f64>, n: usize) -> Option<Self> {
        if n.checked_mul(n) != Some(matrix.len()) {
            return None;
        }
        for i in 0..n {
            let (above, from_row) = matrix.split_at_mut(i * n);
            let row = &mut from_row[..=i];
            for j in 0..i {
                let other = &above[j * n..=j * n + j];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            let pivot = row[i] - dot(&row[..i], &row[..i]);
            // A pivot that is not a number is refused too.
            if !(pivot > 0.0 && pivot.is_finite()) {
                return None;
            }
            row[i] = pivot.sqrt();
        }
        Some(Self { n, lower: matrix })
    }

    /// Rows of the matrix.
    pub fn size(&self) -> usize {
        self.n
    }

    /// The x with A·x = `b`, both of n entries. If `b` has another length, x is not a number.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = self.solve_lower(b);
        // Lᵀ·x = y from the last unknown to the first. A column of Lᵀ is a row of L, so memory is read in order.
        for i in (0..self.n).rev() {
            let row = self.row(i);
            let value = x[i] / row[i];
            x[i] = value;
            x[..i].iter_mut().zip(row).for_each(|(x, l)| *x -= l * value);
        }
        x
    }

    /// The y with L·y = `b`, both of n entries: yᵀ·y is then bᵀ·A⁻¹·b. If `b` has another length, y is not a number.
    pub fn solve_lower(&self, b: &[f64]) -> Vec<f64> {
        if b.len() != self.n {
            return vec![f64::NAN; self.n];
        }
        let mut y = b.to_vec();
        for i in 0..self.n {
            let row = self.row(i);
            y[i] = (y[i] - dot(&row[..i], &y[..i])) / row[i];
        }
        y
    }

    /// ln det A.
    pub fn log_determinant(&self) -> f64 {
        (0..self.n).map(|i| 2.0 * self.row(i)[i].ln()).sum()
    }

    /// Row i of L up to its diagonal.
    fn row(&self, i: usize) -> &[f64] {
        &self.lower[i * self.n..=i * self.n + i]
    }
}

/// A scalar product in four partial sums, which the processor can add side by side.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut sums = [0.0; 4];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    /// NumPy 2.4.6, `linalg.solve`, `linalg.slogdet` and `linalg.cholesky` of the matrix 1/(i+j+1) + [i=j]/10.
    #[test]
    fn a_shifted_hilbert_matrix_is_solved_as_in_numpy() {
        let n = 5;
        let matrix: Vec<f64> =
            (0..n * n).map(|k| 1.0 / (k / n + k % n + 1) as f64 + if k / n == k % n { 0.1 } else { 0.0 }).collect();
        let factor = Cholesky::of(matrix, n).unwrap();
        let b = [1.0, -2.0, 3.0, -4.0, 5.0];
        for (found, expected) in factor.solve(&b).into_iter().zip([
            5.036_850_200_916_016,
            -22.455_462_231_099_006,
            26.314_185_122_685_77,
            -44.467_384_916_951_43,
            45.163_235_414_422_43,
        ]) {
            assert_relative_eq!(found, expected, max_relative = 1e-11);
        }
        for (found, expected) in factor.solve_lower(&b).into_iter().zip([
            0.953_462_589_245_592_2,
            -5.407_214_432_074_846,
            9.929_207_450_259_637,
            -12.208_675_737_042_165,
            15.962_082_072_994_939,
        ]) {
            assert_relative_eq!(found, expected, max_relative = 1e-11);
        }
        assert_relative_eq!(factor.log_determinant(), -7.461_510_210_570_812, max_relative = 1e-12);
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        for (matrix, n) in [
            (vec![1.0, 2.0, 2.0, 1.0], 2),
            (vec![0.0], 1),
            (vec![-1.0], 1),
            (vec![f64::NAN], 1),
            (vec![f64::INFINITY], 1),
            (vec![1.0, 0.0, f64::NAN, 1.0], 2),
            (vec![1.0; 4], 2),
            (vec![1.0; 3], 2),
            (vec![], usize::MAX),
        ] {
            assert!(Cholesky::of(matrix.clone(), n).is_none(), "{matrix:?}");
        }
    }

    #[test]
    fn another_length_gives_no_numbers_and_an_empty_matrix_is_one() {
        let factor = Cholesky::of(vec![4.0], 1).unwrap();
        assert!(factor.solve(&[1.0, 2.0])[0].is_nan() && factor.solve(&[])[0].is_nan());
        assert_eq!((factor.solve(&[1.0]), factor.solve_lower(&[1.0])), (vec![0.25], vec![0.5]));
        let empty = Cholesky::of(vec![], 0).unwrap();
        assert_eq!((empty.solve(&[]), empty.log_determinant(), empty.size()), (vec![], 0.0, 0));
    }

    proptest! {
        /// B·Bᵀ + I times what was solved for is the right-hand side again.
        #[test]
        fn a_solution_solves(
            n in 1usize..12,
            entries in prop::collection::vec(-1.0..1.0f64, 144),
            b in prop::collection::vec(-5.0..5.0f64, 12),
        ) {
            let entry = |i: usize, j: usize| -> f64 {
                let shift = if i == j { 1.0 } else { 0.0 };
                (0..n).map(|k| entries[i * 12 + k] * entries[j * 12 + k]).sum::<f64>() + shift
            };
            let factor = Cholesky::of((0..n * n).map(|k| entry(k / n, k % n)).collect(), n).unwrap();
            let (x, half) = (factor.solve(&b[..n]), factor.solve_lower(&b[..n]));
            for (i, &wanted) in b[..n].iter().enumerate() {
                let found: f64 = x.iter().enumerate().map(|(j, x)| entry(i, j) * x).sum();
                prop_assert!((found - wanted).abs() < 1e-9, "{} {}", found, wanted);
            }
            let (form, square): (f64, f64) =
                (x.iter().zip(&b).map(|(x, b)| x * b).sum(), half.iter().map(|y| y * y).sum());
            prop_assert!((form - square).abs() < 1e-9 * (1.0 + square), "{} {}", form, square);
        }
    }
}
