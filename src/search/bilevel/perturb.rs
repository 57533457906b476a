//! Perturbed weights of options (Chen & Hsieh 2020, "Stabilizing differentiable architecture search via
//! perturbation-based regularization"): the shared weights are trained to be good not only at softmax(α) but around it.

use crate::random::Random;

/// Adds uniform noise of at most ε to each weight, clamps them to \[0, 1\] and lets them sum to what they did.
pub(super) fn uniformly(weights: &mut [f64], epsilon: f64, random: &mut Random) {
    let sum: f64 = weights.iter().sum();
    for weight in weights.iter_mut() {
        let noise = f64::from(random.range(-1.0, 1.0));
        // What has been dropped stays so.
        if *weight > 0.0 {
            *weight = (*weight + epsilon * noise).clamp(0.0, 1.0);
        }
    }
    normalise(weights, sum);
}

/// One step of projected sign ascent: up along the gradient by `step`, back into the ball of ε around `centre`.
pub(super) fn ascend(weights: &mut [f64], gradient: &[f32], centre: &[f64], step: f64, epsilon: f64) {
    for ((weight, &gradient), &centre) in weights.iter_mut().zip(gradient).zip(centre) {
        if centre > 0.0 && gradient != 0.0 {
            let moved = *weight + step * f64::from(gradient.signum());
            *weight = moved.clamp(centre - epsilon, centre + epsilon);
        }
    }
}

/// Clamps to \[0, 1\] and lets a row sum to what it did at the start.
pub(super) fn normalise(weights: &mut [f64], sum: f64) {
    weights.iter_mut().for_each(|weight| *weight = weight.clamp(0.0, 1.0));
    let now: f64 = weights.iter().sum();
    if now > 0.0 {
        weights.iter_mut().for_each(|weight| *weight *= sum / now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_stays_within_epsilon_before_normalising_and_sums_to_one() {
        let mut random = Random::new(1, 1);
        let start = [0.1, 0.6, 0.3, 0.0];
        let mut seen = [f64::INFINITY, f64::NEG_INFINITY];
        for _ in 0..500 {
            let mut weights = start;
            uniformly(&mut weights, 0.2, &mut random);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12 && weights[3] == 0.0);
            assert!(weights.iter().all(|w| (0.0..=1.0).contains(w)));
            seen = [seen[0].min(weights[1]), seen[1].max(weights[1])];
        }
        // 0.4/(0.4 + 0.3 + 0.5) and 0.8/(0.8 + 0 + 0.1) bound what the second can become.
        assert!(seen[0] > 0.33 && seen[0] < 0.45 && seen[1] < 0.89 && seen[1] > 0.7, "{seen:?}");
    }

    #[test]
    fn ascent_goes_up_and_stays_in_the_ball() {
        let centre = [0.5, 0.3, 0.2];
        let mut weights = centre;
        for _ in 0..7 {
            ascend(&mut weights, &[2.0, -1e-6, 0.0], &centre, 2.0 * 0.1 / 7.0, 0.1);
        }
        assert!((weights[0] - 0.6).abs() < 1e-12 && (weights[1] - 0.2).abs() < 1e-12 && weights[2] == 0.2);
    }
}
