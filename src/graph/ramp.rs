//! Activations that are a line between two bounds.

use serde::{Deserialize, Serialize};

/// slope · x + shift, not below `low` and not above `high`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ramp {
    /// What x is multiplied by.
    pub slope: f32,
    /// What is added.
    pub shift: f32,
    /// No value is smaller.
    pub low: Option<f32>,
    /// No value is larger.
    pub high: Option<f32>,
}

impl Ramp {
    /// x between two bounds.
    pub const fn clip(low: Option<f32>, high: Option<f32>) -> Self {
        Self { slope: 1.0, shift: 0.0, low, high }
    }

    /// slope · x + shift, without bounds.
    pub const fn line(slope: f32, shift: f32) -> Self {
        Self { slope, shift, low: None, high: None }
    }

    /// slope · x + shift from 0 to 1.
    pub const fn hard_sigmoid(slope: f32, shift: f32) -> Self {
        Self { slope, shift, low: Some(0.0), high: Some(1.0) }
    }
}
