//! The floors of ARCHITECTURE.md hold: a module imports only from floors below its own, and below
//! `run` nothing opens files, starts threads or waits for a device.
//!
//! The table is read from the document, top floor first. Modules that share a row may import from those
//! to their right, so there are no cycles. Paths are found in the source text: `use` trees and paths
//! written out, beginning with `crate`, `cellwright`, `self` or `super`. Code for tests only (files called
//! `tests`, modules under `#[cfg(test)]`) may do as it likes: nobody builds on it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Parts of `std` that only `run` and the floors above it may touch.
const RESERVED: [&str; 2] = ["fs", "thread"];

#[test]
fn no_import_climbs_and_no_floor_below_run_blocks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let floors = Floors::read(&std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap());
    let sources: Vec<(PathBuf, String)> = files(&root.join("src"))
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.strip_prefix(root.join("src")).unwrap().to_owned(), text)
        })
        .collect();
    let macros = sources.iter().flat_map(|(_, text)| macros(&tokens(text))).collect();
    let problems: Vec<String> = sources.iter().flat_map(|(path, text)| check(&floors, &macros, path, text)).collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// Names of the floors, highest first.
struct Floors(Vec<String>);

impl Floors {
    fn read(document: &str) -> Self {
        let rows =
            document.lines().skip_while(|line| !line.starts_with("| floor | holds | knows nothing of |")).skip(2);
        let cells = rows.take_while(|line| line.starts_with('|')).map(|line| line.split('|').nth(1).unwrap());
        // Names are what stands between backticks.
        let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
        let floors = Self(names.map(|name| name.trim_end_matches(".rs").to_owned()).collect());
        assert!(floors.height("run").is_some(), "ARCHITECTURE.md has no table of floors with a floor `run`");
        floors
    }

    /// How far down a floor lies.
    fn height(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|floor| floor == name)
    }
}

/// Everything wrong with the file at `path` (relative to `src`).
fn check(floors: &Floors, macros: &BTreeSet<String>, path: &Path, text: &str) -> Vec<String> {
    let mut module: Vec<String> =
        path.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if module == ["lib"] {
        return Vec::new();
    }
    let in_tests_file = module.iter().any(|part| part == "tests");
    module.retain(|part| part != "mod");
    let Some(own) = floors.height(&module[0]) else {
        return vec![format!("src/{}: `{}` is not in ARCHITECTURE.md's table", path.display(), module[0])];
    };
    let below_run = Some(own) > floors.height("run");
    // `main.rs` is the root of its own crate.
    let depth = if module == ["main"] { 0 } else { module.len() };
    let mut problems = Vec::new();
    for found in paths(&tokens(text)) {
        if in_tests_file || found.in_tests {
            continue;
        }
        let mut complain = |what: String| problems.push(format!("src/{}:{}: {what}", path.display(), found.line));
        if below_run && found.is_reserved() {
            complain(format!("`{}` belongs to `run` and above", found.segments.join("::")));
        }
        let Some(target) = found.module_named(depth) else { continue };
        match floors.height(target) {
            Some(height) if height < own => complain(format!("`{}` imports from `{target}`, above it", module[0])),
            None if !macros.contains(target) => complain(format!("`{target}` is not in ARCHITECTURE.md's table")),
            _ => {}
        }
    }
    problems
}

/// A path as it stands in the source, and where.
struct Found {
    segments: Vec<String>,
    line: usize,
    /// Modules written within the file around it.
    nesting: usize,
    in_tests: bool,
}

impl Found {
    fn is_reserved(&self) -> bool {
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        segments.contains(&"block_on") || matches!(segments[..], ["std", part, ..] if RESERVED.contains(&part))
    }

    /// The top-level module that the path names, seen from a file whose module lies `depth` deep.
    fn module_named(&self, depth: usize) -> Option<&str> {
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).skip_while(|&s| s == "self").collect();
        let climbed = segments.iter().take_while(|&&s| s == "super").count();
        match segments.first() {
            Some(&("crate" | "cellwright")) => segments.get(1).copied(),
            Some(&"super") if climbed >= depth + self.nesting => segments.get(climbed).copied(),
            _ => None,
        }
    }
}

struct Token<'a> {
    text: &'a str,
    line: usize,
}

