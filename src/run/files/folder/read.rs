//! Reading the files of pictures: on all cores, a few at a time, in order.

use super::super::LoadError;
use super::found::Item;
use crate::data::{Format, Header, PictureError, Reading};
use crate::run::Observer;
use image::RgbImage;
use rayon::prelude::*;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// So many pictures are read between two signs of progress; no more wait to be put in order.
const AT_ONCE: usize = 256;

/// What a file is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// By its first bytes a picture.
    Picture(Format),
    /// By its name a picture, but not by its bytes, or there are none to be had: why.
    Bad(String),
    /// Something else.
    Other,
}

/// What the file is: its first bytes are read.
pub(super) fn kind(path: &Path) -> Kind {
    let promised = path.file_name().and_then(|name| name.to_str()).is_some_and(Format::promised_by);
    let otherwise = |problem: String| if promised { Kind::Bad(problem) } else { Kind::Other };
    match start(path) {
        Ok(bytes) => match Format::of(&bytes) {
            Some(format) => Kind::Picture(format),
            None if bytes.is_empty() => otherwise(PictureError::Empty.to_string()),
            None => otherwise(PictureError::Unknown.to_string()),
        },
        Err(error) => otherwise(error.to_string()),
    }
}

fn start(path: &Path) -> std::io::Result<Vec<u8>> {
    // To open a pipe or a device may wait for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(Format::START as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What each of the files is.
pub(super) fn kinds(paths: &[&Path]) -> Vec<Kind> {
    paths.par_iter().map(|path| kind(path)).collect()
}

/// The headers of all pictures that are not bad yet; what cannot be read is then.
pub(super) fn headers(items: &mut [Item], reading: &Reading, observer: &mut dyn Observer) -> Vec<Option<Header>> {
    let mut headers = Vec::with_capacity(items.len());
    each(items, "look at pictures", observer, |bytes| reading.header(bytes), |_, header| headers.push(header));
    headers
}

/// Decodes all pictures that are not bad yet and gives them to `take`, in order and with their numbers.
pub(super) fn pictures(
    items: &mut [Item],
    reading: &Reading,
    observer: &mut dyn Observer,
    mut take: impl FnMut(&Item, RgbImage),
) {
    let taken = |item: &Item, picture: Option<RgbImage>| {
        if let Some(picture) = picture {
            take(item, picture);
        }
    };
    each(items, "read pictures", observer, |bytes| reading.read(bytes), taken);
}

fn each<T: Send>(
    items: &mut [Item],
    stage: &str,
    observer: &mut dyn Observer,
    read: impl Fn(&[u8]) -> Result<T, PictureError> + Sync,
    mut take: impl FnMut(&Item, Option<T>),
) {
    observer.begin(stage, items.len() as u64);
    let mut done = 0;
    for some in items.chunks_mut(AT_ONCE) {
        let one = |item: &Item| match item.bad {
            Some(_) => Ok(None),
            None => bytes(&item.path).and_then(|bytes| read(&bytes).map_err(|error| error.to_string())).map(Some),
        };
        let results: Vec<Result<Option<T>, String>> = some.par_iter().map(one).collect();
        for (item, result) in some.iter_mut().zip(results) {
            match result {
                Ok(result) => take(item, result),
                Err(problem) => {
                    item.bad = Some(problem);
                    take(item, None);
                }
            }
        }
        done += some.len() as u64;
        observer.step(done, None);
    }
    observer.end();
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    super::super::place::read(path).map_err(|error| match error {
        // The path is said by whoever lists the problem.
        LoadError::Io { source, .. } => source.to_string(),
        other => other.to_string(),
    })
}
