//! Pictures sorted into classes: from the bytes of files to a dataset.

mod decode;
mod format;
mod picture_error;
mod resize;
mod role;
mod table;
mod tiff;

pub use decode::Header;
pub use format::Format;
pub use picture_error::PictureError;
pub use role::Role;
pub use table::{Row, Table};

use super::{DataError, Dataset, Images, MAX_BYTES, Reading, split};
use image::RgbImage;
use std::collections::{BTreeMap, BTreeSet};
use unicode_normalization::UnicodeNormalization;

/// To which part of the dataset a picture belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// It is to be trained on; or all pictures are, and a fifth will be split off.
    Train,
    /// It is to be tested on.
    Test,
}

/// A class's name in Unicode's composed form. Archives made on macOS hold the decomposed one: to people the two are
/// one name, and folders of both are one class.
pub fn class_name(name: &str) -> String {
    name.nfc().collect()
}

/// Gathers pictures one by one, so that only one is ever there in full, into a dataset.
///
/// If every pixel of every picture is grey the images have one channel, else three.
#[derive(Debug, Default)]
pub struct Folder {
    /// The first file, its width and height: all others must have the same size.
    first: Option<(String, [u32; 2])>,
    colour: bool,
    /// Numbers of the classes, in the order of their first pictures.
    classes: BTreeMap<String, u32>,
    train: Gathered,
    test: Gathered,
}

/// Pictures of one part.
#[derive(Debug, Default)]
struct Gathered {
    /// Planar; one plane a picture while all are grey, then three.
    pixels: Vec<u8>,
    /// Numbers of classes.
    labels: Vec<u32>,
}

impl Folder {
    /// No pictures yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes and adds the picture in `bytes`; `file` is its name, for errors.
    ///
    /// # Errors
    /// If it cannot be decoded, and as [`Folder::push`].
    pub fn add(
        &mut self,
        part: Part,
        class: &str,
        file: &str,
        bytes: &[u8],
        reading: &Reading,
    ) -> Result<(), DataError> {
        let picture = reading.read(bytes).map_err(|source| DataError::Picture { file: file.into(), source })?;
        self.push(part, class, file, &picture)
    }

    /// Adds a picture; `file` is its name, for errors. Images keep the order in which they were added.
    ///
    /// # Errors
    /// If its size is another than that of the pictures before, or all are more than [`MAX_BYTES`] together.
    pub fn push(&mut self, part: Part, class: &str, file: &str, picture: &RgbImage) -> Result<(), DataError> {
        let size: [u32; 2] = picture.dimensions().into();
        match &self.first {
            Some((first, first_size)) if *first_size != size => {
                let (first, first_size) = (first.clone(), *first_size);
                return Err(DataError::PictureSizes { first, first_size, file: file.into(), size });
            }
            _ => {}
        }
        let plane = size[0] as usize * size[1] as usize;
        let colour = self.colour || picture.pixels().any(|pixel| pixel[0] != pixel[1] || pixel[0] != pixel[2]);
        let channels = if colour { 3 } else { 1 };
        let needed = (self.count() as u128 + 1) * (plane * channels) as u128;
        if needed > u128::from(MAX_BYTES) {
            return Err(DataError::TooLarge { needed, limit: MAX_BYTES });
        }
        if colour && !self.colour {
            // The first picture in colour: those before have three planes alike from now on.
            for pixels in [&mut self.train.pixels, &mut self.test.pixels] {
                *pixels = pixels.chunks_exact(plane.max(1)).flat_map(|grey| [grey; 3]).flatten().copied().collect();
            }
            self.colour = true;
        }
        let next = self.classes.len() as u32;
        let label = match self.classes.get(class) {
            Some(&label) => label,
            None => *self.classes.entry(class_name(class)).or_insert(next),
        };
        let gathered = if part == Part::Train { &mut self.train } else { &mut self.test };
        for channel in 0..channels {
            gathered.pixels.extend(picture.pixels().map(|pixel| pixel[channel]));
        }
        gathered.labels.push(label);
        self.first.get_or_insert_with(|| (file.into(), size));
        Ok(())
    }

    /// Number of pictures added.
    pub fn count(&self) -> usize {
        self.train.labels.len() + self.test.labels.len()
    }

    /// Number of classes that have pictures.
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    /// The dataset `name` from `source` of all pictures added. Classes are sorted by name, character by character.
    /// Without pictures for [`Part::Test`] a stratified fifth is the test part, the same for every seed.
    ///
    /// # Errors
    /// If there are no pictures, or too few to split, fewer than two classes, or a class without
    /// training pictures.
    pub fn finish(self, name: &str, source: &str) -> Result<Dataset, DataError> {
        let Some((_, [width, height])) = self.first else { return Err(DataError::Empty) };
        let classes: Vec<String> = self.classes.keys().cloned().collect();
        if classes.len() < 2 {
            return Err(DataError::FewClasses { found: classes });
        }
        let trained: BTreeSet<u32> = self.train.labels.iter().copied().collect();
        if let Some((class, _)) = self.classes.iter().find(|(_, number)| !trained.contains(number)) {
            return Err(DataError::NoTraining { class: class.clone() });
        }
        let mut sorted = vec![0; classes.len()];
        self.classes.values().enumerate().for_each(|(place, &number)| sorted[number as usize] = place as u32);
        let shape = [if self.colour { 3 } else { 1 }, height as usize, width as usize];
        let images = |part: Gathered| {
            let labels = part.labels.iter().map(|&number| sorted[number as usize]).collect();
            Images::new(shape, part.pixels, labels, classes.clone())
        };
        let (train, test) = match self.test.labels.is_empty() {
            true => split::test_fifth(&images(self.train)?)?,
            false => (images(self.train)?, images(self.test)?),
        };
        Dataset::new(name, source, train, test)
    }
}

/// The bytes of a PNG file of one colour, for tests.
#[cfg(test)]
pub(crate) fn png(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(width, height, image::Rgb(colour))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

/// Whole small files of every format and of unusual kinds, for tests.
#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests;
