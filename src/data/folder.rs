//! Pictures sorted into classes: PNG or JPEG files, a folder a class.

use super::{DataError, Dataset, Images, MAX_BYTES, split};
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use std::collections::BTreeSet;
use std::io::Cursor;

/// The widest and highest picture read.
const MAX_SIDE: u32 = 4096;
/// What one picture may take to decode: 16 bits of red, green, blue and alpha at the largest size.
const MAX_DECODED: u64 = 8 * (MAX_SIDE as u64) * (MAX_SIDE as u64);

/// To which part of the dataset a picture belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It is to be trained on; or all pictures are, and a fifth will be split off.
    Train,
    /// It is to be tested on.
    Test,
}

/// Gathers pictures one by one, so that only one is ever there in full, into a dataset.
///
/// If every pixel of every picture is grey the images have one channel, else three. 16-bit
/// pictures are read as 8-bit ones, an animation's first frame counts, and a note in a JPEG on which
/// side is up is not followed.
#[derive(Debug, Default)]
pub struct Folder {
    /// The first file, its width and height: all others must have the same size.
    first: Option<(String, [u32; 2])>,
    /// Pixels of all pictures, planar; one plane a picture while all are grey, then three.
    pixels: Vec<u8>,
    colour: bool,
    entries: Vec<(Part, String)>,
}

impl Folder {
    /// No pictures yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the picture in `bytes` (PNG or JPEG); `file` is its name, for errors. Images keep the
    /// order in which they were added.
    ///
    /// # Errors
    /// If it cannot be decoded, has more than 4096 pixels a side, is transparent anywhere or of
    /// another size than the pictures before; or if all are more than [`MAX_BYTES`] together.
    pub fn add(&mut self, part: Part, class: &str, file: &str, bytes: &[u8]) -> Result<(), DataError> {
        let picture = |source| DataError::Picture { file: file.into(), source };
        let mut reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|error| picture(image::ImageError::IoError(error)))?;
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_SIDE);
        limits.max_image_height = Some(MAX_SIDE);
        limits.max_alloc = Some(MAX_DECODED);
        reader.limits(limits);
        let decoder = reader.into_decoder().map_err(picture)?;
        let size = decoder.dimensions().into();
        // Before decoding: a picture of another size is not worth the memory.
        self.check_size(file, size)?;
        let decoded = DynamicImage::from_decoder(decoder).map_err(picture)?;
        if decoded.color().has_alpha() && decoded.to_rgba8().pixels().any(|pixel| pixel[3] != 255) {
            return Err(DataError::Transparent { file: file.into() });
        }
        self.push(&decoded.into_rgb8(), file, size)?;
        self.entries.push((part, class.into()));
        Ok(())
    }

    fn check_size(&self, file: &str, size: [u32; 2]) -> Result<(), DataError> {
        match &self.first {
            Some((first, first_size)) if *first_size != size => {
                Err(DataError::PictureSizes { first: first.clone(), first_size: *first_size, file: file.into(), size })
            }
            _ => Ok(()),
        }
    }

    /// Appends a picture's planes.
    fn push(&mut self, picture: &image::RgbImage, file: &str, size: [u32; 2]) -> Result<(), DataError> {
        let plane = picture.width() as usize * picture.height() as usize;
        let colour = self.colour || picture.pixels().any(|pixel| pixel[0] != pixel[1] || pixel[0] != pixel[2]);
        let channels = if colour { 3 } else { 1 };
        let needed = (self.entries.len() as u128 + 1) * (plane * channels) as u128;
        if needed > u128::from(MAX_BYTES) {
            return Err(DataError::TooLarge { needed, limit: MAX_BYTES });
        }
        if colour && !self.colour {
            // The first picture in colour: those before have three planes alike from now on.
            self.pixels = self.pixels.chunks_exact(plane).flat_map(|grey| [grey; 3].concat()).collect();
            self.colour = true;
        }
        for channel in 0..channels {
            self.pixels.extend(picture.pixels().map(|pixel| pixel[channel]));
        }
        self.first.get_or_insert_with(|| (file.into(), size));
        Ok(())
    }

    /// The dataset `name` from `source` of all pictures added. Classes are sorted by name. Without
    /// pictures for [`Part::Test`] a stratified fifth is the test part, the same for every seed.
    ///
    /// # Errors
    /// If there are no pictures, or too few to split, fewer than two classes, or a class without
    /// training pictures.
    pub fn finish(self, name: &str, source: &str) -> Result<Dataset, DataError> {
        let Some((_, [width, height])) = self.first else { return Err(DataError::Empty) };
        let classes: Vec<String> =
            self.entries.iter().map(|(_, class)| class.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        if classes.len() < 2 {
            return Err(DataError::FewClasses { found: classes });
        }
        let trained: BTreeSet<&String> =
            self.entries.iter().filter(|(part, _)| *part == Part::Train).map(|(_, class)| class).collect();
        if let Some(class) = classes.iter().find(|class| !trained.contains(class)) {
            return Err(DataError::NoTraining { class: class.clone() });
        }
        // Every class is in the list, since the list was made of them.
        let label = |class: &String| classes.binary_search(class).map_or(u32::MAX, |label| label as u32);
        let labels = self.entries.iter().map(|(_, class)| label(class)).collect();
        let of = |wanted| {
            let matches = self.entries.iter().enumerate().filter(move |(_, (part, _))| *part == wanted);
            matches.map(|(index, _)| index as u32).collect::<Vec<_>>()
        };
        let (train, test) = (of(Part::Train), of(Part::Test));
        let shape = [if self.colour { 3 } else { 1 }, height as usize, width as usize];
        let all = Images::new(shape, self.pixels, labels, classes)?;
        let (train, test) = match test.is_empty() {
            true => split::test_fifth(&all)?,
            false => (all.subset(&train)?, all.subset(&test)?),
        };
        Dataset::new(name, source, train, test)
    }
}