/// Words and punctuation of Rust source, without comments and literals.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < text.len() {
        let rest = &text[at..];
        let length = skipped(rest).unwrap_or_else(|| {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
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

/// Length of the comment or literal that `rest` begins with.
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
    Some(1)
}

/// Names of the macros that are declared: they live at the root of the crate.
fn macros(tokens: &[Token<'_>]) -> Vec<String> {
    let declared = tokens.windows(3).filter(|t| t[0].text == "macro_rules" && t[1].text == "!");
    declared.map(|t| t[2].text.to_owned()).collect()
}

/// Every path in the source, each branch of a `use` tree on its own.
fn paths(tokens: &[Token<'_>]) -> Vec<Found> {
    let (mut found, mut at, mut braces) = (Vec::new(), 0, 0usize);
    // Modules that are open: the depth of braces each began at, and whether it is for tests only.
    let mut open: Vec<(usize, bool)> = Vec::new();
    let text = |at: usize| tokens.get(at).map_or("", |t| t.text);
    while at < tokens.len() {
        match text(at) {
            "mod" if text(at + 2) == "{" => {
                let test = at >= 7 && (at - 7..at).map(text).eq(["#", "[", "cfg", "(", "test", ")", "]"]);
                open.push((braces, test));
                braces += 1;
                at += 3;
            }
            "{" => {
                braces += 1;
                at += 1;
            }
            "}" => {
                braces -= 1;
                open.pop_if(|(began, _)| *began == braces);
                at += 1;
            }
            word if word.starts_with(|c: char| c.is_alphabetic()) => {
                let line = tokens[at].line;
                let in_tests = open.iter().any(|(_, test)| *test);
                for segments in tree(tokens, &mut at, &[]) {
                    found.push(Found { segments, line, nesting: open.len(), in_tests });
                }
            }
            _ => at += 1,
        }
    }
    found
}

/// Reads one path, or a tree of them, from the word at `at` on.
fn tree(tokens: &[Token<'_>], at: &mut usize, before: &[String]) -> Vec<Vec<String>> {
    let text = |at: usize| tokens.get(at).map_or("", |t| t.text);
    let mut path = before.to_vec();
    path.push(text(*at).to_owned());
    *at += 1;
    while text(*at) == "::" {
        let next = text(*at + 1);
        if next == "{" {
            *at += 2;
            let mut all = Vec::new();
            while !matches!(text(*at), "}" | "") {
                match text(*at) {
                    "," => *at += 1,
                    _ => all.extend(tree(tokens, at, &path)),
                }
                while text(*at) == "as" {
                    *at += 2;
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
    vec![path]
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    found.retain(|path| path.extension().is_some_and(|e| e == "rs"));
    found.sort();
    found
}

mod checker {
    use super::*;

    const TABLE: &str = "Text.\n\n| floor | holds | knows nothing of |\n|---|---|---|\n\
        | `main.rs`, `cli` | a | b |\n| `run` | a | b |\n| `network` | a | b |\n| `nn`, `optim` | a | b |\n\
        | `device`, `random` | a | `tensor` |\n\n| `other` | table | x |\n";

    fn complaints(path: &str, text: &str) -> usize {
        check(&Floors::read(TABLE), &BTreeSet::from(["params".to_owned()]), Path::new(path), text).len()
    }

    #[test]
    fn reads_the_table_top_first() {
        let expected = ["main", "cli", "run", "network", "nn", "optim", "device", "random"];
        assert_eq!(Floors::read(TABLE).0, expected);
    }

    #[test]
    fn sees_an_import_that_climbs_however_it_is_written() {
        for text in [
            "use crate::network::Network;",
            "use cellwright::network;",
            "pub use crate::{device::Device, network::Network};",
            "use crate::{\n    device::{Device, Error},\n    network as n,\n};",
            "fn f() -> crate::network::Network { loop {} }",
            "fn f() { let x = &mut crate::network::f::<u8>(); }",
            "use super::super::network;",
            "use super::{super::network, device};",
            "mod inner { use super::super::super::network; }",
            "use self::super::super::network;",
            "const C: char = '\"'; use crate::network::X; const D: char = '\"';",
            "fn f<'a>(x: &'a str) -> &'a str { crate::network::f(x) }",
        ] {
            assert_eq!(complaints("nn/layers.rs", text), 1, "{text}");
        }
        assert_eq!(complaints("nn/mod.rs", "use super::network;"), 1);
        assert_eq!(complaints("random.rs", "use crate::device::Device;"), 1, "leftwards in a row");
        assert_eq!(complaints("nn.rs", "use crate::nowhere::X;"), 1, "a module that the table lacks");
        assert_eq!(complaints("nowhere.rs", ""), 1, "a file that the table lacks");
        assert_eq!(complaints("nn.rs", "use super::*;"), 1, "everything at once");
    }

    #[test]
    fn lets_imports_descend() {
        for text in [
            "use crate::device::{Device, Error}; use crate::params; use crate::optim::Sgd;",
            "// use crate::network;\n/* crate::network */ const S: &str = \"crate::network \\\" crate::cli\";",
            "const R: &str = r#\"use crate::network; \" \"#;",
            "mod network { pub struct X; mod inner { use super::super::network::X; use super::*; } }",
            "#[cfg(test)]\nmod tests { use crate::network; use super::*; }",
            "use super::network; use other::network; use std::collections::BTreeMap; pub(crate) fn f() {}",
        ] {
            assert_eq!(complaints("nn/layers.rs", text), 0, "{text}");
        }
        assert_eq!(complaints("main.rs", "fn main() { cellwright::cli::main() }"), 0);
        assert_eq!(complaints("device/kernel.rs", "use crate::random::Random;"), 0, "rightwards in a row");
    }

    #[test]
    fn keeps_files_threads_and_waiting_to_run_and_above() {
        for text in [
            "use std::fs;",
            "use std::{collections::BTreeMap, thread};",
            "fn f() { std::fs::read(\"x\"); }",
            "fn f() { pollster::block_on(g()) }",
            "use pollster::block_on;",
            "#[cfg(test)] mod tests { use std::fs; } use std::thread;",
            "mod inner { use std::fs; }",
        ] {
            assert_eq!(complaints("network/mod.rs", text), 1, "{text}");
            assert_eq!(complaints("run/mod.rs", text), 0, "{text}");
            assert_eq!(complaints("network/tests.rs", text), 0, "{text}");
        }
        assert_eq!(
            complaints("network/mod.rs", "#[cfg(test)]\nmod tests { use std::fs; fn f() { block_on(g()) } }"),
            0
        );
    }
}
