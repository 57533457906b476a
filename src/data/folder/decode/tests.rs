//! Every format, depth and kind of colour.

use super::super::samples::*;
use super::*;
use image::{GrayAlphaImage, GrayImage, ImageBuffer, Luma, LumaA, Rgb, Rgba, RgbaImage, imageops};

fn read(bytes: &[u8]) -> RgbImage {
    Reading::default().read(bytes).unwrap()
}

fn error(bytes: &[u8]) -> String {
    Reading::default().read(bytes).unwrap_err().to_string()
}

/// Whether all values differ by at most `most`.
fn near(a: &RgbImage, b: &RgbImage, most: u8) -> bool {
    a.dimensions() == b.dimensions() && a.iter().zip(b.iter()).all(|(a, b)| a.abs_diff(*b) <= most)
}

#[test]
fn every_format_is_known_by_content_and_read() {
    for (format, bytes) in each() {
        assert_eq!(Format::of(&bytes[..Format::START.min(bytes.len())]).map(ImageFormat::from), Some(format));
        if format == ImageFormat::Jpeg {
            let plain = encode(RgbImage::from_pixel(9, 5, Rgb([200, 30, 60])), format);
            assert!(near(&read(&plain), &RgbImage::from_pixel(9, 5, Rgb([200, 30, 60])), 4));
        } else {
            assert_eq!(read(&bytes), flag(), "{format:?}");
        }
        assert_eq!(Reading::default().header(&bytes).unwrap(), Header { size: [3, 2], grey: false }, "{format:?}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_refused_in_every_format() {
    let noise = RgbImage::from_fn(40, 40, |x, y| Rgb([(x * y % 251) as u8, (x * 7 + y) as u8, (x ^ y) as u8]));
    for (format, _) in each() {
        let bytes = encode(noise.clone(), format);
        for keep in [bytes.len() / 4, bytes.len() / 2, bytes.len() * 9 / 10] {
            assert!(Reading::default().read(&bytes[..keep]).is_err(), "{format:?}, {keep} of {}", bytes.len());
        }
    }
    assert!(error(b"").contains("empty"));
    assert!(error(b"<html>404</html>").contains("not a picture"));
}

#[test]
fn grey_sixteen_bits_and_alpha_become_eight_bits_on_a_background() {
    use ImageFormat::{Png, Tiff};
    for format in [Png, Tiff] {
        let wide = ImageBuffer::<Luma<u16>, Vec<u16>>::from_pixel(2, 1, Luma([0x8080]));
        assert_eq!(read(&encode(wide, format)).get_pixel(0, 0).0, [0x80; 3]);
        let wide = ImageBuffer::<Rgb<u16>, Vec<u16>>::from_pixel(2, 1, Rgb([0xffff, 0x0101, 0]));
        assert_eq!(read(&encode(wide, format)).get_pixel(1, 0).0, [255, 1, 0]);
        let grey = encode(GrayImage::from_pixel(2, 1, Luma([77])), format);
        assert_eq!(read(&grey).get_pixel(1, 0).0, [77; 3]);
        assert!(Reading::default().header(&grey).unwrap().grey);
    }
    let clear = encode(RgbaImage::from_pixel(1, 1, Rgba([200, 0, 0, 0])), Png);
    let half = encode(RgbaImage::from_pixel(1, 1, Rgba([200, 0, 0, 51])), Png);
    let reading = Reading { background: [0, 100, 50], ..Reading::default() };
    assert_eq!((read(&clear).into_raw(), reading.read(&clear).unwrap().into_raw()), (vec![255; 3], vec![0, 100, 50]));
    assert_eq!(reading.read(&half).unwrap().into_raw(), [40, 80, 40]);
    let grey = encode(GrayAlphaImage::from_pixel(1, 1, LumaA([10, 0])), Png);
    assert_eq!(reading.read(&grey).unwrap().into_raw(), [0, 100, 50]);
    let wide = encode(ImageBuffer::<Rgba<u16>, Vec<u16>>::from_pixel(1, 1, Rgba([0, 0, 0, 0])), Png);
    assert_eq!(reading.read(&wide).unwrap().into_raw(), [0, 100, 50]);
}

#[test]
fn transparent_borders_do_not_bleed_into_a_smaller_picture() {
    // Black where it cannot be seen: only the background may show there.
    let picture = RgbaImage::from_fn(8, 8, |x, _| if x < 4 { Rgba([0, 0, 0, 0]) } else { Rgba([255; 4]) });
    let reading = Reading { resize: Some([2, 2]), ..Reading::default() };
    let small = reading.read(&encode(picture, ImageFormat::Png)).unwrap();
    assert!(small.iter().all(|&value| value == 255), "{small:?}");
}

#[test]
fn palettes_of_png_and_tiff_are_looked_up() {
    for bits in [4, 8] {
        let picture = read(&palette_tiff(bits));
        let [red, blue] = [[255, 0, 0], [0, 0, 255]];
        assert_eq!(picture.into_raw(), [red, blue, blue, red].concat(), "{bits} bits");
    }
    // A GIF is all palette; so is this PNG of two bits: one row, numbers 0, 1, 2, 3.
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(data);
        [&(data.len() as u32).to_be_bytes(), &kind[..], data, &sum.sum().to_be_bytes()].concat()
    };
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &[0, 0b00_01_10_11]).unwrap();
    let png = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 0, 0, 0]),
        chunk(b"PLTE", &[1, 2, 3, 40, 50, 60, 7, 8, 9, 10, 11, 12]),
        chunk(b"tRNS", &[255, 0]),
        chunk(b"IDAT", &packed.finish().unwrap()),
        chunk(b"IEND", &[]),
    ];
    assert_eq!(read(&png.concat()).into_raw(), [1, 2, 3, 255, 255, 255, 7, 8, 9, 10, 11, 12]);
}

