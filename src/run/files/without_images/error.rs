//! What can be wrong with a directory of pictures.

use thiserror::Error;

/// A directory of pictures that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PicturesError {
    /// This build decodes no pictures.
    #[error(
        "this build cannot read folders of pictures; build it with the feature `images` (it is on by default: leave out \
         `--no-default-features`, or add `--features images`)"
    )]
    WithoutImages,
}
