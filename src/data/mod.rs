//! Datasets as plain bytes: labelled images, the parsers of the usual formats, splits and the order
//! of batches.
//!
//! Everything here takes and returns bytes or indices: files are opened by `run`, and nothing here
//! knows of networks. Pixels stay bytes until a batch is gathered on the device, which normalises
//! with the [`Dataset`]'s mean and standard deviation. Every random choice is a pure function of a
//! seed and a few integers, so a run resumes without replaying.

pub mod archive;
mod array;
mod augmentation;
mod batch;
mod batches;
pub mod cifar;
pub mod digits;
pub mod emnist;
mod error;
#[cfg(feature = "images")]
mod folder;
mod gzip;
pub mod idx;
mod images;
pub mod npy;
pub mod pickle;
mod picture;
pub mod pixel_rows;
mod resident;
mod scale;
pub mod split;
mod stream;

pub use array::{Array, ArrayError};
pub use augmentation::Augmentation;
pub use batch::{Batch, Draw};
pub use batches::{Batches, Fresh, Last, Shuffle};
pub use error::DataError;
#[cfg(feature = "images")]
pub use folder::{Folder, Format, Header, Part, PictureError, Role, Row, Table, class_name};
pub(crate) use gzip::gunzip;
pub use images::{Dataset, Images};
pub use picture::{Fit, Reading};
pub use resident::Resident;
pub use scale::Scale;

/// The most bytes of pixels one dataset may decode to: 2 GiB. Beyond it a file is taken for a
/// mistake or an attack, not for images.
pub const MAX_BYTES: u64 = 2 << 30;

#[cfg(all(test, feature = "images"))]
pub(crate) use folder::png as folder_png;
#[cfg(all(test, feature = "images"))]
mod hostile;
