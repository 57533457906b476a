//! The floors of ARCHITECTURE.md hold: a module imports only from floors below its own, no file imports one that
//! imports it in turn, and below `run` nothing opens files, starts threads or waits for a device.
//!
//! The table is read from the document, top floor first. Modules that share a row may import from those
//! to their right, so there are no cycles. Paths are found in the source text: `use` trees and paths
//! written out, beginning with `crate`, `cellwright`, `self` or `super`. Code for tests only (files called
//! `tests`, what stands under `#[cfg(test)]`) may do as it likes: nobody builds on it.
//!
//! Among files the rule is finer: a file imports the file that *defines* a name it uses, wherever the name is
//! re-exported. `mod` lines and re-exports themselves import nothing; what a file re-exports and uses itself, it imports.

#[path = "floors/circles.rs"]
mod circles;
#[path = "floors/source.rs"]
mod source;

use source::{Found, Source};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Parts of `std` that only `run` and the floors above it may touch.
const RESERVED: [&str; 2] = ["fs", "thread"];

/// Circles that stand for now, by their first files. Entries leave as circles go, and a circle gone must leave.
const ALLOWED: &[&str] = &[];
#[test]
fn no_import_climbs_and_no_floor_below_run_blocks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let floors = Floors::read(&std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap());
    let sources = sources();
    let macros = sources.iter().flat_map(|(_, text)| Source::read(text).macros).collect();
    let problems: Vec<String> =
        sources.iter().flat_map(|(path, text)| check(&floors, &macros, Path::new(path), text)).collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn no_files_import_one_another() {
    let found = circles::circles(&sources());
    let mut problems: Vec<String> = found
        .iter()
        .filter(|circle| !ALLOWED.contains(&circle.files[0].as_str()))
        .map(|circle| format!("{} files import one another:\n{}", circle.files.len(), circle.lines))
        .collect();
    let stale = ALLOWED.iter().filter(|first| found.iter().all(|circle| circle.files[0] != **first));
    problems.extend(stale.map(|first| format!("no circle any more, to be struck from the list: {first}")));
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// All files of `src`: paths within it, and text.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let name = |path: &Path| {
        let parts: Vec<_> = path.strip_prefix(&root).unwrap().iter().map(|part| part.to_str().unwrap()).collect();
        parts.join("/")
    };
    files(&root).into_iter().map(|path| (name(&path), std::fs::read_to_string(&path).unwrap())).collect()
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
    for found in Source::read(text).paths {
        if in_tests_file {
            continue;
        }
        let mut complain = |what: String| problems.push(format!("src/{}:{}: {what}", path.display(), found.line));
        if below_run && is_reserved(&found) {
            complain(format!("`{}` belongs to `run` and above", found.segments.join("::")));
        }
        let Some(target) = module_named(&found, depth) else { continue };
        match floors.height(target) {
            Some(height) if height < own => complain(format!("`{}` imports from `{target}`, above it", module[0])),
            None if !macros.contains(target) => complain(format!("`{target}` is not in ARCHITECTURE.md's table")),
            _ => {}
        }
    }
    problems
}

fn is_reserved(found: &Found) -> bool {
    let segments: Vec<&str> = found.segments.iter().map(String::as_str).collect();
    segments.contains(&"block_on") || matches!(segments[..], ["std", part, ..] if RESERVED.contains(&part))
}

/// The top-level module that a path names, seen from a file whose module lies `depth` deep.
fn module_named(found: &Found, depth: usize) -> Option<&str> {
    let segments: Vec<&str> = found.segments.iter().map(String::as_str).skip_while(|&s| s == "self").collect();
    let climbed = segments.iter().take_while(|&&s| s == "super").count();
    match segments.first() {
        Some(&("crate" | "cellwright")) => segments.get(1).copied(),
        Some(&"super") if climbed >= depth + found.within.len() => segments.get(climbed).copied(),
        _ => None,
    }
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
