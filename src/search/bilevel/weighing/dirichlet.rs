//! Samples of a Dirichlet distribution and their derivatives.
//!
//! w = g / Σ g with independent gᵢ ~ Gamma(βᵢ), β = elu(α) + 1. How a sample moves with its parameter follows from the
//! distribution function F alone: F(g; β) stays as it is, so ∂g/∂β = −(∂F/∂β)/(∂F/∂g) (implicit reparameterisation;
//! Figurnov, Mohamed & Mnih, NeurIPS 2018).

use super::row::{Row, square};
use crate::random::Random;
use statrs::function::gamma::{gamma_lr, ln_gamma};

/// Below this a concentration counts as 0: its option has no weight.
const NOTHING: f64 = 1e-12;
/// Smallest sample, to stay away from 0/0.
const LEAST: f64 = 1e-30;

pub(super) fn row(alpha: &[f64], random: &mut Random) -> Row {
    let beta: Vec<f64> = alpha.iter().map(|&a| concentration(a)).collect();
    let samples: Vec<f64> = beta.iter().map(|&b| if b < NOTHING { 0.0 } else { gamma(b, random) }).collect();
    of(alpha, &beta, &samples)
}

/// elu(α) + 1.
fn concentration(alpha: f64) -> f64 {
    if alpha > 0.0 { alpha + 1.0 } else { alpha.exp() }
}

fn of(alpha: &[f64], beta: &[f64], samples: &[f64]) -> Row {
    let sum: f64 = samples.iter().sum::<f64>().max(LEAST);
    let weights: Vec<f64> = samples.iter().map(|g| g / sum).collect();
    // ∂gⱼ/∂αⱼ; the derivative of elu(α) + 1 is 1 above 0 and exp α below.
    let moves: Vec<f64> = (0..alpha.len())
        .map(|j| if samples[j] == 0.0 { 0.0 } else { derivative(samples[j], beta[j]) * beta[j].min(1.0) })
        .collect();
    let jacobian = square(alpha.len(), |i, j| (f64::from(u8::from(i == j)) - weights[i]) / sum * moves[j]);
    Row { weights, jacobian }
}

/// A sample of Gamma(β) by rejection (Marsaglia & Tsang 2000).
fn gamma(beta: f64, random: &mut Random) -> f64 {
    // Uniform in (0, 1), of 53 bits: 24 are too few for the tail of a small β.
    let uniform = |random: &mut Random| {
        let bits = (u64::from(random.word()) << 21) ^ u64::from(random.word() >> 11);
        (bits as f64 + 0.5) / (1u64 << 53) as f64
    };
    if beta < 1.0 {
        // Gamma(β) = Gamma(β + 1) · U^(1/β).
        let power = uniform(random).powf(1.0 / beta);
        return (gamma(beta + 1.0, random) * power).max(LEAST);
    }
    let d = beta - 1.0 / 3.0;
    loop {
        let radius = (-2.0 * uniform(random).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * uniform(random)).cos();
        let v = (1.0 + normal / (9.0 * d).sqrt()).powi(3);
        if v > 0.0 && uniform(random).ln() < normal * normal / 2.0 + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// ∂g/∂β of a sample g of Gamma(β).
fn derivative(g: f64, beta: f64) -> f64 {
    let density = ((beta - 1.0) * g.ln() - g - ln_gamma(beta)).exp();
    // Far below all of the distribution F is g^β / (β Γ(β)), of which the ratio is known; differences of F are 0 there.
    if g < 1e-6 {
        // −∂F/∂β / f = −g (ln g − 1/β − ψ(β)) / β, ψ by differences of ln Γ.
        let step = 1e-5 * beta;
        let digamma = (ln_gamma(beta + step) - ln_gamma(beta - step)) / (2.0 * step);
        return -g * (g.ln() - 1.0 / beta - digamma) / beta;
    }
    let step = 1e-4 * beta;
    let difference = (gamma_lr(beta + step, g) - gamma_lr(beta - step, g)) / (2.0 * step);
    -difference / density.max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, differences};
    use super::*;

    /// The g at which the distribution function of Gamma(β) reaches `share`, by bisection.
    fn quantile(share: f64, beta: f64) -> f64 {
        let (mut low, mut high) = (0.0, 200.0);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if gamma_lr(beta, middle) < share { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    }

    #[test]
    fn a_sample_keeps_its_share_when_the_concentration_moves() {
        let alpha = [0.6, -0.7, 0.01, 2.0];
        for shares in [[0.2, 0.5, 0.7, 0.4], [0.9, 0.05, 0.3, 0.99]] {
            let samples = |alpha: &[f64]| -> Vec<f64> {
                alpha.iter().zip(shares).map(|(&a, share)| quantile(share, concentration(a))).collect()
            };
            let weights = |alpha: &[f64]| {
                let samples = samples(alpha);
                let sum: f64 = samples.iter().sum();
                samples.iter().map(|g| g / sum).collect::<Vec<f64>>()
            };
            let beta: Vec<f64> = alpha.iter().map(|&a| concentration(a)).collect();
            close(&of(&alpha, &beta, &samples(&alpha)).jacobian, &differences(&alpha, weights), 1e-5);
        }
    }

    #[test]
    fn tiny_samples_have_the_derivative_of_the_limit() {
        for beta in [0.05, 0.3, 0.9] {
            let (just_below, just_above) = (derivative(0.999e-6, beta), derivative(1.001e-6, beta));
            assert!((just_below / just_above - 1.0).abs() < 0.01, "{beta}: {just_below} {just_above}");
        }
    }

    #[test]
    fn samples_have_mean_and_variance_of_their_distribution() {
        let mut random = Random::new(5, 0);
        for beta in [0.2, 1.0, 3.5] {
            let samples: Vec<f64> = (0..40_000).map(|_| gamma(beta, &mut random)).collect();
            let mean = samples.iter().sum::<f64>() / 40_000.0;
            let variance = samples.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / 40_000.0;
            close(&[mean, variance], &[beta, beta], 0.05);
        }
        let row = row(&[0.3, -0.2, 1.0], &mut random);
        assert!((row.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
