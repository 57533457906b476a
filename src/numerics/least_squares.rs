//! Nonlinear least squares by Levenberg and Marquardt's method (Marquardt, "An algorithm for least-squares estimation
//! of nonlinear parameters", 1963), for a handful of parameters.

use super::cholesky::Cholesky;

/// Steps at most, refused ones among them.
const STEPS: usize = 200;
/// The share of the sum of squares by which an accepted step must lessen it, or it is the last.
const SETTLED: f64 = 1e-13;
/// The damping of the first step, and that at which no step helps any more.
const DAMPING: (f64, f64) = (1e-3, 1e12);

/// Parameters and how well they fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// As many as the start had.
    pub parameters: Vec<f64>,
    /// The sum of the squares of what is left.
    pub squares: f64,
}

/// The parameters near `start` with the least sum of squares of `residuals`, a function of the parameters that always
/// gives as many values. Where these are not finite, parameters are out of bounds, and a step there is refused. None if
/// the start is.
pub fn least_squares(start: &[f64], residuals: impl Fn(&[f64]) -> Vec<f64>) -> Option<Fit> {
    let squares = |residuals: &[f64]| residuals.iter().map(|residual| residual * residual).sum::<f64>();
    let mut left = residuals(start);
    let mut fit = Fit { parameters: start.to_vec(), squares: squares(&left) };
    if !fit.squares.is_finite() {
        return None;
    }
    let mut damping = DAMPING.0;
    let mut slopes = jacobian(&fit.parameters, &residuals);
    for _ in 0..STEPS {
        let step = damped_step(&slopes, &left, damping);
        let parameters: Option<Vec<f64>> =
            step.map(|step| fit.parameters.iter().zip(step).map(|(parameter, step)| parameter - step).collect());
        let tried = parameters.map(|parameters| (residuals(&parameters), parameters));
        match tried {
            Some((next, parameters)) if squares(&next) < fit.squares => {
                let before = std::mem::replace(&mut fit, Fit { squares: squares(&next), parameters }).squares;
                left = next;
                if before - fit.squares <= SETTLED * before {
                    break;
                }
                damping = (damping / 10.0).max(1e-15);
                slopes = jacobian(&fit.parameters, &residuals);
            }
            _ if damping < DAMPING.1 => damping *= 10.0,
            _ => break,
        }
    }
    Some(fit)
}

/// The derivatives of all residuals by each parameter, by central differences.
fn jacobian(parameters: &[f64], residuals: &impl Fn(&[f64]) -> Vec<f64>) -> Vec<Vec<f64>> {
    // The cube root of the rounding error balances it with the error of the differences.
    let share = f64::EPSILON.cbrt();
    let column = |k: usize| {
        let step = share * parameters[k].abs().max(share);
        let [mut above, mut below] = [parameters.to_vec(), parameters.to_vec()];
        above[k] += step;
        below[k] -= step;
        let width = above[k] - below[k];
        residuals(&above).iter().zip(residuals(&below)).map(|(above, below)| (above - below) / width).collect()
    };
    (0..parameters.len()).map(column).collect()
}

/// (JᵀJ + λ·diag JᵀJ)⁻¹·Jᵀr, which is taken off the parameters; none where that is no number.
fn damped_step(slopes: &[Vec<f64>], left: &[f64], damping: f64) -> Option<Vec<f64>> {
    let n = slopes.len();
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut normal: Vec<f64> = (0..n * n).map(|k| product(&slopes[k / n], &slopes[k % n])).collect();
    let most = normal.iter().step_by(n + 1).copied().fold(0.0, f64::max);
    // A parameter without effect has no scale of its own.
    normal.iter_mut().step_by(n + 1).for_each(|entry| *entry += damping * entry.max(1e-12 * most));
    let gradient: Vec<f64> = slopes.iter().map(|slope| product(slope, left)).collect();
    Some(Cholesky::of(normal, n)?.solve(&gradient))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// The certified values of the problems Misra1a and BoxBOD of NIST's Statistical Reference Datasets, from both
    /// starts of the former and the nearer one of the latter.
    #[test]
    fn nist_problems_have_their_certified_answers() {
        let misra_x = [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0];
        let misra_y =
            [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78];
        let box_x = [1.0, 2.0, 3.0, 5.0, 7.0, 10.0];
        let box_y = [109.0, 149.0, 149.0, 191.0, 213.0, 224.0];
        for (x, y, start, answer, squares) in [
            (&misra_x[..], &misra_y[..], [500.0, 1e-4], [238.942_129_18, 5.501_564_318_1e-4], 0.124_551_388_94),
            (&misra_x, &misra_y, [250.0, 5e-4], [238.942_129_18, 5.501_564_318_1e-4], 0.124_551_388_94),
            (&box_x, &box_y, [100.0, 0.75], [213.809_408_89, 0.547_237_485_42], 1_168.008_876_6),
        ] {
            let fit =
                least_squares(&start, |b| x.iter().zip(y).map(|(x, y)| b[0] * (1.0 - (-b[1] * x).exp()) - y).collect())
                    .unwrap();
            assert_relative_eq!(fit.parameters[0], answer[0], max_relative = 1e-6);
            assert_relative_eq!(fit.parameters[1], answer[1], max_relative = 1e-6);
            assert_relative_eq!(fit.squares, squares, max_relative = 1e-8);
        }
    }

    #[test]
    fn steps_out_of_bounds_are_refused() {
        // √p = 2 from a start whose undamped step would be to a negative p.
        let fit = least_squares(&[1e-6], |p| vec![p[0].sqrt() - 2.0]).unwrap();
        assert_relative_eq!(fit.parameters[0], 4.0, max_relative = 1e-6);
        assert_eq!(least_squares(&[-1.0], |p| vec![p[0].sqrt()]), None);
    }

    #[test]
    fn a_parameter_without_effect_stays() {
        let fit = least_squares(&[5.0, 7.0], |p| vec![p[0] - 1.0, 2.0 * p[0] - 2.0]).unwrap();
        assert_relative_eq!(fit.parameters[0], 1.0, max_relative = 1e-9);
        assert_eq!(fit.parameters[1], 7.0);
        let done = least_squares(&[], |_| vec![3.0]).unwrap();
        assert_eq!((done.parameters, done.squares), (vec![], 9.0));
    }
}
