//! ReinMax (Liu et al. 2023, "Bridging discrete and backpropagation: straight-through and beyond", algorithm 2): one option is
//! drawn, and its gradient estimated with the accuracy of Heun's method.

use super::row::{Row, softmax, square};
use crate::random::Random;

/// onehot(k), k drawn from p = softmax(α), with the Jacobian 2(diag q − qqᵀ) − ½(diag p − ppᵀ), where
/// q = ½(softmax(α/τ) + onehot(k)).
pub(super) fn row(alpha: &[f64], temperature: f64, random: &mut Random) -> Row {
    let Row { weights: p, .. } = softmax(alpha);
    let uniform = (f64::from(random.word() >> 8) + 0.5) / 16_777_216.0;
    let mut below = 0.0;
    let drawn = p.iter().position(|p| {
        below += p;
        uniform < below
    });
    // Rounding may leave the sum a little below one.
    let last = || p.iter().rposition(|&p| p > 0.0);
    at(alpha, temperature, drawn.or_else(last).unwrap_or(0))
}

/// The same where option `k` was drawn.
fn at(alpha: &[f64], temperature: f64, k: usize) -> Row {
    let p = softmax(alpha).weights;
    let cooler: Vec<f64> = alpha.iter().map(|a| a / temperature).collect();
    let weights: Vec<f64> = (0..p.len()).map(|i| f64::from(u8::from(i == k))).collect();
    let q: Vec<f64> = softmax(&cooler).weights.iter().zip(&weights).map(|(s, d)| 0.5 * (s + d)).collect();
    let jacobian = square(p.len(), |i, j| {
        let same = f64::from(u8::from(i == j));
        2.0 * q[i] * (same - q[j]) - 0.5 * p[i] * (same - p[j])
    });
    Row { weights, jacobian }
}

#[cfg(test)]
mod tests {
    use super::super::tests::close;
    use super::*;

    const ALPHA: [f64; 3] = [0.1, 0.5, -0.3];

    #[test]
    fn gradients_are_those_of_the_published_code() {
        let wanted = [
            (1.0, 0, [-0.447_870_831_241, 0.235_888_110_534, 0.211_982_720_708]),
            (1.0, 1, [-0.158_120_529_112, 0.052_129_168_759, 0.105_991_360_354]),
            (1.1, 0, [-0.453_757_143_091, 0.227_265_602_069, 0.226_491_541_022]),
            (1.1, 1, [-0.161_954_829_437, 0.046_377_710_871, 0.115_577_118_566]),
        ];
        for (temperature, drawn, wanted) in wanted {
            close(&at(&ALPHA, temperature, drawn).back(&[1.0, 2.0, 3.0]), &wanted, 1e-11);
        }
        close(&softmax(&ALPHA).weights, &[0.316_241_058_225, 0.471_776_221_068, 0.211_982_720_708], 1e-11);
    }

    /// f(D) = DᵀAD + bᵀD, of which ReinMax' gradient is exact in expectation, and the straight-through estimator's is not.
    #[test]
    fn it_is_unbiased_for_quadratic_losses_as_straight_through_is_not() {
        const A: [[f64; 3]; 3] = [[0.7, -1.1, 0.2], [0.4, 1.3, -0.6], [-0.9, 0.5, 2.0]];
        const B: [f64; 3] = [0.3, -0.8, 1.7];
        let f = |k: usize| A[k][k] + B[k];
        let slope = |k: usize| (0..3).map(|i| A[i][k] + A[k][i] + B[i]).collect::<Vec<f64>>();
        let Row { weights: p, jacobian } = softmax(&ALPHA);
        let exact: Vec<f64> = (0..3).map(|j| (0..3).map(|k| f(k) * jacobian[k * 3 + j]).sum()).collect();
        let expected = |row: &dyn Fn(usize) -> Row| -> Vec<f64> {
            let each: Vec<Vec<f64>> = (0..3).map(|k| row(k).back(&slope(k))).collect();
            (0..3).map(|j| (0..3).map(|k| p[k] * each[k][j]).sum()).collect()
        };
        close(&expected(&|k| at(&ALPHA, 1.0, k)), &exact, 1e-12);
        let through = expected(&|_| softmax(&ALPHA));
        assert!(through.iter().zip(&exact).any(|(a, b)| (a - b).abs() > 0.05), "{through:?} {exact:?}");
    }

    #[test]
    fn options_are_drawn_as_often_as_the_softmax_says() {
        let mut random = Random::new(4, 2);
        let mut drawn = [0.0; 4];
        for _ in 0..20_000 {
            let row = row(&[0.1, 0.5, -1e4, -0.3], 1.3, &mut random);
            drawn.iter_mut().zip(row.weights).for_each(|(t, w)| *t += w / 20_000.0);
        }
        let p = softmax(&ALPHA).weights;
        close(&drawn, &[p[0], p[1], 0.0, p[2]], 0.015);
    }
}
