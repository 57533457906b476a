//! What a study looks for.

use crate::estimate::Measured;
use crate::estimate::measured::ACCURACY;

/// A quantity that is to be as great, or as small, as possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    /// Its name, as measurements have it.
    pub name: String,
}

impl Objective {
    /// The objective of a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// Whether more of it is better: of accuracies it is, of all else (losses, sizes, latencies) less.
    pub fn is_maximised(&self) -> bool {
        self.name.contains(ACCURACY)
    }

    /// What a measurement is worth: the quantity, or what is missing of it; greater is better. None where it was not measured.
    pub fn worth(&self, measured: &Measured) -> Option<f64> {
        let value = measured.objective(&self.name).filter(|value| value.is_finite())?;
        Some(if self.is_maximised() { value } else { -value })
    }

    /// The quantity of so much worth.
    pub fn value(&self, worth: f64) -> f64 {
        if self.is_maximised() { worth } else { -worth }
    }
}
