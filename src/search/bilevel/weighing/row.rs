//! The weights of one row of options, and the rules without noise.

/// The weights of one row, and how they change with α.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// One for each option.
    pub weights: Vec<f64>,
    /// ∂weight\[i\]/∂α\[j\] at i · options + j.
    pub jacobian: Vec<f64>,
}

impl Row {
    /// Weights that α is itself.
    pub(in crate::search::bilevel) fn direct(weights: Vec<f64>) -> Self {
        let jacobian = square(weights.len(), |i, j| f64::from(u8::from(i == j)));
        Self { weights, jacobian }
    }

    /// What the gradient of the weights is for α.
    pub(in crate::search::bilevel) fn back(&self, gradient: &[f64]) -> Vec<f64> {
        let options = self.weights.len();
        let column = |j: usize| (0..options).map(|i| gradient[i] * self.jacobian[i * options + j]).sum();
        (0..options).map(column).collect()
    }
}

/// wᵢ = exp αᵢ / Σ exp αⱼ; ∂wᵢ/∂αⱼ = wᵢ(δᵢⱼ − wⱼ).
pub(super) fn softmax(alpha: &[f64]) -> Row {
    let largest = alpha.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = alpha.iter().map(|a| (a - largest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    let weights: Vec<f64> = exponentials.iter().map(|e| e / sum).collect();
    let jacobian = square(alpha.len(), |i, j| weights[i] * (f64::from(u8::from(i == j)) - weights[j]));
    Row { weights, jacobian }
}

/// wᵢ = 1 / (1 + exp −αᵢ); ∂wᵢ/∂αᵢ = wᵢ(1 − wᵢ).
pub(super) fn sigmoid(alpha: &[f64]) -> Row {
    let weights: Vec<f64> = alpha.iter().map(|a| 1.0 / (1.0 + (-a).exp())).collect();
    let jacobian = square(alpha.len(), |i, j| if i == j { weights[i] * (1.0 - weights[i]) } else { 0.0 });
    Row { weights, jacobian }
}

/// wᵢ = αᵢ.
pub(super) fn direct(alpha: &[f64]) -> Row {
    Row::direct(alpha.to_vec())
}

pub(super) fn square(size: usize, entry: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    (0..size * size).map(|at| entry(at / size, at % size)).collect()
}