/// The bytes of a PNG file of one colour, for tests.
#[cfg(test)]
pub(crate) fn png(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::RgbImage::from_pixel(width, height, image::Rgb(colour))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, Rgba, RgbaImage};

    const GREY: [u8; 3] = [9, 9, 9];

    fn encode(picture: DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn grey_pictures_have_one_channel_and_one_in_colour_makes_it_three() {
        let mut folder = Folder::new();
        for i in 0..10 {
            folder.add(Part::Train, ["b", "a"][i % 2], "x.png", &png(3, 2, [i as u8; 3])).unwrap();
        }
        let grey = folder.finish("x", "").unwrap();
        assert_eq!((grey.train.shape(), grey.train.count(), grey.test.count()), ([1, 2, 3], 8, 2));
        assert_eq!(grey.train.classes(), ["a", "b"]);
        assert_eq!(grey.test.class_counts(), [1, 1]);

        let mut folder = Folder::new();
        folder.add(Part::Train, "a", "1.png", &png(2, 1, GREY)).unwrap();
        folder.add(Part::Train, "b", "2.png", &png(2, 1, [1, 2, 3])).unwrap();
        folder.add(Part::Test, "a", "3.png", &png(2, 1, GREY)).unwrap();
        let colour = folder.finish("x", "").unwrap();
        assert_eq!(colour.train.pixels(), [9, 9, 9, 9, 9, 9, 1, 1, 2, 2, 3, 3]);
        assert_eq!((colour.test.labels(), colour.test.pixels()), (&[0][..], &[9; 6][..]));
    }

    #[test]
    fn jpeg_and_opaque_alpha_are_read_and_transparency_is_not() {
        let mut folder = Folder::new();
        let jpeg = encode(DynamicImage::new_luma8(4, 4), ImageFormat::Jpeg);
        folder.add(Part::Train, "a", "1.jpg", &jpeg).unwrap();
        let alpha = |a| encode(RgbaImage::from_pixel(4, 4, Rgba([5, 5, 5, a])).into(), ImageFormat::Png);
        folder.add(Part::Train, "a", "2.png", &alpha(255)).unwrap();
        let error = folder.add(Part::Train, "a", "3.png", &alpha(254)).unwrap_err();
        assert!(matches!(error, DataError::Transparent { file } if file == "3.png"));
    }

    #[test]
    fn pictures_of_different_sizes_are_both_named() {
        let mut folder = Folder::new();
        folder.add(Part::Train, "a", "a/one.png", &png(3, 2, GREY)).unwrap();
        let error = folder.add(Part::Train, "b", "b/two.png", &png(3, 4, GREY)).unwrap_err().to_string();
        assert!(error.starts_with("a/one.png is 3 x 2 pixels (width x height) but b/two.png is 3 x 4"), "{error}");
    }

    #[test]
    fn bad_pictures_are_named() {
        let whole = png(8, 8, [1, 2, 3]);
        let mut huge = whole.clone();
        // The width in the PNG header, at byte 16, says two thousand million.
        huge[16..20].copy_from_slice(&0x7fff_ffffu32.to_be_bytes());
        let wide = png(MAX_SIDE + 1, 1, GREY);
        for bytes in [&whole[..whole.len() / 2], b"GIF89a", b"", &huge, &wide] {
            let error = Folder::new().add(Part::Train, "a", "bad.png", bytes).unwrap_err();
            assert!(matches!(&error, DataError::Picture { file, .. } if file == "bad.png"), "{error}");
        }
    }

    #[test]
    fn classes_must_be_several_and_trained() {
        assert!(matches!(Folder::new().finish("x", ""), Err(DataError::Empty)));
        let mut folder = Folder::new();
        folder.add(Part::Train, "a", "1.png", &png(1, 1, GREY)).unwrap();
        folder.add(Part::Test, "b", "2.png", &png(1, 1, GREY)).unwrap();
        assert!(matches!(folder.finish("x", ""), Err(DataError::NoTraining { class }) if class == "b"));
        let mut folder = Folder::new();
        folder.add(Part::Train, "a", "1.png", &png(1, 1, GREY)).unwrap();
        assert!(matches!(folder.finish("x", ""), Err(DataError::FewClasses { found }) if found == ["a"]));
    }
}
