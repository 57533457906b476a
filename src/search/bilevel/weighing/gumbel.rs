//! The Gumbel-softmax (Jang et al. 2017; Maddison et al. 2017).

use super::row::{Row, softmax};
use crate::random::Random;

/// −ln(−ln U) for each of so many options. U is never 0 or 1, so that all of them are finite.
pub(super) fn noise(options: usize, random: &mut Random) -> Vec<f64> {
    let uniform = |random: &mut Random| (f64::from(random.word() >> 8) + 0.5) / 16_777_216.0;
    (0..options).map(|_| -(-uniform(random).ln()).ln()).collect()
}

/// p = softmax((α + G)/τ), as it is: ∂pᵢ/∂αⱼ = pᵢ(δᵢⱼ − pⱼ)/τ. (That GDAS takes the logarithm of softmax(α) first
/// moves all of a row alike, which the softmax does not see.)
pub(super) fn soft(alpha: &[f64], noise: &[f64], temperature: f64) -> Row {
    let scaled: Vec<f64> = alpha.iter().zip(noise).map(|(a, g)| (a + g) / temperature).collect();
    let Row { weights, mut jacobian } = softmax(&scaled);
    jacobian.iter_mut().for_each(|entry| *entry /= temperature);
    Row { weights, jacobian }
}

/// onehot(argmax p) with the Jacobian of p: the straight-through estimator.
pub(super) fn path(alpha: &[f64], noise: &[f64], temperature: f64) -> Row {
    let Row { weights: p, jacobian } = soft(alpha, noise, temperature);
    let taken = (0..p.len()).fold(0, |best, k| if p[k] > p[best] { k } else { best });
    Row { weights: (0..p.len()).map(|k| f64::from(u8::from(k == taken))).collect(), jacobian }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, differences};
    use super::*;

    const ALPHA: [f64; 3] = [0.4, -0.3, 1.1];
    const NOISE: [f64; 3] = [0.9, 0.1, -0.6];

    #[test]
    fn the_jacobian_is_that_of_the_soft_weights_for_both() {
        for temperature in [10.0, 1.0, 0.1] {
            let wanted = differences(&ALPHA, |a| soft(a, &NOISE, temperature).weights);
            close(&soft(&ALPHA, &NOISE, temperature).jacobian, &wanted, 1e-7);
            close(&path(&ALPHA, &NOISE, temperature).jacobian, &wanted, 1e-7);
        }
    }

    #[test]
    fn the_path_takes_the_heaviest_option_whole() {
        assert_eq!(path(&ALPHA, &NOISE, 1.0).weights, [1.0, 0.0, 0.0]);
        assert_eq!(path(&ALPHA, &[0.0; 3], 1.0).weights, [0.0, 0.0, 1.0]);
    }

    #[test]
    fn paths_are_taken_as_often_as_the_softmax_says() {
        let mut random = Random::new(1, 2);
        let mut taken = [0.0; 3];
        for _ in 0..20_000 {
            let row = path(&ALPHA, &noise(3, &mut random), 0.1);
            taken.iter_mut().zip(row.weights).for_each(|(t, w)| *t += w / 20_000.0);
        }
        close(&taken, &softmax(&ALPHA).weights, 0.015);
    }
}
