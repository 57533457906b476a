//! What stands in for `folder` in a build without the feature `images`.

use super::{LoadError, Loaded, Request};
use crate::run::Observer;
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

/// Refuses: pictures cannot be decoded.
pub(super) fn load(_: &Request<'_>, _: &mut dyn Observer) -> Result<Loaded, LoadError> {
    Err(PicturesError::WithoutImages.into())
}

#[cfg(test)]
mod tests {
    use super::super::{Request, load};
    use crate::run::{ImagesConfig, Silent};

    #[test]
    fn a_folder_of_pictures_is_refused_naming_the_feature() {
        let images = ImagesConfig::default();
        let request = Request { name: "folder", directory: None, images: &images, room: None };
        let error = load(&request, &mut Silent).unwrap_err().to_string();
        assert!(error.contains("the feature `images`"), "{error}");
    }
}