#[test]
fn unusual_tiffs_are_read_or_refused_with_a_reason() {
    let page = |bits: &[u16], photometric, samples, more: &[(u16, u16, Vec<u8>)], pixels: &[u8]| {
        let mut tags = vec![shorts(258, bits), shorts(262, &[photometric]), shorts(277, &[samples])];
        tags.extend_from_slice(more);
        tiff(2, 1, &tags, pixels)
    };
    // Four inks: full cyan; half black.
    let inks = page(&[8; 4], 5, 4, &[], &[255, 0, 0, 0, 0, 0, 0, 128]);
    assert!(near(&read(&inks), &RgbImage::from_raw(2, 1, vec![0, 255, 255, 127, 127, 127]).unwrap(), 1));
    let bits = page(&[1], 1, 1, &[], &[0b0100_0000]);
    assert_eq!(read(&bits).into_raw(), [0, 0, 0, 255, 255, 255]);
    let inverted = page(&[8], 0, 1, &[], &[0, 200]);
    assert_eq!(read(&inverted).into_raw(), [255, 255, 255, 55, 55, 55]);
    let four = page(&[4], 1, 1, &[], &[0x0f]);
    assert_eq!(read(&four).into_raw(), [0, 0, 0, 255, 255, 255]);
    let layered = page(&[8, 8], 1, 2, &[shorts(338, &[2])], &[10, 255, 10, 0]);
    assert_eq!(read(&layered).into_raw(), [10, 10, 10, 255, 255, 255]);
    let float = |values: [f32; 2]| page(&[32], 1, 1, &[shorts(339, &[3])], &values.map(f32::to_le_bytes).concat());
    assert_eq!(read(&float([0.0, 1.0])).into_raw(), [0, 0, 0, 255, 255, 255]);
    assert!(error(&float([0.0, 200.0])).contains("floating-point value 200"));
    assert!(error(&float([0.0, f32::NAN])).contains("NaN"));
    let colours = [0.0, 0.5, 3.0, 0.0, 0.0, 0.0f32].map(f32::to_le_bytes).concat();
    assert!(error(&page(&[32; 3], 2, 3, &[shorts(339, &[3; 3])], &colours)).contains("floating-point value 3"));
    let big = page(&[8; 3], 8, 3, &[], &[0; 6]);
    assert!(!error(&big).is_empty());
    let mut short = palette_tiff(8);
    // A pixel beyond the palette's colours: the palette tells of fewer.
    let at = short.windows(4).position(|bytes| bytes == [0x40, 1, 3, 0]).unwrap();
    short[at + 4..at + 8].copy_from_slice(&6u32.to_le_bytes());
    assert!(error(&short).contains("the palette only 2 colours"), "{}", error(&short));
}

