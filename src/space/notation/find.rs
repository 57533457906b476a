//! Finds what is meant in a text that holds more: a log, a Python file, a YAML file.

use super::{Place, SyntaxError, read};
use crate::names::nearest;

/// Names that stand for names: no file has longer chains.
const MOST_ALIASES: usize = 8;

/// A call of a function somewhere in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name it is assigned to, or the key before it.
    pub name: Option<String>,
    /// Whether a later assignment of the same name takes its place, as in Python.
    pub assigned: bool,
    /// Its line, from 1.
    pub line: usize,
    /// Where the function's name begins, in bytes.
    pub at: usize,
}

/// All calls of `function` in a text, without those in comments; if there are none else, those in comments.
pub fn calls(text: &str, function: &str) -> Vec<Entry> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let found: Vec<usize> = text
        .match_indices(function)
        .filter(|(at, _)| !text[..*at].ends_with(is_word) && text[at + function.len()..].trim_start().starts_with('('))
        .map(|(at, _)| at)
        .collect();
    entries(text, found, function)
}

/// The calls of anything whose first argument is given by the name `key`.
pub fn calls_with(text: &str, key: &str) -> Vec<Entry> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let called = |at: usize| {
        let behind = text[at + key.len()..].trim_start();
        let before = text[..at].trim_end().strip_suffix('(')?.trim_end();
        let name = before.trim_end_matches(|c| is_word(c) || c == '.').len();
        (behind.starts_with('=') && name < before.len()).then_some(name)
    };
    let found = text.match_indices(key).filter_map(|(at, _)| called(at)).collect();
    entries(text, found, "")
}

/// What begins at these places, without what stands in comments; if there is nothing else, with that.
fn entries(text: &str, found: Vec<usize>, function: &str) -> Vec<Entry> {
    let plain: Vec<usize> = found.iter().copied().filter(|&at| !in_comment(text, at)).collect();
    let chosen = if plain.is_empty() { found } else { plain };
    // Each line break is counted once, however many entries there are.
    let (mut line, mut from) = (1, 0);
    let entry = |at: usize| {
        line += text[from..at].matches('\n').count();
        from = at;
        let (name, assigned) = name_before(&text[..at], function);
        Entry { name, assigned, line, at }
    };
    chosen.into_iter().map(entry).collect()
}

/// Whether a `#` that begins a comment stands before, on the same line.
fn in_comment(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..at];
    line.match_indices('#').any(|(hash, _)| line[..hash].trim_end().len() < hash || hash == 0)
}

/// The name of an assignment (`NAME =`), or the key (`key:`), that ends a text.
fn name_before(before: &str, function: &str) -> (Option<String>, bool) {
    // The longest name counts: no text before an entry is worth more.
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let module = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
    let before = if before.ends_with('.') { module } else { before };
    let before = before.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '\\'));
    let (before, assigned) = match (before.strip_suffix('='), before.strip_suffix(':')) {
        (Some(before), _) => (before, true),
        (None, Some(before)) => (before, false),
        (None, None) => return (None, false),
    };
    let before = before.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '\'' | '"'));
    let mut name = &before[before.trim_end_matches(is_word).len()..];
    // `NAME: Genotype = …` says its type too.
    if name == function {
        let typed = before[..before.len() - name.len()].trim_end().strip_suffix(':').map(str::trim_end);
        name = typed.map_or(name, |before| &before[before.trim_end_matches(is_word).len()..]);
    }
    (Some(name.to_owned()).filter(|name| !name.is_empty()), assigned)
}

/// Why a name means nothing in a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing has this name.
    #[error("nothing is called `{name}`{}", known(.nearest, .names))]
    Unknown {
        /// The name.
        name: String,
        /// The name most like it.
        nearest: String,
        /// All names.
        names: Vec<String>,
    },
    /// What has this name cannot be read.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
}

fn known(nearest: &str, names: &[String]) -> String {
    if names.is_empty() {
        return ": nothing in it has a name".into();
    }
    format!(": did you mean `{nearest}`? (names in it: {})", names.join(", "))
}

