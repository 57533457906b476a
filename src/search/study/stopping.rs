//! When a trial is given up before its last epoch.

use crate::numerics::curves::{extrapolate, median_stops};
use serde::{Deserialize, Serialize};

/// When a trial ends before its last epoch: it is then worth what it has come to. Accuracies are those on the images that measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Stopping {
    /// Never.
    #[default]
    Never,
    /// When its accuracy has not grown for so many epochs.
    Patience {
        /// How many.
        epochs: u32,
        /// By how much it must have grown.
        least: f64,
    },
    /// When its best accuracy is below the median of what earlier trials had in the same epoch, once five have come to their last
    /// (Golovin et al. 2017, section 3.2.2, as optuna has it).
    Median,
    /// When its accuracy, extrapolated to its last epoch, falls short of the best so far (Domhan, Springenberg & Hutter 2015, by the mean of
    /// four models).
    Extrapolation,
}

impl Stopping {
    /// Whether a trial whose accuracies were `own` so far, of `epochs`, is given up. `complete` are those of the trials that have come to
    /// their last epoch.
    pub fn stops(&self, own: &[f64], epochs: u32, complete: &[Vec<f64>]) -> bool {
        if own.len() >= epochs as usize {
            return false;
        }
        match *self {
            Self::Never => false,
            Self::Patience { epochs, least } => {
                let split = own.len().saturating_sub(epochs as usize);
                let best = |part: &[f64]| part.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                split > 0 && best(&own[split..]) < best(&own[..split]) + least
            }
            Self::Median => median_stops(own, complete),
            Self::Extrapolation => {
                let best = complete.iter().filter_map(|curve| curve.last()).copied().fold(f64::NEG_INFINITY, f64::max);
                extrapolate(own, epochs as usize).is_some_and(|last| last < best)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_counts_epochs_without_growth() {
        let patience = Stopping::Patience { epochs: 2, least: 0.01 };
        let stops = |own: &[f64]| patience.stops(own, 10, &[]);
        assert!(!stops(&[0.5]) && !stops(&[0.5, 0.5]) && stops(&[0.5, 0.5, 0.505]));
        assert!(!stops(&[0.5, 0.5, 0.52]) && stops(&[0.5, 0.6, 0.55, 0.6]));
        assert!(!patience.stops(&[0.5; 10], 10, &[]), "there is nothing left to be given up");
    }

    #[test]
    fn the_others_decide_by_what_was_complete() {
        let complete: Vec<Vec<f64>> = (0..5).map(|n| vec![0.4 + 0.1 * f64::from(n), 0.9, 0.9, 0.9, 0.9, 0.9]).collect();
        assert!(Stopping::Median.stops(&[0.5], 6, &complete) && !Stopping::Median.stops(&[0.7], 6, &complete));
        assert!(!Stopping::Median.stops(&[0.1], 6, &complete[..4]));
        let poor = [0.2, 0.25, 0.27, 0.28];
        assert!(Stopping::Extrapolation.stops(&poor, 6, &complete) && !Stopping::Extrapolation.stops(&poor, 6, &[]));
        assert!(!Stopping::Never.stops(&[0.0], 6, &complete));
    }
}
