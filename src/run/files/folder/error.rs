//! What can be wrong with a directory of pictures.

use crate::data::MAX_BYTES;
use std::path::PathBuf;
use thiserror::Error;

/// So many things of a kind are named in a message; the others are counted.
pub(super) const NAMED: usize = 50;

/// A directory of pictures that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PicturesError {
    /// Pictures that cannot be read: all of them.
    #[error("{} of {} pictures cannot be read:\n{}\nmend or remove them, or leave them out with --skip-bad",
        grouped(.bad.len()), grouped(*.total), listing(.bad, "\n"))]
    Unreadable {
        /// Each file, and why.
        bad: Vec<String>,
        /// Number of pictures, those included.
        total: usize,
    },
    /// Pictures of several sizes, and no word of which to take.
    #[error("the {} pictures have {} sizes, from {} x {} ({smallest_file}) to {} x {} pixels (width x height; \
        {largest_file}): images must have one size; choose it with --resize 32, or --resize HEIGHTxWIDTH",
        grouped(*.total), grouped(*.sizes), .smallest[0], .smallest[1], .largest[0], .largest[1])]
    Sizes {
        /// Number of pictures.
        total: usize,
        /// Number of sizes.
        sizes: usize,
        /// Width and height of the picture with the fewest pixels.
        smallest: [u32; 2],
        /// That picture.
        smallest_file: String,
        /// Width and height of the picture with the most pixels.
        largest: [u32; 2],
        /// That picture.
        largest_file: String,
    },
    /// More pixels than there is room for.
    #[error("{} pictures of {}x{}x{} (channels, height, width) take {} bytes, but {} takes {}; {}",
        grouped(*.total), .shape[0], .shape[1], .shape[2], grouped(*.needed),
        if *.limit == MAX_BYTES as u128 { "a dataset" } else { "one part of a dataset on the device" }, grouped(*.limit),
        match .side { Some(side) => format!("--resize {side} would fit"), None => "they fit at no size".into() })]
    Room {
        /// Number of pictures: of the larger part, where that is what does not fit.
        total: usize,
        /// Channels, height and width.
        shape: [usize; 3],
        /// Bytes they take.
        needed: u128,
        /// Bytes there are.
        limit: u128,
        /// The side of the largest square size that fits.
        side: Option<u32>,
    },
    /// A name that is not Unicode.
    #[error("{}: the name is not valid Unicode; rename it", .path.display())]
    NotUnicode {
        /// The path, as far as it can be shown.
        path: PathBuf,
    },
    /// A link that leads back to where one comes from.
    #[error("{}: leads back to {}, without end; remove the link", .path.display(), .target.display())]
    Cycle {
        /// The link.
        path: PathBuf,
        /// The directory it leads to.
        target: PathBuf,
    },
    /// Folders within folders beyond reason.
    #[error("{}: folders lie more than {limit} deep in each other", .path.display())]
    Deep {
        /// The folder.
        path: PathBuf,
        /// How deep they may lie.
        limit: usize,
    },
    /// Several that claim to be the same part, or the table.
    #[error("{}: {} could each be {what}; leave one", .directory.display(), .names.join(" and "))]
    Several {
        /// Where they lie.
        directory: PathBuf,
        /// Their names.
        names: Vec<String>,
        /// What they could be.
        what: &'static str,
    },
    /// A validation or test folder, or rows of them, without anything to train on.
    #[error("{}: there are pictures to test on but none to train on", .directory.display())]
    NoTraining {
        /// Where was looked.
        directory: PathBuf,
    },
    /// Rows of a table that cannot be used: all of them.
    #[error("{}: rows that cannot be used: {}\n{}", .table.display(), grouped(.wrong.len()), listing(.wrong, "\n"))]
    Rows {
        /// The table.
        table: PathBuf,
        /// Each row's line, and why.
        wrong: Vec<String>,
    },
}

/// The first of `things`, and how many more there are.
pub(super) fn listing(things: &[String], between: &str) -> String {
    let mut text = things.iter().take(NAMED).cloned().collect::<Vec<_>>().join(between);
    if things.len() > NAMED {
        text += &format!("{between}and {} more", grouped(things.len() - NAMED));
    }
    text
}

/// A number with commas between its thousands.
pub(super) fn grouped(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let things: Vec<String> = (0..1051).map(|n| n.to_string()).collect();
        let text = listing(&things, ", ");
        assert!(text.starts_with("0, 1, 2") && text.ends_with("49, and 1,001 more"), "{text}");
        assert_eq!(listing(&things[..2], ", "), "0, 1");
        assert_eq!([7, 1234, 1_234_567].map(grouped), ["7", "1,234", "1,234,567"]);
    }
}