/// The text of the value that a text assigns to `name`, the last one if there are several: `NAME = value`, `name: value`, or
/// `NAME = OTHER` with the value of the other.
///
/// # Errors
/// [`NameError`] if there is none, or what is there is no value.
pub fn assigned<'t>(text: &'t str, name: &str) -> Result<&'t str, NameError> {
    let all = assignments(text);
    let mut wanted = name;
    for _ in 0..MOST_ALIASES {
        let Some(&(_, at)) = all.iter().rev().find(|(known, _)| *known == wanted) else { break };
        let rest = &text[at..];
        let line = rest.lines().next().unwrap_or_default();
        let other = line.split('#').next().unwrap_or_default().trim();
        if all.iter().any(|(known, place)| *known == other && place != &at) && other != wanted {
            wanted = other;
            continue;
        }
        // A cell of NAS-Bench-201 may stand without quotes in YAML.
        if rest.trim_start().starts_with('|') {
            return Ok(line.trim());
        }
        let (value, end) = read(text, at)?;
        return Ok(&text[value.at..end]);
    }
    let mut names: Vec<String> = Vec::new();
    for (known, at) in &all {
        let value = text[*at..].trim_start();
        let is_value = value.starts_with(['[', '(', '{', '\'', '"', '|']) || value.contains('(');
        if is_value && !names.iter().any(|n| n == known) {
            names.push((*known).to_owned());
        }
    }
    names.truncate(200);
    Err(NameError::Unknown { name: name.to_owned(), nearest: nearest(name, &names), names })
}

/// A text as it was before a page, a mail or a JSON text was made of it: with plain quotes, without escapes.
pub fn tidied(text: &str) -> String {
    let marks = [
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&quot;", "\""),
        ("&nbsp;", " "),
        ("\\\"", "\""),
        ("\\'", "'"),
        ("\\n", "\n"),
    ];
    let quotes = ['\u{2018}', '\u{2019}', '\u{201a}', '\u{201c}', '\u{201d}', '\u{201e}', '\u{60}', '\u{b4}'];
    let text = text.replace(quotes, "'");
    marks.into_iter().fold(text, |text, (mark, plain)| text.replace(mark, plain))
}

/// The numbers of a text that holds nothing else but what stands around numbers: brackets, commas, quotes, comments, and at
/// the beginning of a line a name it is assigned to (`fixed_arc = "0 1 0"`, `--child_fixed_arc "0 1"`, and of a shell's
/// `fixed_arc="$fixed_arc 2 0"` the numbers alone). None if there is anything else, or no number.
pub fn numbers(text: &str) -> Option<String> {
    let mut words: Vec<&str> = Vec::new();
    for line in text.trim_matches('\u{feff}').lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let begins = |c: char| c.is_ascii_digit() || matches!(c, '[' | '(' | '"' | '\'');
        let name_ends = if line.starts_with(begins) { 0 } else { line.find(['=', ':', ' ']).map_or(0, |i| i + 1) };
        let name = line[..name_ends].trim_end_matches(['=', ':', ' ']);
        if !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
            return None;
        }
        let separates =
            |c: char| c.is_whitespace() || matches!(c, '=' | '[' | ']' | '(' | ')' | ',' | '"' | '\'' | '\\' | ';');
        let found = line[name_ends..].split(separates).filter(|word| !word.is_empty() && !word.starts_with('$'));
        words.extend(found);
    }
    let all = !words.is_empty() && words.iter().all(|word| word.chars().all(|c| c.is_ascii_digit()));
    all.then(|| words.join(" "))
}

/// Each name that a line assigns to, with the byte behind `=` or `:`.
fn assignments(text: &str) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let name = &trimmed[..trimmed.find(|c| !is_word(c)).unwrap_or(trimmed.len())];
        let behind = trimmed[name.len()..].trim_start();
        let sign = behind.starts_with(['=', ':']) && !behind.starts_with("==");
        if !name.is_empty() && sign {
            found.push((name, start + line.len() - behind.len() + 1));
        }
        start += line.len();
    }
    found
}

impl Entry {
    /// What to call it where several are listed.
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) if self.assigned => name.clone(),
            Some(name) => format!("{name} (line {})", self.line),
            None => format!("line {}", self.line),
        }
    }

    /// Where it stands in its text.
    pub fn place(&self, text: &str) -> Place {
        Place::of(text, self.at)
    }
}
