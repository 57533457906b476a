//! Values as people write them: the literals of Python and of JSON, with what surrounds them where they are pasted from.
//!
//! ```text
//! value:  integer | float | 'text' | "text" | None | null | True | False
//!         [value, …] | (value, …) | {value, …} | {value: value, …} | name | name(value, key=value, …)
//! ```
//! Comments (`# …`) and line breaks may stand anywhere between, a comma after the last item. What only says which kind of
//! number or list something is (`np.int64(1)`, `tuple([…])`) is left out, and `range(2, 6)` is the list it stands for.
//! Nothing is ever evaluated.

mod find;
mod read;

pub use find::{Entry, NameError, assigned, calls, calls_with, numbers, tidied};
pub use read::read;

use std::fmt;

/// More values than the text of any architecture has.
pub const MOST_VALUES: usize = 20_000;
/// Brackets within brackets.
pub const MOST_DEPTH: usize = 32;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Where it begins, in bytes of the text.
    pub at: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A text in quotes.
    Text(String),
    /// `None`, `null`.
    Nothing,
    /// `True`, `False`.
    Boolean(bool),
    /// A list, tuple or set.
    List(Vec<Value>),
    /// Keys with values, in the order written.
    Map(Vec<(Value, Value)>),
    /// A name without quotes.
    Name(String),
    /// A function or class with what it is given: by position, or by name.
    Call {
        /// Its name, with the modules before it.
        name: String,
        /// What it is given.
        arguments: Vec<(Option<String>, Value)>,
    },
}

impl Value {
    /// The items of a list.
    pub fn list(&self) -> Option<&[Value]> {
        if let Kind::List(items) = &self.kind { Some(items) } else { None }
    }

    /// The text in quotes.
    pub fn text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }

    /// A number from 0, also one written as `2.0`.
    pub fn index(&self) -> Option<usize> {
        match self.kind {
            Kind::Integer(number) => usize::try_from(number).ok(),
            Kind::Float(number) if number.fract() == 0.0 && (0.0..1e6).contains(&number) => Some(number as usize),
            _ => None,
        }
    }
}

/// Where a text goes wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: expected {expected}, found {found}")]
pub struct SyntaxError {
    /// Where.
    pub place: Place,
    /// What would have been right.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl SyntaxError {
    /// What is wrong at a byte of a text.
    pub fn new(text: &str, at: usize, expected: impl Into<String>) -> Self {
        let rest = text.get(at..).unwrap_or_default();
        let shown: String = rest.chars().take(20).collect();
        let found = match shown.len() {
            0 => "the end".to_owned(),
            length => format!("`{shown}{}`", if length < rest.len() { "…" } else { "" }),
        };
        Self { place: Place::of(text, at), expected: expected.into(), found }
    }
}

/// A place in a text, counted in characters from 1; with its line where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1; 0 if there is only one.
    pub line: usize,
    /// The character in the line, from 1.
    pub character: usize,
}

impl Place {
    /// The place of a byte of a text.
    pub fn of(text: &str, at: usize) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let several = text.trim_end().contains('\n');
        Self { line: if several { line } else { 0 }, character: before[start..].chars().count() + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, ", self.line)?;
        }
        write!(f, "character {}", self.character)
    }
}

#[cfg(test)]
mod tests;
