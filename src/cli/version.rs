//! What `--version` says beyond the one line of `-V`: which build this is.

use std::sync::LazyLock;

/// The revision, `-changed` where files were not committed. Source that is not a checkout has none.
const REVISION: &str = git_version::git_version!(
    args = ["--always", "--abbrev=12", "--exclude=*", "--dirty=-changed"],
    fallback = "unknown"
);

/// The features that can be left out of the program, and whether they were.
const FEATURES: [(&str, bool); 3] =
    [("gpu", cfg!(feature = "gpu")), ("images", cfg!(feature = "images")), ("tui", cfg!(feature = "tui"))];

static LONG: LazyLock<String> = LazyLock::new(|| {
    let features: Vec<&str> =
        FEATURES.iter().filter(|(_, there)| *there).map(|(name, _)| *name).chain(["cli"]).collect();
    let version = env!("CARGO_PKG_VERSION");
    format!("{version}\nrevision {REVISION}\nfeatures {}\ntarget {}", features.join(", "), target_tuple::TARGET)
});

/// Version, revision, features and target, a line each.
pub fn long() -> &'static str {
    &LONG
}
