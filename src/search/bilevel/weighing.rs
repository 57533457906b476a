//! How architecture weights α become the weights of a choice point's options, for one row of a table.
//!
//! All that differs between the methods in this respect is here, on the host and in float64: a row has a handful of
//! options. What a rule gives travels to the device as it is, beside its Jacobian, which turns the gradient of the
//! weights into that of α. (The plain softmax of DARTS is on the tape instead: it needs nothing from the host.)

mod dirichlet;
mod gumbel;
mod rein_max;
mod row;

pub use row::Row;

use crate::optim::Schedule;
use crate::random::Random;
use row::{direct, sigmoid, softmax};
use serde::{Deserialize, Serialize};

/// How α becomes weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Weighing {
    /// softmax(α): DARTS (Liu et al. 2019, equation 2).
    #[default]
    Softmax,
    /// σ(α), each option by itself: FairDARTS (Chu et al. 2020, equation 2).
    Sigmoid,
    /// softmax((α + Gumbel noise) / τ): SNAS (Xie et al. 2019, equation 4).
    Gumbel {
        /// τ by epoch.
        temperature: Schedule,
    },
    /// Its largest entry alone, with the gradient of the whole: GDAS (Dong & Yang 2019, equations 3 and 4). Only that
    /// option is computed.
    GumbelPath {
        /// τ by epoch.
        temperature: Schedule,
        /// Whether the weights of the other options, which are 0, enter the sum for their gradient, as the method's code
        /// does it on NAS-Bench-201.
        others: bool,
    },
    /// A sample of Dirichlet(elu(α) + 1): DrNAS (Chen et al. 2021, equations 3 and 4).
    Dirichlet,
    /// One option drawn from softmax(α), with ReinMax' estimate of the gradient (Liu et al. 2023, algorithm 2). All options are
    /// computed: the estimate needs the gradient of each one's weight.
    ReinMax {
        /// τ of the softmax in the estimate, 1 at least.
        temperature: f64,
    },
    /// α itself, rows that sum to one: GAEA (Li et al. 2021), where [`Update::Exponentiated`](super::Update) keeps them so.
    Direct,
}

impl Weighing {
    /// Whether only the heaviest option of each choice point is computed.
    pub fn is_path(&self) -> bool {
        matches!(self, Self::GumbelPath { .. })
    }

    /// See [`Weighing::GumbelPath`].
    pub(super) fn adds_others(&self) -> bool {
        matches!(self, Self::GumbelPath { others: true, .. })
    }

    /// The weights of a row in epoch `epoch` of `epochs`.
    pub fn row(&self, alpha: &[f64], epoch: u32, epochs: u32, random: &mut Random) -> Row {
        match self {
            Self::Softmax => softmax(alpha),
            Self::Sigmoid => sigmoid(alpha),
            Self::Gumbel { temperature } => {
                gumbel::soft(alpha, &gumbel::noise(alpha.len(), random), temperature.rate(epoch, epochs).into())
            }
            Self::GumbelPath { temperature, .. } => {
                gumbel::path(alpha, &gumbel::noise(alpha.len(), random), temperature.rate(epoch, epochs).into())
            }
            Self::Dirichlet => dirichlet::row(alpha, random),
            Self::ReinMax { temperature } => rein_max::row(alpha, *temperature, random),
            Self::Direct => direct(alpha),
        }
    }

    /// What a row is taken for when an architecture is derived: no noise.
    pub fn settled(&self, alpha: &[f64]) -> Vec<f64> {
        match self {
            Self::Sigmoid => sigmoid(alpha).weights,
            Self::Direct => alpha.to_vec(),
            _ => softmax(alpha).weights,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::row::square;
    use super::*;

    /// Central differences of `weights` in float64.
    pub(super) fn differences(alpha: &[f64], weights: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
        let step = 1e-6;
        let moved = |j: usize, by: f64| {
            let mut alpha = alpha.to_vec();
            alpha[j] += by;
            weights(&alpha)
        };
        let columns: Vec<Vec<f64>> = (0..alpha.len())
            .map(|j| moved(j, step).iter().zip(moved(j, -step)).map(|(a, b)| (a - b) / (2.0 * step)).collect())
            .collect();
        square(alpha.len(), |i, j| columns[j][i])
    }

    pub(super) fn close(a: &[f64], b: &[f64], tolerance: f64) {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{a} {b}");
        }
    }

    const ALPHA: [f64; 4] = [0.3, -1.2, 0.8, 0.05];

    #[test]
    fn jacobians_are_the_derivatives_of_the_weights() {
        for rule in [softmax, sigmoid, direct] {
            close(&rule(&ALPHA).jacobian, &differences(&ALPHA, |a| rule(a).weights), 1e-8);
        }
    }

    #[test]
    fn softmax_weights_are_shares_and_sigmoid_weights_stand_alone() {
        assert!((softmax(&ALPHA).weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(sigmoid(&[0.0, 0.0]).weights, [0.5, 0.5]);
        let jacobian = sigmoid(&ALPHA).jacobian;
        assert!((0..4).all(|i| (0..4).all(|j| i == j || jacobian[i * 4 + j] == 0.0)));
    }

    #[test]
    fn an_option_of_hopeless_alpha_has_no_weight_under_any_rule() {
        let temperature = Schedule::Constant { rate: 1.0 };
        for weighing in [
            Weighing::Softmax,
            Weighing::Sigmoid,
            Weighing::Gumbel { temperature },
            Weighing::GumbelPath { temperature, others: false },
            Weighing::Dirichlet,
            Weighing::ReinMax { temperature: 1.0 },
        ] {
            let row = weighing.row(&[0.1, -1e4, 0.2], 0, 1, &mut Random::new(3, 0));
            assert_eq!(row.weights[1], 0.0, "{weighing:?}");
            assert!(row.weights.iter().chain(&row.jacobian).all(|v| v.is_finite()), "{weighing:?}");
        }
    }
}
