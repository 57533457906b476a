//! Dots as a PNG file.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};

/// Three bytes a dot, row by row.
pub fn encode(dots: &[u8], width: usize, height: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // Most neighbours are equal: unfiltered they are short, and to look longer for what is equal gains a tenth.
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Level(3), FilterType::NoFilter);
    let (width, height) = (width.try_into().ok()?, height.try_into().ok()?);
    encoder.write_image(dots, width, height, ExtendedColorType::Rgb8).ok()?;
    Some(bytes)
}
