//! How pictures are read: settings, which a build without the feature `images` knows too.

use serde::{Deserialize, Serialize};

/// How a picture is brought to a size of another shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// What juts out on two sides, once the shorter side fits, is cut off: nothing is distorted.
    #[default]
    Crop,
    /// The whole picture is kept; what it leaves free is background.
    Pad,
    /// Both sides are made to fit, each by its own factor.
    Stretch,
}

impl Fit {
    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crop => "crop",
            Self::Pad => "pad",
            Self::Stretch => "stretch",
        }
    }
}

/// How pictures are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The largest picture that is decoded, in pixels.
    pub most_pixels: u64,
    /// What transparent pixels and free borders show: red, green, blue.
    pub background: [u8; 3],
    /// Height and width of what comes out; those of the picture itself without it.
    pub resize: Option<[u32; 2]>,
    /// How another shape is brought to that size.
    pub fit: Fit,
}

impl Default for Reading {
    fn default() -> Self {
        Self { most_pixels: 4096 * 4096, background: [255; 3], resize: None, fit: Fit::Crop }
    }
}