#[test]
fn jpegs_of_four_inks_are_read_as_adobe_stores_them() {
    // Inverted: 255 is no ink.
    let picture = read(&ink_jpeg([255, 100, 0, 255], Some(0)));
    assert!(near(&picture, &RgbImage::from_pixel(8, 8, Rgb([255, 100, 0])), 2), "{:?}", picture.get_pixel(0, 0));
    let dark = read(&ink_jpeg([255, 255, 255, 51], Some(0)));
    assert!(near(&dark, &RgbImage::from_pixel(8, 8, Rgb([51; 3])), 2), "{:?}", dark.get_pixel(0, 0));
    // The first three as luma and chroma of the inks, which are stored inverted once more.
    let luma = read(&ink_jpeg([55, 128, 128, 255], Some(2)));
    assert!(near(&luma, &RgbImage::from_pixel(8, 8, Rgb([200; 3])), 2), "{:?}", luma.get_pixel(0, 0));
    assert!(error(&ink_jpeg([255, 100, 0, 255], None)).contains("Adobe"));
    // Grey that Adobe's programs wrote.
    let grey = encode(GrayImage::from_pixel(8, 8, Luma([90])), ImageFormat::Jpeg);
    let marked = [&grey[..2], b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0", &grey[2..]].concat();
    assert!(near(&read(&marked), &RgbImage::from_pixel(8, 8, Rgb([90; 3])), 1));
}

#[test]
fn samples_of_fewer_values_are_spread_and_bits_are_black_and_white() {
    assert_eq!(read(b"P2\n# few\n3 1\n15\n0 5 15\n").into_raw(), [[0; 3], [85; 3], [255; 3]].concat());
    assert_eq!(read(b"P3 1 1 3\n0 1 3\n").into_raw(), [0, 85, 255]);
    assert_eq!(read(b"P5 2 1 1023\n\x03\xff\x00\x00").into_raw(), [255, 255, 255, 0, 0, 0]);
    assert_eq!(read(b"P1\n2 1\n1 0\n").into_raw(), [0, 0, 0, 255, 255, 255]);
    assert_eq!(read(b"P4\n2 1\n\x80").into_raw(), [0, 0, 0, 255, 255, 255]);
    let pam = b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n\x05\x00";
    assert_eq!(read(pam).into_raw(), [255; 3]);
}

#[test]
fn orientation_is_obeyed_in_every_format_that_has_it() {
    let picture = RgbImage::from_fn(16, 8, |x, _| Rgb([if x < 8 { 250 } else { 5 }; 3]));
    let upright = imageops::rotate90(&picture);
    let jpeg = turned_jpeg(&encode(picture.clone(), ImageFormat::Jpeg), 6);
    assert!(near(&read(&jpeg), &upright, 8));
    assert_eq!(Reading::default().header(&jpeg).unwrap().size, [8, 16]);
    let png = encode(picture.clone(), ImageFormat::Png);
    for behind in [false, true] {
        assert_eq!(read(&turned_png(&png, 6, behind)), upright);
    }
    assert_eq!(read(&turned_png(&png, 3, false)), imageops::rotate180(&picture));
    assert_eq!(read(&turned_png(&png, 9, false)), picture, "there is no ninth");
    let turned = tiff(2, 1, &[shorts(258, &[8]), shorts(262, &[1]), shorts(277, &[1]), shorts(274, &[2])], &[3, 4]);
    assert_eq!(read(&turned).into_raw(), [4, 4, 4, 3, 3, 3]);
    // WebP with EXIF data is an extended file: its header, the picture, then the data.
    let plain = encode(picture, ImageFormat::WebP);
    let mut chunks = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0\x0f\0\0\x07\0\0".to_vec();
    chunks.extend(&plain[12..]);
    chunks.extend(b"EXIF");
    chunks.extend((exif(6).len() as u32).to_le_bytes());
    chunks.extend(exif(6));
    let webp = [&b"RIFF"[..], &(chunks.len() as u32).to_le_bytes(), &chunks].concat();
    assert_eq!(read(&webp), upright);
    // The turn comes before the size.
    let reading = Reading { resize: Some([4, 2]), ..Reading::default() };
    let small = reading.read(&turned_png(&png, 6, false)).unwrap();
    assert!(small.get_pixel(0, 0)[0] > 240 && small.get_pixel(1, 3)[0] < 15, "{small:?}");
}

#[test]
fn of_an_animation_the_first_frame_is_read() {
    let mut bytes = Vec::new();
    {
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
        for value in [[255, 0, 0, 255], [0, 0, 255, 255]] {
            encoder.encode_frame(image::Frame::new(RgbaImage::from_pixel(4, 4, Rgba(value)))).unwrap();
        }
    }
    assert_eq!(read(&bytes), RgbImage::from_pixel(4, 4, Rgb([255, 0, 0])));
}

#[test]
fn a_picture_with_more_pixels_than_allowed_is_refused_by_its_header() {
    let reading = Reading { most_pixels: 5, ..Reading::default() };
    for (format, bytes) in each() {
        let error = reading.read(&bytes).unwrap_err();
        assert!(matches!(error, PictureError::TooManyPixels { size: [3, 2], limit: 5 }), "{format:?}: {error}");
        assert!(error.to_string().contains("data.most_pixels"), "{error}");
    }
    let mut huge = encode(flag(), ImageFormat::Png);
    // The width in the header, at byte 16, says two thousand million.
    huge[16..20].copy_from_slice(&0x7fff_ffffu32.to_be_bytes());
    assert!(Reading::default().read(&huge).is_err());
    let mut nothing = encode(flag(), ImageFormat::Gif);
    nothing[6..8].fill(0);
    assert!(matches!(Reading::default().header(&nothing), Err(PictureError::NoPixels { size: [0, 2] })));
    let declared = b"P5 60000 60000 255\n\0\0\0";
    assert!(matches!(Reading::default().read(declared), Err(PictureError::TooManyPixels { .. })));
}
