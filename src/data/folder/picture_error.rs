//! What can be wrong with a picture.

use thiserror::Error;

/// Why a picture cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PictureError {
    /// No bytes.
    #[error("the file is empty")]
    Empty,
    /// Of none of the formats of [`Format`](super::Format).
    #[error("not a picture in a format that is read (PNG, JPEG, BMP, WebP, GIF, TIFF, PNM)")]
    Unknown,
    /// A header that declares no width or no height.
    #[error("{} x {} pixels (width x height): there is nothing in it", .size[0], .size[1])]
    NoPixels {
        /// Width and height.
        size: [u32; 2],
    },
    /// More pixels than the settings allow.
    #[error("{} x {} pixels (width x height) are more than the {limit} of data.most_pixels", .size[0], .size[1])]
    TooManyPixels {
        /// Width and height.
        size: [u32; 2],
        /// Pixels allowed.
        limit: u64,
    },
    /// The data end before the picture does.
    #[error("cut off: the JPEG data have no end")]
    CutOff,
    /// Inks of which nobody can tell whether they are stored inverted.
    #[error("a JPEG of four inks without Adobe's marker, which says how to read them; convert it to RGB")]
    Inks,
    /// A floating-point number that is no grey.
    #[error("it has the floating-point value {value}, but only 0 (black) to 1 (white) have a meaning")]
    Float {
        /// The first such value.
        value: f32,
    },
    /// A number without a colour.
    #[error("a pixel has the number {number}, but the palette only {colours} colours")]
    Palette {
        /// The number.
        number: usize,
        /// Colours of the palette.
        colours: usize,
    },
    /// A TIFF of an unusual kind that is damaged.
    #[error("damaged TIFF: {0}")]
    Tiff(String),
    /// What the format's decoder said.
    #[error("{0}")]
    Image(#[from] image::ImageError),
}

impl From<tiff::TiffError> for PictureError {
    fn from(error: tiff::TiffError) -> Self {
        Self::Tiff(error.to_string())
    }
}
