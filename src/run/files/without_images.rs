//! What stands in for `folder` in a build without the feature `images`.

mod error;

pub use error::PicturesError;

use super::{LoadError, Loaded, Request};
use crate::run::Observer;

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
