//! What is wrong with a description, and where: line, key, and the line itself.

use std::ops::Range;

/// Longest description that is read, in bytes.
pub(super) const LONGEST: usize = 1 << 20;

/// Why a description of stages cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// More than any description takes: something else was named by mistake.
    #[error("a description of {bytes} bytes is too long: {LONGEST} are the most")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Something that is not TOML, not of this format, or not a network.
    #[error("line {line}{}: {problem}\n{excerpt}", .key.as_ref().map_or(String::new(), |key| format!(", `{key}`")))]
    At {
        /// The line, from 1.
        line: usize,
        /// The key whose value is wrong, where it is one key's.
        key: Option<String>,
        /// What is wrong and what would do.
        problem: String,
        /// The line with a mark under what is meant.
        excerpt: String,
    },
}

impl DescriptionError {
    /// The error at `span` (bytes of `text`).
    pub(super) fn at(text: &str, span: &Range<usize>, key: Option<&str>, problem: impl Into<String>) -> Self {
        let start = floor(text, span.start);
        let before = &text[..start];
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        let content = text.split('\n').nth(line).unwrap_or_default().trim_end_matches('\r');
        let meant = text[start..floor(text, span.end.max(start))].split('\n').next().unwrap_or_default();
        let marks = "^".repeat(meant.trim_end().chars().count().max(1));
        let number = (line + 1).to_string();
        let gutter = " ".repeat(number.len());
        let excerpt = format!("{gutter} |\n{number} | {content}\n{gutter} | {}{marks}", " ".repeat(column));
        Self::At { line: line + 1, key: key.map(str::to_owned), problem: problem.into(), excerpt }
    }

    /// What the TOML reader says, with the key whose value it read.
    pub(super) fn of_toml(text: &str, error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or(0..0);
        let line = text[..floor(text, span.start)].rsplit('\n').next().unwrap_or_default();
        let key = line.split_once('=').map(|(key, _)| key.trim()).filter(|key| !key.is_empty());
        Self::at(text, &span, key, error.message())
    }
}

/// The last boundary between characters up to `index`.
fn floor(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}
