//! Weights of options as a picture: a row for each decision, a column for each option, the darker the heavier.

use super::proto::Image;

/// Side of a weight's square, in pixels.
const SIDE: usize = 16;
/// The colours of no weight and of all: light and dark of one hue, told apart without colour too.
const COLOURS: [[f64; 3]; 2] = [[247.0, 251.0, 255.0], [8.0, 48.0, 107.0]];

/// The picture of rows of weights from 0 to 1; none of nothing, or where it cannot be encoded.
pub(super) fn heat_map(rows: &[Vec<f64>]) -> Option<Image> {
    let (columns, lines) = (rows.iter().map(Vec::len).max().unwrap_or(0), rows.len());
    let (width, height) = (columns * SIDE, lines * SIDE);
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            // A line between squares.
            let weight = rows[y / SIDE].get(x / SIDE).filter(|_| x % SIDE > 0 && y % SIDE > 0);
            pixels.extend(weight.map_or([255; 3], |&weight| colour(weight)));
        }
    }
    let encoded_image_string = png(&pixels, width, height)?;
    Some(Image { height: height.try_into().ok()?, width: width.try_into().ok()?, colorspace: 3, encoded_image_string })
}

fn colour(weight: f64) -> [u8; 3] {
    let weight = weight.clamp(0.0, 1.0);
    [0, 1, 2].map(|channel| (COLOURS[0][channel] * (1.0 - weight) + COLOURS[1][channel] * weight).round() as u8)
}

#[cfg(feature = "images")]
fn png(pixels: &[u8], width: usize, height: usize) -> Option<Vec<u8>> {
    use image::ImageEncoder as _;
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    let (width, height) = (width.try_into().ok()?, height.try_into().ok()?);
    if width == 0 || height == 0 {
        return None;
    }
    encoder.write_image(pixels, width, height, image::ExtendedColorType::Rgb8).ok()?;
    Some(bytes)
}

/// Without the feature `images` nothing encodes pictures.
#[cfg(not(feature = "images"))]
fn png(_: &[u8], _: usize, _: usize) -> Option<Vec<u8>> {
    None
}

#[cfg(all(test, feature = "images"))]
mod tests {
    use super::*;

    #[test]
    fn the_heavier_the_darker() {
        let picture = heat_map(&[vec![0.0, 1.0], vec![0.5, 0.5]]).unwrap();
        let decoded = image::load_from_memory(&picture.encoded_image_string).unwrap().to_rgb8();
        assert_eq!(decoded.dimensions(), (32, 32));
        let at = |x: u32, y: u32| decoded.get_pixel(x * 16 + 8, y * 16 + 8).0;
        assert_eq!((at(0, 0), at(1, 0)), ([247, 251, 255], [8, 48, 107]));
        assert_eq!(at(0, 1), at(1, 1));
        assert!(at(0, 1)[0] < 247 && at(0, 1)[0] > 8);
        assert!(heat_map(&[]).is_none());
    }
}
