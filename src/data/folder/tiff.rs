//! TIFF pictures of kinds that are not in the everyday: palettes, 2 and 4 bits, grey with alpha or in floating point.

use super::PictureError;
use image::metadata::Orientation;
use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage};
use std::io::Cursor;
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

/// What the number of a pixel stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// An entry of the palette.
    Palette { bits: u8 },
    /// A share of the lightest grey.
    Grey { bits: u8 },
    /// Grey, then alpha.
    GreyAlpha { bits: u8 },
    /// Grey from 0 to 1.
    Float,
}

/// A TIFF picture whose header is read.
pub(super) struct Unusual {
    decoder: Decoder<Cursor<Vec<u8>>>,
    kind: Kind,
    /// Red, then green, then blue of each number, 16 bits each.
    palette: Vec<u16>,
    /// Width and height.
    pub(super) size: [u32; 2],
    pub(super) orientation: Orientation,
}

impl Unusual {
    /// The picture in `bytes` if it is of such a kind.
    pub(super) fn open(bytes: &[u8]) -> Result<Option<Self>, PictureError> {
        let palette = photometric(bytes).filter(|&at| bytes[at..at + 2].contains(&3));
        let mut bytes = bytes.to_vec();
        if let Some(at) = palette {
            // The decoder refuses palettes, but reads the numbers when they are called grey.
            bytes[at..at + 2].iter_mut().for_each(|byte| *byte = u8::from(*byte == 3));
        }
        let mut decoder = Decoder::new(Cursor::new(bytes))?;
        let Ok(colour) = decoder.colortype() else { return Ok(None) };
        let float = decoder.find_tag_unsigned::<u16>(Tag::SampleFormat).ok().flatten() == Some(3);
        let kind = match (colour, palette.is_some()) {
            (ColorType::Gray(bits @ (1 | 2 | 4 | 8)), true) => Kind::Palette { bits },
            (ColorType::Gray(bits @ (2 | 4)), false) => Kind::Grey { bits },
            (ColorType::Gray(32), false) if float => Kind::Float,
            (ColorType::Multiband { bit_depth: bits @ (8 | 16), num_samples: 2 }, false) => Kind::GreyAlpha { bits },
            _ => return Ok(None),
        };
        let palette = match kind {
            Kind::Palette { .. } => decoder.get_tag_u16_vec(Tag::ColorMap)?,
            _ => Vec::new(),
        };
        let (width, height) = decoder.dimensions()?;
        let turned = decoder.find_tag_unsigned::<u8>(Tag::Orientation).ok().flatten();
        let orientation = turned.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms);
        Ok(Some(Self { decoder, kind, palette, size: [width, height], orientation }))
    }

    /// Whether there is no colour.
    pub(super) fn is_grey(&self) -> bool {
        !matches!(self.kind, Kind::Palette { .. })
    }

    /// The pixels, not turned yet; at most `limit` bytes are taken for them.
    pub(super) fn decode(self, limit: usize) -> Result<DynamicImage, PictureError> {
        let [width, height] = self.size;
        let mut limits = Limits::default();
        limits.decoding_buffer_size = limit;
        limits.intermediate_buffer_size = limit;
        let mut decoder = self.decoder.with_limits(limits);
        let numbers = match (decoder.read_image()?, self.kind) {
            (DecodingResult::U8(bytes), Kind::Palette { bits } | Kind::Grey { bits }) => unpack(&bytes, width, bits),
            (DecodingResult::U8(bytes), Kind::GreyAlpha { bits: 8 }) => bytes,
            (DecodingResult::U16(words), Kind::GreyAlpha { .. }) => words.iter().map(|&word| to_byte(word)).collect(),
            (DecodingResult::F32(values), Kind::Float) => {
                if let Some(&value) = values.iter().find(|value| !(0.0..=1.0).contains(*value)) {
                    return Err(PictureError::Float { value });
                }
                values.iter().map(|value| (value * 255.0).round() as u8).collect()
            }
            (_, kind) => return Err(PictureError::Tiff(format!("its numbers are not of the kind {kind:?}"))),
        };
        let whole = match self.kind {
            Kind::Palette { .. } => {
                let colours = self.palette.len() / 3;
                let missing = |number| PictureError::Palette { number, colours };
                let mut pixels = Vec::with_capacity(numbers.len() * 3);
                for number in numbers.into_iter().map(usize::from) {
                    let colour = [0, 1, 2].map(|channel| self.palette.get(channel * colours + number));
                    let (true, [Some(&r), Some(&g), Some(&b)]) = (number < colours, colour) else {
                        return Err(missing(number));
                    };
                    // The upper byte: some writers put zeros into the lower one, some the same again.
                    pixels.extend([r, g, b].map(|word| (word >> 8) as u8));
                }
                RgbImage::from_raw(width, height, pixels).map(DynamicImage::from)
            }
            Kind::Grey { bits } => {
                let most = (1u16 << bits) - 1;
                let pixels = numbers.into_iter().map(|n| (u16::from(n) * 255 / most) as u8).collect();
                GrayImage::from_raw(width, height, pixels).map(DynamicImage::from)
            }
            Kind::GreyAlpha { .. } => GrayAlphaImage::from_raw(width, height, numbers).map(DynamicImage::from),
            Kind::Float => GrayImage::from_raw(width, height, numbers).map(DynamicImage::from),
        };
        whole.ok_or_else(|| PictureError::Tiff("there are fewer numbers than pixels".into()))
    }
}

/// 16 bits as 8, rounded.
fn to_byte(word: u16) -> u8 {
    ((u32::from(word) + 128) / 257) as u8
}

/// One number a byte, of rows that begin at whole bytes.
fn unpack(bytes: &[u8], width: u32, bits: u8) -> Vec<u8> {
    if bits == 8 {
        return bytes.to_vec();
    }
    let each = 8 / usize::from(bits);
    let mask = (1u16 << bits) as u8 - 1;
    let row = (width as usize).div_ceil(each).max(1);
    let number = |byte: u8, at: usize| byte >> (usize::from(bits) * (each - 1 - at)) & mask;
    bytes
        .chunks(row)
        .flat_map(|row| row.iter().flat_map(|&byte| (0..each).map(move |at| number(byte, at))).take(width as usize))
        .collect()
}

/// Where the first page of an everyday TIFF says how its numbers are to be understood: two bytes, within `bytes`.
fn photometric(bytes: &[u8]) -> Option<usize> {
    let little = bytes.starts_with(b"II*\0");
    if !little && !bytes.starts_with(b"MM\0*") {
        return None;
    }
    let word = |at: usize| {
        let pair: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let (first, second) = (usize::from(word(4)?), usize::from(word(6)?));
    let page = if little { second << 16 | first } else { first << 16 | second };
    let entries = usize::from(word(page)?);
    let entry = (0..entries).map(|i| page + 2 + 12 * i).find(|&at| word(at) == Some(262))?;
    word(entry + 8).map(|_| entry + 8)
}
