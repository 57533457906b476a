//! Reads Rust source as far as imports need it: what a file declares, and the paths that stand in it.

use std::collections::BTreeSet;

/// What is known of one file. What stands under `#[cfg(test)]` is left out.
#[derive(Default)]
pub struct Source {
    /// Paths, each branch of a `use` tree on its own.
    pub paths: Vec<Found>,
    /// Names that its modules declare.
    pub items: Vec<Item>,
    /// Macros: they may be found at the root of the crate.
    pub macros: BTreeSet<String>,
    /// Modules in files of their own that are there for tests only.
    pub test_modules: Vec<String>,
}

/// A path as it stands in the source, and where.
pub struct Found {
    pub segments: Vec<String>,
    /// What it is called here: its last segment, or what stands behind `as`.
    pub name: String,
    pub line: usize,
    /// Modules written within the file around it.
    pub within: Vec<String>,
    pub role: Role,
}

/// What a path is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `use`.
    Import,
    /// `pub use`, for whomever.
    Reexport,
    /// Written out where it is needed.
    Written,
    /// A name that imports nothing: of a method, a field, a variable, a module that is declared.
    Local,
}

/// A name declared by a module.
pub struct Item {
    pub name: String,
    /// Modules written within the file around it.
    pub within: Vec<String>,
}

/// What stands before the name of an item.
const DECLARING: [&str; 8] = ["struct", "enum", "union", "trait", "fn", "const", "static", "type"];

/// What a brace belongs to.
#[derive(PartialEq, Eq)]
enum Brace {
    Module,
    /// A macro's call, which may declare items as a module does.
    Call,
    Other,
}

