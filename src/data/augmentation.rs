//! How training images are varied.

use crate::settings::SettingsError;
use serde::{Deserialize, Serialize};

/// Largest shift or blanked square.
const MOST_PIXELS: usize = 65_536;

/// How training images are varied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Pixels by which the image is shifted at most, in each direction.
    pub padding: usize,
    /// Whether every second image is mirrored.
    pub flip: bool,
    /// Side of a square that is blanked; 0 for none.
    pub cutout: usize,
}

impl Augmentation {
    /// What is usual for CIFAR-10, without a cutout.
    pub const USUAL: Self = Self { padding: 4, flip: true, cutout: 0 };

    /// The same with a cutout of another side.
    pub fn with_cutout(self, cutout: usize) -> Self {
        Self { cutout, ..self }
    }

    /// Whether images can be varied so.
    ///
    /// # Errors
    /// If not, and what it must be.
    pub fn check(&self) -> Result<(), SettingsError> {
        match self.padding.max(self.cutout) {
            0..=MOST_PIXELS => Ok(()),
            _ => Err(SettingsError(format!("augmentation can move or blank at most {MOST_PIXELS} pixels"))),
        }
    }
}
