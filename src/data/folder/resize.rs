//! Bringing pictures to one size.

use crate::data::picture::Fit;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

impl Fit {
    /// `picture` at a size of `[height, width]`. Every pixel of the source has its share in the result: a Lanczos
    /// filter as wide as the reduction is strong, without gamma. A picture of that size already stays as it is.
    pub fn apply(self, picture: RgbImage, [height, width]: [u32; 2], background: [u8; 3]) -> RgbImage {
        let (w, h) = picture.dimensions();
        if (w, h) == (width, height) || w == 0 || h == 0 {
            return picture;
        }
        match self {
            Self::Stretch => scale(&picture, width, height),
            Self::Crop => {
                // The largest part of the wanted shape is cut out first: what is cut off need not be scaled.
                let (kept_w, kept_h) = match u64::from(w) * u64::from(height) > u64::from(h) * u64::from(width) {
                    true => (part(h, width, height, w), h),
                    false => (w, part(w, height, width, h)),
                };
                let (x, y) = ((w - kept_w) / 2, (h - kept_h) / 2);
                scale(&imageops::crop_imm(&picture, x, y, kept_w, kept_h).to_image(), width, height)
            }
            Self::Pad => {
                let (new_w, new_h) = match u64::from(w) * u64::from(height) > u64::from(h) * u64::from(width) {
                    true => (width, part(width, h, w, height)),
                    false => (part(height, w, h, width), height),
                };
                let mut canvas = RgbImage::from_pixel(width, height, Rgb(background));
                let (x, y) = ((width - new_w) / 2, (height - new_h) / 2);
                imageops::replace(&mut canvas, &scale(&picture, new_w, new_h), x.into(), y.into());
                canvas
            }
        }
    }
}

/// `side` × `by` / `of`, rounded, at least 1 and at most `limit`.
fn part(side: u32, by: u32, of: u32, limit: u32) -> u32 {
    let rounded = (u64::from(side) * u64::from(by) + u64::from(of) / 2) / u64::from(of.max(1));
    rounded.clamp(1, u64::from(limit)) as u32
}

/// Beyond this reduction a side is first averaged down to this many times its new length.
const NEAR: u32 = 4;

fn scale(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    let (w, h) = picture.dimensions();
    if (w, h) == (width, height) {
        return picture.clone();
    }
    // A filter over hundreds of pixels costs much and gains nothing over plain averages of a few, then the filter.
    let near = |side: u32, new: u32| if side / new > 2 * NEAR { NEAR * new } else { side };
    let (near_w, near_h) = (near(w, width), near(h, height));
    if (near_w, near_h) != (w, h) {
        return scale(&average(picture, near_w, near_h), width, height);
    }
    if w > width && h < height {
        // The narrower way first: `resize` begins with the height, which would make a wide picture larger still.
        let narrow = imageops::resize(picture, width, h, FilterType::Lanczos3);
        return imageops::resize(&narrow, width, height, FilterType::Lanczos3);
    }
    imageops::resize(picture, width, height, FilterType::Lanczos3)
}

/// A smaller picture, each pixel of which is the mean of those it stands for.
fn average(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    let (w, h) = picture.dimensions();
    let bound = |at: u32, side: u32, new: u32| (u64::from(at) * u64::from(side) / u64::from(new)) as u32;
    RgbImage::from_fn(width, height, |x, y| {
        let (left, right) = (bound(x, w, width), bound(x + 1, w, width));
        let (top, bottom) = (bound(y, h, height), bound(y + 1, h, height));
        let mut sums = [0u64; 3];
        for y in top..bottom {
            for x in left..right {
                let pixel = picture.get_pixel(x, y).0;
                sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u64::from(value));
            }
        }
        let count = (u64::from(right - left) * u64::from(bottom - top)).max(1);
        Rgb(sums.map(|sum| ((sum + count / 2) / count) as u8))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKGROUND: [u8; 3] = [9, 8, 7];

    /// Left third black, middle grey, right white.
    fn thirds(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, _| Rgb([[0u8; 3], [128; 3], [255; 3]][(x * 3 / width) as usize]))
    }

    #[test]
    fn a_crop_keeps_the_middle_and_a_stretch_everything() {
        // 12 wide, 4 high: the middle third is all that a square keeps.
        let crop = Fit::Crop.apply(thirds(12, 4), [2, 2], BACKGROUND);
        assert!(crop.pixels().all(|p| p.0 == [128; 3]), "{crop:?}");
        let stretched = Fit::Stretch.apply(thirds(12, 4), [1, 3], BACKGROUND);
        let ends = [stretched.get_pixel(0, 0).0[0], stretched.get_pixel(2, 0).0[0]];
        assert!(ends[0] < 20 && ends[1] > 235, "{ends:?}");
        let tall = imageops::rotate90(&thirds(12, 4));
        let crop = Fit::Crop.apply(tall, [2, 2], BACKGROUND);
        assert!(crop.pixels().all(|p| p.0 == [128; 3]), "{crop:?}");
    }

    #[test]
    fn padding_lies_on_both_sides_of_the_whole_picture() {
        let padded = Fit::Pad.apply(RgbImage::from_pixel(8, 4, Rgb([100; 3])), [4, 4], BACKGROUND);
        for (y, wanted) in [(0, BACKGROUND), (1, [100; 3]), (2, [100; 3]), (3, BACKGROUND)] {
            assert!((0..4).all(|x| padded.get_pixel(x, y).0 == wanted), "row {y}");
        }
        let padded = Fit::Pad.apply(RgbImage::from_pixel(4, 8, Rgb([100; 3])), [4, 4], BACKGROUND);
        assert_eq!([0, 1, 3].map(|x| padded.get_pixel(x, 2).0[0]), [9, 100, 9]);
    }

    #[test]
    fn a_size_is_height_then_width() {
        for fit in [Fit::Crop, Fit::Pad, Fit::Stretch] {
            assert_eq!(fit.apply(thirds(9, 9), [4, 6], BACKGROUND).dimensions(), (6, 4), "{}", fit.name());
        }
    }

    #[test]
    fn fine_stripes_become_their_mean_however_strong_the_reduction() {
        for side in [16u32, 64, 400] {
            let stripes = RgbImage::from_fn(side, side, |x, _| Rgb([if x % 2 == 0 { 0 } else { 255 }; 3]));
            let small = Fit::Stretch.apply(stripes, [4, 4], BACKGROUND);
            let inner = small.get_pixel(1, 1).0[0];
            assert!((120..=136).contains(&inner), "{side}: {inner}");
        }
    }

    #[test]
    fn grey_stays_grey_and_a_picture_of_the_size_stays_as_it_is() {
        let grey = RgbImage::from_fn(31, 17, |x, y| Rgb([(x * 7 + y * 5) as u8; 3]));
        let small = Fit::Crop.apply(grey.clone(), [5, 5], BACKGROUND);
        assert!(small.pixels().all(|p| p.0[0] == p.0[1] && p.0[1] == p.0[2]));
        assert_eq!(Fit::Crop.apply(grey.clone(), [17, 31], BACKGROUND), grey);
    }

    #[test]
    fn a_picture_as_thin_as_a_thread_takes_no_more_memory_than_it_has_pixels() {
        for (w, h) in [(200_000, 1), (1, 200_000)] {
            for fit in [Fit::Crop, Fit::Pad, Fit::Stretch] {
                let picture = RgbImage::from_pixel(w, h, Rgb([50; 3]));
                assert_eq!(fit.apply(picture, [8, 8], BACKGROUND).dimensions(), (8, 8));
            }
        }
    }
}
