//! When a trial is given up before its last epoch.

use crate::estimate::EpochReport;
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

/// Looks on at a trial, and says when it is to be given up. It knows of other trials what was known when the trial began: what is
/// given up does not depend on which of several that are under way is faster.
#[derive(Clone, Debug)]
pub struct Watch {
    stopping: Stopping,
    epochs: u32,
    complete: Vec<Vec<f64>>,
    curve: Vec<EpochReport>,
}

impl Watch {
    /// Over a trial of so many epochs, with the accuracies of those that had come to their last epoch when it began.
    pub fn new(stopping: Stopping, epochs: u32, complete: Vec<Vec<f64>>) -> Self {
        Self { stopping, epochs, complete, curve: Vec::new() }
    }

    /// The same, after these epochs.
    pub fn after(self, curve: Vec<EpochReport>) -> Self {
        Self { curve, ..self }
    }

    /// The epochs so far.
    pub fn curve(&self) -> &[EpochReport] {
        &self.curve
    }

    /// Another epoch has ended; whether the trial is given up after it.
    pub fn sees(&mut self, epoch: EpochReport) -> bool {
        self.curve.push(epoch);
        self.stops()
    }

    /// Whether the trial is given up after the epochs so far.
    pub fn stops(&self) -> bool {
        self.stopping.stops(&accuracies(&self.curve), self.epochs, &self.complete)
    }
}

/// Accuracies of a curve on the images that measure.
pub fn accuracies(curve: &[EpochReport]) -> Vec<f64> {
    curve.iter().filter_map(|epoch| epoch.valid_accuracy).collect()
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