impl Source {
    pub fn read(text: &str) -> Self {
        let (tokens, test_modules) = without_tests(tokens(text));
        let mut source = Self { test_modules, ..Self::default() };
        let (mut at, mut open, mut within) = (0, Vec::new(), Vec::new());
        let text = |at: usize| tokens.get(at).map_or("", |t| t.text);
        while at < tokens.len() {
            let declares = !open.contains(&Brace::Other);
            match text(at) {
                "mod" if text(at + 2) == "{" => {
                    open.push(Brace::Module);
                    within.push(text(at + 1).to_owned());
                    at += 3;
                }
                "{" => {
                    let call = declares && at > 0 && text(at - 1) == "!";
                    open.push(if call { Brace::Call } else { Brace::Other });
                    at += 1;
                }
                "}" => {
                    if open.pop() == Some(Brace::Module) {
                        within.pop();
                    }
                    at += 1;
                }
                word if is_word(word) => {
                    let import = word == "use" && (is_word(text(at + 1)) || text(at + 1) == "::");
                    let role = match import {
                        true if is_public(&tokens[..at]) => Role::Reexport,
                        true => Role::Import,
                        false if is_local(&tokens, at) => Role::Local,
                        false => Role::Written,
                    };
                    let rules = word == "macro_rules" && text(at + 1) == "!";
                    let named = if rules { text(at + 2) } else { text(at + 1) };
                    if rules {
                        source.macros.insert(named.to_owned());
                    }
                    if declares && (rules || DECLARING.contains(&word)) && is_word(named) {
                        source.items.push(Item { name: named.to_owned(), within: within.clone() });
                    }
                    let line = tokens[at].line;
                    at += usize::from(import);
                    for (segments, name) in tree(&tokens, &mut at, &[], import) {
                        source.paths.push(Found { segments, name, line, within: within.clone(), role });
                    }
                }
                _ => at += 1,
            }
        }
        source
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Whether what follows is visible outside its module: `pub`, `pub(crate)`.
fn is_public(before: &[Token<'_>]) -> bool {
    let Some(last) = before.last() else { return false };
    let bracket = || before.iter().rposition(|t| t.text == "(").filter(|&at| at > 0);
    last.text == "pub" || last.text == ")" && bracket().is_some_and(|at| before[at - 1].text == "pub")
}

/// Whether the word at `at` belongs to a value (it stands behind a full stop, but not behind those of a range), or is a
/// single small one that is not called.
fn is_local(tokens: &[Token<'_>], at: usize) -> bool {
    let text = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map_or("", |t| t.text);
    let member = text(at.checked_sub(1)) == "." && text(at.checked_sub(2)) != ".";
    let small = text(Some(at)).starts_with(char::is_lowercase);
    member || small && !matches!(text(Some(at + 1)), "::" | "(" | "!")
}

/// Reads one path, or a tree of them, from the word at `at` on, each with its name.
fn tree(tokens: &[Token<'_>], at: &mut usize, before: &[String], import: bool) -> Vec<(Vec<String>, String)> {
    let text = |at: usize| tokens.get(at).map_or("", |t| t.text);
    let mut path = before.to_vec();
    if text(*at) != "::" {
        path.push(text(*at).to_owned());
        *at += 1;
    }
    while text(*at) == "::" {
        let next = text(*at + 1);
        if next == "{" {
            *at += 2;
            let mut all = Vec::new();
            while !matches!(text(*at), "}" | "") {
                match text(*at) {
                    "," => *at += 1,
                    _ => all.extend(tree(tokens, at, &path, import)),
                }
            }
            *at += 1;
            return all;
        }
        if next != "*" && !next.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            break;
        }
        path.push(next.to_owned());
        *at += 2;
    }
    // `a::{self}` is `a`.
    path.truncate(if path.len() > 1 && path[path.len() - 1] == "self" { path.len() - 1 } else { path.len() });
    let mut name = path.last().cloned().unwrap_or_default();
    if import && text(*at) == "as" {
        name = text(*at + 1).to_owned();
        *at += 2;
    }
    vec![(path, name)]
}

struct Token<'a> {
    text: &'a str,
    line: usize,
}

/// Leaves out what stands under `#[cfg(test)]`; names the modules among it that are files.
fn without_tests(tokens: Vec<Token<'_>>) -> (Vec<Token<'_>>, Vec<String>) {
    let (mut kept, mut modules, mut at) = (Vec::with_capacity(tokens.len()), Vec::new(), 0);
    let text = |at: usize| tokens.get(at).map_or("", |t| t.text);
    while at < tokens.len() {
        if !(at..at + 7).map(text).eq(["#", "[", "cfg", "(", "test", ")", "]"]) {
            kept.push(Token { text: text(at), line: tokens[at].line });
            at += 1;
            continue;
        }
        let end = end_of_item(&tokens, at);
        let named = (at..end).find(|&at| text(at) == "mod" && text(at + 2) == ";");
        modules.extend(named.map(|at| text(at + 1).to_owned()));
        at = end;
    }
    (kept, modules)
}

/// Where the item that begins at `at`, with its attributes, has ended.
fn end_of_item(tokens: &[Token<'_>], mut at: usize) -> usize {
    let mut depth = 0usize;
    while at < tokens.len() {
        match tokens[at].text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth == 0 => return at,
            ")" | "]" => depth -= 1,
            "}" if depth == 1 => return at + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Words and punctuation of Rust source, without comments, literals and lifetimes.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < text.len() {
        let rest = &text[at..];
        let length = skipped(rest).unwrap_or_else(|| {
            let word = word_length(rest);
            let length =
                if rest.starts_with("::") { 2 } else { word.max(rest.chars().next().map_or(1, char::len_utf8)) };
            if !rest.starts_with(char::is_whitespace) {
                found.push(Token { text: &rest[..length], line });
            }
            length
        });
        line += rest[..length].matches('\n').count();
        at += length;
    }
    found
}

fn word_length(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
}

/// Length of the comment, literal or lifetime that `rest` begins with.
fn skipped(rest: &str) -> Option<usize> {
    let until = |from: usize, end: &str| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(until(2, "*/"));
    }
    let prefix = rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).filter(|&prefix| prefix <= 2).unwrap_or(0);
    let hashes = rest[prefix..].bytes().take_while(|&b| b == b'#').count();
    if rest[..prefix].contains('r') && rest[prefix + hashes..].starts_with('"') {
        return Some(until(prefix + hashes + 1, &format!("\"{}", "#".repeat(hashes))));
    }
    let quoted = |from: usize, quote: u8| {
        let mut bytes = rest.bytes().enumerate().skip(from);
        while let Some((at, byte)) = bytes.next() {
            if byte == b'\\' {
                bytes.next();
            } else if byte == quote {
                return at + 1;
            }
        }
        rest.len()
    };
    if rest[prefix..].starts_with('"') {
        return Some(quoted(prefix + 1, b'"'));
    }
    let mut after = rest.strip_prefix('\'')?.chars();
    let (first, second) = (after.next()?, after.next()?);
    if first == '\\' || second == '\'' {
        return Some(quoted(1, b'\''));
    }
    // A lifetime.
    Some(1 + word_length(&rest[1..]))
}
