//! What the program says of itself: its version, completions for shells, and pages of the manual.

mod common;

use common::process::{bad, good};
use std::collections::BTreeSet;

/// The verbs that `--help` lists.
fn verbs() -> Vec<String> {
    let help = good(&["--help"]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    // What is indented further goes on with the line before.
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let verbs: Vec<String> = names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect();
    assert!(verbs.len() > 12 && verbs.contains(&"search".to_owned()), "{help}");
    verbs
}

#[test]
fn the_version_in_one_line_and_in_several() {
    let short = good(&["-V"]);
    assert_eq!(short.trim(), concat!("cellwright ", env!("CARGO_PKG_VERSION")));
    let long = good(&["--version"]);
    let lines: Vec<&str> = long.lines().collect();
    assert_eq!(lines[0], short.trim(), "{long}");
    let said =
        |key: &str| lines.iter().find_map(|line| line.strip_prefix(key)).unwrap_or_else(|| panic!("{key}: {long}"));
    assert!(said("features ").ends_with("cli") && said("target ").contains(std::env::consts::ARCH), "{long}");
    // Twelve digits, or what says that there are none.
    let revision = said("revision ").trim_end_matches("-changed");
    assert!(revision == "unknown" || revision.len() >= 12 && revision.chars().all(|c| c.is_ascii_hexdigit()), "{long}");
}

#[test]
fn completions_know_every_verb() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let text = good(&["completions", shell]);
        for verb in verbs() {
            assert!(text.contains(&verb), "{shell} should complete `{verb}`");
        }
        assert!(text.contains("seeds"), "{shell} should complete `--seeds`");
    }
    bad(2, "completions csh", &["'csh'", "bash, elvish, fish, powershell, zsh"]);
}

#[test]
fn the_manual_has_a_page_for_every_verb() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("man");
    let said = good(&["man", "--out", out.to_str().unwrap()]);
    let found: BTreeSet<String> =
        std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(said.starts_with(&format!("{} pages", found.len())), "{said}");
    let first = std::fs::read_to_string(out.join("cellwright.1")).unwrap();
    assert_eq!(first, good(&["man"]), "alone it is printed");
    // Hyphens are escaped in a page.
    let plain = |page: &str| page.replace("\\-", "-");
    for verb in verbs().iter().filter(|verb| *verb != "help") {
        let name = format!("cellwright-{verb}.1");
        assert!(plain(&first).contains(&format!("cellwright-{verb}(1)")), "cellwright.1 should name {verb}");
        let page = std::fs::read_to_string(out.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(plain(&page).contains(&format!(".TH cellwright-{verb} 1")), "{name}: {page}");
    }
    assert!(found.contains("cellwright-bench-kernels.1"), "{found:?}");
    bad(1, &format!("man --out {}", out.join("cellwright.1").display()), &["cannot be made"]);
}
