//! What can be wrong with data.

use super::archive::ArchiveError;
use super::array::ArrayError;
use super::pickle::PickleError;
use thiserror::Error;

/// Data that cannot be used: what was wrong and, where it helps, what to do. The name of the file
/// is added by whoever read it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// No images at all.
    #[error("there are no images")]
    Empty,
    /// A shape with a zero in it.
    #[error("images of {}x{}x{} (channels, height, width) hold no pixels", .shape[0], .shape[1], .shape[2])]
    Shape {
        /// Channels, height, width.
        shape: [usize; 3],
    },
    /// The pixels do not divide into as many images as there are labels.
    #[error(
        "{labels} labels need {expected} bytes of pixels, but there are {found}: images and labels do not belong together"
    )]
    PixelCount {
        /// Number of labels.
        labels: usize,
        /// Bytes of pixels that so many images have.
        expected: u128,
        /// Bytes of pixels given.
        found: usize,
    },
    /// A label that names no class.
    #[error("image {index} has label {label}, but there are only {classes} classes (labels 0 to {})", .classes.saturating_sub(1))]
    Label {
        /// The first image with such a label, from 0.
        index: usize,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// More bytes than [`MAX_BYTES`](super::MAX_BYTES).
    #[error("{needed} bytes of images or labels are called for, more than the limit of {limit}")]
    TooLarge {
        /// Bytes asked for.
        needed: u128,
        /// Bytes allowed.
        limit: u64,
    },
    /// Training and test images of different shapes.
    #[error("training images are {}x{}x{} but test images {}x{}x{} (channels, height, width)",
        .train[0], .train[1], .train[2], .test[0], .test[1], .test[2])]
    ShapesDiffer {
        /// Shape of the training images.
        train: [usize; 3],
        /// Shape of the test images.
        test: [usize; 3],
    },
    /// Training and test images with different classes.
    #[error("the training set has the classes {train:?}, the test set {test:?}: they must be the same")]
    ClassesDiffer {
        /// Classes of the training images.
        train: Vec<String>,
        /// Classes of the test images.
        test: Vec<String>,
    },
    /// An index beyond the last image.
    #[error("image {index} was asked for, but there are only {count}")]
    Index {
        /// The index, from 0.
        index: usize,
        /// Number of images.
        count: usize,
    },
    /// Gzip data that do not unpack.
    #[error("the gzip data are damaged or cut off ({source}); fetch the file again")]
    Gzip {
        /// What the decoder said.
        source: std::io::Error,
    },
    /// Gzip data that unpack to more than can be right.
    #[error("the gzip data unpack to more than {limit} bytes, which cannot be right")]
    GzipTooLarge {
        /// Bytes at which unpacking stopped.
        limit: u64,
    },
    /// Not an IDX file of the wanted kind.
    #[error("not IDX {kind}: the first four bytes should be {expected:02x?} but are {found:02x?}")]
    IdxMagic {
        /// `images` or `labels`.
        kind: &'static str,
        /// The magic number wanted.
        expected: [u8; 4],
        /// The first four bytes found.
        found: [u8; 4],
    },
    /// An IDX file cut off within its header.
    #[error("cut off: the IDX header of {kind} takes {header} bytes, the file has {found}")]
    IdxHeader {
        /// `images` or `labels`.
        kind: &'static str,
        /// Bytes of the header.
        header: usize,
        /// Bytes found.
        found: usize,
    },
    /// An IDX header that declares another size than the file has.
    #[error("the IDX header declares {dimensions:?} = {declared} bytes of {kind}, but {} follow it: the file is {}",
        if *.more { format!("more than {declared}") } else { .found.to_string() },
        if *.more { "not what it says, or has bytes appended" } else { "cut off or not what it says" })]
    IdxSize {
        /// `images` or `labels`.
        kind: &'static str,
        /// Sizes in the header.
        dimensions: Vec<u32>,
        /// Their product.
        declared: u128,
        /// Bytes found after the header.
        found: usize,
        /// Whether there are more bytes than declared.
        more: bool,
    },
    /// CIFAR data of a length that no number of records has.
    #[error(
        "{length} bytes are not a whole number of {set} records of {record} bytes: {over} bytes are left over; the file is cut off or of another format"
    )]
    CifarLength {
        /// `CIFAR-10` or `CIFAR-100`.
        set: &'static str,
        /// Bytes of a record.
        record: usize,
        /// Bytes found.
        length: usize,
        /// Bytes after the last whole record.
        over: usize,
    },
    /// More CIFAR records than the dataset has images.
    #[error("more than the {limit} images that CIFAR has in all")]
    CifarCount {
        /// Images in CIFAR-10, and in CIFAR-100.
        limit: usize,
    },
    /// Labels that should be counted from 1.
    #[error("image {index} has label 0, but the letters' labels are counted from 1: not the original files")]
    LabelZero {
        /// The first image with such a label, from 0.
        index: usize,
    },
    /// A line of a table of pictures that is not a label and pixels.
    #[error("line {line}: {problem}; a line is a label, then {pixels} pixels from 0 to 255, with commas between")]
    PixelRow {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
        /// Pixels of a picture.
        pixels: usize,
    },
    /// An archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// An array in a file of several.
    #[error("array `{name}`: {source}")]
    Array {
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: ArrayError,
    },
    /// A file of arrays that lacks one.
    #[error("there is no array `{name}` in it; it holds {}", .found.join(", "))]
    NoArray {
        /// The one wanted.
        name: &'static str,
        /// The first members there are.
        found: Vec<String>,
    },
    /// A pickle.
    #[error(transparent)]
    Pickle(#[from] PickleError),
    /// A line of the digits table that is not 64 pixels and a label.
    #[error(
        "line {line} of the digits: {problem}; a line is 64 pixels from 0 to 16, then a label from 0 to 9, with commas between"
    )]
    Digits {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A picture that cannot be read.
    #[cfg(feature = "images")]
    #[error("{file}: {source}")]
    Picture {
        /// The file.
        file: String,
        /// Why.
        source: super::PictureError,
    },
    /// A table that cannot be read.
    #[error("not a table of commas and lines: {0}")]
    NotATable(String),
    /// Pictures of different sizes.
    #[error("{first} is {} x {} pixels (width x height) but {file} is {} x {}: all images must have one size; bring them to one with a resize",
        .first_size[0], .first_size[1], .size[0], .size[1])]
    PictureSizes {
        /// The first file read.
        first: String,
        /// Its width and height.
        first_size: [u32; 2],
        /// The file that differs.
        file: String,
        /// Its width and height.
        size: [u32; 2],
    },
    /// A dataset to classify needs two classes.
    #[error("there is only {found:?} as a class; classification needs at least two, each a folder of its own")]
    FewClasses {
        /// The classes found.
        found: Vec<String>,
    },
    /// A class with nothing to learn from.
    #[error("class `{class}` has test images but no training images")]
    NoTraining {
        /// The class.
        class: String,
    },
    /// A part that cannot be split off.
    #[error("{count} of {total} images cannot be split off: both parts must hold at least one")]
    Split {
        /// Images asked for.
        count: usize,
        /// Images there are.
        total: usize,
    },
    /// A batch of nothing.
    #[error("a batch needs at least one image")]
    BatchZero,
    /// A batch larger than the data.
    #[error("a batch of {batch} images is larger than the data, which are {images} images: use a smaller batch")]
    BatchTooLarge {
        /// Images a batch.
        batch: usize,
        /// Images there are.
        images: usize,
    },
}
