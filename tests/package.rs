//! What `cargo package` takes along: all that the library reads while it is compiled and the README shows, and nothing else.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Where a reader of the package is sent but its files need not be: what belongs to the tests.
const LEFT_OUT: [&str; 3] = ["tests/", "benches/", "scripts/"];

/// The files that a package would hold.
fn list() -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or("cargo".into());
    let arguments = ["package", "--list", "--allow-dirty", "--offline"];
    let output = Command::new(cargo).args(arguments).current_dir(ROOT).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.replace('\\', "/")).collect()
}

/// A path from the root without `..`.
fn plain(path: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain.to_string_lossy().replace('\\', "/")
}

/// What stands between `open` and `close`, wherever it does.
fn between<'a>(text: &'a str, open: &'a str, close: char) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
}

#[test]
fn a_package_holds_what_is_compiled_and_shown() {
    let list = list();
    let read = |name: &str| std::fs::read_to_string(Path::new(ROOT).join(name)).unwrap();
    for name in list.iter().filter(|name| name.starts_with("src/") && name.ends_with(".rs")) {
        let folder = Path::new(name).parent().unwrap();
        for open in ["include_str!(\"", "include_bytes!(\""] {
            for file in between(&read(name), open, '"') {
                let file = plain(&folder.join(file));
                // Fixtures are read by unit tests alone.
                assert!(list.contains(&file) || file.starts_with("tests/"), "{name} includes {file}");
            }
        }
    }
    for file in between(&read("README.md"), "](", ')') {
        let file = file.split('#').next().unwrap();
        let elsewhere = file.is_empty() || file.contains("://") || LEFT_OUT.iter().any(|part| file.starts_with(part));
        assert!(
            elsewhere || list.contains(file) || list.iter().any(|name| name.starts_with(file)),
            "README.md links {file}"
        );
    }
    for entry in std::fs::read_dir(Path::new(ROOT).join("shaders")).unwrap() {
        let entry = entry.unwrap();
        let name = format!("shaders/{}", entry.file_name().to_string_lossy());
        assert!(entry.path().is_dir() || list.contains(&name), "{name}");
    }
    for name in ["Cargo.toml", "Cargo.lock", "LICENSE-MIT", "LICENSE-APACHE", "src/main.rs", "data/digits.csv.gz"] {
        assert!(list.contains(name), "{name}");
    }
}

#[test]
fn a_package_holds_nothing_else_and_is_small() {
    let known = ["src", "shaders", "data", "docs", "examples", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
    let made = [
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "Cargo.toml",
        "Cargo.toml.orig",
        "Cargo.lock",
        ".cargo_vcs_info.json",
    ];
    let mut bytes = 0;
    for name in list() {
        let first = name.split('/').next().unwrap();
        assert!(known.contains(&first) || made.contains(&first), "{name}");
        bytes += std::fs::metadata(Path::new(ROOT).join(&name)).map_or(0, |file| file.len());
    }
    // The registry refuses packages of 10 MiB, packed.
    assert!(bytes < 8 << 20, "{bytes} bytes");
}
