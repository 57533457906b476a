//! Learning rates by epoch.

use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// How a learning rate goes from epoch to epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// Always the same.
    Constant {
        /// The rate.
        rate: f64,
    },
    /// Half a cosine from `from` to `to` over all epochs: epoch e, counted from 0, of E uses phase
    /// e/E (Loshchilov & Hutter 2017, without restarts).
    Cosine {
        /// Rate of the first epoch.
        from: f64,
        /// Rate that is approached.
        to: f64,
    },
    /// In equal steps from `from` in the first epoch to `to` in the last.
    Linear {
        /// Rate of the first epoch.
        from: f64,
        /// Rate of the last epoch.
        to: f64,
    },
    /// Multiplied by `factor` every `epochs` epochs.
    Step {
        /// Rate of the first epoch.
        rate: f64,
        /// What it is multiplied by.
        factor: f64,
        /// After so many epochs.
        epochs: u32,
    },
    /// A cosine that starts again after `first` epochs, then after `first · times`, … (SGDR).
    WarmRestarts {
        /// Rate at each start.
        from: f64,
        /// Rate that is approached.
        to: f64,
        /// Epochs of the first period.
        first: u32,
        /// Factor from period to period.
        times: u32,
    },
}

impl Schedule {
    /// Whether all rates are finite and not negative, and all periods at least 1.
    pub fn is_usable(&self) -> bool {
        let rate = |rate: f64| rate >= 0.0 && rate.is_finite();
        match *self {
            Self::Constant { rate: constant } => rate(constant),
            Self::Cosine { from, to } | Self::Linear { from, to } => rate(from) && rate(to),
            Self::Step { rate: first, factor, epochs } => rate(first) && rate(factor) && epochs > 0,
            Self::WarmRestarts { from, to, first, times } => rate(from) && rate(to) && first > 0 && times > 0,
        }
    }

    /// The rate of epoch `epoch`, counted from 0, of `epochs`.
    ///
    /// ```
    /// use cellwright::optim::Schedule;
    ///
    /// let schedule = Schedule::Cosine { from: 0.2, to: 0.0 };
    /// assert_eq!(schedule.rate(0, 10), 0.2);
    /// assert!((schedule.rate(5, 10) - 0.1).abs() < 1e-6);
    /// ```
    pub fn rate(&self, epoch: u32, epochs: u32) -> f32 {
        let cosine = |from: f64, to: f64, phase: f64| to + (from - to) * 0.5 * (1.0 + (PI * phase).cos());
        let rate = match *self {
            Self::Constant { rate } => rate,
            Self::Cosine { from, to } => cosine(from, to, f64::from(epoch) / f64::from(epochs.max(1))),
            Self::Linear { from, to } => {
                from + (to - from) * f64::from(epoch) / f64::from(epochs.saturating_sub(1).max(1))
            }
            Self::Step { rate, factor, epochs } => rate * factor.powi((epoch / epochs.max(1)) as i32),
            Self::WarmRestarts { from, to, first, times } => {
                let (mut start, mut length) = (0u64, u64::from(first.max(1)));
                while u64::from(epoch) >= start + length {
                    start += length;
                    length *= u64::from(times.max(1));
                }
                cosine(from, to, (u64::from(epoch) - start) as f64 / length as f64)
            }
        };
        rate as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_goes_from_the_first_rate_towards_the_last() {
        let schedule = Schedule::Cosine { from: 0.025, to: 0.001 };
        assert_eq!(schedule.rate(0, 50), 0.025);
        assert!((schedule.rate(25, 50) - 0.013).abs() < 1e-7);
        assert!(schedule.rate(49, 50) > 0.001);
    }

    #[test]
    fn a_line_begins_and_ends_where_it_says() {
        let schedule = Schedule::Linear { from: 10.0, to: 0.1 };
        assert_eq!([schedule.rate(0, 50), schedule.rate(49, 50), schedule.rate(0, 1)], [10.0, 0.1, 10.0]);
        assert!((schedule.rate(10, 21) - 5.05).abs() < 1e-6);
    }

    #[test]
    fn steps_and_restarts() {
        let step = Schedule::Step { rate: 1.0, factor: 0.1, epochs: 30 };
        assert_eq!([step.rate(29, 90), step.rate(30, 90)], [1.0, 0.1]);
        let warm = Schedule::WarmRestarts { from: 0.05, to: 0.0005, first: 10, times: 2 };
        assert_eq!([warm.rate(0, 150), warm.rate(10, 150), warm.rate(30, 150), warm.rate(70, 150)], [0.05; 4]);
        assert!((warm.rate(20, 150) - warm.rate(5, 150)).abs() < 1e-8);
    }
}
