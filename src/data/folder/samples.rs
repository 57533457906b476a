//! Pictures as files, made on the fly.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use std::io::Cursor;

/// A picture as a file.
pub(crate) fn encode(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Three wide, two high: red, green, blue over white, grey, black.
pub(crate) fn flag() -> RgbImage {
    let colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255; 3], [100; 3], [0; 3]];
    RgbImage::from_fn(3, 2, |x, y| Rgb(colours[(x + 3 * y) as usize]))
}

/// One file of each format.
pub(crate) fn each() -> Vec<(ImageFormat, Vec<u8>)> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Pnm, Tiff, WebP};
    [Png, Jpeg, Bmp, WebP, Gif, Tiff, Pnm].map(|format| (format, encode(flag(), format))).into()
}

/// A TIFF of one strip, little-endian, with tags in ascending order; a value longer than four bytes lies behind.
pub(crate) fn tiff(width: u16, height: u16, tags: &[(u16, u16, Vec<u8>)], pixels: &[u8]) -> Vec<u8> {
    let short = |tag, value: u16| (tag, 3u16, value.to_le_bytes().to_vec());
    let mut all = vec![short(256, width), short(257, height), short(259, 1), short(278, height)];
    all.push((279, 4, (pixels.len() as u32).to_le_bytes().to_vec()));
    all.push((273, 4, 8u32.to_le_bytes().to_vec()));
    all.extend_from_slice(tags);
    all.sort_by_key(|(tag, ..)| *tag);
    let mut bytes = b"II*\0".to_vec();
    let directory = 8 + pixels.len().next_multiple_of(2);
    bytes.extend((directory as u32).to_le_bytes());
    bytes.extend(pixels);
    bytes.resize(directory, 0);
    let mut behind = Vec::new();
    let after = directory + 2 + 12 * all.len() + 4;
    bytes.extend((all.len() as u16).to_le_bytes());
    for (tag, kind, value) in all {
        let unit = [1, 1, 2, 4][usize::from(kind) - 1];
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(((value.len() / unit) as u32).to_le_bytes());
        if value.len() > 4 {
            bytes.extend(((after + behind.len()) as u32).to_le_bytes());
            behind.extend(value);
        } else {
            let mut four = value;
            four.resize(4, 0);
            bytes.extend(four);
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(behind);
    bytes
}

/// A tag of 16-bit values.
pub(crate) fn shorts(tag: u16, values: &[u16]) -> (u16, u16, Vec<u8>) {
    (tag, 3, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// A palette TIFF of 4 or 8 bits, two wide and two high: red, blue over blue, red.
pub(crate) fn palette_tiff(bits: u16) -> Vec<u8> {
    let colours = 1 << bits;
    let mut map = vec![0u16; 3 * colours];
    map[1] = 65535;
    map[2 * colours + 2] = 65535;
    let pixels: &[u8] = if bits == 8 { &[1, 2, 2, 1] } else { &[0x12, 0x21] };
    let tags = [shorts(258, &[bits]), shorts(262, &[3]), shorts(277, &[1]), shorts(320, &map)];
    tiff(2, 2, &tags, pixels)
}

/// A JPEG of 8×8 pixels and four components, each of one value, with or without Adobe's marker and its transform.
pub(crate) fn ink_jpeg(values: [u8; 4], adobe: Option<u8>) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8];
    if let Some(transform) = adobe {
        bytes.extend([0xff, 0xee, 0, 14]);
        bytes.extend(b"Adobe\0\x64\0\0\0\0");
        bytes.push(transform);
    }
    // All quantisation steps are 8, so that a block's first coefficient is its value less 128.
    bytes.extend([0xff, 0xdb, 0, 67, 0]);
    bytes.extend([8; 64]);
    bytes.extend([0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4]);
    (1..=4).for_each(|component| bytes.extend([component, 0x11, 0]));
    // Differences of 0 to 8 bits have codes of four bits; after each comes the end of the block, one bit.
    bytes.extend([0xff, 0xc4, 0, 19 + 9, 0]);
    bytes.extend([0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(0..9);
    bytes.extend([0xff, 0xc4, 0, 19 + 1, 0x10]);
    bytes.extend([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([0xff, 0xda, 0, 14, 4]);
    (1..=4).for_each(|component| bytes.extend([component, 0]));
    bytes.extend([0, 63, 0]);
    let mut bits = String::new();
    for value in values {
        let difference = i32::from(value) - 128;
        let length = 32 - difference.unsigned_abs().leading_zeros() as usize;
        bits += &format!("{length:04b}");
        if length > 0 {
            let coded = if difference < 0 { difference + (1 << length) - 1 } else { difference };
            bits += &format!("{coded:0length$b}");
        }
        bits += "0";
    }
    while !bits.len().is_multiple_of(8) {
        bits += "1";
    }
    for byte in (0..bits.len()).step_by(8).map(|at| u8::from_str_radix(&bits[at..at + 8], 2).unwrap()) {
        bytes.push(byte);
        if byte == 0xff {
            bytes.push(0);
        }
    }
    bytes.extend([0xff, 0xd9]);
    bytes
}

/// EXIF data that say which side is up, 1 to 8.
pub(crate) fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    bytes.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// A JPEG with EXIF data put in.
pub(crate) fn turned_jpeg(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif = exif(orientation);
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe1, 0, (2 + 6 + exif.len()) as u8];
    bytes.extend(b"Exif\0\0");
    bytes.extend(exif);
    bytes.extend(&jpeg[2..]);
    bytes
}

/// A PNG with EXIF data put in before the pixels or behind.
pub(crate) fn turned_png(png: &[u8], orientation: u8, behind: bool) -> Vec<u8> {
    let mut chunk = b"eXIf".to_vec();
    chunk.extend(exif(orientation));
    let mut checksum = flate2::Crc::new();
    checksum.update(&chunk);
    let mut whole = ((chunk.len() - 4) as u32).to_be_bytes().to_vec();
    whole.extend(&chunk);
    whole.extend(checksum.sum().to_be_bytes());
    // The header is 8 + 25 bytes, the end 12.
    let at = if behind { png.len() - 12 } else { 33 };
    [&png[..at], &whole, &png[at..]].concat()
}
