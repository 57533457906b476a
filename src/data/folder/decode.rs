//! From the bytes of one picture to its pixels: red, green and blue, upright, on a background, at the wanted size.

use super::tiff::Unusual;
use super::{Format, PictureError};
use crate::data::picture::Reading;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use std::io::Cursor;

/// What a picture's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Width and height, upright.
    pub size: [u32; 2],
    /// Whether the format rules colour out.
    pub grey: bool,
}

impl Reading {
    /// Reads a picture's header alone, which is cheap.
    ///
    /// # Errors
    /// If it is no picture, or larger than allowed.
    pub fn header(&self, bytes: &[u8]) -> Result<Header, PictureError> {
        let opened = self.open(bytes)?;
        let [width, height] = opened.size();
        let grey = opened.is_grey();
        let turned = swaps_sides(opened.orientation);
        Ok(Header { size: if turned { [height, width] } else { [width, height] }, grey })
    }

    /// Decodes a picture: turned as its EXIF data say, laid on the background, brought to size. 16 bits become 8.
    ///
    /// # Errors
    /// If it is no picture, damaged or larger than allowed.
    pub fn read(&self, bytes: &[u8]) -> Result<RgbImage, PictureError> {
        let opened = self.open(bytes)?;
        let orientation = opened.orientation;
        let mut picture = opened.decode(bytes, self.most_bytes())?;
        picture.apply_orientation(orientation);
        let flat = flatten(picture, self.background);
        Ok(match self.resize {
            Some(size) => self.fit.apply(flat, size, self.background),
            None => flat,
        })
    }

    /// What decoding one picture may take: four floating-point numbers a pixel, and what packed data need besides.
    fn most_bytes(&self) -> u64 {
        self.most_pixels.saturating_mul(16).saturating_add(1 << 20)
    }

    fn open<'a>(&self, bytes: &'a [u8]) -> Result<Opened<'a>, PictureError> {
        if bytes.is_empty() {
            return Err(PictureError::Empty);
        }
        let format = Format::of(bytes).ok_or(PictureError::Unknown)?;
        let opened = match (format, if format == Format::Tiff { Unusual::open(bytes)? } else { None }) {
            (_, Some(unusual)) => {
                Opened { orientation: unusual.orientation, format, source: Source::Unusual(Box::new(unusual)) }
            }
            (_, None) => {
                let mut reader = ImageReader::with_format(Cursor::new(bytes), format.into());
                let mut limits = Limits::default();
                limits.max_alloc = Some(self.most_bytes());
                reader.limits(limits);
                let mut decoder: Box<dyn ImageDecoder + 'a> = Box::new(reader.into_decoder()?);
                // A note on which side is up that cannot be read is as good as none.
                let mut orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
                if format == Format::Png && orientation == Orientation::NoTransforms {
                    orientation = png_orientation(bytes).unwrap_or(orientation);
                }
                Opened { orientation, format, source: Source::Usual(decoder) }
            }
        };
        let size = opened.size();
        if size.contains(&0) {
            return Err(PictureError::NoPixels { size });
        }
        if u64::from(size[0]) * u64::from(size[1]) > self.most_pixels {
            return Err(PictureError::TooManyPixels { size, limit: self.most_pixels });
        }
        Ok(opened)
    }
}

enum Source<'a> {
    Usual(Box<dyn ImageDecoder + 'a>),
    Unusual(Box<Unusual>),
}

/// A picture whose header is read.
struct Opened<'a> {
    source: Source<'a>,
    format: Format,
    orientation: Orientation,
}

impl Opened<'_> {
    /// Width and height, not turned.
    fn size(&self) -> [u32; 2] {
        match &self.source {
            Source::Usual(decoder) => decoder.dimensions().into(),
            Source::Unusual(unusual) => unusual.size,
        }
    }

    fn is_grey(&self) -> bool {
        match &self.source {
            Source::Usual(decoder) => !decoder.color_type().has_color(),
            Source::Unusual(unusual) => unusual.is_grey(),
        }
    }

    fn decode(self, bytes: &[u8], limit: u64) -> Result<DynamicImage, PictureError> {
        let decoder = match self.source {
            Source::Unusual(unusual) => return unusual.decode(usize::try_from(limit).unwrap_or(usize::MAX)),
            Source::Usual(decoder) => decoder,
        };
        if self.format == Format::Jpeg {
            check_jpeg(bytes)?;
        }
        let picture = DynamicImage::from_decoder(decoder)?;
        if let DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) = picture {
            let wrong = picture.to_rgba32f().into_raw().into_iter().find(|value| !(0.0..=1.0).contains(value));
            if let Some(value) = wrong {
                return Err(PictureError::Float { value });
            }
        }
        Ok(picture)
    }
}

impl From<Format> for ImageFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Png => Self::Png,
            Format::Jpeg => Self::Jpeg,
            Format::Bmp => Self::Bmp,
            Format::WebP => Self::WebP,
            Format::Gif => Self::Gif,
            Format::Tiff => Self::Tiff,
            Format::Pnm => Self::Pnm,
        }
    }
}

/// Whether width and height change places.
fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// Red, green and blue, what is transparent laid on the background.
fn flatten(picture: DynamicImage, background: [u8; 3]) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let layered = picture.into_rgba8();
    let mut flat = RgbImage::new(layered.width(), layered.height());
    for (to, from) in flat.pixels_mut().zip(layered.pixels()) {
        let alpha = u32::from(from[3]);
        for channel in 0..3 {
            let mixed = u32::from(from[channel]) * alpha + u32::from(background[channel]) * (255 - alpha);
            to[channel] = ((mixed + 127) / 255) as u8;
        }
    }
    flat
}

/// Refuses what the decoder would fill up with grey, or read in one of two ways.
fn check_jpeg(bytes: &[u8]) -> Result<(), PictureError> {
    let (mut at, mut adobe, mut components) = (2, false, 0);
    // Segment by segment to the pixels; a preview within a segment has an end of its own.
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        if marker == 0xff {
            at += 1;
            continue;
        }
        let Some(&[high, low]) = bytes.get(at + 2..at + 4) else { return Err(PictureError::CutOff) };
        let data = at + 4;
        match marker {
            0xee => adobe |= bytes.get(data..data + 5) == Some(b"Adobe"),
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                components = bytes.get(data + 5).copied().unwrap_or(0);
            }
            _ => {}
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == 0xda {
            break;
        }
    }
    if components == 4 && !adobe {
        return Err(PictureError::Inks);
    }
    match bytes.get(at..).is_some_and(|pixels| pixels.windows(2).any(|pair| pair == [0xff, 0xd9])) {
        true => Ok(()),
        false => Err(PictureError::CutOff),
    }
}

/// What a PNG's EXIF chunk says of which side is up: it may lie behind the pixels, where the decoder has not been yet.
fn png_orientation(bytes: &[u8]) -> Option<Orientation> {
    let mut at = 8usize;
    loop {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
        let data = at + 8;
        let end = data.checked_add(length)?;
        if bytes.get(at + 4..data)? == b"eXIf" {
            return Orientation::from_exif_chunk(bytes.get(data..end)?);
        }
        at = end.checked_add(4)?;
    }
}

#[cfg(test)]
mod tests;
